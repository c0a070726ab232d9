"""The whole diagnosis: what it says of problems with and without a panel, in both languages, within its limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tiny_problems import rule

from expert_pool.words import known, say
from solver.answer import Saying
from solver.assemble import assemble
from solver.check import check
from solver.diagnosis.diagnose import diagnose
from solver.diagnosis.document import Diagnosis, SetResult
from solver.diagnosis.elements import Element
from solver.diagnosis.numbers import told
from solver.diagnosis.possible import Trials
from solver.problem import Exclusion, Lock, Problem, RuleChange, Step
from solver.rules.base import Rule

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}


def with_rule(problem: Problem, **fields: Any) -> Problem:
    """The problem with a rule of some id replaced or added, and without its ratio."""
    made = rule(**fields)
    return replace(problem, rules=(*(r for r in problem.rules if r.id not in (made.id, "ratio")), made))


def parts(clash: SetResult) -> list[tuple[str, str | None]]:
    return [(element.id, element.expert) for element in clash.elements]


def sayings(data: Any) -> list[Saying]:
    """Every saying in a document."""
    if isinstance(data, dict):
        own = [Saying.model_validate(data)] if set(data) == {"code", "params"} else []
        return own + [found for value in data.values() for found in sayings(value)]
    return [found for value in data for found in sayings(value)] if isinstance(data, list) else []


def test_a_problem_with_a_panel_has_nothing_to_mend(complete: Problem) -> None:
    said = diagnose(complete, seconds=600)
    assert (said.status, said.stopped_by, said.giving_way) == ("feasible", None, None)
    assert (said.sets, said.relaxations, said.ladder, said.recruitment) == ([], [], [], None)


def test_everything_is_told_of_a_problem_without_a_panel(complete: Problem) -> None:
    """Sets, ways to give way with lawful panels under the other rules, recruits, all with words in both languages."""
    problem = with_rule(complete, name="share", where=[PRIVATE], least="9/10", relaxable=True, cost=3)
    problem = with_rule(problem, name="cap", fact="employer", most=1, relaxable=True)
    said = diagnose(problem, sets=3, relaxations=2, seconds=600)
    assert (said.status, said.giving_way) == ("infeasible", "found")
    assert all(clash.minimal and clash.exact for clash in said.sets)
    assert any(("share", None) in parts(clash) for clash in said.sets)
    for way in said.relaxations:
        assert way.proven
        assert {c.rule for c in way.concessions} <= {"share", "cap"}
        assert sum(c.cost for c in way.concessions) == way.value
        assert not way.panel.fileable
        assert way.panel.problem == said.problem
        broken = {f.rule for f in check(problem, way.panel) if f.hard} - {"alternates", "document"}
        assert broken == {
            c.rule for c in way.concessions if c.cases or any(not s.params["after"] for s in c.says)
        }
    assert said.recruitment is not None
    assert said.recruitment.status == "found"
    assert all("share" in profile.counts_for for profile in said.recruitment.profiles)
    plain = json.loads(said.model_dump_json())
    Draft202012Validator(Diagnosis.model_json_schema()).validate(plain)
    assert Diagnosis.model_validate(plain) == said
    for saying in sayings(plain):
        assert known(saying.code, "zh"), saying.code
        assert known(saying.code, "en"), saying.code


def test_needs_and_offers_stand_in_the_sentence(complete: Problem) -> None:
    """So many seats needed, so many people there."""
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1")
    (clash,) = diagnose(problem, relaxations=0, seconds=600).sets
    share = next(e for e in clash.elements if e.id == "share")
    params = share.says.params
    assert params["needs"] == params["of"] >= 9
    assert params["have"] == sum(
        problem.facts["sector"].show(e) == "private"
        for e in Trials(problem, 1).passes(gates(clash)).any(axis=1).nonzero()[0]
    )
    assert str(params["needs"]) in say(share.says.code, "zh", **params)


def gates(clash: SetResult) -> list[Element]:
    return [Element("gate", e.id) for e in clash.elements if e.kind == "gate"]


def test_two_locked_people_in_conflict_are_named_with_the_rule(complete: Problem) -> None:
    a, b = int(complete.between.left[0]), int(complete.between.right[0])
    locks = (Lock(a, None, "office", "asked"), Lock(b, None, "office", "asked"))
    said = diagnose(replace(complete, locks=locks, exclusions=()), sets=5, seconds=600)
    found = [set(parts(clash)) for clash in said.sets]
    names = complete.experts
    assert {("locks", names[a]), ("locks", names[b]), ("apart", None)} in found
    assert said.recruitment is not None
    assert said.recruitment.status == "no_number_helps"


def test_a_locked_person_whom_a_gate_bars_is_named_with_the_gate(complete: Problem) -> None:
    said = diagnose(replace(complete, locks=(Lock(1, None, "office", "asked"),)), seconds=600)
    assert [set(parts(clash)) for clash in said.sets] == [{("trained", None), ("locks", "P01")}]


def test_a_person_locked_and_excluded_is_named_twice(complete: Problem) -> None:
    out = (Exclusion(complete.locks[0].expert, "office", "asked"),)
    said = diagnose(replace(complete, exclusions=out), seconds=600)
    kinds = [sorted(e.kind for e in clash.elements) for clash in said.sets]
    assert kinds == [["exclusion", "lock"]]


def test_more_locks_than_seats_are_named_with_the_seats(complete: Problem) -> None:
    """Six people locked into a group of five: one too many, and no more than that are named."""
    able = [e for e in range(60) if complete.grades[e, 0] and e % 12 and e % 11][:6]
    rules = tuple(r for r in complete.rules if r.rule in ("group_size", "peer_grade", "locks"))
    locks = tuple(Lock(e, 0, "office", "asked") for e in able)
    groups = tuple(replace(g, alternates=0) for g in complete.groups)
    said = diagnose(replace(complete, rules=rules, locks=locks, exclusions=(), groups=groups), seconds=600)
    (clash,) = said.sets
    assert sorted(e.kind for e in clash.elements) == ["lock"] * 6 + ["seats"]


def test_nothing_may_give_way_is_said_so(complete: Problem) -> None:
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1")
    said = diagnose(problem, seconds=600)
    assert (said.giving_way, said.relaxations, said.stuck) == ("nothing_may", [], None)


def test_what_may_give_way_and_is_not_enough_shows_who_stands_firm(complete: Problem) -> None:
    """The share may not give way, the cap may and would not do: the stuck set has nothing that may."""
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1")
    problem = with_rule(problem, name="cap", fact="employer", most=2, relaxable=True)
    said = diagnose(problem, seconds=600)
    assert said.giving_way == "not_enough"
    assert said.stuck is not None
    assert not any(element.relaxable for element in said.stuck.elements)


def test_the_ladder_is_climbed_to_the_first_step_that_helps(complete: Problem) -> None:
    """Each step on top of those before; recruits and advice are told; the panel of the step is not fileable."""
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1")
    ladder = (
        Step("other_pools", recruits=True, basis="text", status="D"),
        Step("broader_peers", (RuleChange("peer_grade", None), RuleChange("gone", None))),
        Step("delegation"),
        Step("fewer", (RuleChange("share", {"least": "1/10"}),)),
        Step("never", (RuleChange("share", None),)),
    )
    said = diagnose(replace(problem, ladder=ladder, locks=()), seconds=600)
    steps = {step.id: step for step in said.ladder}
    assert list(steps) == ["other_pools", "broader_peers", "delegation", "fewer"]
    assert steps["other_pools"].outcome == "with_recruits"
    assert steps["other_pools"].recruitment == said.recruitment
    assert steps["broader_peers"].outcome == "no_panel"
    assert steps["broader_peers"].rules == ["peer_grade"]
    assert steps["delegation"].outcome == "advice"
    assert steps["fewer"].outcome == "panel"
    panel = steps["fewer"].panel
    assert panel is not None
    assert not panel.fileable


@pytest.mark.parametrize("seconds", [1e-9, 0.0])
def test_no_time_gives_unknown(complete: Problem, seconds: float) -> None:
    said = diagnose(complete, seconds=seconds)
    assert (said.status, said.stopped_by) == ("unknown", "time")


def test_cancelling_says_so(complete: Problem) -> None:
    said = diagnose(complete, seconds=600, cancelled=lambda: True)
    assert (said.status, said.stopped_by) == ("unknown", "cancelled")


def test_progress_names_its_phases(complete: Problem) -> None:
    phases: list[str] = []
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1", relaxable=True)
    diagnose(problem, seconds=600, report=lambda event: phases.append(event.phase))
    assert {"clash", "relax", "recruit"} <= set(phases)
    assert all(known(f"progress.{phase}") for phase in set(phases))


TOLD: tuple[Rule, ...] = (
    rule("gate", where={"fact": "age", "op": "lt", "value": 60}),
    rule("peer_grade", grade="close"),
    rule("barred"),
    rule("panel_size", low=11, high=13, odd=True),
    rule("roles", chair=[{"fact": "age", "op": "ge", "value": 45}]),
    rule("share", where=[PRIVATE], least="1/4"),
    rule("share", where=[PRIVATE], most="1/4", scope="group"),
    rule(
        "ratio",
        parts=[
            {"name": "p", "where": [PRIVATE], "weight": 1},
            {"name": "q", "where": [PRIVATE], "weight": 2},
        ],
    ),
    rule("newcomers", least="1/3"),
    rule("cap", fact="employer", most=2),
    rule("apart"),
    rule("group_peers", least=2),
    rule("case_peers", least=2),
    rule("quorum", least="2/3"),
    rule("quorum", least="2/3", of="group"),
    rule("alternates"),
)


@pytest.mark.parametrize("own", TOLD, ids=lambda r: r.rule)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_condition_has_its_sentence(own: Rule, lang: str, complete: Problem) -> None:
    """With numbers where there are any, and nothing unknown in it."""
    kind = "gate" if own.rule in ("gate", "peer_grade", "barred") else "rule"
    elements = [Element(kind, own.id), Element("seats", "group_size"), Element("rule", "apart")]  # type: ignore[arg-type]
    rules = (own, rule("group_size"), *([rule("apart")] if own.rule != "apart" else []))
    trials = Trials(replace(complete, rules=rules, locks=(), exclusions=()), 10)
    for saying in told(trials, elements):
        said = say(saying.code, lang, **{k: v for k, v in saying.params.items() if k != "lang"})
        assert known(saying.code, lang)
        assert "—" not in said
        assert "{" not in said


def test_the_short_answer_names_rules_and_gates_with_numbers(complete: Problem) -> None:
    """What `assemble` says when there is no panel."""
    problem = with_rule(complete, name="share", where=[PRIVATE], least="1")
    answer, _ = assemble(problem)
    together, *each = answer.why_not
    assert together.code == "why_not.together"
    assert "share" in together.params["rules"]
    assert len(each) >= len(together.params["rules"])
    assert any(said.code == "need.share" for said in each)
