"""What tells whether the service is well: read from the database, cheaply, for probes and metrics."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import Installation, LedgerEntry, Organiser
from expert_pool.registry.runs import RunRecord, WorkerRecord

FRESH = timedelta(seconds=15)
"""How old the heartbeat of a living worker may be."""


def revision(session: Session) -> str | None:
    """The revision the tables are at."""
    found = session.execute(text("select version_num from alembic_version")).scalar()
    return str(found) if found else None


def key_check(session: Session) -> str | None:
    """What the database knows its key by."""
    return session.scalar(select(Installation.key_check).where(Installation.id == 1))


def workers_alive(session: Session) -> int:
    """How many workers have been heard of lately."""
    fresh = select(func.count(WorkerRecord.id)).where(WorkerRecord.beat_at > clock.now() - FRESH)
    return session.scalar(fresh) or 0


def runs_by_kind(session: Session) -> dict[tuple[str, str], int]:
    """How many runs there are, by state and kind."""
    counted = select(RunRecord.state, RunRecord.kind, func.count(RunRecord.id))
    rows = session.execute(counted.group_by(RunRecord.state, RunRecord.kind))
    return {(str(state), kind): count for state, kind, count in rows}


def ledger_length(session: Session) -> int:
    """How many entries all chains hold: the last sequence of each, found through its index."""
    last = (
        select(func.max(LedgerEntry.sequence))
        .where(LedgerEntry.organiser_id == Organiser.id)
        .scalar_subquery()
    )
    return sum(session.scalars(select(func.coalesce(last, 0)).select_from(Organiser)))
