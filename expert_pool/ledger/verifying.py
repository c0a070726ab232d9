"""Finding out whether anyone touched the ledger, or a row it attests, other than by a new entry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Select, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from expert_pool.ledger import streaming
from expert_pool.ledger.canonical import any_bytes, coder_of, encode, raw_select
from expert_pool.ledger.heads import Head, anchor_of, anchor_of_texts
from expert_pool.ledger.writing import START, attested
from expert_pool.registry import Account, AccountGrant, ApiToken, Attestation, LedgerEntry, Recorded, Table
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found in one snapshot: the faults, the ends of the chains as they stand there, and how many
    entries were read."""

    faults: tuple[LedgerFault, ...]
    heads: tuple[Head, ...]
    entries: int

    @property
    def anchor(self) -> str:
        """One hash over the ends, to be kept outside."""
        return anchor_of(self.heads)


_Entry: TypeAlias = tuple[Any, Any, Any, Any, bool, bool]
"""An entry as it stands: organiser, sequence, hash, the hash before, and whether its own hash and the one over its
attestations are those of what they cover."""
_BEGIN = (0, START)


@dataclass(slots=True)
class _Walk:
    """What is learned of the entries while they pass: the hashes at the heads looked for, and the ends."""

    wanted: Set[tuple[int, int]]
    watch: Callable[[int], None]
    found: dict[tuple[Any, Any], Any] = field(default_factory=dict)
    ends: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    """Where each chain ends so far: sequence and hash."""
    entries: int = 0
    rows: int = 0

    def clear(self) -> None:
        self.found.clear()
        self.ends.clear()
        self.entries = self.rows = 0

    def read_row(self) -> None:
        self.rows += 1
        if not self.rows % _CHUNK:
            self.watch(self.entries + self.rows)

    def heads(self) -> list[Head]:
        """The ends of the chains."""
        return sorted(Head(owner, *end) for owner, end in self.ends.items())


def verify(
    session: Session, *, anchor: str | None = None, heads: Sequence[Head] | None = None
) -> list[LedgerFault]:
    """The faults that `judge` finds."""
    return list(judge(session, anchor=anchor, heads=heads).faults)


