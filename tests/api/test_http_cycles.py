"""A cycle of re-evaluation over HTTP, from its opening to an appeal that is upheld: two accounts decide, the expert is heard."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from working_office import BEFORE, WAIT, Office, done, working

from expert_pool import clock
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.records import standing
from expert_pool.registry import Credit, Discipline, Membership, Step

CYCLE = "P1-20260901"
EXPERT, LEAKER, LATE = "E04", "E05", "E06"


def recorded(office: Office, expert: str, event: str, points: int, on: date) -> None:
    """A credit record of the pool's organiser."""
    tiny = office.http.tiny
    with office.store.session() as session:
        session.add(
            Credit(
                expert_id=tiny.ids["expert"][expert],
                organiser_id=tiny.organiser_id,
                event=event,
                points=points,
                holds_on=on,
                recorded_at=clock.now(),
                recorded_by="office",
            )
        )


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """A pool in which one was absent again and again, one leaked, one came late three times."""
    with time_machine.travel(BEFORE, tick=False):
        made = working(http)
        for expert, event, points in ((EXPERT, "缺席", -20), (LATE, "迟到", -10)):
            for month in (2, 4, 6):
                recorded(made, expert, event, points, date(2026, month, 1))
        recorded(made, LEAKER, "泄露评审信息", -100, date(2026, 5, 1))
        yield made


def manager(office: Office, name: str = "pool.a") -> Any:
    return office.sign_in(name, Role.POOL_MANAGER)


def expert(office: Office, code: str) -> Any:
    """The expert's own account."""
    grants = (Grant(Role.EXPERT, None, None),)
    tiny = office.http.tiny
    return office.http.client(Principal(90, f"expert.{code}", grants, expert_id=tiny.ids["expert"][code]))


