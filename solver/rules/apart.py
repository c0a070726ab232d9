"""People in conflict with one another do not sit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver.blocks import Block
from solver.facts import Ints
from solver.panel import Measure, Panel
from solver.rules.base import Rule
from solver.seats import PRESENT, Seats


class Apart(Rule):
    """No two people of the panel, alternates included, are in conflict with each other."""

    rule: Literal["apart"] = "apart"

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """One row per clique: the people of a clique hold at most one place between them. Soft, one row per pair, since
        each pair that sits together is a shortfall of one."""
        placed = np.zeros(len(seats.problem.experts), dtype=bool)
        placed[seats.expert] = True
        pairs = seats.problem.between
        kept = placed[pairs.left] & placed[pairs.right]
        together = clique_cover if self.soft is None else _pairs
        cliques = list(together(pairs.left[kept], pairs.right[kept]))
        columns = np.concatenate([seats.columns(place) for place in PRESENT])
        columns = columns[np.argsort(seats.expert[columns], kind="stable")]
        start = np.searchsorted(seats.expert[columns], np.arange(len(placed) + 1))
        people = np.array([e for clique in cliques for e in clique], dtype=np.int64)
        owner = np.repeat(np.arange(len(cliques)), [len(clique) for clique in cliques])
        sizes = start[people + 1] - start[people]
        before = np.cumsum(sizes) - sizes
        own = columns[np.arange(int(sizes.sum())) + np.repeat(start[people] - before, sizes)]
        yield Block.grouped(self, np.repeat(owner, sizes), own, upper=1)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        people = sorted(set(panel.everybody))
        apart = panel.problem.apart_among(people)
        found = [(a, b) for i, a in enumerate(people) for b in people[i + 1 :] if (a, b) in apart]
        if not found:
            yield Measure("rule.apart", 0, high=0, params=(("of", len(people)),))
        for a, b in found:
            yield Measure("rule.apart.pair", 1, high=0, experts=(a, b))


def _pairs(left: Ints, right: Ints) -> Iterator[list[int]]:
    """Each pair once."""
    pairs = {(min(a, b), max(a, b)) for a, b in zip(left.tolist(), right.tolist(), strict=True) if a != b}
    yield from ([a, b] for a, b in sorted(pairs))


def clique_cover(left: Ints, right: Ints) -> Iterator[list[int]]:
    """Cliques that cover every edge, greedily grown from the edges of the best connected; deterministic.

    One row over a clique is tighter than its edges one by one (solver notes: 11,000 edges become 5,000 rows).
    """
    near: dict[int, set[int]] = {}
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        if a != b:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    covered: set[tuple[int, int]] = set()
    for a in sorted(near, key=lambda e: (-len(near[e]), e)):
        for b in sorted(near[a], key=lambda e: (-len(near[e]), e)):
            if (a, b) in covered:
                continue
            clique = [a, b]
            common = near[a] & near[b]
            while common:
                c = min(common, key=lambda e: (-len(near[e]), e))
                clique.append(c)
                common &= near[c]
            covered.update((x, y) for x in clique for y in clique if x != y)
            yield clique
