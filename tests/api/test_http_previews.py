"""Previews, exact costs and swaps over HTTP: what is told, to whom, and that nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from working_office import ASKED, BEFORE, ON_THE_DAY, WAIT, Office, asked, clerk, done, working

from expert_pool.accounts.rights import Role
from expert_pool.registry import Expert, LedgerEntry, PanelRecord


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    with time_machine.travel(BEFORE):
        yield working(http)


def kept(office: Office) -> tuple[int, int]:
    with office.store.reading() as session:
        entries = session.scalar(select(func.count(LedgerEntry.id)))
        return int(entries or 0), int(session.scalar(select(func.count(PanelRecord.id))) or 0)


def test_a_preview_names_nobody_and_leaves_nothing_behind(office: Office) -> None:
    client, before = clerk(office), kept(office)
    with office.store.reading() as session:
        secret = [str(word) for row in session.execute(select(Expert.name, Expert.code)) for word in row]
    told = client.post("/api/v1/previews", json=ASKED)
    assert told.status_code == 200, told.text
    found = told.json()
    assert (found["considered"], found["eligible"], found["impossible"]) == (12, 11, False)
    assert found["gates"][-1]["left"] == found["eligible"]
    listed = client.post("/api/v1/previews/barred", json={**ASKED, "gate": "in_pool"}).json()
    assert listed["total"] == 1
    cost = client.post("/api/v1/previews/costs", json=ASKED, headers=WAIT)
    result = done(cost)
    floors = {one["level"]: one["floor"] for one in found["floors"]}
    assert all(floors[goal["level"]] <= goal["value"] for goal in result["goals"] if goal["level"] in floors)
    for text in (told.text, str(listed), cost.text):
        assert not [word for word in secret if word in text]
    assert kept(office) == before


def test_a_list_goes_on_where_it_ended(office: Office) -> None:
    client = clerk(office)
    whole = client.post("/api/v1/previews/barred", json=ASKED).json()
    first = client.post("/api/v1/previews/barred", json={**ASKED, "limit": 4}).json()
    rest = client.post("/api/v1/previews/barred", json={**ASKED, "after": first["next"]}).json()
    assert first["items"] + rest["items"] == whole["items"]
    assert (whole["next"], rest["next"], first["total"]) == (None, None, 11)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"meeting": "M9"}, "panels.meeting_unknown"),
        ({"policy": "nothing"}, "policy.unknown"),
        (
            {"overrides": [{"parameter": "age_max", "value": 500, "why": "x"}]},
            "policy.parameter_outside",
        ),
        ({"gate": "nothing"}, "previews.gate_unknown"),
    ],
)
def test_what_cannot_be_is_told_as_the_request_itself_would_tell_it(
    office: Office, changed: dict[str, Any], code: str
) -> None:
    answer = clerk(office).post("/api/v1/previews/barred", json={**ASKED, **changed})
    assert answer.json()["code"] == code


def test_only_an_office_looks_ahead(office: Office) -> None:
    for role in (Role.POOL_MANAGER, Role.AUDITOR, Role.DRAW_SUPERVISOR):
        client = office.sign_in(f"x-{role}".replace("_", "-"), role)
        assert client.post("/api/v1/previews", json=ASKED).status_code == 403


def test_a_sealed_panel_tells_no_candidates(office: Office) -> None:
    code = asked(office)
    for path, body in (("candidates", {"seat": "x"}), ("trials", {"swaps": [{"out": "x", "into": "y"}]})):
        answer = clerk(office).post(f"/api/v1/panels/{code}/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "panels.seals_closed")


def test_a_swap_on_trial_says_what_the_checker_says_and_can_be_asked_for(office: Office) -> None:
    code = asked(office)
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        shown = client.get(f"/api/v1/panels/{code}")
        seat = next(m["expert"] for m in shown.json()["answer"]["members"] if m["role"] == "member")
        told = client.post(f"/api/v1/panels/{code}/candidates", json={"seat": seat}).json()
        assert told["items"]
        best = told["items"][0]
        assert set(told["people"]) == {one["expert"] for one in told["items"]}
        swap = {"swaps": [{"out": seat, "into": best["expert"]}]}
        tried = client.post(f"/api/v1/panels/{code}/trials", json=swap).json()
        assert tried["lawful"] == best["lawful"]
        assert tried["goals"] == best["goals"]
        assert tried["lawful"] == (not [one for one in tried["findings"] if one["hard"]])
        lawful = next(one for one in told["items"] if one["lawful"] and not one["waits"])
        people = told["people"] | client.get(f"/api/v1/panels/{code}/people").json()["people"]
        asked_for = {
            "absent": [{"expert": people[seat]["expert"], "why": "by hand"}],
            "take": [
                {"expert": people[lawful["expert"]]["expert"], "why": "by hand", "group": told["group"]}
            ],
        }
        changed = done(
            client.post(
                f"/api/v1/panels/{code}/replacements",
                json=asked_for,
                headers={**WAIT, "If-Match": shown.headers["etag"]},
            )
        )
        after = client.get(f"/api/v1/panels/{changed['panel']}").json()["answer"]
        assert lawful["expert"] in [m["expert"] for m in after["members"]]
        assert seat not in [m["expert"] for m in after["members"]]
        wrong = client.post(f"/api/v1/panels/{code}/candidates", json={"seat": lawful["expert"]})
        assert wrong.json()["code"] == "hand.not_seated"


DRAWN = {
    **ASKED,
    "policy": "cn-title-national",
    "overrides": [one for one in ASKED["overrides"] if one["parameter"] != "alternates"],
}


def test_a_drawn_procedure_shows_codes_and_takes_no_swap(office: Office) -> None:
    code = str(done(clerk(office).post("/api/v1/panels", json=DRAWN, headers=WAIT))["panel"])
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        members = client.get(f"/api/v1/panels/{code}").json()["answer"]["members"]
        told = client.post(f"/api/v1/panels/{code}/candidates", json={"seat": members[0]["expert"]}).json()
        assert told["items"]
        assert told["people"] == {}
        swap = {"swaps": [{"out": members[0]["expert"], "into": told["items"][0]["expert"]}]}
        refused = client.post(f"/api/v1/panels/{code}/trials", json=swap)
        assert (refused.status_code, refused.json()["code"]) == (422, "hand.drawn")
