"""The fields of a form that enters a row of a sheet, named and called as the sheet's columns are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from expert_pool.imports.labels import LABELS
from expert_pool.imports.sheets import SHEETS, Column, Kind
from expert_pool.words import term

_INPUTS = {Kind.DATE: "date", Kind.INTEGER: "number", Kind.BOOLEAN: "boolean", Kind.CHOICE: "choice"}


@dataclass(frozen=True, slots=True)
class FormField:
    """One field: `form` is text, date, number, boolean or choice; `options` (value, label) belong to a choice; `to` is the
    sheet of the things a reference names by code."""

    name: str
    label: str
    form: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()
    to: str = ""


def fields(sheet: str, lang: str, without: Collection[str] = ()) -> list[FormField]:
    """The fields for a new row of a sheet; the moment of recording is never asked for."""
    hidden = {"recorded_at", *without}
    return [_field(column, lang) for column in SHEETS[sheet].columns if column.name not in hidden]


def label(column: Column, lang: str) -> str:
    """What a column is called."""
    return column.zh if lang == "zh" else column.name.replace("_", " ")


def value(column: Column, given: Any, lang: str) -> str:
    """A value of a column in words; empty where there is none."""
    if given is None:
        return ""
    if isinstance(given, bool):
        return term("words", given, lang)
    if column.choices is not None:
        return _choice(column, given, lang)
    return str(given)


def _field(column: Column, lang: str) -> FormField:
    options = tuple((str(one), _choice(column, one, lang)) for one in column.choices or ())
    return FormField(
        column.name,
        label(column, lang),
        _INPUTS.get(column.kind, "text"),
        column.required,
        options,
        column.to,
    )


def _choice(column: Column, one: Any, lang: str) -> str:
    assert column.choices is not None
    return LABELS[column.choices][column.choices(one)][0] if lang == "zh" else str(one).replace("_", " ")
