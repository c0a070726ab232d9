"""Seals against the host over HTTP: from a supervisor's public key to the opened panel."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tiny_registry import SMALL

from api.jobs.job import Job
from api.jobs.work.sealing import request
from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.privacy.sealing.envelope import Box, take_share
from expert_pool.privacy.sealing.key_files import public_text
from expert_pool.runs import Decision

API = "/api/v1"


@pytest.fixture(autouse=True)
def _now(now: datetime) -> None:
    """Every test here is on one day."""


def carried_out(http: Any, **more: Any) -> Any:
    """What the work makes of the run that was asked for last."""
    code, _ = http.jobs.submitted[-1]
    asked = {
        "committee": "C1",
        "meeting": "M1",
        "policy": "cn-title-jilin-2013",
        "overrides": [{"parameter": n, "value": v, "why": "small"} for n, v in SMALL.items()],
        "supervisors": ["S0", "S1", "S2"],
        "needed": 2,
    }
    reported: list[Any] = []
    job = Job(
        code=code,
        kind="panel.request_sealed",
        store=http.store,
        settings=http.app.state.service.settings,
        principal=None,
        organiser_id=http.tiny.organiser_id,
        params={"ask": asked, "on": "2026-09-01"},
        attachments=(),
        decided=more.get("decided", ()),
        report=reported.append,
        cancelled=lambda: False,
    )
    done = request(job)
    assert all(event.incumbent is None and event.goal is None for event in reported)
    return done.document


def test_a_sealed_panel_is_asked_for_opened_by_two_and_told(http: Any) -> None:
    keys = [X25519PrivateKey.generate() for _ in range(3)]
    keeper = http.sign_in(Role.ADMINISTRATOR, actor="admin")
    for n, key in enumerate(keys):
        sent = {"code": f"S{n}", "organiser": "HR", "public_key": public_text(key.public_key())}
        assert keeper.post(f"{API}/supervisors", json=sent).status_code == 201
    office = http.sign_in(Role.COMMITTEE_OFFICE, actor="office")
    asked = {"committee": "C1", "meeting": "M1", "supervisors": ["S0", "S1", "S2"], "needed": 2}
    answer = office.post(f"{API}/sealed-panels", json=asked)
    assert (answer.status_code, answer.json()["kind"]) == (202, "panel.request_sealed")
    made = carried_out(http)
    assert (made["panel"], made["supervisors"]) == ("M1-P1", ["S0", "S1", "S2"])
    again = carried_out(http, decided=(Decision("panel.requested_sealed", "M1-P1"),))
    assert again == made
    supervisor = http.sign_in(Role.DRAW_SUPERVISOR, actor="s0")
    place = f"{API}/sealed-panels/M1-P1/seal"
    assert office.get(place).status_code == 403
    assert supervisor.get(place).json()["released"] == 0
    for n in (0, 2):
        told = supervisor.get(f"{place}/boxes/S{n}").json()
        box = Box(told["number"], base64.b64decode(told["box"]), told["share_sha256"])
        share = base64.b64encode(take_share(box, "M1-P1", keys[n])).decode()
        wrong = supervisor.post(f"{place}/shares", json={"supervisor": "S1", "share": share})
        assert wrong.json()["code"] == "seal.share_wrong"
        early = supervisor.post(f"{place}/opening")
        assert (early.status_code, early.json()["code"]) == (422, "seal.too_few_shares")
        assert (
            supervisor.post(f"{place}/shares", json={"supervisor": f"S{n}", "share": share}).status_code
            == 200
        )
    assert supervisor.post(f"{place}/opening").json()["opened_at"]
    assert supervisor.post(f"{place}/opening").status_code == 409
    looked = supervisor.post(f"{API}/sealed-panels/M1-P1/looks")
    assert looked.status_code == 200, looked.text
    assert "专家" in looked.text
    with http.store.reading() as session:
        assert ledger.verify(session) == []
    assert keeper.post(f"{API}/supervisors/S0/retirement").json()["retired_at"]
    assert len(supervisor.get(f"{API}/supervisors").json()["items"]) == 3


def test_what_is_not_sealed_or_not_there_is_said(http: Any) -> None:
    supervisor = http.sign_in(Role.DRAW_SUPERVISOR)
    for path in ("seal", "seal/boxes/S0"):
        assert supervisor.get(f"{API}/sealed-panels/NONE/{path}").status_code == 404
    sent = {"code": "S1", "organiser": "XX", "public_key": "x" * 44}
    keeper = http.sign_in(Role.ADMINISTRATOR)
    assert keeper.post(f"{API}/supervisors", json=sent).json()["code"] == "seal.organiser_unknown"
    sent["organiser"] = "HR"
    assert keeper.post(f"{API}/supervisors", json=sent).json()["code"] == "seal.public_key_malformed"
