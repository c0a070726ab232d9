"""What-if over HTTP: scenarios kept in versions, their cost before they run, results while they run, rights."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from scenarios_stored import text
from working_office import BEFORE, WAIT, Office, clerk, done, entries, working

from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.registry import Organiser, RunRecord, RunState
from solver.document import read_problem
from solver.search import search

SCENARIOS, SIMULATIONS = "/api/v1/scenarios", "/api/v1/simulations"
SWEEP = text("[1/3, 1/2]")


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    with time_machine.travel(BEFORE, tick=False):
        yield working(http)


def kept(client: Any, said: str = SWEEP) -> str:
    answer = client.post(SCENARIOS, json={"text": said})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def settled(client: Any, said: str = SWEEP, **more: Any) -> str:
    sent = {"scenario": kept(client, said), **more}
    return str(done(client.post(SIMULATIONS, json=sent, headers=WAIT))["simulation"])


def test_a_text_is_looked_at_before_it_is_kept(office: Office) -> None:
    client = clerk(office)
    weighed = client.post(f"{SCENARIOS}/validations", json={"text": SWEEP}).json()
    assert (weighed["points"], weighed["meetings"], weighed["costly"]) == (2, 1, False)
    assert weighed["axes"] == [{"name": "rules.quorum.least", "values": 2}]
    wrong = client.post(
        f"{SCENARIOS}/validations", json={"text": SWEEP.replace("quorum.least", "quorum.last")}
    )
    problem = wrong.json()
    assert (wrong.status_code, problem["code"], problem["where"]) == (
        422,
        "scenario.parameter_unknown",
        "scenario:11",
    )
    assert problem["params"]["nearest"] == "rules.quorum.least"
    for said in ("base: {problem: /etc/hostname}\nformat: scenario/1\ntipping: []", "extends: /etc/hostname"):
        refused = client.post(SCENARIOS, json={"text": said})
        assert refused.status_code == 422
        assert refused.json()["code"] in ("scenario.asks_nothing", "scenario.extends")
    assert client.get(SCENARIOS).json()["items"] == []
    assert entries(office)[-1] != "scenario.stored"


def test_a_scenario_is_changed_by_a_new_version_that_others_see(office: Office) -> None:
    client = clerk(office)
    code = kept(client)
    shown = client.get(f"{SCENARIOS}/{code}")
    assert (shown.json()["version"], shown.json()["text"]) == (1, SWEEP)
    put = {"text": text("[1/3]")}
    assert client.put(f"{SCENARIOS}/{code}", json=put).status_code == 428
    stale = client.put(f"{SCENARIOS}/{code}", json=put, headers={"If-Match": '"x"'})
    assert stale.status_code == 412
    changed = client.put(f"{SCENARIOS}/{code}", json=put, headers={"If-Match": shown.headers["ETag"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert client.get(f"{SCENARIOS}/{code}?version=1").json()["text"] == SWEEP
    assert [item["version"] for item in client.get(SCENARIOS).json()["items"]] == [2]
    assert entries(office)[-2:] == ["scenario.stored", "scenario.stored"]


def test_a_scenario_is_settled_and_every_point_opens(office: Office) -> None:
    client = clerk(office)
    code = settled(client)
    told = client.get(f"{SIMULATIONS}/{code}").json()
    assert (told["state"], told["complete"], told["version"]) == ("done", True, 1)
    result = client.get(f"{SIMULATIONS}/{code}/result").json()
    assert (result["format"], result["complete"]) == ("simulation/1", True)
    assert [point["status"] for point in result["points"]] == ["optimal", "infeasible"]
    assert result["inputs_sha256"] == told["inputs_sha256"]
    assert client.get(f"{SIMULATIONS}?scenario={told['scenario']}").json()["items"] == [told]

    charts = client.get(f"{SIMULATIONS}/{code}/charts?lang=en").json()["items"]
    assert [chart["name"] for chart in charts] == ["curve"]
    data = client.get(f"{SIMULATIONS}/{code}/charts/curve")
    rows = list(csv.DictReader(io.StringIO(data.content.decode("utf-8-sig"))))
    assert [row["status"] for row in rows] == ["optimal", "infeasible"]
    for form, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("vl.json", b"{")):
        assert client.get(f"{SIMULATIONS}/{code}/charts/curve?as={form}").content.startswith(start)
    assert client.get(f"{SIMULATIONS}/{code}/charts/pie").status_code == 404

    point = client.post(f"{SIMULATIONS}/{code}/points/0/problem", headers=WAIT).json()
    file = client.get(f"/api/v1/runs/{point['run']}/files/{point['result']['file']}")
    again = search(read_problem(file.content), distinct=True)
    assert [goal.value for goal in again.goals] == [g["value"] for g in result["points"][0]["goals"]]
    assert client.post(f"{SIMULATIONS}/{code}/points/2/problem", headers=WAIT).status_code == 404
    assert entries(office)[-5:] == [
        "scenario.stored",
        "simulation.asked",
        "scenario.asked",
        "simulation.settled",
        "scenario.asked",
    ]
    with (
        office.store.reading() as session
    ):  # the people of the office are put there, not by whoever tells the ledger
        assert {fault.table for fault in ledger.verify(session)} <= {"account", "account_grant"}


def test_two_results_are_compared(office: Office) -> None:
    client = clerk(office)
    first, second = settled(client), settled(client, SWEEP.replace("\nseconds:", "\nseed: 3\nseconds:"))
    found = client.get(f"{SIMULATIONS}/{first}/comparisons/{second}").json()
    assert (found["format"], found["points"], found["same_inputs"]) == ("simulation-diff/1", 2, False)
    same = client.get(f"{SIMULATIONS}/{first}/comparisons/{first}").json()
    assert (same["same_inputs"], same["differing"]) == (True, [])


def test_what_costs_much_is_asked_about_first(office: Office) -> None:
    client = clerk(office)
    many = SWEEP + "    - {parameter: rules.panel_size.high, from: 3, to: 2002, step: 1}\n"
    code = kept(client, many)
    refused = client.post(SIMULATIONS, json={"scenario": code})
    assert (refused.status_code, refused.json()["code"]) == (422, "simulation.costly")
    assert refused.json()["params"] == {"count": 4000, "hours": 1.11}
    beyond = many.replace("2002", "10000000")
    told = client.post(f"{SCENARIOS}/validations", json={"text": beyond})
    assert (told.json()["code"], told.json()["params"]["count"]) == ("scenario.too_many", 19_999_996)


def test_one_that_was_stopped_goes_on_and_a_whole_one_does_not(office: Office) -> None:
    client = clerk(office)
    code = settled(client)
    with office.store.session() as session:
        from expert_pool.registry import SimulationRecord

        made = session.query(SimulationRecord).one()
        made.complete = False
        run = session.query(RunRecord).filter_by(code=made.run).one()
        run.state = RunState.RUNNING
    busy = client.post(f"{SIMULATIONS}/{code}/continuation", json={})
    assert (busy.status_code, busy.json()["code"]) == (409, "simulation.under_way")
    with office.store.session() as session:
        session.query(RunRecord).filter_by(code=code).one().state = RunState.CANCELLED
    again = done(client.post(f"{SIMULATIONS}/{code}/continuation", json={}, headers=WAIT))
    assert (again["simulation"], again["complete"]) == (code, True)
    told = client.get(f"{SIMULATIONS}/{code}").json()
    assert told["run"] != code
    whole = client.post(f"{SIMULATIONS}/{code}/continuation", json={})
    assert (whole.status_code, whole.json()["code"]) == (409, "simulation.complete")


def test_others_see_nothing_of_it(office: Office) -> None:
    with office.store.session() as session:
        other = Organiser(code="FAR", name="他省", parent_id=None)
        session.add(other)
        session.flush()
        far = other.id
    client = clerk(office)
    code = settled(client)
    scenario = client.get(f"{SIMULATIONS}/{code}").json()["scenario"]
    stranger = office.sign_in("far.wu", Role.COMMITTEE_OFFICE, organiser_id=far)
    for path in ("", "/result", "/charts", "/charts/curve", f"/comparisons/{code}"):
        assert stranger.get(f"{SIMULATIONS}/{code}{path}").status_code == 404, path
    assert stranger.post(f"{SIMULATIONS}/{code}/points/0/problem").status_code == 404
    assert stranger.post(SIMULATIONS, json={"scenario": scenario}).status_code == 404
    assert stranger.get(f"{SCENARIOS}/{scenario}").status_code == 404
    assert stranger.get(SCENARIOS).json()["items"] == stranger.get(SIMULATIONS).json()["items"] == []
    assert stranger.post(SCENARIOS, json={"text": SWEEP}).json()["code"] == "scenario.meeting_unknown"
    assert (
        stranger.post(SCENARIOS, json={"text": f"extends: {scenario}"}).json()["code"] == "scenario.extends"
    )
    for role in (Role.POOL_MANAGER, Role.POLICY_EDITOR):
        own = office.sign_in(f"own-{role}", role, organiser_id=office.http.tiny.organiser_id)
        assert own.get(f"{SIMULATIONS}/{code}/result").status_code == 200
    for role in (Role.AUDITOR, Role.DRAW_SUPERVISOR, Role.ADMINISTRATOR):
        assert office.sign_in(f"no-{role}", role).get(SIMULATIONS).status_code == 403


def test_what_a_cycle_says_of_experts_is_for_those_who_may_read_experts(office: Office) -> None:
    """A committee's office may ask what if, but not by way of a cycle of re-evaluation."""
    manager = office.sign_in("pool.zhao", Role.POOL_MANAGER)
    opened = manager.post("/api/v1/cycles", json={"pool": "P1", "as_of": "2026-08-31"})
    cycle = opened.json()["code"]
    computed = manager.post(f"/api/v1/cycles/{cycle}/computation", json={}, headers=WAIT)
    assert computed.status_code == 200, computed.text
    said = SWEEP.replace("change:\n", f"change:\n  - {{cycle: {cycle}}}\n")
    code = kept(clerk(office), said)
    refused = clerk(office).post(SIMULATIONS, json={"scenario": code}, headers=WAIT)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")
    simulation = settled(manager, said)
    result = manager.get(f"{SIMULATIONS}/{simulation}/result").json()
    assert [one["code"] for one in result["cycles"]] == [cycle]
    point = manager.post(f"{SIMULATIONS}/{simulation}/points/0/problem", headers=WAIT)
    assert point.status_code == 200, point.text
    assert "scenario.cycle_taken" in entries(office)
    unknown = manager.post(f"{SCENARIOS}/validations", json={"text": said.replace(cycle, "P1-20260830")})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "scenario.cycle_unknown")
    assert unknown.json()["params"]["nearest"] == cycle
