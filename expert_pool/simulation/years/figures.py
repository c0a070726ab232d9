"""Figures of the seasons, replication by replication, and what can be said of all replications that could be."""

from __future__ import annotations

from collections.abc import Sequence
from math import gamma, pi, sqrt
from statistics import NormalDist, fmean, stdev

import numpy as np

from expert_pool.simulation.years.crew import Ran, Setting, Settled
from expert_pool.simulation.years.demography import Census
from expert_pool.simulation.years.history import Node
from expert_pool.simulation.years.results import DryPart, FigurePart

SURE = 0.95
COUNTED = ("asked", "seated", "climbed", "dry", "open")
"""Figures that are numbers of committees: scaled up where a sample was looked at."""
SHARES = ("proven", "new")
CENSUS = tuple(Census.__dataclass_fields__)


def figures(setting: Setting, runs: Sequence[Ran]) -> list[FigurePart]:
    """Every figure of every season, over replications that are complete there."""
    found = []
    count = len(setting.ground.templates)
    ever: list[float] = [0.0] * len(runs)
    for season in range(setting.years.seasons):
        rows = [_season(setting, ran, season, count) for ran in runs]
        for name in dict.fromkeys(name for row in rows for name in row or {}):
            values = [None if row is None else row.get(name) for row in rows]
            most = float(count) if name in COUNTED else 1.0 if name in SHARES else None
            found.append(_figure(setting.ground.year + season, name, values, most))
        ever = [max(e, float(bool(row and row["dry"]))) for e, row in zip(ever, rows, strict=True)]
        known = [e if row is not None else None for e, row in zip(ever, rows, strict=True)]
        found.append(_chance(setting.ground.year + season, "ever_dry", known))
    return found


def _season(setting: Setting, ran: Ran, season: int, count: int) -> dict[str, float] | None:
    """The figures of one season of one replication; None where it is not complete."""
    settled = [ran.settled.get((season, at)) for at in ran.committees]
    done = [one for one in settled if one is not None]
    if len(done) < len(settled):
        return None
    scale = count / len(done)
    row: dict[str, float] = {}
    census = setting.replication(ran.number).course.census[season]
    row |= {name: float(getattr(census, name)) for name in CENSUS}
    fates = [one.fated.fate for one in done]
    row["asked"] = float(count)
    for fate in COUNTED[1:]:
        row[fate] = fates.count(fate) * scale  # type: ignore[arg-type]
    row["proven"] = sum(one.fated.status in ("optimal", "infeasible") for one in done) / len(done)
    row["eligible"] = fmean(one.eligible for one in done)
    row["declined"] = fmean(one.declined for one in done)
    seats = ran.history.seats[season]
    if len(done) == count:
        row["people"], row["most_seats"] = float((seats > 0).sum()), float(seats.max())
    new = [share for at in ran.committees if (share := _new(setting, ran, (season, at))) is not None]
    if new:
        row["new"] = fmean(new)
    row |= _levels(done)
    return row


def _levels(done: Sequence[Settled]) -> dict[str, float]:
    """The mean of each goal level over panels that keep all rules."""
    by_level: dict[int, list[int]] = {}
    for one in done:
        if one.fated.fate == "seated":
            for goal in one.fated.goals:
                by_level.setdefault(goal.level, []).append(goal.value)
    return {f"level.{level}": fmean(values) for level, values in sorted(by_level.items())}


def _new(setting: Setting, ran: Ran, node: Node) -> float | None:
    """The share of members who were not on this committee's panel before."""
    season, at = node
    members = ran.history.members.get(node)
    if members is None or not len(members):
        return None
    template = setting.ground.templates[at]
    for k in range(season - 1, -1, -1):
        before = ran.history.members.get((k, at))
        if before is not None and len(before):
            return float(1 - np.isin(members, before).mean())
    if not template.problem.previous:
        return None
    sat = template.who[sorted(template.problem.previous[0].members)]
    return float(1 - np.isin(members, sat).mean())


