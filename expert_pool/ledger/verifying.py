"""Finding out whether anyone touched the ledger, or a row it attests, other than by a new entry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from expert_pool.ledger import streaming
from expert_pool.ledger.canonical import RowCoder, any_bytes, raw_select
from expert_pool.ledger.heads import Head, anchor_of
from expert_pool.ledger.writing import START, attested, entry_hash
from expert_pool.registry import Attestation, LedgerEntry, Recorded, Table

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """One thing that is not as it was written. `code` has its words in the catalogues; ids say where."""

    code: str
    organiser_id: int | None = None
    sequence: int | None = None
    table: str | None = None
    row_id: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        """What the sentence of `code` needs."""
        return {
            "organiser": self.organiser_id,
            "sequence": self.sequence,
            "table": self.table,
            "row": self.row_id,
        }


class _Entry(NamedTuple):
    """An entry as it stands: what links it to others, and whether its two hashes are those of what they cover."""

    id: Any
    organiser_id: Any
    sequence: Any
    sha256: Any
    previous_sha256: Any
    right: bool
    attests: bool


@dataclass(slots=True)
class _Kept:
    """What is kept of the entries while they pass: all, where there is an anchor to find; and the hashes at `heads`."""

    entries: bool
    heads: Set[tuple[int, int]]
    all: list[_Entry] = field(default_factory=list)
    found: dict[tuple[Any, Any], Any] = field(default_factory=dict)

    def keep(self, entry: _Entry) -> None:
        if self.entries:
            self.all.append(entry)
        if (at := (entry.organiser_id, entry.sequence)) in self.heads:
            self.found[at] = entry.sha256

    def clear(self) -> None:
        self.all.clear()
        self.found.clear()


def verify(
    session: Session, *, anchor: str | None = None, heads: Sequence[Head] | None = None
) -> list[LedgerFault]:
    """Read the whole ledger and every row it attests as stored; return what is not as it was written.

    Codes: `ledger.entry_changed` (its hash is not that of its columns), `ledger.entry_missing` (a gap in the
    sequence), `ledger.link_broken` (it does not follow the entry before it), `ledger.attestations_changed`,
    `ledger.attestation_orphaned` (it belongs to no entry, or names no table), `ledger.row_changed`,
    `ledger.row_missing`.

    A chain cut at its end is only found with something kept outside: `anchor` (the chains never stood as it
    says: `ledger.anchor_unmatched`) or the `heads` of an earlier day (`ledger.head_missing` names the chain).
    Both may be older than the newest entries.
    """
    kept = _Kept(entries=anchor is not None, heads={(h.organiser_id, h.sequence) for h in heads or ()})
    try:
        faults = _read_all(session, kept)
    except OperationalError as error:
        if "decode" not in str(error.orig):
            raise
        kept.clear()
        with any_bytes(session):  # some text is not UTF-8 any more
            faults = _read_all(session, kept)
    if heads is not None:
        faults += [
            LedgerFault("ledger.head_missing", head.organiser_id, head.sequence)
            for head in heads
            if kept.found.get((head.organiser_id, head.sequence)) != head.sha256
        ]
    if anchor is not None and not _stood(kept.all, anchor):
        faults.append(LedgerFault("ledger.anchor_unmatched"))
    return faults


def unattested(session: Session) -> dict[str, int]:
    """How many records each table holds that no entry attests: written past the ledger."""
    counts: dict[str, int] = {}
    for table in _tables().values():
        if issubclass(table, Recorded):
            seen = exists().where(Attestation.table == table.__tablename__, Attestation.row_id == table.id)
            count = session.scalar(select(func.count()).select_from(table).where(~seen)) or 0
            if count:
                counts[table.__tablename__] = count
    return counts


def _tables() -> dict[str, type[Table]]:
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}


def _read_all(session: Session, kept: _Kept) -> list[LedgerFault]:
    return [*_read_chains(session, kept), *_check_rows(session)]


def _read_chains(session: Session, kept: _Kept) -> list[LedgerFault]:
    """Walk the entries in chain order; what is wrong with them and the hashes over their attestations."""
    faults: list[LedgerFault] = []
    before = Head(-1, 0, START)
    there = streaming.speaks(session, LedgerEntry)
    for entry in _entries_made_there(session) if there else _entries_made_here(session, faults):
        at = (entry.organiser_id, entry.sequence)
        if entry.organiser_id != before.organiser_id:
            before = Head(entry.organiser_id, 0, START)
        if not entry.right:
            faults.append(LedgerFault("ledger.entry_changed", *at))
        if entry.sequence != before.sequence + 1:
            faults.append(LedgerFault("ledger.entry_missing", entry.organiser_id, before.sequence + 1))
        elif entry.previous_sha256 != before.sha256:
            faults.append(LedgerFault("ledger.link_broken", *at))
        if not entry.attests:
            faults.append(LedgerFault("ledger.attestations_changed", *at))
        kept.keep(entry)
        before = Head(entry.organiser_id, entry.sequence, entry.sha256)
    if there:
        faults += [LedgerFault("ledger.attestation_orphaned")] * streaming.orphans(session)
    return faults


def _entries_made_there(session: Session) -> Iterator[_Entry]:
    """The entries as texts that the database makes."""
    for number, owner, sequence, digest, previous, over, text, lines in streaming.entries(session):
        right = sha256(text.encode()).hexdigest() == digest
        attests = sha256((lines or "").encode()).hexdigest() == over
        yield _Entry(number, owner, sequence, digest, previous, right, attests)


def _entries_made_here(session: Session, faults: list[LedgerFault]) -> Iterator[_Entry]:
    """The entries as columns; at the end, `faults` hold the attestations that belong to none."""
    attestations = _attestation_hashes(session)
    nothing = attested([])
    coder = RowCoder(LedgerEntry)
    chains = raw_select(LedgerEntry).order_by(LedgerEntry.organiser_id, LedgerEntry.sequence)
    for row in _stream(session, chains):
        fields = coder.fields(row)
        yield _Entry(
            id=fields.get("id"),
            organiser_id=fields.get("organiser_id"),
            sequence=fields.get("sequence"),
            sha256=fields.get("sha256"),
            previous_sha256=fields.get("previous_sha256"),
            right=entry_hash(fields) == fields.get("sha256"),
            attests=attestations.pop(fields.get("id"), nothing) == fields.get("attested_sha256"),
        )
    faults += [LedgerFault("ledger.attestation_orphaned") for _ in attestations]


def _attestation_hashes(session: Session) -> dict[Any, str]:
    """The hash over each entry's attestations, as they stand now."""
    names = ("entry_id", "id", "table", "row_id", "sha256")
    lines = raw_select(Attestation, names).order_by(Attestation.entry_id, Attestation.id)
    return {
        entry_id: attested((line[1], line[2], line[3], line[4]) for line in group)
        for entry_id, group in groupby(_stream(session, lines), key=itemgetter(0))
    }


