"""The layout of decisions: one 0/1 column for every place that somebody who passes the gates may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from solver.blocks import Linear
from solver.facts import Ints, Mask
from solver.panel import Panel
from solver.problem import Problem


class Place(IntEnum):
    """What a column seats an expert as. FIRST is called first when a member of the group does not come."""

    MEMBER = 0
    FIRST = 1
    FURTHER = 2
    CHAIR = 3
    DEPUTY = 4


PRESENT = (Place.MEMBER, Place.FIRST, Place.FURTHER)
"""Places that take up the person: nobody holds two of them."""


@dataclass(frozen=True)
class Seats:
    """Columns 0..width-1. `expert`, `group` and `place` are int64 of shape (width,); a role has group -1."""

    problem: Problem
    expert: Ints
    group: Ints
    place: Ints
    spans: dict[tuple[Place, int], tuple[int, int]] = field(repr=False)

    @staticmethod
    def of(problem: Problem, passes: Mask, chairs: Mask | None = None, deputies: Mask | None = None) -> Seats:
        """The layout for those who pass: `passes` of shape (experts, groups), role masks of shape (experts,)."""
        parts: list[tuple[Place, int, Ints]] = []
        for place in PRESENT:
            for g, group in enumerate(problem.groups):
                if place == Place.MEMBER or group.alternates >= int(place):
                    parts.append((place, g, passes[:, g].nonzero()[0]))
        somewhere = passes.any(axis=1)
        for place, mask in ((Place.CHAIR, chairs), (Place.DEPUTY, deputies)):
            if mask is not None:
                parts.append((place, -1, (mask & somewhere).nonzero()[0]))
        spans: dict[tuple[Place, int], tuple[int, int]] = {}
        start = 0
        for place, g, experts in parts:
            spans[place, g] = (start, start + len(experts))
            start += len(experts)
        sizes = [len(experts) for _, _, experts in parts]
        return Seats(
            problem,
            np.concatenate([experts for _, _, experts in parts]) if parts else np.empty(0, dtype=np.int64),
            np.repeat([g for _, g, _ in parts], sizes),
            np.repeat([int(place) for place, _, _ in parts], sizes),
            spans,
        )

    @property
    def width(self) -> int:
        return len(self.expert)

    def columns(self, place: Place, group: int | None = None, among: Mask | None = None) -> Ints:
        """Columns of a place, in one group or all, of the experts `among` (a mask of shape (experts,))."""
        groups = range(-1, len(self.problem.groups)) if group is None else (group,)
        found = []
        for g in groups:
            if (place, g) in self.spans:
                start, stop = self.spans[place, g]
                found.append(
                    np.arange(start, stop)
                    if among is None
                    else start + among[self.expert[start:stop]].nonzero()[0]
                )
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def count(self, place: Place, group: int | None = None, among: Mask | None = None) -> Linear:
        """How many hold such a place, as an expression."""
        return Linear.total(self.columns(place, group, among))

    def by_expert(self, *places: Place) -> dict[int, Ints]:
        """Each expert's columns of these places, experts in rising order."""
        columns = np.concatenate([self.columns(place) for place in places])
        order = columns[np.argsort(self.expert[columns], kind="stable")]
        owners, starts = np.unique(self.expert[order], return_index=True)
        return dict(zip(owners.tolist(), np.split(order, starts[1:]), strict=True)) if len(owners) else {}

    def first_of(self, members: Ints) -> Ints:
        """The FIRST columns of the same expert and group as some MEMBER columns; the groups must have alternates."""
        shift = np.array(
            [
                self.spans[Place.FIRST, g][0] - self.spans[Place.MEMBER, g][0] if group.alternates else 0
                for g, group in enumerate(self.problem.groups)
            ],
            dtype=np.int64,
        )
        return members + shift[self.group[members]]

    def decode(self, values: Ints) -> Panel:
        """The panel that a 0/1 vector over the columns (longer ones are cut) stands for."""
        chosen = values[: self.width].nonzero()[0]
        members: dict[int, int] = {}
        waiting: list[list[tuple[int, int]]] = [[] for _ in self.problem.groups]
        chair: int | None = None
        deputies: list[int] = []
        for column in chosen.tolist():
            expert, group, place = (
                int(self.expert[column]),
                int(self.group[column]),
                Place(int(self.place[column])),
            )
            if place == Place.MEMBER:
                members[expert] = group
            elif place == Place.CHAIR:
                chair = expert
            elif place == Place.DEPUTY:
                deputies.append(expert)
            else:
                waiting[group].append((int(place), expert))
        alternates = tuple(tuple(e for _, e in sorted(group)) for group in waiting)
        return Panel(self.problem, members, chair, tuple(sorted(deputies)), alternates)

    def encode(self, panel: Panel) -> Ints:
        """The 0/1 vector of a panel; raises KeyError when somebody in it has no column here."""
        values = np.zeros(self.width, dtype=np.int64)

        def put(place: Place, group: int, expert: int) -> None:
            start, stop = self.spans[place, group]
            at = start + int(np.searchsorted(self.expert[start:stop], expert))
            if at >= stop or self.expert[at] != expert:
                raise KeyError(expert)
            values[at] = 1

        for expert, group in panel.members.items():
            put(Place.MEMBER, group, expert)
        for group, called in enumerate(panel.alternates):
            for order, expert in enumerate(called):
                put(Place.FIRST if order == 0 else Place.FURTHER, group, expert)
        if panel.chair is not None:
            put(Place.CHAIR, -1, panel.chair)
        for expert in panel.deputies:
            put(Place.DEPUTY, -1, expert)
        return values
