"""A scheme: how a cycle of re-evaluation judges, as data. Points, grades, counts, conditions, repair, who decides.

Presets lie in `schemes/`. Every number has a basis (instrument, article, how sure we are of it); where no text gives one it
is ours and says so.
"""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field

from expert_pool.policies.document import BasisDoc, Doc, Words
from expert_pool.policies.located import Located, nearest, read
from expert_pool.policies.parsing import parsed
from expert_pool.registry import Outcome
from solver.errors import Fault
from solver.facts import Where


class Measure(StrEnum):
    """What a cycle may propose for an expert, the gravest last."""

    KEEP = "keep"
    LOOK = "look"
    """Somebody is to look; nothing follows by itself."""
    LOWER = "lower"
    """Drawn less often, for a time (降频)."""
    RETRAIN = "retrain"
    SUSPEND = "suspend"
    EXIT = "exit"
    BAN = "ban"


MEASURES = tuple(Measure)

LASTING = frozenset({Measure.LOWER, Measure.SUSPEND, Measure.BAN})
"""Measures with an end; of these only a ban may be for life."""


class ProposalDoc(Doc):
    """A measure, for how many months (a ban without: for life), and who decides it."""

    measure: Measure
    months: int | None = Field(default=None, ge=1, le=1200)
    decided_by: Literal["two_persons", "office"] = "two_persons"


