"""What an explanation says: `explanation/1`."""

from __future__ import annotations

from typing import Literal

from solver.answer import Part, ProblemRef, RuleResult, Saying, Stopped
from solver.moves import Moves, Stand
from solver.problem import Effect
from solver.rules.base import Status as BasisStatus

FoundBy = Literal["present", "swap", "search"]
Verdict = Literal["barred", "excluded", "impossible", "costs", "equal", "better", "open"]


class LevelChange(Part):
    """One goal level, in the units of the level: what the changed panel costs more than the present one there.

    `most`: of the best panel found. `least`: proven of every panel, as long as no level before differs. None: nothing
    was found, or nothing is proven.
    """

    id: str
    level: int
    unit: int
    most: int | None
    least: int | None


class Change(Part):
    """What one change does to the best panel there is. Negative differences are gains.

    Levels are compared in their order: the first that differs is what counts. `proven`: that much is exact, though
    levels after it may not be. `found_by`: whether the panel came from a swap of one person (any better one is still
    possible down to `least`), from a search, or is the `present` one.
    """

    outcome: Literal["found", "impossible", "open"]
    proven: bool
    found_by: FoundBy | None
    stopped_by: Stopped | None
    levels: list[LevelChange]
    people: Moves | None


class MemberWhy(Part):
    """Somebody who sits or waits: what they serve, and the best panel without them (`impossible`: they cannot be
    replaced)."""

    expert: str
    at: Stand
    serves: list[Saying]
    without: Change


class Conflict(Part):
    """A conflict that keeps somebody out; `why` is the problem's reference to the relation behind it."""

    kind: str
    effect: Effect
    expert: str | None
    case: str | None
    why: str
    basis: str
    basis_status: BasisStatus


class GateBar(Part):
    """A gate that bars an expert from some groups: what is on record and what is required, or the conflicts."""

    id: str
    rule: str
    groups: list[str]
    everywhere: bool
    says: Saying
    conflicts: list[Conflict]
    basis: str
    basis_status: BasisStatus


class Decision(Part):
    by: str
    why: str


class OutsiderWhy(Part):
    """Somebody who has no place in the panel, and why.

    `barred`: no group is open to them. `excluded`: by decision. `impossible`: no lawful panel seats them, `clash` names
    the rules. `costs`, `equal`, `better`: what the best panel found that seats them is against the present one, in
    `seated`. `open`: none was found and none was ruled out.
    """

    expert: str
    verdict: Verdict
    open_groups: list[str]
    gates: list[GateBar]
    excluded: Decision | None
    conflicts: list[Conflict]
    seated: Change | None
    clash: list[Saying]


class RuleWhy(Part):
    """One rule on this panel (`result`: value, bounds, margin), and what it costs.

    `dropped`: the best panel without the rule. `eased`: with every number of the rule one seat softer (for group sizes
    one seat wider either way, for alternates without the demand that no-shows be survived). None where that would be no
    question. `bars_alone`: how many experts only this gate keeps out of every group.
    """

    result: RuleResult
    bars_alone: int | None
    dropped: Change | None
    eased: Change | None


class LevelCost(Part):
    id: str
    level: int
    unit: int
    cost: int


class Explanation(Part):
    """`explanation/1`. All costs and differences are in the units of their level (`unit`).

    `lawful`: the panel explained keeps every hard rule. `exact`: whether searches were made, or only swaps and prices.
    """

    format: Literal["explanation/1"] = "explanation/1"
    problem: ProblemRef
    mode: Literal["lexicographic", "weighted"]
    exact: bool
    lawful: bool
    stopped_by: Stopped | None
    levels: list[LevelCost]
    members: list[MemberWhy]
    outsiders: list[OutsiderWhy]
    rules: list[RuleWhy]
