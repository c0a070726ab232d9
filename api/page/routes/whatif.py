"""What-if: scenarios and what came of them, an editor that looks as one types, results that appear while they are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response, StreamingResponse

from api.http.events import LastEventId, Looked, event_stream
from api.http.problems import language_of
from api.http.routes.scenarios import list_scenarios, weighed_text
from api.http.routes.scenarios import show_scenario as shown_scenario
from api.http.routes.simulations import compare_simulations, list_simulations, show_simulation
from api.http.service import Served, Service
from api.http.versions import etag_of
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.compared_tables import compared_tables
from api.page.drawing import Outlined, outlined
from api.page.lens_tables import MOST_LINKS, Table, lens_tables
from api.page.questions import Ground, asked, written
from api.page.rendering import fragment, render
from api.page.whatif_reading import Asker, document, words
from api.page.whatif_story import simulation_of, story
from expert_pool.accounts import Principal, Right
from expert_pool.documents.parameter_naming import goal_name, parameter_name, value_name
from expert_pool.documents.simulation_charts import charts_of
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import presets
from expert_pool.registry import RunRecord, RunState
from expert_pool.runs.turning import ENDED
from expert_pool.simulation import kept, stored
from expert_pool.simulation.naming import named_in
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.spreading import parameters
from expert_pool.simulation.weighing import Weighed, frame, meetings_for
from expert_pool.snapshots import find_sitting
from expert_pool.viewer import Viewer
from solver.errors import Fault

router = pages()
_Text = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
_LINES = 100
_POINTS = 300
"""So many points are lines of a page; the others are in its data."""
_ASIDE = (".weight", ".relaxable", ".cost", ".tolerance")
"""Parameters that may be varied and are not offered: they change no panel that people would ask about."""


@router.get("/what-if")
def whatif_page(request: Request, asks: Asker, service: Served, scenario: _Text = None) -> Response:
    """Scenarios, and results, the newest first."""
    return render(
        request,
        "whatif.html",
        asks,
        scenarios=list_scenarios(asks, service, limit=_LINES).items,
        simulations=list_simulations(asks, service, scenario=scenario, limit=_LINES).items,
        scenario=scenario,
    )


@router.get("/what-if/new")
def new_scenario_page(
    request: Request,
    asks: Asker,
    service: Served,
    meeting: _Text = None,
    policy: _Text = None,
    question: _Text = None,
) -> Response:
    """A new scenario: a meeting, a question to start from, the text."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)
    name = policy if policy in presets() else DEFAULT_POLICY
    with service.store.reading() as session:
        meetings = meetings_for(session, viewer, _LINES)
        chosen = next((one for one in meetings if one.meeting == meeting), next(iter(meetings), None))
        found = _grounds(session, viewer, chosen, name, language_of(request))
    ground, known, fault = found
    questions = asked(ground) if ground else []
    chosen_question = question if question in questions else next(iter(questions), None)
    return render(
        request,
        "whatif_scenario.html",
        asks,
        scenario=None,
        etag="",
        text=written(chosen_question, ground) if ground and chosen_question else "",
        meetings=meetings,
        chosen=chosen,
        policies=presets(),
        policy=name,
        questions=questions,
        question=chosen_question,
        known=known,
        fault=fault,
        weighed=None,
        simulations=[],
    )


@router.get("/what-if/scenarios/{scenario}")
def scenario_page(
    request: Request,
    scenario: str,
    asks: Asker,
    service: Served,
    version: Annotated[Annotated[int, Field(ge=1, lt=2**31)] | None, Given] = None,
) -> Response:
    """A scenario: its text to be changed, what it comes to, its results."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)
    found = shown_scenario(scenario, asks, service, Response(), version)
    latest = shown_scenario(scenario, asks, service, Response(), None)
    weighed, fault = None, None
    with service.store.reading() as session:
        try:
            weighed = weighed_text(session, viewer, found.text, found.organiser)
        except Fault as problem:  # a meeting that is gone, a preset that says something else by now
            fault = problem
        known = _known(session, viewer, weighed, language_of(request))
    return render(
        request,
        "whatif_scenario.html",
        asks,
        scenario=found,
        latest=latest.version,
        etag=etag_of(latest),
        text=found.text,
        weighed=weighed,
        fault=fault,
        known=known,
        simulations=list_simulations(asks, service, scenario=scenario, limit=_LINES).items,
    )


@router.get("/what-if/simulations/{simulation}")
def simulation_page(request: Request, simulation: str, asks: Asker, service: Served) -> Response:
    """What came of a scenario, or comes of it just now."""
    shown = _shown(request, service, asks, simulation)
    newest = list_simulations(asks, service, scenario=None, limit=_LINES).items
    return render(
        request,
        "whatif_simulation.html",
        asks,
        **shown,
        beside=[one for one in newest if one.code != simulation],
    )


@router.get("/what-if/simulations/{simulation}/live")
def simulation_stream(
    request: Request, simulation: str, asks: Asker, service: Served, last: LastEventId = None
) -> StreamingResponse:
    """The part of the page that changes, sent anew whenever something happened; `over` when the run ended."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)
    with service.store.reading() as session:
        run = kept.find(session, viewer, simulation).run

    def look(after: int) -> Looked:
        with service.store.reading() as session:
            found = session.execute(
                select(RunRecord.last_seq, RunRecord.state).where(RunRecord.code == run)
            ).one_or_none()
        if found is None:
            return [], True
        seq, over = found.last_seq, found.state in ENDED
        new = []
        if seq > after:
            shown = _shown(request, service, asks, simulation)
            new.append((seq, "", fragment(request, "_simulation.html", asks, **shown).encode()))
        return new + ([(seq, "over", b"")] if over else []), over

    return event_stream(look, after=int(last or 0))


