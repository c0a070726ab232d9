"""What-if: a stored scenario settled in the background, its result at any time, charts, the problem behind a point."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Model, Runs, Work, answers
from api.http.access import allowed
from api.http.files import FILE, attached
from api.http.problems import language_of
from api.http.service import Served
from api.jobs.work.asks import Code
from expert_pool.accounts.rights import Principal, Right
from expert_pool.documents.simulation_charts import Chart, charts_of, drawn
from expert_pool.registry import RunRecord, RunState, ScenarioRecord, SimulationRecord
from expert_pool.simulation import kept, stored
from expert_pool.simulation.bases import moment_of
from expert_pool.simulation.comparing import Compared, compare
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.weighing import weigh
from expert_pool.viewer import Viewer
from solver.errors import Fault

router = APIRouter(prefix="/simulations", tags=["what-if"])

Asker = Annotated[Principal, Depends(allowed(Right.SIMULATIONS_RUN))]
SimulationCode = Annotated[str, Path(max_length=200, examples=["RQ3W4M7ZK5T2ABCDE"])]
PointNumber = Annotated[int, Path(ge=0, lt=2**31)]
MEDIA: dict[str, str] = {
    "csv": "text/csv",
    "vl.json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class GoingOn(Model):
    """How to settle it: `workers`, processes that search at once (no more than the service gives; they change no result);
    `accept_cost`, yes to what very many points may cost."""

    workers: int = Field(default=1, ge=1, le=64)
    accept_cost: bool = False


class SimulationAsk(GoingOn):
    """Which scenario, in which version (default the latest)."""

    scenario: Code
    version: int | None = Field(default=None, ge=1, lt=2**31)


class SimulationTold(Model):
    """A simulation: its scenario, the moment as known at which the registry is read, its latest run and how that stands.
    `complete`: nothing of the result is missing."""

    code: str
    run: str
    state: RunState | None
    scenario: str
    version: int
    title: dict[str, str]
    known_at: datetime
    made_at: datetime
    made_by: str
    inputs_sha256: str | None
    complete: bool
    ended_at: datetime | None


class Simulations(Model):
    """Simulations, the newest first."""

    items: list[SimulationTold]


class SimulationDone(Model):
    """What a run came to; the result itself is at `/simulations/{code}/result`."""

    simulation: str
    inputs_sha256: str
    asked: int
    points: int
    without_panel: int
    complete: bool


class ChartTold(Model):
    """A chart: a Vega-Lite specification with its data in it, and the data as rows."""

    name: str
    spec: dict[str, Any]
    rows: list[dict[str, Any]]


class Charts(Model):
    """The charts of a result."""

    items: list[ChartTold]


class PointWritten(Model):
    """The problem behind a point, as a file of the run."""

    simulation: str
    point: int
    file: str


@router.get("", response_model=Simulations)
def list_simulations(
    asks: Asker,
    service: Served,
    scenario: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Simulations:
    """The simulations there are."""
    with service.store.reading() as session:
        found = kept.list_(session, asks.viewer(Right.SIMULATIONS_RUN), scenario=scenario, most=limit)
        return Simulations(items=[_told(session, made, row) for made, row in found])


@router.post("", **answers(SimulationDone))
def start_simulation(sent: SimulationAsk, asks: Asker, takes: Runs) -> Response:
    """Settle a scenario. The simulation's code is that of the run."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)

    def work(session: Session) -> Work:
        row = stored.find(session, viewer, sent.scenario, sent.version)
        viewer.require(row.organiser_id, row.committee_id)
        scenario = stored.scenario_of(session, row)
        for right in stored.rights_for(scenario):
            asks.require(right)
        seen = viewer if row.committee_id else stored.below(session, viewer, row.organiser_id)
        costs = weigh(session, seen, scenario)
        if costs.costly and not sent.accept_cost:
            raise Fault(
                "simulation.costly", "accept_cost", count=costs.points + costs.panels, hours=costs.hours
            )
        known_at = moment_of(scenario)
        return Work(
            "simulation.sweep",
            {"simulation": None, **sent.model_dump(include={"workers", "accept_cost"})},
            organiser_id=row.organiser_id,
            begun=lambda session, run: _begun(session, viewer, row, run, known_at),
        )

    return takes.take(asks, work)


@router.get("/{simulation}", response_model=SimulationTold)
def show_simulation(simulation: SimulationCode, asks: Asker, service: Served) -> SimulationTold:
    """One simulation."""
    with service.store.reading() as session:
        made = kept.find(session, asks.viewer(Right.SIMULATIONS_RUN), simulation)
        return _told(session, made, session.get_one(ScenarioRecord, made.scenario_id))


