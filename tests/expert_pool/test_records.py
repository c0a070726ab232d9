"""Records: read on a day as known at a moment, written, corrected, taken back; bans and their revocation."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased
from tiny_registry import Tiny

from expert_pool import clock, ledger, records
from expert_pool.registry import (
    Absence,
    Credit,
    Discipline,
    LedgerEntry,
    Organiser,
    Relation,
    RelationKind,
    Sanction,
    Training,
)
from expert_pool.viewer import Viewer

DAY = date(2026, 6, 1)


def credit(tiny: Tiny, expert: str = "E05", **more: Any) -> Credit:
    row = {"event": "迟到", "points": -1, "holds_on": DAY, "organiser_id": tiny.organiser_id}
    return Credit(**{**row, "expert_id": tiny.ids["expert"][expert], **more})


def ban(tiny: Tiny, **more: Any) -> Discipline:
    row = {"sanction": Sanction.BAN, "until": None, "basis": "决定1号", "holds_on": DAY}
    who = {"organiser_id": tiny.organiser_id, "expert_id": tiny.ids["expert"]["E05"]}
    return Discipline(**{**row, **who, **more})


def points(session: Session, tiny: Tiny, on: date, known_at: datetime | None = None) -> list[int]:
    mine = Credit.expert_id == tiny.ids["expert"]["E05"]
    found = select(Credit.points).where(mine, records.current(Credit, on, known_at)).order_by(Credit.id)
    return list(session.scalars(found))


def test_a_record_is_stored_with_its_entry(tiny: Tiny, now: datetime, system: Viewer) -> None:
    with tiny.store.session() as session:
        row = records.record(session, system, credit(tiny))
        assert (row.recorded_at, row.recorded_by, row.void) == (now, "office", False)
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject, entry.actor) == ("record", f"credit/{row.id}", "office")
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []


def test_a_record_counts_from_its_day_and_from_when_it_was_known(
    tiny: Tiny, now: datetime, system: Viewer
) -> None:
    with tiny.store.session() as session:
        records.record(session, system, credit(tiny))
        assert points(session, tiny, DAY - timedelta(days=1)) == []
        assert points(session, tiny, DAY) == [-1]
        assert points(session, tiny, DAY, now) == [-1]
        assert points(session, tiny, DAY, now - timedelta(microseconds=1)) == []


def test_a_correction_replaces_only_from_when_it_was_known(tiny: Tiny, now: datetime, system: Viewer) -> None:
    later = now + timedelta(days=1)
    with tiny.store.session() as session:
        old = records.record(session, system, credit(tiny))
        with clock.fixed(later):
            new = records.correct(session, system, old, credit(tiny, points=-3))
        assert (new.corrects_id, new.organiser_id) == (old.id, old.organiser_id)
        assert points(session, tiny, DAY, now) == [-1]
        assert points(session, tiny, DAY, later) == points(session, tiny, DAY) == [-3]
        with refused("record.already_corrected", by=new.id):
            records.correct(session, system, old, credit(tiny, points=-4))
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []


def test_what_is_taken_back_is_gone_from_then_on(tiny: Tiny, now: datetime, system: Viewer) -> None:
    with tiny.store.session() as session:
        old = records.record(session, system, credit(tiny))
        new = records.correct(session, system, old, credit(tiny, points=-3))
        with clock.fixed(now + timedelta(days=1)):
            void = records.withdraw(session, system, new)
        assert (void.void, void.points, void.corrects_id) == (True, -3, new.id)
        assert points(session, tiny, DAY) == []
        assert points(session, tiny, DAY, now) == [-3]


def test_an_alias_is_read_like_its_table(tiny: Tiny, now: datetime, system: Viewer) -> None:
    with tiny.store.session() as session:
        old = records.record(session, system, credit(tiny))
        records.correct(session, system, old, credit(tiny, points=-3))
        other = aliased(Credit)
        mine = other.expert_id == tiny.ids["expert"]["E05"]
        assert session.scalars(select(other.points).where(mine, records.current(other, DAY))).all() == [-3]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 3), st.booleans()), max_size=10))
def test_what_counts_is_what_a_plain_reading_of_the_history_says(
    sqlite_tiny: Tiny, history: list[tuple[int, int, bool]]
) -> None:
    """Each step records a row (-1) or corrects an earlier one, with effect from some day, perhaps void."""
    tiny, start = sqlite_tiny, datetime(2026, 7, 1, tzinfo=UTC)
    rows: list[Credit] = []
    with tiny.store.session() as session:
        for step, (target, day, void) in enumerate(history):
            known = start + timedelta(hours=step)
            corrects = rows[target].id if 0 <= target < len(rows) else None
            if any(row.corrects_id == corrects for row in rows if corrects is not None):
                continue
            more = {
                "points": step,
                "holds_on": DAY + timedelta(days=day),
                "void": void and corrects is not None,
            }
            row = credit(tiny, corrects_id=corrects, recorded_at=known, recorded_by="a", **more)
            session.add(row)
            session.flush()
            rows.append(row)
        for day in range(4):
            for step in range(len(history) + 1):
                on, known = DAY + timedelta(days=day), start + timedelta(hours=step - 1)
                seen = [row for row in rows if row.recorded_at <= known]
                gone = {row.corrects_id for row in seen}
                wanted = [
                    row.points for row in seen if not row.void and row.id not in gone and row.holds_on <= on
                ]
                assert points(session, tiny, on, known) == wanted
        session.rollback()


def test_dates_that_cannot_be_are_refused(tiny: Tiny, now: datetime, system: Viewer) -> None:
    who = {"expert_id": tiny.ids["expert"]["E01"], "organiser_id": tiny.organiser_id}
    tomorrow = clock.today() + timedelta(days=1)
    with tiny.store.session() as session:
        with refused("record.future", holds_on=tomorrow):
            records.record(session, system, credit(tiny, holds_on=tomorrow))
        with refused("record.known_later"):
            records.record(session, system, credit(tiny, recorded_at=now + timedelta(seconds=1)))
        with refused("record.ends_before_start", start=DAY):
            until = DAY - timedelta(days=1)
            records.record(
                session, system, Training(**who, course="c", passed=True, holds_on=DAY, until=until)
            )
        with refused("record.ends_before_start"):
            span = {"since": DAY, "until": DAY - timedelta(days=1)}
            stake = {"kind": RelationKind.STAKE, "employer_id": tiny.ids["employer"]["F"]}
            records.record(session, system, Relation(**who, **stake, **span, holds_on=DAY))
        span = {"since": DAY - timedelta(days=9), "until": DAY - timedelta(days=1)}
        records.record(session, system, Relation(**who, **stake, **span, holds_on=DAY))
        records.record(session, system, Absence(**who, holds_on=tomorrow, until=tomorrow))


def test_only_the_owner_writes_and_corrects(tiny: Tiny, now: datetime, system: Viewer) -> None:
    with tiny.store.session() as session:
        other = Organiser(code="X", name="市人社局")
        session.add(other)
        session.flush()
        stranger = Viewer("b", frozenset({other.id}))
        old = records.record(session, system, ban(tiny))
        with refused("viewer.not_yours"):
            records.record(session, stranger, credit(tiny))
        with refused("viewer.not_yours"):
            records.correct(session, stranger, old, ban(tiny, organiser_id=other.id, basis="x"))
        with refused("viewer.not_yours"):
            records.revoke_ban(session, stranger, old, holds_on=DAY, basis="x")
        new = records.correct(session, system, old, ban(tiny, organiser_id=other.id, basis="x"))
        assert new.organiser_id == tiny.organiser_id


def test_a_correction_is_written_as_one_and_of_its_own_kind(
    tiny: Tiny, now: datetime, system: Viewer
) -> None:
    with tiny.store.session() as session:
        old = records.record(session, system, credit(tiny))
        with refused("record.is_correction"):
            records.record(session, system, credit(tiny, corrects_id=old.id))
        with refused("record.other_kind"):
            records.correct(session, system, old, ban(tiny))  # type: ignore[type-var]


LESS = [
    {"until": date(2030, 1, 1)},
    {"void": True},
    {"sanction": Sanction.WARNING},
    {"holds_on": DAY + timedelta(days=1)},
    {"expert_id": 1},
]


@pytest.mark.parametrize("less", LESS)
def test_a_ban_for_life_is_not_undone_by_a_correction(
    sqlite_tiny: Tiny, now: datetime, system: Viewer, less: dict[str, Any]
) -> None:
    with sqlite_tiny.store.session() as session:
        old = records.record(session, system, ban(sqlite_tiny))
        with refused("record.ban_stands"):
            records.correct(session, system, old, ban(sqlite_tiny, **less))
        with refused("record.ban_stands"):
            records.withdraw(session, system, old)
        same = records.correct(session, system, old, ban(sqlite_tiny, basis="决定1号（更正）"))
        with refused("record.ban_stands"):
            records.correct(session, system, same, ban(sqlite_tiny, **less))


def test_a_ban_of_some_years_may_be_corrected(sqlite_tiny: Tiny, now: datetime, system: Viewer) -> None:
    with sqlite_tiny.store.session() as session:
        old = records.record(session, system, ban(sqlite_tiny, until=date(2031, 1, 1)))
        records.withdraw(session, system, old)


def test_a_ban_is_revoked_once_with_a_basis_and_not_before_it_began(
    tiny: Tiny, now: datetime, system: Viewer
) -> None:
    with tiny.store.session() as session:
        old = records.record(session, system, ban(tiny))
        with refused("record.revoked_before_ban"):
            records.revoke_ban(session, system, old, holds_on=DAY - timedelta(days=1), basis="x")
        with refused("record.no_basis"):
            records.revoke_ban(session, system, old, holds_on=DAY, basis=" ")
        revocation = records.revoke_ban(session, system, old, holds_on=DAY, basis="决定2号")
        assert (revocation.revokes_id, revocation.sanction) == (old.id, Sanction.REVOCATION)
        with refused("record.ban_revoked", by=revocation.id):
            records.revoke_ban(session, system, old, holds_on=DAY, basis="决定3号")
        with refused("record.ban_revoked"):
            records.correct(session, system, old, ban(tiny, basis="x"))
        with refused("record.not_a_ban"):
            records.revoke_ban(session, system, revocation, holds_on=DAY, basis="x")
        records.withdraw(session, system, revocation)
        records.revoke_ban(session, system, old, holds_on=DAY, basis="决定4号")
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []


def test_a_corrected_ban_is_revoked_by_its_correction(tiny: Tiny, now: datetime, system: Viewer) -> None:
    with tiny.store.session() as session:
        old = records.record(session, system, ban(tiny))
        new = records.correct(session, system, old, ban(tiny, basis="x"))
        with refused("record.already_corrected", by=new.id):
            records.revoke_ban(session, system, old, holds_on=DAY, basis="x")
        records.revoke_ban(session, system, new, holds_on=DAY, basis="x")
