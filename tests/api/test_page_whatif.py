"""Pages over what-if, re-evaluation and pool health, without a browser: what they show, and the map."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from cycle_office import BAD, misbehave
from scenarios_stored import text
from signed_in_people import account, signed_in
from working_office import BEFORE, WAIT, done, working

from api.page.pool_map import mapped, pyramid
from api.page.questions import BODIES, Ground, asked, written
from api.page.rendering import STATIC
from expert_pool.accounts import Role
from expert_pool.reevaluation.health.document import Band, Cell
from expert_pool.simulation import stored
from expert_pool.simulation.weighing import weigh
from expert_pool.viewer import Viewer

HTML = {"Accept": "text/html"}


@pytest.fixture
def http_at_work(http: Any) -> Iterator[Any]:
    with time_machine.travel(BEFORE, tick=False):
        working(http)
        yield http


def person(http: Any, name: str, role: Role) -> Any:
    account(http.store, name, (role, "HR"))
    return signed_in(http.app, name)


def shown(asks: Any, path: str, status: int = 200) -> str:
    answer = asks.client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text[:500]
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return str(answer.text)


def settled(asks: Any, said: str) -> str:
    code = asks.ask("POST", "/scenarios", json={"text": said}).json()["code"]
    return str(done(asks.ask("POST", "/simulations", json={"scenario": code}, headers=WAIT))["simulation"])


def test_what_if_leads_from_a_question_to_the_panel_behind_a_point(http_at_work: Any) -> None:
    office = person(http_at_work, "office", Role.COMMITTEE_OFFICE)
    assert "还没有情景" in shown(office, "/what-if")
    new = shown(office, "/what-if/new?question=recruits&policy=cn-title-jilin-2013")
    assert "join:" in new
    assert "rules.quorum.least" in new
    code = settled(office, text("[1/3, 1/2]"))
    page = shown(office, f"/what-if/simulations/{code}")
    assert f'href="/what-if/simulations/{code}/points/1"' in page
    address = re.search(r'data-spec="([^"]+)"', page)[1]  # type: ignore[index]
    spec = office.client.get(address).json()
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega/")
    assert "没有合法的评委会" in shown(office, f"/what-if/simulations/{code}/points/1")
    point = shown(office, f"/what-if/simulations/{code}/points/0?lang=en")
    assert point.count('class="seat"') == 3
    assert "0 of them differ" in re.sub(
        r"[ ,]+", " ", shown(office, f"/what-if/comparison?first={code}&second={code}&lang=en")
    )
    assert shown(office, "/what-if?lang=zh").count("<tr class=") == 2
    scenario = re.search(r"/what-if/scenarios/(S\w+)", page)[1]  # type: ignore[index]
    assert "data-version=" in shown(office, f"/what-if/scenarios/{scenario}")
    assert shown(office, f"/what-if/simulations/{code}/points/9", 404)
    assert office.client.get(f"/what-if/runs/{code}", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("name", BODIES)
def test_every_question_to_start_from_is_a_scenario(http_at_work: Any, name: str) -> None:
    ground = Ground(
        "C1", "M1", "cn-title-jilin-2013", "010", 3, 3, "0101", frozenset({"quorum"}), ["peer_match", "load"]
    )
    assert name in asked(ground)
    viewer = Viewer.system("x")
    with http_at_work.store.reading() as session:
        weigh(session, viewer, stored.read_text(session, viewer, written(name, ground)))
    assert asked(Ground("C1", "M1", "p", "g", 1, 1, "s", frozenset(), ["one"])) == [
        "sizes",
        "recruits",
        "robustness",
        "fairness",
        "years",
    ]


def test_a_cycle_is_shown_with_its_steps_and_the_cases_behind_its_numbers(http_at_work: Any) -> None:
    misbehave(http_at_work.tiny, BAD)
    first = person(http_at_work, "first", Role.POOL_MANAGER)
    assert "启动新的复评" in shown(first, "/reevaluation")
    opened = first.ask("POST", "/cycles", json={"pool": "P1", "scheme": "own-default"}).json()["code"]
    assert "computation" in shown(first, f"/reevaluation/{opened}")
    done(first.ask("POST", f"/cycles/{opened}/computation", json={}, headers=WAIT))
    page = shown(first, f"/reevaluation/{opened}")
    assert f"/reevaluation/{opened}/cases?measure=ban" in page
    assert "computation" not in page
    assert "notices" in page
    assert shown(first, f"/reevaluation/{opened}/cases?measure=ban").count("<tr class=") == 1
    assert "没有符合条件的个案" in shown(first, f"/reevaluation/{opened}/cases?state=executed")
    case = shown(first, f"/reevaluation/{opened}/cases/E03?lang=en")
    assert "credit" in case
    auditor = person(http_at_work, "auditor", Role.AUDITOR)
    seen = shown(auditor, f"/reevaluation/{opened}")
    assert "notices" not in seen
    assert "verification" in seen
    for path in (
        "/schemes",
        "/schemes/own-default",
        "/schemes/comparison?first=own-default&second=nsfc-sanctions",
    ):
        assert "<table" in shown(first, path) or path == "/schemes"


def test_pool_health_is_a_map_that_is_also_a_table(http_at_work: Any) -> None:
    manager = person(http_at_work, "manager", Role.POOL_MANAGER)
    assert "/api/v1/pools/P1/health" in shown(manager, "/pool-health")
    answer = manager.ask("POST", "/pools/P1/health", json={}, headers=WAIT).json()
    page = shown(manager, f"/pool-health/runs/{answer['run']}")
    assert 'table class="map"' in page
    assert "薄弱" in page
    assert f"/pool-health/runs/{answer['run']}" in shown(manager, f"/runs/{answer['run']}")


def cell(sector: str | None, supply: int, seats: float, level: str = "senior", region: str = "1") -> Cell:
    return Cell(
        specialty="01",
        sector=sector,
        region=region,
        level=level,
        supply=supply,
        cases=2,
        last=1.0,
        seats=seats,
        thin=False,
    )


def test_cells_of_all_regions_are_one_and_thin_where_there_is_no_choice() -> None:
    class Made:
        cells = (
            cell("private", 2, 0.5),
            cell("private", 1, 0.5, region="2"),
            cell(None, 9, 1.2),
            cell("private", 50, 0, level="mid"),
        )
        fields = ()
        choice = 3

    found = mapped(Made(), None, None)  # type: ignore[arg-type]
    assert (found.level, found.levels, found.regions, found.sectors) == (
        "senior",
        ["mid", "senior"],
        ["1", "2"],
        ["private", None],
    )
    private, unknown = found.cells["01", "private"], found.cells["01", None]
    assert (private.supply, private.cases, private.more, private.thin, private.shade) == (3, 4, 2.0, False, 2)
    assert (unknown.thin, unknown.shade) == (False, 4)
    assert mapped(Made(), None, "2").cells["01", "private"].thin  # type: ignore[arg-type]
    assert mapped(Made(), "mid", None).thin == 0  # type: ignore[arg-type]
    bands = [
        Band(low=30, high=40, female=2, male=4, unknown=1),
        Band(low=40, high=None, female=0, male=1, unknown=0),
    ]
    assert [(women, men) for _, women, men in pyramid(bands)] == [(0, 25), (50, 100)]


def test_a_page_with_charts_is_at_most_600_kilobytes() -> None:
    files = (
        "vendor/pico.min.css",
        "page.css",
        "admin.css",
        "whatif.css",
        "vendor/htmx.min.js",
        "vendor/hx-sse.min.js",
    )
    files += ("page.js", "charts.js", "scenario.js", "vendor/vega.min.js", "vendor/vega-interpreter.js")
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in files) < 300_000
