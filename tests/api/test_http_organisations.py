"""Committees and organisers appraised over HTTP: two accounts decide, and only then a measure holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from working_office import BEFORE, Office, working

from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.registry import (
    Committee,
    Complaint,
    Form,
    LedgerEntry,
    Level,
    OrganisationMeasure,
    Organiser,
    Pool,
    ReviewResult,
)

API = "/api/v1"
DECISION = {"code": "C1", "step": "rectify", "months": 3, "basis": "投诉查实"}


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """The province HR of the small registry, and FAR beside it with a committee of its own."""
    with time_machine.travel(BEFORE, tick=False):
        with http.store.session() as session:
            other = Organiser(code="FAR", name="他省", parent_id=None)
            session.add(other)
            session.flush()
            pool = Pool(code="P9", name="他库", organiser_id=other.id)
            session.add(pool)
            session.flush()
            kind = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
            session.add(Committee(code="C9", name="他会", organiser_id=other.id, pool_id=pool.id, **kind))
        yield working(http)


def far(office: Office) -> int:
    with office.store.reading() as session:
        return session.scalars(select(Organiser.id).where(Organiser.code == "FAR")).one()


def manager(office: Office, name: str = "pool.a", organiser: int | None = None) -> Any:
    owner = office.http.tiny.organiser_id if organiser is None else organiser
    return office.sign_in(name, Role.POOL_MANAGER, organiser_id=owner)


DECISIONS = f"{API}/organisation-decisions"
RESULTS = {"season": 2025, "reviewed": 40, "passed": 20, "on": "2026-01-05"}
COMPLAINT = {"season": 2025, "reference": "信访1号", "on": "2026-02-01"}


def stranger(office: Office) -> Any:
    """The pool manager of the other organiser."""
    return manager(office, "far.li", far(office))


def entries(office: Office) -> list[str]:
    """What the ledger tells (but of clients that came), and that it verifies."""
    with office.store.reading() as session:
        assert ledger.verify(session) == []
        told = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id))
        return [action for action in told if action != "account.created"]


def appraisal(office: Office, committee: str | None = "C1") -> Any:
    items = manager(office).get(f"{API}/organisation-appraisals").json()["items"]
    (found,) = [one for one in items if one["committee"] == committee]
    return found


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.json()["detail"]
    return answer.status_code, answer.json()["code"]


def test_every_organiser_sees_its_own_appraisals_and_looking_changes_nothing(office: Office) -> None:
    before = len(entries(office))
    for client, committee, organiser in ((manager(office), "C1", "HR"), (stranger(office), "C9", "FAR")):
        items = client.get(f"{API}/organisation-appraisals").json()["items"]
        assert [(one["committee"], one["organiser"]) for one in items] == [
            (committee, organiser),
            (None, organiser),
        ]
        assert {one["format"] for one in items} == {"organisation-appraisal/1"}
    assert len(entries(office)) == before


def test_results_and_complaints_are_recorded_and_said_again_correct(office: Office) -> None:
    client = manager(office)
    for passed in (20, 30):
        answer = client.post(f"{API}/committees/C1/results", json={**RESULTS, "passed": passed})
        assert (answer.status_code, answer.json()["table"]) == (201, "review_result")
    for upheld in (None, True):
        answer = client.post(f"{API}/committees/C1/complaints", json={**COMPLAINT, "upheld": upheld})
        assert (answer.status_code, answer.json()["table"]) == (201, "complaint")
    found = appraisal(office)
    assert (found["rates"]["pass_rate"]["number"], found["rates"]["pass_rate"]["of"]) == (30, 40)
    assert found["figures"]["complaints_upheld"]["number"] == 1
    with office.store.reading() as session:
        results = session.scalars(select(ReviewResult).order_by(ReviewResult.id)).all()
        complaints = session.scalars(select(Complaint).order_by(Complaint.id)).all()
    assert [row.corrects_id for row in results] == [None, results[0].id]
    assert [row.corrects_id for row in complaints] == [None, complaints[0].id]
    assert {row.recorded_by for row in (*results, *complaints)} == {"pool.a"}


def answered(office: Office, code: str) -> dict[str, str]:
    """The committee's office says that it has nothing to add; the tag of the decision then."""
    clerk = office.http.sign_in(Role.COMMITTEE_OFFICE, actor="clerk")
    said = clerk.post(f"{DECISIONS}/{code}/replies", json={"text": "无异议", "last": True})
    assert said.status_code == 201, said.text
    assert [one["text"] for one in said.json()["replies"]] == ["无异议"]
    return {"If-Match": said.headers["etag"]}


