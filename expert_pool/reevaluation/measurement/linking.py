"""Who can be compared with whom: raters are linked by the cases they share, and only within a linked set do severities
mean anything side by side (MacKay et al., Calibration with confidence)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from expert_pool.reevaluation.measurement.pairs import Pairs
from solver.facts import Ints


@dataclass(frozen=True, slots=True)
class Linking:
    """`part[j]`: the linked set of rater j, sets numbered from the largest; -1 for who shares no score with anybody.
    `bridges`: pairs of raters on whose shared cases alone a link between two sides rests."""

    part: Ints
    sizes: tuple[int, ...]
    bridges: tuple[tuple[int, int], ...]

    @property
    def connected(self) -> bool:
        """Whether everybody can be compared with everybody."""
        return len(self.sizes) == 1 and bool((self.part == 0).all())


@dataclass(frozen=True, slots=True)
class Overlap:
    """Raters who should score `cases` cases together next season, so that their sets become one."""

    raters: tuple[int, ...]
    cases: int


def linking(pairs: Pairs, raters: int) -> Linking:
    """The linked sets of `raters` raters."""
    keys = np.unique(np.minimum(pairs.first, pairs.second) * raters + np.maximum(pairs.first, pairs.second))
    one, two = keys // raters, keys % raters
    label = _labels(one, two, raters)
    touched = np.zeros(raters, dtype=bool)
    touched[one] = touched[two] = True
    sets, place = np.unique(label[touched], return_inverse=True)
    sizes = np.bincount(place, minlength=len(sets))
    order = np.lexsort((sets, -sizes))
    number = np.empty(len(sets), dtype=np.int64)
    number[order] = np.arange(len(sets))
    part = np.full(raters, -1, dtype=np.int64)
    part[touched] = number[place]
    return Linking(part, tuple(sizes[order].tolist()), tuple(sorted(_bridges(one, two, raters))))


def _labels(one: Ints, two: Ints, count: int) -> Ints:
    """By node the lowest node it hangs together with: labels are handed over edges, then followed to their end."""
    label = np.arange(count)
    while True:
        low = np.minimum(label[one], label[two])
        new = label.copy()
        np.minimum.at(new, label[one], low)
        np.minimum.at(new, label[two], low)
        while not np.array_equal(shorter := new[new], new):
            new = shorter
        if np.array_equal(new, label):
            return label
        label = new


def _bridges(one: Ints, two: Ints, count: int) -> Iterator[tuple[int, int]]:
    """Edges without which the graph falls apart further (Tarjan 1974), walked without recursion."""
    edges = len(one)
    ends = np.concatenate([one, two])
    order = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[order], np.arange(count + 1)).tolist()
    there = np.concatenate([two, one])[order].tolist()
    edge = (order % max(1, edges)).tolist()
    seen, lowest, at, time = [0] * count, [0] * count, start[:-1], 0
    for root in range(count):
        if seen[root] or start[root] == start[root + 1]:
            continue
        time += 1
        seen[root] = lowest[root] = time
        path, by = [root], [-1]
        while path:
            node = path[-1]
            if at[node] < start[node + 1]:
                place = at[node]
                at[node] += 1
                other = there[place]
                if not seen[other]:
                    time += 1
                    seen[other] = lowest[other] = time
                    path.append(other)
                    by.append(edge[place])
                elif edge[place] != by[-1] and seen[other] < lowest[node]:
                    lowest[node] = seen[other]
                continue
            path.pop()
            by.pop()
            if path:
                above = path[-1]
                lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] > seen[above]:
                    yield min(above, node), max(above, node)


def overlaps_wanted(
    found: Linking, scored: Ints, *, per_case: int = 2, information: float = 1.0, error: float = 0.3
) -> list[Overlap]:
    """The fewest overlaps that make all sets one: each ties the largest set to as many others as `per_case` raters can
    stand for. Of each set its raters with most scores (`scored`) are named, those of the largest set in turn; raters who
    were alone are tied too. `information` is what two raters' scores of one case tell of their difference (1 / logits
    squared); each overlap asks for as many cases as bring the error of the link to `error` logits."""
    if found.connected or len(found.part) < 2:
        return []
    part = found.part.copy()
    alone = np.flatnonzero(part < 0)
    part[alone] = len(found.sizes) + np.arange(len(alone))
    order = np.lexsort((np.arange(len(part)), -scored, part))
    first = np.flatnonzero(np.diff(part[order], prepend=-1))
    leaders = order[first].tolist()
    hub = order[: int(first[1])].tolist()
    cases = max(1, ceil(1 / (max(information, 1e-6) * error**2)))
    step = max(1, per_case - 1)
    rest = leaders[1:]
    return [
        Overlap((hub[at % len(hub)], *rest[place : place + step]), cases)
        for at, place in enumerate(range(0, len(rest), step))
    ]
