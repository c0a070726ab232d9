"""Rows of the registry as its sheets tell them: other rows by their codes, sealed fields masked.

One statement reads a row with all the codes it needs, whatever the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, select
from sqlalchemy.orm import Session, aliased

from expert_pool.imports.contents import any_sheet
from expert_pool.imports.sheets import Kind, Sheet
from expert_pool.keys import Key
from expert_pool.privacy.looking import masked_national_id, masked_phone
from expert_pool.statements import select_rows
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

SEALED = (Kind.NATIONAL_ID, Kind.PHONE)


@dataclass(frozen=True, slots=True)
class Telling:
    """How the rows of one sheet are read: `statement` selects `number` (the row's id) and a column for each of the
    sheet's, by its English name; of records also `organiser`, `recorded_at`, `recorded_by`, `corrects`, `void` and
    `superseded`."""

    sheet: Sheet
    statement: Select[Any]

    @property
    def table(self) -> Any:
        return self.sheet.table


@cache
def telling(name: str) -> Telling:
    """How the rows of a sheet are read. Raises KeyError for no sheet of ours."""
    sheet = any_sheet(name)
    table: Any = sheet.table
    columns: list[Any] = [table.id.label("number")]
    joins: list[tuple[Any, Any]] = []
    for column in sheet.columns:
        if column.kind in SEALED:
            columns.append(getattr(table, f"{column.field}_sealed").label(column.name))
        elif column.kind is Kind.REFERENCE:
            other: Any = aliased(any_sheet(column.to).table)
            code = other.version + "/" + other.code if column.to == "specialties" else other.code
            columns.append(code.label(column.name))
            joins.append((other, other.id == getattr(table, column.field)))
        else:
            columns.append(getattr(table, column.field).label(column.name))
    if sheet.recorded:
        later: Any = aliased(table)
        columns += [
            table.recorded_by.label("recorded_by"),
            table.corrects_id.label("corrects"),
            table.void.label("void"),
            exists().where(later.corrects_id == table.id).label("superseded"),
        ]
    statement = select(*columns).select_from(table)
    for other, condition in joins:
        statement = statement.outerjoin(other, condition)
    return Telling(sheet, statement)


def told(row: Any, sheet: Sheet, key: Key) -> dict[str, Any]:
    """A row of a telling as plain values, sealed ones masked."""
    values = dict(row._mapping)
    for column in sheet.columns:
        if column.kind in SEALED and values[column.name] is not None:
            hide = masked_national_id if column.kind is Kind.NATIONAL_ID else masked_phone
            values[column.name] = hide(key.open(values[column.name]))
    if sheet.recorded:
        values["stands"] = not (values["void"] or values["superseded"])
        del values["superseded"]
    return values


def find_thing(session: Session, viewer: Viewer, name: str, code: str, *more: ColumnElement[bool]) -> Any:
    """The row of a thing by its code, as its telling reads it. Raises Fault `entering.thing_unknown`."""
    statement = _by_code(viewer, name)
    given = {"code": code}
    if more:
        found = session.execute(statement.where(*more), given).one_or_none()
    else:
        found = select_rows(session, statement, given).one_or_none()
    if found is None:
        raise Fault("entering.thing_unknown", code, what=name)
    return found


@lru_cache(1024)
def _by_code(viewer: Viewer, name: str) -> Select[Any]:
    """Building a statement takes longer than running it."""
    tells = telling(name)
    return tells.statement.where(tells.table.code == bindparam("code"), *visible(viewer, tells.table))


def find_record(session: Session, viewer: Viewer, name: str, number: int, *more: ColumnElement[bool]) -> Any:
    """A record by its number, as its telling reads it. Raises Fault `entering.record_unknown`."""
    statement = _by_number(viewer, name)
    given = {"number": number}
    if more:
        found = session.execute(statement.where(*more), given).one_or_none()
    else:
        found = select_rows(session, statement, given).one_or_none()
    if found is None:
        raise Fault("entering.record_unknown", str(number), what=name)
    return found


@lru_cache(1024)
def _by_number(viewer: Viewer, name: str) -> Select[Any]:
    tells = telling(name)
    return tells.statement.where(tells.table.id == bindparam("number"), *visible(viewer, tells.table))
