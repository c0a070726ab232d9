"""Raters measured from a million scores; the same by a plain second estimator; false flags; scores in and out of a registry.

`python -m bench measurement`. Scores are made (`made_ratings`), with known severities and nobody bad among the raters.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from bench.made_ratings import made_ratings
from bench.measure import Stopwatch, run
from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats

KEY = bytes(range(32))


def measure_job(raters: str, cases: str, replications: str, seed: str, spread: str = "0.5") -> None:
    """Everything, from arrays to flags."""
    from expert_pool.reevaluation.measurement.measured import measure

    ratings, true = made_ratings(int(raters), int(cases), years=3, spread=float(spread), seed=int(seed))
    own = np.random.default_rng(int(seed)).random(len(ratings.cases)) < 0.3
    watch = Stopwatch()
    found = measure(ratings, replications=int(replications), own={"region": own[ratings.case]})
    value = np.array([np.nan if one.severity is None else one.severity for one in found.raters])
    held = ~np.isnan(value)
    low = np.array([np.nan if one.low is None else one.low for one in found.raters])[held]
    high = np.array([np.nan if one.high is None else one.high for one in found.raters])[held]
    middle = true[held] - true.mean()
    p = [p for one in found.raters for p in (one.chances or {}).values()]
    p += [
        change.p
        for one in found.raters
        for change in (*(one.drift or {}).values(), *(one.own or {}).values())
    ]
    watch.report(
        scores=len(ratings),
        measured=int(held.sum()),
        correlation=float(np.corrcoef(value[held], true[held])[0, 1]),
        slope=float(np.polyfit(true[held], value[held], 1)[0]),
        covered=float(np.mean((low <= middle) & (middle <= high))),
        tests=found.tests,
        flagged=len({flag.rater for flag in found.flags}),
        kinds=Counter(flag.kind for flag in found.flags),
        below=[float(np.mean(np.array(p) <= level)) for level in (0.05, 0.01, 0.001)] if p else [],
    )


def naive_job(raters: str, cases: str, seed: str) -> None:
    """The usual joint maximum likelihood, facet by facet, dense and without tables; its bias is not corrected."""
    ratings, true = made_ratings(int(raters), int(cases), seed=int(seed))
    watch = Stopwatch()
    severity, rounds = joint_estimates(ratings)
    watch.report(correlation=float(np.corrcoef(severity, true)[0, 1]), rounds=rounds)


def joint_estimates(ratings: Ratings, *, close: float = 1e-4) -> tuple[Floats, int]:
    """Severities by joint maximum likelihood (Wright & Panchapakesan 1969, Linacre 1989), cases with all marks at one end
    left out; and how many rounds it took."""
    level, steps = ratings.level, ratings.steps
    scored = np.bincount(ratings.case, level, len(ratings.cases))
    full = np.bincount(ratings.case, minlength=len(ratings.cases)) * steps
    kept = ((scored > 0) & (scored < full))[ratings.case]
    level = level[kept]
    facets = [(ratings.case[kept], len(ratings.cases), 1.0), (ratings.rater[kept], len(ratings.raters), -1.0)]
    facets.append((ratings.criterion[kept], len(ratings.criteria), -1.0))
    values = [np.zeros(size) for _, size, _ in facets]
    thresholds = np.zeros(steps)
    at = np.arange(steps + 1)
    rounds, moved = 0, 1.0
    while moved >= close and rounds < 1000:
        rounds, moved = rounds + 1, 0.0
        for facet, (index, size, sign) in enumerate(facets):
            place = sum(s * v[i] for (i, _, s), v in zip(facets, values, strict=True))
            logits = np.asarray(place)[:, None] * at - np.concatenate([[0.0], np.cumsum(thresholds)])
            mass = np.exp(logits - logits.max(axis=1)[:, None])
            mass /= mass.sum(axis=1)[:, None]
            mean = mass @ at
            variance = mass @ (at * at) - mean**2
            step = np.bincount(index, level - mean, size) / np.maximum(
                np.bincount(index, variance, size), 1e-9
            )
            step = np.clip(sign * step, -1, 1)
            values[facet] = values[facet] + step
            if facet:
                values[facet] -= values[facet].mean()
            moved = max(moved, float(np.abs(step).max()))
        given = np.array([(level > h).sum() for h in range(steps)])
        expected = np.array([mass[:, h + 1 :].sum() for h in range(steps)])
        shift = (expected - given) / np.maximum((mass[:, 1:] * (1 - mass[:, 1:])).sum(axis=0), 1e-9)
        thresholds = thresholds + np.clip(shift, -0.5, 0.5)
        thresholds -= thresholds.mean()
        moved = max(moved, float(np.abs(shift).max()))
    return values[1], rounds


def fill_job(folder: str, raters: str, cases: str) -> None:
    """A registry with people and cases, and a file of scores of them."""
    from bench.made_scores import fill

    ratings, _ = made_ratings(int(raters), int(cases), seed=1)
    watch = Stopwatch()
    fill(Path(folder), ratings)
    place = Path(folder) / "scores"
    place.mkdir()
    tables = {
        "rating_scales": [("code", "name", "low", "high"), ("S5", "S5", 1, 5)],
        "rating_criteria": [("code", "name", "scale"), *((code, code, "S5") for code in ratings.criteria)],
    }
    for name, rows in tables.items():
        with (place / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    with (place / "ratings.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "rater", "criterion", "score", "source", "holds_on"))
        fields = (ratings.case, ratings.rater, ratings.criterion, ratings.level)
        for case, rater, criterion, level in zip(*(field.tolist() for field in fields), strict=True):
            names = (ratings.cases[case], ratings.raters[rater], ratings.criteria[criterion])
            writer.writerow((*names, level + 1, "score_sheet", "2026-03-01"))
    watch.report(rows=len(ratings))


def bring_job(folder: str) -> None:
    """The file of scores into the registry."""
    from expert_pool.imports import import_tables
    from expert_pool.keys import Key
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    with open_store(f"{folder}/registry.db", key=Key(KEY)) as store:
        watch = Stopwatch()
        done = import_tables(store, Viewer.system("bench"), Path(folder) / "scores")
        watch.report(new=done.total("new"), errors=len(done.errors))


def load_job(folder: str) -> None:
    """All scores out of it, as arrays."""
    from expert_pool.keys import Key
    from expert_pool.reevaluation.scores import pool_ratings
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    with open_store(f"{folder}/registry.db", key=Key(KEY)) as store, store.reading() as session:
        watch = Stopwatch()
        ratings = pool_ratings(session, Viewer.system("bench"), "P1", date(2026, 1, 1), date(2026, 12, 31))
        watch.report(rows=0 if ratings is None else len(ratings))


def main(seeds: int, *, raters: int = 20_000, cases: int = 100_000) -> None:
    """All figures of measurement, with what the issue asks."""
    print(f"\n## Measurement: {raters:,} raters, {cases:,} cases x 3 reviewers x 3 or 4 criteria")
    for replications, asked in (("0", "must 30, stretch 10"), ("200", "must 300, stretch 120")):
        one = run("measure", str(raters), str(cases), replications, "1", seconds=7200)
        said = one.said
        print(
            f"{said['scores']:,} scores, {replications} replications: wall {one.wall:.1f} s, CPU {one.cpu:.1f} s, "
            f"peak {one.peak_mb:.0f} MB   {asked} s wall, 2,000 MB"
        )
        print(
            f"  correlation with the truth {said['correlation']:.3f}, slope {said['slope']:.3f}, intervals of 95 % hold "
            f"{said['covered']:.1%}; of {said['tests']:,} tests {said['flagged']} raters flagged; "
            f"p below 0.05, 0.01, 0.001: {', '.join(f'{share:.4f}' for share in said['below'])}",
            flush=True,
        )
    print("\n## Against joint maximum likelihood, dense (400 raters, 2,000 cases)")
    ours = [run("measure", "400", "2000", "0", str(seed)) for seed in range(1, seeds + 1)]
    theirs = [run("joint", "400", "2000", str(seed), seconds=1800) for seed in range(1, seeds + 1)]
    ratio = median(b.cpu / a.cpu for a, b in zip(ours, theirs, strict=True))
    print(
        f"CPU s: ours (with all else) {median(a.cpu for a in ours):.2f}, joint {median(b.cpu for b in theirs):.2f}, "
        f"ratio {ratio:.1f}; correlation with the truth: {median(a.said['correlation'] for a in ours):.3f} and "
        f"{median(b.said['correlation'] for b in theirs):.3f}"
    )
    print("\n## Recovery: 200 raters of some 50 scores each")
    for spread, asked in (("0.5", 0.85), ("1.0", 0.95)):
        runs = [run("measure", "200", "1000", "0", str(seed), spread) for seed in range(1, seeds + 1)]
        found = [one.said["correlation"] for one in runs]
        print(f"severity SD {spread}: correlation {median(found):.3f} [{min(found):.3f} ..]   asked {asked}")
    print("\n## Scores into a registry (SQLite) and out again")
    with TemporaryDirectory() as folder:
        run("scores_fill", folder, str(raters), str(cases), seconds=3600)
        brought = run("scores_bring", folder, seconds=7200)
        loaded = run("scores_load", folder, seconds=600)
        for name, one, count in (("import", brought, "new"), ("load", loaded, "rows")):
            print(
                f"{name} of {one.said[count]:,} scores: wall {one.wall:.1f} s, CPU {one.cpu:.1f} s, peak {one.peak_mb:.0f} MB"
            )
