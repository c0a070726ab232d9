"""Employers on a date: the legal person each unit counts as, its code and region, and its sector.

Which legal person that is, `relations.legal_persons` says; of several (a unit with two parents) the first by code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import best_row, kept, packing, place, take, unpacked
from expert_pool.registry import Employer, EmployerSector, Sector
from expert_pool.relations.legal_persons import LegalPersons
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
    where = [
        EmployerSector.holds_on <= bindparam("on"),
        records.standing(EmployerSector, bindparam("known_at")),
        *counted(viewer, EmployerSector),
    ]
    if some:
        where.append(EmployerSector.employer_id.in_(bindparam("employers", expanding=True)))
    return packing(_SECTOR).where(*where)


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
