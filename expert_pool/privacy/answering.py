"""What an expert says: answers to records, absences, relations that committees must know of."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.privacy.purposes import owners
from expert_pool.registry import (
    Absence,
    Applicant,
    Case,
    Employer,
    Expert,
    Organiser,
    Recorded,
    Relation,
    RelationKind,
    Reply,
    Table,
)
from expert_pool.viewer import Viewer
from solver.errors import Fault

DECLARED = "own_declaration"
"""The source of a relation that the expert declared."""
LONGEST = 2000

DECLARABLE = (
    RelationKind.RELATIVE,
    RelationKind.CO_AUTHOR,
    RelationKind.ADVISOR,
    RelationKind.RECOMMENDER,
    RelationKind.STAKE,
    RelationKind.OTHER,
)
"""What an expert may declare; objections and shared cases are found by others."""


def reply(session: Session, viewer: Viewer, expert_id: int, table: str, record_id: int, text: str) -> Reply:
    """Answer a record about oneself. The answer is a record of the same organiser, shown beside the one it answers to
    everybody who may see that; it changes nothing by itself.

    Raises Fault `own_record.record_unknown` (no such record, or about somebody else), `own_record.text_missing`,
    `own_record.text_long`.
    """
    said = text.strip()
    if not said:
        raise Fault("own_record.text_missing", "text")
    if len(said) > LONGEST:
        raise Fault("own_record.text_long", "text", most=LONGEST)
    found: Any = _record(session, expert_id, table, record_id)
    row = Reply(
        expert_id=expert_id,
        organiser_id=found.organiser_id,
        holds_on=clock.today(),
        about_table=table,
        about_id=record_id,
        text=said,
    )
    return records.record(session, _for(viewer, found.organiser_id), row)


def declare_absence(
    session: Session,
    viewer: Viewer,
    expert_id: int,
    *,
    since: date,
    until: date,
    reason: str = "",
    organiser: str | None = None,
) -> Absence:
    """Say that one is not available from a day until another. Raises Fault `own_record.no_pool`,
    `own_record.organiser_unknown`, `own_record.absence_over`, `record.ends_before_start`."""
    if until < clock.today():
        raise Fault("own_record.absence_over", "until", until=until.isoformat())
    owner = _owner(session, expert_id, organiser)
    row = Absence(
        expert_id=expert_id, organiser_id=owner, holds_on=since, until=until, reason=reason.strip()[:LONGEST]
    )
    return records.record(session, _for(viewer, owner), row)


def declare_relation(
    session: Session,
    viewer: Viewer,
    expert_id: int,
    *,
    kind: RelationKind,
    party: str,
    code: str,
    since: date | None = None,
    until: date | None = None,
    organiser: str | None = None,
) -> Relation:
    """Declare a relation with one other party: `party` is `expert`, `applicant`, `employer` or `case`, named by its
    code. Only the codes are asked for, and nothing about the party is told.

    Raises Fault `own_record.kind_wrong`, `own_record.party_unknown`, `own_record.with_oneself`, `own_record.no_pool`,
    `own_record.organiser_unknown`, `record.ends_before_start`.
    """
    if kind not in DECLARABLE:
        raise Fault("own_record.kind_wrong", "kind", known=[str(kind) for kind in DECLARABLE])
    tables: dict[str, tuple[str, Any]] = {
        "expert": ("other_expert_id", Expert),
        "applicant": ("applicant_id", Applicant),
        "employer": ("employer_id", Employer),
        "case": ("case_id", Case),
    }
    if party not in tables:
        raise Fault("own_record.party_kind", "party", known=sorted(tables))
    column, table = tables[party]
    other = session.scalar(select(table.id).where(table.code == code))
    if other is None:
        raise Fault("own_record.party_unknown", "code", name=code)
    if party == "expert" and other == expert_id:
        raise Fault("own_record.with_oneself", code)
    owner = _owner(session, expert_id, organiser)
    row = Relation(
        kind=kind,
        expert_id=expert_id,
        organiser_id=owner,
        holds_on=clock.today(),
        since=since,
        until=until,
        source=DECLARED,
        **{column: other},
    )
    return records.record(session, _for(viewer, owner), row)


def _record(session: Session, expert_id: int, table: str, record_id: int) -> Any:
    """A record about this expert, by its table's name and number."""
    every: list[Any] = [mapper.class_ for mapper in Table.registry.mappers]
    classes = {c.__tablename__: c for c in every if issubclass(c, Recorded) and hasattr(c, "expert_id")}
    found = None
    if table in classes and table != Reply.__tablename__:
        found = session.get(classes[table], record_id)
    if found is None or expert_id not in (found.expert_id, getattr(found, "other_expert_id", None)):
        raise Fault("own_record.record_unknown", f"{table}/{record_id}")
    return found


def _owner(session: Session, expert_id: int, organiser: str | None) -> int:
    """The organiser to whom something is declared: the one named, else that of the latest pool."""
    known = owners(session, expert_id)
    if not known:
        raise Fault("own_record.no_pool")
    if organiser is None:
        return known[0]
    found = session.scalar(select(Organiser.id).where(Organiser.code == organiser))
    if found not in known:
        raise Fault("own_record.organiser_unknown", organiser)
    assert found is not None
    return found


def _for(viewer: Viewer, organiser_id: int) -> Viewer:
    """Whoever tells something of themselves writes it into that organiser's records, and nothing else."""
    return Viewer(viewer.actor, frozenset({organiser_id}))
