"""The own record over HTTP: everything about oneself, nothing about others, no sealed panel before its time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from expert_pool import clock, ledger, records
from expert_pool.accounts.rights import Role
from expert_pool.privacy.exports import begin, finish_hashed
from expert_pool.privacy.looking import unmask
from expert_pool.registry import (
    Applicant,
    Credit,
    PanelRecord,
    PanelState,
    Relation,
    RelationKind,
    Seat,
)
from expert_pool.registry import Role as SeatRole
from expert_pool.viewer import Viewer

API = "/api/v1/own-record"
OFFICE = Viewer.system("office")


@pytest.fixture(autouse=True)
def _now(now: datetime) -> None:
    """Every test here is on one day."""


@pytest.fixture
def mine(http: Any) -> Any:
    """The client of expert E01."""
    return http.sign_in(Role.EXPERT, expert_id=http.tiny.ids["expert"]["E01"], actor="e01")


def credit(http: Any, code: str = "E01") -> int:
    with http.store.session() as session:
        row = Credit(
            expert_id=http.tiny.ids["expert"][code],
            organiser_id=http.tiny.organiser_id,
            holds_on=date(2026, 5, 1),
            event="缺席",
            points=-10,
        )
        return records.record(session, OFFICE, row).id


def test_an_expert_reads_who_they_are_and_every_record(http: Any, mine: Any) -> None:
    number = credit(http)
    found = mine.get(API).json()
    assert (found["code"], found["national_id"], found["phone"]) == ("E01", "220101************", None)
    (entry,) = [e for e in found["records"] if e["table"] == "credit"]
    assert (entry["id"], entry["fields"], entry["withheld"]) == (number, {"event": "缺席", "points": -10}, [])
    assert "pseudonym" not in str(found)


def test_a_copy_shows_the_own_numbers_and_is_told(http: Any, mine: Any) -> None:
    assert mine.post(f"{API}/copies").json()["national_id"] == "22010119660101001X"
    with http.store.reading() as session:
        assert ledger.verify(session) == []
        assert [h.sequence for h in ledger.heads(session) if h.organiser_id == http.tiny.organiser_id] == [2]


def test_other_people_are_left_out(http: Any, mine: Any) -> None:
    ids = http.tiny.ids["expert"]
    with http.store.session() as session:
        applicant = session.query(Applicant).first()
        assert applicant is not None
        same: dict[str, Any] = {"organiser_id": http.tiny.organiser_id, "holds_on": date(2026, 5, 1)}
        told = Relation(
            kind=RelationKind.CO_AUTHOR,
            expert_id=ids["E02"],
            other_expert_id=ids["E01"],
            source="E02 说",
            **same,
        )
        records.record(session, OFFICE, told)
        objection = Relation(
            kind=RelationKind.OBJECTION,
            expert_id=ids["E01"],
            applicant_id=applicant.id,
            source="来信",
            **same,
        )
        records.record(session, OFFICE, objection)
        code, name = applicant.code, applicant.name
    answer = mine.get(API)
    relations = [e for e in answer.json()["records"] if e["table"] == "relation"]
    assert sorted(sorted(e["withheld"]) for e in relations) == [["applicant", "source"], ["expert", "source"]]
    for other in ("E02", "来信", name, f'"{code}"'):
        assert other not in answer.text


def test_standing_never_tells_of_a_sealed_panel(http: Any, mine: Any) -> None:
    before = mine.get(f"{API}/standings?on=2026-09-20").json()
    assert [item["committee"] for item in before["items"]] == ["C1"]
    assert before["items"][0]["reasons"]
    with http.store.session() as session:
        panel = PanelRecord(
            code="M1-P1",
            meeting_id=http.tiny.meeting_id,
            organiser_id=http.tiny.organiser_id,
            state=PanelState.APPROVED,
            policy="cn-title-national",
            problem_sha256="0" * 64,
            problem=b"",
            answer="{}",
            fileable=True,
            requested_at=clock.now(),
            requested_by="office",
            approved_at=clock.now(),
            approved_by="head",
        )
        session.add(panel)
        session.flush()
        session.add(
            Seat(
                panel_id=panel.id,
                expert_id=http.tiny.ids["expert"]["E01"],
                group="G",
                role=SeatRole.MEMBER,
                call_order=None,
                open_on=date(2026, 9, 21),
            )
        )
        ledger.append(
            session,
            organiser_id=http.tiny.organiser_id,
            actor="nosy",
            action="panel.seals_opened",
            subject="M1-P1",
            payload={},
        )
    assert mine.get(f"{API}/standings?on=2026-09-20").json() == before
    assert mine.get(f"{API}/looks").json() == {"items": []}


def test_an_expert_sees_who_looked_and_what_for(http: Any, mine: Any) -> None:
    ids = http.tiny.ids["expert"]
    with http.store.session() as session:
        unmask(session, OFFICE, http.store.key, "E01", ["national_id"], "核对证件")
        unmask(session, OFFICE, http.store.key, "E02", ["national_id"], "核对二号")
        for who in (ids["E01"], ids["E02"]):
            stamp = begin(session, OFFICE, purpose=f"名单 {who}", content="tables", form="csv")
            finish_hashed(session, OFFICE, stamp, [], expert_ids=[who])
    items = mine.get(f"{API}/looks").json()["items"]
    assert sorted((i["kind"], i["purpose"]) for i in items) == [
        ("exported", f"名单 {ids['E01']}"),
        ("unmasked", "核对证件"),
    ]


def test_an_answer_stands_beside_the_record_for_pool_managers(http: Any, mine: Any, manager: Any) -> None:
    number = credit(http)
    sent = {"table": "credit", "id": number, "text": "当日因病请假，已交假条。"}
    assert mine.post(f"{API}/replies", json=sent).status_code == 201
    entry = next(e for e in mine.get(API).json()["records"] if e["table"] == "credit")
    assert [reply["text"] for reply in entry["replies"]] == [sent["text"]]
    seen = manager.get("/api/v1/experts/E01/records").json()["records"]
    (reply,) = [line for line in seen if line["kind"] in ("reply", "replies")]
    assert reply["fields"] | {"text": ""} == {"about_table": "credit", "about_id": number, "text": ""}
    with http.store.reading() as session:
        assert ledger.verify(session) == []


def test_nobody_answers_for_others(http: Any, mine: Any) -> None:
    other = credit(http, "E02")
    for table, number in (("credit", other), ("credit", 999), ("expert", 1), ("nothing", 1), ("reply", 1)):
        answer = mine.post(f"{API}/replies", json={"table": table, "id": number, "text": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "own_record.record_unknown")


def test_absences_and_relations_are_declared_to_the_own_pool(http: Any, mine: Any) -> None:
    away = {"since": "2026-09-18", "until": "2026-09-25", "reason": "出国"}
    assert mine.post(f"{API}/absences", json=away).status_code == 201
    with_employer = {"kind": "stake", "party": "employer", "code": "F"}
    assert mine.post(f"{API}/relations", json=with_employer).status_code == 201
    listed = {e["table"]: e for e in mine.get(API).json()["records"]}
    assert listed["absence"]["fields"]["until"] == "2026-09-25"
    assert listed["relation"]["fields"]["employer"] == "F"
    assert listed["relation"]["recorded_by"] == "e01"
    for sent, code in (
        ({**with_employer, "code": "NOBODY"}, "own_record.party_unknown"),
        ({**with_employer, "kind": "objection"}, "own_record.kind_wrong"),
        ({"kind": "relative", "party": "expert", "code": "E01"}, "own_record.with_oneself"),
        ({**with_employer, "organiser": "XX"}, "own_record.organiser_unknown"),
    ):
        assert mine.post(f"{API}/relations", json=sent).json()["code"] == code
    over = {"since": "2026-01-01", "until": "2026-01-02"}
    assert mine.post(f"{API}/absences", json=over).json()["code"] == "own_record.absence_over"


def test_an_expert_asks_for_erasure_and_managers_decide(http: Any, mine: Any, manager: Any) -> None:
    asked = mine.post(f"{API}/erasures", json={"note": "不再参评"})
    assert asked.status_code == 201
    assert mine.get(API).json()["erasure"] == "proposed"
    assert mine.post(f"{API}/erasures", json={}).json()["code"] == "privacy.erasure_open"
    place = f"/api/v1/privacy/erasures/{asked.json()['code']}"
    version = manager.get(place).headers["ETag"]
    held = manager.post(f"{place}/confirmation", headers={"If-Match": version})
    assert (held.status_code, held.json()["code"]) == (409, "privacy.held")


def test_an_account_of_nobody_has_no_own_record(http: Any) -> None:
    nobody = http.sign_in(Role.EXPERT)
    for path in ("", "/standings", "/looks"):
        assert nobody.get(f"{API}{path}").status_code == 404
    assert http.stranger().get(API).status_code == 401
    assert http.sign_in(Role.POOL_MANAGER).get(API).status_code == 403
