"""The ledger of a made registry: every row attested, as many entries as asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from expert_pool import clock, ledger
from expert_pool.bulk import insert_rows
from expert_pool.ledger.canonical import RowCoder, raw_rows, salted, salts
from expert_pool.ledger.heads import Head
from expert_pool.ledger.writing import START, attested, entry_hash
from expert_pool.registry import Attestation, LedgerEntry, Organiser, Table
from expert_pool.store import Store, allocate
from solver.facts import Ints

_CHUNK = 100_000


def attest(store: Store, rows: Mapping[type[Table], Ints], entries: int, say: Callable[[str], None]) -> None:
    """Attest every row: the first `entries` by an entry each, everything else in bulk."""
    left, owners = entries, rows[Organiser].tolist()
    for table, ids in rows.items():
        start = time.perf_counter()
        own = ids[:left]
        left -= len(own)
        _singly(store, owners, table, own)
        for begin in range(len(own), len(ids), _CHUNK):
            part = ids[begin : begin + _CHUNK]
            owner = owners[begin // _CHUNK % len(owners)]
            with store.session() as session:
                ledger.append(
                    session, organiser_id=owner, actor="import", action="import",
                    subject=table.__tablename__, payload={}, row_ids={table: part.tolist()},
                )  # fmt: skip
        say(f"{table.__tablename__} attested, {time.perf_counter() - start:.1f} s")


def _singly(store: Store, owners: list[int], table: type[Table], ids: Ints) -> None:
    """What `ledger.append` writes, entry by entry, of which each attests one row; many in a transaction."""
    coder, name = RowCoder(table), table.__tablename__
    for begin in range(0, len(ids), 20_000):
        part = ids[begin : begin + 20_000].tolist()
        with store.session() as session:
            last = {h.organiser_id: h for h in ledger.heads(session)}
            numbers = allocate(session, LedgerEntry, len(part))
            lines = allocate(session, Attestation, len(part))
            entries, attestations = [], []
            made = zip(part, numbers, lines, salts(len(part)), salts(len(part)), strict=True)
            for row, (identity, number, line, salt, payload_salt) in zip(
                raw_rows(session, table, part), made, strict=True
            ):
                owner = owners[number % len(owners)]
                before = last.get(owner, Head(owner, 0, START))
                digest = coder.hash(row, salt)
                entry: dict[str, Any] = {
                    "id": number, "organiser_id": owner, "sequence": before.sequence + 1, "at": clock.now(),
                    "actor": "office", "action": "record", "subject": f"{name}/{identity}",
                    "payload_salt": payload_salt, "payload_sha256": salted(payload_salt, {"corrects": None}),
                    "attested_sha256": attested([(line, name, identity, digest)]),
                    "previous_sha256": before.sha256,
                }  # fmt: skip
                entry["sha256"] = entry_hash(entry)
                last[owner] = Head(owner, before.sequence + 1, entry["sha256"])
                entries.append(tuple(entry.values()))
                attestations.append((line, number, name, identity, salt, digest))
            names = ("id", "organiser_id", "sequence", "at", "actor", "action", "subject", "payload_salt",
                     "payload_sha256", "attested_sha256", "previous_sha256", "sha256")  # fmt: skip
            insert_rows(session, LedgerEntry, names, entries)
            line_names = ("id", "entry_id", "table", "row_id", "salt", "sha256")
            insert_rows(session, Attestation, line_names, attestations)
