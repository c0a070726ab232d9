"""The ledger: chains that do not fork, and verification that finds whatever was touched."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from full_registry import build_full
from hypothesis import given
from hypothesis import strategies as st
from patience import until
from refused import refused
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session
from tiny_registry import Tiny, build_tiny

from expert_pool import ledger
from expert_pool.bulk import insert_rows
from expert_pool.ledger.writing import entry_hash
from expert_pool.registry import Attestation, Expert, LedgerEntry, Organiser, Pool, Skill
from expert_pool.store import Store, allocate
from solver.progress import Progress


def write(session: Session, organiser_id: int, **more: Any) -> ledger.LedgerEntry:
    given = {"actor": "office", "action": "note", "subject": "s", "payload": {}}
    return ledger.append(session, organiser_id=organiser_id, **{**given, **more})


def codes(store: Store, **against: Any) -> set[str]:
    with store.reading() as session:
        return {fault.code for fault in ledger.verify(session, **against)}


@pytest.fixture
def chain(store: Store) -> tuple[Store, int]:
    """A chain of six entries of one organiser, and one entry of another."""
    with store.session() as session:
        first, second = Organiser(code="A", name="甲"), Organiser(code="B", name="乙")
        session.add_all([first, second])
        session.flush()
        for number in range(6):
            pool = Pool(code=f"P{number}", name="库", organiser_id=first.id)
            session.add(pool)
            write(session, first.id, rows=[pool], payload={"number": number})
        write(session, second.id)
        return store, first.id


def test_an_untouched_ledger_has_no_fault(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.reading() as session:
        entries = session.scalars(select(LedgerEntry).where(LedgerEntry.organiser_id == organiser_id)).all()
        assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5, 6]
        assert [entry.previous_sha256 for entry in entries[1:]] == [entry.sha256 for entry in entries[:-1]]
        assert [head.sequence for head in ledger.heads(session)] == [6, 1]
        assert ledger.verify(session, anchor=ledger.anchor(session), heads=ledger.heads(session)) == []


def test_an_entry_holds_no_payload_but_recognises_it(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    payload = {"name": "王小明", "on": date(2026, 1, 1), "at": datetime(2026, 1, 1, tzinfo=UTC)}
    with store.session() as session:
        entry = write(session, organiser_id, payload=payload)
    assert ledger.matches(entry, dict(reversed(payload.items())))
    assert not ledger.matches(entry, payload | {"name": "王晓明"})
    with store.reading() as session:
        stored = session.execute(text("select * from ledger_entry")).all()
    assert "王小明" not in repr(stored)


def test_equal_rows_and_payloads_have_unequal_hashes(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.session() as session:
        pool = session.scalars(select(Pool)).first()
        assert pool is not None
        entries = [write(session, organiser_id, rows=[pool], payload={"a": 1}) for _ in range(2)]
        found = session.scalars(select(Attestation.sha256).where(Attestation.row_id == pool.id)).all()
    assert entries[0].payload_sha256 != entries[1].payload_sha256
    assert len(set(found)) == 3


@pytest.mark.parametrize("sequence", [1, 3, 6])
def test_a_removed_entry_is_found(chain: tuple[Store, int], sequence: int) -> None:
    store, organiser_id = chain
    with store.reading() as session:
        anchor, heads = ledger.anchor(session), ledger.heads(session)
    with store.session() as session:
        gone = select(LedgerEntry.id).where(
            LedgerEntry.organiser_id == organiser_id, LedgerEntry.sequence == sequence
        )
        session.execute(delete(Attestation).where(Attestation.entry_id.in_(gone)))
        session.execute(delete(LedgerEntry).where(LedgerEntry.id.in_(gone)))
    if sequence == 6:  # the tail: only what was kept outside shows it
        assert codes(store) == set()
        assert codes(store, anchor=anchor) == {"ledger.anchor_unmatched"}
        assert codes(store, heads=heads) == {"ledger.head_missing"}
    else:
        assert "ledger.entry_missing" in codes(store)


def test_a_forged_entry_in_the_middle_is_found(chain: tuple[Store, int]) -> None:
    """The forger renumbers what follows and gets the forged entry's own hash right."""
    store, organiser_id = chain
    with store.session() as session:
        mine = LedgerEntry.organiser_id == organiser_id
        for sequence in (6, 5, 4):
            session.execute(
                update(LedgerEntry)
                .where(mine, LedgerEntry.sequence == sequence)
                .values(sequence=sequence + 1)
            )
        third = session.scalars(select(LedgerEntry).where(mine, LedgerEntry.sequence == 3)).one()
        forged = {column.name: getattr(third, column.name) for column in third.__table__.columns}
        forged |= {"id": 900, "sequence": 4, "previous_sha256": third.sha256}
        forged["attested_sha256"] = ledger.writing.attested([])
        session.execute(insert(LedgerEntry), forged | {"sha256": entry_hash(forged)})
    assert codes(store) == {"ledger.entry_changed", "ledger.link_broken"}