@router.post("/{simulation}/continuation", **answers(SimulationDone))
def continue_simulation(simulation: SimulationCode, sent: GoingOn, asks: Asker, takes: Runs) -> Response:
    """Go on with one that was stopped, from the points it has."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)

    def work(session: Session) -> Work:
        made = kept.find(session, viewer, simulation)
        if _state(session, made) in (RunState.QUEUED, RunState.RUNNING):
            raise Fault("simulation.under_way", simulation)
        return Work(
            "simulation.sweep",
            {"simulation": simulation, **sent.model_dump()},
            organiser_id=made.organiser_id,
            begun=lambda session, run: _gone_on(session, viewer, simulation, run),
        )

    return takes.take(asks, work)


@router.get("/{simulation}/result", response_model=Simulation)
def show_simulation_result(simulation: SimulationCode, asks: Asker, service: Served) -> Response:
    """The result (`simulation/1`): while it runs, or where it was stopped, what there is so far."""
    found = _document(service, asks, simulation)
    return Response(found.model_dump_json(), 200, {"Cache-Control": "no-store"}, "application/json")


@router.get("/{simulation}/charts", response_model=Charts)
def list_simulation_charts(
    simulation: SimulationCode, request: Request, asks: Asker, service: Served
) -> Charts:
    """The charts of the result so far, with their data."""
    found = charts_of(_document(service, asks, simulation), language_of(request))
    return Charts(items=[ChartTold(name=one.name, spec=one.spec, rows=one.rows) for one in found])


@router.get("/{simulation}/charts/{chart}", response_class=Response, responses=FILE)
def fetch_simulation_chart(
    simulation: SimulationCode,
    chart: Annotated[str, Path(max_length=200, examples=["heat"])],
    request: Request,
    asks: Asker,
    service: Served,
    as_: Annotated[Literal["csv", "vl.json", "svg", "png"], Query(alias="as")] = "csv",
) -> Response:
    """A chart as a file: its data, its specification, or the picture."""
    found = charts_of(_document(service, asks, simulation), language_of(request))
    one = next((each for each in found if each.name == chart), None)
    if one is None:
        raise Fault("simulation.chart_unknown", chart, known=[each.name for each in found] or None)
    return attached(_file(one, as_), f"{simulation}.{chart}.{as_}", MEDIA[as_])


@router.post("/{simulation}/points/{number}/problem", **answers(PointWritten))
def write_simulation_point(
    simulation: SimulationCode, number: PointNumber, asks: Asker, takes: Runs
) -> Response:
    """The problem behind a point (`panel-problem/1`), to be assembled and checked by itself; a look into the ledger."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)

    def work(session: Session) -> Work:
        made = kept.find(session, viewer, simulation)
        viewer.require(made.organiser_id, made.committee_id)
        asked = kept.document_of(session, made).asked
        if number >= asked:
            raise Fault("scenario.point_unknown", str(number), number=number, count=asked)
        return Work(
            "simulation.point",
            {"simulation": simulation, "point": number},
            organiser_id=made.organiser_id,
        )

    return takes.take(asks, work)


@router.get("/{simulation}/comparisons/{other}", response_model=Compared)
def compare_simulations(
    simulation: SimulationCode,
    other: Annotated[str, Path(max_length=200)],
    asks: Asker,
    service: Served,
) -> Compared:
    """What differs between two results (`simulation-diff/1`), at the points both have."""
    return compare(_document(service, asks, simulation), _document(service, asks, other))


def _begun(session: Session, viewer: Viewer, row: ScenarioRecord, run: str, known_at: datetime) -> None:
    kept.begin(session, viewer, row, run, known_at)


def _gone_on(session: Session, viewer: Viewer, simulation: str, run: str) -> None:
    kept.go_on(session, viewer, simulation, run)


def _document(service: Served, asks: Principal, code: str) -> Simulation:
    with service.store.reading() as session:
        return kept.document_of(session, kept.find(session, asks.viewer(Right.SIMULATIONS_RUN), code))


def _state(session: Session, made: SimulationRecord) -> RunState | None:
    return session.scalar(select(RunRecord.state).where(RunRecord.code == made.run))


def _told(session: Session, made: SimulationRecord, row: ScenarioRecord) -> SimulationTold:
    return SimulationTold(
        code=made.code,
        run=made.run,
        state=_state(session, made),
        scenario=row.code,
        version=row.version,
        title={"zh": row.title_zh, "en": row.title_en},
        known_at=made.known_at,
        made_at=made.made_at,
        made_by=made.made_by,
        inputs_sha256=made.inputs_sha256,
        complete=made.complete,
        ended_at=made.ended_at,
    )


def _file(chart: Chart, form: str) -> bytes:
    if form == "csv":
        return chart.csv()
    if form == "vl.json":
        return json.dumps(chart.spec, ensure_ascii=False, indent=1).encode()
    return drawn(chart, form)
