"""How robustness, fairness and policies of two results differ: the part of a comparison that says it."""

from __future__ import annotations

from typing import Literal

from expert_pool.simulation.results import Part


class Gap(Part):
    """Second less first. `how`: `exact`, both figures are; `paired`, each draw of one beside the same draw of the other, with
    Student's 95% interval of the differences; `apart`, from the two 95% intervals taken together, which holds with 90 in
    100 at least, however they hang together; `range`, between the ends of two ranges. `sure`: 0 is not within."""

    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    how: Literal["exact", "paired", "apart", "range"]
    sure: bool


class ChanceDifference(Part):
    """A chance of one meeting, by its name in the result."""

    committee: str
    meeting: str
    what: str
    gap: Gap


class FewestDifference(Part):
    """The smallest absence that breaks a meeting; None where none of those looked at does."""

    committee: str
    meeting: str
    first: int | None
    second: int | None


class RobustnessCompared(Part):
    """`meetings` that both have a panel for, `same_panels` of them the same; `failing`: how many of these are expected to break a
    rule."""

    meetings: int
    same_panels: int
    failing_first: float
    failing_second: float
    differences: list[ChanceDifference]
    fewest: list[FewestDifference]


class ShareDifference(Part):
    """The share of the seats that a group of people has, by way of seating."""

    by: str
    of: str | None
    values: int
    what: Literal["even", "optimum", "near", "drawn"]
    gap: Gap


class LoadDifference(Part):
    """Gini coefficients."""

    way: Literal["optimum", "near", "drawn"]
    first: float | None
    second: float | None


class EffectDifference(Part):
    """Seats that a group gains where a rule is left out."""

    rule: str
    kind: str
    by: str
    of: str | None
    first: int
    second: int


class FairnessCompared(Part):
    """`groups` that both tell of; `same_luck`: both drew the same random numbers; `draws` that were paired."""

    groups: int
    same_luck: bool
    draws: int
    differences: list[ShareDifference]
    load: list[LoadDifference]
    rules: list[EffectDifference]


class CountDifference(Part):
    """How many panels break a rule, or what a goal costs: `name` is the id."""

    name: str
    kind: str
    first: int
    second: int


class SeatsDifference(Part):
    of: str | None
    values: int
    first: int
    second: int
    eligible_first: int
    eligible_second: int


class PolicyDifference(Part):
    """A policy that both results have, by its name. `unlawful`: the share of the panels of the history that are; of `paired`
    panels so many turned unlawful and lawful. `seats` and `costs` only where both ask about the same meetings."""

    name: dict[str, str]
    panels_first: int
    panels_second: int
    unlawful: Gap | None
    paired: int
    turned_unlawful: int
    turned_lawful: int
    rules: list[CountDifference]
    without_panel_first: int
    without_panel_second: int
    lost_first: int
    lost_second: int
    seats: list[SeatsDifference]
    costs: list[CountDifference]


class PoliciesCompared(Part):
    """`meetings` that both ask about; policies that only one of the two has, by name."""

    meetings: int
    policies: list[PolicyDifference]
    only_first: list[dict[str, str]]
    only_second: list[dict[str, str]]
