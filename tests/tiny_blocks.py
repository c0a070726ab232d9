"""Which panels a block allows, by trying every value of its auxiliaries: no engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solver.blocks import Block
from solver.facts import Ints, Mask
from solver.panel import Panel
from solver.seats import Seats


def allows(block: Block, seats: Seats, panels: Sequence[Panel]) -> list[bool]:
    """For each panel, whether some values of the auxiliaries keep every row."""
    matrix = np.zeros((len(block), seats.width + len(block.aux_lower)), dtype=np.int64)
    for i in range(len(block)):
        row = slice(int(block.start[i]), int(block.start[i + 1]))
        np.add.at(matrix[i], block.cols[row], block.vals[row])
    values = np.array([seats.encode(panel) for panel in panels]).reshape(len(panels), seats.width)
    rows = list(range(len(block)))
    found = _possible(block, values @ matrix[:, : seats.width].T, matrix[:, seats.width :], rows, {})
    return [bool(f) for f in found]


def _possible(block: Block, activity: Ints, weights: Ints, rows: list[int], tried: dict[int, int]) -> Mask:
    """Where the rows hold for some values of the auxiliaries besides those `tried`, whose weight is in `activity`."""
    aux = set(np.flatnonzero(weights[rows].any(axis=0)).tolist()) - set(tried)
    possible = np.ones(len(activity), dtype=bool)
    for i in rows:
        unknown = [a for a in np.flatnonzero(weights[i]).tolist() if a in aux]
        if block.lower[i] == block.upper[i] and len(unknown) == 1 and abs(weights[i, unknown[0]]) == 1:
            [only] = unknown
            value = (block.lower[i] - activity[:, i]) * weights[i, only]
            possible &= (value >= block.aux_lower[only]) & (value <= block.aux_upper[only])
            activity = activity + value[:, None] * weights[:, only]
            aux.discard(only)
    left = list(rows)
    for together in _parts(weights[rows], sorted(aux)):
        own = [i for i in left if weights[i, together].any()]
        left = [i for i in left if i not in own]
        split = max(together, key=lambda a: int((weights[own, a] != 0).sum()))
        some = np.zeros(len(activity), dtype=bool)
        for value in range(int(block.aux_lower[split]), int(block.aux_upper[split]) + 1):
            known = {a: 0 for a in range(weights.shape[1]) if a not in together} | {split: value}
            some |= _possible(block, activity + value * weights[:, split], weights, own, known)
        possible &= some
    inside = (activity[:, left] >= block.lower[left]) & (activity[:, left] <= block.upper[left])
    return np.asarray(possible & inside.all(axis=1))


def _parts(weights: Ints, aux: Sequence[int]) -> list[list[int]]:
    """The auxiliaries, those that share a row together."""
    parts = [{a} for a in aux]
    for row in weights:
        touched = [p for p in parts if row[sorted(p)].any()]
        if len(touched) > 1:
            parts = [p for p in parts if p not in touched] + [set().union(*touched)]
    return [sorted(p) for p in parts]