class EventDoc(Doc):
    """Something that happened, how it is recorded (the outcome of a service, or a credit record under one of these names),
    and what it does to the points. `most`: how many count in one period."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Words
    outcome: Outcome | None = None
    credit: tuple[str, ...] = ()
    points: int = Field(ge=-1000, le=1000)
    most: int | None = Field(default=None, ge=1)
    basis: BasisDoc


class CountDoc(Doc):
    """So many of some events within one calendar year (or the scheme's whole period) lead to a measure, whatever the
    points."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    events: tuple[str, ...] = Field(min_length=1)
    at_least: int = Field(ge=1)
    within: Literal["calendar_year", "period"] = "calendar_year"
    proposal: ProposalDoc
    basis: BasisDoc


class GradeDoc(Doc):
    """A grade for scores from `low` to `high`, both included; None: without end on that side."""

    grade: str = Field(min_length=1, max_length=8)
    low: int | None = None
    high: int | None = None
    proposal: ProposalDoc
    basis: BasisDoc


class ConditionDoc(Doc):
    """A fact of the day that calls for a measure: a training that has lapsed, a term that is over, an age."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Words
    when: Where
    proposal: ProposalDoc
    basis: BasisDoc


class RepairDoc(Doc):
    """For each full `months` since the last deduction, `points` come back, up to the base."""

    points: int = Field(ge=1, le=1000)
    months: int = Field(ge=1, le=120)
    basis: BasisDoc


class MeasurementDoc(Doc):
    """What may be measured, and from how many scores on. `ballots`: whether secret ballots may be used by name; no preset
    allows it. A measurement may ask for a look, training or a lower draw weight, never for more."""

    ballots: Literal[False] = False
    at_least: int = Field(default=30, ge=2)
    rate: int = Field(default=5, ge=1, le=50)
    """Per cent of false flags among all flags that are accepted (false discovery rate)."""
    proposal: Literal[Measure.LOOK, Measure.LOWER, Measure.RETRAIN] = Measure.LOOK
    months: int | None = Field(default=None, ge=1, le=1200)
    """For how long, where it proposes a lower draw weight."""


class SchemeDoc(Doc):
    """The file as a whole."""

    format: Literal["scheme/1"]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(min_length=1)
    title: Words
    instruments: dict[str, Words]
    base: int = 100
    period: Literal["calendar_year", "months", "always"] = "calendar_year"
    months: int | None = Field(default=None, ge=1, le=120)
    unlisted: Literal["recorded", "ignored"] = "recorded"
    """Credit records under no name of `events`: count with the points recorded, or not at all."""
    events: tuple[EventDoc, ...]
    counts: tuple[CountDoc, ...] = ()
    grades: tuple[GradeDoc, ...] = Field(min_length=1)
    conditions: tuple[ConditionDoc, ...] = ()
    repair: RepairDoc | None = None
    measurement: MeasurementDoc = MeasurementDoc()
    reply_days: int = Field(default=10, ge=1, le=90)
    """Working days that an expert has to answer before anything is decided."""
    appeal_days: int = Field(default=10, ge=1, le=90)
    """Working days that an expert has to appeal against what was decided."""
    once: bool = True
    """Records that led to a measure do not lead to another that is no graver (一事不再罚)."""


class Scheme(Doc):
    """A scheme that holds together, its text and the hash of that."""

    doc: SchemeDoc
    sha256: str
    text: str = ""

    @property
    def flagged(self) -> ProposalDoc:
        """What a flag of the measurement proposes."""
        rules = self.doc.measurement
        return ProposalDoc(measure=rules.proposal, months=rules.months)

    def since(self, as_of: date) -> date | None:
        """The first day of the period that ends on `as_of`; None: everything counts."""
        if self.doc.period == "always":
            return None
        if self.doc.period == "calendar_year":
            return as_of.replace(month=1, day=1)
        back = as_of.year * 12 + as_of.month - 1 - (self.doc.months or 0)
        year, month = divmod(back, 12)
        last = (date(year + (month == 11), month % 11 + 1 if month == 11 else month + 2, 1)).toordinal() - 1
        day = min(as_of.day, date.fromordinal(last).day)
        return date.fromordinal(date(year, month + 1, day).toordinal() + 1)


def schemes() -> tuple[str, ...]:
    """The presets by name."""
    folder = resources.files("expert_pool.reevaluation") / "schemes"
    return tuple(
        sorted(file.name[: -len(".yaml")] for file in folder.iterdir() if file.name.endswith(".yaml"))
    )


def load_scheme(name_or_path: str | Path) -> Scheme:
    """A preset by name, or a scheme file.

    Raises Fault: `scheme.unknown`, `scheme.unreadable`, `policy.*` for what is no such document (with file and line), and
    `scheme.hole`, `scheme.overlap`, `scheme.milder`, `scheme.event_unknown`, `scheme.event_twice`, `scheme.unrecorded`,
    `scheme.instrument_unknown`, `scheme.months` for what does not hold together.
    """
    if isinstance(name_or_path, str) and name_or_path in schemes():
        file = resources.files("expert_pool.reevaluation") / "schemes" / f"{name_or_path}.yaml"
        content, name = file.read_bytes(), f"{name_or_path}.yaml"
    else:
        path = Path(name_or_path)
        name = str(name_or_path)
        if not path.suffix and not path.exists():
            known = schemes()
            raise Fault(
                "scheme.unknown", name, name=name, nearest=nearest(name, known), known=", ".join(known)
            )
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Fault("scheme.unreadable", name, why=error.strerror or type(error).__name__) from None
    return read_scheme(content, name)


def read_scheme(content: bytes, name: str) -> Scheme:
    """The scheme that a text says; `name` is what faults call it. Raises Fault as `load_scheme`."""
    located = read(content, name)
    doc = parsed(SchemeDoc, located, (), located.data)
    _hold_together(doc, located)
    return Scheme(doc=doc, sha256=hashlib.sha256(content).hexdigest(), text=content.decode("utf-8"))


def _hold_together(doc: SchemeDoc, located: Located) -> None:
    if (doc.period == "months") != (doc.months is not None):
        raise Fault("scheme.months", located.at(("months",)), period=doc.period)
    names: dict[str, int] = {}
    for number, event in enumerate(doc.events):
        where = located.at(("events", number))
        if event.id in names:
            raise Fault("scheme.event_twice", where, event=event.id)
        if event.outcome is None and not event.credit:
            raise Fault("scheme.unrecorded", where, event=event.id)
        names[event.id] = number
    for number, count in enumerate(doc.counts):
        for place, name in enumerate(count.events):
            if name not in names:
                where = located.at(("counts", number, "events", place))
                near = nearest(name, names)
                raise Fault("scheme.event_unknown", where, event=name, nearest=near, known=", ".join(names))
    lists: dict[str, tuple[EventDoc | CountDoc | GradeDoc | ConditionDoc, ...]] = {
        "events": doc.events,
        "counts": doc.counts,
        "grades": doc.grades,
        "conditions": doc.conditions,
    }
    for list_, entries in lists.items():
        for number, entry in enumerate(entries):
            path = (list_, number)
            if entry.basis.instrument not in doc.instruments:
                known = ", ".join(sorted(doc.instruments))
                where = located.at((*path, "basis", "instrument"))
                raise Fault(
                    "scheme.instrument_unknown", where, instrument=entry.basis.instrument, known=known
                )
            if not isinstance(entry, EventDoc):
                _proposal(entry.proposal, located.at((*path, "proposal")))
    flagged = ProposalDoc(measure=doc.measurement.proposal, months=doc.measurement.months)
    _proposal(flagged, located.at(("measurement",)))
    _ladder(doc, located)


def _proposal(proposal: ProposalDoc, where: str) -> None:
    """Only what lasts has months, and of what lasts only a ban may do without."""
    lasts = proposal.measure in LASTING
    endless = proposal.months is None and lasts and proposal.measure is not Measure.BAN
    if endless or (proposal.months is not None and not lasts):
        raise Fault("scheme.lasting", where, measure=str(proposal.measure))


def _weight(proposal: ProposalDoc) -> tuple[int, float]:
    return MEASURES.index(proposal.measure), float("inf") if proposal.months is None else proposal.months


def _ladder(doc: SchemeDoc, located: Located) -> None:
    """The grades, from the top, meet without a hole or an overlap, grow no milder, and reach to both ends."""
    for number, (upper, lower) in enumerate(zip(doc.grades, doc.grades[1:], strict=False), start=1):
        where = located.at(("grades", number))
        if upper.low is None or lower.high is None:
            raise Fault("scheme.overlap", where, upper=upper.grade, lower=lower.grade)
        if lower.high >= upper.low:
            raise Fault("scheme.overlap", where, upper=upper.grade, lower=lower.grade)
        if lower.high < upper.low - 1:
            first, last = lower.high + 1, upper.low - 1
            raise Fault("scheme.hole", where, first=first, last=last, upper=upper.grade, lower=lower.grade)
        if _weight(lower.proposal) < _weight(upper.proposal):
            raise Fault("scheme.milder", where, upper=upper.grade, lower=lower.grade)
    if doc.grades[0].high is not None or doc.grades[-1].low is not None:
        raise Fault(
            "scheme.ladder_end", located.at(("grades",)), top=doc.grades[0].grade, bottom=doc.grades[-1].grade
        )
