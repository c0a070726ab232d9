"""Least change: a panel that differs as little as possible from the one there was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from solver.blocks import Linear
from solver.errors import Fault
from solver.goals.base import Goal
from solver.panel import Panel
from solver.problem import Problem
from solver.seats import PRESENT, Place, Seats

GOES = 10
"""A member gives up the seat."""
COMES = 10
"""Somebody who neither sat nor waited takes a seat."""
MOVES = 10
"""A member changes group."""
CALLED = 1
"""The first alternate of a group takes a seat in it."""
PASSED = 4
"""Another alternate of the group does, past the first."""
LENT = 6
"""An alternate of another group does."""
DISMISSED = 3
"""An alternate is let go."""
WAITS_FIRST = 5
"""Somebody becomes first alternate who did not wait in this group."""
WAITS = 3
"""The same, behind the first."""
REORDERED = 1
"""An alternate becomes first of the group, or ceases to be."""
CHAIR = 4
"""Somebody gains the chair, or loses it."""
DEPUTY = 2
"""The same of a deputy."""
SUCCEEDS = 1
"""A deputy becomes chair."""

Role = Literal["chair", "deputy", ""]


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody is in a panel: `call` None for a member, else the place 1, 2, ... in the calling order."""

    group: int
    call: int | None = None
    role: Role = ""


class Keep(Goal):
    """What has changed against the panel that is kept here as data: `members` and `alternates` by expert and group id.

    Every person is priced by themselves (`change`), whatever the others do. Filling a seat by the first alternate and
    taking a new alternate costs 6, by somebody from outside 10; so the calling order is followed where it can be.
    Alternates behind the first are one as good as the other.
    """

    goal: Literal["keep"] = "keep"
    members: dict[str, str]
    chair: str | None = None
    deputies: tuple[str, ...] = ()
    alternates: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @staticmethod
    def of(panel: Panel, *, id: str = "keep", level: int = 1) -> Keep:
        """The goal to keep a panel."""
        experts, groups = panel.problem.experts, panel.problem.groups
        return Keep(
            id=id,
            level=level,
            members={experts[e]: groups[g].id for e, g in sorted(panel.members.items())},
            chair=None if panel.chair is None else experts[panel.chair],
            deputies=tuple(experts[e] for e in panel.deputies),
            alternates={
                groups[g].id: tuple(experts[e] for e in called)
                for g, called in enumerate(panel.alternates)
                if called
            },
        )

    def panel(self, problem: Problem) -> Panel:
        """The panel that is to be kept."""
        experts = {id_: e for e, id_ in enumerate(problem.experts)}
        return Panel(
            problem,
            {experts[id_]: _group(problem, group) for id_, group in self.members.items()},
            None if self.chair is None else experts[self.chair],
            tuple(experts[id_] for id_ in self.deputies),
            tuple(
                tuple(experts[id_] for id_ in self.alternates.get(group.id, ())) for group in problem.groups
            ),
        )

    def cost(self, seats: Seats) -> Linear:
        """Each column at what the change to it costs above the change to nothing, which everybody pays beforehand."""
        before = holdings(self.panel(seats.problem))
        known = np.zeros(len(seats.problem.experts), dtype=bool)
        known[list(before)] = True
        gone = sum(change(held, None) for held in before.values())
        cols, vals = [], []
        for place in (*PRESENT, Place.CHAIR, Place.DEPUTY):
            strange = seats.columns(place, among=~known)
            price = _gain(None, place, 0)
            cols.append(strange)
            vals.append(np.full(len(strange), price, dtype=np.int64))
            own = seats.columns(place, among=known)
            cols.append(own)
            vals.append(
                np.array(
                    [_gain(before[int(seats.expert[c])], place, int(seats.group[c])) for c in own],
                    dtype=np.int64,
                )
            )
        return Linear(np.concatenate(cols), np.concatenate(vals), gone)

    def value(self, panel: Panel) -> int:
        before, after = holdings(self.panel(panel.problem)), holdings(panel)
        return sum(change(before.get(e), after.get(e)) for e in before.keys() | after.keys())

    def check(self, problem: Problem) -> None:
        experts, groups = set(problem.experts), {group.id for group in problem.groups}
        where = f"goals.{self.id}"
        seated = [*self.members, *(e for called in self.alternates.values() for e in called)]
        for expert in seated:
            if expert not in experts:
                raise Fault("panel.expert_unknown", where, expert=expert)
        for expert in (*self.deputies, *([] if self.chair is None else [self.chair])):
            if expert not in self.members:
                raise Fault("keep.role_unseated", where, expert=expert)
        for group in (*self.members.values(), *self.alternates):
            if group not in groups:
                raise Fault("panel.group_unknown", where, group=group, known=", ".join(sorted(groups)))
        for i, expert in enumerate(seated):
            if expert in seated[:i]:
                raise Fault("panel.seated_twice", where, expert=expert)


def holdings(panel: Panel) -> Mapping[int, Holding]:
    """What everybody is in a panel."""
    roles: dict[int, Role] = dict.fromkeys(panel.deputies, "deputy")
    if panel.chair is not None:
        roles[panel.chair] = "chair"
    found = {e: Holding(g, role=roles.get(e, "")) for e, g in panel.members.items()}
    for g, called in enumerate(panel.alternates):
        found.update({e: Holding(g, call) for call, e in enumerate(called, start=1)})
    return found


def change(before: Holding | None, after: Holding | None) -> int:
    """What it costs when somebody changes from one standing to another; None: neither seated nor waiting."""
    return _place_change(before, after) + _role_change(
        before.role if before else "", after.role if after else ""
    )


def _place_change(before: Holding | None, after: Holding | None) -> int:
    if after is None:
        return 0 if before is None else GOES if before.call is None else DISMISSED
    same = before is not None and before.group == after.group
    if after.call is None:
        if before is None:
            return COMES
        if before.call is None:
            return 0 if same else MOVES
        return LENT if not same else CALLED if before.call == 1 else PASSED
    if before is not None and before.call is not None and same:
        return 0 if (before.call == 1) == (after.call == 1) else REORDERED
    lost = GOES if before is not None and before.call is None else 0
    return lost + (WAITS_FIRST if after.call == 1 else WAITS)


def _role_change(before: Role, after: Role) -> int:
    if before == after:
        return 0
    if after == "chair":
        return SUCCEEDS if before == "deputy" else CHAIR
    if before == "chair":
        return CHAIR
    return DEPUTY


def _gain(before: Holding | None, place: Place, group: int) -> int:
    """What taking a place adds to `change(before, None)`; a place and a role are priced apart."""
    if place in (Place.CHAIR, Place.DEPUTY):
        own: Role = before.role if before else ""
        return _role_change(own, "chair" if place == Place.CHAIR else "deputy") - _role_change(own, "")
    call = None if place == Place.MEMBER else 1 if place == Place.FIRST else 2
    return _place_change(before, Holding(group, call)) - _place_change(before, None)


def _group(problem: Problem, id_: str) -> int:
    return next(g for g, group in enumerate(problem.groups) if group.id == id_)
