"""Records in the words of the import sheets: what their fields are called, and how their values read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from expert_pool.dossier import Entry
from expert_pool.imports.labels import LABELS
from expert_pool.imports.sheets import SHEETS, Column, Sheet
from expert_pool.words import term
from expert_pool.words.sentence import written_date


def kind(entry: Entry, lang: str) -> str:
    """What kind of record it is, as its sheet is called."""
    return sheet_name(entry.table, lang)


def sheet_name(table: str, lang: str) -> str:
    """What the sheet of a table is called."""
    sheet = _sheets().get(table)
    return term("sheet", sheet.name, lang) if sheet else table


def fields(
    entry: Entry, lang: str, names: Mapping[tuple[str, str], str], own: str
) -> Iterator[tuple[str, str]]:
    """The fields that say something, each with its label; `names` as `expert_pool.called` gives them. That a record of the
    expert `own` names that expert is not said."""
    columns = _columns(entry.table)
    given = {
        name: value
        for name, value in entry.fields.items()
        if not (value == own and name in columns and columns[name].to == "experts")
    }
    yield from labelled(entry.table, given, lang, names)


def codes_named(entries: Iterable[Entry]) -> dict[str, set[str]]:
    """The codes that records name, by the sheet of what they name."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        for name, column in _columns(entry.table).items():
            if column.to and entry.fields.get(name):
                found.setdefault(column.to, set()).add(str(entry.fields[name]))
    return found


def labelled(
    table: str, given: Mapping[str, Any], lang: str, names: Mapping[tuple[str, str], str] = {}
) -> Iterator[tuple[str, str]]:
    """The fields of a record of a table that say something, each with its label."""
    columns = _columns(table)
    for name, value in given.items():
        if value is None or value == "":
            continue
        column = columns.get(name)
        said = names.get((column.to, str(value))) if column is not None else None
        shown = _value(value, column, lang)
        yield _label(name, column, lang), f"{shown} {said}" if said else shown


def _label(name: str, column: Column | None, lang: str) -> str:
    if column is not None and lang == "zh":
        return column.zh
    return (column.name if column else name).replace("_", " ")


def _value(value: Any, column: Column | None, lang: str) -> str:
    if isinstance(value, bool):
        return term("words", value, lang)
    if isinstance(value, date | datetime):
        return written_date(value.isoformat()[:10], lang)
    if column is not None and column.choices is not None:
        choice = column.choices(str(value))
        return LABELS[column.choices][choice][0] if lang == "zh" else str(choice).replace("_", " ")
    return str(value)


def _columns(table: str) -> dict[str, Column]:
    sheet = _sheets().get(table)
    return {column.field.removesuffix("_id"): column for column in sheet.columns} if sheet else {}


@cache
def _sheets() -> dict[str, Sheet]:
    return {str(sheet.table.__tablename__): sheet for sheet in SHEETS.values()}