def test_an_office_is_told_by_letter_and_answers_on_paper_too(office: Office) -> None:
    code = manager(office).post(DECISIONS, json=DECISION).json()["code"]
    place = f"{DECISIONS}/{code}"
    letter = manager(office).get(f"{place}/letter?lang=en")
    assert (letter.status_code, letter.content[:2]) == (200, b"PK")
    assert refusal(manager(office).post(f"{place}/replies", json={"text": "x"}))[0] == 403
    paper = manager(office).post(f"{place}/paper-replies", json={"text": "来函说明"})
    assert (paper.status_code, paper.json()["heard_at"]) == (201, None)
    assert paper.json()["replies"][0]["by"] == "pool.a"
    assert refusal(manager(office).post(f"{place}/paper-replies", json={"text": " "}))[0] == 422
    auditor = office.http.sign_in(Role.AUDITOR, actor="auditor")
    assert auditor.get(place).json()["reply_until"] is not None
    assert refusal(auditor.post(f"{place}/paper-replies", json={"text": "x"}))[0] == 403


def test_two_accounts_decide_and_only_then_a_measure_holds(office: Office) -> None:
    first, second = manager(office), manager(office, "pool.b")
    decided = first.post(DECISIONS, json=DECISION)
    assert (decided.status_code, decided.json()["confirmed"]) == (201, None)
    code, tag = decided.json()["code"], {"If-Match": decided.headers["etag"]}
    assert appraisal(office)["standing"] is None
    place = f"{DECISIONS}/{code}/confirmation"
    assert refusal(second.post(DECISIONS, json=DECISION)) == (409, "organisations.open")
    assert refusal(second.post(place, json={})) == (428, "version.needed")
    assert refusal(second.post(place, json={}, headers={"If-Match": '"0"'})) == (412, "version.stale")
    assert refusal(first.post(place, json={}, headers=tag)) == (409, "organisations.same_person")
    assert appraisal(office)["standing"] is None
    waiting = first.get(f"{DECISIONS}?waiting=true").json()["items"]
    assert [one["code"] for one in waiting] == [code]
    assert refusal(second.post(place, json={}, headers=tag)) == (409, "organisations.reply_time_runs")
    tag = answered(office, code)
    done = second.post(place, json={}, headers=tag)
    assert (done.status_code, done.json()["confirmed"], done.json()["closed_by"]) == (200, True, "pool.b")
    standing = appraisal(office)["standing"]
    assert (standing["step"], standing["since"], standing["until"]) == ("rectify", "2026-09-01", "2026-11-30")
    shown = second.get(f"{DECISIONS}/{code}")
    assert shown.json() == done.json()
    again = second.post(place, json={}, headers={"If-Match": shown.headers["etag"]})
    assert refusal(again) == (409, "organisations.closed")
    assert first.get(f"{DECISIONS}?waiting=true").json() == {"items": []}
    with office.store.reading() as session:
        assert session.scalar(select(func.count(OrganisationMeasure.id))) == 1
    told = [action for action in entries(office) if action.startswith("organisation.")]
    assert told == ["organisation.decided", "organisation.replied", "organisation.confirmed"]


