"""A request sent twice is carried out once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from api.http import once
from expert_pool import clock
from expert_pool.accounts.rights import Role
from expert_pool.registry import AnsweredRequest, Credit

API = "/api/v1"
ROW = {"event": "缺席", "points": -10, "holds_on": "2026-02-01"}
KEY = {"Idempotency-Key": "a-1"}


@pytest.fixture
def clerk(both_http):
    return both_http.sign_in(Role.POOL_MANAGER)


def _credits(http):
    with http.store.reading() as session:
        return session.scalar(select(func.count(Credit.id)))


def test_the_same_request_gets_the_same_answer_and_is_carried_out_once(both_http, clerk):
    before = _credits(both_http)
    first = clerk.post(f"{API}/experts/E01/credits", json=ROW, headers=KEY)
    second = clerk.post(f"{API}/experts/E01/credits", json=ROW, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert _credits(both_http) == before + 1


def test_headers_of_the_answer_are_kept_too(clerk):
    new = {"code": "P7", "name": "库", "organiser": "HR"}
    first = clerk.post(f"{API}/pools", json=new, headers=KEY)
    second = clerk.post(f"{API}/pools", json=new, headers=KEY)
    assert first.headers["location"] == second.headers["location"]
    assert first.headers["etag"] == second.headers["etag"]


def test_a_key_belongs_to_one_request_of_one_account(both_http, clerk):
    clerk.post(f"{API}/experts/E01/credits", json=ROW, headers=KEY)
    other = clerk.post(f"{API}/experts/E02/credits", json=ROW, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "once.other_request")
    changed = clerk.post(f"{API}/experts/E01/credits", json={**ROW, "points": -9}, headers=KEY)
    assert changed.status_code == 422
    colleague = both_http.sign_in(Role.POOL_MANAGER, account_id=2)
    assert colleague.post(f"{API}/experts/E02/credits", json=ROW, headers=KEY).status_code == 201


def test_a_request_that_failed_may_be_sent_again_with_its_key(both_http, clerk):
    bad = clerk.post(f"{API}/experts/E01/credits", json={**ROW, "holds_on": "2999-01-01"}, headers=KEY)
    assert bad.status_code == 422
    assert clerk.post(f"{API}/experts/E01/credits", json=ROW, headers=KEY).status_code == 201
    assert clerk.post(f"{API}/pools", json={}, headers={"Idempotency-Key": ""}).status_code == 422


def test_of_many_at_once_one_is_carried_out(both_http, clerk):
    before, answers = _credits(both_http), []

    def send():
        answers.append(clerk.post(f"{API}/experts/E03/credits", json=ROW, headers=KEY))

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert _credits(both_http) == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert any(answer.status_code == 201 for answer in answers)
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"once.under_way"}


def test_another_process_that_is_carrying_it_out_is_waited_for(both_http, clerk, monkeypatch):
    """Without what this process knows of itself, only the database keeps the two apart."""
    monkeypatch.setattr(once, "_under_way", _Forgetful())
    before, answers = _credits(both_http), []

    def send():
        answers.append(clerk.post(f"{API}/experts/E04/credits", json=ROW, headers=KEY))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert _credits(both_http) == before + 1


def test_answers_are_sealed_and_forgotten_after_a_day(both_http, clerk):
    new = {"code": "E90", "name": "新人（虚构）", "region": "220000", "pool": "P1"}
    clerk.post(f"{API}/experts", json=new, headers=KEY)
    with both_http.store.reading() as session:
        kept = session.scalars(select(AnsweredRequest)).one()
    assert "新人".encode() not in kept.answer_sealed
    with clock.fixed(clock.now() + timedelta(days=1, minutes=1)):
        again = clerk.post(f"{API}/experts", json=new, headers=KEY)
        assert (again.status_code, again.json()["code"]) == (409, "entering.exists")
        assert clerk.post(f"{API}/experts/E01/credits", json=ROW, headers=KEY).status_code == 201


class _Forgetful(set):
    def add(self, item):
        """Keep nothing."""
