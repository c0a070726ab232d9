"""Files: kinds, encodings, damage, headers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from expert_pool.imports.read import read_sheets
from expert_pool.imports.report import Errors
from expert_pool.imports.typed import TypedSheet, type_sheets
from expert_pool.words import say
from solver.errors import Fault

EXPERTS = "专家编码,姓名,所在地区\nEX-1,张三（虚构）,示例省\n"


def typed(path: Path) -> tuple[dict[str, TypedSheet], list[tuple[str, int, str, str]]]:
    errors = Errors()
    sheets = type_sheets(read_sheets(path), errors)
    return sheets, [(e.sheet, e.row, e.column, e.code) for e in errors.sorted()]


def fault_of(path: Path) -> str:
    with pytest.raises(Fault) as caught:
        read_sheets(path)
    assert not say(caught.value.code, where=caught.value.where, **caught.value.params).startswith("import.")
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_any_known_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "experts.csv"
    path.write_bytes(EXPERTS.encode(encoding))
    sheets, errors = typed(path)
    assert not errors
    assert sheets["experts"].columns["name"] == ["张三（虚构）"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "experts.csv"
    path.write_bytes(EXPERTS.encode(encoding))
    assert fault_of(path) == "import.encoding"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_bytes(b"\xff\xff\x80\x00")
    assert fault_of(path) == "import.encoding"


def test_a_csv_cut_off_inside_a_character(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_bytes(EXPERTS.encode()[:-2])
    assert fault_of(path) == "import.cut_off"


def test_a_csv_cut_off_inside_a_quote_names_the_last_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_text(EXPERTS + 'EX-2,"李四', encoding="utf-8")
    assert typed(path)[1] == [("experts", 2, "", "import.row_cut_off")]


def test_a_csv_cut_off_inside_a_row_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_text(EXPERTS + "EX-2,李四", encoding="utf-8")
    assert ("experts", 3, "", "import.row_short") in typed(path)[1]


def test_a_row_with_more_cells_than_headers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_text(EXPERTS + "EX-2,李四,示例省,北区\n", encoding="utf-8")
    assert typed(path)[1] == [("experts", 3, "", "import.row_long")]


def test_broken_quotes_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_text(EXPERTS + '"EX-2"x,李四,示例省\n', encoding="utf-8")
    assert fault_of(path) == "import.csv_malformed"


def test_blank_rows_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_text(EXPERTS + "\n,,\nEX-2,李四,\n", encoding="utf-8")
    sheets, errors = typed(path)
    assert sheets["experts"].numbers == [2, 5]
    assert errors == [("experts", 5, "所在地区", "import.required")]


def test_an_empty_csv_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "experts.csv"
    path.write_bytes(b"")
    assert typed(path)[1] == [("experts", 1, "", "import.sheet_empty")]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("absent.csv", "import.no_such_file"),
        ("folder", "import.folder_without_csv"),
        ("experts.xls", "import.unknown_kind_of_file"),
        ("experts.xlsx", "import.damaged"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif not name.startswith("absent"):
        path.write_bytes(b"neither one nor the other")
    assert fault_of(path) == code


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def test_a_workbook_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = workbook(
        tmp_path / "whole.xlsx", 专家=[["专家编码", "姓名", "所在地区"], ["EX-1", "张三", "某省"]]
    )
    data = whole.read_bytes()
    for part in (1, 100, len(data) // 2, len(data) - 10):
        path = tmp_path / "cut.xlsx"
        path.write_bytes(data[:part])
        assert fault_of(path) == "import.damaged"


def test_a_workbook_with_a_broken_sheet_inside_is_refused(tmp_path: Path) -> None:
    whole = workbook(
        tmp_path / "whole.xlsx", 专家=[["专家编码", "姓名", "所在地区"]] + [["E", "张", "省"]] * 50
    )
    broken = io.BytesIO()
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry.filename, data[: len(data) // 2] if "sheet1" in entry.filename else data)
    path = tmp_path / "broken.xlsx"
    path.write_bytes(broken.getvalue())
    assert fault_of(path) == "import.damaged"


def test_cells_of_a_workbook_are_read_as_they_show(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        credits=[
            ["expert", "event", "points", "holds_on"],
            ["EX-1", "迟到", -10.0, datetime(2025, 9, 1)],
            [],
            [2, "late", 5, date(2025, 9, 2)],
        ],
        培训=[
            ["专家编码", "课程", "是否合格", "完成日期", "有效期至", None],
            ["EX-1", "课", True, "2025-01-01", "2026-01-01"],
        ],
        说明=[["this page", "is for people"]],
        Sheet1=[],
    )
    sheets, errors = typed(path)
    assert not errors
    assert sheets["credits"].numbers == [2, 4]
    assert sheets["credits"].columns == {
        "expert": ["EX-1", "2"],
        "event": ["迟到", "late"],
        "points": [-10, 5],
        "holds_on": [date(2025, 9, 1), date(2025, 9, 2)],
    }
    assert sheets["trainings"].columns["passed"] == [True]


def test_headers_that_are_wrong(tmp_path: Path, files: Callable[..., Path]) -> None:
    """A missing, an unknown (with the nearest), a nameless and a doubled column are each named."""
    folder = files(
        experts=[
            ["code", "姓 名x", "", "专家编码", "gendr", "region"],
            ["EX-1", "张", "", "EX-1", "女", "省"],
        ]
    )
    errors = Errors()
    type_sheets(read_sheets(folder), errors)
    found = {(e.column, e.code): e.params for e in errors.sorted()}
    assert found["专家编码", "import.column_twice"]["first"] == "code"
    assert found["gendr", "import.column_unknown"]["near"] == "性别 / gender"
    assert ("", "import.column_nameless") in found
    assert ("姓名 / name", "import.column_missing") in found
    assert all(e.row == 1 for e in errors.sorted())


def test_headers_may_be_marked_and_mixed(files: Callable[..., Path]) -> None:
    sheets, errors = typed(files(experts=[["专家编码*", "Name", "ｒｅｇｉｏｎ"], ["EX-1", "张", "省"]]))
    assert not errors
    assert sheets["experts"].headers == {"code": "专家编码*", "name": "Name", "region": "ｒｅｇｉｏｎ"}


def test_an_unknown_sheet_is_named_with_the_nearest(files: Callable[..., Path]) -> None:
    folder = files(experts=[["code", "name", "region"], ["EX-1", "张", "省"]], expertise=[["a"], ["b"]])
    errors = Errors()
    type_sheets(read_sheets(folder), errors)
    (error,) = errors.sorted()
    assert (error.sheet, error.code, error.params["near"]) == ("expertise", "import.sheet_unknown", "experts")


@pytest.mark.parametrize("name", ["experts-2026.csv", "专家（新）.csv", "Experts_v2.csv", "new.csv"])
def test_a_lone_file_is_known_by_its_name_or_its_headers(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(EXPERTS, encoding="utf-8")
    sheets, errors = typed(path)
    assert not errors
    assert list(sheets) == ["experts"]
