"""Writing an entry, and the hashes that make it one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.bulk import insert_rows
from expert_pool.ledger.canonical import coder_of, encode, raw_rows, salted, salts
from expert_pool.ledger.heads import Head
from expert_pool.registry import Attestation, LedgerEntry, Organiser, Table
from expert_pool.statements import connection_of, select_rows
from expert_pool.store import allocate_each

START = "0" * 64
"""What stands in for the entry before the first."""

WRITTEN = "expert_pool_ledger_written"
"""Where a session's `info` tells (action, subject) of each entry that was written in it."""

_LINE = ("id", "entry_id", "table", "row_id", "salt", "sha256")
_OWN = select(Organiser.id).where(Organiser.id == bindparam("organiser"))
_HOLD = _OWN.with_for_update(key_share=True)  # rows may go on referring to the organiser
_LAST = select(func.max(LedgerEntry.sequence)).where(LedgerEntry.organiser_id == bindparam("organiser"))
_HEAD = (
    select(LedgerEntry.sequence, LedgerEntry.sha256)
    .select_from(Organiser)
    .outerjoin(
        LedgerEntry,
        and_(LedgerEntry.organiser_id == Organiser.id, LedgerEntry.sequence == _LAST.scalar_subquery()),
    )
    .where(Organiser.id == bindparam("organiser"))
)


def append(
    session: Session,
    *,
    organiser_id: int,
    actor: str,
    action: str,
    subject: str,
    payload: Mapping[str, Any],
    rows: Iterable[Table] = (),
    row_ids: Mapping[type[Table], Iterable[int]] | None = None,
    at: datetime | None = None,
) -> LedgerEntry:
    """Write one entry in the caller's transaction and return what it says (an object of its own, in no session).

    `actor`, `action` and `subject` are names and codes, never personal data. Of `payload` (what JSON can say,
    and dates and moments) only a salted hash is kept; `matches` recognises it later. The entry attests `rows`
    (objects of this session, flushed here) and the stored rows named by `row_ids`, which is the way for bulk:
    insert first, then append. Holds the organiser's row until the transaction ends, so that a chain never
    forks.

    Raises ValueError when a row to attest is not stored, or `organiser_id` is not: faults of the calling
    program.
    """
    session.flush()
    wanted: dict[type[Table], set[int]] = {}
    for row in rows:
        wanted.setdefault(type(row), set()).add(row.id)
    for table, ids in (row_ids or {}).items():
        wanted.setdefault(table, set()).update(ids)
    before = _held(session, organiser_id)
    numbers = allocate_each(session, {LedgerEntry: 1, Attestation: sum(map(len, wanted.values()))})
    entry_id = numbers[LedgerEntry][0]
    attestations = _attestations(session, entry_id, wanted, numbers[Attestation])
    payload_salt = salts(1)[0]
    fields: dict[str, Any] = {
        "id": entry_id,
        "organiser_id": organiser_id,
        "sequence": before.sequence + 1,
        "at": at or clock.now(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "payload_salt": payload_salt,
        "payload_sha256": salted(payload_salt, dict(payload)),
        "attested_sha256": attested(
            (identity, table, row_id, digest) for identity, _, table, row_id, _, digest in attestations
        ),
        "previous_sha256": before.sha256,
    }
    fields["sha256"] = entry_hash(fields)
    insert_rows(session, LedgerEntry, tuple(fields), [tuple(fields.values())])
    insert_rows(session, Attestation, _LINE, attestations)
    session.info.setdefault(WRITTEN, []).append((action, subject))
    return LedgerEntry(**fields)


def hold(session: Session, organiser_id: int) -> None:
    """Wait for other writers of this organiser's chain and keep them out until the transaction ends.

    Call it before reading what a decision rests on. (SQLite has one writer at a time anyway.) Raises
    ValueError when there is no such organiser.
    """
    session.flush()
    if session.connection().execute(_HOLD, {"organiser": organiser_id}).first() is None:
        raise ValueError(f"there is no organiser {organiser_id}")


def matches(entry: LedgerEntry, payload: Mapping[str, Any]) -> bool:
    """Whether this is the payload the entry was written with."""
    return entry.payload_sha256 == salted(entry.payload_salt, dict(payload))


def attested(lines: Iterable[tuple[Any, Any, Any, Any]]) -> str:
    """The hash over an entry's attestations, each (id, table, row id, hash), by ascending id."""
    digest = sha256()
    for line in lines:
        identity, table, row_id, row_hash = line
        try:  # lengths make it unambiguous
            text = f"{identity:d} {row_id:d} {len(table)} {table} {len(row_hash)} {row_hash}\n"
        except (TypeError, ValueError):  # none of ours: somebody changed its type
            text = repr(line)
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def entry_hash(fields: Mapping[str, Any]) -> str:
    """The hash of an entry from all its columns but the hash itself."""
    return sha256(encode({name: value for name, value in fields.items() if name != "sha256"})).hexdigest()


def _held(session: Session, organiser_id: int) -> Head:
    """The end of an organiser's chain, held as `hold` does. Raises ValueError as `hold`.

    On SQLite the transaction holds everything already. PostgreSQL would show the end as it stood before the wait, were
    it asked in the same statement.
    """
    if connection_of(session).dialect.name == "postgresql":
        hold(session, organiser_id)
    last = select_rows(session, _HEAD, {"organiser": organiser_id}).one_or_none()
    if last is None:
        raise ValueError(f"there is no organiser {organiser_id}")
    return Head(organiser_id, last[0] or 0, last[1] or START)


def _attestations(
    session: Session, entry_id: int, wanted: Mapping[type[Table], Set[int]], numbers: Iterable[int]
) -> list[tuple[Any, ...]]:
    """The attestations of an entry for the stored rows with these ids, as `_LINE` says, by ascending id."""
    lines: list[tuple[Any, ...]] = []
    fresh = iter(numbers)
    for table, ids in sorted(wanted.items(), key=lambda item: item[0].__tablename__):
        coder, name, before = coder_of(table), table.__tablename__, len(lines)
        for salt, row in zip(salts(len(ids)), raw_rows(session, table, sorted(ids)), strict=False):
            lines.append((next(fresh), entry_id, name, row[coder.id], salt, coder.hash(row, salt)))
        if len(lines) - before != len(ids):
            raise ValueError(f"rows of {name} to attest are not stored")
    return lines
