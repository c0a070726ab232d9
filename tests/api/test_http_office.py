"""The office's whole story over HTTP: a panel is asked for, looked at, approved, printed, changed; seals and versions hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from working_office import (
    ASKED,
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
from expert_pool.accounts.rights import Role
from expert_pool.registry import Expert, HostSeal, PanelRecord


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """Before the meeting; the clocks of all threads stand there."""
    with time_machine.travel(BEFORE):
        yield working(http)


def test_a_request_is_a_run_that_ends_with_a_panel_on_record(office: Office) -> None:
    client = clerk(office)
    accepted = client.post("/api/v1/panels", json=ASKED)
    assert accepted.status_code == 202
    place = accepted.headers["location"]
    run = client.get(place).json()
    assert (run["kind"], run["state"], run["actor"]) == ("panel.request", "done", "office.li")
    result = client.get(f"{place}/result").json()["result"]
    assert (result["panel"], result["status"], result["fileable"]) == ("M1-P1", "optimal", True)
    assert client.get("/api/v1/runs").json()["items"][0]["code"] == run["code"]
    listed = client.get("/api/v1/panels?committee=C1&state=proposed").json()["items"]
    assert [(one["code"], one["sealed"], one["open_on"]) for one in listed] == [("M1-P1", True, "2026-09-20")]
    assert entries(office)[-1] == "panel.requested"


def test_nothing_about_who_sits_leaves_before_the_seal_opens(office: Office) -> None:
    code = asked(office)
    client = clerk(office)
    with office.store.reading() as session:
        people = session.execute(select(Expert.pseudonym, Expert.name)).all()
    secret = {str(word) for row in people for word in row}
    run = client.get("/api/v1/runs").json()["items"][0]["code"]
    told = [
        client.get(f"/api/v1/panels/{code}").text,
        client.get(f"/api/v1/runs/{run}/result").text,
        str(office.http.app.state.service),
    ]
    assert not [word for text in told for word in secret if word in text]
    for part in ("people", "problem", "invitations", "differences/M1-P1"):
        answer = client.get(f"/api/v1/panels/{code}/{part}")
        assert (answer.status_code, answer.json()["code"]) == (403, "panels.seals_closed")
    refused = client.post(f"/api/v1/panels/{code}/explanations", json={})
    assert refused.json()["code"] == "panels.seals_closed"
    assert client.post(f"/api/v1/sealed-panels/{code}/looks").status_code == 403
    assert "panel.seals_opened" not in entries(office)


def test_a_supervisor_looks_and_each_look_is_on_the_ledger(office: Office) -> None:
    code = asked(office)
    looked = supervisor(office).post(f"/api/v1/sealed-panels/{code}/looks")
    assert looked.status_code == 200, looked.text
    shown = looked.json()
    assert shown["sealed"]
    assert {person["expert"] for person in shown["people"].values()} == set(seated(office, code))
    for_what = {"purpose": "现场监督"}
    printed = supervisor(office).post(f"/api/v1/sealed-panels/{code}/documents/panel.zh.xlsx", json=for_what)
    assert printed.content[:2] == b"PK"
    assert entries(office).count("panel.seals_opened") == 2


def test_approval_needs_the_version_that_was_seen(office: Office) -> None:
    code = asked(office)
    one, other = clerk(office, "office.li"), clerk(office, "office.zhao")
    seen = one.get(f"/api/v1/panels/{code}").headers["etag"]
    assert other.post(f"/api/v1/panels/{code}/approval").status_code == 428
    given = other.post(f"/api/v1/panels/{code}/approval", headers={"If-Match": seen})
    assert (given.status_code, given.json()["state"]) == (200, "approved")
    assert given.headers["etag"] != seen
    late = one.post(f"/api/v1/panels/{code}/approval", headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "version.stale")
    again = one.post(f"/api/v1/panels/{code}/approval", headers={"If-Match": given.headers["etag"]})
    assert (again.status_code, again.json()["code"]) == (409, "panels.approved_already")


def test_an_open_panel_is_printed_explained_and_compared(office: Office) -> None:
    code = asked(office)
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        shown = client.get(f"/api/v1/panels/{code}").json()
        assert not shown["sealed"]
        assert len(shown["people"]) == len(seated(office, code))
        names = client.get(f"/api/v1/panels/{code}/documents").json()["items"]
        assert "panel.en.docx" in names
        paper = client.get(f"/api/v1/panels/{code}/documents/panel.en.docx?purpose=filing")
        assert paper.content[:2] == b"PK"
        assert paper.headers["content-disposition"].startswith("attachment")
        why = done(
            client.post(f"/api/v1/panels/{code}/explanations", json={"experts": ["E10"]}, headers=WAIT)
        )
        assert why["explanation"]["format"] == "explanation/1"
        assert "E10" in {person["expert"] for person in why["people"].values()}
        problem = client.get(f"/api/v1/panels/{code}/problem")
        again = done(client.post("/api/v1/problems/panels", json={"problem": problem.json()}, headers=WAIT))
        assert again["panel"]["members"] == shown["answer"]["members"]
        same = client.get(f"/api/v1/panels/{code}/differences/{code}").json()
        assert (same["people"]["came"], same["people"]["left"]) == ([], [])


def test_replacing_needs_no_policy_and_keeps_the_seal(office: Office) -> None:
    code = asked(office)
    gone = seated(office, code)[0]
    seen = clerk(office).get(f"/api/v1/panels/{code}").headers["etag"]
    change = {"absent": [{"expert": gone, "why": "住院"}]}
    closed = clerk(office).post(
        f"/api/v1/panels/{code}/replacements", json=change, headers={"If-Match": seen}
    )
    assert closed.json()["code"] == "panels.seals_closed"
    place = f"/api/v1/sealed-panels/{code}/replacements"
    result = done(supervisor(office).post(place, json=change, headers=WAIT | {"If-Match": seen}))
    assert (result["panel"], result["replaces"], result["sealed"]) == ("M1-P2", code, True)
    assert (result["replacement"], result["people"]) == (None, {})
    assert gone not in seated(office, "M1-P2")
    stale = supervisor(office).post(place, json=change, headers={"If-Match": seen})
    assert stale.status_code == 412


def test_an_open_panel_is_replaced_by_name(office: Office) -> None:
    code = asked(office)
    gone = seated(office, code)[0]
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        seen = client.get(f"/api/v1/panels/{code}").headers["etag"]
        change = {"absent": [{"expert": gone, "why": "住院"}], "substitutes": 1}
        result = done(
            client.post(f"/api/v1/panels/{code}/replacements", json=change, headers=WAIT | {"If-Match": seen})
        )
        assert result["replacement"]["format"] == "replacement/1"
        assert gone in {person["expert"] for person in result["people"].values()}
        both = client.get(f"/api/v1/panels/{code}/differences/{result['panel']}").json()
        assert both["people"]["left"]


def test_invitations_go_round_by_round(office: Office) -> None:
    code = asked(office)
    people = seated(office, code)
    watcher = supervisor(office)
    place = f"/api/v1/sealed-panels/{code}"

    def step(code: str, **sent: Any) -> Any:
        seen = clerk(office).get(f"/api/v1/panels/{code}").headers["etag"]
        return done(
            watcher.post(
                f"/api/v1/sealed-panels/{code}/invitations", json=sent, headers=WAIT | {"If-Match": seen}
            )
        )

    assert step(code)["replaces"] is None
    assert len(watcher.post(f"{place}/looks").json()["invitations"]["people"]) == len(people)
    answers = [{"expert": people[0], "accepted": False, "why": "出差"}]
    answers += [{"expert": person, "accepted": True} for person in people[1:]]
    second = step(code, answers=answers)
    assert (second["panel"], second["replaces"]) == ("M1-P2", code)
    with office.store.reading() as session:
        assert ledger.verify(session) == []


def test_the_same_request_twice_is_one_run(office: Office) -> None:
    client = clerk(office)
    headers = {"Idempotency-Key": "once-1"}
    first = client.post("/api/v1/panels", json=ASKED, headers=headers)
    again = client.post("/api/v1/panels", json=ASKED, headers=headers)
    assert first.headers["location"] == again.headers["location"]
    assert entries(office).count("panel.requested") == 1
    other = client.post("/api/v1/panels", json=ASKED | {"seed": 7}, headers=headers)
    assert other.json()["code"] == "once.other_request"


def test_a_meeting_without_a_panel_is_diagnosed(office: Office) -> None:
    client = clerk(office)
    wanted = {**ASKED, "exclusions": [{"expert": f"E{n:02}", "why": "x"} for n in range(1, 10)]}
    result = done(client.post("/api/v1/panels", json=wanted, headers=WAIT))
    assert (result["status"], result["seats"]) == ("infeasible", 0)
    assert result["why_not"]
    code = result["panel"]
    said = done(
        client.post(f"/api/v1/panels/{code}/diagnoses", json={"seconds": 4, "relaxations": 1}, headers=WAIT)
    )
    assert said["diagnosis"]["status"] == "infeasible"
    assert said["diagnosis"]["sets"]


def test_papers_of_a_sealed_panel_name_nobody(office: Office) -> None:
    code = asked(office)
    place = f"/api/v1/panels/{code}/documents"
    result = done(clerk(office).post(place, json={"purpose": "会议材料"}, headers=WAIT))
    assert result["sealed"]
    run = clerk(office).get("/api/v1/runs?kind=panel.documents").json()["items"][0]["code"]
    files = clerk(office).get(f"/api/v1/runs/{run}/files").json()["items"]
    assert files == result["files"]
    file = clerk(office).get(f"/api/v1/runs/{run}/files/{files[0]}")
    assert file.content[:2] == b"PK"
    assert clerk(office).get(f"/api/v1/runs/{run}/files/nothing").status_code == 404


def test_results_are_for_who_asked(office: Office) -> None:
    asked(office)
    run = clerk(office).get("/api/v1/runs").json()["items"][0]["code"]
    assert clerk(office, "office.zhao").get(f"/api/v1/runs/{run}").status_code == 404
    administrator = office.sign_in("root", Role.ADMINISTRATOR)
    assert administrator.get(f"/api/v1/runs/{run}").status_code == 200
    refused = administrator.get(f"/api/v1/runs/{run}/result")
    assert (refused.status_code, refused.json()["code"]) == (403, "runs.not_yours")


def test_a_panel_closed_under_supervisors_keys_cannot_be_read_at_all(office: Office) -> None:
    code = asked(office)
    with office.store.session() as session:
        panel = session.scalars(select(PanelRecord).where(PanelRecord.code == code)).one()
        seal = HostSeal(
            panel_id=panel.id, organiser_id=panel.organiser_id, needed=2, commitment="x", content=b""
        )
        seal.made_at, seal.opened_at, seal.opened_by = datetime.now(UTC), None, None
        session.add(seal)
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        assert client.get("/api/v1/panels").json()["items"][0]["sealed"]
        answers = [client.get(f"/api/v1/panels/{code}/{part}") for part in ("problem", "people")]
        answers += [client.get(f"/api/v1/panels/{code}/documents/panel.zh.docx?purpose=filing")]
        answers += [client.post(f"/api/v1/panels/{code}/documents", json={"purpose": "filing"})]
        answers += [supervisor(office).post(f"/api/v1/sealed-panels/{code}/looks")]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
            (403, "panels.shares_closed")
        }
