"""What has sat so far in a replication, and who waits for whom.

Two committees meet where somebody may sit on both. A panel is made some days ahead of its meeting, knowing the panels that met
until then, and those made before it for the same day, whose people are taken. A committee waits for these alone, of those it
meets. All it is told is about its own people and about panels it waited for: so the outcome does not depend on how many work
at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from expert_pool.simulation.years.ground import Ground, on_in
from expert_pool.simulation.years.outcome import Fated
from expert_pool.simulation.years.season import Before, nothing_before
from solver.facts import MISSING, Ints

NOBODY: Ints = np.empty(0, dtype=np.int64)
Node = tuple[int, int]
"""Season, and the place of a committee among the templates."""


def meeting_places(ground: Ground) -> list[list[int]]:
    """For each committee those it shares people with, itself too, in order."""
    count = len(ground.templates)
    sits = np.zeros((count, ground.people), dtype=np.float32)
    for at, template in enumerate(ground.templates):
        sits[at, template.who] = 1
    shared = sits @ sits.T
    return [np.flatnonzero(shared[at] + (np.arange(count) == at)).tolist() for at in range(count)]


class Order:
    """Who waits for whom. `near` as from `meeting_places`, `days` on which the committees meet, `ahead` so many days before
    which panels are made; `chosen`: the committees that are looked at."""

    def __init__(
        self, near: Sequence[Sequence[int]], days: Sequence[int], ahead: int, chosen: Sequence[int]
    ) -> None:
        own = set(chosen)
        self.chosen = tuple(sorted(own))
        self.near = {at: [other for other in near[at] if other in own] for at in self.chosen}
        self.met = {
            at: [o for o in self.near[at] if days[o] <= days[at] - max(ahead, 1)] for at in self.chosen
        }
        """Of each committee those whose panel of the same season it knows."""
        self.beside = {at: [o for o in self.near[at] if days[o] == days[at] and o < at] for at in self.chosen}
        """Those made before it for the same day."""

    def waiting_for(self, node: Node) -> list[Node]:
        """The nodes that must be done before one."""
        season, at = node
        awaited = {*self.met[at], *self.beside[at]}
        before = [(season - 1, other) for other in self.near[at] if other not in awaited] if season else []
        return [*before, *((season, other) for other in sorted(awaited))]

    def urgency(self, seasons: int) -> dict[Node, int]:
        """How long a chain of nodes hangs on each one: the longest come first."""
        nodes = [(season, at) for season in range(seasons) for at in self.chosen]
        length = dict.fromkeys(nodes, 1)
        for node in reversed(nodes):
            for before in self.waiting_for(node):
                length[before] = max(length[before], length[node] + 1)
        return length


class History:
    """The panels of one replication, as they come."""

    def __init__(self, ground: Ground, seasons: int) -> None:
        self.ground = ground
        self.days = [[on_in(t.problem, k) for t in ground.templates] for k in range(seasons)]
        self.numbers = {name: n for n, name in enumerate(ground.names)}
        self.done: dict[Node, Fated] = {}
        self.members: dict[Node, Ints] = {}
        self.present: dict[Node, Ints] = {}
        self.rows: list[Ints] = [nothing_before(t).in_a_row for t in ground.templates]
        self.panels: list[list[tuple[int, int, frozenset[int], int]]] = [[] for _ in ground.templates]
        self.seats = np.zeros((seasons, ground.people), dtype=np.int64)

    def before(self, node: Node, order: Order) -> Before:
        """What a committee is told before it is seated."""
        season, at = node
        who = self.ground.templates[at].who
        busy = np.zeros(self.ground.people, dtype=bool)
        for other in order.beside[at]:
            busy[self.present.get((season, other), NOBODY)] = True
        served, seats = np.full(self.ground.people, MISSING), np.zeros(self.ground.people, dtype=np.int64)
        for k in range(season + 1):
            for other in order.near[at] if k < season else order.met[at]:
                own = self.members.get((k, other), NOBODY)
                served[own] = np.maximum(served[own], self.days[k][other])
                seats[own] += k == season
        panels = tuple(reversed(self.panels[at]))
        return Before(served[who], seats[who], busy[who], self.rows[at], panels)

    def take(self, node: Node, fated: Fated) -> None:
        """Keeps an outcome; a panel counts for whatever comes after."""
        season, at = node
        self.done[node] = fated
        template, day = self.ground.templates[at], self.days[season][at]
        seated = self._of(id_ for own in fated.members.values() for id_ in own)
        waiting = self._of(id_ for own in fated.alternates.values() for id_ in own)
        self.members[node], self.present[node] = seated, np.concatenate([seated, waiting])
        self.seats[season, seated] += 1
        sat = np.isin(template.who, seated)
        self.rows[at] = np.where(sat, self.rows[at] + 1, 0)
        if len(seated):
            places = frozenset(np.flatnonzero(sat).tolist())
            self.panels[at].append((season, day, places, len(seated)))

    def _of(self, names: object) -> Ints:
        return np.array([self.numbers[name] for name in names], dtype=np.int64)  # type: ignore[attr-defined]
