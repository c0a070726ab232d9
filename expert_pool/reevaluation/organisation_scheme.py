"""How committees and organisers are appraised, as data: indicators, what they lead to, and the ladder rectify, suspend,
withdraw. Presets lie in `schemes/organisations/`; every number has a basis, and where no text gives one it is ours."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field

from expert_pool.policies.document import BasisDoc, Doc, Words
from expert_pool.policies.located import Located, nearest, read
from expert_pool.policies.parsing import parsed
from solver.errors import Fault
from solver.rules.base import Share


class Measure(StrEnum):
    """What may be proposed for a committee or organiser, the gravest last."""

    KEEP = "keep"
    LOOK = "look"
    """Somebody is to look; nothing follows by itself."""
    RECTIFY = "rectify"
    SUSPEND = "suspend"
    WITHDRAW = "withdraw"


MEASURES = tuple(Measure)


class Indicator(StrEnum):
    """What is counted; each figure names the rows behind it."""

    OVERRIDES = "overrides"
    """Parameters of the policy that were set otherwise for panels of the period."""
    FAILED_CHECKS = "failed_checks"
    """Approved panels that break a hard rule."""
    REPLACED_ON_THE_DAY = "replaced_on_the_day"
    """Panels made anew on the day of the meeting or later."""
    SEALS_OPENED = "seals_opened"
    """Looks at who sits, before the day."""
    UNFILED_SITTINGS = "unfiled_sittings"
    """Sittings on a day on which the pool or the committee was not filed."""
    UNFILED_RESULTS = "unfiled_results"
    """Seasons whose results were never filed, once the days to do so are over."""
    LATE_RESULTS = "late_results"
    """Seasons whose results were filed after those days."""
    COMPLAINTS_UPHELD = "complaints_upheld"
    PASS_RATE = "pass_rate"  # noqa: S105
    """Cases passed, of those reviewed, as published."""


RATES = frozenset({Indicator.PASS_RATE, Indicator.COMPLAINTS_UPHELD})
"""Indicators that are so many of so many cases."""

About = Literal["committee", "organiser"]


class StepDoc(Doc):
    """A measure, for how many months (a withdrawal without: for good)."""

    measure: Measure
    months: int | None = Field(default=None, ge=1, le=120)


class CountDoc(Doc):
    """So many within one calendar year, or the scheme's whole period, lead to a measure."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    indicator: Indicator
    at_least: int = Field(ge=1)
    within: Literal["calendar_year", "period"] = "period"
    about: About = "committee"
    proposal: StepDoc
    basis: BasisDoc


class CapDoc(Doc):
    """A pass rate above a cap, from so many cases on."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    above: Share
    from_cases: int = Field(default=30, ge=1)
    proposal: StepDoc
    basis: BasisDoc


class FunnelDoc(Doc):
    """A rate outside the exact binomial limits around that of all committees of the level. Statistics only ask for a
    look."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    indicator: Literal[Indicator.PASS_RATE, Indicator.COMPLAINTS_UPHELD]
    side: Literal["low", "high", "both"] = "both"
    proposal: Literal[Measure.LOOK] = Measure.LOOK
    basis: BasisDoc


class LadderDoc(Doc):
    """Whoever was under a measure within so many months and gives cause again goes one rung up; how long each lasts."""

    within_months: int = Field(ge=1, le=120)
    suspend_months: int = Field(ge=1, le=120)
    basis: BasisDoc


class OrganisationSchemeDoc(Doc):
    """The file as a whole."""

    format: Literal["organisation-scheme/1"]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(min_length=1)
    title: Words
    instruments: dict[str, Words]
    months: int = Field(default=24, ge=1, le=120)
    """How far back indicators count."""
    reply_days: int = Field(default=10, ge=1, le=90)
    """Working days that a committee or organiser has to answer before a measure is confirmed."""
    results_within_days: int = Field(default=60, ge=1, le=730)
    """Days after the last sitting of a season in which its results are to be filed."""
    counts: tuple[CountDoc, ...] = ()
    caps: tuple[CapDoc, ...] = ()
    funnels: tuple[FunnelDoc, ...] = ()
    ladder: LadderDoc | None = None


class OrganisationScheme(Doc):
    """A scheme that holds together, and the hash of its text."""

    doc: OrganisationSchemeDoc
    sha256: str


def organisation_schemes() -> tuple[str, ...]:
    """The presets by name."""
    names = (file.name for file in _folder().iterdir() if file.name.endswith(".yaml"))
    return tuple(sorted(name.removesuffix(".yaml") for name in names))


def load_organisation_scheme(name_or_path: str | Path) -> OrganisationScheme:
    """A preset by name, or a scheme file.

    Raises Fault: `scheme.unknown`, `scheme.unreadable`, `policy.*` for what is no such document (with file and line), and
    `scheme.instrument_unknown`, `organisations.rule_twice`, `organisations.lasting` for what does not hold together.
    """
    known = organisation_schemes()
    name = str(name_or_path)
    if name in known:
        content, name = (_folder() / f"{name}.yaml").read_bytes(), f"{name}.yaml"
    else:
        path = Path(name)
        if not path.suffix and not path.exists():
            near = nearest(name, known)
            raise Fault("scheme.unknown", name, name=name, nearest=near, known=", ".join(known))
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Fault("scheme.unreadable", name, why=error.strerror or type(error).__name__) from None
    located = read(content, name)
    doc = parsed(OrganisationSchemeDoc, located, (), located.data)
    _hold_together(doc, located)
    return OrganisationScheme(doc=doc, sha256=hashlib.sha256(content).hexdigest())


def _folder() -> resources.abc.Traversable:
    return resources.files("expert_pool.reevaluation") / "schemes" / "organisations"


def _hold_together(doc: OrganisationSchemeDoc, located: Located) -> None:
    seen: set[str] = set()
    lists: dict[str, tuple[CountDoc | CapDoc | FunnelDoc, ...]] = {
        "counts": doc.counts,
        "caps": doc.caps,
        "funnels": doc.funnels,
    }
    for list_, entries in lists.items():
        for number, entry in enumerate(entries):
            if entry.id in seen:
                raise Fault("organisations.rule_twice", located.at((list_, number)), id=entry.id)
            seen.add(entry.id)
            _known(entry.basis, doc, located.at((list_, number, "basis", "instrument")))
            if not isinstance(entry, FunnelDoc):
                _lasts(entry.proposal, located.at((list_, number, "proposal")))
    if doc.ladder is not None:
        _known(doc.ladder.basis, doc, located.at(("ladder", "basis", "instrument")))


def _known(basis: BasisDoc, doc: OrganisationSchemeDoc, where: str) -> None:
    if basis.instrument not in doc.instruments:
        known = ", ".join(sorted(doc.instruments))
        raise Fault("scheme.instrument_unknown", where, instrument=basis.instrument, known=known)


def _lasts(step: StepDoc, where: str) -> None:
    """Rectifying has a term, a suspension a length; a withdrawal has none, nor has a look."""
    lasting = step.measure in (Measure.RECTIFY, Measure.SUSPEND)
    if lasting != (step.months is not None):
        raise Fault("organisations.lasting", where, measure=str(step.measure))
