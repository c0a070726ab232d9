"""An order of cases, raters and criteria that does not depend on what they are called, nor on the order of the rows.

Sums of floats and the numbers drawn for replications depend on who comes first. Who comes first is therefore decided by the
scores alone: each case, rater and criterion gets a colour from the scores it took part in, then from the colours of those it
met there, some times over (colour refinement, Weisfeiler & Leman 1968). Calling somebody else by another code, or writing the
rows in another order, then changes no figure. Those who keep the same colour took part in the same way; among them the
codes decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Ints, Mask

ROUNDS = 4
Colours = NDArray[np.uint64]


def in_standard_order(ratings: Ratings) -> Ratings:
    """The same scores (N of them, `own` with them), cases, raters and criteria put in standard order."""
    case, rater, criterion = _ranks(ratings)
    fields = (case[ratings.case], rater[ratings.rater], criterion[ratings.criterion])
    order = np.lexsort((fields[1], fields[2], fields[0]))
    own: Mapping[str, Mask] = {kind: mask[order] for kind, mask in sorted(ratings.own.items())}
    return replace(
        ratings,
        cases=_moved(ratings.cases, case),
        raters=_moved(ratings.raters, rater),
        criteria=_moved(ratings.criteria, criterion),
        case=fields[0][order],
        rater=fields[1][order],
        criterion=fields[2][order],
        level=ratings.level[order],
        period=ratings.period[order],
        own=own,
    )


def _ranks(ratings: Ratings) -> tuple[Ints, Ints, Ints]:
    """The places of cases, raters and criteria in standard order."""
    said = _mixed(ratings.level.astype(np.uint64))
    said = _mixed(said + ratings.period.astype(np.uint64))
    for number, (_, mask) in enumerate(sorted(ratings.own.items()), start=1):
        said = _mixed(said + np.uint64(number) * mask.astype(np.uint64))
    sides = (ratings.case, ratings.rater, ratings.criterion)
    names = (ratings.cases, ratings.raters, ratings.criteria)
    colours = [np.full(len(own), side, dtype=np.uint64) for side, own in enumerate(names, start=1)]
    for _ in range(ROUNDS):
        met = said
        for colour, side in zip(colours, sides, strict=True):
            met = _mixed(met + colour[side])
        colours = [_gathered(colour, side, met) for colour, side in zip(colours, sides, strict=True)]
    case, rater, criterion = (_ranked(colour, own) for colour, own in zip(colours, names, strict=True))
    return case, rater, criterion


def _gathered(colour: Colours, side: Ints, met: Colours) -> Colours:
    total = np.zeros_like(colour)
    np.add.at(total, side, met)
    return _mixed(_mixed(colour) + total)


def _mixed(bits: Colours) -> Colours:
    """A permutation of all 64-bit numbers that leaves no pattern (the finaliser of SplitMix64; Steele, Lea & Flood 2014)."""
    z = bits + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _ranked(colour: Colours, names: tuple[str, ...]) -> Ints:
    order = np.lexsort((np.array(names), colour))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _moved(names: tuple[str, ...], rank: Ints) -> tuple[str, ...]:
    moved = np.empty(len(names), dtype=object)
    moved[rank] = names
    return tuple(moved.tolist())
