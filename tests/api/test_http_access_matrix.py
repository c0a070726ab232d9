"""Every route x role x tenant against the stated rights (docs/access.md): requests that are really made."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from scenarios_stored import text
from signed_in_people import OWNER, account, bearer, browser, signed_in, sweep

from api.http.access import OPEN
from api.http.access_table import Gate, gates, page
from api.http.app import create_app
from api.http.service import Service
from api.settings import Settings
from expert_pool.accounts import Right, Role, granting, principal_of, tokens
from expert_pool.accounts.rights import RIGHTS, TIED
from expert_pool.keys import Key
from expert_pool.registry import (
    Committee,
    Form,
    Level,
    Organiser,
    PanelRecord,
    PanelState,
    Pool,
    ScenarioRecord,
    SimulationRecord,
)
from expert_pool.simulation.results import Simulation
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))
HERE = {
    "organisers": "HR",
    "committees": "C1",
    "agendas": "A1",
    "meetings": "M1",
    "cases": "K1",
    "applications": "K1",
    "pools": "P1",
    "panels": "M1-P1",
    "scenarios": "S1",
    "simulations": "R1",
}
"""A thing of the province (HR) for each collection whose things have an owner."""


@pytest.fixture(scope="session")
def every(bare_app: FastAPI) -> list[Gate]:
    """The gates of all routes."""
    return gates(bare_app)


@pytest.fixture(scope="session")
def closed(every: list[Gate]) -> list[Gate]:
    """The API's that ask for a right; test_page.py asks for every page as every role."""
    return [gate for gate in every if not gate.open and not gate.page]


class Idle:
    """A job engine that does nothing: what is asked for here is refused before there is work, or is nothing."""

    def submit(self, run: str, queue: str) -> None:
        """Forgets it."""

    cancel = close = submit


