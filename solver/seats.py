"""The layout of decisions: one 0/1 column for every place that somebody who passes the gates may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from solver.blocks import Linear
from solver.facts import Ints, Mask
from solver.no_shows import ordered_places
from solver.panel import Panel
from solver.problem import Problem


class Place(IntEnum):
    """What a column seats an expert as.

    FIRST is called first when a member of the group does not come. NEXT are the places of the second alternate, the
    third, and so on, there only where so many may be called on one day; FURTHER is for all others, who are called in
    the order of the experts. CHAIR and DEPUTY are held by members, beside their seat and in the same group.
    """

    MEMBER = 0
    FIRST = 1
    FURTHER = 2
    CHAIR = 3
    DEPUTY = 4
    NEXT = 5


PRESENT = (Place.MEMBER, Place.FIRST, Place.NEXT, Place.FURTHER)
"""Places that take up the person: nobody holds two of them."""


@dataclass(frozen=True)
class Seats:
    """Columns 0..width-1. `expert`, `group`, `place` and `order` are int64 of shape (width,).

    `order` is when an alternate is called: 1 for FIRST, 2 and on for NEXT, `ordered` + 1 for FURTHER; 0 for the others.
    Within a group all places but the roles list the same experts, rising; those of NEXT once for each order.
    """

    problem: Problem
    expert: Ints
    group: Ints
    place: Ints
    order: Ints
    ordered: int
    spans: dict[tuple[Place, int], tuple[int, int]] = field(repr=False)
    turns: dict[tuple[int, int], tuple[int, int]] = field(repr=False)
    """(group, order) -> the columns of the alternates called then."""

    @staticmethod
    def of(problem: Problem, passes: Mask, chairs: Mask | None = None, deputies: Mask | None = None) -> Seats:
        """The layout for those who pass: `passes` of shape (experts, groups), role masks of shape (experts,)."""
        ordered = ordered_places(problem)
        open_to = [passes[:, g].nonzero()[0] for g in range(len(problem.groups))]
        parts: list[tuple[Place, int, int, Ints]] = [
            (Place.MEMBER, g, 0, experts) for g, experts in enumerate(open_to)
        ]
        for g, group in enumerate(problem.groups):
            parts += [(Place.FIRST, g, 1, open_to[g])] if group.alternates else []
            parts += [
                (Place.NEXT, g, order, open_to[g]) for order in range(2, min(ordered, group.alternates) + 1)
            ]
            parts += [(Place.FURTHER, g, ordered + 1, open_to[g])] if group.alternates > ordered else []
        for place, mask in ((Place.CHAIR, chairs), (Place.DEPUTY, deputies)):
            if mask is not None:
                parts += [(place, g, 0, experts[mask[experts]]) for g, experts in enumerate(open_to)]
        spans: dict[tuple[Place, int], tuple[int, int]] = {}
        turns: dict[tuple[int, int], tuple[int, int]] = {}
        sizes = [len(experts) for *_, experts in parts]
        stops = np.cumsum([0, *sizes]).tolist()
        for (place, g, order, _), start, stop in zip(parts, stops, stops[1:], strict=False):
            spans[place, g] = (spans.get((place, g), (start, stop))[0], stop)
            if order:
                turns[g, order] = (start, stop)
        return Seats(
            problem,
            np.concatenate([np.empty(0, dtype=np.int64), *(experts for *_, experts in parts)]),
            np.repeat([g for _, g, _, _ in parts], sizes),
            np.repeat([int(place) for place, _, _, _ in parts], sizes),
            np.repeat([order for _, _, order, _ in parts], sizes),
            ordered,
            spans,
            turns,
        )

    @property
    def width(self) -> int:
        return len(self.expert)

    def columns(self, place: Place, group: int | None = None, among: Mask | None = None) -> Ints:
        """Columns of a place, in one group or all, of the experts `among` (a mask of shape (experts,))."""
        groups = range(len(self.problem.groups)) if group is None else (group,)
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

    def called(self, members: Ints, group: int, order: int) -> Ints:
        """The columns of the same people as some MEMBER columns of a group, as the alternates called `order`-th: a turn
        that the group has, with a place of its own (at most `ordered`)."""
        return members + (self.turns[group, order][0] - self.spans[Place.MEMBER, group][0])

    def members_of(self, columns: Ints) -> Ints:
        """The MEMBER columns of the same people and groups as some columns."""
        width = len(self.problem.experts)
        seats = self.columns(Place.MEMBER)
        keys = self.group[seats] * width + self.expert[seats]
        return seats[np.searchsorted(keys, self.group[columns] * width + self.expert[columns])]

    def decode(self, values: Ints) -> Panel:
        """The panel that a 0/1 vector over the columns (longer ones are cut) stands for. Deputies, and the alternates
        without a place of their own, stand in the order of the experts."""
        members: dict[int, int] = {}
        waiting: list[list[tuple[int, int]]] = [[] for _ in self.problem.groups]
        chair: int | None = None
        deputies: list[int] = []
        for column in values[: self.width].nonzero()[0].tolist():
            expert, group = int(self.expert[column]), int(self.group[column])
            place = Place(int(self.place[column]))
            if place == Place.MEMBER:
                members[expert] = group
            elif place == Place.CHAIR:
                chair = expert
            elif place == Place.DEPUTY:
                deputies.append(expert)
            else:
                waiting[group].append((int(self.order[column]), expert))
        alternates = tuple(tuple(e for _, e in sorted(group)) for group in waiting)
        return Panel(self.problem, members, chair, tuple(sorted(deputies)), alternates)

    def encode(self, panel: Panel, *, lenient: bool = False) -> Ints:
        """The 0/1 vector of a panel. Somebody who has no column here, or holds a role without a seat, is left out when
        `lenient`, else KeyError."""
        values = np.zeros(self.width, dtype=np.int64)

        def put(expert: int, span: tuple[int, int] | None) -> None:
            start, stop = span or (0, 0)
            at = start + int(np.searchsorted(self.expert[start:stop], expert))
            if at < stop and self.expert[at] == expert:
                values[at] = 1
            elif not lenient:
                raise KeyError(expert)

        for expert, group in panel.members.items():
            put(expert, self.spans.get((Place.MEMBER, group)))
        for group, waiting in enumerate(panel.alternates):
            for order, expert in enumerate(waiting, start=1):
                put(expert, self.turns.get((group, min(order, self.ordered + 1))))
        if panel.chair is not None:
            put(panel.chair, self.spans.get((Place.CHAIR, panel.members.get(panel.chair, -1))))
        for expert in panel.deputies:
            put(expert, self.spans.get((Place.DEPUTY, panel.members.get(expert, -1))))
        return values
