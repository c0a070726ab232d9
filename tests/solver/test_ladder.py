"""The thin-pool ladder in a problem: read, written, checked and climbed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from solver.document import check_problem, from_plain, problem_sha256, to_plain
from solver.errors import Fault
from solver.ladder import changed, climbed
from solver.problem import Problem, RuleChange, Step

STEPS = (
    Step("other_pools", recruits=True, basis="text", status="V2"),
    Step("broader", (RuleChange("share", {"least": "1/10"}), RuleChange("apart", None))),
    Step("delegation"),
)


def test_a_ladder_survives_its_file(complete: Problem) -> None:
    problem = replace(complete, ladder=STEPS)
    assert from_plain(to_plain(problem)).ladder == STEPS


def test_a_problem_without_a_ladder_is_written_as_before(complete: Problem) -> None:
    """An empty ladder changes neither the file nor the hash."""
    assert "ladder" not in to_plain(complete)
    assert problem_sha256(replace(complete, ladder=STEPS)) != problem_sha256(complete)


def test_a_step_changes_its_rules_and_no_others(complete: Problem) -> None:
    after = climbed(replace(complete, ladder=STEPS), STEPS[1])
    before = {r.id: r for r in complete.rules}
    left = {r.id: r for r in after.rules}
    assert set(before) - set(left) == {"apart"}
    assert {id_ for id_ in left if left[id_] != before[id_]} == {"share"}
    assert str(left["share"].least) == "1/10"  # type: ignore[attr-defined]
    assert climbed(after, STEPS[1]).rules == after.rules


@pytest.mark.parametrize(
    ("step", "code", "where"),
    [
        (
            Step("a", (RuleChange("share", {"least": "130%"}),)),
            "problem.ladder_fields",
            "ladder.0.changes.0.fields",
        ),
        (
            Step("a", (RuleChange("share", {"id": "x"}),)),
            "problem.ladder_fields",
            "ladder.0.changes.0.fields",
        ),
        (Step("a", (RuleChange("cap", {"fact": "shoe"}),)), "problem.fact_unknown", "rules.cap"),
        (Step("a", (RuleChange("group_size", None),)), "problem.ladder_needed", "ladder.0.changes.0.fields"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(step: Step, code: str, where: str, complete: Problem) -> None:
    with pytest.raises(Fault) as caught:
        check_problem(replace(complete, ladder=(step,)))
    assert (caught.value.code, caught.value.where) == (code, where)


def test_a_step_stands_only_once(complete: Problem) -> None:
    with pytest.raises(Fault) as caught:
        check_problem(replace(complete, ladder=(Step("a"), Step("a"))))
    assert (caught.value.code, caught.value.where) == ("problem.twice", "ladder.1.id")


def test_a_change_of_a_rule_that_is_not_there_changes_nothing(complete: Problem) -> None:
    problem = replace(complete, ladder=(Step("a", (RuleChange("gone", {"least": 1}),)),))
    check_problem(problem)
    assert climbed(problem, problem.ladder[0]).rules == problem.rules


def test_fields_that_a_rule_does_not_have_are_named(complete: Problem) -> None:
    share: Any = next(r for r in complete.rules if r.id == "share")
    with pytest.raises(Fault) as caught:
        changed(share, {"lest": "1/2"})
    assert "lest" in caught.value.params["reason"]
