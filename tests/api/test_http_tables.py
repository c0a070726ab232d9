"""Tables over HTTP: templates, import as a run, streamed exports that carry a watermark and no formula."""

from __future__ import annotations

import csv
import io
from hashlib import sha256

import openpyxl
import pytest
from sqlalchemy import select

from expert_pool.accounts.rights import Role
from expert_pool.imports import streaming
from expert_pool.imports.streamed_workbook import StreamedWorkbook
from expert_pool.registry import ExportFile, LedgerEntry

API = "/api/v1"
PURPOSE = "purpose=年度备案"


@pytest.fixture
def clerk(both_http):
    return both_http.sign_in(Role.POOL_MANAGER)


def _rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_sheets_and_a_template_are_described(manager):
    sheets = {sheet["name"]: sheet for sheet in manager.get(f"{API}/tables").json()["items"]}
    assert len(sheets) == 30
    assert {"ratings", "review_results", "complaints"} <= {*sheets}
    assert sheets["trainings"]["key"] == ["expert", "course", "holds_on"]
    template = manager.get(f"{API}/tables/template?lang=en").content
    assert "experts" in openpyxl.load_workbook(io.BytesIO(template)).sheetnames


def test_a_sheet_is_streamed_as_csv_with_its_hash_on_the_ledger(clerk, both_http, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK", 5)
    answer = clerk.get(f"{API}/tables/experts/file?{PURPOSE}&lang=en")
    assert answer.status_code == 200, answer.text
    header, *rows, mark = _rows(answer.content)
    assert header[:2] == ["code", "name"]
    assert [row[0] for row in rows] == [f"E{n:02}" for n in range(1, 13)]
    assert rows[3][header.index("national_id")] == "220101************"
    assert mark[0] == "#expert-pool export"
    with both_http.store.reading() as session:
        file = session.scalars(select(ExportFile)).one()
        actions = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)).all()
    assert file.sha256 == sha256(answer.content).hexdigest()
    assert actions[-2:] == ["export.begun", "export.finished"]


def test_scores_have_a_template_and_leave_with_a_purpose(clerk, both_http):
    template = clerk.get(f"{API}/tables/template?lang=en&content=scores").content
    names = openpyxl.load_workbook(io.BytesIO(template)).sheetnames
    assert names[1:] == ["rating_scales", "rating_criteria", "ratings"]
    answer = clerk.get(f"{API}/tables/ratings/file?{PURPOSE}&lang=en")
    header, mark = _rows(answer.content)
    assert (header[:3], mark[0]) == (["case", "rater", "criterion"], "#expert-pool export")
    assert clerk.get(f"{API}/tables/ratings/file").status_code == 422
    looked = clerk.post(f"{API}/privacy/experts/E01/score-looks", json={"purpose": "复核评分"})
    assert (looked.status_code, looked.json()) == (200, {"expert": "E01", "items": []})
    refused = clerk.post(f"{API}/privacy/experts/E01/score-looks", json={"purpose": "x"})
    assert refused.json()["code"] == "privacy.purpose_missing"
    for role in (Role.AUDITOR, Role.COMMITTEE_OFFICE):
        other = both_http.sign_in(role, actor=str(role))
        assert other.get(f"{API}/tables/ratings/file?{PURPOSE}").status_code == 403
        asked = other.post(f"{API}/privacy/experts/E01/score-looks", json={"purpose": "复核评分"})
        assert asked.status_code == 403


def test_a_sheet_is_streamed_as_a_workbook_that_others_read(clerk, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK", 5)
    answer = clerk.get(f"{API}/tables/trainings/file?{PURPOSE}&form=xlsx&lang=en")
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = list(page.iter_rows(values_only=True))
    assert (len(rows), rows[0][:2], rows[1][:2]) == (13, ("expert", "course"), ("E01", "2025 培训"))
    assert "年度备案" in page.oddHeader.center.text


def test_no_cell_of_an_export_is_a_formula(clerk):
    new = {"code": "P8", "name": "=1+1", "organiser": "HR"}
    assert clerk.post(f"{API}/pools", json=new).status_code == 201
    rows = _rows(clerk.get(f"{API}/tables/pools/file?{PURPOSE}").content)
    assert "'=1+1" in [cell for row in rows for cell in row]
    content = clerk.get(f"{API}/tables/pools/file?{PURPOSE}&form=xlsx").content
    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}


def test_an_export_needs_a_purpose_the_right_and_a_sheet(http, manager):
    assert manager.get(f"{API}/tables/experts/file").status_code == 422
    assert manager.get(f"{API}/tables/nothing/file?{PURPOSE}").json()["code"] == "entering.sheet_unknown"
    assert http.sign_in(Role.AUDITOR).get(f"{API}/tables/experts/file?{PURPOSE}").status_code == 403
    other = http.sign_in(Role.POOL_MANAGER, organisers=frozenset({999}))
    assert "E01" not in other.get(f"{API}/tables/experts/file?{PURPOSE}").text


def test_the_streamed_sheets_say_what_the_whole_export_says(http, manager, tmp_path):
    from expert_pool.imports import export_tables
    from expert_pool.imports.sheets import SHEETS
    from expert_pool.viewer import Viewer

    export_tables(http.store, Viewer.system("clerk"), tmp_path / "out", lang="zh")
    for name in SHEETS:
        *streamed, _ = _rows(manager.get(f"{API}/tables/{name}/file?{PURPOSE}").content)
        assert streamed == _rows((tmp_path / "out" / f"{name}.csv").read_bytes()), name


def test_a_workbook_takes_what_xml_does_not():
    book = StreamedWorkbook('a/b"<&', "header & more")
    book.row(["x\x00\ud800<&>", 12, None, True])
    book.close()
    page = openpyxl.load_workbook(io.BytesIO(book.taken())).active
    assert [cell.value for cell in page[1]] == ["x\ufffd\ufffd<&>", 12, None, "True"]
    assert page.title == 'a_b"<&'


def test_a_file_is_imported_as_a_run_once(both_http, clerk):
    both_http.app.state.service = type(both_http.app.state.service)(
        both_http.store, Listed(), both_http.app.state.service.settings
    )
    sent = {"file": ("credits.csv", "expert,event,points,holds_on\nE01,迟到,-5,2026-01-02\n".encode())}
    key = {"Idempotency-Key": "import-1"}
    first = clerk.post(f"{API}/tables/imports", files=sent, data={"dry_run": "true"}, headers=key)
    assert first.status_code == 202, first.text
    assert first.headers["location"] == f"{API}/runs/{first.json()['code']}"
    again = clerk.post(f"{API}/tables/imports", files=sent, data={"dry_run": "true"}, headers=key)
    assert again.json()["code"] == first.json()["code"]
    other = clerk.post(f"{API}/tables/imports", files=sent, data={"dry_run": "false"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "once.other_request")


class Listed:
    """Writes nothing down: the run waits."""

    def submit(self, run, queue):
        """It waits."""

    def cancel(self, run):
        """It waits."""

    def close(self):
        """Nothing is held."""
