"""The tables of re-evaluation: cycles, the experts a cycle proposes something for, decisions, appeals, evidence.

Of those whom a cycle keeps there is no row: a deflated bitmap of their ids answers "was I in it, and kept?" in a few
kilobytes where a hundred thousand rows would say nothing else. What an expert answers is a `Reply` about the case, as
every answer of theirs is.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class CycleState(StrEnum):
    """How far a cycle is: as far as the case that is furthest behind."""

    OPEN = "open"
    COMPUTED = "computed"
    NOTIFIED = "notified"
    DECIDED = "decided"
    EXECUTED = "executed"
    CLOSED = "closed"
    DROPPED = "dropped"


class CaseState(StrEnum):
    """How far one expert's case is."""

    PROPOSED = "proposed"
    NOTIFIED = "notified"
    FIRST = "first"
    """One person has decided; the second has not spoken yet."""
    DECIDED = "decided"
    EXECUTED = "executed"
    APPEALED = "appealed"
    SETTLED = "settled"
    """The appeal is decided, and its correcting records are written."""


class Verdict(StrEnum):
    """What the second person said of a first person's decision."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Cycle(Table):
    """One re-evaluation of one pool. It keeps what it rests on, to be computed again: the text of its scheme, the
    policy, the day, the moment it was known at, the head of the organiser's ledger then, the flags of the measurement.
    `experts` is how many were appraised; `kept` a deflated bitmap of the ids of those for whom nothing is proposed."""

    __tablename__ = "cycle"
    __table_args__ = (UniqueConstraint("pool_id", "period", "attempt"),)
    code: Mapped[str] = mapped_column(unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    period: Mapped[str]
    attempt: Mapped[int]
    """How often this period was begun; more than once only after a cycle was dropped."""
    as_of: Mapped[date]
    state: Mapped[CycleState]
    scheme: Mapped[str]
    scheme_version: Mapped[str]
    scheme_sha256: Mapped[str]
    scheme_text: Mapped[str] = mapped_column(Text)
    policy: Mapped[str]
    policy_sha256: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    known_at: Mapped[datetime | None]
    computed_by: Mapped[str | None]
    ledger_sequence: Mapped[int | None]
    ledger_sha256: Mapped[str | None]
    measurement_sha256: Mapped[str | None]
    flags: Mapped[str | None] = mapped_column(Text)
    """JSON: what the measurement flagged, and the failures to recuse found, as the computation read them."""
    appraisal_sha256: Mapped[str | None]
    experts: Mapped[int | None]
    counts: Mapped[str | None] = mapped_column(Text)
    """JSON: how many experts each measure is proposed for."""
    kept: Mapped[bytes | None] = mapped_column(LargeBinary)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_why: Mapped[str | None] = mapped_column(Text)


class CycleCase(Table):
    """What a cycle proposes for one expert, and how far that is. `reasons` is JSON: every reason with its figures and
    records. `executed` and `corrected` are JSON lists of the records written: table and row."""

    __tablename__ = "cycle_case"
    __table_args__ = (UniqueConstraint("cycle_id", "expert_id"),)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    state: Mapped[CaseState] = mapped_column(index=True)
    measure: Mapped[str]
    months: Mapped[int | None]
    decided_by: Mapped[str]
    """`two_persons` or `office`, as the scheme says of what is proposed."""
    by_conduct: Mapped[bool]
    """Whether conduct calls for it; where it does not, statistics or a finding ask for a look and no more."""
    reasons: Mapped[str] = mapped_column(Text)
    amended_by: Mapped[str | None]
    amended_why: Mapped[str | None] = mapped_column(Text)
    notified_at: Mapped[datetime | None]
    reply_until: Mapped[date | None]
    reply_provisional: Mapped[bool | None]
    heard_at: Mapped[datetime | None]
    """When the expert said that there is nothing more to say."""
    executed_at: Mapped[datetime | None]
    executed: Mapped[str | None] = mapped_column(Text)
    appeal_until: Mapped[date | None]
    appeal_provisional: Mapped[bool | None]
    corrected: Mapped[str | None] = mapped_column(Text)


class CycleAppeal(Table):
    """An expert's appeal against what was decided; its text is a `Reply` about the case."""

    __tablename__ = "cycle_appeal"
    case_id: Mapped[int] = mapped_column(ForeignKey("cycle_case.id"), unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"))
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class CycleDecision(Table):
    """What one person decided on a case (or on its appeal), and what the second person said of it."""

    __tablename__ = "cycle_decision"
    case_id: Mapped[int] = mapped_column(ForeignKey("cycle_case.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("cycle_appeal.id"))
    measure: Mapped[str]
    months: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    by: Mapped[str]
    verdict: Mapped[Verdict]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    answer: Mapped[str | None] = mapped_column(Text)


class CycleEvidence(Table):
    """A file that came with an expert's answer or appeal, sealed."""

    __tablename__ = "cycle_evidence"
    __table_args__ = (UniqueConstraint("reply_id", "number"),)
    case_id: Mapped[int] = mapped_column(ForeignKey("cycle_case.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"))
    number: Mapped[int]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
