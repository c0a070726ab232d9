"""Personal data over HTTP: looks with a purpose, exports that are traced, erasure by two people, retention."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.jobs.job import Job
from api.jobs.work.retention import apply
from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.privacy.exports import export_marked
from expert_pool.viewer import Viewer

API = "/api/v1/privacy"


@pytest.fixture(autouse=True)
def _now(now: datetime) -> None:
    """Every test here is on one day."""


def test_a_look_needs_right_and_purpose_and_is_told(http: Any, manager: Any) -> None:
    asked = {"fields": ["national_id"], "purpose": "电话通知开会"}
    answer = manager.post(f"{API}/experts/E01/looks", json=asked)
    assert answer.json() == {"expert": "E01", "national_id": "22010119660101001X", "phone": None}
    without = manager.post(f"{API}/experts/E01/looks", json={"fields": ["phone"], "purpose": "  "})
    assert (without.status_code, without.json()["code"]) == (422, "privacy.purpose_missing")
    assert manager.post(f"{API}/experts/E999/looks", json=asked).status_code == 404
    for role in (Role.AUDITOR, Role.COMMITTEE_OFFICE, Role.ADMINISTRATOR, Role.EXPERT):
        assert http.sign_in(role).post(f"{API}/experts/E01/looks", json=asked).status_code == 403
    auditor = http.sign_in(Role.AUDITOR)
    (look,) = auditor.get(f"{API}/looks?expert=E01").json()["items"]
    assert (look["actor"], look["purpose"], look["fields"]) == ("clerk", "电话通知开会", ["national_id"])
    elsewhere = http.sign_in(Role.POOL_MANAGER, organisers=frozenset({999}))
    assert elsewhere.post(f"{API}/experts/E01/looks", json=asked).status_code == 404


def test_an_auditor_traces_a_file_by_hash_or_serial(http: Any, tmp_path: Path) -> None:
    done, _ = export_marked(http.store, Viewer.system("clerk"), tmp_path / "out", purpose="年度核对")
    auditor = http.sign_in(Role.AUDITOR)
    hashed = next(file.sha256 for file in done.files if file.name == "experts.csv")
    (found,) = auditor.get(f"{API}/exports?sha256={hashed}").json()["items"]
    assert (found["serial"], found["purpose"]) == (done.serial, "年度核对")
    assert auditor.get(f"{API}/exports/{done.serial}").json() == found
    assert auditor.get(f"{API}/exports?sha256={'0' * 64}").json() == {"items": [], "next": None}
    assert auditor.get(f"{API}/exports/X0000-0000-0000").status_code == 404
    assert auditor.get(f"{API}/exports/nonsense").status_code == 422


def test_erasure_takes_two_people_and_the_present_version(http: Any, manager: Any) -> None:
    planned = manager.get(f"{API}/experts/E12/erasure").json()
    assert (planned["holds"], planned["rows"]["expert"]) == ([], 1)
    asked = manager.post(f"{API}/erasures", json={"expert": "E12", "note": "来函"})
    assert asked.status_code == 201
    place = f"{API}/erasures/{asked.json()['code']}"
    version = manager.get(place).headers["ETag"]
    assert asked.headers["ETag"] == version
    assert manager.post(f"{place}/confirmation").status_code == 428
    assert manager.post(f"{place}/confirmation", headers={"If-Match": '"old"'}).status_code == 412
    alone = manager.post(f"{place}/confirmation", headers={"If-Match": version})
    assert (alone.status_code, alone.json()["code"]) == (409, "privacy.same_person")
    head = http.sign_in(Role.POOL_MANAGER, actor="head")
    done = head.post(f"{place}/confirmation", headers={"If-Match": version})
    assert (done.status_code, done.json()["state"], done.json()["note"]) == (200, "done", "")
    again = head.post(f"{place}/refusal", json={"why": "x"}, headers={"If-Match": done.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (409, "privacy.erasure_decided")
    assert [item["state"] for item in manager.get(f"{API}/erasures?state=done").json()["items"]] == ["done"]
    shown = manager.get("/api/v1/experts/E12").json()
    assert (shown["name"][0], shown["national_id"]) == ("P", None)
    changed = manager.get("/api/v1/experts/E12")
    back = manager.patch(
        "/api/v1/experts/E12", json={"name": "回来"}, headers={"If-Match": changed.headers["ETag"]}
    )
    assert back.json()["code"] == "import.erased"
    with http.store.reading() as session:
        assert ledger.verify(session) == []


def test_the_retention_rules_are_told_with_their_basis(http: Any, manager: Any) -> None:
    told = manager.get(f"{API}/retention").json()
    periods = {period["kind"]: period for period in told["periods"]}
    assert told["two_people"] is True
    assert (periods["expert"]["years"], periods["expert"]["status"]) == (None, "V2")
    run = http.sign_in(Role.ADMINISTRATOR).post(f"{API}/retention/runs", json={})
    assert run.status_code == 202
    assert run.json()["kind"] == "privacy.retention"
    assert manager.post(f"{API}/retention/runs", json={}).status_code == 403


def test_the_scheduled_work_lets_go_what_is_over(http: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "r.yaml").write_text("kinds: {expert: {years: 0}}\n")
    monkeypatch.setenv("EXPERT_POOL_RETENTION", str(tmp_path / "r.yaml"))

    def job(**params: Any) -> Job:
        return Job(
            code="R1",
            kind="privacy.retention",
            store=http.store,
            settings=http.app.state.service.settings,
            principal=None,
            organiser_id=None,
            params=params,
            attachments=(),
            decided=(),
            report=lambda _: None,
            cancelled=lambda: False,
        )

    assert apply(job(dry_run=True)).document["proposed"] == ["E12"]
    assert apply(job()).document["proposed"] == ["E12"]
    assert apply(job()).document["proposed"] == []