@pytest.fixture(scope="module")
def tenants(tiny_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The province HR of the small registry with a panel on record, and OTHER beside it with a committee of its own.

    One for all tests here: building the routes of an application costs more than the requests.
    """
    template, tiny = tiny_template
    file = tmp_path_factory.mktemp("matrix") / "registry.db"
    shutil.copy(template, file)
    with open_store(f"sqlite:///{file}", key=KEY) as store:
        settings = Settings(address_rate=1e6, address_burst=10**6, account_rate=1e6, account_burst=10**6)
        app = create_app(Service(store, Idle(), settings))  # type: ignore[arg-type]
        http = SimpleNamespace(store=store, app=app, tiny=tiny)
        _furnish(http)
        yield http


def _furnish(http: Any) -> None:
    with http.store.session() as session:
        other = Organiser(code="OTHER", name="他省", parent_id=None)
        session.add(other)
        session.flush()
        pool = Pool(code="P9", name="库", organiser_id=other.id)
        session.add(pool)
        session.flush()
        form = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
        session.add(Committee(code="C9", name="会", organiser_id=other.id, pool_id=pool.id, **form))
        session.add(
            PanelRecord(
                code="M1-P1",
                meeting_id=http.tiny.meeting_id,
                organiser_id=http.tiny.organiser_id,
                state=PanelState.PROPOSED,
                policy="cn-title-national",
                problem_sha256="0" * 64,
                problem=b"",
                answer="{}",
                fileable=False,
                requested_at=datetime(2026, 9, 1, tzinfo=UTC),
                requested_by="somebody",
            )
        )
        _what_if(http, session)


def _what_if(http: Any, session: Any) -> None:
    """A scenario of the province, settled."""
    owned = {"organiser_id": http.tiny.organiser_id, "committee_id": http.tiny.committee_id}
    by = {"made_at": datetime(2026, 9, 1, tzinfo=UTC), "made_by": "somebody"}
    said = {"text": text(), "sha256": "0" * 64, "title_zh": "题", "title_en": "title"}
    row = ScenarioRecord(code="S1", version=1, **said, **owned, **by)
    session.add(row)
    session.flush()
    empty = {"title": None, "scenario": {}, "versions": {}, "bases": [], "axes": {}, "asked": 0, "points": []}
    more = {"marginal": [], "tipping": [], "frontier": None, "panels": {}, "complete": True}
    session.add(
        SimulationRecord(
            code="R1",
            run="R1",
            scenario_id=row.id,
            known_at=by["made_at"],
            ended_at=by["made_at"],
            complete=True,
            document=Simulation(inputs_sha256="0" * 64, **empty, **more).model_dump_json(),
            **owned,
            **by,
        )
    )


def token_of(http: Any, role: Role, organiser: str | None) -> str:
    """An API token with every right that the role has for an organiser."""
    tie = {"expert_id": {"expert": "E01"}, "employer_id": {"employer": "U"}}.get(TIED.get(role, ""), {})
    made = account(http.store, f"{role}-{organiser or 'all'}".lower(), (role, organiser), **tie)
    with http.store.session() as session:
        return tokens.make(session, KEY, principal_of(session, made.id), "matrix", None, 1)[1]


def place_of(gate: Gate, **codes: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: codes.get(found[1], "0"), gate.path)


def request(gate: Gate, headers: dict[str, str], place: str = "") -> tuple[str, str, dict[str, str], Any]:
    body = {} if gate.method in ("POST", "PUT", "PATCH") else None
    return gate.method, place or place_of(gate), headers, body


def denied(answer: Any) -> bool:
    return answer.status_code == 403 and answer.json()["code"] == "access.denied"


def test_every_route_names_exactly_one_right_or_is_on_the_short_list(every: list[Gate]) -> None:
    assert [gate for gate in every if not gate.open and len(gate.rights) != 1] == []
    assert {(gate.method, gate.path) for gate in every if gate.open} == OPEN
    assert [gate for gate in every if gate.open and gate.rights] == []


def test_the_page_is_current(bare_app: FastAPI) -> None:
    stated = Path(__file__).parents[2] / "docs" / "access.md"
    assert stated.read_text(encoding="utf-8") == page(bare_app), "run python -m api.http.access_table"


def test_a_stranger_is_told_nothing_anywhere(tenants: Any, closed: list[Gate]) -> None:
    for headers in ({}, bearer("ep_forged")):
        told = sweep(tenants.app, [request(gate, headers) for gate in closed])
        said = [
            (gate, answer) for gate, answer in zip(closed, told, strict=True) if answer.status_code != 401
        ]
        assert said == []
        assert {answer.json()["code"] for answer in told} == {"access.unknown"}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_is_stated_and_nothing_else(tenants: Any, role: Role, closed: list[Gate]) -> None:
    """With a token that carries all its rights; `own.account` is never a token's. What a role may change is tried
    once for each route, by `test_a_right_opens_its_routes`."""
    headers = headers_of(tenants, role, "HR")
    stated = {gate: gate.rights[0] in RIGHTS[role] - {Right.SERVICE_OPERATE} for gate in closed}
    tried = [gate for gate in closed if gate.method == "GET" or not stated[gate]]
    told = sweep(tenants.app, [request(gate, headers) for gate in tried])
    assert [
        (gate, answer)
        for gate, answer in zip(tried, told, strict=True)
        if denied(answer) == stated[gate] or answer.status_code == 401 or answer.status_code >= 500
    ] == []


def test_a_right_opens_its_routes(tenants: Any, closed: list[Gate]) -> None:
    """Every route that changes something, asked by one role that may, with nothing that could be done."""
    held: dict[Right, dict[str, str]] = {}
    tried = [gate for gate in closed if gate.method != "GET" and gate.rights[0] is not Right.OWN_ACCOUNT]
    for right in {gate.rights[0] for gate in tried}:
        role = next(role for role in Role if right in RIGHTS[role])
        whole = None if right is Right.SERVICE_OPERATE else "HR"
        tie = {"expert": "E01"} if role is Role.EXPERT else {}
        made = account(tenants.store, f"{right}-holder", (role, whole), **tie)
        with tenants.store.session() as session:
            asks = principal_of(session, made.id)
            held[right] = bearer(tokens.make(session, KEY, asks, "matrix", [right], 1)[1])
    told = sweep(tenants.app, [request(gate, held[gate.rights[0]]) for gate in tried])
    assert [
        (gate, answer)
        for gate, answer in zip(tried, told, strict=True)
        if denied(answer) or answer.status_code == 401 or answer.status_code >= 500
    ] == []


def owned(gate: Gate) -> str | None:
    """A real thing of the province that a reading route is about; None where it is about none."""
    found = re.fullmatch(r"/api/v1/([a-z-]+)/\{\w+\}(/.*)?", gate.path)
    if gate.method != "GET" or found is None or found[1] not in HERE or "{" in (found[2] or ""):
        return None
    return f"/api/v1/{found[1]}/{HERE[found[1]]}{found[2] or ''}"


def test_another_tenants_things_are_not_there(tenants: Any, closed: list[Gate]) -> None:
    tried = [
        (gate, role, place)
        for gate in closed
        if (place := owned(gate)) is not None
        for role in roles_with(gate)
    ]
    assert len(tried) >= 20
    there = {
        name: sweep(tenants.app, [request(g, headers_of(tenants, role, name), at) for g, role, at in tried])
        for name in ("OTHER", "HR")
    }
    foreign = zip(tried, there["OTHER"], strict=True)
    assert [(case, told) for case, told in foreign if told.status_code not in (403, 404)] == []
    own = [
        told.status_code for (_, _, at), told in zip(tried, there["HR"], strict=True) if "panels" not in at
    ]
    assert {*own} == {200}


def headers_of(http: Any, role: Role, organiser: str) -> dict[str, str]:
    held: dict[Any, dict[str, str]] = http.__dict__.setdefault("held", {})
    if (role, organiser) not in held:
        held[role, organiser] = bearer(token_of(http, role, organiser))
    return held[role, organiser]


def roles_with(gate: Gate) -> Iterator[Role]:
    return (role for role in Role if gate.rights[0] in RIGHTS[role])


OF_ALL = {"employers", "experts", "applicants", "specialties", "policies", "schemas", "roles", "tables"}
"""Collections of the whole installation: everybody with the right sees them."""


@pytest.mark.parametrize("role", [role for role in Role if role not in TIED])
def test_no_list_holds_another_tenants_things(tenants: Any, role: Role, closed: list[Gate]) -> None:
    codes = re.compile(r'"(HR|C1|A1|M1|K[1-4]|P1|M1-P1|S1|R1)"')
    headers = headers_of(tenants, role, "OTHER")
    tried = [
        gate
        for gate in closed
        if gate.method == "GET"
        and "{" not in gate.path
        and gate.rights[0] in RIGHTS[role]
        and gate.path.split("/")[3] not in OF_ALL
    ]
    told = sweep(tenants.app, [request(gate, headers) for gate in tried])
    listed = zip(tried, told, strict=True)
    assert [(gate, a.text[:300]) for gate, a in listed if a.status_code < 400 and codes.search(a.text)] == []


def test_records_of_another_tenant_stay_unseen(tenants: Any, closed: list[Gate]) -> None:
    tried = [gate for gate in closed if re.fullmatch(r"/api/v1/experts/\{code\}/[a-z]+s", gate.path)]
    reading = [(gate, place_of(gate, code="E02")) for gate in tried if gate.method == "GET"]
    seen = {}
    for name in ("OTHER", "HR"):
        headers = headers_of(tenants, Role.AUDITOR, name)
        told = sweep(tenants.app, [request(gate, headers, place) for gate, place in reading])
        assert {answer.status_code for answer in told} == ({200} if name == "HR" else {404})
        seen[name] = sum(len(answer.json().get("items", [])) for answer in told)
    assert seen["OTHER"] == 0
    assert seen["HR"] > 5


def test_delegated_authority_opens_one_committee_and_ends_with_its_filing(tenants: Any) -> None:
    import time_machine

    made = account(tenants.store, "delegate", organiser="OTHER")
    with tenants.store.session() as session:
        granting.grant(session, OWNER, made, Role.COMMITTEE_OFFICE, committee="C1")
        headers = bearer(tokens.make(session, KEY, principal_of(session, made.id), "t", None, 365)[1])
    with time_machine.travel(date(2026, 11, 22), tick=False):
        client = browser(tenants.app).client
        assert client.get("/api/v1/committees/C1", headers=headers).status_code == 200
        listed = client.get("/api/v1/committees", headers=headers).json()["items"]
        assert [item["code"] for item in listed] == ["C1"]
        assert client.get("/api/v1/committees/C9", headers=headers).status_code == 404
        assert client.get("/api/v1/meetings/M1", headers=headers).status_code == 200
    with time_machine.travel(date(2028, 1, 1), tick=False):
        with tenants.store.session() as session:
            asks = principal_of(session, made.id)
        assert not asks.may(Right.PANELS_REQUEST)


def test_every_account_reaches_its_own_account_by_session(tenants: Any) -> None:
    for role in Role:
        tie = {Role.EXPERT: {"expert": "E01"}, Role.SUBMITTING_UNIT: {"employer": "U"}}.get(role, {})
        account(tenants.store, f"own-{role}", (role, "HR"), **tie)
        mine = signed_in(tenants.app, f"own-{role}")
        for path in ("/own", "/sessions", "/sessions/current", "/tokens"):
            assert mine.get(path).status_code == 200
