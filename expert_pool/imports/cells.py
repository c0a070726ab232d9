"""What one cell says: text in, a typed value out, or the reason why it cannot be read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from expert_pool.imports.labels import LABELS, NO, YES, allowed
from expert_pool.imports.sheets import Column, Kind

Trouble = tuple[int, str, dict[str, Any]]
"""Where in the column (counted from 0), the code of the message, and its parameters."""

MASK = "*"
LONGEST_CODE = 64
LONGEST_TEXT = 2000

_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)|(\d{4})(\d\d)(\d\d)")
_INTEGER = re.compile(r"([+-]?\d{1,10})(?:\.0*)?")
_NATIONAL_ID = re.compile(r"\d{17}[\dX]")
_PHONE = re.compile(r"\+?\d{5,15}")
_SPREADSHEET_FAULTS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Unreadable(Exception):
    """A cell that cannot be read, with the code of its message and parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def read_column(column: Column, cells: Sequence[str]) -> tuple[list[Any], list[Trouble]]:
    """The typed values of a column, None where a cell is empty or unreadable, and what is wrong with it."""
    read = reader(column)
    known: dict[str, Any] = {}
    bad: dict[str, Unreadable] = {}
    for cell in dict.fromkeys(cells):  # most columns say the same few things over and over
        try:
            known[cell] = _read_cell(column, read, cell.strip())
        except Unreadable as trouble:
            known[cell], bad[cell] = None, trouble
    troubles = (
        [(index, bad[cell].code, bad[cell].params) for index, cell in enumerate(cells) if cell in bad]
        if bad
        else []
    )
    return [known[cell] for cell in cells], troubles


def _read_cell(column: Column, read: Callable[[str], Any], cell: str) -> Any:
    if not cell:
        if column.required:
            raise Unreadable("import.required")
        return None
    if cell in _SPREADSHEET_FAULTS:
        raise Unreadable("import.spreadsheet_fault", value=cell)
    return read(cell)


def reader(column: Column) -> Callable[[str], Any]:
    """The function that reads one non-empty cell of `column`; it raises `Unreadable`."""
    if column.kind is Kind.CHOICE:
        assert column.choices is not None
        return _choice(column.choices)
    if column.kind is Kind.INTEGER:
        assert column.low is not None
        assert column.high is not None
        return _integer(column.low, column.high)
    return _READERS[column.kind]


def national_id_holds(number: str) -> bool:
    """Whether an 18-character national ID has the right checksum (GB 11643) and a real birth date."""
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != number[17]:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return True


def plain(text: str) -> str:
    """`text` with full-width letters, digits and signs made plain."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _text(cell: str) -> str:
    if len(cell) > LONGEST_TEXT:
        raise Unreadable("import.too_long", length=len(cell), longest=LONGEST_TEXT)
    if not cell.isprintable() and any(
        unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in cell
    ):
        raise Unreadable("import.control_character")
    return cell[1:] if cell[0] == "'" and cell[1:2] in FORMULA_STARTS else cell


FORMULA_STARTS = ("=", "+", "-", "@")
"""A text that starts so is written with a quote before it, lest a spreadsheet takes it for a formula."""


def _code(cell: str) -> str:
    code = plain(cell).strip()
    if len(code) > LONGEST_CODE:
        raise Unreadable("import.too_long", length=len(code), longest=LONGEST_CODE)
    if not code.isprintable():
        raise Unreadable("import.control_character")
    return _text(code)


def _own_code(cell: str) -> str:
    """The code of a thing is a segment of its address (`/experts/E01`): no server, proxy or browser leaves a slash there."""
    code = _code(cell)
    if "/" in code or code in {".", ".."}:
        raise Unreadable("import.code_address")
    return code


def _date(cell: str) -> date:
    match = _DATE.fullmatch(plain(cell))
    if match:
        year, month, day = (int(part) for part in match.groups() if part is not None)
        try:
            if year >= 1900:
                return date(year, month, day)
        except ValueError:
            pass
    raise Unreadable("import.date", value=cell)


def _moment(cell: str) -> datetime:
    try:
        moment = datetime.fromisoformat(plain(cell))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Unreadable("import.moment", value=cell)


def _boolean(cell: str) -> bool:
    word = plain(cell).casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise Unreadable("import.boolean", value=cell, allowed=f"{'/'.join(YES)}; {'/'.join(NO)}")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        match = _INTEGER.fullmatch(plain(cell).replace("−", "-"))
        if not match:
            raise Unreadable("import.integer", value=cell)
        number = int(match[1])
        if not low <= number <= high:
            raise Unreadable("import.range", value=cell, low=low, high=high)
        return number

    return read


def _choice(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    words = {word: value for value, labels in LABELS[choices].items() for word in (value.value, *labels)}

    def read(cell: str) -> StrEnum:
        value = words.get(cell) or words.get(plain(cell).casefold())
        if value is None:
            raise Unreadable("import.choice", value=cell, **allowed(choices))
        return value

    return read


def _national_id(cell: str) -> str | None:
    number = plain(cell).upper().replace(" ", "")
    if MASK in number:
        return None
    if not _NATIONAL_ID.fullmatch(number):
        raise Unreadable("import.national_id_form")
    if not national_id_holds(number):
        raise Unreadable("import.national_id_checksum")
    return number


def _phone(cell: str) -> str | None:
    number = re.sub(r"[\s()-]", "", plain(cell).removeprefix("'"))
    if MASK in number:
        return None
    if not _PHONE.fullmatch(number):
        raise Unreadable("import.phone")
    return number


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: _text,
    Kind.CODE: _own_code,
    Kind.REFERENCE: _code,
    Kind.SERIES: _code,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.BOOLEAN: _boolean,
    Kind.NATIONAL_ID: _national_id,
    Kind.PHONE: _phone,
}

__all__ = ["FORMULA_STARTS", "MASK", "Trouble", "Unreadable", "national_id_holds", "plain", "read_column"]
