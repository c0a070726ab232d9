"""What a viewer may be shown, and what counts for a verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from refused import refused
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.registry import (
    Agenda,
    Attestation,
    Case,
    Committee,
    Discipline,
    EmployerName,
    Expert,
    Filing,
    LedgerEntry,
    Meeting,
    Membership,
    Organiser,
    PanelRecord,
    PanelState,
    Pool,
    Role,
    Seat,
    Specialty,
)
from expert_pool.viewer import Viewer, counted, visible

OWNED = [
    Organiser,
    Pool,
    Committee,
    Filing,
    Agenda,
    Meeting,
    Case,
    Membership,
    PanelRecord,
    LedgerEntry,
    Attestation,
]
SHARED = [Expert, Specialty, EmployerName]
OPENS = date(2026, 9, 20)


def count(session: Session, table: Any, conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


@pytest.fixture
def panel(tiny: Tiny) -> Tiny:
    """The small registry with a panel of one seat that opens on the day of the meeting."""
    with tiny.store.session() as session:
        record = PanelRecord(
            code="D1",
            meeting_id=tiny.meeting_id,
            organiser_id=tiny.organiser_id,
            state=PanelState.PROPOSED,
            policy="p",
            problem_sha256="0" * 64,
            problem=b"",
            answer="{}",
            fileable=True,
            requested_at=datetime(2026, 9, 1, tzinfo=UTC),
            requested_by="office",
        )
        session.add(record)
        session.flush()
        seat = {"expert_id": tiny.ids["expert"]["E01"], "group": "G1", "role": Role.CHAIR, "call_order": None}
        session.add(Seat(panel_id=record.id, open_on=OPENS, **seat))
    return tiny


def test_owned_rows_are_shown_to_their_owner_only(panel: Tiny) -> None:
    owner = Viewer("a", frozenset({panel.organiser_id, 77}))
    with panel.store.reading() as session:
        for table in OWNED:
            everything = count(session, table, [])
            assert everything > 0, table
            assert count(session, table, visible(owner, table)) == everything, table
            assert count(session, table, visible(Viewer.system("a"), table)) == everything, table
            assert count(session, table, visible(Viewer("b", frozenset({77})), table)) == 0, table
            assert count(session, table, visible(Viewer("c", frozenset()), table)) == 0, table


def test_rows_of_the_installation_are_shown_to_everyone(tiny: Tiny) -> None:
    with tiny.store.reading() as session:
        for table in SHARED:
            assert visible(Viewer("b", frozenset()), table) == []
            assert count(session, table, []) > 0


def test_an_alias_is_filtered_like_its_table(tiny: Tiny) -> None:
    other = aliased(Meeting)
    with tiny.store.reading() as session:
        assert count(session, other, visible(Viewer("b", frozenset({77})), other)) == 0
        assert count(session, other, visible(Viewer("a", frozenset({tiny.organiser_id})), other)) == 1


@pytest.mark.parametrize(("days", "opens_seals", "seen"), [(-1, False, 0), (0, False, 1), (-1, True, 1)])
def test_a_seat_is_sealed_until_it_opens(panel: Tiny, days: int, opens_seals: bool, seen: int) -> None:
    noon = datetime(OPENS.year, OPENS.month, OPENS.day, 12).astimezone() + timedelta(days=days)
    viewer = Viewer("a", frozenset({panel.organiser_id}), opens_seals)
    with clock.fixed(noon), panel.store.reading() as session:
        assert count(session, Seat, visible(viewer, Seat)) == seen
        assert count(session, Seat, visible(Viewer("b", frozenset(), True), Seat)) == 0


def test_what_is_said_about_experts_counts_everywhere_and_the_rest_does_not(panel: Tiny) -> None:
    stranger = Viewer("b", frozenset({77}))
    assert (
        counted(stranger, Discipline, Membership, Seat, PanelRecord, Committee, Agenda, Meeting, Case) == []
    )
    with panel.store.reading() as session:
        for table in (Filing, Organiser, Pool, LedgerEntry):
            assert count(session, table, counted(stranger, table)) == 0, table


def test_writing_needs_ownership() -> None:
    viewer = Viewer("a", frozenset({1}))
    viewer.require(1)
    Viewer.system("a").require(2)
    with refused("viewer.not_yours", organiser=2, actor="a"):
        viewer.require(2)
