"""Who can be compared with whom: raters are linked by the cases they share, and only within a linked set do severities
mean anything side by side (MacKay et al., Calibration with confidence)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
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


def linking(pairs: Pairs, raters: int) -> Linking:
    """The linked sets of `raters` raters."""
    keys = np.unique(np.minimum(pairs.first, pairs.second) * raters + np.maximum(pairs.first, pairs.second))
    graph: Any = nx.Graph()
    graph.add_edges_from(zip((keys // raters).tolist(), (keys % raters).tolist(), strict=True))
    sets = sorted(nx.connected_components(graph), key=lambda members: (-len(members), min(members)))
    part = np.full(raters, -1, dtype=np.int64)
    for number, members in enumerate(sets):
        part[list(members)] = number
    bridges = tuple(sorted((min(a, b), max(a, b)) for a, b in nx.bridges(graph)))
    return Linking(part, tuple(len(members) for members in sets), bridges)


def overlaps_wanted(found: Linking) -> list[tuple[int, int]]:
    """Pairs of raters who should share cases next season so that all sets become one: the fewest that do, each set tied to
    the largest by its first members; raters who were alone are tied too."""
    if found.connected or not len(found.part):
        return []
    numbered = found.part.copy()
    alone = np.flatnonzero(numbered < 0)
    numbered[alone] = len(found.sizes) + np.arange(len(alone))
    firsts = [int(np.flatnonzero(numbered == number)[0]) for number in range(int(numbered.max()) + 1)]
    hub = np.flatnonzero(numbered == 0).tolist()
    return [(hub[at % len(hub)], other) for at, other in enumerate(firsts[1:])]
