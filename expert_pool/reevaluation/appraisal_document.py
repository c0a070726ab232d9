"""The document `appraisal/1`: what a scheme makes of a pool on a day. Columns over everybody, proposals one by one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from expert_pool.reevaluation.scheme import Measure


class _Doc(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchemeRef(_Doc):
    """The scheme or policy that judged, and the hash of its text."""

    id: str
    version: str
    sha256: str


class RecordRef(_Doc):
    """A row behind a reason."""

    table: str
    row: int


class ReasonEntry(_Doc):
    """Why a measure is proposed: a message `code` with its `figures`, what it alone would propose, the records behind it
    (`withheld` counts those of other organisers), and what would have to be otherwise. `already`: the cycle in which
    these records led to a measure before, so that they count no more."""

    code: str
    id: str
    measure: Measure
    months: int | None
    decided_by: Literal["two_persons", "office"]
    figures: dict[str, Any]
    records: tuple[RecordRef, ...]
    withheld: int = Field(ge=0)
    otherwise: dict[str, Any]
    already: str | None


class ProposalEntry(_Doc):
    """What is proposed for one expert. `by_conduct`: conduct calls for something; `without`: what would be left if the
    gravest reason fell away."""

    expert: str
    measure: Measure
    months: int | None
    decided_by: Literal["two_persons", "office"]
    by_conduct: bool
    without: Measure
    reasons: tuple[ReasonEntry, ...]


class Columns(_Doc):
    """By expert, in one order: code, points after repair, points regained, grade (index into `grades`), measure (index
    into `measures`)."""

    expert: tuple[str, ...]
    points: tuple[int, ...]
    repaired: tuple[int, ...]
    grade: tuple[int, ...]
    measure: tuple[int, ...]


class AppraisalDoc(_Doc):
    """An appraisal. Nothing in it is a decision. `unmatched`: people who were flagged and are not appraised here."""

    format: Literal["appraisal/1"]
    pool: str
    as_of: date
    since: date | None
    known_at: datetime
    scheme: SchemeRef
    policy: SchemeRef
    grades: tuple[str, ...]
    measures: tuple[Measure, ...]
    counts: dict[Measure, int]
    experts: Columns
    proposals: tuple[ProposalEntry, ...]
    unmatched: tuple[str, ...]
    sha256: str
    """Of what was found: the same records judged by the same scheme give the same."""
