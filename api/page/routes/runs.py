"""Background work: what was asked for, how far it is while it happens, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse

from api.http.accepting import told
from api.http.access import allowed
from api.http.events import LastEventId, Looked, event_stream
from api.http.problems import language_of
from api.http.service import Served, Service
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.audited import audited
from api.page.charts import convergence
from api.page.diagnosed import Diagnosed, diagnosed
from api.page.names import goal_named, why_not
from api.page.rendering import fragment, render
from expert_pool import runs
from expert_pool.accounts import Principal, Right
from expert_pool.registry import RunRecord, RunState
from expert_pool.runs import Happened
from expert_pool.runs.turning import ENDED
from solver.errors import Fault

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.RUNS_READ))]
_MOST_EVENTS = 5000
_LINES = 50
_PLACES = {"simulation.sweep": "/what-if/runs", "pool.health": "/pool-health/runs"}
"""Kinds of runs with a page of their own, below which the run is found by its code."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a run, for its own asker: the document, the fault that ended it, files; empty for others."""

    result: Mapping[str, Any] | None = None
    fault: Fault | None = None
    files: tuple[str, ...] = ()


@router.get("/runs")
def runs_page(
    request: Request, asks: _Reader, service: Served, state: Annotated[RunState | None, Given] = None
) -> Response:
    """The own runs, newest first."""
    with service.store.reading() as session:
        found = runs.list_runs(session, asks, own=True, state=state, limit=_LINES)
        lines = [told(session, run) for run in found]
    return render(request, "runs.html", asks, lines=lines, state=state, states=list(RunState))


@router.get("/runs/{run}")
def run_page(request: Request, run: str, asks: _Reader, service: Served) -> Response:
    """One run: live while it lasts, then what came of it."""
    return render(request, "run.html", asks, **_shown(service, asks, run, language_of(request)))


@router.get("/runs/{run}/watched")
def run_part(request: Request, run: str, asks: _Reader, service: Served) -> Response:
    """The same as a part of another page."""
    return render(request, "_watched.html", asks, **_shown(service, asks, run, language_of(request)))


@router.get("/runs/{run}/live")
def run_stream(
    request: Request, run: str, asks: _Reader, service: Served, last: LastEventId = None
) -> StreamingResponse:
    """The part of the page that changes, sent anew whenever something happened; `over` when it ended."""
    with service.store.reading() as session:
        runs.find(session, asks, run)

    lang = language_of(request)

    def look(after: int) -> Looked:
        with service.store.reading() as session:
            found = runs.find(session, asks, run)
            seq, over = found.last_seq, found.state in ENDED
        new = []
        if seq > after:
            part = fragment(request, "_run.html", asks, **_shown(service, asks, run, lang))
            new.append((seq, "", part.encode()))
        return new + ([(seq, "over", b"")] if over else []), over

    return event_stream(look, after=int(last or 0))


def _shown(service: Service, asks: Principal, code: str, lang: str) -> dict[str, Any]:
    with service.store.reading() as session:
        run = runs.find(session, asks, code)
        document, happened = told(session, run), runs.events(session, run, limit=_MOST_EVENTS)
        came = _came(service, asks, session, run)
    return {
        "run": document,
        "ended": run.state in ENDED,
        "chart": convergence(_solved(happened, lang)),
        "came": came,
        "leads": _leads(run, came),
        "audited": audited(run.kind, came.result, lang),
        "diagnosed": _diagnosed(service, asks, run, came, lang),
        "goal_named": lambda id_: goal_named(id_, lang),
        "why_not": why_not(came.result, lang) if run.kind == "panel.preview" else [],
    }


def _diagnosed(service: Service, asks: Principal, run: RunRecord, came: Came, lang: str) -> Diagnosed | None:
    if run.kind != "panel.diagnose" or not came.result:
        return None
    return diagnosed(service.store, asks.viewer(Right.PANELS_READ), came.result["diagnosis"], lang)


def _came(service: Service, asks: Principal, session: Any, run: RunRecord) -> Came:
    if run.account_id != asks.account_id:
        return Came()
    outcome = runs.outcome(session, asks, run, key=service.store.key)
    return Came(outcome.result, outcome.fault, outcome.files) if outcome else Came()


def _leads(run: RunRecord, came: Came) -> str | None:
    """Where the result is looked at, where it is a thing with a page of its own."""
    if run.kind in _PLACES:
        return f"{_PLACES[run.kind]}/{run.code}"
    if run.kind.startswith("cycle.") and came.result:
        cycle = came.result if run.kind == "cycle.compute" else came.result.get("cycle", {})
        return f"/reevaluation/{cycle['code']}" if "code" in cycle else None
    panel = (came.result or {}).get("panel")
    return f"/panels/{panel}" if panel and run.kind.startswith("panel.") else None


def _solved(happened: Sequence[Happened], lang: str) -> list[tuple[str, float, int, int | None]]:
    """Every incumbent as (goal, seconds since the run started, incumbent, bound)."""
    began = next((one.at for one in happened if one.kind == "started"), None)
    if began is None:
        return []
    return [
        (
            goal_named(str(one.data.get("goal") or ""), lang),
            (one.at - began).total_seconds(),
            int(one.data["incumbent"]),
            one.data.get("bound"),
        )
        for one in happened
        if one.kind == "incumbent" and one.data.get("incumbent") is not None
    ]
