"""Finding experts: who may see whom, and the list by name, employer, specialty, sector, pool and state.

An expert is one row for the installation. A viewer is shown those who ever stood in a pool of the viewer's organisers;
of others only what a verdict needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from expert_pool import clock, records
from expert_pool.initials import as_initials
from expert_pool.lifecycle import State
from expert_pool.registry import (
    Applicant,
    Case,
    Employer,
    EmployerLink,
    EmployerName,
    EmployerSector,
    Employment,
    Expert,
    LinkKind,
    Membership,
    NameKind,
    Pool,
    Sector,
    Skill,
    Specialty,
)
from expert_pool.rows import find_thing
from expert_pool.searching import has_characters
from expert_pool.statements import kept, select_rows
from expert_pool.states import states_in
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

MOST_WALKED = 5_000
"""Experts whose state is worked out for one page at most."""
_CHUNK = 500
_TODAY: Any = bindparam("today", type_=Employment.holds_on.type)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What experts are looked for; None: whatever. Codes name other things; all of it is as of today.

    `q`: in the name, or how the code begins, or how the initials of the name in pinyin do. `employer`: works there, or in a part of it. `specialty`: holds a skill in
    it, or in what is below it. `sector`: of the main employer, or of what that is a part of.
    """

    q: str | None = None
    name: str | None = None
    region: str | None = None
    employer: str | None = None
    specialty: str | None = None
    sector: Sector | None = None
    pool: str | None = None

    @property
    def given(self) -> frozenset[str]:
        """The names of what is looked for; `initials` where `q` may be the beginning of some."""
        names = [name for name in self.__slots__ if getattr(self, name) is not None]
        return frozenset([*names, "initials"] if self.q and as_initials(self.q) else names)


def seen(viewer: Viewer) -> list[ColumnElement[bool]]:
    """The conditions under which an expert may be shown by name."""
    if viewer.organisers is None:
        return []
    own = select(Pool.id).where(Pool.organiser_id.in_(viewer.organisers))
    return [exists().where(Membership.expert_id == Expert.id, Membership.pool_id.in_(own))]


def shown(viewer: Viewer, table: Any) -> list[ColumnElement[bool]]:
    """`viewer.visible`, and of people besides only whom the viewer may be shown by name: experts as `seen`, applicants
    with a case that is visible. For whatever writes whole tables."""
    conditions = visible(viewer, table)
    if table is Expert:
        conditions += seen(viewer)
    if table is Applicant and viewer.organisers is not None:
        conditions.append(exists().where(Case.applicant_id == Applicant.id, *visible(viewer, Case)))
    return conditions


def expert_id(session: Session, viewer: Viewer, code: str) -> int:
    """The id of an expert the viewer may see. Raises Fault `standing.expert_unknown`."""
    found: int | None = select_rows(session, _id_by_code(viewer), {"code": code}).scalar()
    if found is None:
        raise Fault("standing.expert_unknown", code)
    return found


def find_expert(session: Session, viewer: Viewer, code: str) -> Any:
    """An expert the viewer may see: every column but the pseudonym, which would open the seals of panels. Faults as
    `expert_id`."""
    found = select_rows(session, _by_code(viewer), {"code": code}).one_or_none()
    if found is None:
        raise Fault("standing.expert_unknown", code)
    return found


@kept
def _id_by_code(viewer: Viewer) -> Select[Any]:
    return select(Expert.id).where(Expert.code == bindparam("code"), *seen(viewer))


@kept
def _by_code(viewer: Viewer) -> Select[Any]:
    shown = [column for column in Expert.__table__.columns if column.name != "pseudonym"]
    return select(*shown).where(Expert.code == bindparam("code"), *seen(viewer))


@kept
def listing(viewer: Viewer, given: frozenset[str]) -> Select[Any]:
    """The experts that are looked for and may be shown: id, code, name, region. `given` are the fields of `Wanted`
    that are not None; run it with `parameters`. Kept, since building it takes longer than running it."""
    statement: Any = select(Expert.id, Expert.code, Expert.name, Expert.region).where(*seen(viewer))
    found: Select[Any] = statement.where(*_conditions(given))
    return found


def parameters(wanted: Wanted) -> dict[str, Any]:
    """What a statement of `listing` is run with."""
    values: dict[str, Any] = {name: getattr(wanted, name) for name in wanted.given - {"initials"}}
    if wanted.q is not None:
        q = wanted.q.replace("/", "//").replace("%", "/%").replace("_", "/_")
        values |= {"q_begins": f"{q}%", "q_inside": f"%{q}%"}
        if letters := as_initials(wanted.q):
            values["initials_begin"] = f"{letters}%"
    if wanted.specialty is not None:
        version, _, values["specialty"] = wanted.specialty.rpartition("/")
        values["version"] = version or None
    if values.keys() & {"employer", "sector", "specialty"}:
        values["today"] = clock.today()
    return values


def employers_of(
    session: Session, experts: Iterable[int], on: date | None = None
) -> Mapping[int, tuple[str, str]]:
    """The employer of each expert that counts (main, else the longest held) as code and official name, in one go."""
    given = {"today": on or clock.today(), "experts": list(experts)}
    found = select_rows(session, _employers(), given) if given["experts"] else ()
    return {expert: (code, called) for expert, code, called in found}


