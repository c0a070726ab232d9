"""The desk: what waits for whoever signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from api.http.accepting import told
from api.http.access import allowed
from api.http.cycle_shapes import CycleDocument
from api.http.problems import language_of
from api.http.routes.cycles import list_cycles
from api.http.service import Served, Service
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool import clock, runs
from expert_pool.accounts import Principal, Right
from expert_pool.desk import latest_meetings, meetings_ahead, meetings_by_month
from expert_pool.ending import COUNTED, USUAL_DAYS, What, how_many_end
from expert_pool.notices import inbox
from expert_pool.registry import CycleState, Notice

router = pages()
_LINES = 8


@router.get("/")
def desk(
    request: Request, asks: Annotated[Principal, Depends(allowed(Right.OWN_ACCOUNT))], service: Served
) -> Response:
    """Meetings ahead, background work, notices: each where the caller may read it."""
    asks.require_nothing_due()
    today, lang = clock.today(), language_of(request)
    shown: dict[str, Any] = {"ahead": None, "latest": None, "months": None, "working": None}
    shown |= {"cycles": None, "ending": None}
    with service.store.reading() as session:
        if asks.may(Right.PANELS_READ):
            viewer = asks.viewer(Right.PANELS_READ)
            shown["ahead"] = meetings_ahead(session, viewer, today)
            shown["latest"] = latest_meetings(session, viewer, today, limit=_LINES)
            shown["months"] = meetings_by_month(session, viewer, today.year)
        if asks.may(Right.RUNS_READ):
            found = runs.list_runs(session, asks, own=True, limit=_LINES)
            shown["working"] = [told(session, run) for run in found]
        if asks.may(Right.EXPERTS_READ):
            viewer = asks.viewer(Right.EXPERTS_READ)
            shown["ending"] = {what: how_many_end(session, viewer, what, today) for what in What}
        unread = inbox.own_notices(asks.account_id, asks.expert_id).where(Notice.read_at.is_(None))
        rows = session.execute(unread.order_by(Notice.id.desc()).limit(_LINES)).all()
        notices = [inbox.shown(service.store.key, notice, office, lang) for notice, office in rows]
    if asks.may(Right.CYCLES_PREPARE) or asks.may(Right.CYCLES_DECIDE):
        shown["cycles"] = _open_cycles(asks, service)
    return render(request, "desk.html", asks, notices=notices, days=USUAL_DAYS, counted=COUNTED, **shown)


def _open_cycles(asks: Principal, service: Service) -> list[CycleDocument]:
    """Re-evaluations that somebody has yet to end."""
    found = list_cycles(asks, service, pool=None, state=None, limit=_LINES).items
    return [one for one in found if one.state not in (CycleState.CLOSED, CycleState.DROPPED)]
