"""What came of the blocks `robustness`, `fairness` and `policies`; panels by their keys in the result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solver.answer import GoalResult, Part, Saying, Status
from solver.forecast import Forecast


class ChancePart(Part):
    """A probability; `exact`, or with its 95% interval."""

    chance: float
    low: float
    high: float
    exact: bool


class BreakPart(Part):
    """One thing that absences may break: a rule by its id and `kind`, `attended` (the quorum) or `presides`. `fewest`: the smallest
    absence that breaks it, None where none of up to `looked` people does; `proven`: nothing smaller does; `meeting`: the
    panel that then meets; `says`: what is wrong with it."""

    id: str
    kind: str
    kept: ChancePart
    fewest: int | None
    looked: int
    proven: bool
    absent: list[str]
    meeting: str | None
    says: list[Saying]


class AlternatePart(Part):
    """An alternate: how likely they take a seat, and by how much the meeting is likelier to be lawful, and to have its
    quorum, than without them. `low`, `high`: the interval of `lawful`."""

    expert: str
    group: str
    order: int
    called: float
    lawful: float
    low: float
    high: float
    quorum: float


class RobustPart(Part):
    """One panel. `lawful`: every hard rule holds for those who meet, and somebody presides; `quorum`: enough come.
    `unreplaced`: both where those who decline are not replaced either. `invited`: what to expect of the invitations;
    `rounds` of them fit into the notice; `seated`: the chance that all accept within these."""

    base: int
    status: Status
    panel: str | None
    people: int
    mean_rate: float
    lawful: ChancePart | None
    quorum: ChancePart | None
    unreplaced_lawful: ChancePart | None
    unreplaced_quorum: ChancePart | None
    invited: Forecast | None
    rounds: int | None
    seated: float | None
    breaks: list[BreakPart]
    alternates: list[AlternatePart]
    fewest: int | None
    weakest: str | None


class RobustnessPart(Part):
    """Every panel asked about. `failing`: how many meetings are expected to break a rule; `all_lawful`: the chance that
    none does, if they are independent."""

    panels: list[RobustPart]
    failing: float | None
    all_lawful: float | None
    complete: bool


class SharePart(Part):
    """A share 0..1 of the seats, with what bounds it."""

    share: float
    low: float
    high: float


class GroupPart(Part):
    """A group of experts: value `of` of a fact. Shares are of all seats: what `even` chance among the eligible of each
    review group gives (95% of draws), the optimum, near-optimal panels (least to most), today's draw (mean, 95%
    interval). `draws`: the share in each of today's draws, None where a meeting's draw failed. None of it is shown of
    fewer than `smallest` people: `of` is then null, they are told together."""

    by: str
    of: str | None
    values: int
    pool: int
    eligible: int
    seats: int
    even: SharePart
    optimum: float
    near: SharePart | None
    drawn: SharePart | None
    draws: list[float | None] = Field(default_factory=list)


class LoadPart(Part):
    """How seats are spread over those eligible for any of the panels, by way of seating. `even`: the Gini that even
    chance gives (95%)."""

    way: Literal["optimum", "near", "drawn"]
    panels: int
    people: int
    seated: int
    gini: float | None
    top_tenth: float | None
    hhi: float | None
    even_low: float | None
    even_high: float | None


class EffectPart(Part):
    """What one rule does to one group: how many more (or fewer) of its people would be eligible without it, and how many
    more seats it would have in the optimum."""

    by: str
    of: str | None
    eligible: int
    seats: int


class RuleEffectPart(Part):
    """A rule left out, all else the same, every panel solved anew. `open`: meetings for which that was not proven."""

    rule: str
    kind: str
    panels: list[str]
    unchanged: int
    open: int
    effects: list[EffectPart]


class DrawsPart(Part):
    """What came of today's draw: per panel so many draws begun and people exchanged, on average. `failed`: panels that
    did not come about."""

    procedure: Literal["reject", "repair"]
    panels: list[list[str]]
    starts: float
    exchanges: float
    failed: int


class FairnessPart(Part):
    smallest: int
    groups: list[GroupPart]
    load: list[LoadPart]
    rules: list[RuleEffectPart]
    optimum: list[str]
    near: list[list[str]]
    near_within: str | None
    draws: DrawsPart | None
    complete: bool


CONFLICT = "conflict"
"""The kind of a difference that is about a kind of conflict, not about a rule."""


class RuleDifferencePart(Part):
    """A rule that a policy states otherwise than the first: added, dropped, or a field from one value to another; of `kind`
    CONFLICT a kind of conflict (`rule`), how far back it counts (`window`) or what follows (`effect`)."""

    rule: str
    kind: str
    field: str | None
    first: str | None
    other: str | None


class PolicyPart(Part):
    """A policy compared; `sha256` of the file it stands on, where it has one."""

    name: dict[str, str]
    policy: str | None
    sha256: str | None
    differences: list[RuleDifferencePart]


class BrokenPart(Part):
    rule: str
    kind: str
    says: Saying
    experts: list[str]
    cases: list[str]
    basis: str


class VerdictPart(Part):
    """What the checker says of one panel under one policy. `absent`: members whom the policy's problem does not know."""

    policy: int
    lawful: bool
    broken: list[BrokenPart]
    absent: int


class HistoryPart(Part):
    """A panel of the history, held against every policy. `code`: its record, where it has one; `draw`: the number of a drawn
    one within its meeting."""

    base: int
    panel: str
    code: str | None
    draw: int | None = None
    verdicts: list[VerdictPart]


class CasePart(Part):
    """A case with fewer close peers who may judge it than asked, under a policy: in the panel that is best then, and
    among all who are eligible."""

    base: int
    case: str
    specialty: str
    seated: int
    seated_first: int
    eligible: int
    eligible_first: int


class AssembledPart(Part):
    """A meeting assembled anew under a policy. `first_costs`: what the panel costs by the goals of the first policy, and
    `first_lawful`, whether it is lawful there."""

    policy: int
    base: int
    status: Status
    panel: str | None
    goals: list[GoalResult]
    first_costs: dict[int, int]
    first_lawful: bool | None
    kept: int | None
    why_not: list[Saying]


class PolicyGroupPart(Part):
    """A group of people under a policy: eligible, and seats in the panels assembled anew; `first`: those that it has under
    the first policy. Seats of the `meetings` that both can seat."""

    policy: int
    of: str | None
    values: int
    pool: int
    eligible: int
    seats: int
    first: int
    meetings: int


class CostPart(Part):
    """What a level of the first policy's goals comes to over the meetings that both can seat; `rises`: in so many."""

    policy: int
    level: int
    goal: str
    first: int
    other: int
    meetings: int
    rises: int


class PoliciesPart(Part):
    """Policies on the same history. `rules`: the kind of every rule by its id. `lost`: of each policy the cases that have close peers enough under the first and no
    longer; `unsettled`: meetings that a limit kept from a proof; `sealed`: those whose panel may not be seen yet."""

    policies: list[PolicyPart]
    rules: dict[str, str]
    by: str
    smallest: int
    peers: int
    history: Literal["past", "optimum", "drawn"]
    cases: int
    meetings: int
    panels: list[HistoryPart]
    assembled: list[AssembledPart]
    lost: list[list[CasePart]]
    groups: list[PolicyGroupPart]
    costs: list[CostPart]
    unsettled: int
    sealed: int
    complete: bool
