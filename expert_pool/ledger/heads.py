"""The ends of the chains, and one hash over all of them to keep outside the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from expert_pool.ledger.canonical import encode
from expert_pool.registry import LedgerEntry


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The last entry of one organiser's chain."""

    organiser_id: int
    sequence: int
    sha256: str


def heads(session: Session) -> list[Head]:
    """The last entry of every chain, by organiser.

    On PostgreSQL waits for entries just being written and holds up new ones until the session ends: ask in a
    session of its own.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("lock table ledger_entry in share mode"))
    last = select(func.max(LedgerEntry.sequence).label("sequence"), LedgerEntry.organiser_id)
    ends = last.group_by(LedgerEntry.organiser_id).subquery()
    statement = (
        select(LedgerEntry.organiser_id, LedgerEntry.sequence, LedgerEntry.sha256)
        .join(
            ends,
            (LedgerEntry.organiser_id == ends.c.organiser_id) & (LedgerEntry.sequence == ends.c.sequence),
        )
        .order_by(LedgerEntry.organiser_id)
    )
    return [Head(*row) for row in session.execute(statement)]


def anchor(session: Session) -> str:
    """One hash over all heads; kept outside, it lets `verify` find a chain that lost its tail."""
    return anchor_of(heads(session))


def anchor_of(heads: Iterable[Head]) -> str:
    """The anchor that these heads give."""
    return sha256(encode([asdict(head) for head in sorted(heads)])).hexdigest()
