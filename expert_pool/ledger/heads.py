"""The ends of the chains, and one hash over all of them to keep outside the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from expert_pool.ledger.canonical import encode
from expert_pool.registry import LedgerEntry
from expert_pool.store import Store

_FIRST = text("select 1 from organiser limit 1")  # the first statement that reads a table takes the snapshot
_ALONE = text("lock table ledger_entry in share mode")


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
        session.execute(_ALONE)
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


@contextmanager
def settled(store: Store) -> Iterator[Session]:
    """A session that reads one snapshot taken at a moment when no entry was being written.

    Ids are given before entries are committed, so another snapshot of PostgreSQL could hold an entry and lack one
    before it; the ends of such chains never stood together in the order of writing, and their anchor could never be
    found again. Writers wait only while the snapshot is taken. SQLite has one writer, so every snapshot is settled.
    """
    with store.reading() as session:
        if store.engine.dialect.name == "postgresql":
            with store.engine.begin() as gate:
                gate.execute(_ALONE)
                session.execute(_FIRST)
        else:
            session.execute(_FIRST)
        yield session


def anchor(session: Session) -> str:
    """One hash over all heads; kept outside, it lets `verify` find a chain that lost its tail."""
    return anchor_of(heads(session))


def anchor_of(heads: Iterable[Head]) -> str:
    """The anchor that these heads give."""
    return anchor_of_texts([encode(asdict(head)) for head in sorted(heads)])


def anchor_of_texts(heads: Iterable[bytes]) -> str:
    """The same, each head as canonical JSON, in their order; empty ones are left out."""
    return sha256(b"[" + b",".join(filter(None, heads)) + b"]").hexdigest()
