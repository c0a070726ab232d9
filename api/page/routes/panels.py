"""Panels: those on record, asking for one, and one with everybody in it, its rules and its cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.routes.panels import list_panels
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import language_of, render
from expert_pool import clock
from expert_pool.accounts import Principal, Right
from expert_pool.desk import meeting_named, meetings_ahead
from expert_pool.documents import contents
from expert_pool.documents.charts import SECTORS, UNKNOWN_SECTOR
from expert_pool.documents.contents import MemberRow
from expert_pool.documents.view import View
from expert_pool.opened import open_panel
from expert_pool.panels import DEFAULT_POLICY, show
from expert_pool.policies.load import preset, presets
from expert_pool.registry import PanelState
from solver.errors import Fault

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
    return render(
        request, "panels.html", asks, page=page, state=state, season=season, states=list(PanelState)
    )


@router.get("/panels/new")
def new_panel_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))],
    service: Served,
    meeting: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Asking for the panel of a meeting: which meeting, under which policy."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    with service.store.reading() as session:
        chosen = meeting_named(session, viewer, meeting) if meeting else None
        if meeting and chosen is None:
            raise Fault("panels.meeting_unknown", meeting)
        ahead = [] if chosen else meetings_ahead(session, viewer, clock.today())
    lang = language_of(request)
    policies = [(name, preset(name).title[lang]) for name in presets()]
    return render(
        request,
        "panel_new.html",
        asks,
        meeting=chosen,
        ahead=ahead,
        policies=policies,
        usual=DEFAULT_POLICY,
    )


@router.get("/panels/{panel}")
def panel_page(request: Request, panel: str, asks: _Reader, service: Served) -> Response:
    """One panel: who sits where and why, how the rules stand, the cases, and who waits."""
    viewer = asks.viewer(Right.PANELS_READ)
    shown = show(service.store, viewer, panel)
    problem = None if shown.sealed else open_panel(service.store, viewer, panel).problem
    view = View(shown.answer, shown.names, language_of(request), problem)
    return render(
        request,
        "panel.html",
        asks,
        panel=shown,
        view=view,
        summary=contents.summary(view),
        banners=contents.banners(view),
        groups=_by_group(view, contents.member_rows(view), contents.alternate_rows(view)),
        rules=contents.rule_rows(view),
        cases=contents.case_rows(view),
        gates=contents.gate_rows(view),
        colours=SECTORS,
        unknown_sector=UNKNOWN_SECTOR,
        etag=f'"{shown.version}"',
    )


def _by_group(
    view: View, members: Sequence[MemberRow], alternates: Sequence[MemberRow]
) -> list[dict[str, Any]]:
    """Who sits and who waits in each group, in the order of the answer."""
    names = dict.fromkeys(row.group for row in (*members, *alternates))
    return [
        {
            "name": name,
            "members": [row for row in members if row.group == name],
            "alternates": [row for row in alternates if row.group == name],
        }
        for name in names
    ]
