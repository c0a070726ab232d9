"""`panel-problem/1`: round trips, the schema, the hash, and every kind of broken file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import goal, problems, rule

from solver import document
from solver.document import (
    from_plain,
    problem_bytes,
    problem_schema,
    problem_sha256,
    read_problem,
    to_plain,
    write_problem,
)
from solver.errors import Fault
from solver.problem import Limits, Problem

GOALS = (goal("peer_match"), goal("prefer", fact="age", best=30, worst=75), goal("tie_break"))
RULES = (rule("quorum", least="2/3"), rule("alternates"))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(alternates=True, ranges=True, rules=RULES, goals=GOALS))
def test_a_problem_survives_its_file(problem: Problem) -> None:
    """Written and read, it has the same bytes and hash, and follows its own schema."""
    text = problem_bytes(problem)
    again = read_problem(text)
    assert problem_bytes(again) == text
    assert problem_sha256(again) == problem_sha256(problem)


def test_the_file_follows_the_schema(complete: Problem) -> None:
    """The JSON Schema that the command prints accepts what is written."""
    jsonschema.Draft202012Validator(problem_schema()).validate(to_plain(complete))


def test_limits_do_not_change_the_hash(complete: Problem) -> None:
    """The hash names the question, not the patience."""
    assert problem_sha256(replace(complete, limits=Limits(seconds=1))) == problem_sha256(complete)
    assert problem_sha256(replace(complete, seed=12)) != problem_sha256(complete)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_a_file_cut_off_anywhere_is_a_fault(complete: Problem, at: int) -> None:
    """Never a traceback of the parser."""
    text = problem_bytes(complete)
    with pytest.raises(Fault) as fault:
        read_problem(text[: at % len(text)])
    assert fault.value.code in ("problem.cut_off", "problem.not_json", "problem.schema")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets the value at a dotted path; `del` removes it."""
    steps = [int(s) if s.isdigit() else s for s in path.split(".")]

    def apply(plain: dict[str, Any]) -> None:
        at: Any = plain
        for step in steps[:-1]:
            at = at[step]
        if value == "del":
            del at[steps[-1]]
        else:
            at[steps[-1]] = value

    return apply


def find(plain: dict[str, Any], rule_id: str) -> int:
    return next(i for i, r in enumerate(plain["rules"]) if r["id"] == rule_id)


@pytest.mark.parametrize(
    ("apply", "code", "where"),
    [
        (change("rules.3.rule", "peer_grad"), "problem.rule_unknown", "rules.3"),
        (change("rules.10.least", "130%"), "problem.schema.share_range", "rules.10"),
        (change("rules.10.least", "much"), "problem.schema.share_form", "rules.10"),
        (change("rules.10.lest", "1/4"), "problem.field_unknown", "rules.10"),
        (change("rules.0.where.fact", "trained"), "problem.fact_unknown", "rules.trained"),
        (change("rules.0.where.value", "soon"), "problem.date_malformed", "rules.trained"),
        (change("title", "del"), "problem.field_missing", "title"),
        (change("format", "panel-problem/9"), "problem.schema.literal_error", "format"),
        (change("experts.id.1", "P00"), "problem.twice", "experts.id.1"),
        (change("experts.facts.age.values", [1, 2]), "problem.lengths", "experts.facts.age"),
        (change("experts.facts.sector.values.3", 9), "problem.index", "experts.facts.sector.3"),
        (change("cases.specialty.0", 99), "problem.index", "cases.specialty.0"),
        (change("skills.proficiency.0", 7), "problem.schema.less_than_equal", "skills.proficiency.0"),
        (change("groups.0.high", 1), "problem.range_crossed", "groups.0"),
        (change("locks.0.expert", 600), "problem.index", "locks.0.expert.0"),
        (change("rules.4", "del"), "problem.rule_needed", "rules"),
        (change("seed", -1), "problem.schema.greater_than_equal", "seed"),
        (change("limits.workers", 0), "problem.schema.greater_than_equal", "limits.workers"),
        (change("goals.0.goal", "peer_mach"), "problem.rule_unknown", "goals.0"),
    ],
)
def test_each_fault_is_named_with_its_place(
    complete: Problem, apply: Callable[[dict[str, Any]], None], code: str, where: str
) -> None:
    """What is wrong, and where."""
    plain = json.loads(problem_bytes(complete))
    apply(plain)
    with pytest.raises(Fault) as fault:
        from_plain(plain)
    assert fault.value.code == code
    assert fault.value.where.startswith(where)


def test_an_overlong_file_is_refused_unread(
    complete: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The byte limit guards the reader."""
    path = tmp_path / "problem.json"
    write_problem(complete, path)
    monkeypatch.setattr(document, "MOST_BYTES", 100)
    with pytest.raises(Fault) as fault:
        read_problem(path)
    assert fault.value.code == "problem.too_long"


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """Named, with the reason of the system."""
    with pytest.raises(Fault) as fault:
        read_problem(tmp_path / "none.json")
    assert fault.value.code == "problem.unreadable"
