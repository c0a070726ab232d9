"""How a panel comes about today: a uniform draw among those who pass the gates, screened by the rules afterwards.

Nothing is optimised; it is what an optimum is compared with. Stated exactly, so that it can be recomputed:

1. Group by group, in the order of the problem, `sizes` people are drawn without replacement from those who pass every
   hard gate for that group, are not excluded by a decision and were not drawn before, each set of people as likely as
   any other. Who is locked sits first and is never drawn or exchanged.
2. The panel is *short* by the sum of the shortfalls of its hard rules about members (`Rule.shortfall`), and by the chair
   and deputies that nobody drawn could be. Alternates are not drawn, and rules about them are not asked.
3. `reject`: a panel that is short is thrown away whole, and 1. is done anew.
   `repair`: while it is short, one person is exchanged. The first hard rule that is broken, in the order of the policy,
   names people; of them (of everybody drawn, where it names nobody or only roles are wanting), in random order, one gives
   way to one of the people of the group's list, in random order, so that the panel is short by less than before; the
   first such exchange in that order is made. After `EXCHANGES` exchanges tried in vain the panel is thrown away.
4. After `starts` panels thrown away there is none. Else chair and deputies are drawn from those who may hold the role.

With `reject` the outcome is the draw of 1. given that the panel is lawful. `repair` is what offices do by hand; it
favours whoever is near a lawful panel by one exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
from numpy.random import Generator

from solver.attendance import BEFOREHAND
from solver.errors import Fault
from solver.facts import Ints
from solver.model import funnel
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Gate
from solver.rules.roles import Roles

Procedure = Literal["reject", "repair"]
EXCHANGES = 2_000
"""So many exchanges are tried for one step; then all is drawn anew."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn panel, None where every start was thrown away; how many draws were begun, and how many people exchanged."""

    panel: Panel | None
    starts: int
    exchanges: int


class ScreenedDraw:
    """Draws of one problem. `sizes`: how many members each group gets. Raises Fault where a group has too few people."""

    def __init__(self, problem: Problem, sizes: Sequence[int]) -> None:
        self.problem, self.sizes = problem, tuple(sizes)
        passes = funnel(problem).passes.copy()
        passes[[x.expert for x in problem.exclusions]] = False
        self.locked: dict[int, int] = {}
        for lock in problem.locks:
            open_ = np.flatnonzero(passes[lock.expert])
            if lock.group is not None or len(open_):
                self.locked[lock.expert] = lock.group if lock.group is not None else int(open_[0])
        passes[list(self.locked)] = False
        self.lists: tuple[Ints, ...] = tuple(np.flatnonzero(passes[:, g]) for g in range(len(problem.groups)))
        """Who may be drawn for each group."""
        self.rules = tuple(
            rule for rule in problem.rules if rule.soft is None and not isinstance(rule, (Gate, *BEFOREHAND))
        )
        self.roles = next((r for r in problem.rules if isinstance(r, Roles) and r.soft is None), None)
        self.may = None if self.roles is None else self.roles.may(problem)
        for g, (people, size) in enumerate(zip(self.lists, self.sizes, strict=True)):
            if len(people) < size - sum(own == g for own in self.locked.values()):
                raise Fault(
                    "draw.too_few", f"groups.{g}", group=problem.groups[g].name, people=len(people), size=size
                )

    def draw(
        self,
        rng: Generator,
        procedure: Procedure,
        *,
        starts: int = 10_000,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Drawn:
        """One panel. `cancelled` ends it without one."""
        exchanges = 0
        for start in range(1, starts + 1):
            if cancelled():
                return Drawn(None, start - 1, exchanges)
            members = self._first(rng)
            if members is None:
                continue
            if procedure == "repair":
                mended, steps = self._mended(members, rng)
                exchanges += steps
            else:
                mended = members if self.short(members) == 0 else None
            if mended is not None:
                return Drawn(self._led(mended, rng), start, exchanges)
        return Drawn(None, starts, exchanges)

    def short(self, members: dict[int, int]) -> int:
        """By how much members are short of a lawful panel."""
        panel = Panel(self.problem, members)
        return sum(rule.shortfall(panel) for rule in self.rules) + self._unled(members)

    def _first(self, rng: Generator) -> dict[int, int] | None:
        """The plain draw; None where those drawn before leave a group too few."""
        members = dict(self.locked)
        for g, people in enumerate(self.lists):
            wanted = self.sizes[g] - sum(own == g for own in members.values())
            free = people[~np.isin(people, list(members))]
            if len(free) < wanted:
                return None
            if wanted > 0:
                members |= dict.fromkeys(rng.choice(free, wanted, replace=False).tolist(), g)
        return members

    def _unled(self, members: dict[int, int]) -> int:
        """How many of chair and deputies nobody could be."""
        if self.roles is None or self.may is None:
            return 0
        chairs = [e for e in members if self.may[0][e]]
        deputies = [e for e in members if self.may[1][e]]
        wanted = 1 + self.roles.deputies_low
        return max(
            wanted - len({*chairs, *deputies}), 1 - len(chairs), self.roles.deputies_low - len(deputies), 0
        )

    def _mended(self, members: dict[int, int], rng: Generator) -> tuple[dict[int, int] | None, int]:
        short, steps = self.short(members), 0
        while short:
            better = self._exchanged(members, short, rng)
            if better is None:
                return None, steps
            members, short = better
            steps += 1
        return members, steps

    def _exchanged(
        self, members: dict[int, int], short: int, rng: Generator
    ) -> tuple[dict[int, int], int] | None:
        """The members after the first exchange that helps, and by how much they are short then."""
        leaving = [e for e in self._named(members) if e not in self.locked]
        tries = (
            (out, come)
            for out in rng.permutation(leaving).tolist()
            for come in rng.permutation(self.lists[members[out]]).tolist()
            if come not in members
        )
        for out, come in islice(tries, EXCHANGES):
            other = {e: g for e, g in members.items() if e != out} | {come: members[out]}
            left = self.short(other)
            if left < short:
                return other, left
        return None

    def _named(self, members: dict[int, int]) -> list[int]:
        """The people whom the first broken rule names for having too many of something; else everybody of its group, or
        everybody."""
        panel = Panel(self.problem, members)
        for rule in self.rules:
            broken: list[int] = []
            for finding in rule.findings(panel):
                measure = finding.measure
                over = measure.high is not None and measure.value > measure.high
                named = [e for e in measure.experts if e in members] if over else []
                scope = [e for e, g in members.items() if measure.group in (None, g)]
                broken += named or scope
            if broken:
                return sorted(set(broken))
        return sorted(members)

    def _led(self, members: dict[int, int], rng: Generator) -> Panel:
        """The panel with chair and deputies drawn from those who may, so that both can be filled."""
        chair, deputies = None, tuple[int, ...]()
        if self.roles is not None and self.may is not None:
            chairs = [e for e in sorted(members) if self.may[0][e]]
            able = [e for e in sorted(members) if self.may[1][e]]
            low = self.roles.deputies_low
            chairs = [e for e in chairs if len(able) - (e in able) >= low]
            chair = int(rng.choice(chairs))
            rest = [e for e in able if e != chair]
            deputies = tuple(sorted(rng.choice(rest, low, replace=False).tolist())) if low else ()
        none: tuple[tuple[int, ...], ...] = ((),) * len(self.problem.groups)
        return Panel(self.problem, dict(sorted(members.items())), chair, deputies, none)
