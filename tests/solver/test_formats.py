"""docs/formats.md tells the truth: its example runs, and it names every field, rule and goal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solver.answer import Answer
from solver.assemble import assemble
from solver.check import check
from solver.document import ProblemFile, read_problem
from solver.goals import GOALS
from solver.goals.base import Goal
from solver.rules import RULES
from solver.rules.base import Rule

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")
NAMED = set(re.findall(r"`([a-z_.]+)`", PAGE))


def test_the_example_is_assembled_and_lawful() -> None:
    """Optimal, fileable, and without a hard finding."""
    problem = read_problem(ROOT / "fixtures" / "problems" / "small.json")
    answer, _ = assemble(problem)
    assert (answer.status, answer.fileable) == ("optimal", True)
    assert not [f for f in check(problem, answer) if f.hard]


@pytest.mark.parametrize("name", [*ProblemFile.model_fields, *Answer.model_fields])
def test_every_field_is_documented(name: str) -> None:
    """Top-level fields of both formats stand on the page."""
    assert any(named.split(".")[0] == name for named in NAMED)


@pytest.mark.parametrize("name", [*RULES, *GOALS])
def test_every_rule_and_goal_is_documented(name: str) -> None:
    """With each field of its own."""
    kind: type[Rule] | type[Goal] = RULES[name] if name in RULES else GOALS[name]
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    own = set(kind.model_fields) - set(Rule.model_fields) - set(Goal.model_fields)
    assert own <= set(re.findall(r"`([a-z_]+)`", row))
