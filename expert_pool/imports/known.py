"""What the registry already holds of what a file speaks about: read once, as plain dictionaries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, or_, select, true
from sqlalchemy.orm import Session

from expert_pool.imports.sheets import SHEETS, Column, Kind, Sheet
from expert_pool.imports.typed import TypedSheet
from expert_pool.registry import EmployerLink, Expert, Meeting, Organiser
from expert_pool.statements import kept, select_rows
from expert_pool.viewer import Viewer, visible

MOST_ASKED = 20_000
"""Up to so many codes or ids are asked for by name; more, and the whole table is read."""

_PART = 2_000


@dataclass(frozen=True, slots=True)
class KnownThing:
    """A row found by its key: its id, whether the viewer may see it, and the stored values of the sheet's columns."""

    id: int
    visible: bool
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class KnownThings:
    """Per sheet the rows found by key (a code, `version/code`, or a pair of ids).

    `roots` are the organisers without a parent, where one of them may have to be found; `marks` tells which expert has a national ID, `meetings` which
    meeting an agenda has on a day.
    """

    rows: Mapping[str, Mapping[Any, KnownThing]]
    roots: Sequence[int]
    marks: Mapping[str, str]
    meetings: Mapping[tuple[int, date], str]


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record as stored; `superseded` when another row corrects it."""

    id: int
    organiser_id: int
    void: bool
    superseded: bool
    values: Mapping[str, Any]


def stored_field(column: Column) -> str:
    """The table's field that a column is compared with: sealed fields are compared by their marks."""
    return f"{column.field}_mark" if column.kind in {Kind.NATIONAL_ID, Kind.PHONE} else column.field


def known_things(
    session: Session, viewer: Viewer, typed: Mapping[str, TypedSheet], marks: set[str], organiser: str | None
) -> KnownThings:
    """The things that a file mentions, by their keys, and the organiser who imports.

    `marks` are the marks of the national IDs in the file.
    """
    asked = _asked(typed)
    if organiser is not None:
        asked["organisers"].add(organiser)
    rows: dict[str, dict[Any, KnownThing]] = {}
    for name, sheet in SHEETS.items():
        rows[name] = {}
        if sheet.key == ("code",) and asked[name]:
            some = asked[name] if len(asked[name]) <= MOST_ASKED else None
            rows[name] = {key[0]: thing for key, thing in _things(session, viewer, name, ("code",), some)}
    if asked["specialties"]:
        found_keys = _things(session, viewer, "specialties", ("version", "code"))
        rows["specialties"] = {f"{version}/{code}": thing for (version, code), thing in found_keys}
    if "specialty_mappings" in typed:
        rows["specialty_mappings"] = dict(
            _things(session, viewer, "specialty_mappings", ("old_id", "new_id"))
        )
    roots: Sequence[int] = ()
    if organiser is None and viewer.organisers is None:
        top = select(Organiser.id).where(Organiser.parent_id.is_(None), *visible(viewer, Organiser))
        roots = session.scalars(top).all()
    taken: dict[str, str] = {}
    for part in _in_parts(Expert.national_id_mark, marks):
        holders = session.execute(select(Expert.national_id_mark, Expert.code).where(part))
        taken |= {mark: code for mark, code in holders if mark is not None}
    meetings: dict[tuple[int, date], str] = {}
    if "meetings" in typed:
        sittings = select(Meeting.agenda_id, Meeting.on, Meeting.code)
        meetings = {(agenda, on): code for agenda, on, code in session.execute(sittings)}
    return KnownThings(rows, roots, taken, meetings)


def known_records(
    session: Session, viewer: Viewer, sheet: Sheet, subjects: Collection[int]
) -> list[KnownRecord]:
    """The records of `subjects` (experts, employers or committees, by id) that the viewer may see, oldest first."""
    if not subjects:
        return []
    fields = _record_fields(sheet)
    some = len(subjects) <= MOST_ASKED
    statement = _records(viewer, sheet.name, some)
    found: dict[int, Any] = {}
    for part in _parts(subjects) if some else [None]:
        given = {"asked": part} if part is not None else {}
        for row in select_rows(session, statement, given):
            found[row[0]] = row
    superseded = {row[3] for row in found.values()}
    return [
        KnownRecord(row[0], row[1], row[2], row[0] in superseded, dict(zip(fields, row[4:], strict=True)))
        for _, row in sorted(found.items())
    ]


