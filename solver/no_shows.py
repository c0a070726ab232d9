"""No-shows on the day of the meeting: which are asked for, and the proof by trying them one by one.

This is the checker's half: plain sets, each rule's own findings, no rows. The engines' half is `solver.survival`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from solver.panel import Panel
from solver.problem import Problem

if TYPE_CHECKING:
    from solver.rules.base import Rule

MOST_SCENARIOS = 200_000
"""Beyond this many different scenarios for one rule the enumeration stops, and `Tried` says so."""

Difference = frozenset[tuple[Hashable, int]] | None
"""How many more or fewer people of each kind (`Rule.sees`) meet than were named; None where nobody is absent."""


@dataclass(frozen=True, slots=True)
class NoShows:
    """How many members may stay away: `absent` in every group at once, or `absent` in the whole panel if `anywhere`.

    Never more in a group than it has alternates. `exact`: whether rows with upper bounds may know that the absent
    make room (see `solver.survival`).
    """

    absent: int = 1
    anywhere: bool = False
    exact: bool = True

    def within(self, alternates: int) -> int:
        """The most that stay away from a group with so many alternates."""
        return min(self.absent, alternates)


@dataclass(frozen=True, slots=True)
class Tried:
    """What the enumeration found: the first rule broken (None: every scenario tried is survived), by whose absence, how
    many scenarios were tried, those that a rule cannot tell apart once, and whether that is `all` of them."""

    rule: str | None
    absent: tuple[int, ...]
    tried: int
    all: bool


def asked(problem: Problem) -> tuple[NoShows, ...]:
    """Every no-show scenario that a hard `alternates` rule asks the panel to survive."""
    from solver.rules.alternates import Alternates

    return tuple(
        rule.scenario
        for rule in problem.rules
        if isinstance(rule, Alternates) and rule.no_shows and rule.soft is None
    )


def ordered_places(problem: Problem) -> int:
    """How many alternates of a group need a place of their own in the calling order: the first always, the others
    only where so many may be called on one day."""
    return max((scenario.absent for scenario in asked(problem)), default=1)


def broken_after(panel: Panel, scenario: NoShows) -> Tried:
    """The first hard rule that does not hold after some absence. Every combination the scenario allows is tried, but for
    those that are alike to the rule: people it sees alike come and go, so that it cannot tell the two meetings apart."""
    tried, every = 0, True
    for rule in panel.problem.rules:
        if rule.soft is not None or rule.survival == "none":
            continue
        own = absences(rule, panel, scenario)
        for absent in own[:MOST_SCENARIOS]:
            tried += 1
            if any(rule.findings_after(panel.after(absent))):
                return Tried(rule.id, absent, tried, every)
        every = every and len(own) <= MOST_SCENARIOS
    return Tried(None, (), tried, every)


def absences(rule: Rule, panel: Panel, scenario: NoShows) -> list[tuple[int, ...]]:
    """One absence that the scenario allows for each difference it can make to the rule; for a `local` rule one group at a
    time. Somewhat more than MOST_SCENARIOS, and not all, where there are more."""
    if rule.local:
        groups = range(len(panel.problem.groups))
        return [absent for g in groups for absent in _of_group(rule, panel, g, scenario).values() if absent]
    return _of_all(rule, panel, scenario)


def _of_all(rule: Rule, panel: Panel, scenario: NoShows) -> list[tuple[int, ...]]:
    """Absences of all groups at once. Of those that make the same difference the one of fewest people, since that leaves
    most to the groups still to come."""
    most = scenario.absent if scenario.anywhere else len(panel.members)
    found: dict[Difference, tuple[int, ...]] = {None: ()}
    for group in range(len(panel.problem.groups)):
        own = _of_group(rule, panel, group, scenario)
        wider: dict[Difference, tuple[int, ...]] = {}
        for before, away in found.items():
            for more, absent in own.items():
                together = (*away, *absent)
                if len(together) <= most and len(wider) < MOST_SCENARIOS + 2:
                    difference = _difference((*(before or ()), *(more or ()))) if together else None
                    if len(together) < len(wider.get(difference, (*together, -1))):
                        wider[difference] = together
        found = wider
    return [absent for absent in found.values() if absent]


def _of_group(rule: Rule, panel: Panel, group: int, scenario: NoShows) -> dict[Difference, tuple[int, ...]]:
    """Who may stay away from one group, nobody first: one choice for each difference that it makes to the rule."""
    waiting = panel.alternates[group] if group < len(panel.alternates) else ()
    kinds: dict[Hashable, list[int]] = {}
    for expert in panel.by_group[group] if waiting else ():
        kinds.setdefault(rule.sees(panel, expert), []).append(expert)
    found: dict[Difference, tuple[int, ...]] = {}
    for size in range(scenario.within(len(waiting)) + 1):
        called = [(rule.sees(panel, expert), 1) for expert in waiting[:size]]
        for gone in combinations_with_replacement(kinds, size):
            if all(gone.count(kind) <= len(kinds[kind]) for kind in gone):
                absent = tuple(kinds[kind][gone[:i].count(kind)] for i, kind in enumerate(gone))
                difference = _difference([*called, *((kind, -1) for kind in gone)]) if size else None
                found.setdefault(difference, absent)
    return found


def _difference(changes: Iterable[tuple[Hashable, int]]) -> Difference:
    """How many more or fewer of each kind there are: none of those who make up for each other."""
    total: Counter[Hashable] = Counter()
    for kind, count in changes:
        total[kind] += count
    return frozenset((kind, count) for kind, count in total.items() if count)
