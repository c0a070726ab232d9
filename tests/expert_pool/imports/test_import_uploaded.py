"""Tables that were sent: told apart by their bytes, never laid under a name the sender chose."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook
from refused import refused
from tiny_registry import Tiny

from expert_pool.imports import unpacking
from expert_pool.imports.unpacking import kind_of, refuse_bombs
from expert_pool.imports.uploaded import import_bytes
from expert_pool.viewer import Viewer

HEAD = "code,name,parent\n"


def archive(**files: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return whole.getvalue()


def workbook(title: str, *rows: tuple[str, ...]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    whole = io.BytesIO()
    book.save(whole)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (f"{HEAD}X1,新机构,HR\n".encode(), "organisers.csv"),
        (f"{HEAD}X1,新机构,HR\n".encode(), "../../机构/whatever.csv"),
        (workbook("organisers", ("code", "name", "parent"), ("X1", "新机构", "HR")), "no suffix at all"),
        (archive(folder__organisers_csv=f"{HEAD}X1,新机构,HR\n"), "tables.zip"),
    ],
    ids=["csv", "csv by its headers", "workbook", "archive"],
)
def test_what_was_sent_is_imported_whatever_it_is_called(
    sqlite_tiny: Tiny,
    system: Viewer,
    content: bytes,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = import_bytes(sqlite_tiny.store, system, content, name)
    assert done.ok, done.errors
    assert [(sheet.sheet, sheet.new) for sheet in done.sheets] == [("organisers", 1)]
    assert [path for path in tmp_path.iterdir() if "expert-pool" in path.name] == []


def test_an_archive_holds_our_tables_and_each_once(sqlite_tiny: Tiny, system: Viewer) -> None:
    for files in (
        {"strange_csv": "a\n"},
        {"a__pools_csv": "a\n", "b__pools_csv": "b\n"},
        {"readme.txt": "x"},
    ):
        with refused("import.sheet_unknown_file"):
            import_bytes(sqlite_tiny.store, system, archive(**files), "tables.zip")


def test_a_fault_names_the_file_as_the_sender_does(sqlite_tiny: Tiny, system: Viewer) -> None:
    with refused("import.damaged") as caught:
        import_bytes(sqlite_tiny.store, system, b"PK\x03\x04nothing", "名单.xlsx")
    assert caught.value.where == "名单.xlsx"


def test_a_bomb_is_told_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive(big_csv="0" * (unpacking.SMALL + 1))
    small = archive(a_csv="0" * 2000)
    assert len(bomb) < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # nothing is unpacked
    with refused("import.too_large"):
        kind_of(bomb, "bomb.zip")
    with refused("import.too_large"):
        refuse_bombs(small, "small.zip", most=1000)


def test_an_archive_of_a_thousand_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_PARTS", 5)
    with refused("import.too_large"):
        refuse_bombs(archive(**{f"f{n}_csv": "" for n in range(6)}), "many.zip")
