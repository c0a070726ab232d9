"""What the documents say, before any of them lays it out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from expert_pool.documents import Person, people_in
from expert_pool.documents.contents import (
    alternate_rows,
    banners,
    bounds,
    case_rows,
    gate_rows,
    goals,
    member_rows,
    rule_rows,
    signed,
    status,
    summary,
)
from expert_pool.documents.view import View
from solver.answer import Answer, Saying
from solver.problem import Problem


@pytest.fixture
def view(answer: Answer, people: dict[str, Person], problem: Problem) -> View:
    return View(answer, people, "zh", problem)


def test_members_stand_by_group_with_the_chair_first_and_are_numbered(view: View) -> None:
    rows = member_rows(view)
    assert [row.number for row in rows] == list(range(1, 26))
    assert len({row.group for row in rows}) == 5
    for before, after in pairwise(rows):
        if before.group == after.group and after.role != "member":
            assert before.role == "chair"
    assert sum(row.role == "chair" for row in rows) == 1
    assert all(row.reasons for row in rows)


def test_alternates_stand_in_calling_order(view: View) -> None:
    rows = alternate_rows(view)
    assert len(rows) == 8
    assert [r.order for r in rows if r.group == "软件与信息技术服务组"] == [1, 2, 3]


def test_groups_and_specialties_have_names_with_the_problem_and_ids_without(
    answer: Answer, problem: Problem
) -> None:
    assert {row.group for row in case_rows(View(answer, problem=problem))} <= {g.name for g in problem.groups}
    assert {row.group for row in case_rows(View(answer))} == {"g1", "g2", "g3", "g4", "g5"}
    assert {row.specialty for row in case_rows(View(answer, problem=problem))} <= set(
        problem.specialties.name
    )


def test_the_nameless_show_by_pseudonym(answer: Answer, problem: Problem) -> None:
    bare = View(answer, {}, "zh", problem)
    assert not bare.named
    assert {row.person.name for row in member_rows(bare)} == {m.expert for m in answer.members}


def test_people_of_a_problem_file_have_its_facts_and_no_names(answer: Answer, problem: Problem) -> None:
    expert = answer.members[0].expert
    found = people_in(problem, [expert, "P-nobody"])
    assert list(found) == [expert]
    assert found[expert].name == expert
    assert found[expert].rank in ("deputy_senior", "full_senior")
    assert found[expert].specialties
    assert not View(answer, found, "zh", problem).named


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_rule_is_called_by_its_id_where_the_problem_is_at_hand(
    answer: Answer, problem: Problem, lang: str
) -> None:
    for row in rule_rows(View(answer, {}, lang, problem)):
        assert row.title != row.id
        assert "_" not in row.title
        assert "{" not in row.says


def test_two_rules_of_one_name_are_told_apart(answer: Answer) -> None:
    twice = [
        r.model_copy(update={"id": id}) for r in answer.rules if r.rule == "share" for id in ("x_1", "x_2")
    ][:2]
    first, second = (
        row.title for row in rule_rows(View(answer.model_copy(update={"rules": twice}), {}, "zh"))
    )
    assert first != second


def test_broken_rules_come_first_and_gates_last(answer: Answer, problem: Problem) -> None:
    broken = [
        r.model_copy(update={"holds": False, "margin": -2}) if r.id == "quorum" else r for r in answer.rules
    ]
    rows = rule_rows(View(answer.model_copy(update={"rules": broken}), {}, "zh", problem))
    assert rows[0].id == "quorum"
    assert rows[-1].rule == "gate"
    assert next(r for r in rows if r.id == "group_size").unconfirmed
    assert next(r for r in rows if r.id == "group_size").basis_status == "未经核实（unconfirmed）"


def test_reasons_name_the_rule_they_serve(view: View) -> None:
    assert (
        view.tell(Saying(code="reason.counts", params={"rule": "renewal"})) == f"计入“{view.rule('renewal')}”"
    )
    assert view.rule("renewal") in view.tell(
        Saying(code="why_not.together", params={"rules": ["renewal", "quorum"]})
    )
    assert "gone" in view.tell(Saying(code="reason.counts", params={"rule": "gone", "lang": "xx"}))


def test_recusals_name_the_person_and_every_kind(view: View, answer: Answer) -> None:
    rows = {row.case: row for row in case_rows(view)}
    away = next(c for c in answer.cases if c.recused)
    assert view.person(next(iter(away.recused))).name in rows[away.case].recused
    assert rows[away.case].present == 25 - len(away.recused)
    assert all(not rows[c.case].recused for c in answer.cases if not c.recused)


def test_the_funnel_ends_with_those_who_may_sit(view: View, answer: Answer) -> None:
    rows = gate_rows(view)
    assert rows[-1].left == answer.funnel[-1].left
    assert all(a.left >= b.left for a, b in pairwise(rows))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(None, None, "—"), (3, None, "≥ 3"), (None, 2, "≤ 2"), (3, 3, "= 3"), (1, 3, "1–3")],
)
def test_bounds_are_said_as_one_reads_them(low: int | None, high: int | None, said: str) -> None:
    assert bounds(low, high) == said


def test_margins_carry_their_sign() -> None:
    assert [signed(m) for m in (2, 0, -1, None)] == ["+2", "0", "−1", "—"]


def test_the_banners_warn_of_proposals_and_of_made_people(
    answer: Answer, without_panel: Callable[..., Answer]
) -> None:
    real = answer.problem.model_copy(update={"made": False})
    draw = answer.model_copy(
        update={"fileable": False, "problem": answer.problem.model_copy(update={"procedure": "draw"})}
    )
    assert banners(View(answer.model_copy(update={"problem": real}))) == []
    assert banners(View(draw, lang="zh"))[0].startswith("本方案为建议名单，不得用于备案")
    assert banners(View(draw, lang="en"))[0].startswith("Proposal, not to be filed")
    assert len(banners(View(draw))) == 2
    assert banners(View(without_panel(answer), lang="en"))[0] == "Not to be filed."


def test_status_and_goals_say_what_stopped_the_work_and_what_is_proven(
    answer: Answer, problem: Problem
) -> None:
    stopped = answer.model_copy(update={"status": "feasible", "stopped_by": "time"})
    assert status(View(stopped, lang="en")) == "Feasible (not proven optimal); time limit"
    said = dict(goals(View(answer, {}, "en", problem)))
    assert said["Goal 2: Peer match"] == "3120 (bound 3087, not proven)"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_summary_holds_what_a_replay_needs(answer: Answer, problem: Problem, lang: str) -> None:
    texts = [text for _, text in summary(View(answer, {}, lang, problem))]
    for needed in (answer.problem.sha256, str(answer.problem.seed), answer.problem.policy):
        assert any(needed in text for text in texts)


def test_a_weighted_answer_says_its_sum(answer: Answer) -> None:
    changed: dict[str, Any] = {"mode": "weighted", "objective": 10, "bound": 9, "gap": 0.1}
    texts = [text for _, text in summary(View(answer.model_copy(update=changed), lang="en"))]
    assert "Weighted sum 10, bound 9, gap 10%" in texts


def test_a_sealed_panel_says_that_it_is_sealed(answer: Answer, problem: Problem) -> None:
    sealed = answer.model_copy(update={"members": [], "alternates": [], "cases": []})
    said = dict(summary(View(sealed, {}, "zh", problem)))
    assert said["席位"] == "名单密封，启封前不显示"
    assert "申报情况" not in said
