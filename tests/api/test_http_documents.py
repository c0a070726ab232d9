"""Papers with names in them leave with a purpose, a watermark and two entries in the ledger."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import openpyxl
import pytest
import time_machine
from docx import Document
from sqlalchemy import select
from working_office import (
    BEFORE,
    ON_THE_DAY,
    WAIT,
    Office,
    asked,
    clerk,
    done,
    entries,
    seated,
    supervisor,
    working,
)

from expert_pool import ledger
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.privacy.own_record import who_looked
from expert_pool.privacy.watermark import MARK_SHEET
from expert_pool.registry import Expert, Export

FOR = {"purpose": "2026 年度备案 & <filing>"}
EXPORT = ["export.begun", "export.finished"]


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """Before the meeting."""
    with time_machine.travel(BEFORE):
        yield working(http)


def header_of(content: bytes) -> str:
    """What stands in the page header of a report."""
    return "\n".join(p.text for p in Document(io.BytesIO(content)).sections[0].header.paragraphs)


def looks(office: Office, code: str) -> list[str]:
    """The kinds of looks that an expert is told of."""
    with office.store.reading() as session:
        expert = session.scalars(select(Expert.id).where(Expert.code == code)).one()
        return [look.kind for look in who_looked(session, expert)]


def test_every_paper_of_a_panel_carries_who_when_what_for_and_a_number(office: Office) -> None:
    code = asked(office)
    with time_machine.travel(ON_THE_DAY):
        answer = clerk(office).post(f"/api/v1/panels/{code}/documents", json=FOR, headers=WAIT)
        result = done(answer)
        place = f"{answer.headers['location']}/files"
        files = {name: clerk(office).get(f"{place}/{name}").content for name in result["files"]}
    serial = result["serial"]
    said = header_of(files["panel.zh.docx"])
    assert all(word in said for word in (serial, "office.li", "2026-09-20", FOR["purpose"]))
    with office.store.reading() as session:
        name = session.scalars(select(Expert.name).where(Expert.code == seated(office, code)[0])).one()
    whole = Document(io.BytesIO(files["panel.zh.docx"]))
    assert any(name in cell.text for table in whole.tables for row in table.rows for cell in row.cells)
    book = openpyxl.load_workbook(io.BytesIO(files["panel.en.xlsx"]))
    assert next(row[1].value for row in book[MARK_SHEET["en"]].rows) == serial
    assert f"<metadata>{serial}</metadata>" in files["panel.svg"].decode()
    assert "2026 年度备案 &amp; &lt;filing&gt;" in files["panel.svg"].decode()
    assert serial.encode() in files["panel.png"]
    assert entries(office)[-2:] == EXPORT
    with office.store.reading() as session:
        export = session.scalars(select(Export)).one()
        assert (export.content, export.actor) == (f"panel/{code}", "office.li")
        assert ledger.verify(session) == []
    assert traced(office, files["panel.png"]) == serial


def traced(office: Office, content: bytes) -> str:
    """The serial number of the export that a file left by, as its hash tells."""
    auditor = office.sign_in("audit.chen", Role.AUDITOR)
    found = auditor.get(f"/api/v1/privacy/exports?sha256={sha256(content).hexdigest()}")
    return str(found.json()["items"][0]["serial"])


def test_one_paper_is_an_export_of_its_own(office: Office) -> None:
    code = asked(office)
    paper = clerk(office).get(f"/api/v1/panels/{code}/documents/panel.en.docx", params=FOR)
    assert paper.status_code == 200, paper.text
    assert FOR["purpose"] in header_of(paper.content)
    assert entries(office)[-2:] == EXPORT
    assert traced(office, paper.content) in header_of(paper.content)


@pytest.mark.parametrize("purpose", [None, "", "1234567"])
def test_without_a_purpose_nothing_leaves(office: Office, purpose: str | None) -> None:
    code = asked(office)
    given: Mapping[str, str] = {} if purpose is None else {"purpose": purpose}
    told = [
        clerk(office).get(f"/api/v1/panels/{code}/documents/panel.zh.docx", params=given),
        clerk(office).post(f"/api/v1/panels/{code}/documents", json=given),
        supervisor(office).post(f"/api/v1/sealed-panels/{code}/documents/panel.zh.docx", json=given),
    ]
    assert {answer.status_code for answer in told} == {422}
    assert all("purpose" in answer.json()["where"] for answer in told)
    assert "export.begun" not in entries(office)


def test_papers_of_a_sealed_panel_do_not_tell_an_expert_that_they_sit_in_it(office: Office) -> None:
    code = asked(office)
    member = seated(office, code)[0]
    answer = supervisor(office).post(f"/api/v1/sealed-panels/{code}/documents/panel.zh.docx", json=FOR)
    assert answer.status_code == 200, answer.text
    assert "supervisor.wang" in header_of(answer.content)
    assert entries(office)[-3:] == ["panel.seals_opened", *EXPORT]
    assert looks(office, member) == []
    with time_machine.travel(ON_THE_DAY):
        assert sorted(looks(office, member)) == ["exported", "seals_opened"]


def test_a_delegated_office_prints_the_panels_of_its_committee(office: Office) -> None:
    code = asked(office)
    here = frozenset({office.http.tiny.committee_id})
    grant = Grant(Role.COMMITTEE_OFFICE, None, frozenset(), here)
    delegate = office.http.client(Principal(1, "delegate", (grant,)))
    paper = delegate.get(f"/api/v1/panels/{code}/documents/panel.zh.docx", params=FOR)
    assert paper.status_code == 200, paper.text
    with office.store.reading() as session:
        export = session.scalars(select(Export)).one()
    assert (export.actor, export.organiser_id) == ("delegate", office.http.tiny.organiser_id)
