"""Two results of years ahead side by side: season by season the difference in each replication, which had the same luck."""

from __future__ import annotations

from statistics import fmean

from expert_pool.simulation.years.figures import mean_interval
from expert_pool.simulation.years.outcome import Part
from expert_pool.simulation.years.results import YearsPart


class YearDifference(Part):
    """Second less first, paired by replication, with an interval that holds the mean difference with 95 in 100 (Student's, of
    the paired differences). `sure`: that interval does not hold 0."""

    year: int
    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    sure: bool


class YearsCompared(Part):
    """`paired`: so many replications that both have. `same_luck`: both drew the same random numbers, so that what differs is
    the scenarios' doing. `dry_first`, `dry_second`: panels missing in all of them."""

    paired: int
    same_luck: bool
    differences: list[YearDifference]
    dry_first: int
    dry_second: int


def compare_years(first: YearsPart, second: YearsPart, same_luck: bool) -> YearsCompared:
    """What differs between two results, figure by figure."""
    theirs = {(figure.year, figure.name): figure for figure in second.figures}
    found = []
    for figure in first.figures:
        other = theirs.get((figure.year, figure.name))
        if other is None:
            continue
        pairs = [
            (a, b)
            for a, b in zip(figure.values, other.values, strict=False)
            if a is not None and b is not None
        ]
        if not pairs:
            continue
        gaps = [b - a for a, b in pairs]
        low, high = mean_interval(gaps)
        if any(gaps):
            found.append(
                YearDifference(
                    year=figure.year,
                    name=figure.name,
                    first=round(fmean(a for a, _ in pairs), 6),
                    second=round(fmean(b for _, b in pairs), 6),
                    difference=round(fmean(gaps), 6),
                    low=low,
                    high=high,
                    sure=low is not None and high is not None and not low <= 0 <= high,
                )
            )
    shared = min(first.replications, second.replications)
    return YearsCompared(
        paired=shared,
        same_luck=same_luck,
        differences=found,
        dry_first=sum(p.outcome.fate == "dry" and p.replication < shared for p in first.panels),
        dry_second=sum(p.outcome.fate == "dry" and p.replication < shared for p in second.panels),
    )
