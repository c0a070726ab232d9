"""Signing in at the identity provider: the way there, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.http import problems
from api.http.cookies import give_session, lasts, named, put_cookie
from api.http.oidc import CALLBACK, LASTS_SECONDS, Provider
from api.http.service import Served, Service
from api.page import answering
from expert_pool.accounts import linking
from solver.errors import Fault

router = APIRouter(tags=["sign-in"])

_OIDC = "ep_oidc"
_COME_BACK = (
    '<!doctype html><meta charset="utf-8"><title>expert-pool</title>'
    '<meta http-equiv="refresh" content="0;url=/"><a href="/">expert-pool</a>'
)
"""Leads on to the desk. A redirect would still be the provider's request, to which no browser adds a strict cookie."""


@router.get("/sign-in/oidc", status_code=303, response_class=RedirectResponse)
def leave_for_provider(
    request: Request,
    service: Served,
    invitation: Annotated[
        str | None, Query(max_length=64, description="An administrator's invitation.")
    ] = None,
) -> Response:
    """Go and sign in at the identity provider."""
    try:
        url, kept = _provider(request, service).leave(invitation)
    except Fault as fault:
        return _told(request, fault)
    response: Response = RedirectResponse(url, 303)
    put_cookie(
        request,
        response,
        service,
        named(request, service, _OIDC),
        kept,
        seconds=LASTS_SECONDS,
        path=CALLBACK,
        site="lax",
    )
    return response


@router.get("/sign-in/oidc/callback", response_class=HTMLResponse)
def back_from_provider(
    request: Request,
    service: Served,
    state: Annotated[str, Query(max_length=512)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    iss: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """Where the identity provider sends the browser back to: begins a session for a linked account."""
    kept = request.cookies.get(named(request, service, _OIDC))
    try:
        who = _provider(request, service).back(kept, state, code, iss)
        begun = linking.sign_in_linked(service.store, who.issuer, who.subject, who.invitation, lasts(service))
    except Fault as fault:
        return _told(request, fault)
    response = HTMLResponse(_COME_BACK)
    give_session(request, response, service, begun.token)
    put_cookie(
        request, response, service, named(request, service, _OIDC), "", seconds=0, path=CALLBACK, site="lax"
    )
    return response


def _told(request: Request, fault: Fault) -> Response:
    """What went wrong on the way to the provider or back: a page for a person's browser, else a problem document."""
    asks_for_page = "text/html" in request.headers.get("accept", "")
    return answering.told(request, fault) if asks_for_page else problems.problem(request, fault)


def _provider(request: Request, service: Service) -> Provider:
    state = request.app.state
    if not hasattr(state, "oidc_provider"):
        state.oidc_provider = Provider(service.settings, service.store.key)
    provider: Provider = state.oidc_provider
    return provider