@cache
def _employers() -> Select[Any]:
    later = aliased(EmployerName)
    name = (
        select(later.name)
        .where(
            later.employer_id == Employment.employer_id,
            later.kind == NameKind.OFFICIAL,
            records.current(later, _TODAY),
        )
        .order_by(later.holds_on.desc(), later.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found: Any = select(Employment.expert_id, Employer.code, func.coalesce(name, Employer.code))
    statement: Select[Any] = (
        found.join(Employer, Employer.id == Employment.employer_id)
        .where(Employment.expert_id.in_(bindparam("experts", expanding=True)), _employed())
        .order_by(Employment.main, Employment.holds_on.desc(), Employment.id.desc())
    )
    return statement


def in_state(
    session: Session,
    viewer: Viewer,
    statement: Select[Any],
    given: Mapping[str, Any],
    pool: str | None,
    state: State,
    limit: int,
    after: ColumnElement[bool] | None,
    beyond: Callable[[Sequence[Any]], ColumnElement[bool]],
    columns: Sequence[Any],
) -> tuple[list[Any], Any]:
    """Of the experts of an ordered statement (run with `given`) those in a state of a pool today, up to `limit`; and the last one looked
    at, None where the list is at its end.

    States are computed, not stored, so the walk looks at up to `MOST_WALKED` experts at once and may come back short.
    `beyond` gives the condition that a row comes after one with some values of the order's `columns`. Raises Fault
    `directory.state_without_pool`, `entering.thing_unknown`.
    """
    if pool is None:
        raise Fault("directory.state_without_pool", "state")
    pool_id = find_thing(session, viewer, "pools", pool).number
    found: list[Any] = []
    walked = 0
    while walked < MOST_WALKED:
        part = statement if after is None else statement.where(after)
        chunk = session.execute(part.limit(_CHUNK), given).all()
        walked += len(chunk)
        ids = [row.id for row in chunk]
        states = states_in(session, viewer, pool_id, ids, on=clock.today(), known_at=clock.now())
        for n, row in enumerate(chunk):
            if states[row.id] is state:
                found.append(row)
                if len(found) == limit:
                    over = n + 1 == len(chunk) < _CHUNK
                    return found, None if over else row
        if len(chunk) < _CHUNK:
            return found, None
        after = beyond([chunk[-1]._mapping[column.key] for column in columns])
    return found, chunk[-1]


def _conditions(given: frozenset[str]) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if "q" in given:
        inside = and_(
            has_characters(Expert.name, bindparam("q")),
            Expert.name.like(bindparam("q_inside"), escape="/"),
        )
        ways = [inside, Expert.code.like(bindparam("q_begins"), escape="/")]
        if "initials" in given:
            ways.append(Expert.initials.like(bindparam("initials_begin")))
        made.append(or_(*ways))
    if "name" in given:
        made.append(Expert.name == bindparam("name"))
    if "region" in given:
        made.append(Expert.region == bindparam("region"))
    if "pool" in given:
        pool = select(Pool.id).where(Pool.code == bindparam("pool"))
        made.append(
            exists().where(
                Membership.expert_id == Expert.id, Membership.pool_id.in_(pool), records.standing(Membership)
            )
        )
    if "employer" in given:
        units = _units_of(select(Employer.id).where(Employer.code == bindparam("employer")), into_legal=True)
        made.append(Expert.id.in_(_working_at(units)))
    if "sector" in given:
        made.append(Expert.id.in_(_working_at(_units_of(_in_sector(), into_legal=False), main=True)))
    if "specialty" in given:
        held = select(Skill.expert_id).where(
            Skill.specialty_id.in_(_below()),
            records.current(Skill, _TODAY),
            or_(Skill.until.is_(None), Skill.until >= _TODAY),
        )
        made.append(Expert.id.in_(held))
    return made


def _employed() -> ColumnElement[bool]:
    return and_(
        records.current(Employment, _TODAY), or_(Employment.until.is_(None), Employment.until >= _TODAY)
    )


def _working_at(units: Select[Any], *, main: bool = False) -> Select[Any]:
    at = select(Employment.expert_id).where(Employment.employer_id.in_(units), _employed())
    return at.where(Employment.main) if main else at


def _units_of(start: Select[Any], *, into_legal: bool) -> Select[Any]:
    """Some employers and the units that are a part of them today; `into_legal`: also through parts that are legal
    persons of their own."""
    found = start.cte("units" if into_legal else "own_units", recursive=True)  # a statement may hold both
    part = (
        select(EmployerLink.employer_id)
        .join(found, EmployerLink.other_id == found.c[0])
        .where(
            EmployerLink.kind == LinkKind.PART_OF,
            records.current(EmployerLink, _TODAY),
            or_(EmployerLink.until.is_(None), EmployerLink.until >= _TODAY),
        )
    )
    if not into_legal:
        part = part.join(Employer, Employer.id == EmployerLink.employer_id).where(~Employer.legal_person)
    return select(found.union(part).c[0])


def _in_sector() -> Select[Any]:
    """The employers whose latest sector is this one."""
    later = aliased(EmployerSector)
    replaced = exists().where(
        later.employer_id == EmployerSector.employer_id,
        records.current(later, _TODAY),
        or_(
            later.holds_on > EmployerSector.holds_on,
            and_(later.holds_on == EmployerSector.holds_on, later.id > EmployerSector.id),
        ),
    )
    return select(EmployerSector.employer_id).where(
        EmployerSector.sector == bindparam("sector"), records.current(EmployerSector, _TODAY), ~replaced
    )


def _below() -> Select[Any]:
    """The entries of the catalogue with a code (of one version, or of any), and all below them."""
    version: Any = bindparam("version", type_=Specialty.version.type)
    start = select(Specialty.id).where(
        Specialty.code == bindparam("specialty"), or_(version.is_(None), Specialty.version == version)
    )
    found = start.cte("entries", recursive=True)
    below = select(Specialty.id).join(found, Specialty.parent_id == found.c[0])
    return select(found.union(below).c[0])


__all__: Sequence[str] = [
    "Wanted",
    "employers_of",
    "expert_id",
    "find_expert",
    "in_state",
    "listing",
    "parameters",
    "seen",
]
