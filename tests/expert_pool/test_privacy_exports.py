"""Purposes, looks, watermarks: what leaves is told, and a leaked file is traced to its export."""

from __future__ import annotations

import csv
import struct
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
import vl_convert
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from refused import refused
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.imports.read import read_sheets
from expert_pool.privacy import exports
from expert_pool.privacy.exports import bitmap, export_marked, touches, trace, trace_hash
from expert_pool.privacy.looking import looks, masked_fields, masked_national_id, masked_phone, unmask
from expert_pool.privacy.watermark import (
    MARK_LINE,
    MARK_SHEET,
    SERIAL,
    Stamp,
    new_serial,
    serials_in,
    stamp_document,
)
from expert_pool.registry import Expert, LedgerEntry
from expert_pool.viewer import Viewer
from solver.errors import Fault

CLERK = Viewer.system("clerk")
STAMP = Stamp("X7F3A-91C2-0B4D", "clerk", datetime(2026, 9, 1, 4, tzinfo=UTC), "年度核对 & check")


def test_sealed_fields_are_masked_until_somebody_says_what_for(tiny: Tiny) -> None:
    key = tiny.store.key
    with tiny.store.session() as session:
        expert = session.get_one(Expert, tiny.ids["expert"]["E01"])
        assert masked_fields(key, expert) == {"national_id": "220101************", "phone": None}
        shown = unmask(session, CLERK, key, "E01", ["national_id"], "  电话  通知开会 ")
        assert shown == {"national_id": "22010119660101001X"}
        (look,) = looks(session, CLERK, expert="E01")
        assert (look.actor, look.fields, look.purpose) == ("clerk", ("national_id",), "电话 通知开会")
        entry = session.get_one(LedgerEntry, 2)
        assert (entry.action, entry.subject) == ("expert.unmasked", "E01")
        assert ledger.matches(entry, {"fields": ["national_id"], "purpose": "电话 通知开会"})
        assert ledger.verify(session) == []


@pytest.mark.parametrize("purpose", ["", "   ", "x", "1234567", "....."])
def test_a_look_without_a_purpose_is_refused(sqlite_tiny: Tiny, purpose: str) -> None:
    with sqlite_tiny.store.session() as session, refused("privacy.purpose_missing"):
        unmask(session, CLERK, sqlite_tiny.store.key, "E01", ["phone"], purpose)
    with sqlite_tiny.store.session() as session, refused("privacy.purpose_long"):
        unmask(session, CLERK, sqlite_tiny.store.key, "E01", ["phone"], "为什么" * 200)


def test_nobody_looks_at_experts_of_other_pools(sqlite_tiny: Tiny) -> None:
    stranger = Viewer("stranger", frozenset({99}))
    with sqlite_tiny.store.session() as session:
        with refused("privacy.expert_unknown"):
            unmask(session, stranger, sqlite_tiny.store.key, "E01", ["phone"], "call them")
        with refused("privacy.expert_unknown"):
            unmask(session, CLERK, sqlite_tiny.store.key, "E999", ["phone"], "call them")
        with refused("privacy.field_wrong"):
            unmask(session, CLERK, sqlite_tiny.store.key, "E01", ["name"], "call them")
        assert looks(session, CLERK) == []


@given(st.text(max_size=30))
def test_a_mask_hides_all_but_the_ends(text: str) -> None:
    assert len(masked_national_id(text)) == len(text)
    assert len(masked_phone(text)) == len(text)
    assert masked_national_id(text)[6:] == "*" * max(len(text) - 6, 0) or len(text) <= 6


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_exported_file_is_marked_told_and_traced(sqlite_tiny: Tiny, tmp_path: Path, form: str) -> None:
    store = sqlite_tiny.store
    out = tmp_path / ("out" if form == "csv" else "out.xlsx")
    done, rows = export_marked(store, CLERK, out, purpose="年度核对", form=form)
    assert rows["experts"] == 12
    assert done.finished_at is not None
    file = out / "experts.csv" if form == "csv" else out
    with store.reading() as session:
        found = trace(session, CLERK, file)
        assert (found.export.serial, found.exact, found.export.actor) == (done.serial, True, "clerk")
        actions = [e.action for e in session.query(LedgerEntry).order_by(LedgerEntry.id)][-2:]
        assert actions == ["export.begun", "export.finished"]
        assert ledger.verify(session) == []
    with file.open("ab") as leaked:
        leaked.write(b"\n")
    with store.reading() as session:
        assert trace(session, CLERK, file).exact is False
        with refused("privacy.export_unknown"):
            trace_hash(session, CLERK, "0" * 64)
    (tmp_path / "other.csv").write_text("a,b\n")
    with store.reading() as session, refused("privacy.trace_failed"):
        trace(session, CLERK, tmp_path / "other.csv")


