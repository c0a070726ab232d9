"""Written scores as arrays: who gave which case what, on which criterion, when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from solver.errors import Fault
from solver.facts import Ints, Mask


@dataclass(frozen=True, slots=True)
class Rating:
    """One score as it was recorded: codes of case, rater and criterion, the score, and the period (year) it belongs to."""

    case: str
    rater: str
    criterion: str
    score: int
    period: int = 0


@dataclass(frozen=True, slots=True)
class Ratings:
    """N scores on a scale of `low`..`high`. `case`, `rater`, `criterion` index the lists of codes; `level` is the score
    counted from 0; `period` the year. Sorted by case, criterion, rater; nobody scores a case twice on a criterion. `own`:
    by kind (employer, region, sector) the scores of cases that share it with their rater. `scale` names the scale; so many
    scores `elsewhere` were on others and are left out."""

    cases: tuple[str, ...]
    raters: tuple[str, ...]
    criteria: tuple[str, ...]
    low: int
    high: int
    case: Ints
    rater: Ints
    criterion: Ints
    level: Ints
    period: Ints
    own: Mapping[str, Mask] = field(default_factory=dict)
    scale: str = ""
    elsewhere: int = 0

    def __len__(self) -> int:
        return len(self.level)

    @property
    def steps(self) -> int:
        """The highest level m: levels run 0..m."""
        return self.high - self.low

    def scored(self, level: Ints) -> Ratings:
        """The same design with other levels: what a simulation gives."""
        return replace(self, level=level)


def ratings_of(rows: Iterable[Rating], *, low: int, high: int) -> Ratings:
    """Arrays of the rows.

    Raises Fault: `ratings.none`; `ratings.scale` (no scale of at least two levels); `ratings.out_of_scale` and
    `ratings.twice` with the first row (counted from 1) where it is so.
    """
    if high <= low:
        raise Fault("ratings.scale", low=low, high=high)
    listed = list(rows)
    if not listed:
        raise Fault("ratings.none")
    for number, row in enumerate(listed, start=1):
        if not low <= row.score <= high:
            raise Fault(
                "ratings.out_of_scale",
                str(number),
                row=number,
                score=row.score,
                low=low,
                high=high,
                rater=row.rater,
                case=row.case,
            )
    cases, case = _coded([row.case for row in listed])
    raters, rater = _coded([row.rater for row in listed])
    criteria, criterion = _coded([row.criterion for row in listed])
    level = np.array([row.score for row in listed], dtype=np.int64) - low
    period = np.array([row.period for row in listed], dtype=np.int64)
    order = np.lexsort((rater, criterion, case))
    key = (case * len(criteria) + criterion) * len(raters) + rater
    again = np.flatnonzero(np.diff(key[order]) == 0)
    if len(again):
        number = int(max(order[again[0]], order[again[0] + 1])) + 1
        row = listed[number - 1]
        raise Fault(
            "ratings.twice", str(number), row=number, rater=row.rater, case=row.case, criterion=row.criterion
        )
    fields = (case[order], rater[order], criterion[order], level[order], period[order])
    return Ratings(cases, raters, criteria, low, high, *fields)


def _coded(words: list[str]) -> tuple[tuple[str, ...], Ints]:
    names, index = np.unique(np.array(words, dtype=object), return_inverse=True)
    return tuple(str(name) for name in names), index.astype(np.int64)