def test_reordered_entries_are_found(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.session() as session:
        mine = LedgerEntry.organiser_id == organiser_id
        for old, new in ((2, 99), (3, 2), (99, 3)):
            session.execute(update(LedgerEntry).where(mine, LedgerEntry.sequence == old).values(sequence=new))
    assert "ledger.entry_changed" in codes(store)


def test_a_chain_rewritten_throughout_is_found_by_an_older_anchor(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.reading() as session:
        anchor, heads = ledger.anchor(session), ledger.heads(session)
    with store.session() as session:
        previous = ledger.writing.START
        for entry in session.scalars(select(LedgerEntry).where(LedgerEntry.organiser_id == organiser_id)):
            entry.actor, entry.previous_sha256 = "somebody", previous
            columns = {column.name: getattr(entry, column.name) for column in entry.__table__.columns}
            entry.sha256 = previous = entry_hash(columns)
    assert codes(store) == set()
    assert codes(store, anchor=anchor) == {"ledger.anchor_unmatched"}
    assert codes(store, heads=heads) == {"ledger.head_missing"}


def test_an_older_anchor_still_holds_after_more_entries(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.reading() as session:
        anchor, heads = ledger.anchor(session), ledger.heads(session)
    with store.session() as session:
        other = ledger.heads(session)[1].organiser_id
        for owner in (organiser_id, other, organiser_id):
            write(session, owner)
    assert codes(store, anchor=anchor, heads=heads) == set()
    assert codes(store, anchor=ledger.anchor_of([])) == set()
    assert codes(store, anchor="0" * 64) == {"ledger.anchor_unmatched"}
    assert codes(store, heads=[replace(heads[0], sequence=99)]) == {"ledger.head_missing"}


def test_attestations_added_or_removed_are_found(chain: tuple[Store, int]) -> None:
    store, _ = chain
    with store.session() as session:
        line = session.scalars(select(Attestation)).first()
        assert line is not None
        copy = {column.name: getattr(line, column.name) for column in line.__table__.columns} | {"id": 900}
        session.execute(insert(Attestation), copy)
    assert codes(store) == {"ledger.attestations_changed"}
    with store.session() as session:
        session.execute(delete(Attestation))
    assert codes(store) == {"ledger.attestations_changed"}


def test_a_row_that_is_gone_is_found(chain: tuple[Store, int]) -> None:
    store, _ = chain
    with store.session() as session:
        session.execute(delete(Pool).where(Pool.code == "P2"))
    assert codes(store) == {"ledger.row_missing"}


def test_a_row_may_change_when_an_entry_attests_it_anew(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with store.session() as session:
        pool = session.scalars(select(Pool).where(Pool.code == "P2")).one()
        pool.name = "新库"
        session.flush()
        assert [fault.row_id for fault in ledger.verify(session)] == [pool.id]
        write(session, organiser_id, rows=[pool])
        assert ledger.verify(session) == []


def test_erasure_leaves_the_chain_whole(chain: tuple[Store, int]) -> None:
    """Blank the row, attest it anew, drop the salts of its older attestations."""
    store, organiser_id = chain
    with store.session() as session:
        pool = session.scalars(select(Pool).where(Pool.code == "P2")).one()
        pool.name = ""
        session.execute(update(Attestation).where(Attestation.row_id == pool.id).values(salt=b""))
        write(session, organiser_id, action="erase", rows=[pool])
    assert codes(store) == set()


def test_a_record_written_past_the_ledger_is_found(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        assert ledger.verify(session) == []
        old = session.scalars(select(Skill)).first()
        assert old is not None
        copy = {column.name: getattr(old, column.name) for column in old.__table__.columns}
        session.add(forged := Skill(**{**copy, "id": None}))
        session.flush()
        assert ledger.verify(session) == [
            ledger.LedgerFault("ledger.row_unattested", table="skill", row_id=forged.id)
        ]


def test_an_entry_goes_with_its_transaction(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    with pytest.raises(RuntimeError), store.session() as session:  # noqa: PT012
        write(session, organiser_id)
        raise RuntimeError
    with store.reading() as session:
        assert ledger.heads(session)[0].sequence == 6
        assert ledger.verify(session) == []


def test_what_is_not_stored_cannot_be_attested(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    for wrong in ({"row_ids": {Pool: [1, 999]}}, {"organiser_id": 999}):
        with pytest.raises(ValueError), store.session() as session:
            write(session, **{"organiser_id": organiser_id, **wrong})
    assert codes(store) == set()


def test_writers_at_once_do_not_fork_a_chain(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain

    def work(number: int) -> None:
        with store.session() as session:
            pool = Pool(code=f"Q{number}", name="库", organiser_id=organiser_id)
            session.add(pool)
            write(session, organiser_id, rows=[pool])

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(40)))
    with store.reading() as session:
        assert ledger.heads(session)[0].sequence == 46
        assert ledger.verify(session, anchor=ledger.anchor(session)) == []


def test_the_anchor_of_every_moment_is_known_and_no_other(store: Store) -> None:
    with store.session() as session:
        owners = [Organiser(code=code, name="某") for code in "ABC"]
        session.add_all(owners)
        session.flush()
        anchors = [ledger.anchor(session)]
        for turn in "ABACCBAB":
            write(session, owners["ABC".index(turn)].id)
            anchors.append(ledger.anchor(session))
        ends = {head.organiser_id: head for head in ledger.heads(session)}
    for anchor in anchors:
        assert codes(store, anchor=anchor) == set()
    never = ledger.anchor_of([ends[owners[0].id]])  # A's end before B and C had begun
    assert codes(store, anchor=never) == {"ledger.anchor_unmatched"}


def test_a_verdict_is_of_one_snapshot_and_says_how_far_it_read(chain: tuple[Store, int]) -> None:
    store, organiser_id = chain
    said: list[Progress] = []
    with ledger.settled(store) as session:
        with store.session() as writing:
            write(writing, organiser_id)
        verdict = ledger.judge(session, report=said.append)
    assert (verdict.faults, verdict.entries) == ((), 7)
    assert [head.sequence for head in verdict.heads] == [6, 1]
    assert codes(store, anchor=verdict.anchor, heads=verdict.heads) == set()
    with store.reading() as session:
        assert ledger.judge(session).entries == 8


def test_a_verification_stops_when_it_is_told_to(
    chain: tuple[Store, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = chain
    monkeypatch.setattr(ledger.verifying, "_CHUNK", 5)
    seen: list[int | None] = []
    with ledger.settled(store) as session, refused("ledger.stopped"):
        ledger.judge(session, report=lambda event: seen.append(event.done), cancelled=lambda: bool(seen))
    assert seen == [5]


def somebody_waits(store: Store) -> bool:
    """Whether some connection of this database waits for a lock."""
    with store.engine.connect() as connection:
        waiting = "select count(*) from pg_locks l join pg_stat_activity a using (pid) where not l.granted"
        found = connection.execute(text(f"{waiting} and a.datname = current_database()")).scalar_one()
        return bool(found)


def test_a_settled_snapshot_waits_for_an_entry_that_is_being_written(
    postgres_store: Store,
) -> None:
    store = postgres_store
    with store.session() as session:
        owner = Organiser(code="A", name="甲")
        session.add(owner)
    written, go = Event(), Event()

    def work() -> None:
        with store.session() as session:
            write(session, owner.id)
            written.set()
            assert go.wait(120)

    def look() -> int:
        with ledger.settled(store) as session:
            return ledger.judge(session).entries

    with ThreadPoolExecutor(2) as threads:
        writer = threads.submit(work)
        assert written.wait(120)
        looking = threads.submit(look)
        until(lambda: looking.done() or somebody_waits(store))
        go.set()
        writer.result(120)
        assert looking.result(120) == 1


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(st.text(), st.integers(), st.booleans(), st.binary(), st.dates(), st.datetimes()),
    )
)
def test_rows_are_written_as_json_writes_them(fields: dict[str, Any]) -> None:
    strange = {**fields, "big": 2**70, "half": "\ud800"}
    for each in (fields, {**fields, "text": '\x00\x1f\x7f\u2028\\/"\U0001f600'}, strange):
        written = ledger.canonical.coder_of(Pool).text(each)
        assert written == ledger.canonical._json(each).encode("utf-8", "surrogatepass")


def test_the_hash_of_a_row_is_the_same_on_every_database(
    sqlite_store: Store, postgres_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # the same salts and nonces on both
    found = []
    for store in (sqlite_store, postgres_store):
        build_full(store)
        with store.reading() as session:
            lines = select(Attestation.table, Attestation.row_id, Attestation.sha256).order_by(Attestation.id)
            found.append([tuple(line) for line in session.execute(lines)])
            found.append([(head.sequence, head.sha256) for head in ledger.heads(session)])
            assert ledger.verify(session) == []
    assert found[:2] == found[2:]
    assert len(found[0]) > 100


def test_the_canonical_form_is_fixed(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are kept for ever: this form may not change."""
    seen: list[bytes] = []
    sha256 = ledger.canonical.sha256
    monkeypatch.setattr(ledger.canonical, "sha256", lambda data: seen.append(data) or sha256(data))  # type: ignore[func-returns-value]
    tiny = build_full(sqlite_store)
    rows = [json.loads(data[16:]) for data in seen if data[16:17] == b"["]
    shown = {name: fields for name, fields in rows if name in {"panel", "credit", "ledger_entry"}}
    assert b'["seat",{"call_order":1,"expert_id":6,"group":"G1","id":1,"open_on":"2026-09-20"' in b"".join(
        seen
    )
    assert shown["panel"] == {
        "answer": '{"panel": 1}',
        "approved_at": "2026-05-06 07:08:09.000123",
        "approved_by": "head",
        "code": "D1",
        "fileable": True,
        "id": 1,
        "meeting_id": tiny.meeting_id,
        "organiser_id": tiny.organiser_id,
        "policy": "cn-title-national",
        "problem": {"bytes": b"\x00\xfe problem".hex()},
        "problem_sha256": "0" * 64,
        "requested_at": "2026-05-06 07:08:09.000123",
        "requested_by": "office",
        "state": "approved",
    }
    assert "corrects_id" in shown["credit"]
    assert shown["credit"]["void"] is False


def test_many_rows_are_attested_in_bulk(store: Store) -> None:
    tiny = build_tiny(store)
    who = {
        "expert_id": tiny.ids["expert"]["E01"],
        "specialty_id": tiny.ids["specialty"]["0101"],
        "proficiency": 1,
    }
    when = {"holds_on": date(2025, 1, 1), "until": None, "recorded_at": tiny.recorded_at, "recorded_by": "a"}
    row = {**who, **when, "void": False, "organiser_id": tiny.organiser_id, "corrects_id": None}
    with store.session() as session:
        ids = allocate(session, Skill, 12_000)
        insert_rows(session, Skill, ["id", *row], ((identity, *row.values()) for identity in ids))
        write(session, tiny.organiser_id, row_ids={Skill: ids[::2]})
        write(session, tiny.organiser_id, row_ids={Skill: reversed(ids)})
    with store.session() as session:
        assert ledger.verify(session) == []
        session.execute(
            update(Skill).where(Skill.id == ids[7_777]).values(holds_on=Skill.holds_on + timedelta(0))
        )
        session.execute(update(Skill).where(Skill.id == ids[7_777]).values(proficiency=2))
        assert [fault.row_id for fault in ledger.verify(session)] == [ids[7_777]]
        session.rollback()


def test_experts_with_sealed_fields_are_attested_as_stored(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        expert = session.scalars(select(Expert)).first()
        assert expert is not None
        assert expert.national_id_sealed is not None
        sealed = bytearray(expert.national_id_sealed)
        sealed[-1] ^= 1
        expert.national_id_sealed = bytes(sealed)
        session.flush()
        faults = ledger.verify(session)
        assert [(fault.table, fault.row_id) for fault in faults] == [("expert", expert.id)]
        assert faults[0].params["row"] == expert.id
        session.rollback()
