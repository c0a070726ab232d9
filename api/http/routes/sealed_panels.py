"""Panels before their seal opens. Whoever may open seals does so here, and each look is an entry in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.http import panel_shapes as shapes
from api.http.accepting import Runs
from api.http.access import allowed
from api.http.files import FILE, Purposed
from api.http.routes.panels import ETAG, PanelCode, PaperName, change, changing, sheet_of
from api.http.service import Served
from api.http.versions import IfMatch
from api.jobs.work.asks import InviteAsk, ReplaceAsk
from expert_pool import panels
from expert_pool.accounts.rights import Principal, Right
from expert_pool.opened import open_panel, people_of
from expert_pool.privacy.papers import unsealed

router = APIRouter(prefix="/sealed-panels", tags=["sealed panels"])

Opener = Annotated[Principal, Depends(allowed(Right.PANELS_UNSEAL))]


@router.post("/{panel}/looks", response_model=shapes.PanelOpened, responses={200: ETAG})
def look_at_sealed_panel(
    panel: PanelCode, asks: Opener, service: Served, response: Response
) -> shapes.PanelOpened:
    """Who sits in a panel, and how its invitations stand."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    opened = open_panel(service.store, viewer, panel)
    found = panels.show(service.store, replace(viewer, opens_seals=False), panel)  # the look is told already
    response.headers["ETag"] = f'"{found.version}"'
    return shapes.opened(found, opened, people_of(service.store, viewer, opened))


@router.post("/{panel}/documents/{name}", response_class=Response, responses=FILE)
def print_sealed_panel(
    panel: PanelCode, name: PaperName, sent: Purposed, asks: Opener, service: Served
) -> Response:
    """One paper of a panel with the names in it, and a watermark; look and export are told on the ledger."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    return sheet_of(service.store, viewer, unsealed(service.store, viewer, panel), name, sent.purpose)


@router.post("/{panel}/replacements", **changing(shapes.PanelRenewed))
def replace_sealed_members(
    panel: PanelCode,
    sent: ReplaceAsk,
    asks: Opener,
    runs: Runs,
    if_match: IfMatch = None,
) -> Response:
    """Replace members before the seal opens. The result names nobody: look at the new panel."""
    work = change("panel.replace", sent, asks.viewer(Right.PANELS_UNSEAL), panel, if_match)
    return runs.take(asks, work)


@router.post("/{panel}/invitations", **changing(shapes.PanelRenewed))
def invite_sealed_members(
    panel: PanelCode,
    sent: InviteAsk,
    asks: Opener,
    runs: Runs,
    if_match: IfMatch = None,
) -> Response:
    """The next step of a panel's invitations before its seal opens. The result names nobody: look at the panel."""
    work = change("panel.invite", sent, asks.viewer(Right.PANELS_UNSEAL), panel, if_match)
    return runs.take(asks, work)
