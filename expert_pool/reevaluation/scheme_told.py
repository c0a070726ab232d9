"""What a scheme says, as documents: in brief, whole, and beside another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from expert_pool.policies.located import nearest
from expert_pool.reevaluation.scheme import (
    MEASURES,
    ConditionDoc,
    CountDoc,
    GradeDoc,
    Scheme,
    load_scheme,
    schemes,
)
from solver.errors import Fault

_LISTS = {"events": "id", "counts": "id", "grades": "grade", "conditions": "id"}
"""The lists of a scheme, and what an entry of each is known by."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemeBrief(Part):
    """Which scheme it is. `sha256` is that of its text; `measures` are all that it may propose, the mildest first."""

    id: str
    version: str
    title: dict[str, str]
    sha256: str
    base: int
    period: str
    months: int | None
    measures: list[str]
    unproven: int
    """How many of its numbers stand on no text that we have read (status M or D)."""


class SchemeTold(SchemeBrief):
    """Everything in it, each part with its basis."""

    scheme: dict[str, Any]


class SchemeDifference(Part):
    """One thing that two schemes say differently; null where one does not say it."""

    part: str
    name: str
    first: Any
    second: Any


class SchemeDifferences(Part):
    """What differs between two schemes, apart from their titles and the instruments they stand on."""

    first: SchemeBrief
    second: SchemeBrief
    differences: list[SchemeDifference]


def scheme_preset(name: str) -> Scheme:
    """The scheme of a preset's name and never of a file: for names that come from elsewhere. Raises Fault
    `scheme.unknown`."""
    known = schemes()
    if name not in known:
        raise Fault("scheme.unknown", name, name=name, nearest=nearest(name, known), known=", ".join(known))
    return load_scheme(name)


def brief(scheme: Scheme) -> SchemeBrief:
    """A scheme in brief."""
    doc = scheme.doc
    judging: list[GradeDoc | CountDoc | ConditionDoc] = [*doc.grades, *doc.counts, *doc.conditions]
    proposals = {entry.proposal.measure for entry in judging}
    stands = [entry.basis for entry in judging] + [event.basis for event in doc.events]
    return SchemeBrief(
        id=doc.id,
        version=doc.version,
        title=doc.title.model_dump(),
        sha256=scheme.sha256,
        base=doc.base,
        period=doc.period,
        months=doc.months,
        measures=[str(measure) for measure in MEASURES if measure in proposals],
        unproven=sum(1 for basis in stands if basis.status in ("M", "D")),
    )


def told(scheme: Scheme) -> SchemeTold:
    """A scheme with everything in it."""
    return SchemeTold(**brief(scheme).model_dump(), scheme=scheme.doc.model_dump(mode="json"))


def differences(first: Scheme, second: Scheme) -> SchemeDifferences:
    """What two schemes say differently, part by part in the order of the document."""
    ours, theirs = (scheme.doc.model_dump(mode="json") for scheme in (first, second))
    found: list[SchemeDifference] = []
    for part in ours:
        if part in ("format", "id", "version", "title", "instruments"):
            continue
        if part in _LISTS:
            found += _entries(part, ours[part], theirs[part])
        else:
            mine, other = (
                _without(doc[part]) if isinstance(doc[part], dict) else doc[part] for doc in (ours, theirs)
            )
            if mine != other:
                found.append(SchemeDifference(part=part, name=part, first=mine, second=other))
    return SchemeDifferences(first=brief(first), second=brief(second), differences=found)


def _entries(part: str, ours: list[Any], theirs: list[Any]) -> Iterable[SchemeDifference]:
    key = _LISTS[part]
    mine, other = ({str(entry[key]): _without(entry, key) for entry in list_} for list_ in (ours, theirs))
    for name in dict.fromkeys([*mine, *other]):
        if mine.get(name) != other.get(name):
            yield SchemeDifference(part=part, name=name, first=mine.get(name), second=other.get(name))


def _without(entry: dict[str, Any], key: str = "") -> dict[str, Any]:
    """What an entry says, without its name, title and basis."""
    return {name: value for name, value in entry.items() if name not in (key, "title", "basis")}
