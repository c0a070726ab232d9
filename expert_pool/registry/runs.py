"""The tables of background work: runs, their files and events, and the workers that carry them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FilePart(StrEnum):
    """Whether a run's file came with the request or is part of the result."""

    GIVEN = "given"
    MADE = "made"


class RunRecord(Table):
    """One piece of background work: what was asked, who carries it, what came of it.

    `attempt` counts how often it was begun and fences its owner: whoever writes must name the present one. `losses`
    counts the owners that were lost. `owner` is the token of the worker that carries it. What was asked and what came
    of it are sealed, because imports and names may be in them.
    """

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("actor", "kind", "once"),)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[RunState] = mapped_column(index=True)
    account_id: Mapped[int | None] = mapped_column(index=True)
    """Who asked; None: a schedule."""
    actor: Mapped[str]
    scopes: Mapped[str | None]
    """The rights of the token that asked, where it had fewer than its account."""
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organiser.id"), index=True)
    once: Mapped[str | None]
    """The key under which the same request is the same run."""
    params_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    accepted_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    """When the job engine got it; None: it has yet to be told."""
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    cancel_asked_at: Mapped[datetime | None]
    cancel_asked_by: Mapped[str | None]
    last_seq: Mapped[int] = mapped_column(default=0)
    decisions: Mapped[str | None] = mapped_column(Text)
    """The ledger entries it wrote (JSON: action and subject of each), so that nothing is decided twice."""
    outcome_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """JSON: the result, or the fault."""


class RunFile(Table):
    """A file that came with a run's request, or that it made."""

    __tablename__ = "run_file"
    __table_args__ = (UniqueConstraint("run_id", "part", "name"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    part: Mapped[FilePart]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class RunEvent(Table):
    """Something that happened to a run; `seq` counts from 1 without gaps."""

    __tablename__ = "run_event"
    __table_args__ = (UniqueConstraint("run_id", "seq"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    seq: Mapped[int]
    at: Mapped[datetime]
    kind: Mapped[str]
    data: Mapped[str] = mapped_column(Text)
    """JSON; holds no personal data."""


class WorkerRecord(Table):
    """A worker process that is alive: it holds its `name` (one slot of one machine) as long as this row stands.

    `beats` grows every second; others who see it stand still remove the row, and its runs go to somebody else.
    """

    __tablename__ = "worker"
    name: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True)
    pid: Mapped[int]
    pid_began: Mapped[int]
    """When the process began (seconds, as the machine tells it), so that another process with its number is not taken for it."""
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    beats: Mapped[int] = mapped_column(default=0)
    draining: Mapped[bool] = mapped_column(default=False)
