"""The specification agrees with the tables, the labels with the enumerations, the catalogues with the codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import expert_pool.imports
from expert_pool.imports.labels import LABELS, NO, YES
from expert_pool.imports.sheets import SHEETS, Kind, Sheet
from expert_pool.words import known

FILLED_IN = {"id", "recorded_by", "void", "corrects_id", "pseudonym", "organiser_id", "recorded_at"} | {
    "initials"
}
MAY_BE_LEFT_OUT = {("cases", "directed"), ("memberships", "reason"), ("absences", "reason")} | {
    ("relations", "source"),
    ("meetings", "place"),
    ("review_results", "reference"),
}


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
def test_a_sheet_fills_every_column_of_its_table(sheet: Sheet) -> None:
    table = sheet.table.__table__.columns
    fields = {column.field: column for column in sheet.columns}
    for name, stored in table.items():
        if name in FILLED_IN or name.endswith(("_sealed", "_mark")):
            continue
        assert name in fields
        if (sheet.name, fields[name].name) not in MAY_BE_LEFT_OUT:
            assert fields[name].required == (not stored.nullable), name


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
def test_headers_are_unique_and_keys_exist(sheet: Sheet) -> None:
    headers = [header for column in sheet.columns for header in (column.name, column.zh)]
    assert len(set(headers)) == len(headers)
    assert set(sheet.key) <= {column.name for column in sheet.columns}


def test_a_sheet_refers_only_to_itself_or_earlier_ones() -> None:
    order = list(SHEETS)
    for sheet in SHEETS.values():
        for column in sheet.columns:
            if column.to:
                assert order.index(column.to) <= order.index(sheet.name)


def test_every_choice_has_unambiguous_labels() -> None:
    for sheet in SHEETS.values():
        for column in sheet.columns:
            if column.choices is None:
                continue
            labels = LABELS[column.choices]
            assert list(labels) == list(column.choices)
            words = [word for value in labels for word in (value.value, *labels[value])]
            assert len(set(words)) == len(words)
    assert not set(YES) & set(NO)


def test_every_code_has_its_words() -> None:
    """Every message of this room, every sheet and every kind of cell is said in both languages."""
    folder = Path(expert_pool.imports.__file__).parent
    codes = set()
    for module in folder.glob("*.py"):
        codes |= set(re.findall(r'"(import\.[a-z_.]+[a-z])"', module.read_text(encoding="utf-8")))
    codes |= {f"import.kind.{kind.value}" for kind in Kind}
    codes |= {f"{code}.{name}" for name in SHEETS for code in ("sheet", "import.about")}
    codes |= {f"import.explain.{name}" for name in ("sheet", "zh", "en", "required", "content", "yes", "no")}
    for lang in ("zh", "en"):
        assert not {code for code in codes if not known(code, lang)}
