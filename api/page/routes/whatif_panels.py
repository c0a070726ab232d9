"""What is behind a what-if's figures: points, panels, the seasons of the years ahead, and its tables as files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from api.http.files import attached
from api.http.problems import language_of
from api.http.routes.simulations import show_simulation
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.drawing import drawing
from api.page.lens_tables import base_of, lens_tables
from api.page.rendering import render
from api.page.whatif_reading import Asker, document, words
from expert_pool.documents.simulation_charts import charts_of
from expert_pool.simulation.results import PanelPart, Simulation
from expert_pool.simulation.years.outcome import Fate
from expert_pool.simulation.years.results import YearsPart
from solver.errors import Fault

router = pages()
_Number = Annotated[Annotated[int, Field(ge=0, lt=2**31)] | None, Given]
_LINES = 200


@router.get("/what-if/simulations/{simulation}/points/{number}")
def point_page(request: Request, simulation: str, number: int, asks: Asker, service: Served) -> Response:
    """One point: what it came to, and the panel behind it."""
    told = show_simulation(simulation, asks, service)
    found = document(service, asks, simulation)
    point = next((one for one in found.points if one.number == number), None)
    if point is None:
        raise Fault("scenario.point_unknown", str(number), number=number, count=found.asked)
    return render(
        request,
        "whatif_point.html",
        asks,
        told=told,
        point=point,
        base=found.bases[point.base],
        panel=_seated(found, point.panel),
        next_points=[one.number for one in found.points if abs(one.number - number) == 1],
        **words(request, found),
    )


@router.get("/what-if/simulations/{simulation}/panels/{panel}")
def simulation_panel_page(
    request: Request, simulation: str, panel: str, asks: Asker, service: Served
) -> Response:
    """A panel of a frontier, a tipping point, a table."""
    told = show_simulation(simulation, asks, service)
    found = document(service, asks, simulation)
    if panel not in found.panels:
        raise Fault("page.nowhere", request.url.path)
    base = base_of(found, panel)
    return render(
        request,
        "whatif_point.html",
        asks,
        told=told,
        point=None,
        base=None if base is None else found.bases[base],
        panel=_seated(found, panel),
        next_points=[],
        **words(request, found),
    )


@router.get("/what-if/simulations/{simulation}/charts/{chart}")
def chart_drawing(request: Request, simulation: str, chart: str, asks: Asker, service: Served) -> Response:
    """What the browser draws a chart from."""
    found = charts_of(document(service, asks, simulation), language_of(request))
    one = next((each for each in found if each.name == chart), None)
    if one is None:
        raise Fault("simulation.chart_unknown", chart, known=[each.name for each in found] or None)
    return Response(drawing(one), 200, {"Cache-Control": "no-store"}, "application/json")


@router.get("/what-if/simulations/{simulation}/tables/{table}")
def table_file(request: Request, simulation: str, table: str, asks: Asker, service: Served) -> Response:
    """A table of figures as CSV, in the language of the page."""
    found = document(service, asks, simulation)
    one = next((each for each in lens_tables(found, language_of(request)) if each.name == table), None)
    if one is None:
        raise Fault("page.nowhere", request.url.path)
    return attached(one.csv(), f"{simulation}.{table}.csv", "text/csv")


@router.get("/what-if/simulations/{simulation}/seasons")
def seasons_page(
    request: Request,
    simulation: str,
    asks: Asker,
    service: Served,
    year: _Number = None,
    committee: _Number = None,
    fate: Annotated[Fate | None, Given] = None,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """The panels of the years ahead, one a line: by year, committee and what became of them."""
    told = show_simulation(simulation, asks, service)
    years = _years(request, document(service, asks, simulation))
    lines = [
        line
        for line in years.panels
        if year in (None, line.year)
        and committee in (None, line.committee)
        and fate in (None, line.outcome.fate)
    ]
    return render(
        request,
        "whatif_seasons.html",
        asks,
        told=told,
        years=years,
        lines=lines[after : after + _LINES],
        count=len(lines),
        more=after + _LINES if after + _LINES < len(lines) else None,
        year=year,
        committee=committee,
        fate=fate,
        fates=("seated", "climbed", "dry", "open"),
    )


@router.get("/what-if/simulations/{simulation}/seasons/{number}")
def season_page(request: Request, simulation: str, number: int, asks: Asker, service: Served) -> Response:
    """One panel of a season, or what there is in its place."""
    told = show_simulation(simulation, asks, service)
    found = document(service, asks, simulation)
    years = _years(request, found)
    line = next((one for one in years.panels if one.number == number), None)
    if line is None:
        raise Fault("page.nowhere", request.url.path)
    return render(
        request, "whatif_season.html", asks, told=told, years=years, line=line, **words(request, found)
    )


def _years(request: Request, found: Simulation) -> YearsPart:
    if found.years is None:
        raise Fault("page.nowhere", request.url.path)
    return found.years


def _seated(found: Simulation, key: str | None) -> dict[str, Any] | None:
    """A panel by group: who sits, who waits."""
    if key is None:
        return None
    panel: PanelPart = found.panels[key]
    groups = list(dict.fromkeys(seat.group for seat in panel.members))
    return {
        group: {
            "members": [seat for seat in panel.members if seat.group == group],
            "waiting": [seat for seat in panel.alternates if seat.group == group],
        }
        for group in groups
    }
