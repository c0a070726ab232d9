"""The blocks `robustness`, `fairness` and `policies` of a scenario: what is asked of a panel beside its optimum."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from expert_pool.policies.document import Words
from expert_pool.simulation.edits import AnyEdit, Doc, Name, Supposed
from solver.rules.base import Share
from solver.screened_draw import Procedure

Percent = Annotated[int, Field(ge=0, le=100)]
Panels = Annotated[int, Field(ge=1, le=5_000)]


class RateDoc(Doc):
    """A rate of each expert in percent: a fact of the problem where it has it and knows it, else `default`."""

    fact: Name
    default: Percent


class OddsDoc(Doc):
    """With so many days of notice or fewer, the odds of staying away are `times` as high."""

    within: int = Field(ge=0, le=365)
    times: float = Field(gt=0, le=100)


class NoticeDoc(Doc):
    """How many days people know before the meeting. A round of invitations takes `round`; `odds`: the first line that the
    notice falls within counts."""

    days: int = Field(ge=0, le=365)
    round: int = Field(default=7, ge=1, le=90)
    odds: tuple[OddsDoc, ...] = ()


class RobustnessDoc(Doc):
    """How likely the panel keeps together. The defaults of the rates are our own guesses. `quorum`: the part of the seats
    that must be taken; `samples`: panels drawn where an exact chance is out of reach; `smallest`: absences of up to so
    many people are searched for one that breaks the meeting."""

    no_shows: RateDoc = RateDoc(fact="no_show_rate", default=5)
    declines: RateDoc = RateDoc(fact="decline_rate", default=20)
    notice: NoticeDoc | None = None
    quorum: Share = Fraction(2, 3)
    samples: int = Field(default=4_000, ge=100, le=1_000_000)
    smallest: int = Field(default=8, ge=1, le=40)


class NearDoc(Doc):
    """Panels within a part of the optimum of the first goal level, each as unlike those before it as can be."""

    panels: int = Field(default=6, ge=2, le=50)
    within: Share = Fraction(1, 20)


class DrawDoc(Doc):
    """Today's draw with screening, as `solver.screened_draw` states it; so many `panels`, and so many `starts` for one."""

    procedure: Procedure = "repair"
    panels: Panels = 100
    starts: int = Field(default=1_000, ge=1, le=1_000_000)


class FairnessDoc(Doc):
    """Who is seated. `by`: facts, and `specialty` (default: those of FACTS that the problem knows); `bands`: where
    whole numbers are cut; `rules`: those left out one by one (default all that may be); `smallest`: groups of fewer people
    are shown together only."""

    by: tuple[Name, ...] | None = None
    bands: dict[Name, tuple[int, ...]] = Field(default={"age": (35, 45, 55, 65)})
    near: NearDoc | None = NearDoc()
    draw: DrawDoc | None = DrawDoc()
    rules: tuple[Name, ...] | None = None
    smallest: int = Field(default=5, ge=1, le=1_000)


class PolicyDoc(Doc):
    """A policy that is compared: the base's own, or a preset or file (of the registry's meetings only), with other numbers
    (`overrides`, as of the base: of the registry's meetings only) and changes."""

    name: Words
    policy: Name | None = None
    overrides: dict[Name, Supposed] = Field(default={})
    change: tuple[AnyEdit, ...] = ()


class HistoryDoc(Doc):
    """The panels that are held against each policy: `past` as recorded for the meetings asked about, the `optimum` under
    the first policy, or `drawn` under it as offices draw today, `count` for each meeting."""

    panels: Literal["past", "optimum", "drawn"] = "optimum"
    count: Panels = 20
    draw: DrawDoc = DrawDoc()


class PoliciesDoc(Doc):
    """Policies on the same history; the first is what the others are measured by. `peers`: how many close peers a case
    must have (default as the first policy asks, else 1); `by`: the fact by which effects on people are told."""

    compare: tuple[PolicyDoc, ...] = Field(min_length=2, max_length=6)
    history: HistoryDoc = HistoryDoc()
    peers: int | None = Field(default=None, ge=1, le=100)
    by: Name = "sector"
    smallest: int = Field(default=5, ge=1, le=1_000)