@router.get("/what-if/comparison")
def simulations_compared_page(
    request: Request,
    asks: Asker,
    service: Served,
    first: Annotated[str, Query(max_length=200)],
    second: Annotated[str, Query(max_length=200)],
) -> Response:
    """Two results: where they differ."""
    found = compare_simulations(first, second, asks, service)
    pair = [show_simulation(code, asks, service) for code in (first, second)]
    lang = language_of(request)
    one = document(service, asks, first)
    return render(
        request,
        "whatif_comparison.html",
        asks,
        found=found,
        pair=pair,
        most=_POINTS,
        tables=compared_tables(found, one, lang),
        most_links=MOST_LINKS,
        levels=dict(_levels(one, lang)),
        **words(request, one),
    )


@router.get("/what-if/runs/{run}")
def simulation_of_run(run: str, asks: Asker, service: Served) -> Response:
    """Leads from a run to what it settles."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)
    with service.store.reading() as session:
        code = simulation_of(session, asks, viewer, run, service.store.key)
    return RedirectResponse(f"/what-if/simulations/{quote(code, safe='')}", 303)


def _grounds(
    session: Session, viewer: Viewer, chosen: Any, policy: str, lang: str
) -> tuple[Ground | None, list[tuple[str, str, str]], Fault | None]:
    """What questions about a meeting are filled in with; its parameters as (what a scenario writes, what it is called, what it
    is); or why there are none."""
    if chosen is None:
        return None, [], None
    try:
        scenario = stored.read_text(
            session,
            viewer,
            f"base: {{committee: {chosen.committee}, meeting: {chosen.meeting}, policy: {policy}}}\n"
            "years: {seasons: 1}\n",
        )
        sitting = find_sitting(session, viewer, chosen.committee, chosen.meeting)
        problem = frame(session, viewer, scenario, sitting)
    except Fault as fault:
        return None, [], fault
    group = problem.groups[0]
    specialty = problem.specialties.code[int(problem.cases.specialty[0])]
    ground = Ground(
        chosen.committee,
        chosen.meeting,
        policy,
        group.id,
        group.low,
        group.high,
        specialty,
        frozenset(rule.id for rule in problem.rules),
        [goal.id for goal in problem.goals],
    )
    named = named_in([problem])
    known = [
        (name, parameter_name(named, name, lang), value_name(named, name, str(value), lang))
        for name, value in parameters(problem).items()
        if value is not None and not name.endswith(_ASIDE)
    ]
    return ground, known, None


def _known(
    session: Session, viewer: Viewer, weighed: Weighed | None, lang: str
) -> list[tuple[str, str, str]]:
    if weighed is None or weighed.committee is None or weighed.meeting is None:
        return []
    place = type("Place", (), {"committee": weighed.committee, "meeting": weighed.meeting})
    return _grounds(session, viewer, place, weighed.policy, lang)[1]


def _shown(request: Request, service: Service, asks: Principal, code: str) -> dict[str, Any]:
    """A simulation as the part of the page that changes shows it."""
    lang = language_of(request)
    told = show_simulation(code, asks, service)
    with service.store.reading() as session:
        made = kept.find(session, asks.viewer(Right.SIMULATIONS_RUN), code)
        turns = story(session, asks, made, service.store.key)
    found: Simulation | None
    try:
        found = document(service, asks, code)
    except Fault as fault:
        if fault.code != "simulation.nothing_yet":
            raise
        found = None
    charts = [outlined(chart) for chart in charts_of(found, lang)] if found else []
    tables = lens_tables(found, lang) if found else []
    ended = told.state is None or told.state in ENDED
    return {
        "told": told,
        "turns": turns,
        "own": bool(turns) and turns[-1].code == told.run and turns[-1].seen,
        "found": found,
        "ended": ended,
        "stopped": ended and not told.complete,
        "failed": told.state is RunState.FAILED,
        "charts": charts,
        "points": found.points[:_POINTS] if found else [],
        "beyond": max(0, len(found.points) - _POINTS) if found else 0,
        "levels": _levels(found, lang) if found else [],
        "level_names": _season_levels(found, lang) if found else {},
        "chart_tables": _tables_of_charts(charts, tables),
        "most_links": MOST_LINKS,
        "tables": tables,
        **words(request, found),
    }


def _tables_of_charts(charts: Sequence[Outlined], tables: Sequence[Table]) -> dict[str, str]:
    """The id of the table that holds a chart's figures, by the name of the chart."""
    ids = {one.name: f"table-{one.name}" for one in tables}
    ids |= {"frontier": "table-frontier", "years-pool": "table-years", "years-dry": "table-dry"}
    ids.setdefault("illegal", "table-policies")
    found = {one.name: ids.get(one.name) or ids.get(one.name.rsplit("-", 1)[0]) for one in charts}
    return {
        name: id_ or "table-points"
        for name, id_ in found.items()
        if id_ or name.startswith(("curve", "heat"))
    }


def _season_levels(found: Simulation, lang: str) -> dict[int, str]:
    """The goal levels of the panels of the years ahead, with their names."""
    panels = found.years.panels if found.years else []
    goals = {goal.level: goal.id for line in panels for goal in line.outcome.goals}
    return {level: goal_name(id_, lang, found.goals) for level, id_ in goals.items()}


def _levels(found: Simulation, lang: str) -> list[tuple[int, str]]:
    """The goal levels of the points, with their names."""
    named = {g.level: goal_name(g.id, lang, found.goals) for point in found.points for g in point.goals}
    return sorted(named.items())
