"""No-shows on the day of the meeting: which are asked for, and the proof by trying them one by one.

This is the checker's half: plain sets, each rule's own findings, no rows. The engines' half is `solver.survival`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice
from typing import TYPE_CHECKING

from solver.panel import Panel
from solver.problem import Problem

if TYPE_CHECKING:
    from solver.rules.base import Rule

MOST_SCENARIOS = 200_000
"""Beyond this many combinations for one rule the enumeration stops, and `Tried` says how many it left out."""


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
    """What the enumeration found: the first rule broken (None: every scenario tried is survived), by whose absence,
    how many scenarios were `tried` of how many there are, those that a rule cannot tell apart counted once."""

    rule: str | None
    absent: tuple[int, ...]
    tried: int
    of: int


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
    """The first hard rule that some absence breaks. Every combination the scenario allows is tried, but for those
    that the rule cannot tell apart (`Rule.sees`); a rule that is `local` is tried group by group."""
    tried = total = 0
    for rule in panel.problem.rules:
        if rule.soft is not None or rule.survival == "none":
            continue
        options = [_absences(rule, panel, g, scenario) for g in range(len(panel.problem.groups))]
        together = len(panel.members) if not scenario.anywhere else scenario.absent
        of = _count(options, together, alone=rule.local)
        total += of
        absences = _alone(options) if rule.local else _together(options, together)
        for absent in islice(absences, MOST_SCENARIOS):
            tried += 1
            if any(rule.findings_after(panel.after(absent))):
                return Tried(rule.id, absent, tried, total)
    return Tried(None, (), tried, total)


def absences(rule: Rule, panel: Panel, scenario: NoShows) -> Iterator[tuple[int, ...]]:
    """Every absence that the scenario allows and the rule can tell from the others; for a `local` rule one group at a time."""
    options = [_absences(rule, panel, g, scenario) for g in range(len(panel.problem.groups))]
    together = scenario.absent if scenario.anywhere else len(panel.members)
    return _alone(options) if rule.local else _together(options, together)


def _absences(rule: Rule, panel: Panel, group: int, scenario: NoShows) -> list[tuple[int, ...]]:
    """Who may stay away from one group, nobody first; of several people that the rule sees alike, the first ones."""
    waiting = panel.alternates[group] if group < len(panel.alternates) else ()
    kinds: dict[Hashable, list[int]] = {}
    for expert in panel.by_group[group] if waiting else ():
        kinds.setdefault(rule.sees(panel, expert), []).append(expert)
    return [
        tuple(kinds[kind][chosen[:i].count(kind)] for i, kind in enumerate(chosen))
        for size in range(scenario.within(len(waiting)) + 1)
        for chosen in combinations_with_replacement(kinds, size)
        if all(chosen.count(kind) <= len(kinds[kind]) for kind in chosen)
    ]


def _alone(options: Sequence[list[tuple[int, ...]]]) -> Iterator[tuple[int, ...]]:
    return (absent for own in options for absent in own if absent)


def _together(options: Sequence[list[tuple[int, ...]]], most: int) -> Iterator[tuple[int, ...]]:
    """One absence of each group, at most so many people in all, somebody absent."""

    def choose(g: int, left: int) -> Iterator[tuple[int, ...]]:
        if g == len(options):
            yield ()
            return
        for own in options[g]:
            if len(own) <= left:
                for rest in choose(g + 1, left - len(own)):
                    yield (*own, *rest)

    return (absent for absent in choose(0, most) if absent)


def _count(options: Sequence[list[tuple[int, ...]]], most: int, *, alone: bool) -> int:
    """How many absences `_alone` or `_together` goes through."""
    if alone:
        return sum(len(own) - 1 for own in options)
    ways = [1]
    for own in options:
        more = [0] * min(most + 1, len(ways) + max(map(len, own)))
        for size, n in enumerate(ways):
            for absent in own:
                if size + len(absent) < len(more):
                    more[size + len(absent)] += n
        ways = more
    return sum(ways) - 1
