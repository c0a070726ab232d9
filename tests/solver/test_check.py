"""The checker on tampered panels: whatever is changed, it is found, or refused with a clear fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import ints, problems, rule

from solver.answer import Answer
from solver.assemble import assemble
from solver.check import check, read_answer
from solver.claims import DOCUMENT
from solver.errors import Fault
from solver.problem import Pairs, Problem


@pytest.fixture(scope="module")
def good(complete: Problem) -> dict[str, Any]:
    """A lawful answer as plain data."""
    answer, _ = assemble(complete)
    return json.loads(answer.model_dump_json())


def hard(problem: Problem, plain: dict[str, Any]) -> set[str]:
    """The hard rules that a changed answer breaks."""
    return {f.rule for f in check(problem, Answer.model_validate(plain)) if f.hard}


def copy(plain: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(plain))
    return changed


def test_the_untouched_panel_is_lawful(complete: Problem, good: dict[str, Any]) -> None:
    """No hard finding on what assemble made."""
    assert hard(complete, good) == set()


def test_every_swap_with_an_outsider_is_judged_by_its_rules(complete: Problem, good: dict[str, Any]) -> None:
    """Whoever the gates bar is found when swapped in, for every seat."""
    seated = {m["expert"] for m in good["members"]} | {a["expert"] for a in good["alternates"]}
    trained = complete.facts["trained_until"].values >= complete.day
    barred = [e for i, e in enumerate(complete.experts) if not trained[i] and e not in seated]
    assert barred
    for i in range(len(good["members"])):
        changed = copy(good)
        changed["members"][i]["expert"] = barred[i % len(barred)]
        assert "trained" in hard(complete, changed)


def test_a_dropped_member_breaks_the_size(complete: Problem, good: dict[str, Any]) -> None:
    """One seat less is no longer odd."""
    changed = copy(good)
    del changed["members"][-1]
    assert "panel_size" in hard(complete, changed)


def test_a_removed_chair_is_found(complete: Problem, good: dict[str, Any]) -> None:
    """A panel without chair has a finding of the roles."""
    changed = copy(good)
    for member in changed["members"]:
        member["role"] = "member" if member["role"] == "chair" else member["role"]
    assert "roles" in hard(complete, changed)


def test_alternates_taken_away_are_found(complete: Problem, good: dict[str, Any]) -> None:
    """No alternates, no lawful panel where the groups ask for them."""
    changed = copy(good)
    changed["alternates"] = []
    assert "alternates" in hard(complete, changed)


def test_the_lock_is_kept(complete: Problem, good: dict[str, Any]) -> None:
    """The locked expert replaced by an alternate of the same group is found."""
    changed = copy(good)
    locked = next(m for m in changed["members"] if m["expert"] == "P04")
    spare = next(a for a in changed["alternates"] if a["group"] == locked["group"])
    locked["expert"], spare["expert"] = spare["expert"], locked["expert"]
    assert "locks" in hard(complete, changed)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda a: a["members"][0].update(expert="nobody"), "panel.expert_unknown"),
        (lambda a: a["members"][0].update(group="G9"), "panel.group_unknown"),
        (lambda a: a["members"][1].update(expert=a["members"][0]["expert"]), "panel.seated_twice"),
        (lambda a: [m.update(role="chair") for m in a["members"]], "panel.two_chairs"),
        (lambda a: a.update(members=[]), "panel.empty"),
    ],
)
def test_what_is_no_panel_of_the_problem_is_refused(
    complete: Problem, good: dict[str, Any], change: Any, code: str
) -> None:
    """A clear fault, not a finding, for experts and groups that do not exist."""
    changed = copy(good)
    change(changed)
    with pytest.raises(Fault) as fault:
        check(complete, Answer.model_validate(changed))
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("text", "code"), [(b'{"format": "pan', "panel.not_json"), (b'{"format": "panel/2"}', "panel.schema")]
)
def test_a_broken_file_is_a_fault(text: bytes, code: str) -> None:
    """A cut-off or foreign file."""
    with pytest.raises(Fault) as fault:
        read_answer(text, "panel.json")
    assert fault.value.code == code


def claims(problem: Problem, plain: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the checker holds against the document itself: codes and parameters."""
    found = check(problem, Answer.model_validate(plain))
    return [(f.says.code, f.says.params) for f in found if f.rule == DOCUMENT]


