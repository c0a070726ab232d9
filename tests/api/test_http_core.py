"""The service's frame: problem documents, languages, ETags."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.http.access import allowed
from api.http.versions import etag_of, require_match
from expert_pool.accounts.rights import Principal, Right, Role
from solver.errors import Fault


class Body(BaseModel):
    count: int


@pytest.fixture
def probed(http):
    """The service with routes that go wrong."""
    router = APIRouter()

    @router.get("/probe/fault/{code}")
    def fault(code: str) -> None:
        raise Fault(code, "somewhere", name="x")

    @router.get("/probe/bare/{code}")
    def bare(code: str) -> None:
        raise Fault(code)

    @router.get("/probe/error")
    def error() -> None:
        raise RuntimeError("secret of somebody")

    @router.post("/probe/body")
    def body(sent: Body, asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]) -> None:
        return None

    http.app.include_router(router)
    return http


def test_a_fault_is_a_problem_document_in_the_language_asked_for(probed):
    client = probed.sign_in(Role.AUDITOR)
    answer = client.get("/probe/fault/standing.expert_unknown")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["type"] == "/problems/standing.expert_unknown"
    assert said["title"] == "没有找到"
    assert said["language"] == "zh"
    english = client.get("/probe/fault/standing.expert_unknown?lang=en").json()
    assert english["title"] == "Not found"
    accepted = probed.stranger().get("/probe/fault/version.stale", headers={"Accept-Language": "en-GB, zh"})
    assert (accepted.status_code, accepted.json()["language"]) == (412, "en")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("access.unknown", 401),
        ("viewer.not_yours", 403),
        ("runs.unknown", 404),
        ("policy.rule_unknown", 422),
        ("once.under_way", 409),
        ("version.needed", 428),
        ("import.too_large", 413),
        ("store.busy", 503),
        ("record.future", 422),
    ],
)
def test_the_code_of_a_fault_says_its_status(probed, code, status):
    answer = probed.stranger().get(f"/probe/fault/{code}")
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_a_fault_of_the_database_names_no_place(probed):
    answer = probed.stranger().get("/probe/fault/store.busy")
    assert "somewhere" not in answer.text
    assert answer.headers["retry-after"] == "1"


def test_that_the_key_was_rotated_is_told_for_there_is_nothing_to_hide_in_it(probed):
    answer = probed.stranger().get("/probe/bare/key.rotated")
    assert (answer.status_code, answer.json()["code"]) == (503, "key.rotated")
    assert "重启" in answer.json()["detail"]


def test_an_unforeseen_error_is_answered_and_logged_by_its_number_without_its_text(probed, caplog):
    answer = probed.stranger().get("/probe/error")
    assert answer.status_code == 500
    number = answer.json()["params"]["id"]
    assert number in caplog.text
    assert "secret" not in caplog.text + answer.text


def test_a_body_that_cannot_be_read_says_where_and_why(probed):
    client = probed.sign_in(Role.AUDITOR)
    said = client.post("/probe/body", json={"count": "many"}).json()
    assert said["code"] == "http.invalid"
    assert said["where"] == "body.count"
    assert "应为整数" in said["detail"]
    assert "many" not in str(said)
    broken = client.post("/probe/body", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, "http.malformed")


def test_nobody_and_the_wrong_one_are_told_apart(probed):
    assert probed.stranger().post("/probe/body", json={"count": 1}).status_code == 401
    assert probed.sign_in(Role.POLICY_EDITOR).post("/probe/body", json={"count": 1}).status_code == 403


def test_a_place_that_is_not_there_and_a_wrong_method_are_problems(probed):
    client = probed.stranger()
    assert client.get("/api/v1/nothing").json()["code"] == "http.no_route"
    answer = client.delete("/probe/error")
    assert answer.json()["code"] == "http.method"
    assert answer.headers["allow"] == "GET"


def test_a_change_needs_the_version_it_rests_on():
    current = etag_of("a", 1)
    require_match(current, current)
    require_match(f'"other", {current}', current)
    require_match("*", current)
    with pytest.raises(Fault) as needed:
        require_match(None, current)
    assert needed.value.code == "version.needed"
    with pytest.raises(Fault) as stale:
        require_match(etag_of("a", 2), current)
    assert stale.value.code == "version.stale"
