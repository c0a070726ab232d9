"""A small town: four committees, two of them on one day, sixty experts of two fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from expert_pool.simulation.asking import Asked, asked
from expert_pool.simulation.reading import load
from solver.facts import MISSING, Column, day
from solver.goals import GOALS
from solver.problem import (
    Cases,
    ConflictKind,
    Group,
    Limits,
    Pairs,
    PolicyRef,
    Previous,
    Problem,
    Skills,
    Specialties,
)
from solver.rules import RULES

EXPERTS, CASES = 60, 12
RULE_TEXTS: list[dict[str, object]] = [
    {"rule": "gate", "id": "in_pool", "where": {"fact": "in_pool", "op": "eq", "value": True}},
    {"rule": "gate", "id": "trained", "where": {"fact": "trained_until", "op": "ge", "value": "@meeting"}},
    {"rule": "gate", "id": "age", "where": {"fact": "age", "op": "lt", "value": 66}},
    {"rule": "gate", "id": "terms", "where": {"fact": "consecutive_terms", "op": "le", "value": 1}},
    {"rule": "peer_grade", "id": "peer_grade", "grade": "broad"},
    {"rule": "group_size", "id": "group_size"},
    {"rule": "roles", "id": "roles", "chair": [{"fact": "rank", "op": "ge", "value": 4}]},
    {
        "rule": "share", "id": "private", "least": "1/4",
        "where": [{"fact": "sector", "op": "eq", "value": "private"}],
    },
    {"rule": "newcomers", "id": "newcomers", "least": "1/3", "back": 1},
    {"rule": "quorum", "id": "quorum", "least": "2/3", "of": "panel"},
    {"rule": "alternates", "id": "alternates"},
]  # fmt: skip
GOAL_TEXTS: list[dict[str, object]] = [
    {"goal": "peer_match", "id": "peer_match", "level": 1, "weight": 10},
    {"goal": "prefer", "id": "rest", "level": 2, "fact": "years_since_served", "best": 4, "worst": 0, "unknown": 0},
    {"goal": "prefer", "id": "load", "level": 3, "fact": "seats_this_season", "best": 0, "worst": 3},
    {"goal": "tie_break", "id": "tie_break", "level": 4},
]  # fmt: skip


def committee(number: int, on: date) -> Problem:
    """One of the town's committees; all draw on the same pool."""
    rng = np.random.default_rng(7)
    ages, pool = rng.integers(36, 66, EXPERTS), (rng.random(EXPERTS) < 0.95).astype(np.int64)
    until = day(date(2026, 1, 1)) + rng.integers(150, 1095, EXPERTS)
    trained = day(date(2026, 1, 1)) + rng.integers(150, 730, EXPERTS)
    rank, sector = rng.integers(3, 5, EXPERTS), (rng.random(EXPERTS) < 0.4).astype(np.int64)
    field = rng.integers(0, 4, EXPERTS)
    own = np.random.default_rng(100 + number)
    conflicts = np.unique(own.integers(0, EXPERTS * CASES, 25))
    sat = frozenset(own.permutation(EXPERTS)[:6].tolist())
    zero = np.zeros(EXPERTS, dtype=np.int64)
    return Problem(
        title=f"Committee {number}",
        committee=f"T{number}",
        meeting=f"T{number}-2026",
        on=on,
        procedure="compose",
        policy=PolicyRef("town", "1"),
        seed=number,
        experts=tuple(f"P{i:03d}" for i in range(EXPERTS)),
        facts={
            "in_pool": Column("boolean", pool),
            "term_until": Column("date", np.where(pool == 1, until, MISSING)),
            "trained_until": Column("date", trained),
            "age": Column("integer", ages),
            "rank": Column("integer", rank),
            "rank_years": Column("integer", rng.integers(0, 12, EXPERTS)),
            "sector": Column("category", sector, ("hospital", "private")),
            "consecutive_terms": Column("integer", np.isin(np.arange(EXPERTS), list(sat)).astype(np.int64)),
            "years_since_served": Column(
                "integer", np.where(np.isin(np.arange(EXPERTS), list(sat)), 1, MISSING)
            ),
            "seats_this_season": Column("integer", zero),
        },
        specialties=Specialties(
            ("0101", "0102", "0201", "0202"), ("a", "b", "c", "d"), ("01", "01", "02", "02")
        ),
        skills=Skills(np.arange(EXPERTS), field, np.full(EXPERTS, 2)),
        cases=Cases(
            tuple(f"K{number}-{i}" for i in range(CASES)),
            own.integers(0, 2, CASES) + 2 * (np.arange(CASES) % 2),
            np.arange(CASES) % 2,
        ),
        groups=(Group("g1", "one", 2, 3, (0, 1), 1), Group("g2", "two", 3, 3, (2, 3), 1)),
        conflict_kinds=(ConflictKind("co_author", "pair", "", "D"),),
        with_cases=Pairs(
            conflicts // CASES, conflicts % CASES, zero[: len(conflicts)], ("made",) * len(conflicts)
        ),
        previous=(Previous(f"T{number}-2025", date(2025, 5, 1), sat, 6),),
        rules=tuple(RULES[str(r["rule"])].model_validate(r) for r in RULE_TEXTS),
        goals=tuple(GOALS[str(g["goal"])].model_validate(g) for g in GOAL_TEXTS),
        limits=Limits(seconds=600.0),
        made=True,
    )


@pytest.fixture(scope="session")
def town() -> list[Problem]:
    """Four committees: one in April, two on one day in May, one in June."""
    days = (date(2026, 4, 20), date(2026, 5, 11), date(2026, 5, 11), date(2026, 6, 8))
    return [committee(number, on) for number, on in enumerate(days, start=1)]


@pytest.fixture(scope="session")
def laid_years(town: list[Problem], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Asked]:
    """A scenario over the town: from the text of its block `years`, what stands before it, and so many committees."""

    def laid(years: str, before: str = "seed: 5\n", committees: int = 4) -> Asked:
        path: Path = tmp_path_factory.mktemp("years") / "s.yaml"
        lines = "".join(f"  {line}\n" for line in years.strip().splitlines())
        path.write_text(
            f"format: scenario/1\nbase: {{year: 2026}}\n{before}years:\n{lines}", encoding="utf-8"
        )
        return asked(load(path), [replace(problem) for problem in town[:committees]])

    return laid
