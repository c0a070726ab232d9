"""Where the nodes of a graph are drawn, so that hundreds stay readable: each community in a circle of its own, the circles
beside each other without overlapping, and within a circle whoever is joined close together.

Positions follow from the graph alone: the same graph looks the same wherever and whenever it is drawn.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

SPACING = 46.0
"""Between two nodes, in the units of the picture (a node is about 18 wide)."""
_KEPT = 256
_SEED = 7


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node's place and its community; communities are numbered from 0, the largest first."""

    x: float
    y: float
    community: int


class Positions:
    """Positions that were worked out before, by the graph; the least recently drawn are forgotten."""

    def __init__(self, most: int = _KEPT) -> None:
        self._kept: OrderedDict[str, dict[str, Drawn]] = OrderedDict()
        self._most, self._lock = most, Lock()

    def of(self, nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, Drawn]:
        """The positions of a graph."""
        pairs = sorted({(a, b) if a < b else (b, a) for a, b in edges if a != b})
        mark = sha256(repr((sorted(nodes), pairs)).encode()).hexdigest()
        with self._lock:
            if mark in self._kept:
                self._kept.move_to_end(mark)
                return self._kept[mark]
        made = draw(nodes, pairs)
        with self._lock:
            self._kept[mark] = made
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


def draw(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, Drawn]:
    """Work the positions out (Louvain communities, Fruchterman and Reingold within each)."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sorted(nodes))
    graph.add_edges_from(edges)
    if not graph:
        return {}
    found = nx.community.louvain_communities(graph, seed=_SEED)
    communities = sorted((sorted(one) for one in found), key=lambda one: (-len(one), one))
    inside = [_inside(graph.subgraph(one)) for one in communities]
    middles = _packed(graph, communities)
    return {
        node: Drawn(round(middle[0] + at[0], 1), round(middle[1] + at[1], 1), number)
        for number, (places, middle) in enumerate(zip(inside, middles, strict=True))
        for node, at in places.items()
    }


def _radius(size: int) -> float:
    return SPACING * (0.55 + 0.62 * math.sqrt(size)) if size > 1 else SPACING * 0.6


def _inside(part: Any) -> dict[str, tuple[float, float]]:
    """Places around the middle of one community."""
    import networkx as nx

    if len(part) == 1:
        return dict.fromkeys(part, (0.0, 0.0))
    ordered: nx.Graph[str] = nx.Graph()
    ordered.add_nodes_from(sorted(part))
    ordered.add_edges_from(sorted(part.edges))
    places = nx.spring_layout(
        ordered, k=2.2 / math.sqrt(len(part)), iterations=60, seed=_SEED, method="force"
    )
    wide = _radius(len(part)) - SPACING * 0.4
    return {node: (float(x) * wide, float(y) * wide) for node, (x, y) in places.items()}


def _packed(graph: Any, communities: Sequence[Sequence[str]]) -> list[tuple[float, float]]:
    """The middle of each community's circle: as near to those it is joined with as there is room."""
    of: dict[Hashable, int] = {node: n for n, one in enumerate(communities) for node in one}
    joined: list[dict[int, int]] = [{} for _ in communities]
    for a, b in graph.edges:
        if of[a] != of[b]:
            for here, there in ((of[a], of[b]), (of[b], of[a])):
                joined[here][there] = joined[here].get(there, 0) + 1
    radii = [_radius(len(one)) for one in communities]
    middles: list[tuple[float, float]] = []
    for n, radius in enumerate(radii):
        weights = {other: w for other, w in joined[n].items() if other < n}
        total = sum(weights.values())
        wished = (
            tuple(sum(middles[other][axis] * w for other, w in weights.items()) / total for axis in (0, 1))
            if total
            else (0.0, 0.0)
        )
        middles.append(_free(wished[0], wished[1], radius, middles, radii))
    return middles


def _free(
    x: float, y: float, radius: float, middles: Sequence[tuple[float, float]], radii: Sequence[float]
) -> tuple[float, float]:
    """The place nearest to a wish, looked for outwards in rings, where a circle overlaps no other."""
    ring, step = 0.0, SPACING * 0.7
    while True:
        turns = max(1, int(2 * math.pi * ring / step))
        for turn in range(turns):
            angle = 2 * math.pi * turn / turns
            there = x + ring * math.cos(angle) * 1.25, y + ring * math.sin(angle) * 0.8
            if all(
                math.dist(there, middle) >= radius + radii[n] + SPACING * 0.3
                for n, middle in enumerate(middles)
            ):
                return there
        ring += step
