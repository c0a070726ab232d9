"""What an import found and did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expert_pool.imports.sheets import SHEETS
from expert_pool.words import languages, say


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with the input.

    `sheet` is the sheet's English name, or its title in the file when we know no such sheet; `row` the number a
    spreadsheet shows (1 is the header row, also for what concerns the whole sheet); `column` the header as it
    stands in the file, empty when no single column is at fault; `code` and `params` make the sentence (`said`).
    """

    sheet: str
    row: int
    column: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def said(self, lang: str) -> str:
        """What is wrong and how to mend it, in a sentence."""
        place = {"sheet": self.sheet, "row": self.row, "column": self.column}
        return say(self.code, lang, **{**place, **self.params})

    def document(self) -> dict[str, Any]:
        """The error as plain data, its sentence in every language."""
        return {
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "params": {name: str(value) for name, value in self.params.items()},
            "message": {lang: " ".join(self.said(lang).split()) for lang in languages()},
        }


@dataclass(frozen=True, slots=True)
class SheetReport:
    """How many rows of one sheet were new, already there, or corrections of what was there."""

    sheet: str
    new: int
    same: int
    corrected: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Per sheet what was (or, in a dry run, would be) done, or every error; with errors nothing was written."""

    sheets: tuple[SheetReport, ...]
    errors: tuple[RowError, ...]
    dry_run: bool

    @property
    def ok(self) -> bool:
        return not self.errors

    def total(self, count: str) -> int:
        """The sum over all sheets of `new`, `same` or `corrected`."""
        return sum(getattr(sheet, count) for sheet in self.sheets)


class Errors:
    """Collects errors while the input is being judged."""

    def __init__(self) -> None:
        self._found: list[RowError] = []

    def add(self, sheet: str, row: int, column: str, code: str, **params: Any) -> None:
        self._found.append(RowError(sheet, row, column, code, params))

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def count(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[RowError, ...]:
        """All errors, by sheet and row."""
        order = {name: place for place, name in enumerate(SHEETS)}
        return tuple(sorted(self._found, key=lambda e: (order.get(e.sheet, -1), e.sheet, e.row)))


__all__ = ["Errors", "ImportReport", "RowError", "SheetReport"]
