"""Today's draw with screening: its exact distribution on tiny pools, and lawful panels always."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tiny_problems import KINDS, ints, problems, rule

from solver.attendance import BEFOREHAND
from solver.check import judge
from solver.errors import Fault
from solver.facts import Column
from solver.panel import Panel
from solver.problem import Cases, Group, Pairs, PolicyRef, Problem, Skills, Specialties
from solver.screened_draw import ScreenedDraw

PRIVATE = [{"fact": "sector", "op": "eq", "value": "private"}]
RULES = (rule("apart"), rule("cap", fact="employer", most=1), rule("share", where=PRIVATE, least="1/3"))
Sets = dict[tuple[tuple[int, int], ...], float]


@pytest.fixture(scope="module")
def seven() -> Problem:
    """Seven people, two of them on the lists of both groups; employers in pairs, one conflict."""
    return Problem(
        title="seven",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="draw",
        policy=PolicyRef("test", "1"),
        seed=1,
        experts=tuple(f"P{i}" for i in range(7)),
        facts={
            "employer": Column.categories(["A", "A", "B", "C", "B", "D", "C"]),
            "sector": Column.categories(
                ["private", "other", "private", "other", "other", "private", "other"]
            ),
        },
        specialties=Specialties(("A1", "B1"), ("a", "b"), ("A", "B")),
        skills=Skills(ints([0, 1, 2, 3, 4, 3, 4, 5, 6]), ints([0, 0, 0, 0, 0, 1, 1, 1, 1]), ints([1] * 9)),
        cases=Cases(("K",), ints([0]), ints([0])),
        groups=(Group("G", "g", 2, 2, (0,)), Group("H", "h", 1, 1, (1,))),
        conflict_kinds=KINDS,
        between=Pairs(ints([2]), ints([5]), ints([0]), ("r",)),
        rules=(rule("group_size"), rule("peer_grade", grade="close"), *RULES),
    )


def first_draws(draw: ScreenedDraw) -> Iterator[tuple[dict[int, int], float]]:
    """Every plain draw with its chance, by the definition."""

    def further(members: dict[int, int], g: int, chance: float) -> Iterator[tuple[dict[int, int], float]]:
        if g == len(draw.sizes):
            yield members, chance
            return
        free = [e for e in draw.lists[g].tolist() if e not in members]
        for own in combinations(free, draw.sizes[g]):
            yield from further(
                members | dict.fromkeys(own, g), g + 1, chance / comb(len(free), draw.sizes[g])
            )

    yield from further({}, 0, 1.0)


def name(members: dict[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(members.items()))


def lawful(draw: ScreenedDraw, members: dict[int, int]) -> bool:
    panel = Panel(draw.problem, members)
    return not any(any(r.findings(panel)) for r in draw.problem.rules if not isinstance(r, BEFOREHAND))


def by_rejection(draw: ScreenedDraw) -> Sets:
    kept: Sets = defaultdict(float)
    for members, chance in first_draws(draw):
        if lawful(draw, members):
            kept[name(members)] += chance
    whole = sum(kept.values())
    return {key: chance / whole for key, chance in kept.items()}


def by_repair(draw: ScreenedDraw) -> Sets:
    """The chain of exchanges, followed from every plain draw; what is thrown away leaves the rest as likely."""

    def followed(members: dict[int, int]) -> Sets:
        short = draw.short(members)
        if not short:
            return {name(members): 1.0}
        helping: dict[int, list[dict[int, int]]] = {}
        for out in draw._named(members):
            for come in draw.lists[members[out]].tolist():
                if come not in members:
                    other = {e: g for e, g in members.items() if e != out} | {come: members[out]}
                    if draw.short(other) < short:
                        helping.setdefault(out, []).append(other)
        ends: Sets = defaultdict(float)
        for others in helping.values():
            for other in others:
                for key, chance in followed(other).items():
                    ends[key] += chance / len(helping) / len(others)
        return ends

    kept: Sets = defaultdict(float)
    for members, chance in first_draws(draw):
        for key, part in followed(members).items():
            kept[key] += chance * part
    whole = sum(kept.values())
    return {key: chance / whole for key, chance in kept.items()}


@pytest.mark.parametrize("procedure", ["reject", "repair"])
def test_panels_come_as_often_as_their_exact_distribution_says(seven: Problem, procedure: str) -> None:
    """Chi-square ; the seed is fixed, so this cannot flicker."""
    draw = ScreenedDraw(seven, [2, 1])
    expected = by_rejection(draw) if procedure == "reject" else by_repair(draw)
    assert len(expected) >= 5
    rng, times = np.random.default_rng(11), 3000
    seen = Counter(
        name(drawn.panel.members)
        for drawn in (draw.draw(rng, procedure) for _ in range(times))
        if drawn.panel
    )  # type: ignore[arg-type]
    assert set(seen) <= set(expected)
    assert seen.total() == times
    statistic = sum((seen[key] - times * p) ** 2 / (times * p) for key, p in expected.items())
    freedom = len(expected) - 1
    assert min(times * p for p in expected.values()) > 5
    assert statistic < freedom + 3.1 * np.sqrt(2 * freedom) + 3


def test_repair_and_rejection_differ_where_exchanges_favour_somebody(seven: Problem) -> None:
    draw = ScreenedDraw(seven, [2, 1])
    rejected, repaired = by_rejection(draw), by_repair(draw)
    assert set(rejected) == set(repaired)
    assert max(abs(rejected[key] - repaired[key]) for key in rejected) > 0.01


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(problem=problems(experts=(4, 7), rules=(*RULES, rule("roles", deputies_low=1), rule("barred"))))
def test_every_panel_drawn_is_lawful(problem: Problem) -> None:
    draw = None
    with suppress(Fault):  # a list may be too short
        draw = ScreenedDraw(problem, [group.low for group in problem.groups])
    if draw is None:
        return
    for procedure in ("reject", "repair"):
        drawn = draw.draw(np.random.default_rng(5), procedure, starts=30)  # type: ignore[arg-type]
        if drawn.panel is not None:
            assert not any(finding.hard for finding in judge(drawn.panel)[1])


def test_a_list_too_short_is_refused(seven: Problem) -> None:
    with pytest.raises(Fault) as raised:
        ScreenedDraw(seven, [6, 1])
    assert raised.value.code == "draw.too_few"
