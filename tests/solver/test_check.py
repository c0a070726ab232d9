"""The checker on tampered panels: whatever is changed, it is found, or refused with a clear fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from solver.answer import Answer
from solver.assemble import assemble
from solver.check import check, read_answer
from solver.errors import Fault
from solver.problem import Problem


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
