"""Audits over HTTP: a roster goes in, findings and papers come out; what is no roster is refused before it is unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from docx import Document
from openpyxl import Workbook
from sqlalchemy import select
from working_office import WAIT, Office, done, working

from expert_pool.accounts.rights import Role
from expert_pool.audits.asking import MOST_UNPACKED
from expert_pool.privacy.exports import touches
from expert_pool.registry import Export, LedgerEntry, Look

POLICY = {"policy": "cn-title-jilin-2013", "on": "2026-09-20", "purpose": "年度监督检查"}


@pytest.fixture
def office(http: Any) -> Office:
    return working(http)


@pytest.fixture
def client(office: Office) -> Any:
    return office.sign_in("audit.chen", Role.AUDITOR)


def roster(*rows: tuple[str, ...]) -> bytes:
    """A workbook with a list of people."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "名单"
    for row in (("姓名", "角色", "单位", "年龄"), *rows):
        sheet.append(row)
    whole = io.BytesIO()
    book.save(whole)
    return whole.getvalue()


PEOPLE = roster(
    ("张一（虚构）", "主任委员", "甲大学", "58"),
    ("李二（虚构）", "委员", "乙公司", "50"),
    ("王三（虚构）", "委员", "乙公司", "81"),
)


def send(
    client: Any, content: bytes, name: str = "名单.xlsx", place: str = "/api/v1/audits", **more: Any
) -> Any:
    headers = more.pop("headers", WAIT) | {
        "Authorization": "Bearer ep_test"
    }  # without one a body may only be small
    return client.post(place, files={"roster": (name, content)}, data=POLICY | more, headers=headers)


def test_a_roster_is_judged_and_its_papers_are_files(client: Any) -> None:
    answer = send(client, PEOPLE, name="../../etc/../名单.xlsx")
    result = done(answer)
    assert result["ok"]
    audit = result["audit"]
    assert (audit["format"], audit["roster"]["file"], audit["roster"]["members"]) == (
        "audit/1",
        "名单.xlsx",
        3,
    )
    assert audit["counts"]["broken"] > 0
    assert answer.json()["files"] == [
        "audit.zh.docx",
        "audit.zh.xlsx",
        "audit.en.docx",
        "audit.en.xlsx",
    ]
    paper = client.get(f"{answer.headers['location']}/files/audit.en.docx").content
    header = Document(io.BytesIO(paper)).sections[0].header
    assert any(POLICY["purpose"] in line.text and "audit.chen" in line.text for line in header.paragraphs)


def test_everything_wrong_with_a_roster_comes_back_in_both_languages(client: Any) -> None:
    result = done(send(client, roster(("张一", "主任委员", "甲", "old"), ("张一", "主任委员", "甲", "x"))))
    assert (result["ok"], result["audit"]) == (False, None)
    first = result["errors"][0]
    assert first["row"] == 2
    assert first["message"]["zh"]
    assert first["message"]["en"]


def test_with_the_registry_the_look_is_on_the_ledger(office: Office, client: Any) -> None:
    known = roster(("专家1（虚构）", "委员", "长白机器有限公司（虚构）", "50"), ("外人", "委员", "甲", "40"))
    result = done(send(client, known, place="/api/v1/committees/C1/audits"))
    assert result["audit"]["registry"]["committee"] == "C1"
    assert result["audit"]["registry"]["matched"] == 1
    with office.store.reading() as session:
        told = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(3)).all()
        looks = session.scalars(select(Look)).all()
        exports = session.scalars(select(Export)).all()
    assert [entry.action for entry in told] == ["export.finished", "export.begun", "audit.registry_read"]
    assert {entry.actor for entry in told} == {"audit.chen"}
    assert [(look.actor, look.purpose) for look in looks] == [("audit.chen", POLICY["purpose"])]
    assert [touches(export.experts, looks[0].expert_id) for export in exports] == [True]
    clerk = office.sign_in("office.li", Role.COMMITTEE_OFFICE)
    assert send(clerk, PEOPLE, place="/api/v1/committees/C1/audits").status_code == 403
    assert send(client, PEOPLE, place="/api/v1/committees/C9/audits").status_code == 404


def bomb() -> bytes:
    """An archive of some kilobytes that says it holds more than a roster may."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"\0" * (MOST_UNPACKED + 1))
    return whole.getvalue()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "import.no_rows"),
        (b"PK\x03\x04 and no archive", 422, "import.damaged"),
        (bomb(), 413, "import.too_large"),
    ],
    ids=["empty", "damaged", "bomb"],
)
def test_what_is_no_roster_is_refused_at_once(client: Any, content: bytes, status: int, code: str) -> None:
    answer = send(client, content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["where"] == "名单.xlsx"
    assert client.get("/api/v1/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"policy": "/etc/passwd"}, "policy.unknown"),
        ({"overrides": "{"}, "audit.overrides_malformed"),
        ({"overrides": '[{"parameter": "nosuch", "value": 1, "why": "x"}]'}, None),
        ({"on": "yesterday"}, "http.invalid"),
        ({"level": "low"}, "http.invalid"),
    ],
)
def test_what_is_asked_wrongly_is_refused_at_once(
    client: Any, more: dict[str, str], code: str | None
) -> None:
    answer = send(client, PEOPLE, **more)
    assert answer.status_code in (404, 422)
    assert code is None or answer.json()["code"] == code


def test_the_template_can_be_had(client: Any) -> None:
    assert client.get("/api/v1/audit-template?lang=en").content[:2] == b"PK"


def test_the_same_roster_sent_twice_is_audited_once(client: Any) -> None:
    headers = {"Idempotency-Key": "roster-1"}
    first, again = (send(client, PEOPLE, headers=headers) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert send(client, PEOPLE, on="2026-09-21", headers=headers).json()["code"] == "once.other_request"
