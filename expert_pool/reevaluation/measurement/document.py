"""`measurement/1`: a measurement as a document. Numbers that are not known are null, with the reason beside them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from expert_pool.reevaluation.measurement.fit import MEASURES

if TYPE_CHECKING:
    from expert_pool.reevaluation.measurement.measured import Measured
    from expert_pool.reevaluation.measurement.rater_figures import Change, Figures

DIGITS = 4


class _Doc(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AlphaDoc(_Doc):
    """Krippendorff's alpha with its 95 % interval over cases. `value` null: nothing to agree about."""

    value: float | None
    low: float | None
    high: float | None
    pairable: int = Field(ge=0)


class ChangeDoc(_Doc):
    """A difference in severity (logits; negative: milder), in score `points` given, over `cases` against `others`."""

    severer: float
    error: float
    points: float
    cases: int
    others: int
    p: float = Field(ge=0, le=1)


class RaterDoc(_Doc):
    """One rater. `why` is a message id when there are no figures."""

    rater: str
    scores: int
    cases: int
    component: int | None
    why: str | None
    average: float
    severity: float | None
    error: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    fair_average: float | None
    infit: float | None
    outfit: float | None
    spread: float | None
    halo: float | None
    agreement: float | None
    chances: dict[str, float]
    drift: dict[str, ChangeDoc]
    own: dict[str, ChangeDoc]


class ComponentDoc(_Doc):
    """A linked set of raters. Severities of different sets must not be compared."""

    number: int
    raters: int
    measured: int
    cases: int
    scores: int
    spread: float | None
    reliability: float | None
    alike: float | None


class CommonDoc(_Doc):
    """How much severer (negative: milder) raters in general are with their own."""

    kind: str
    severer: float | None
    error: float | None
    own: int
    others: int
    p: float | None


class OverlapDoc(_Doc):
    """Raters of different sets who should score so many cases together."""

    raters: tuple[str, ...] = Field(min_length=2)
    cases: int = Field(ge=1)


class FlagDoc(_Doc):
    """Something to look at. It decides nothing."""

    rater: str
    kind: str
    figures: dict[str, float | int | str | None]
    p: float = Field(ge=0, le=1)
    q: float = Field(ge=0, le=1)


class MeasurementDocument(_Doc):
    """All that was measured from one set of written scores."""

    format: Literal["measurement/1"] = "measurement/1"
    named: str
    scale: tuple[int, int]
    elsewhere: int
    levels: tuple[tuple[int, int], ...]
    thresholds: tuple[float, ...]
    criteria: dict[str, float]
    at_least: int
    rate: int
    seed: int
    replications: int
    stopped: bool
    settled: bool
    comparable: Literal["all", "within_components", "none"]
    interval: Literal["bootstrap", "normal"]
    scores: int
    cases: int
    agreement: dict[str, AlphaDoc]
    tests: int
    flags: tuple[FlagDoc, ...]
    components: tuple[ComponentDoc, ...]
    bridges: tuple[tuple[str, str], ...]
    overlaps: tuple[OverlapDoc, ...]
    common: tuple[CommonDoc, ...]
    raters: tuple[RaterDoc, ...]


def written(measured: Measured) -> dict[str, Any]:
    """A measurement as plain data, numbers to four digits."""
    comparable = "none" if not measured.components else "all" if measured.connected else "within_components"
    return {
        "format": "measurement/1",
        "named": measured.named,
        "scale": list(measured.scale),
        "elsewhere": measured.elsewhere,
        "levels": [list(bounds) for bounds in measured.bounds],
        "thresholds": [_number(value) for value in measured.thresholds],
        "criteria": {name: _number(value) for name, value in measured.criteria.items()},
        "at_least": measured.at_least,
        "rate": measured.rate,
        "seed": measured.seed,
        "replications": measured.replications,
        "stopped": measured.stopped,
        "settled": measured.settled,
        "comparable": comparable,
        "interval": "bootstrap" if measured.replications else "normal",
        "scores": measured.scores,
        "cases": measured.cases,
        "agreement": {name: _fields(one, AlphaDoc) for name, one in measured.agreement.items()},
        "tests": measured.tests,
        "flags": [
            {
                "rater": flag.rater,
                "kind": flag.kind,
                "figures": {
                    name: value if isinstance(value, int | str) else _number(value)
                    for name, value in flag.figures.items()
                },
                "p": flag.p,
                "q": flag.q,
            }
            for flag in measured.flags
        ],
        "components": [_fields(one, ComponentDoc) for one in measured.components],
        "bridges": [list(pair) for pair in measured.bridges],
        "overlaps": [{"raters": list(raters), "cases": cases} for raters, cases in measured.overlaps],
        "common": [_fields(one, CommonDoc) for one in measured.common],
        "raters": [_rater(one) for one in measured.raters],
    }


def _rater(one: Figures) -> dict[str, Any]:
    plain = ("severity", "error", "low", "high", "shrunk", "fair_average", *MEASURES)
    return {
        "rater": one.rater,
        "scores": one.scores,
        "cases": one.cases,
        "component": one.component,
        "why": one.why,
        "average": _number(one.average),
        **{name: _number(getattr(one, name)) for name in plain},
        "chances": dict(one.chances or {}),
        "drift": {str(year): _change(change) for year, change in (one.drift or {}).items()},
        "own": {kind: _change(change) for kind, change in (one.own or {}).items()},
    }


def _change(change: Change) -> dict[str, Any]:
    return _fields(change, ChangeDoc)


def _fields(one: Any, shape: type[BaseModel]) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in shape.model_fields}
    return {
        name: value if name in ("p", "alike") and value is not None else _number(value)
        for name, value in found.items()
    }


def _number(value: Any) -> Any:
    """A number rounded; what is not one as it is, what is not finite as null."""
    if not isinstance(value, float):
        return value
    return round(value, DIGITS) if isfinite(value) else None
