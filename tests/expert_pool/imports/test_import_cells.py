"""Single cells: what is understood, and what is refused with which message."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert_pool.imports.cells import national_id_holds, read_column
from expert_pool.imports.sheets import SHEETS, Column, Sheet
from expert_pool.registry import Rank, Sector
from expert_pool.words import say


def column(sheet: str, name: str) -> Column:
    chosen: Sheet = SHEETS[sheet]
    return chosen.column(name)


def read(sheet: str, name: str, cell: str) -> Any:
    """The value of one cell, or the code of what is wrong with it."""
    values, troubles = read_column(column(sheet, name), [cell])
    return troubles[0][1] if troubles else values[0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2020-02-29", date(2020, 2, 29)),
        ("2020/2/9", date(2020, 2, 9)),
        ("2020.2.9", date(2020, 2, 9)),
        ("2020年2月9日", date(2020, 2, 9)),
        ("20200209", date(2020, 2, 9)),
        (" ２０２０-02-09　", date(2020, 2, 9)),
        ("2021-02-29", "import.date"),
        ("2020-13-01", "import.date"),
        ("1899-12-31", "import.date"),
        ("43831", "import.date"),
        ("soon", "import.date"),
        ("2020-01-01x", "import.date"),
        ("", "import.required"),
        ("#REF!", "import.spreadsheet_fault"),
    ],
)
def test_dates(cell: str, value: object) -> None:
    assert read("credits", "holds_on", cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("10", 10),
        ("-10", -10),
        ("＋5", 5),
        ("10.0", 10),
        ("10.5", "import.integer"),
        ("1e3", "import.integer"),
        ("ten", "import.integer"),
        ("1001", "import.range"),
        ("99999999999", "import.integer"),
    ],
)
def test_whole_numbers(cell: str, value: object) -> None:
    assert read("credits", "points", cell) == value


def test_proficiency_is_one_to_three() -> None:
    assert [read("skills", "proficiency", cell) for cell in "0123 4"] == [
        "import.range", 1, 2, 3, "import.required", "import.range",
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["是", "true", "TRUE", "Yes", "1"])
def test_yes(cell: str) -> None:
    assert read("trainings", "passed", cell) is True


@pytest.mark.parametrize("cell", ["否", "false", "No", "0"])
def test_no(cell: str) -> None:
    assert read("trainings", "passed", cell) is False


def test_neither_yes_nor_no_says_what_is_allowed() -> None:
    _, troubles = read_column(column("trainings", "passed"), ["maybe"])
    assert troubles[0][1] == "import.boolean"
    assert "是" in troubles[0][2]["allowed"]


def test_choices_are_understood_in_both_languages() -> None:
    assert read("employer_sectors", "sector", "民营") is Sector.PRIVATE
    assert read("employer_sectors", "sector", "Private") is Sector.PRIVATE
    assert read("qualifications", "rank", "正高级") is Rank.FULL_SENIOR


def test_an_unknown_choice_says_what_is_allowed() -> None:
    _, troubles = read_column(column("qualifications", "rank"), ["", "超高级"])
    assert [(index, code) for index, code, _ in troubles] == [(0, "import.required"), (1, "import.choice")]
    assert "full_senior（正高级）" in say("import.choice", "zh", **troubles[1][2])
    assert say("import.choice", "en", **troubles[1][2]).endswith("junior, mid, deputy_senior, full_senior.")


def test_a_moment_needs_its_zone() -> None:
    read_moment = "2026-01-01T08:00:00+08:00"
    assert read("credits", "recorded_at", read_moment) == datetime(2026, 1, 1, tzinfo=UTC)
    assert read("credits", "recorded_at", "2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)
    assert read("credits", "recorded_at", "2026-01-01T08:00:00") == "import.moment"
    assert read("credits", "recorded_at", "0001-01-01T00:00:00+14:00") == "import.moment"
    assert read("credits", "recorded_at", "") is None


def test_national_ids() -> None:
    assert read("experts", "national_id", "990000196201011010") == "990000196201011010"
    assert read("experts", "national_id", "11010519491231002x") == "11010519491231002X"
    assert read("experts", "national_id", "990000196201011011") == "import.national_id_checksum"
    assert read("experts", "national_id", "99000019620101101") == "import.national_id_form"
    assert read("experts", "national_id", "990000************") is None
    assert read("experts", "national_id", "") is None


@settings(deadline=None)
@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_of_a_national_id_is_found(place: int, shift: int) -> None:
    right = "11010519491231002X"
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert national_id_holds(right)
    assert not national_id_holds(wrong)


def test_codes_are_made_plain_and_text_is_kept() -> None:
    assert read("experts", "code", " ＥＸ－００１ ") == "EX-001"
    assert read("experts", "name", "王五（虚构）") == "王五（虚构）"
    assert read("experts", "code", "x" * 65) == "import.too_long"
    assert read("cases", "code", "2026／0101") == read("cases", "code", "..") == "import.code_address"
    assert read("experts", "name", "a\x00b") == "import.control_character"
    assert read("disciplines", "basis", "第一条\n第二条") == "第一条\n第二条"
    assert read("experts", "name", "'=1+1") == "=1+1"


def test_phones() -> None:
    assert read("experts", "phone", "+86 100-0000-0001") == "+8610000000001"
    assert read("experts", "phone", "100*****01") is None
    assert read("experts", "phone", "none") == "import.phone"


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_cell_breaks_the_reader(cell: str) -> None:
    """Whatever stands in a cell, it is read or refused."""
    for sheet in SHEETS.values():
        for each in sheet.columns:
            values, troubles = read_column(each, [cell])
            assert len(values) == 1
            assert len(troubles) <= 1