def opened(office: Office) -> str:
    sent = {"pool": "P1", "scheme": "own-default"}
    answer = manager(office).post("/api/v1/cycles", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def told(office: Office) -> None:
    """A cycle that is computed, everybody in it told."""
    client, code = manager(office), opened(office)
    assert (
        done(client.post(f"/api/v1/cycles/{code}/computation", json={}, headers=WAIT))["state"] == "computed"
    )
    assert done(client.post(f"/api/v1/cycles/{code}/notices", headers=WAIT))["done"] == 3


def case(office: Office, who: str) -> Any:
    answer = manager(office).get(f"/api/v1/cycles/{CYCLE}/cases/{who}")
    assert answer.status_code == 200, answer.text
    return answer


def disciplines(office: Office, who: str) -> list[tuple[str, date | None]]:
    with office.store.reading() as session:
        rows = session.scalars(
            select(Discipline).where(
                Discipline.expert_id == office.http.tiny.ids["expert"][who], standing(Discipline)
            )
        )
        return [(str(row.sanction), row.until) for row in rows]


def test_a_cycle_is_opened_once_and_computed_once(office: Office) -> None:
    client = manager(office)
    assert opened(office) == opened(office) == CYCLE
    path = f"/api/v1/cycles/{CYCLE}"
    first = done(client.post(f"{path}/computation", json={}, headers=WAIT))
    assert first["counts"] == {
        "keep": 8, "look": 0, "lower": 1, "retrain": 0, "suspend": 0, "exit": 1, "ban": 1,
    }  # fmt: skip
    assert done(client.post(f"{path}/computation", json={}, headers=WAIT)) == first
    assert done(client.post(f"{path}/verification", headers=WAIT)) == {"same": True}
    assert client.get("/api/v1/cycles?state=computed").json()["items"] == [first]
    other = {"pool": "P1", "scheme": "sichuan-bid-grades"}
    refused = client.post("/api/v1/cycles", json=other)
    assert (refused.status_code, refused.json()["code"]) == (409, "cycle.taken")
    both = client.post("/api/v1/cycles", json={**other, "scheme_text": "scheme: x"})
    assert (both.status_code, both.json()["code"]) == (422, "cycle.two_schemes")
    bare = client.post("/api/v1/cycles", json={"pool": "P1"})  # by the default scheme, as on the command line
    assert (bare.status_code, bare.json()["code"]) == (201, CYCLE)


def test_a_case_gives_its_reasons_in_words_with_their_records(office: Office) -> None:
    told(office)
    client = manager(office)
    listed = client.get(f"/api/v1/cycles/{CYCLE}/cases?limit=2").json()
    assert [one["expert"] for one in listed["items"]] == [EXPERT, LEAKER]
    rest = client.get(f"/api/v1/cycles/{CYCLE}/cases?limit=2&cursor={listed['next']}").json()
    assert ([one["expert"] for one in rest["items"]], rest["next"]) == ([LATE], None)
    found = client.get(f"/api/v1/cycles/{CYCLE}/cases/{LATE}?lang=en").json()
    assert (found["measure"], found["months"], found["state"]) == ("lower", 12, "notified")
    assert "3" in found["reasons"][0]["message"]
    assert [row["table"] for row in found["reasons"][0]["records"]] == ["credit"] * 3
    worst = client.get(f"/api/v1/cycles/{CYCLE}/cases?measure=ban").json()["items"]
    assert [one["expert"] for one in worst] == [LEAKER]


def test_who_may_not_see_the_pool_sees_no_cycle(office: Office) -> None:
    told(office)
    stranger = office.http.sign_in(Role.POOL_MANAGER, organisers=frozenset({999}), actor="far")
    assert stranger.get("/api/v1/cycles").json() == {"items": []}
    for path in (f"/cycles/{CYCLE}", f"/cycles/{CYCLE}/cases", f"/cycles/{CYCLE}/cases/{EXPERT}"):
        assert stranger.get(f"/api/v1{path}").status_code == 404
    clerk = office.http.sign_in(Role.COMMITTEE_OFFICE, actor="clerk")
    assert clerk.get(f"/api/v1/cycles/{CYCLE}").status_code == 403
    auditor = office.http.sign_in(Role.AUDITOR, actor="auditor")
    assert auditor.get(f"/api/v1/cycles/{CYCLE}").status_code == 200
    assert auditor.post(f"/api/v1/cycles/{CYCLE}/notices").status_code == 403


def test_the_expert_answers_with_evidence_and_two_people_decide(office: Office) -> None:
    told(office)
    mine = expert(office, EXPERT)
    (own,) = mine.get("/api/v1/own-record/cycles").json()["items"]
    assert (own["cycle"], own["measure"], own["amended_by"]) == (CYCLE, "exit", None)
    sent = {"text": "三次均已请假。", "last": "true"}
    files = [("evidence", ("假条.pdf", b"%PDF-1.7 made", "application/pdf"))]
    answered = mine.post(f"/api/v1/own-record/cycles/{CYCLE}/replies", data=sent, files=files)
    assert answered.status_code == 201, answered.text
    (said,) = answered.json()["said"]
    assert (said["text"], said["evidence"][0]["name"]) == ("三次均已请假。", "假条.pdf")

    first, second = manager(office, "pool.a"), manager(office, "pool.b")
    file = first.get(f"/api/v1/cycles/{CYCLE}/cases/{EXPERT}/evidence/{said['id']}/1")
    assert (file.status_code, file.content) == (200, b"%PDF-1.7 made")
    path = f"/api/v1/cycles/{CYCLE}"
    stale = {"decisions": [{"expert": EXPERT, "measure": "keep", "reason": "有假条", "etag": '"0"'}]}
    assert first.post(f"{path}/decisions", json=stale).status_code == 412
    good = {"decisions": [{**stale["decisions"][0], "etag": case(office, EXPERT).headers["etag"]}]}
    assert first.post(f"{path}/decisions", json=good).json()["done"] == 1
    early = first.post(f"{path}/decisions", json={"decisions": [{"expert": LATE}]})
    assert (early.status_code, early.json()["code"]) == (409, "cycle.reply_time_runs")
    alone = first.post(f"{path}/confirmations", json={"experts": [EXPERT]}, headers=WAIT)
    assert (alone.status_code, alone.json()["code"]) == (409, "cycle.same_person")
    assert done(second.post(f"{path}/confirmations", json={"experts": [EXPERT]}, headers=WAIT))["done"] == 1
    assert done(first.post(f"{path}/execution", headers=WAIT))["done"] == 1
    assert disciplines(office, EXPERT) == []
    assert case(office, EXPERT).json()["outcome"] == "keep"


def test_nobody_reads_or_answers_another_experts_case(office: Office) -> None:
    told(office)
    other = expert(office, "E07")
    assert other.get("/api/v1/own-record/cycles").json() == {"items": []}
    for path in ("replies", "appeals"):
        answer = other.post(f"/api/v1/own-record/cycles/{CYCLE}/{path}", data={"text": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "cycle.unknown")
    assert other.get(f"/api/v1/own-record/cycles/{CYCLE}/letters/proposal").status_code == 404
    assert other.get(f"/api/v1/cycles/{CYCLE}/cases/{EXPERT}").status_code == 403


def test_an_appeal_is_played_through_until_the_record_is_corrected(office: Office) -> None:
    told(office)
    path = f"/api/v1/cycles/{CYCLE}"
    with time_machine.travel(BEFORE + timedelta(days=40), tick=False):
        first, second = manager(office, "pool.a"), manager(office, "pool.b")
        assert done(first.post(f"{path}/unanswered", headers=WAIT))["done"] == 3
        assert done(second.post(f"{path}/confirmations", json={}, headers=WAIT))["done"] == 3
        assert done(first.post(f"{path}/execution", headers=WAIT))["done"] == 3
        assert done(first.post(f"{path}/execution", headers=WAIT))["done"] == 0
        assert disciplines(office, LEAKER) == [("ban", None)]
        assert disciplines(office, LATE)[0][0] == "restriction"
        mine = expert(office, LATE)
        letter = mine.get(f"/api/v1/own-record/cycles/{CYCLE}/letters/decision?lang=en")
        assert letter.status_code == 200
        assert letter.content[:2] == b"PK"
        appealed = mine.post(f"/api/v1/own-record/cycles/{CYCLE}/appeals", data={"text": "记录有误。"})
        assert (appealed.status_code, appealed.json()["state"]) == (201, "appealed")

        overturn = {"measure": "keep", "reason": "签到记录证明未迟到"}
        where = f"{path}/cases/{LATE}"
        assert first.post(f"{where}/appeal-decisions", json=overturn).status_code == 428
        tag = {"If-Match": case(office, LATE).headers["etag"]}
        again = first.post(f"{where}/appeal-decisions", json=overturn, headers=tag)
        assert (again.status_code, again.json()["code"]) == (409, "cycle.decided_before")
        third, fourth = manager(office, "pool.c"), manager(office, "pool.d")
        assert third.post(f"{where}/appeal-decisions", json=overturn, headers=tag).status_code == 200
        tag = {"If-Match": case(office, LATE).headers["etag"]}
        same = third.post(f"{where}/appeal-confirmations", json={}, headers=tag)
        assert (same.status_code, same.json()["code"]) == (409, "cycle.same_person")
        settled = fourth.post(f"{where}/appeal-confirmations", json={}, headers=tag)
        assert (settled.status_code, settled.json()["state"]) == (200, "settled")
        assert settled.json()["corrected"]
        assert disciplines(office, LATE) == []
        tag = {"If-Match": first.get(path).headers["etag"]}
        runs = first.post(f"{path}/closing", headers=tag)
        assert (runs.status_code, runs.json()["code"]) == (409, "cycle.appeal_time_runs")
    with time_machine.travel(BEFORE + timedelta(days=80), tick=False):
        assert first.post(f"{path}/closing", headers=tag).json()["state"] == "closed"
    with office.store.reading() as session:
        left = session.scalars(
            select(Membership.expert_id).where(Membership.step == Step.LEFT, standing(Membership))
        ).all()
    ids = office.http.tiny.ids["expert"]
    assert {ids[EXPERT], ids[LEAKER]} <= set(left)
    assert ids[LATE] not in left


def test_letters_leave_with_a_purpose_and_a_watermark(office: Office) -> None:
    told(office)
    client = manager(office)
    assert client.post(f"/api/v1/cycles/{CYCLE}/letters", json={}).status_code == 422
    sent = {"purpose": "寄送告知书", "kind": "proposal"}
    made = client.post(f"/api/v1/cycles/{CYCLE}/letters", json=sent, headers=WAIT)
    result = done(made)
    assert (result["letters"], bool(result["serial"])) == (6, True)
    archive = client.get(f"{made.headers['location']}/files/{result['file']}").content
    names = zipfile.ZipFile(BytesIO(archive)).namelist()
    assert sorted(names)[:2] == [f"{EXPERT}.proposal.en.docx", f"{EXPERT}.proposal.zh.docx"]
    one = client.get(f"/api/v1/cycles/{CYCLE}/cases/{LATE}/letters/proposal?purpose=寄送告知书&lang=zh")
    assert one.status_code == 200
    early = client.get(f"/api/v1/cycles/{CYCLE}/cases/{LATE}/letters/decision?purpose=寄送告知书")
    assert (early.status_code, early.json()["code"]) == (409, "cycle.letter_early")


def test_a_request_sent_twice_is_carried_out_once(office: Office) -> None:
    told(office)
    mine, key = expert(office, LATE), {"Idempotency-Key": "r1"}
    path = f"/api/v1/own-record/cycles/{CYCLE}/replies"
    first = mine.post(path, data={"text": "说明"}, headers=key)
    again = mine.post(path, data={"text": "说明"}, headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert mine.post(path, data={"text": "别的"}, headers=key).status_code == 422


def test_evidence_too_large_is_refused_before_it_is_kept(office: Office) -> None:
    told(office)
    files = [("evidence", ("big.bin", b"0" * 5_000_001, "application/octet-stream"))]
    answer = expert(office, LATE).post(
        f"/api/v1/own-record/cycles/{CYCLE}/replies",
        data={"text": "见附件"},
        files=files,
        headers={"Authorization": "Bearer ep_somebody"},  # strangers may send less
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "cycle.evidence_large")
    assert case(office, LATE).json()["said"] == []


def test_a_cycle_can_be_dropped_until_somebody_was_told(office: Office) -> None:
    code, client = opened(office), manager(office)
    path = f"/api/v1/cycles/{code}"
    assert client.post(f"{path}/dropping", json={"reason": "方案有误"}).status_code == 428
    tag = {"If-Match": client.get(path).headers["etag"]}
    assert (
        client.post(f"{path}/dropping", json={"reason": "方案有误"}, headers=tag).json()["state"] == "dropped"
    )
    again = client.post("/api/v1/cycles", json={"pool": "P1", "scheme": "sichuan-bid-grades"}).json()
    assert again["code"] != code


def test_a_cycle_of_the_future_or_an_unknown_scheme_is_refused(office: Office) -> None:
    client = manager(office)
    future = {"pool": "P1", "scheme": "own-default", "as_of": "2026-09-02"}
    assert client.post("/api/v1/cycles", json=future).json()["code"] == "cycle.future"
    early = client.post("/api/v1/cycles", json={**future, "as_of": "0001-01-01"})
    assert (early.status_code, early.json()["code"]) == (422, "appraisal.too_early")
    unknown = client.post("/api/v1/cycles", json={"pool": "P1", "scheme": "/etc/passwd"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "scheme.unknown")


def test_moments_of_the_office_are_told_in_utc(office: Office) -> None:
    opened(office)
    at = manager(office).get(f"/api/v1/cycles/{CYCLE}").json()["opened_at"]
    assert datetime.fromisoformat(at) == BEFORE
