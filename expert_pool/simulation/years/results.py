"""What the years ahead came to: figures with intervals, where and when the pool runs dry, the plan, and every panel."""

from __future__ import annotations

from typing import Literal

from expert_pool.simulation.years.document import RecruitsDoc
from expert_pool.simulation.years.outcome import Fated, LackPart, Part


class CommitteePart(Part):
    """A committee. `number` is what `dry` and `panels` name it by."""

    number: int
    committee: str
    meeting: str
    title: str


class FigurePart(Part):
    """A figure of a season: its value in each replication, the mean, and an interval that holds the mean of all replications
    that could be with 95 in 100; null where one replication says nothing of others."""

    year: int
    name: str
    values: list[float | None]
    mean: float | None
    low: float | None
    high: float | None


class DryPart(Part):
    """A committee that has no panel in a year, in `times` of `of` replications that looked at it; the chance of it with an
    interval (Wilson, 95 in 100). `missing`: fewest and most people that would have been enough, over the replications where
    that is known; `hopeless`: so often no number of people helps. `lacks` are those of the first such panel."""

    year: int
    committee: int
    times: int
    of: int
    chance: float
    low: float
    high: float
    missing: tuple[int, int] | None
    hopeless: int
    lacks: list[LackPart]
    panel: int


class PlanPart(Part):
    """Recruits with whom no season of any replication runs dry. `recruits` may be copied into a scenario.

    `found`: shown by simulating every replication with them; `minimal`: so is that without any one of them some panel is
    missing. That no smaller plan of other people would do is not proven. `hopeless`: panels that no number of people helps,
    or that are missing today; the plan is for the others.
    """

    status: Literal["none_needed", "found", "too_many", "undecided", "stopped"]
    count: int
    recruits: list[RecruitsDoc]
    minimal: bool
    rounds: int
    hopeless: int
    dry_without: int
    dry_with: int


class LinePart(Part):
    """A panel of a season, or what there is in its place. `key` names the problem by all that it follows from; `there` could
    be asked and said yes, `declined` said no, `eligible` pass the gates."""

    number: int
    replication: int
    year: int
    committee: int
    key: str
    there: int
    declined: int
    eligible: int
    outcome: Fated


class YearsPart(Part):
    """`sampled`: how many committees each replication looked at, where not all; figures are then estimates for all.
    `proven` of `panels` are proven best, or proven not to exist."""

    years: list[int]
    replications: int
    sampled: int | None
    committees: list[CommitteePart]
    figures: list[FigurePart]
    dry: list[DryPart]
    first_dry: list[int | None]
    plan: PlanPart | None
    panels: list[LinePart]
    proven: int
    complete: bool
