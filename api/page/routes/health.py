"""Pool health: asked for in the background, then a map of specialties by sectors, pyramids, forecast and trend."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy import select
from starlette.responses import Response

from api.http.accepting import told
from api.http.access import allowed
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.pool_map import mapped, pyramid
from api.page.rendering import render
from expert_pool import runs
from expert_pool.accounts import Principal, Right
from expert_pool.reevaluation.health.document import Health
from expert_pool.registry import Pool, RunState, Specialty
from expert_pool.runs.turning import ENDED
from expert_pool.viewer import visible
from solver.errors import Fault

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Text = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
KIND = "pool.health"
_LINES = 20


@router.get("/pool-health")
def health_page(request: Request, asks: _Reader, service: Served) -> Response:
    """The pools there are, each with a button, and the pictures made before."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with service.store.reading() as session:
        wanted = select(Pool.code, Pool.name).where(*visible(viewer, Pool)).order_by(Pool.code)
        pools = session.execute(wanted).all()
        found = runs.list_runs(session, asks, own=True, kind=KIND, limit=_LINES)
        lines = [told(session, run) for run in found]
    return render(request, "health.html", asks, pools=pools, lines=lines)


@router.get("/pool-health/runs/{run}")
def health_of_run_page(
    request: Request, run: str, asks: _Reader, service: Served, level: _Text = None, region: _Text = None
) -> Response:
    """A pool's picture; while it is made, how far it is."""
    with service.store.reading() as session:
        found = runs.find(session, asks, run)
        if found.kind != KIND:
            raise Fault("page.nowhere", request.url.path)
        line = told(session, found)
        came = runs.outcome(session, asks, found, key=service.store.key) if found.state in ENDED else None
    if came is None or came.result is None:
        failed = came.fault if came else None
        stopped = found.state is RunState.CANCELLED
        return render(
            request,
            "health_waiting.html",
            asks,
            run=line,
            failed=failed,
            stopped=stopped,
            ended=came is not None,
        )
    health = Health.model_validate(came.result)
    with service.store.reading() as session:
        codes = {cell.specialty for cell in health.cells}
        rows = session.execute(select(Specialty.code, Specialty.name).where(Specialty.code.in_(codes)))
        named = {code: name for code, name in rows}  # noqa: C416
    return render(
        request,
        "health_of_pool.html",
        asks,
        run=line,
        health=health,
        map=mapped(health, level, region, named),
        region=region,
        ages=pyramid(health.ages),
        terms=pyramid(health.terms),
        most_left=max((year.members for year in health.forecast), default=0) or 1,
    )
