"""Problems and panels as documents over HTTP: every question of the files, waiting, streams, stopping, bad input."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from patience import PATIENCE, until
from working_office import WAIT, Office, done, working

from api.http import documents
from expert_pool.accounts.rights import Role
from expert_pool.formats import SCHEMAS, schema_of
from expert_pool.packaged import fixture
from expert_pool.policies import load

SMALL: dict[str, Any] = json.loads(fixture("problems", "small.json").read_text(encoding="utf-8"))
RUN = "/api/v1/runs"
PRESET = Path(load.__file__).parent / "cn-nsfc.yaml"


@pytest.fixture
def office(http: Any) -> Office:
    return working(http)


@pytest.fixture
def client(office: Office) -> Any:
    """An auditor: solves problems, sees no panel of anybody's making."""
    return office.sign_in("audit.chen", Role.AUDITOR)


def ask(client: Any, what: str, **sent: Any) -> Mapping[str, Any]:
    return done(client.post(f"/api/v1/problems/{what}", json={"problem": SMALL, **sent}, headers=WAIT))


@pytest.fixture
def panel(client: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ask(client, "panels")["panel"]
    return found


def test_a_panel_with_its_proof_is_checked_and_verified(client: Any) -> None:
    answer = client.post("/api/v1/problems/panels", json={"problem": SMALL, "with_proof": True}, headers=WAIT)
    made = answer.json()
    assert made["files"] == ["proof.json"]
    panel = made["result"]["panel"]
    assert panel["status"] == "optimal"
    proof = client.get(f"{answer.headers['location']}/files/proof.json").json()
    assert ask(client, "checks", panel=panel)["check"]["holds"]
    assert ask(client, "verifications", panel=panel, proof=proof)["verdict"]["holds"]
    forged = proof | {"columns": 3}
    verdict = ask(client, "verifications", panel=panel, proof=forged)["verdict"]
    assert (verdict["holds"], verdict["says"]["code"]) == (False, "proof.changed")


def test_a_panel_that_breaks_a_rule_is_found_out(client: Any, panel: dict[str, Any]) -> None:
    spoiled = deepcopy(panel)
    spoiled["members"].pop()
    found = ask(client, "checks", panel=spoiled)["check"]
    assert not found["holds"]
    assert found["findings"]


def test_an_infeasible_problem_is_diagnosed(client: Any) -> None:
    wanting = deepcopy(SMALL)
    for rule in wanting["rules"]:
        if rule["rule"] == "panel_size":
            rule["low"] = rule["high"] = 9
            rule["odd"] = False
    said = done(
        client.post(
            "/api/v1/problems/diagnoses",
            json={"problem": wanting, "relaxations": 1, "seconds": 10},
            headers=WAIT,
        )
    )["diagnosis"]
    assert (said["format"], said["status"]) == ("diagnosis/1", "infeasible")
    assert said["sets"][0]["minimal"]


def test_the_other_questions_have_their_documents(client: Any, panel: dict[str, Any]) -> None:
    seated = [member["expert"] for member in panel["members"]]
    why = ask(client, "explanations", panel=panel, experts=seated[:1])["explanation"]
    several = ask(client, "alternatives", count=2, within="10%")["alternatives"]
    assert (why["format"], several["format"]) == ("explanation/1", "panels/1")
    met = ask(client, "attendances", panel=panel, absent=seated[-1:])["attendance"]
    assert met["absent"] == seated[-1:]
    begun = ask(client, "invitations", panel=panel, on="2026-03-01")
    assert begun["invitations"]["round"] == 1
    assert ask(client, "forecasts", panel=panel, rate=10)["forecast"]["default"] == 10
    changed = ask(
        client,
        "replacements",
        panel=panel,
        absent=seated[-1:],
        why="病假",
        substitutes=1,
        invitations=begun["invitations"],
    )["replacement"]
    assert changed["decisions"][0]["by"] == "audit.chen"
    both = done(
        client.post(
            "/api/v1/problems/comparisons",
            json={"was": panel, "now": changed["answer"] if changed["answer"]["members"] else panel},
            headers=WAIT,
        )
    )
    assert both["difference"]["format"] == "panel-diff/1"


@pytest.mark.parametrize(
    ("what", "sent", "status", "code"),
    [
        ("panels", {"problem": {}}, 422, "problem.field_missing"),
        ("panels", {"problem": SMALL | {"seed": -1}}, 422, None),
        ("panels", {"problem": SMALL, "seconds": 0}, 422, "http.invalid"),
        ("panels", {"problem": SMALL, "unheard": 1}, 422, "http.invalid"),
        ("panels", {"problem": SMALL | {"seed": 10**40}}, 422, None),
        ("panels", {}, 422, "http.invalid"),
        ("checks", {"problem": SMALL, "panel": {"format": "panel/2"}}, 422, "panel.schema"),
        ("alternatives", {"problem": SMALL, "within": "two"}, 422, "http.invalid"),
        ("alternatives", {"problem": SMALL, "within": "٢%"}, 422, "http.invalid"),
        ("invitations", {"problem": SMALL, "panel": {}, "invitations": {}}, 422, "panel.schema"),
        ("comparisons", {"was": {}, "now": {}}, 422, "panel.schema"),
    ],
)
def test_what_is_no_document_is_refused_at_once(
    client: Any, what: str, sent: dict[str, Any], status: int, code: str | None
) -> None:
    answer = client.post(f"/api/v1/problems/{what}", json=sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert code is None or answer.json()["code"] == code
    assert client.get(RUN).json()["items"] == []


@pytest.mark.parametrize("large", [False, True], ids=["in a thread", "in a process"])
def test_a_body_is_read_apart_from_the_loop_with_one_outcome(
    client: Any, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(documents, "LARGE", 0 if large else 10**9)
    place = "/api/v1/problems/panels"
    taken = client.post(place, json={"problem": SMALL, "seconds": 5})
    assert taken.status_code == 202, taken.text
    bad = client.post(place, json={"problem": SMALL | {"seats": 1}})
    assert (bad.status_code, bad.json()["code"]) == (422, "problem.field_unknown")
    cut = client.post(place, content=b'{"problem": {', headers={"Content-Type": "application/json"})
    assert (cut.status_code, cut.json()["code"]) == (400, "http.malformed")
    none = client.post(place, json={"problem": [1]})
    assert (none.status_code, none.json()["where"]) == (422, "body.problem")


def test_what_only_the_work_can_tell_is_the_problem_of_its_run(client: Any, panel: dict[str, Any]) -> None:
    answer = client.post(
        "/api/v1/problems/attendances", json={"problem": SMALL, "panel": panel, "absent": ["nobody"]}
    )
    assert answer.status_code == 202
    place = answer.headers["location"]
    assert client.get(place).json()["state"] == "failed"
    refused = client.get(f"{place}/result")
    assert (refused.status_code, refused.json()["code"]) == (422, "attendance.not_in_panel")


def events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    """The events of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "id" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def test_a_stream_tells_everything_once_and_goes_on_where_it_was(client: Any) -> None:
    place = client.post("/api/v1/problems/panels", json={"problem": SMALL}).headers["location"]
    whole = events(client.get(f"{place}/events").text)
    assert [number for number, _, _ in whole] == list(range(1, len(whole) + 1))
    kinds = [kind for _, kind, _ in whole]
    assert (kinds[0], kinds[1], kinds[-1]) == ("queued", "started", "done")
    assert any("bound" in data and "goal" in data for _, kind, data in whole if kind == "incumbent")
    rest = events(client.get(f"{place}/events", headers={"Last-Event-ID": "2"}).text)
    assert rest == whole[2:]
    assert client.get(f"{place}/events", headers={"Last-Event-ID": "x"}).status_code == 422
    assert client.get(f"{RUN}/RNOSUCH/events").status_code == 404


def test_a_run_under_way_is_stopped_and_says_so(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes no further than its first panel until it is stopped."""
    from solver import diverse

    several, reached = diverse.several, threading.Event()

    def held(*given: Any, report: Any, cancelled: Any, **more: Any) -> Any:
        def told(progress: Any) -> None:
            report(progress)
            if progress.phase == "alternatives" and progress.done == 1:
                reached.set()
                until(cancelled)

        return several(*given, report=told, cancelled=cancelled, **more)

    monkeypatch.setattr(diverse, "several", held)
    office = working(http, background=True)
    client = office.sign_in("audit.chen", Role.AUDITOR)
    sent = {"problem": SMALL, "count": 50, "within": "50%", "seconds": 3000}
    accepted = client.post("/api/v1/problems/alternatives", json=sent)
    assert accepted.status_code == 202, accepted.text
    place = accepted.headers["location"]
    assert reached.wait(PATIENCE)
    assert client.get(place).json()["state"] == "running"
    assert client.get(f"{place}/result").json()["code"] == "runs.not_ended"
    assert client.post(f"{place}/cancellation").status_code == 202
    until(lambda: client.get(place).json()["state"] != "running")
    assert client.get(place).json()["state"] == "cancelled"
    result = client.get(f"{place}/result").json()["result"]["alternatives"]
    assert 1 <= len(result["panels"]) < 50
    assert result["fewer"]["code"] == "several.stopped"


def test_every_format_has_its_schema(client: Any) -> None:
    names = client.get("/api/v1/schemas").json()["items"]
    assert names == list(SCHEMAS)
    for name in names:
        assert client.get(f"/api/v1/schemas/{name}").json() == json.loads(json.dumps(schema_of(name)))
    Draft202012Validator(client.get("/api/v1/schemas/panel-problem").json()).validate(SMALL)
    assert client.get("/api/v1/schemas/panelz").status_code == 404


def test_policies_are_listed_shown_tried_and_compared(client: Any) -> None:
    ids = [policy["id"] for policy in client.get("/api/v1/policies").json()["items"]]
    assert "cn-title-jilin-2013" in ids
    shown = client.get("/api/v1/policies/cn-title-jilin-2013?level=mid").json()
    assert all(rule["basis"]["text"] for rule in shown["rules"])
    override = {"parameter": "panel_low", "value": 11, "why": "评审任务较少"}
    tried = client.post("/api/v1/policies/cn-title-jilin-2013/trials", json={"overrides": [override]}).json()
    assert next(p["value"] for p in tried["parameters"] if p["name"] == "panel_low") == 11
    assert tried["sha256"] != shown["sha256"]
    sides = {
        "first": {"policy": "cn-title-jilin-2013"},
        "second": {"policy": "cn-title-jilin-2013", "overrides": [override]},
    }
    differing = client.post("/api/v1/policies/comparisons", json=sides).json()
    assert [(one["name"], one["second"]) for one in differing["parameters"]] == [("panel_low", 11)]
    text = PRESET.read_text(encoding="utf-8")
    assert client.post("/api/v1/policies/validations", json={"text": text}).json()["id"] == "cn-nsfc"
    wrong = client.post("/api/v1/policies/validations", json={"text": "id: x\nrules: [\n"})
    assert wrong.status_code == 422
    assert wrong.json()["where"].startswith("policy:")


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "cn-nfsc", "x" * 150])
def test_a_policy_from_outside_is_a_preset_and_never_a_path(client: Any, name: str) -> None:
    sides = {"first": {"policy": name}, "second": {"policy": "cn-nsfc"}}
    refused = client.post("/api/v1/policies/comparisons", json=sides)
    assert (refused.status_code, refused.json()["code"]) == (404, "policy.unknown")
