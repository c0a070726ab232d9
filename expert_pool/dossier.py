"""What the registry holds about one expert: who it is, and every record that the viewer may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Session

from expert_pool.registry import Committee, Expert, Membership, Organiser, Recorded, Table
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

_HEAD = {"id", "holds_on", "recorded_at", "recorded_by", "void", "organiser_id", "corrects_id", "expert_id"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who an expert is. National ID and phone stay sealed; `..._held` says whether the registry has them. The pseudonym
    is not told: it would open the seals of panels."""

    code: str
    name: str
    gender: str | None
    born: date | None
    region: str
    national_id_held: bool
    phone_held: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `fields` are what its table adds, other rows named by their codes; `stands` is False for a record
    that is void or was corrected."""

    table: str
    id: int
    holds_on: date
    recorded_at: datetime
    recorded_by: str
    organiser: str
    corrects: int | None
    stands: bool
    fields: Mapping[str, Any]


def person(session: Session, code: str) -> Person:
    """Raises Fault `standing.expert_unknown`."""
    found = _expert(session, code)
    return Person(
        found.code,
        found.name,
        found.gender,
        found.born,
        found.region,
        found.national_id_mark is not None,
        found.phone_mark is not None,
    )


def entries(session: Session, viewer: Viewer, code: str) -> list[Entry]:
    """Every record about an expert, corrections and what they correct included, by day. Raises Fault as `person`."""
    found = _expert(session, code)
    organisers = dict(session.execute(select(Organiser.id, Organiser.code)).all())
    listed = [e for table in _tables() for e in _of(session, viewer, table, found.id, organisers)]
    return sorted(listed, key=lambda e: (e.holds_on, e.recorded_at, e.table, e.id))


def committees_for(session: Session, viewer: Viewer, code: str) -> list[tuple[str, str]]:
    """The committees (code, name) that draw on a pool the expert ever stood in, as far as the viewer may see them."""
    pools = (
        select(Membership.pool_id).join(Expert, Expert.id == Membership.expert_id).where(Expert.code == code)
    )
    where = (Committee.pool_id.in_(pools), *visible(viewer, Committee))
    rows = session.execute(select(Committee.code, Committee.name).where(*where).order_by(Committee.code))
    return [(row.code, row.name) for row in rows]


def current(found: Iterable[Entry], on: date) -> list[Entry]:
    """Of records, those that stand and hold on a day."""
    return [
        e
        for e in found
        if e.stands and e.holds_on <= on and (e.fields.get("until") is None or e.fields["until"] >= on)
    ]


def _expert(session: Session, code: str) -> Expert:
    found = session.scalars(select(Expert).where(Expert.code == code)).first()
    if found is None:
        raise Fault("standing.expert_unknown", code)
    return found


def _tables() -> list[Any]:
    classes = (mapper.class_ for mapper in Table.registry.mappers)
    ours = [c for c in classes if issubclass(c, Recorded) and hasattr(c, "expert_id")]
    return sorted(ours, key=lambda c: str(c.__tablename__))


def _of(
    session: Session, viewer: Viewer, table: Any, expert_id: int, organisers: Mapping[int, str]
) -> Iterable[Entry]:
    concerns = table.expert_id == expert_id
    if hasattr(table, "other_expert_id"):
        concerns = or_(concerns, table.other_expert_id == expert_id)
    rows = session.scalars(select(table).where(concerns, *visible(viewer, table))).all()
    if not rows:
        return
    corrected = {row.corrects_id for row in rows}
    names = {
        key: _codes(session, other, {getattr(row, key) for row in rows}) for key, other in _pointing(table)
    }
    for row in rows:
        fields = {
            column.key: getattr(row, column.key)
            for column in inspect(table).column_attrs
            if column.key not in _HEAD
        }
        named = {key.removesuffix("_id"): codes.get(getattr(row, key)) for key, codes in names.items()}
        plain = {key: value for key, value in fields.items() if key not in names}
        yield Entry(
            table.__tablename__,
            row.id,
            row.holds_on,
            row.recorded_at,
            row.recorded_by,
            organisers[row.organiser_id],
            row.corrects_id,
            not row.void and row.id not in corrected,
            {k: str(v) if isinstance(v, StrEnum) else v for k, v in {**named, **plain}.items()},
        )


@cache
def _pointing(table: Any) -> tuple[tuple[str, Any], ...]:
    """The columns of a table that point at another row, and the class of that; whom the record is about only where it is about
    two."""
    told = _HEAD if not hasattr(table, "other_expert_id") else _HEAD - {"expert_id"}
    classes = {mapper.local_table: mapper.class_ for mapper in Table.registry.mappers}
    return tuple(
        (column.key, classes[key.column.table])
        for column in inspect(table).column_attrs
        if column.key not in told
        for key in column.columns[0].foreign_keys
    )


def _codes(session: Session, other: Any, ids: set[Any]) -> dict[Any, Any]:
    """The codes of rows of another table; the ids themselves where it has none."""
    ids = ids - {None}
    if not ids or not hasattr(other, "code"):
        return {i: i for i in ids}
    return dict(session.execute(select(other.id, other.code).where(other.id.in_(ids))).all())
