"""Employers on a date: the legal person each unit counts as, its code and region, and its sector.

Which legal person that is, `relations.legal_persons` says; of several (a unit with two parents) the first by code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import best_row, kept, packing, place, select_rows, take, truth, unpacked
from expert_pool.registry import Employer, EmployerLink, EmployerSector, Sector
from expert_pool.registry.base import Moment
from expert_pool.relations.legal_persons import KINDS, LegalPersons, link_conditions
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, day

SECTORS = tuple(Sector)
_FEW = 50
"""Up to so many units are looked up by id; for more, everything is read."""


@dataclass(frozen=True, slots=True)
class Employers:
    """By the id of a unit, the id of its legal person; by the id of that, its sector (place in SECTORS), code and
    region."""

    person: dict[int, int]
    sector: dict[int, int]
    codes: dict[int, str]
    regions: dict[int, str]


_ID = {"id": Employer.id}
_CALLED = {"code": Employer.code, "region": Employer.region}
_ALL = packing(_ID, _CALLED)
_SOME = _ALL.where(Employer.id.in_(bindparam("employers", expanding=True)))
_SECTOR = {
    "employer": EmployerSector.employer_id,
    "row": EmployerSector.id,
    "day": EmployerSector.holds_on,
    "sector": place(EmployerSector.sector, SECTORS),
}


@kept
def _sectors(viewer: Viewer, some: bool) -> Select[Any]:
    """The sectors of all employers, or of some, `on` a day as `known_at` a moment."""
    where = _sector_conditions(viewer)
    if some:
        where.append(EmployerSector.employer_id.in_(bindparam("employers", expanding=True)))
    return packing(_SECTOR).where(*where)


def _sector_conditions(viewer: Viewer) -> list[ColumnElement[bool]]:
    return [
        EmployerSector.holds_on <= bindparam("on", type_=Date),
        records.standing(EmployerSector, bindparam("known_at", type_=Moment)),
        *counted(viewer, EmployerSector),
    ]


def employers_on(
    session: Session, viewer: Viewer, units: Iterable[int], *, on: date, known_at: datetime
) -> Employers:
    """What some units count as on a day, as known at a moment."""
    asked = list(units)
    few = len(asked) <= _FEW
    tree = LegalPersons.read(session, viewer, on, known_at, around=asked if few else None)
    persons = {unit: tree.on_day(unit, day(on)) for unit in asked}
    wanted = sorted({person for several in persons.values() for person in several})
    given: dict[str, Any] = {"employers": wanted} if few else {}
    ids, words = unpacked(session, _SOME if few else _ALL, _ID, _CALLED, given)
    codes = dict(zip(ids["id"].tolist(), words["code"], strict=True))
    person = {unit: min(several, key=codes.__getitem__) for unit, several in persons.items()}
    given |= {"on": on, "known_at": known_at}
    rows, _ = unpacked(session, _sectors(viewer, few), _SECTOR, given=given)
    size = max(codes, default=0) + 1
    latest = take(rows["sector"], best_row(size, rows["employer"], rows["day"], rows["row"]))
    return Employers(
        person=person,
        sector={i: s for i in set(person.values()) if (s := int(latest[i])) != MISSING},
        codes=codes,
        regions=dict(zip(ids["id"].tolist(), words["region"], strict=True)),
    )


def employer_on(
    session: Session, viewer: Viewer, unit: int, *, on: date, known_at: datetime
) -> tuple[str, str, int]:
    """As `employers_on` for one unit: the code and region of its legal person, and its sector (place in SECTORS,
    MISSING for none)."""
    tree = LegalPersons(day(on), frozenset(), {})
    legal: set[int] = set()
    called: dict[int, tuple[str, str]] = {}
    sectors: dict[int, tuple[int, int, int]] = {}
    seen: set[int] = set()
    waiting = {unit}
    while waiting:
        seen |= waiting
        near: set[int] = set()
        given = {"units": sorted(waiting), "on": on, "known_at": known_at}
        for kind, row, one, number, since, until, code, region in select_rows(session, _near(viewer), given):
            match kind:
                case "employer":
                    called[row] = code, region
                    legal.update((row,) if number else ())
                case "sector":
                    latest = day(since), row, number
                    sectors[one] = max(sectors.get(one, latest), latest)
                case _:
                    last = MISSING if until is None else day(until)
                    tree.hang([(row, one, number, day(since), last)])
                    near |= {row, one}
        waiting = near - seen
    if tree.upward:
        tree.legal = frozenset(legal)
    person = min(tree.on_day(unit, day(on)), key=lambda one: called[one][0])
    return *called[person], sectors[person][2] if person in sectors else MISSING


@kept
def _near(viewer: Viewer) -> Select[Any]:
    """Some `units`, what they hang together with, and their sectors `on` a day as `known_at` a moment."""
    units: ColumnElement[Any] = bindparam("units", expanding=True)
    link = select(
        literal("link", Text).label("kind"),
        EmployerLink.employer_id.label("row"),
        EmployerLink.other_id.label("one"),
        place(EmployerLink.kind, KINDS).label("number"),
        EmployerLink.holds_on.label("since"),
        EmployerLink.until.label("until"),
        cast(null(), Text).label("code"),
        cast(null(), Text).label("region"),
    ).where(*link_conditions(viewer, known=True, near=True))
    employer = select(
        literal("employer", Text),
        Employer.id,
        Employer.id,
        truth(Employer.legal_person),
        cast(null(), Date),
        cast(null(), Date),
        Employer.code,
        Employer.region,
    ).where(Employer.id.in_(units))
    sector = select(
        literal("sector", Text),
        EmployerSector.id,
        EmployerSector.employer_id,
        place(EmployerSector.sector, SECTORS),
        EmployerSector.holds_on,
        cast(null(), Date),
        cast(null(), Text),
        cast(null(), Text),
    ).where(*_sector_conditions(viewer), EmployerSector.employer_id.in_(units))
    together = union_all(link, employer, sector).subquery("near")
    return select(*together.c)
