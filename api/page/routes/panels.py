"""Panels on record: the list, one with everybody in it, its whole story, and two side by side."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.problems import language_of
from api.http.routes.panels import list_panels
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render
from api.page.seats import shown_panel, told_of
from expert_pool import clock
from expert_pool.accounts import Principal, Right
from expert_pool.called import called
from expert_pool.documents import contents
from expert_pool.opened import compare_panels
from expert_pool.policies.load import preset, presets
from expert_pool.recorded import find_panel
from expert_pool.registry import PanelState

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.PANELS_READ))]
_LINES = 50


@router.get("/panels")
def panels_page(
    request: Request,
    asks: _Reader,
    service: Served,
    state: Annotated[PanelState | None, Given] = None,
    season: Annotated[Annotated[int, Field(ge=1900, le=2999)] | None, Given] = None,
    cursor: Cursor = None,
) -> Response:
    """The panels on record, the newest first."""
    page = list_panels(asks, service, season=season, state=state, limit=_LINES, cursor=cursor)
    committees = {line.committee for line in page.items}
    with service.store.reading() as session:
        names = called(session, asks.viewer(Right.PANELS_READ), {"committees": committees}, clock.today())
    return render(
        request,
        "panels.html",
        asks,
        page=page,
        state=state,
        season=season,
        states=list(PanelState),
        names=names,
        titles={name: preset(name).title[language_of(request)] for name in presets()},
    )


@router.get("/panels/{panel}")
def panel_page(
    request: Request,
    panel: str,
    asks: _Reader,
    service: Served,
    compare: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """One panel: who sits where and why, how the rules stand, who covers which case, and who waits. `compare` leads to it
    beside another, the earlier one first."""
    viewer = asks.viewer(Right.PANELS_READ)
    if compare:
        with service.store.reading() as session:
            pair = sorted((panel, compare), key=lambda code: find_panel(session, viewer, code).id)
        was, now = (quote(code, safe="") for code in pair)
        return RedirectResponse(f"/panels/{was}/differences/{now}", 303)
    found = shown_panel(service.store, viewer, panel, language_of(request))
    others = [
        line
        for line in list_panels(asks, service, meeting=found.meeting, limit=_LINES, cursor=None).items
        if line.code != panel and not line.sealed and line.open_on is not None
    ]
    return render(
        request,
        "panel.html",
        asks,
        **found.parts,
        siblings=others,
        summary=contents.summary(found.view),
        gates=contents.gate_rows(found.view),
        diagnosable=found.panel.answer.status == "infeasible",
        etag=f'"{found.panel.version}"',
    )


@router.get("/panels/{panel}/story")
def story_page(request: Request, panel: str, asks: _Reader, service: Served) -> Response:
    """A panel's whole story, for a projector or on paper: who was eligible, why these, what was decided and by whom."""
    viewer = asks.viewer(Right.PANELS_READ)
    found = shown_panel(service.store, viewer, panel, language_of(request))
    return render(
        request,
        "story.html",
        asks,
        **found.parts,
        gates=contents.gate_rows(found.view),
        goals=contents.goals(found.view),
        settled=contents.status(found.view),
        considered=contents.considered(found.view),
        told=told_of(service.store, viewer, panel),
    )


@router.get("/panels/{panel}/differences/{other}")
def compare_page(request: Request, panel: str, other: str, asks: _Reader, service: Served) -> Response:
    """Two open panels side by side."""
    viewer, lang = asks.viewer(Right.PANELS_READ), language_of(request)
    found = compare_panels(service.store, viewer, panel, other)
    was, now = (shown_panel(service.store, viewer, code, lang) for code in (panel, other))
    return render(request, "panel_differences.html", asks, diff=found, was=was, now=now)
