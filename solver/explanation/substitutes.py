"""The best single swap: a newcomer for one person, everybody else where they are, but that one more may change places.

A swap is a chain of people: the first leaves the panel, each of the others takes the place of the one before, and the
newcomer takes the last place. So an alternate may move up, or a member step back among the alternates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from solver.explanation.standing import Costs, allowed, column, columns_at, costs_of, panel_in, spots
from solver.explanation.swaps import Swaps
from solver.facts import Ints
from solver.model import Model
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.roles import Roles

TRIES = 60
"""How many of the cheapest swaps are looked at in full before we give up."""


@dataclass(frozen=True, slots=True)
class Found:
    """A lawful panel and what it costs."""

    costs: Costs
    panel: Panel


@dataclass(frozen=True, slots=True)
class _Swap:
    """A chain without its newcomer: columns given up, columns taken by those who stay, and those for the newcomer."""

    chain: tuple[int, ...]
    out: tuple[int, ...]
    moved: tuple[int, ...]
    among: Ints


class Substitutes:
    """Single swaps in one panel of one problem. A panel with somebody who has no column allows none."""

    def __init__(self, problem: Problem, model: Model, panel: Panel) -> None:
        self.problem, self.model, self.seats = problem, model, model.seats
        self.panel = panel_in(problem, panel)
        try:
            self.swaps: Swaps | None = Swaps(model, model.seats.encode(self.panel))
        except KeyError:
            self.swaps = None
        self.at = spots(self.panel)

    def instead_of(self, expert: int) -> Found | None:
        """The best panel found with somebody new for `expert`."""
        return self._best(self._leaving(expert))

    def with_(self, expert: int) -> Found | None:
        """The best panel found in which `expert`, who has no place now, sits for somebody."""
        return self._best(self._joining(expert))

    def any(self, *, below: Costs) -> Found | None:
        """The best panel found by any one swap that costs less than so much."""
        return self._best((swap for expert in self.panel.everybody for swap in self._leaving(expert)), below)

    def _waiting(self, group: int) -> tuple[int, ...]:
        return self.panel.alternates[group] if group < len(self.panel.alternates) else ()

    def _leaving(self, expert: int) -> Iterator[_Swap]:
        group, order = self.at[expert]
        yield from self._swap((expert,), self._strangers(group, order))
        if order == 0:
            for other in self._waiting(group):
                yield from self._swap((expert, other), self._strangers(*self.at[other]))

    def _joining(self, expert: int) -> Iterator[_Swap]:
        for group, members in enumerate(self.panel.by_group):
            into = column(self.seats, group, 0, expert)
            if into is None:
                continue
            for member in members:
                yield from self._swap((member,), np.array([into]))
                for other in self._waiting(group):
                    yield from self._swap((other, member), np.array([into]))

    def _strangers(self, group: int, order: int) -> Ints:
        there = columns_at(self.seats, group, order)
        return there[~np.isin(self.seats.expert[there], self.panel.everybody)]

    def _swap(self, chain: tuple[int, ...], among: Ints) -> Iterator[_Swap]:
        """The swap, unless somebody would take a place that is not open to them."""
        out = [column(self.seats, *self.at[expert], expert) for expert in chain]
        moved = [column(self.seats, *self.at[before], after) for before, after in pairwise(chain)]
        if None not in out and None not in moved:
            yield _Swap(
                chain, tuple(c for c in out if c is not None), tuple(c for c in moved if c is not None), among
            )

    def _best(self, swaps: Iterable[_Swap], below: Costs | None = None) -> Found | None:
        if self.swaps is None:
            return None
        ranked: list[tuple[Costs, int, int, _Swap]] = []
        for number, swap in enumerate(swaps):
            fitting = self.swaps.into(swap.out, swap.moved, swap.among)
            ranked += [
                (costs, number, at, swap)
                for costs, at in fitting.ranked(self.swaps.kind)
                if below is None or costs < below
            ]
        ranked.sort(key=lambda choice: choice[:3])
        for _, _, at, swap in ranked[:TRIES]:
            panel = self._swapped(swap.chain, int(self.seats.expert[at]))
            costs = costs_of(panel)
            if (below is None or costs < below) and allowed(self.model, panel):
                return Found(costs, panel)
        return None

    def _swapped(self, chain: tuple[int, ...], newcomer: int) -> Panel:
        """The panel after a swap. A role that falls vacant goes to whoever took the seat, if they may hold it, else to
        the first member who may."""
        panel = self.panel
        heirs = dict(zip(chain, (*chain[1:], newcomer), strict=True))
        members = {heirs.get(expert, expert): group for expert, group in panel.members.items()}
        alternates = tuple(tuple(heirs.get(e, e) for e in called) for called in panel.alternates)
        vacant = next((expert for expert in chain if expert in panel.members), None)
        chair, deputies = panel.chair, tuple(d for d in panel.deputies if d != vacant)
        if vacant is not None and (vacant == chair or vacant in panel.deputies):
            chair = None if vacant == chair else chair
            free = [e for e in (heirs[vacant], *sorted(members)) if e != chair and e not in deputies]
            heir = next((e for e in free if self._may(vacant == panel.chair, e)), None)
            if heir is not None and vacant == panel.chair:
                chair = heir
            elif heir is not None:
                deputies = tuple(sorted((*deputies, heir)))
        return Panel(self.problem, members, chair, deputies, alternates)

    def _may(self, chair: bool, expert: int) -> bool:
        rule = next((r for r in self.problem.rules if isinstance(r, Roles)), None)
        return rule is not None and bool(rule.may(self.problem)[0 if chair else 1][expert])
