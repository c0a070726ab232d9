"""From chances to flags: all tests of one measurement are one family, corrected together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.deciding import q_values
from expert_pool.reevaluation.measurement.rater_figures import Figures, Test
from solver.facts import Floats


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that stands out: `kind` names it (message id `measurement.flag.<kind>`, with `figures` as parameters); `p`
    is its chance if nothing were the matter, `q` the false discovery rate at which it still counts."""

    rater: str
    kind: str
    figures: Mapping[str, float | int | str]
    p: float
    q: float


KINDS = (
    "severe",
    "mild",
    "erratic",
    "even",
    "surprising",
    "central",
    "halo",
    "apart",
    "drift",
    "own_employer",
    "own_region",
    "own_sector",
)
"""All kinds of flags there may be."""


def flags_of(
    raters: Sequence[Figures], tests: Sequence[Test], *, rate: float, worth: float
) -> tuple[Flag, ...]:
    """The flags, by rater. `rate`: false flags accepted among all (0..1). `worth`: score points below which a difference is
    not worth a look, however certain (0.5 on a scale of 1 to 5, after Linacre)."""
    p: Floats = np.concatenate([np.zeros(0), *(test.p for test in tests)])
    q = q_values(p)
    flags = []
    start = 0
    for test in tests:
        own = q[start : start + len(test.p)]
        start += len(test.p)
        for place in np.flatnonzero(own <= rate * (1 + 1e-12)).tolist():
            if test.points is not None and abs(float(test.points[place])) < worth:
                continue
            rater = raters[int(test.rater[place])]
            figures = {name: round(float(values[place]), 4) for name, values in test.figures.items()}
            said: dict[str, float | int | str] = {**figures, "scores": rater.scores, "cases": rater.cases}
            if test.period is not None:
                said["period"] = test.period
            flags.append(
                Flag(rater.rater, test.kind_at(place), said, float(test.p[place]), float(own[place]))
            )
    order = {one.rater: number for number, one in enumerate(raters)}
    return tuple(sorted(flags, key=lambda flag: (order[flag.rater], KINDS.index(flag.kind), flag.p)))
