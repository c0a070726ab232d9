"""Figures of a what-if on the page: tables of robustness, fairness and policies with the panels behind them, the years
ahead season by season, and the story of one that was stopped and gone on with."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import pytest
from signed_in_people import account, signed_in
from sqlalchemy import select

from api.page.lens_tables import base_of, lens_tables
from api.page.rendering import STATIC
from expert_pool import clock, ledger
from expert_pool.accounts import Role
from expert_pool.packaged import fixture
from expert_pool.registry import Account, Organiser, RunRecord, RunState, ScenarioRecord, SimulationRecord
from expert_pool.runs.files import seal_json
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate

HTML = {"Accept": "text/html"}
NAMES = ("robust", "fairness", "policies", "years")


@pytest.fixture(scope="module")
def results() -> dict[str, Simulation]:
    """The examples of every kind that is not a sweep, settled."""
    found = {}
    for name in NAMES:
        read = load(fixture("scenarios") / f"{name}.yaml")
        found[name] = simulate(asked(read, problems_of(read)))
    return found


@dataclass
class Kept:
    """Results in the registry, and somebody who reads them."""

    office: Any
    codes: dict[str, str]

    def page(self, path: str, status: int = 200) -> str:
        answer = self.office.client.get(path, headers=HTML)
        assert answer.status_code == status, answer.text[:500]
        return str(answer.text)


@pytest.fixture
def office(http: Any, results: dict[str, Simulation]) -> Kept:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    with http.store.session() as session:
        organiser = session.scalars(select(Organiser.id).where(Organiser.code == "HR")).one()
        codes = {name: keep(session, organiser, name, found) for name, found in results.items()}
    return Kept(signed_in(http.app, "office"), codes)


def keep(session: Any, organiser: int, name: str, found: Simulation | None) -> str:
    """A result as a run would leave it; without one, as it is before anything is laid out."""
    now, code = clock.now(), f"R{name.upper()}"
    row = ScenarioRecord(
        code=f"S{name.upper()}", version=1, organiser_id=organiser, committee_id=None, title_zh=name, title_en=name,
        text="", sha256="0" * 64, made_at=now, made_by="office",
    )  # fmt: skip
    session.add(row)
    session.flush()
    made = SimulationRecord(
        code=code, run=code, scenario_id=row.id, organiser_id=organiser, committee_id=None, known_at=now, made_at=now,
        made_by="office", complete=found is not None,
    )  # fmt: skip
    if found is not None:
        made.inputs_sha256, made.document, made.ended_at = found.inputs_sha256, found.model_dump_json(), now
    session.add(made)
    session.flush()
    ledger.append(
        session,
        organiser_id=organiser,
        actor="office",
        action="scenario.stored",
        subject=row.code,
        payload={},
    )
    return code


@pytest.mark.parametrize("name", ["robust", "fairness", "policies"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_figure_stands_in_a_table_that_opens_into_its_panels(
    office: Kept, results: dict[str, Simulation], name: str, lang: str
) -> None:
    code, tables = office.codes[name], lens_tables(results[name], lang)
    page = office.page(f"/what-if/simulations/{code}?lang={lang}")
    assert len(tables) > 2
    for one in tables:
        assert f'id="table-{one.name}"' in page
        assert all(len(row) == len(one.columns) for row in one.rows)
        answer = office.office.client.get(f"/what-if/simulations/{code}/tables/{one.name}?lang={lang}")
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert lines[0] == [heading for heading, _ in one.columns]
        assert len(lines) == 1 + len(one.rows)
        assert not [cell for line in lines for cell in line if cell.startswith(("page.", "lens.", "cli."))]
    panels = set(re.findall(rf'href="/what-if/simulations/{code}/panels/([^"]+)"', page))
    assert panels
    assert panels <= set(results[name].panels)
    assert 'class="seat"' in office.page(f"/what-if/simulations/{code}/panels/{sorted(panels)[0]}")
    assert {base_of(results[name], panel) for panel in panels} == {0}


def test_the_years_ahead_lead_to_every_panel_of_every_season(
    office: Kept, results: dict[str, Simulation]
) -> None:
    code, years = office.codes["years"], results["years"].years
    assert years is not None
    page = office.page(f"/what-if/simulations/{code}")
    assert "years.figure" not in page
    assert page.count("/seasons?year=") == len(years.years)
    assert years.dry
    assert f"/seasons/{years.dry[0].panel}" in page
    every = office.page(f"/what-if/simulations/{code}/seasons")
    assert every.count('<tr class="link">') == len(years.panels)
    dry = [line for line in years.panels if line.outcome.fate == "dry"]
    found = office.page(f"/what-if/simulations/{code}/seasons?fate=dry&year={dry[0].year}&committee=")
    assert found.count('<tr class="link">') == sum(line.year == dry[0].year for line in dry)
    assert "没有评审组" in office.page(f"/what-if/simulations/{code}/seasons/{dry[0].number}")
    seated = next(line for line in years.panels if line.outcome.members)
    assert 'class="seat"' in office.page(f"/what-if/simulations/{code}/seasons/{seated.number}?lang=en")
    office.page(f"/what-if/simulations/{code}/seasons/99999", 404)
    office.page(f"/what-if/simulations/{office.codes['robust']}/seasons", 404)


def test_two_results_of_a_kind_are_compared_in_its_figures(office: Kept) -> None:
    for name in NAMES:
        code = office.codes[name]
        same = office.page(f"/what-if/comparison?first={code}&second={code}&lang=en")
        assert "0 points" not in same
    other = office.page(
        f"/what-if/comparison?first={office.codes['robust']}&second={office.codes['years']}&lang=en"
    )
    assert "warn" in other


def test_one_that_was_stopped_and_gone_on_with_tells_its_whole_story(http: Any) -> None:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    office = Kept(signed_in(http.app, "office"), {})
    with http.store.session() as session:
        organiser = session.scalars(select(Organiser.id).where(Organiser.code == "HR")).one()
        code = keep(session, organiser, "story", None)
        for run, params, state in (
            (code, None, RunState.CANCELLED),
            ("RMIDDLE", code, RunState.CANCELLED),
            ("RELSEWHERE", "ROTHER", RunState.CANCELLED),
            ("RLATEST", code, RunState.CANCELLED),
        ):
            session.add(worked(http.store, organiser, run, params, state, session, "office"))
            session.flush()
        made = session.scalars(select(SimulationRecord).where(SimulationRecord.code == code)).one()
        made.run = "RLATEST"
    page = office.page(f"/what-if/simulations/{code}")
    assert re.findall(r'href="/runs/(\w+)"', page.partition('<ol class="line">')[2]) == [
        code,
        "RMIDDLE",
        "RLATEST",
    ]
    assert page.count("由 office 于") == 3
    for run in (code, "RMIDDLE", "RLATEST"):
        answer = office.office.client.get(f"/what-if/runs/{run}", follow_redirects=False)
        assert answer.headers["location"] == f"/what-if/simulations/{code}"
    office.page("/what-if/runs/RELSEWHERE", 404)


def worked(
    store: Any, organiser: int, code: str, simulation: str | None, state: RunState, session: Any, name: str
) -> RunRecord:
    """A run of a simulation that somebody stopped."""
    now = clock.now()
    return RunRecord(
        code=code, kind="simulation.sweep", state=state, actor=name, scopes=None, organiser_id=organiser, once=None,
        account_id=session.scalars(select(Account.id).where(Account.name == name)).one(),
        params_sealed=seal_json(store.key, {"simulation": simulation, "workers": 1}), accepted_at=now,
        submitted_at=now, started_at=now, ended_at=now, cancel_asked_at=now, cancel_asked_by=name,
    )  # fmt: skip


def test_the_static_files_are_sent_compressed_and_pages_are_not(http: Any) -> None:
    client = http.stranger()
    plain = client.get("/static/page.css", headers={"Accept-Encoding": "identity"})
    packed = client.get("/static/page.css", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content == (STATIC / "page.css").read_bytes()
    assert packed.headers["vary"] == "Accept-Encoding"
    page = client.get("/sign-in", headers={**HTML, "Accept-Encoding": "gzip"})
    assert "content-encoding" not in page.headers