def _check_rows(session: Session) -> list[LedgerFault]:
    faults: list[LedgerFault] = []
    tables = _tables()
    names = session.scalars(select(Attestation.table).distinct().order_by(Attestation.table)).all()
    for name in names:
        if name in tables:
            faults += _check_table(session, tables[name])
        else:
            faults.append(LedgerFault("ledger.attestation_orphaned", table=name))
    return faults


def _check_table(session: Session, table: type[Table]) -> Iterator[LedgerFault]:
    """What is wrong with the attested rows of a table, by ascending row id where the rows are read here."""
    if streaming.speaks(session, table):
        yield from _check_texts(session, table)
        return
    # rows and attestations side by side, both by ascending row id
    name, coder = table.__tablename__, RowCoder(table)
    claims = (
        raw_select(Attestation, ("row_id", "salt", "sha256"))
        .where(Attestation.table == name)
        .order_by(Attestation.row_id, Attestation.entry_id, Attestation.id)
    )
    rows = _stream(session, raw_select(table).order_by(table.id))
    row = next(rows, None)
    for row_id, group in groupby(_stream(session, claims), key=itemgetter(0)):
        *_, (_, salt, claimed) = group
        if not isinstance(row_id, int):
            yield LedgerFault("ledger.row_missing", table=name)
            continue
        while row is not None and row[coder.id] < row_id:
            row = next(rows, None)
        if row is None or row[coder.id] != row_id:
            yield LedgerFault("ledger.row_missing", table=name, row_id=row_id)
        elif not isinstance(salt, bytes) or coder.hash(row, salt) != claimed:
            yield LedgerFault("ledger.row_changed", table=name, row_id=row_id)


def _check_texts(session: Session, table: type[Table]) -> Iterator[LedgerFault]:
    name = table.__tablename__
    start, end = f"[{json.dumps(name)},".encode(), b"]"
    for row_id, salt, claimed, text in streaming.attested_rows(session, table):
        if text is None:
            yield LedgerFault("ledger.row_missing", table=name, row_id=row_id)
        elif sha256(b"".join((salt, start, text.encode(), end))).hexdigest() != claimed:
            yield LedgerFault("ledger.row_changed", table=name, row_id=row_id)


def _stood(entries: Sequence[_Entry], anchor: str) -> bool:
    """Whether the chains once ended as the anchor says: now, or at some moment in the order of writing."""
    heads: dict[Any, Head] = {entry.organiser_id: _head(entry) for entry in entries}
    if anchor_of(heads.values()) == anchor:
        return True
    heads.clear()
    for entry in sorted(entries, key=lambda entry: entry.id):
        if anchor_of(heads.values()) == anchor:
            return True
        heads[entry.organiser_id] = _head(entry)
    return False


def _head(entry: _Entry) -> Head:
    return Head(entry.organiser_id, entry.sequence, entry.sha256)


def _stream(session: Session, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows of a statement, a chunk at a time."""
    with session.connection().execute(statement, execution_options={"yield_per": _CHUNK}) as result:
        for chunk in result.partitions():
            yield from chunk
