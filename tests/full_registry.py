"""A registry with at least one row in every table that people fill, all of them attested."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tiny_registry import Tiny, build_tiny

from expert_pool import ledger
from expert_pool.keys import Key
from expert_pool.registry import (
    Absence,
    Credit,
    Discipline,
    Outcome,
    PanelRecord,
    PanelState,
    Relation,
    RelationKind,
    Role,
    Sanction,
    Seat,
    Service,
    SpecialtyMapping,
    Table,
)
from expert_pool.store import Store

KEY = Key(bytes(range(32)))
MOMENT = datetime(2026, 5, 6, 7, 8, 9, 123, tzinfo=UTC)


def build_full(store: Store) -> Tiny:
    """The small registry, and what it lacks, in a second entry of the same chain."""
    tiny = build_tiny(store)
    experts, specialties = tiny.ids["expert"], tiny.ids["specialty"]
    about = {"expert_id": experts["E04"], "organiser_id": tiny.organiser_id, "holds_on": date(2026, 5, 1)}
    record = about | {"recorded_at": MOMENT, "recorded_by": "office", "void": False, "corrects_id": None}
    until = date(2026, 5, 9)
    with store.session() as session:
        first = Credit(**record, event="缺席", points=-10)
        panel = PanelRecord(
            code="D1",
            meeting_id=tiny.meeting_id,
            organiser_id=tiny.organiser_id,
            state=PanelState.APPROVED,
            policy="cn-title-national",
            problem_sha256="0" * 64,
            problem=b"\x00\xfe problem",
            answer='{"panel": 1}',
            fileable=True,
            requested_at=MOMENT,
            requested_by="office",
            approved_at=MOMENT,
            approved_by="head",
        )
        session.add_all([first, panel])
        session.flush()
        service = {"season": 2025, "panel": "D0", "role": Role.MEMBER, "outcome": Outcome.LATE}
        rows: list[Table] = [
            first,
            panel,
            Credit(**{**record, "corrects_id": first.id, "event": "迟到", "points": -5}),
            Discipline(**record, sanction=Sanction.WARNING, until=until, basis="决定1号", revokes_id=None),
            Service(**record, committee_id=tiny.committee_id, **service),
            Absence(**record, until=until, reason="出差"),
            Relation(
                **record,
                kind=RelationKind.ADVISOR,
                other_expert_id=experts["E05"],
                since=date(2000, 9, 1),
                until=date(2003, 7, 1),
                source="简历",
            ),
            SpecialtyMapping(old_id=specialties["0103"], new_id=specialties["0102"], since=until),
            Seat(
                panel_id=panel.id,
                expert_id=experts["E06"],
                group="G1",
                role=Role.ALTERNATE,
                call_order=1,
                open_on=tiny.meets_on,
            ),
        ]
        session.add_all(rows)
        ledger.append(
            session,
            organiser_id=tiny.organiser_id,
            actor="office",
            action="fill",
            subject="full",
            payload={"rows": len(rows)},
            rows=rows,
            at=MOMENT,
        )
    return tiny