def _record_fields(sheet: Sheet) -> list[str]:
    return [column.field for column in sheet.columns if column.name not in {"organiser", "recorded_at"}]


@kept
def _records(viewer: Viewer, name: str, some: bool) -> Select[Any]:
    sheet = SHEETS[name]
    table: Any = sheet.table
    fields = (getattr(table, field) for field in _record_fields(sheet))
    statement: Select[Any] = select(table.id, table.organiser_id, table.void, table.corrects_id, *fields)
    statement = statement.where(*visible(viewer, table))
    if not some:
        return statement
    asked: BindParameter[Any] = bindparam("asked", expanding=True)
    return statement.where(or_(*(getattr(table, field).in_(asked) for field in subject_fields(sheet))))


def subject_fields(sheet: Sheet) -> list[str]:
    """The fields that say whom a record is about; a relation may be told from either end."""
    first = next(sheet.column(name) for name in sheet.key if sheet.column(name).kind is Kind.REFERENCE)
    return [first.field, "other_expert_id"] if sheet.name == "relations" else [first.field]


def known_links(session: Session, viewer: Viewer) -> list[tuple[int, int, date, date | None]]:
    """Every link between employers that stands: employer, other, from, until."""
    taken_back = select(EmployerLink.corrects_id).where(EmployerLink.corrects_id.is_not(None))
    statement = select(
        EmployerLink.employer_id, EmployerLink.other_id, EmployerLink.holds_on, EmployerLink.until
    )
    standing = statement.where(
        ~EmployerLink.void, EmployerLink.id.not_in(taken_back), *visible(viewer, EmployerLink)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(standing)]


def code_of(session: Session, sheet: str, id_: int) -> str:
    """The code of a thing, for a message."""
    table: Any = SHEETS[sheet].table
    columns = (table.version, table.code) if sheet == "specialties" else (table.code,)
    row = session.execute(select(*columns).where(table.id == id_)).one()
    return "/".join(row)


def _asked(typed: Mapping[str, TypedSheet]) -> dict[str, set[str]]:
    """Per sheet the codes that the file uses, as its own rows or to refer to."""
    asked: dict[str, set[str]] = {name: set() for name in SHEETS}
    for name, each in typed.items():
        for column in each.sheet.columns:
            values = each.columns.get(column.name)
            if not values:
                continue
            if column.kind is Kind.CODE and column.name == "code":
                asked[name].update(values)
            elif column.to:
                asked[column.to].update(values)
    for codes in asked.values():
        codes.discard(None)
    return asked


def _things(
    session: Session, viewer: Viewer, name: str, key: tuple[str, ...], some: Collection[str] | None = None
) -> Iterator[tuple[Any, KnownThing]]:
    """The things of a sheet by the values of `key`; `some`: only those whose (one) key is among them."""
    statement = _statement(viewer, name, key, some is not None)
    width = len(key)
    for part in [None] if some is None else _parts(some):
        for row in select_rows(session, statement, {} if part is None else {"asked": part}):
            yield tuple(row[:width]), KnownThing(row[width], bool(row[width + 1]), tuple(row[width + 2 :]))


@kept
def _statement(viewer: Viewer, name: str, key: tuple[str, ...], some: bool) -> Select[Any]:
    sheet = SHEETS[name]
    table: Any = sheet.table
    mine = visible(viewer, table)
    seen = and_(*mine) if mine else true()
    keys = [getattr(table, field) for field in key]
    fields = [getattr(table, stored_field(column)) for column in sheet.values]
    statement: Select[Any] = select(*keys, table.id, seen.label("seen"), *fields)
    return statement.where(keys[0].in_(bindparam("asked", expanding=True))) if some else statement


def _in_parts(column: Any, wanted: Collection[Any]) -> Iterator[ColumnElement[bool]]:
    return (column.in_(part) for part in _parts(wanted))


def _parts(wanted: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(wanted)
    return (ordered[start : start + _PART] for start in range(0, len(ordered), _PART))


__all__ = [
    "KnownRecord",
    "KnownThing",
    "KnownThings",
    "code_of",
    "known_links",
    "known_records",
    "known_things",
    "stored_field",
    "subject_fields",
]