def better(plain: dict[str, Any]) -> None:
    plain["goals"][1]["value"] -= 1


def above(plain: dict[str, Any]) -> None:
    plain["goals"][1].update(bound=plain["goals"][1]["value"] + 1, proven=True)


def unproven(plain: dict[str, Any]) -> None:
    plain["goals"][1].update(bound=plain["goals"][1]["value"] - 5, proven=False)


def swapped_calls(plain: dict[str, Any]) -> None:
    first, second = plain["alternates"][0], plain["alternates"][1]
    first["order"], second["order"] = 2, 1


def other_chair(plain: dict[str, Any]) -> None:
    chair = next(m for m in plain["members"] if m["role"] == "chair")
    deputy = next(m for m in plain["members"] if m["role"] == "deputy")
    chair["role"], deputy["role"] = "deputy", "chair"


def invented(plain: dict[str, Any]) -> None:
    says, same = {"code": "rule.apart.pair"}, {"experts": [], "cases": [], "group": None}
    plain["findings"].append(
        {"rule": "apart", "hard": True, "says": says, **same, "basis": "", "basis_status": "D"}
    )


TAMPERED: list[tuple[Callable[[dict[str, Any]], Any], str, dict[str, Any]]] = [
    (
        lambda a: a.update(fileable=False),
        "claim.field",
        {"field": "fileable", "said": "false", "right": "true"},
    ),
    (lambda a: a.update(status="unknown"), "claim.field", {"field": "status"}),
    (lambda a: a.update(stopped_by="time"), "claim.field", {"field": "stopped_by", "said": "time"}),
    (lambda a: a.update(mode="weighted"), "claim.field", {"field": "mode", "right": "lexicographic"}),
    (lambda a: a.update(objective=1), "claim.field", {"field": "objective", "said": 1}),
    (lambda a: a.update(bound=1), "claim.field", {"field": "bound"}),
    (lambda a: a.update(gap=0.5), "claim.field", {"field": "gap", "said": 0.5, "right": 0.0}),
    (lambda a: a.update(considered=61), "claim.field", {"field": "considered", "said": 61, "right": 60}),
    (lambda a: a["problem"].update(title="other"), "claim.field", {"field": "title", "said": "other"}),
    (lambda a: a["problem"].update(procedure="draw"), "claim.field", {"field": "procedure"}),
    (lambda a: a["problem"].update(seed=12), "claim.field", {"field": "seed", "right": 11}),
    (better, "claim.different", {"kind": "goal", "field": "value"}),
    (above, "claim.bound_above", {}),
    (unproven, "claim.optimal", {}),
    (lambda a: a["goals"][1].update(proven=False), "claim.different", {"kind": "goal", "field": "proven"}),
    (lambda a: a["goals"].pop(), "claim.missing", {"kind": "goal", "name": "tie_break"}),
    (lambda a: a["goals"][0].update(id="easy"), "claim.unknown", {"kind": "goal", "name": "easy"}),
    (lambda a: a["goals"].append({**a["goals"][1], "level": 9}), "claim.unknown", {"kind": "goal"}),
    (
        lambda a: a["rules"][10].update(margin=9),
        "claim.different",
        {"kind": "rule", "field": "margin", "said": 9},
    ),
    (lambda a: a["rules"][10].update(basis="law"), "claim.different", {"kind": "rule", "field": "basis"}),
    (lambda a: a["rules"].pop(3), "claim.missing", {"kind": "rule", "name": "peer_grade"}),
    (lambda a: a["rules"].append(a["rules"][3]), "claim.unknown", {"kind": "rule", "name": "peer_grade"}),
    (invented, "claim.unknown", {"kind": "finding", "name": "apart 1"}),
    (lambda a: a["members"][0]["reasons"].pop(), "claim.different", {"kind": "member", "field": "reasons"}),
    (other_chair, "claim.different", {"kind": "member", "field": "reasons"}),
    (swapped_calls, "claim.different", {"kind": "alternate", "field": "reasons"}),
    (
        lambda a: a["alternates"][0].update(order=7),
        "claim.different",
        {"kind": "alternate", "field": "order"},
    ),
    (lambda a: a["cases"][0]["close"].append("P00"), "claim.different", {"kind": "case", "field": "close"}),
    (lambda a: a["cases"][0].update(present=99), "claim.different", {"kind": "case", "field": "present"}),
    (lambda a: a["cases"].pop(), "claim.missing", {"kind": "case", "name": "K29"}),
    (
        lambda a: a["funnel"][0].update(bars=0),
        "claim.different",
        {"kind": "gate", "field": "bars", "said": 0},
    ),
    (lambda a: a["funnel"].pop(), "claim.missing", {"kind": "gate"}),
    (lambda a: a.update(why_not=[{"code": "why_not.stopped"}]), "claim.unknown", {"kind": "why_not"}),
]