def test_the_mark_of_a_csv_file_is_its_last_line_and_import_passes_over_it(
    sqlite_tiny: Tiny, tmp_path: Path
) -> None:
    done, _ = export_marked(sqlite_tiny.store, CLERK, tmp_path / "out", purpose="=cmd|' /C calc'!A0")
    with (tmp_path / "out" / "experts.csv").open(encoding="utf-8-sig", newline="") as file:
        *_, last = csv.reader(file)
    assert last[:3] == [MARK_LINE, done.serial, "clerk"]
    assert last[4].startswith("'=")
    sheets = {sheet.title: sheet for sheet in read_sheets(tmp_path / "out")}
    assert len(sheets["experts"].rows) == 12


def test_the_mark_of_a_workbook_stands_in_its_headers_and_on_its_own_sheet(
    sqlite_tiny: Tiny, tmp_path: Path
) -> None:
    done, _ = export_marked(
        sqlite_tiny.store, CLERK, tmp_path / "b.xlsx", purpose="R&D check", form="xlsx", lang="en"
    )
    book = load_workbook(tmp_path / "b.xlsx")
    assert done.serial in book["experts"].oddHeader.center.text
    assert "R&&D" in book["experts"].oddHeader.center.text
    assert next(row[1].value for row in book[MARK_SHEET["en"]].rows) == done.serial
    assert MARK_SHEET["en"] not in {sheet.title for sheet in read_sheets(tmp_path / "b.xlsx")}


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
def test_a_document_is_marked_in_its_header(tmp_path: Path, suffix: str) -> None:
    plain = tmp_path / f"plain{suffix}"
    (Document() if suffix == ".docx" else Workbook()).save(str(plain))
    marked = tmp_path / f"marked{suffix}"
    marked.write_bytes(stamp_document(plain.read_bytes(), suffix, STAMP, "zh"))
    assert serials_in(plain) == []
    assert serials_in(marked) == [STAMP.serial]
    if suffix == ".docx":
        said = [p.text for p in Document(str(marked)).sections[0].header.paragraphs]
        assert any(STAMP.serial in line and "clerk" in line and STAMP.purpose in line for line in said)
    assert stamp_document(b"x", ".txt", STAMP, "zh") == b"x"


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_picture_is_marked_by_a_line_below_it(tmp_path: Path, suffix: str) -> None:
    plain = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100" viewBox="0 0 800 200">'
        '<rect width="800" height="200" fill="#123456"/></svg>'
    )
    drawn = plain.encode() if suffix == ".svg" else bytes(vl_convert.svg_to_png(plain))
    marked = tmp_path / f"marked{suffix}"
    marked.write_bytes(stamp_document(drawn, suffix, STAMP, "zh"))
    assert serials_in(marked) == [STAMP.serial]
    if suffix == ".svg":
        root = ElementTree.fromstring(marked.read_text(encoding="utf-8"))
        assert (root.get("width"), float(root.get("height") or 0) > 100) == ("400", True)
        assert STAMP.sentence("zh") in "".join(root.itertext())
    else:
        width, height = struct.unpack(">II", marked.read_bytes()[16:24])
        assert (width, height > 100) == (400, True)
    assert stamp_document(b"no picture", suffix, STAMP, "zh") == b"no picture"


def test_an_export_that_fails_stays_begun(sqlite_tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault):
        export_marked(sqlite_tiny.store, CLERK, tmp_path / "file" / "below", purpose="年度核对")
    with sqlite_tiny.store.reading() as session:
        (begun,) = exports.exports(session, CLERK)
        assert (begun.finished_at, begun.files) == (None, ())
    with refused("import.form_unknown"):
        export_marked(sqlite_tiny.store, CLERK, tmp_path, purpose="年度核对", form="pdf")


@settings(deadline=None)
@given(st.sets(st.integers(0, 3000), max_size=60), st.integers(0, 3100))
def test_a_bitmap_knows_whom_an_export_speaks_of(ids: set[int], one: int) -> None:
    assert touches(bitmap(ids), one) is (one in ids)
    assert touches(None, one)


def test_serial_numbers_look_like_nothing_else() -> None:
    assert all(SERIAL.fullmatch(new_serial()) for _ in range(100))
