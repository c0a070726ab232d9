"""One employer's place in the dated tree: its neighbours and what it counts as, read along its own links only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.registry import (
    Employer,
    EmployerLink,
    EmployerName,
    EmployerSector,
    LinkKind,
    NameKind,
    Sector,
)
from expert_pool.viewer import Viewer, counted

MOST_BELOW = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Ids of the neighbours and legal persons of a unit, by code; `codes` and official `names` by id."""

    persons: tuple[int, ...]
    above: tuple[int, ...]
    below: tuple[int, ...]
    sector: Sector | None
    codes: Mapping[int, str]
    names: Mapping[int, str]


def placed(session: Session, viewer: Viewer, unit: int, *, on: date) -> Place:
    """Where a unit stands on a day, as known now. The legal persons are those of `relations.legal_persons`: up through
    links in force, stopping at a legal person unless it was merged."""
    persons = _legal_persons(session, viewer, unit, on)
    above = _others(session, viewer, EmployerLink.employer_id, EmployerLink.other_id, unit, on)
    below = _others(session, viewer, EmployerLink.other_id, EmployerLink.employer_id, unit, on)
    ids = {unit, *persons, *above, *below}
    codes = dict(session.execute(select(Employer.id, Employer.code).where(Employer.id.in_(ids))).all())

    def by_code(some: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted(some, key=codes.__getitem__))

    ordered = by_code(persons)
    return Place(
        ordered,
        by_code(above),
        by_code(below)[:MOST_BELOW],
        _sector(session, viewer, ordered[0], on),
        codes,
        _names(session, viewer, ids, on),
    )


def _in_force(viewer: Viewer, on: date) -> list[Any]:
    return [
        records.current(EmployerLink, on),
        or_(EmployerLink.until.is_(None), EmployerLink.until >= on),
        *counted(viewer, EmployerLink),
    ]


def _others(session: Session, viewer: Viewer, own: Any, other: Any, unit: int, on: date) -> set[int]:
    statement = select(other).where(own == unit, *_in_force(viewer, on)).limit(10 * MOST_BELOW)
    return set(session.scalars(statement))


def _legal_persons(session: Session, viewer: Viewer, unit: int, on: date) -> set[int]:
    found: set[int] = set()
    seen: set[int] = set()
    waiting = {unit}
    while waiting:
        seen |= waiting
        rows = session.execute(
            select(EmployerLink.employer_id, EmployerLink.other_id, EmployerLink.kind, Employer.legal_person)
            .join(Employer, Employer.id == EmployerLink.employer_id)
            .where(EmployerLink.employer_id.in_(waiting), *_in_force(viewer, on))
        ).all()
        climbs = [row for row in rows if row.kind is LinkKind.MERGED_INTO or not row.legal_person]
        found |= waiting - {row.employer_id for row in climbs}
        waiting = {row.other_id for row in climbs} - seen
    return found or {unit}


def _sector(session: Session, viewer: Viewer, person: int, on: date) -> Sector | None:
    return session.scalar(
        select(EmployerSector.sector)
        .where(
            EmployerSector.employer_id == person,
            records.current(EmployerSector, on),
            *counted(viewer, EmployerSector),
        )
        .order_by(EmployerSector.holds_on.desc(), EmployerSector.id.desc())
        .limit(1)
    )


def _names(session: Session, viewer: Viewer, ids: Iterable[int], on: date) -> dict[int, str]:
    rows = session.execute(
        select(EmployerName.employer_id, EmployerName.name)
        .where(
            EmployerName.employer_id.in_(set(ids)),
            EmployerName.kind == NameKind.OFFICIAL,
            records.current(EmployerName, on),
            *counted(viewer, EmployerName),
        )
        .order_by(EmployerName.holds_on, EmployerName.id)
    )
    return dict(rows.all())


__all__: Sequence[str] = ["Place", "placed"]
