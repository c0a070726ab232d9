"""Employers on a date: the legal person each unit counts as, its code and region, and its sector.

Which legal person that is, `relations.legal_persons` says; of several (a unit with two parents) the first by code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import best_row, fetch, place, take
from expert_pool.registry import Employer, EmployerSector, Sector
from expert_pool.relations.legal_persons import LegalPersons
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, day

SECTORS = tuple(Sector)


@dataclass(frozen=True, slots=True)
class Employers:
    """By the id of a unit, the id of its legal person; by the id of that, its sector (place in SECTORS), code and
    region."""

    person: dict[int, int]
    sector: dict[int, int]
    codes: dict[int, str]
    regions: dict[int, str]


def employers_on(
    session: Session, viewer: Viewer, units: Iterable[int], *, on: date, known_at: datetime
) -> Employers:
    """What some units count as on a day, as known at a moment."""
    ids, words = fetch(session, {"id": Employer.id}, words={"code": Employer.code, "region": Employer.region})
    codes = dict(zip(ids["id"].tolist(), words["code"], strict=True))
    tree = LegalPersons.read(session, viewer, on, known_at)
    person = {unit: min(tree.on_day(unit, day(on)), key=codes.__getitem__) for unit in units}
    columns = {
        "employer": EmployerSector.employer_id,
        "row": EmployerSector.id,
        "day": EmployerSector.holds_on,
        "sector": place(EmployerSector.sector, SECTORS),
    }
    rows, _ = fetch(
        session,
        columns,
        [records.current(EmployerSector, on, known_at), *counted(viewer, EmployerSector)],
    )
    size = max(codes, default=0) + 1
    latest = take(rows["sector"], best_row(size, rows["employer"], rows["day"], rows["row"]))
    return Employers(
        person=person,
        sector={i: s for i in set(person.values()) if (s := int(latest[i])) != MISSING},
        codes=codes,
        regions=dict(zip(ids["id"].tolist(), words["region"], strict=True)),
    )