def _figure(year: int, name: str, values: list[float | None], most: float | None) -> FigurePart:
    """One figure; none can be below zero, nor above `most`."""
    known = [v for v in values if v is not None]
    low, high = mean_interval(known)
    if low is not None and high is not None:
        low, high = max(low, 0.0), high if most is None else min(high, most)
    return FigurePart(
        year=year,
        name=name,
        values=[None if v is None else round(v, 6) for v in values],
        mean=round(fmean(known), 6) if known else None,
        low=low,
        high=high,
    )


def _chance(year: int, name: str, values: list[float | None]) -> FigurePart:
    known = [v for v in values if v is not None]
    low, high = wilson(int(sum(known)), len(known)) if len(known) > 1 else (None, None)
    mean = round(fmean(known), 6) if known else None
    return FigurePart(year=year, name=name, values=values, mean=mean, low=low, high=high)


def dry_of(setting: Setting, runs: Sequence[Ran], numbers: dict[tuple[int, Node], int]) -> list[DryPart]:
    """Where and when the pool runs dry; `numbers`: of each replication and node, the number of its line."""
    nodes = sorted({node for ran in runs for node, one in ran.settled.items() if one.fated.fate == "dry"})
    found = []
    for node in nodes:
        looked = [(ran, ran.settled[node]) for ran in runs if node in ran.settled]
        dry = [(ran, one) for ran, one in looked if one.fated.fate == "dry"]
        needs = [one.fated.need for _, one in dry if one.fated.need is not None]
        missing = [need.missing for need in needs if need.missing is not None]
        low, high = wilson(len(dry), len(looked))
        first = next(((r, o) for r, o in dry if o.fated.need and o.fated.need.lacks), dry[0])
        need = first[1].fated.need
        found.append(
            DryPart(
                year=setting.ground.year + node[0],
                committee=node[1],
                times=len(dry),
                of=len(looked),
                chance=round(len(dry) / len(looked), 6),
                low=low,
                high=high,
                missing=(min(missing), max(missing)) if missing else None,
                hopeless=sum(need.status == "no_number_helps" for need in needs),
                lacks=[] if need is None else need.lacks,
                panel=numbers[first[0].number, node],
            )
        )
    return found


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval of a share (Wilson, JASA 1927), 95 in 100."""
    z = NormalDist().inv_cdf((1 + SURE) / 2)
    share, wide = hits / of, z * z / of
    middle = (share + wide / 2) / (1 + wide)
    half = z / (1 + wide) * sqrt(share * (1 - share) / of + wide / (4 * of))
    return round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)


def mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Student's interval of a mean, 95 in 100; None, None for fewer than two values."""
    if len(values) < 2:
        return None, None
    half = student(len(values) - 1) * stdev(values) / sqrt(len(values))
    middle = fmean(values)
    return round(middle - half, 6), round(middle + half, 6)


def student(freedom: int, at: float = (1 + SURE) / 2) -> float:
    """The quantile of Student's t with so many degrees of freedom, by bisection over its density's integral (Simpson)."""
    if freedom > 1000:
        return NormalDist().inv_cdf(at)
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2)) if freedom < 300 else None
    if scale is None:
        z = NormalDist().inv_cdf(at)
        return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    low, high = 0.0, 1000.0
    for _ in range(80):
        middle = (low + high) / 2
        # With x = sqrt(f) tan(u) the density becomes a power of a cosine on a finite span.
        end = float(np.arctan(middle / sqrt(freedom)))
        u = np.linspace(0.0, end, 2001)
        y = np.cos(u) ** (freedom - 1)
        weights = np.ones(2001)
        weights[1:-1:2], weights[2:-1:2] = 4, 2
        area = float(y @ weights) * (end / 2000) / 3
        reached = 0.5 + scale * sqrt(freedom) * area
        low, high = (middle, high) if reached < at else (low, middle)
    return (low + high) / 2
