"""Export: what comes out goes in again; sealed fields stay sealed; a viewer gets what is theirs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from expert_pool.imports import export_tables, import_tables, write_template
from expert_pool.imports.exporting import masked
from expert_pool.imports.read import read_sheets
from expert_pool.imports.sheets import SHEETS
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault

Sheets = dict[str, tuple[tuple[str, ...], ...]]
SEALED = {"身份证号", "手机号", "national_id", "phone"}


def content(path: Path, without: frozenset[str] = frozenset()) -> Sheets:
    """Headers and rows of every sheet, but for some columns."""
    found = {}
    for raw in read_sheets(path):
        keep = [place for place, header in enumerate(raw.headers) if header not in without]
        found[raw.title] = tuple(tuple(row[place] for place in keep) for row in [raw.headers, *raw.rows])
    return found


@pytest.mark.parametrize(("form", "lang"), [("csv", "zh"), ("csv", "en"), ("xlsx", "zh"), ("xlsx", "en")])
def test_what_is_exported_comes_back_the_same(
    filled: Store, sqlite_store: Store, system: Viewer, tmp_path: Path, form: str, lang: str
) -> None:
    """But for masked fields, which are left empty."""
    first, second = (tmp_path / (name + ".xlsx" * (form == "xlsx")) for name in ("first", "second"))
    counts = export_tables(filled, system, first, form=form, lang=lang)
    assert sum(counts.values()) == 169
    assert import_tables(filled, system, first).total("same") == 169
    done = import_tables(sqlite_store, system, first)
    assert done.ok, done.errors
    export_tables(sqlite_store, system, second, form=form, lang=lang)
    assert content(first, frozenset(SEALED)) == content(second, frozenset(SEALED))
    title = {"csv": "experts", "xlsx": SHEETS["experts"].zh if lang == "zh" else "experts"}[form]
    assert all(row[-2:] == ("", "") for row in content(second)[title][1:])


def test_a_folder_exported_from_postgresql_is_the_same_as_from_sqlite(
    store: Store, small: Path, system: Viewer, tmp_path: Path
) -> None:
    assert import_tables(store, system, small).ok
    export_tables(store, system, tmp_path / "out")
    assert import_tables(store, system, tmp_path / "out").total("same") == 169


def test_national_ids_and_phones_are_masked(filled: Store, system: Viewer, tmp_path: Path) -> None:
    export_tables(filled, system, tmp_path / "out", lang="en")
    text = (tmp_path / "out" / "experts.csv").read_text(encoding="utf-8-sig")
    row = next(csv.DictReader(text.splitlines()))
    assert (row["national_id"], row["phone"]) == ("990000************", "100******01")
    assert "990000196201011010" not in text


def test_a_short_secret_is_masked_whole() -> None:
    assert masked("12345", 3, 2) == "*****"
    assert masked("123456", 3, 2) == "123*56"


def test_only_what_stands_is_exported(
    filled: Store, files: Callable[..., Path], system: Viewer, tmp_path: Path
) -> None:
    """A corrected record comes as it is now, and a revoked sanction is named by the day it has now."""
    header = ["expert", "event", "points", "holds_on"]
    changed = files(credits=[header, ["EX-005", "迟到", -5, "2025-09-12"]])
    assert import_tables(filled, system, changed, correct=True).ok
    export_tables(filled, system, tmp_path / "out", lang="en")
    with (tmp_path / "out" / "credits.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["expert"], row["points"]) for row in csv.DictReader(file)]
    assert rows == [("EX-006", "-20"), ("EX-007", "2"), ("EX-005", "-5")]
    with (tmp_path / "out" / "disciplines.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["revokes"] for row in csv.DictReader(file) if row["revokes"]] == ["2024-05-01"]


def test_a_viewer_gets_what_is_theirs(filled: Store, files: Callable[..., Path], tmp_path: Path) -> None:
    clerk = Viewer("clerk", frozenset({2}))
    mine = files(credits=[["expert", "event", "points", "holds_on"], ["EX-001", "x", 7, "2025-01-01"]])
    assert import_tables(filled, clerk, mine).ok
    counts = export_tables(filled, clerk, tmp_path / "out", lang="en")
    assert counts["credits"] == counts["organisers"] == 1
    assert counts["experts"] == counts["applicants"] == 0  # nobody of theirs
    assert not any(counts[name] for name in ("pools", "committees", "cases", "memberships", "disciplines"))
    text = "".join(path.read_text(encoding="utf-8-sig") for path in (tmp_path / "out").iterdir())
    assert "ORG-01" not in text


def test_a_text_that_looks_like_a_formula_is_harmless_and_comes_back(
    filled: Store, files: Callable[..., Path], system: Viewer, tmp_path: Path
) -> None:
    formula = '=HYPERLINK("x")'
    row = files(credits=[["expert", "event", "points", "holds_on"], ["EX-001", formula, 7, "2025-01-01"]])
    assert import_tables(filled, system, row).ok
    for form, name in (("csv", "out"), ("xlsx", "out.xlsx")):
        export_tables(filled, system, tmp_path / name, form=form, lang="en")
        events = [line[1] for line in content(tmp_path / name)["credits"]]
        assert f"'{formula}" in events
        assert import_tables(filled, system, tmp_path / name).total("new") == 0


def test_an_export_that_cannot_be_written(filled: Store, system: Viewer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for out, form, code in (
        (tmp_path / "file", "csv", "import.cannot_write"),
        (tmp_path / "none" / "out.xlsx", "xlsx", "import.cannot_write"),
        (tmp_path / "out", "pdf", "import.form_unknown"),
    ):
        with pytest.raises(Fault) as caught:
            export_tables(filled, system, out, form=form)
        assert caught.value.code == code


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_has_every_sheet_and_explains_it(tmp_path: Path, lang: str) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, lang)
    book = openpyxl.load_workbook(path)
    assert len(book.worksheets) == len(SHEETS) + 1
    explanation = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=5)]
    for sheet in SHEETS.values():
        page = book[sheet.zh if lang == "zh" else sheet.name]
        assert [cell.value for cell in page[1]] == [c.zh if lang == "zh" else c.name for c in sheet.columns]
        for column in sheet.columns:
            assert any(row[1:3] == [column.zh, column.name] and row[4] for row in explanation)
    choices = {
        rule.formula1
        for rule in book["职称" if lang == "zh" else "qualifications"].data_validations.dataValidation
    }
    assert choices == {
        '"初级,中级,副高级,正高级"' if lang == "zh" else '"junior,mid,deputy_senior,full_senior"'
    }


def test_a_filled_template_is_imported(
    sqlite_store: Store, small: Path, system: Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, "zh")
    book = openpyxl.load_workbook(path)
    for raw in read_sheets(small):
        page = book[SHEETS[raw.title].zh]
        for row in raw.rows:
            page.append(list(row))
    book.save(path)
    done = import_tables(sqlite_store, system, path)
    assert done.ok, done.errors[:5]
    assert done.total("new") == 169


def test_a_template_left_empty_is_nothing_to_import(
    sqlite_store: Store, system: Viewer, tmp_path: Path
) -> None:
    write_template(tmp_path / "template.xlsx", "en")
    with pytest.raises(Fault) as caught:
        import_tables(sqlite_store, system, tmp_path / "template.xlsx")
    assert caught.value.code == "import.no_rows"
    with pytest.raises(Fault):
        write_template(tmp_path / "template.csv", "en")