def test_a_confirmation_sent_twice_is_carried_out_once(office: Office) -> None:
    decided = manager(office).post(DECISIONS, json=DECISION)
    headers = answered(office, decided.json()["code"]) | {"Idempotency-Key": "k1"}
    place = f"{DECISIONS}/{decided.json()['code']}/confirmation"
    answers = [manager(office, "pool.b").post(place, json={}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert entries(office).count("organisation.confirmed") == 1


def test_a_decision_about_the_organiser_that_is_refused_leaves_nothing(office: Office) -> None:
    decided = manager(office).post(DECISIONS, json={**DECISION, "about": "organiser", "code": "HR"})
    assert decided.status_code == 201, decided.text
    place, tag = f"{DECISIONS}/{decided.json()['code']}", {"If-Match": decided.headers["etag"]}
    refused = manager(office, "pool.b").post(f"{place}/confirmation", json={"refuse": True}, headers=tag)
    assert (refused.status_code, refused.json()["confirmed"]) == (200, False)
    assert appraisal(office, None)["standing"] is None
    assert "organisation.refused" in entries(office)
    lift = {"about": "organiser", "code": "HR", "step": "lift", "basis": "整改完成"}
    assert refusal(manager(office).post(DECISIONS, json=lift)) == (422, "organisations.nothing_to_lift")


def test_another_organiser_neither_sees_nor_touches_what_is_not_its_own(office: Office) -> None:
    decided = manager(office).post(DECISIONS, json=DECISION)
    place, tag = f"{DECISIONS}/{decided.json()['code']}", {"If-Match": decided.headers["etag"]}
    other = stranger(office)
    assert other.get(DECISIONS).json() == {"items": []}
    unknown = (404, "organisations.decision_unknown")
    assert refusal(other.get(place)) == unknown
    assert refusal(other.post(f"{place}/confirmation", json={}, headers=tag)) == unknown
    assert refusal(other.post(DECISIONS, json=DECISION)) == (404, "organisations.unknown")
    for what, sent in (("results", RESULTS), ("complaints", COMPLAINT)):
        answer = other.post(f"{API}/committees/C1/{what}", json=sent)
        assert refusal(answer) == (404, "organisations.committee_unknown")


@pytest.mark.parametrize("role", [Role.COMMITTEE_OFFICE, Role.AUDITOR, Role.DRAW_SUPERVISOR])
def test_whoever_does_not_manage_the_pool_looks_and_decides_nothing(office: Office, role: Role) -> None:
    client = office.sign_in(f"one.{role}", role)
    assert client.get(f"{API}/organisation-appraisals").status_code == 200
    tries = {
        DECISIONS: DECISION,
        f"{DECISIONS}/C1-D1/confirmation": {},
        f"{API}/committees/C1/results": RESULTS,
        f"{API}/committees/C1/complaints": COMPLAINT,
    }
    for place, sent in tries.items():
        assert refusal(client.post(place, json=sent)) == (403, "access.denied")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"code": "C404"}, 404, "organisations.unknown"),
        ({"code": "HR"}, 404, "organisations.unknown"),  # an organiser, and no committee
        ({"as_of": "2026-09-02"}, 422, "organisations.future"),
        ({"as_of": "0001-01-01"}, 422, "appraisal.too_early"),
        ({"scheme": "../own-default"}, 404, "scheme.unknown"),
        ({"months": None}, 422, "organisations.months"),
        ({"months": 0}, 422, "http.invalid"),
        ({"step": "withdraw"}, 422, "organisations.months"),
        ({"step": "close"}, 422, "http.invalid"),
        ({"step": "lift", "months": None}, 422, "organisations.nothing_to_lift"),
        ({"basis": " "}, 422, "organisations.no_basis"),
    ],
)
def test_a_decision_that_cannot_be_is_a_problem(
    office: Office, sent: dict[str, Any], status: int, code: str
) -> None:
    before = entries(office)
    assert refusal(manager(office).post(DECISIONS, json={**DECISION, **sent})) == (status, code)
    assert entries(office) == before


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("organisation-appraisals?as_of=2026-09-02", 422, "organisations.future"),
        ("organisation-appraisals?as_of=0001-01-01", 422, "appraisal.too_early"),
        ("organisation-appraisals?scheme=none", 404, "scheme.unknown"),
        ("organisation-decisions/C1-D9", 404, "organisations.decision_unknown"),
    ],
)
def test_what_cannot_be_shown_is_a_problem(office: Office, place: str, status: int, code: str) -> None:
    assert refusal(manager(office).get(f"{API}/{place}")) == (status, code)


@pytest.mark.parametrize(
    ("what", "sent", "code"),
    [
        ("results", {**RESULTS, "passed": 41}, "organisations.results_wrong"),
        ("results", {**RESULTS, "on": "2026-09-02"}, "record.future"),
        ("results", {**RESULTS, "reviewed": -1}, "http.invalid"),
        ("complaints", {**COMPLAINT, "reference": " "}, "organisations.no_reference"),
        ("complaints", {**COMPLAINT, "on": "2026-09-02"}, "record.future"),
    ],
)
def test_a_record_that_cannot_be_is_a_problem(
    office: Office, what: str, sent: dict[str, Any], code: str
) -> None:
    assert refusal(manager(office).post(f"{API}/committees/C1/{what}", json=sent)) == (422, code)
