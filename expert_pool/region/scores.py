"""Written scores for the made region: reviewers whose severity is known, so that a measurement can be held against it.

Scores follow the many-facet rating scale model (Linacre, 1989): the log odds of each next point are the worth of the case less
the reviewer's severity, the criterion's difficulty and the step.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from expert_pool.region.tables import OFFICE
from expert_pool.region.world import TODAY
from solver.errors import Fault

SCALE = "S5"
CRITERIA = {
    "C-WORK": ("工作业绩", -0.3),
    "C-PAPER": ("学术成果", 0.4),
    "C-SKILL": ("专业能力", 0.0),
    "C-TEAM": ("带教培养", 0.2),
}
STEPS = (-1.8, -0.6, 0.6, 1.8)
LOWEST = 1


@dataclass(frozen=True, slots=True)
class ScoreFiles:
    """Where the sheets lie, the severity in logits of every reviewer (code), and how many scores there are."""

    folder: Path
    severities: Mapping[str, float]
    rows: int


def write_scores(
    made: Path, *, seed: int, reviewers: int = 3, spread: float = 0.5, today: date = TODAY
) -> ScoreFiles:
    """Score every case in the import sheets of a made region (folder `made`) by so many members of the provincial pool, on
    each criterion from 1 to 5, and write the sheets into `made/scores`; same seed, same bytes. `spread`: the standard
    deviation of severities in logits.

    Raises Fault `region.scores_few` (fewer members than reviewers of a case), `region.not_writable`.
    """
    cases = sorted(row["code"] for row in _read(made / "cases.csv"))
    pool = sorted({row["expert"] for row in _read(made / "memberships.csv") if row["step"] == "admitted"})
    if len(pool) < reviewers or not cases:
        raise Fault("region.scores_few", str(made), members=len(pool), reviewers=reviewers, cases=len(cases))
    rng = np.random.default_rng([seed, 77])
    called = pool[: max(reviewers, min(len(pool), len(cases) * reviewers * len(CRITERIA) // 60))]
    severity = rng.normal(0.0, spread, len(called))
    who = np.array([rng.choice(len(called), reviewers, replace=False) for _ in cases])
    worth = rng.normal(0.3, 1.0, len(cases))
    hard = np.array([difficulty for _, difficulty in CRITERIA.values()])
    logit = worth[:, None, None] - severity[who][:, :, None] - hard[None, None, :]
    steps = np.concatenate([[0.0], np.cumsum(STEPS)])
    weight = np.exp(np.arange(len(steps)) * logit[..., None] - steps)
    bounds = np.cumsum(weight / weight.sum(axis=-1, keepdims=True), axis=-1)
    score = LOWEST + (rng.random(logit.shape)[..., None] > bounds).sum(axis=-1)
    on = (today - timedelta(days=10)).isoformat()
    names = list(CRITERIA)
    rows = [
        (cases[c], called[who[c, r]], names[k], str(score[c, r, k]), "score_sheet", on, OFFICE)
        for c in range(len(cases))
        for r in range(reviewers)
        for k in range(len(names))
    ]
    folder = made / "scores"
    try:
        folder.mkdir(exist_ok=True)
        scale = ("code", "name", "low", "high", "organiser")
        _write(folder / "rating_scales.csv", scale, [(SCALE, "五分制（虚构）", "1", "5", OFFICE)])
        told = [(code, name, SCALE) for code, (name, _) in CRITERIA.items()]
        _write(folder / "rating_criteria.csv", ("code", "name", "scale"), told)
        heads = ("case", "rater", "criterion", "score", "source", "holds_on", "organiser")
        _write(folder / "ratings.csv", heads, rows)
    except OSError as trouble:
        raise Fault("region.not_writable", str(folder), said=trouble.strerror or str(trouble)) from None
    known = dict(zip(called, severity.tolist(), strict=True))
    return ScoreFiles(folder, {code: known[code] for code in sorted(known)}, len(rows))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
