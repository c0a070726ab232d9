"""People left out as alike make no difference to whether a panel exists, by trying every panel."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tiny_problems import KINDS, SECTORS, every_panel, ints, lawful, rule

from solver.diagnosis.alike import needed, only
from solver.facts import Column
from solver.model import funnel
from solver.panel import Panel
from solver.problem import (
    Cases,
    Exclusion,
    Group,
    Lock,
    Pairs,
    PolicyRef,
    Previous,
    Problem,
    Skills,
    Specialties,
)
from solver.rules.base import Rule

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
RULES: tuple[Rule, ...] = (
    rule("gate", id="young", where={"fact": "age", "op": "lt", "value": 60}),
    rule("peer_grade", grade="close"),
    rule("barred"),
    rule("share", id="private", where=[PRIVATE], least="1/2"),
    rule("cap", id="employer", fact="employer", most=1),
    rule("cap", id="sector", fact="sector", most=1),
    rule("newcomers", least="1/2"),
    rule("apart"),
    rule("group_peers", least=1),
    rule("case_peers", least=1),
    rule("quorum", least="1"),
    rule("panel_size", low=2, high=3),
    rule("roles", chair=[PRIVATE], deputies_low=0, deputies_high=1),
    rule(
        "ratio",
        parts=[
            {"name": s, "where": [{"fact": "sector", "op": "eq", "value": s}], "weight": 1} for s in SECTORS
        ],
        tolerance=1,
    ),
)


def crowded(draw: np.random.Generator) -> Problem:
    """Nine people for two or three places, many of them alike, some with conflicts and recusals; a few rules."""
    n, groups = 9, int(draw.integers(1, 3))
    waiting = int(groups == 1 and draw.random() < 0.5)
    own = draw.choice(len(RULES), size=int(draw.integers(1, 5)), replace=False)
    pairs = sorted({tuple(sorted(p)) for p in draw.integers(0, n, (int(draw.integers(0, 14)), 2)).tolist()})
    pairs = [(a, b) for a, b in pairs if a != b]
    ties = sorted({tuple(t) for t in draw.integers(0, (n, 2, 3), (int(draw.integers(0, 9)), 3)).tolist()})
    sat = np.flatnonzero(draw.random(n) < 0.7).tolist()
    locks = [int(draw.integers(0, n))] if draw.random() < 0.3 else []
    rules = [rule("group_size"), *(RULES[i] for i in own.tolist())]
    rules += [rule("alternates", no_shows=bool(draw.random() < 0.5))] if waiting else []
    out = draw.permutation(n)[: int(draw.integers(0, 5))].tolist()
    rules += [rule("locks")] if locks or out else []
    return Problem(
        title="crowded",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=1,
        experts=tuple(f"P{i}" for i in range(n)),
        facts={
            "sector": Column.categories([SECTORS[i] for i in draw.choice(3, n, p=(0.2, 0.6, 0.2)).tolist()]),
            "employer": Column.categories([f"E{i}" for i in draw.integers(0, 3, n).tolist()]),
            "age": Column.integers([int(a) for a in draw.choice((40, 70), n, p=(0.8, 0.2))]),
        },
        specialties=Specialties(("A1", "A2", "B1"), ("a one", "a two", "b one"), ("A", "A", "B")),
        skills=Skills(np.arange(n), draw.choice(3, n, p=(0.7, 0.2, 0.1)), np.ones(n, dtype=np.int64)),
        cases=Cases(("K0", "K1"), ints([0, 1]), ints([0, groups - 1])),
        groups=tuple(Group(f"G{g}", f"group {g}", 1, 2 - groups // 2, (g,), waiting) for g in range(groups)),
        conflict_kinds=KINDS,
        between=Pairs(
            ints(a for a, _ in pairs), ints(b for _, b in pairs), ints([0] * len(pairs)), ("r",) * len(pairs)
        ),
        with_cases=Pairs(
            ints(t[0] for t in ties), ints(t[1] for t in ties), ints(t[2] for t in ties), ("r",) * len(ties)
        ),
        previous=(Previous("last", date(2025, 4, 18), frozenset(sat), len(sat)),),
        locks=tuple(Lock(e, None, "me", "test") for e in locks),
        exclusions=tuple(Exclusion(e, "me", "test") for e in out),
        rules=tuple(rules),
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_panel_exists_among_those_kept_if_it_exists_at_all(seed: int) -> None:
    draw = np.random.default_rng(seed)
    dropped = 0
    for _ in range(120):
        problem = crowded(draw)
        passes = funnel(problem).passes
        kept = needed(problem, passes)
        smaller = only(problem, kept)
        dropped += int(passes.any(axis=1).sum() > kept.sum())
        found = next(filter(lawful, every_panel(smaller)), None)
        if found is None:
            assert not any(map(lawful, every_panel(problem)))
        else:
            assert lawful(among_all(problem, found, np.flatnonzero(kept).tolist()))
    assert dropped > 20


def among_all(problem: Problem, panel: Panel, kept: list[int]) -> Panel:
    """A panel of the people kept, where all others are there again."""
    return Panel(
        problem,
        {kept[expert]: group for expert, group in panel.members.items()},
        None if panel.chair is None else kept[panel.chair],
        tuple(kept[expert] for expert in panel.deputies),
        tuple(tuple(kept[expert] for expert in waiting) for waiting in panel.alternates),
    )


def test_many_alike_people_are_left_out(complete: Problem) -> None:
    """With few rules in force only as many of each kind are kept as there are places."""
    few = replace(
        complete, rules=tuple(r for r in complete.rules if r.rule in ("group_size", "share")), locks=()
    )
    few = replace(few, exclusions=(), groups=tuple(replace(g, high=3, alternates=0) for g in few.groups))
    passes = funnel(few).passes
    assert passes.all()
    assert needed(few, passes).sum() == 2 * 9


def test_nobody_is_left_out_under_a_rule_that_is_not_known(complete: Problem) -> None:
    class Other(Rule):
        rule: str = "other"

        def blocks(self, seats: object) -> object:  # type: ignore[override]
            return iter(())

        def measures(self, panel: object) -> object:  # type: ignore[override]
            return iter(())

    odd = replace(complete, rules=(*complete.rules, Other(id="odd")))
    assert needed(odd, funnel(odd).passes).all()