def judge(
    session: Session,
    *,
    anchor: str | None = None,
    heads: Sequence[Head] | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Read the whole ledger and every row it attests as stored, in the session's one snapshot (`settled` opens one that
    also gives an anchor); say what is not as it was written.

    Codes: `ledger.entry_changed` (its hash is not that of its columns), `ledger.entry_missing` (a gap in the
    sequence), `ledger.link_broken` (it does not follow the entry before it), `ledger.attestations_changed`,
    `ledger.attestation_orphaned` (it belongs to no entry, or names no table), `ledger.row_changed`,
    `ledger.row_missing`, `ledger.row_unattested` (a record, an account, a role or a token that no entry attests: it was
    written past the ledger).

    A chain cut at its end is only found with something kept outside: `anchor` (the chains never stood as it
    says: `ledger.anchor_unmatched`) or the `heads` of an earlier day (`ledger.head_missing` names the chain).
    Both may be older than the newest entries.

    `report` hears of entries, then of attested rows. Raises Fault `ledger.stopped` soon after `cancelled` says so.
    """
    walk = _Walk({(h.organiser_id, h.sequence) for h in heads or ()}, _watch(report, cancelled))
    try:
        faults = _read_all(session, walk)
    except OperationalError as error:
        if "decode" not in str(error.orig):
            raise
        walk.clear()
        with any_bytes(session):  # some text is not UTF-8 any more
            faults = _read_all(session, walk)
    if heads is not None:
        faults += [
            LedgerFault("ledger.head_missing", head.organiser_id, head.sequence)
            for head in heads
            if walk.found.get((head.organiser_id, head.sequence)) != head.sha256
        ]
    ends = walk.heads()
    if anchor is not None and not _stood(session, ends, anchor):
        faults.append(LedgerFault("ledger.anchor_unmatched"))
    return Verdict(tuple(faults), tuple(ends), walk.entries)


def _watch(report: Reporter, cancelled: Callable[[], bool]) -> Callable[[int], None]:
    """Called with how much was read so far, every now and then."""

    def watch(done: int) -> None:
        if cancelled():
            raise Fault("ledger.stopped")
        report(Progress("ledger", done))

    return watch


def _tables() -> dict[str, type[Table]]:
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}


def _read_all(session: Session, walk: _Walk) -> list[LedgerFault]:
    return [*_read_chains(session, walk), *_check_rows(session, walk)]


def _read_chains(session: Session, walk: _Walk) -> list[LedgerFault]:
    """Walk the entries in the order of writing; what is wrong with them and the hashes over their attestations.

    In that order every chain must grow link by link. Where one does not, the chains are read once more in their own
    order, to say where each breaks.
    """
    faults: list[LedgerFault] = []
    there = streaming.speaks(session, LedgerEntry)
    ends, linked = walk.ends, True
    for entry in _entries_made_there(session) if there else _entries_made_here(session, faults):
        owner, sequence, digest, previous, right, attests = entry
        if not right:
            faults.append(LedgerFault("ledger.entry_changed", owner, sequence))
        if not attests:
            faults.append(LedgerFault("ledger.attestations_changed", owner, sequence))
        if walk.wanted and (owner, sequence) in walk.wanted:
            walk.found[owner, sequence] = digest
        linked = linked and (sequence - 1, previous) == ends.get(owner, _BEGIN)
        ends[owner] = sequence, digest
        walk.entries += 1
        if not walk.entries % _CHUNK:
            walk.watch(walk.entries)
    if there:
        faults += [LedgerFault("ledger.attestation_orphaned")] * streaming.orphans(session)
    return faults if linked else [*faults, *_broken_links(session, ends)]


def _broken_links(session: Session, ends: dict[Any, tuple[Any, Any]]) -> Iterator[LedgerFault]:
    """Where the chains break, each read in its own order; `ends` are set right."""
    names = ("organiser_id", "sequence", "sha256", "previous_sha256")
    chains = raw_select(LedgerEntry, names).order_by(LedgerEntry.organiser_id, LedgerEntry.sequence)
    for owner, chain in groupby(_stream(session, chains), key=itemgetter(0)):
        last, before = _BEGIN
        for _, said, digest, previous in chain:
            sequence = _number(said)
            if sequence != last + 1:
                yield LedgerFault("ledger.entry_missing", _number(owner), last + 1)
            elif previous != before:
                yield LedgerFault("ledger.link_broken", _number(owner), sequence)
            last, before = sequence, digest
        ends[_number(owner)] = last, before


def _entries_made_there(session: Session) -> Iterator[_Entry]:
    """The entries as texts that the database makes."""
    for owner, sequence, digest, previous, over, text, lines in streaming.entries(session):
        yield (
            owner,
            sequence,
            digest,
            previous,
            sha256(text).hexdigest() == digest,
            sha256(lines or b"").hexdigest() == over,
        )


def _entries_made_here(session: Session, faults: list[LedgerFault]) -> Iterator[_Entry]:
    """The entries as columns, their attestations beside them; `faults` learn of those that belong to none."""
    nothing = attested([])
    coder = coder_of(LedgerEntry)
    hashes = _attestation_hashes(session)
    of, over = next(hashes, (None, nothing))
    for row in _stream(session, raw_select(LedgerEntry).order_by(LedgerEntry.id)):
        fields = coder.fields(row)
        while of is not None and of < fields["id"]:
            faults.append(LedgerFault("ledger.attestation_orphaned"))
            of, over = next(hashes, (None, nothing))
        attests = nothing
        if of == fields["id"]:
            attests = over
            of, over = next(hashes, (None, nothing))
        digest = fields.pop("sha256", None)
        right = sha256(coder.text(fields)).hexdigest() == digest
        place = _number(fields.get("organiser_id")), _number(fields.get("sequence"))
        yield *place, digest, fields.get("previous_sha256"), right, attests == fields.get("attested_sha256")
    while of is not None:
        faults.append(LedgerFault("ledger.attestation_orphaned"))
        of, over = next(hashes, (None, nothing))


def _attestation_hashes(session: Session) -> Iterator[tuple[float, str]]:
    """The hash over each entry's attestations, as they stand now, by ascending entry; an entry that is no number any
    more comes after all."""
    names = ("entry_id", "id", "table", "row_id", "sha256")
    lines = raw_select(Attestation, names).order_by(Attestation.entry_id, Attestation.id)
    for entry_id, group in groupby(_stream(session, lines), key=itemgetter(0)):
        over = attested((line[1], line[2], line[3], line[4]) for line in group)
        yield entry_id if isinstance(entry_id, int) else inf, over


def _check_rows(session: Session, walk: _Walk) -> list[LedgerFault]:
    faults: list[LedgerFault] = []
    tables = _tables()
    names = {name for name, table in tables.items() if _spoken_for(table)}
    names.update(session.scalars(select(Attestation.table).distinct()))
    for name in sorted(names, key=str):
        if name in tables:
            faults += _check_table(session, tables[name], walk)
        else:
            faults.append(LedgerFault("ledger.attestation_orphaned", table=name))
    return faults


def _check_table(session: Session, table: type[Table], walk: _Walk) -> Iterator[LedgerFault]:
    """What is wrong with the attested rows of a table, by ascending row id where the rows are read here."""
    if streaming.speaks(session, table):
        yield from _check_texts(session, table, walk)
        return
    # rows and attestations side by side, both by ascending row id
    name, coder, whole = table.__tablename__, coder_of(table), _spoken_for(table)
    claims = (
        raw_select(Attestation, ("row_id", "salt", "sha256"))
        .where(Attestation.table == name)
        .order_by(Attestation.row_id, Attestation.entry_id, Attestation.id)
    )
    rows = _stream(session, raw_select(table).order_by(table.id))
    row = next(rows, None)
    for row_id, group in groupby(_stream(session, claims), key=itemgetter(0)):
        *_, (_, salt, claimed) = group
        walk.read_row()
        if not isinstance(row_id, int):
            yield LedgerFault("ledger.row_missing", table=name)
            continue
        while row is not None and row[coder.id] < row_id:
            if whole:
                yield LedgerFault("ledger.row_unattested", table=name, row_id=row[coder.id])
            row = next(rows, None)
        if row is None or row[coder.id] != row_id:
            yield LedgerFault("ledger.row_missing", table=name, row_id=row_id)
            continue
        if not isinstance(salt, bytes) or coder.hash(row, salt) != claimed:
            yield LedgerFault("ledger.row_changed", table=name, row_id=row_id)
        row = next(rows, None)
    while whole and row is not None:
        yield LedgerFault("ledger.row_unattested", table=name, row_id=row[coder.id])
        row = next(rows, None)


def _check_texts(session: Session, table: type[Table], walk: _Walk) -> Iterator[LedgerFault]:
    name = table.__tablename__
    start, end = f"[{json.dumps(name)},".encode(), b"]"
    for row_id, salt, claimed, text in streaming.attested_rows(session, table):
        walk.read_row()
        if text is None:
            yield LedgerFault("ledger.row_missing", table=name, row_id=row_id)
        elif sha256(b"".join((salt, start, text, end))).hexdigest() != claimed:
            yield LedgerFault("ledger.row_changed", table=name, row_id=row_id)
    if _spoken_for(table):
        for row_id in streaming.unattested(session, table):
            yield LedgerFault("ledger.row_unattested", table=name, row_id=row_id)


def _spoken_for(table: type[Table]) -> bool:
    """Whether every row of a table is attested when it is written."""
    return issubclass(table, (Recorded, Account, AccountGrant, ApiToken))


def _stood(session: Session, ends: Sequence[Head], anchor: str) -> bool:
    """Whether the chains once ended as the anchor says: now, or at some moment in the order of writing, which is undone
    entry by entry, from the newest."""
    at = {head.organiser_id: place for place, head in enumerate(ends)}
    texts = [encode(asdict(head)) for head in ends]
    if anchor_of_texts(texts) == anchor:
        return True
    names = ("organiser_id", "sequence", "previous_sha256")
    for owner, said, previous in _stream(
        session, raw_select(LedgerEntry, names).order_by(LedgerEntry.id.desc())
    ):
        sequence = _number(said)
        texts[at[_number(owner)]] = (
            encode(asdict(Head(owner, sequence - 1, previous))) if sequence > 1 else b""
        )
        if anchor_of_texts(texts) == anchor:
            return True
    return False


def _number(said: Any) -> int:
    """A number as stored; -1 for what SQLite holds in its place, which is a fault already."""
    return said if type(said) is int else -1


def _stream(session: Session, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows of a statement, a chunk at a time."""
    with session.connection().execute(statement, execution_options={"yield_per": _CHUNK}) as result:
        for chunk in result.partitions():
            yield from chunk
