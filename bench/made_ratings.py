"""Made scores with known severities, at any size, straight into arrays."""

from __future__ import annotations

import numpy as np

from expert_pool.reevaluation.measurement.curves import Curves
from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats

THRESHOLDS = np.array([-1.6, -0.5, 0.5, 1.6])
"""Of the made scale 1..5."""


def made_ratings(
    raters: int,
    cases: int,
    *,
    per_case: int = 3,
    criteria: tuple[int, int] = (3, 4),
    field: int = 100,
    visitors: float = 0.1,
    spread: float = 0.5,
    years: int = 1,
    seed: int = 1,
) -> tuple[Ratings, Floats]:
    """Scores of `cases` cases by `per_case` different raters each, and the raters' true severities.

    Raters belong to fields of `field`; a case is of one field, and each of its raters a visitor from anywhere by
    chance `visitors`. Some cases have `criteria[0]` criteria, the others `criteria[1]`.
    """
    random = np.random.default_rng(seed)
    severity = random.normal(0.0, spread, raters)
    ability = random.normal(0.3, 1.2, cases)
    difficulty = np.linspace(-0.4, 0.4, criteria[1])
    home = random.integers(0, max(1, raters // field), cases)
    chosen = home[:, None] * field + random.integers(0, field, (cases, per_case))
    away = random.random((cases, per_case)) < visitors
    chosen = np.where(away, random.integers(0, raters, (cases, per_case)), chosen) % raters
    chosen.sort(axis=1)
    for _ in range(100):  # who was drawn twice is drawn again
        twice = np.zeros(chosen.shape, dtype=bool)
        twice[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
        if not twice.any():
            break
        chosen[twice] = random.integers(0, raters, int(twice.sum()))
        chosen.sort(axis=1)
    wide = random.random(cases) < 1 / 3
    width = np.where(wide, criteria[1], criteria[0])
    case = np.repeat(np.arange(cases), width * per_case)
    within = np.arange(len(case)) - np.repeat(
        np.cumsum(width * per_case) - width * per_case, width * per_case
    )
    criterion, place = within // per_case, within % per_case
    rater = chosen[case, place]
    level = Curves.of(THRESHOLDS).scores(ability[case] - severity[rater] - difficulty[criterion], random)
    year = 2026 - random.integers(0, years, cases)[case]
    ratings = Ratings(
        tuple(f"C{i:07d}" for i in range(cases)),
        tuple(f"R{i:06d}" for i in range(raters)),
        tuple(f"K{i}" for i in range(criteria[1])),
        1,
        5,
        case,
        rater,
        criterion,
        level,
        year,
    )
    return ratings, severity