@pytest.mark.parametrize(("change", "code", "params"), TAMPERED, ids=[str(i) for i in range(len(TAMPERED))])
def test_whatever_the_document_says_falsely_is_found(
    complete: Problem,
    good: dict[str, Any],
    change: Callable[[dict[str, Any]], Any],
    code: str,
    params: dict[str, Any],
) -> None:
    """Each field that can be recomputed, changed alone, with what is right beside it."""
    changed = copy(good)
    change(changed)
    assert any(
        found == code and params.items() <= said.items() for found, said in claims(complete, changed)
    ), claims(complete, changed)


def test_no_claim_of_an_untouched_answer_is_false(complete: Problem, good: dict[str, Any]) -> None:
    """Lexicographic and weighted, composed and drawn, with a tolerance."""
    loose = complete.goals[0].model_copy(update={"tolerance": 30})
    for problem in (
        complete,
        replace(complete, weighted=True),
        replace(complete, procedure="draw"),
        replace(complete, goals=(loose, *complete.goals[1:])),
    ):
        answer, _ = assemble(problem)
        assert claims(problem, json.loads(answer.model_dump_json())) == []


def test_a_weighted_sum_is_recomputed(complete: Problem) -> None:
    """The objective made one less, everywhere it is named."""
    problem = replace(complete, weighted=True)
    changed = json.loads(assemble(problem)[0].model_dump_json())
    changed["objective"] -= 1
    changed["bound"] -= 1
    changed["goals"][0]["value"] -= 1
    changed["goals"][0]["bound"] -= 1
    [(code, params)] = claims(problem, changed)
    assert (code, params["field"], params["right"] - params["said"]) == ("claim.different", "value", 1)


SOFT = (
    rule("gate", where={"fact": "age", "op": "lt", "value": 50}, soft=1, weight=3),
    rule("peer_grade", grade="broad", soft=2),
    rule("barred", soft=3),
    rule("panel_size", low=2, high=6, odd=True, soft=4),
    rule("apart", soft=5),
    rule("cap", fact="employer", most=1, soft=6),
    rule(
        "share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/2", most="2/3", soft=7
    ),
    rule("newcomers", least="1/2", soft=8),
    rule("group_peers", least=2, soft=9),
    rule("case_peers", least=2, soft=10),
    rule("quorum", least="1", soft=11),
    rule("roles", soft=12),
    rule("alternates", soft=13),
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_a_soft_rule_costs_is_what_it_falls_short_by(data: st.DataObject) -> None:
    """The value that the engines name at a level is what the plain measures of the rule say."""
    chosen = tuple(
        data.draw(st.lists(st.sampled_from(SOFT), unique_by=lambda r: r.id, min_size=1, max_size=3))
    )
    waiting = any(r.rule == "alternates" for r in chosen)
    problem = data.draw(problems(experts=(5, 6), ranges=True, alternates=waiting, rules=chosen))
    answer, _ = assemble(problem)
    if answer.members:
        assert claims(problem, json.loads(answer.model_dump_json())) == []


def test_three_in_conflict_with_one_another_are_three_shortfalls() -> None:
    """Not two, as one row over the clique of them would have it."""

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(problems(experts=(3, 3), rules=(rule("apart", soft=1),)))
    def compare(problem: Problem) -> None:
        three = Pairs(ints([0, 0, 1]), ints([1, 2, 2]), ints([0, 0, 0]), ("r",) * 3)
        group = replace(problem.groups[0], low=3, high=3)
        whole = replace(
            problem,
            between=three,
            groups=(group,),
            cases=replace(problem.cases, group=problem.cases.group * 0),
        )
        [level] = assemble(whole)[0].goals
        assert level.value == 3

    compare()
