"""Administration: accounts with their roles, and what the service does at its time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy import select
from starlette.responses import Response

from api.http.accepting import told
from api.http.access import allowed
from api.http.paging import Cursor
from api.http.routes.accounts import list_account_tokens, list_accounts, list_roles, show_account
from api.http.routes.schedules import list_schedules
from api.http.service import Served, Service
from api.http.versions import etag_of
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool import runs
from expert_pool.accounts import Principal, Right
from expert_pool.accounts.rights import DELEGABLE, TIED
from expert_pool.registry import Committee, Organiser, RunState
from expert_pool.viewer import visible

router = pages()
_Administrator = Annotated[Principal, Depends(allowed(Right.ACCOUNTS_MANAGE))]
_Text = Annotated[Annotated[str, Field(max_length=100)] | None, Given]
_LINES = 50


@router.get("/administration")
def accounts_page(
    request: Request, asks: _Administrator, service: Served, search: _Text = None, cursor: Cursor = None
) -> Response:
    """The administrator's accounts, and a form for a new one."""
    found = list_accounts(asks, service, search=search or "", limit=_LINES, cursor=cursor)
    shown: dict[str, Any] = {"page": found, "search": search}
    if "hx-request" in request.headers:
        return render(request, "_accounts.html", asks, **shown)
    return render(request, "accounts.html", asks, organisers=_organisers(service, asks), **shown)


@router.get("/administration/accounts/{name}")
def account_page(request: Request, name: str, asks: _Administrator, service: Served) -> Response:
    """One account: what it may do and where, what it signs in with, and what can be done about it."""
    account = show_account(name, asks, service, Response())
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.reading() as session:
        committees = session.execute(
            select(Committee.code, Committee.name).where(*visible(viewer, Committee)).order_by(Committee.code)
        ).all()
    return render(
        request,
        "account.html",
        asks,
        account=account,
        etag=etag_of(account),
        tokens=list_account_tokens(name, asks, service).items,
        roles=list_roles(asks).items,
        tied=TIED,
        delegable=DELEGABLE,
        organisers=_organisers(service, asks),
        committees=committees,
        own=account.name == asks.actor,
    )


@router.get("/schedules")
def schedules_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.SERVICE_OPERATE))],
    service: Served,
    state: Annotated[RunState | None, Given] = None,
) -> Response:
    """What is done at its time, and everybody's background work."""
    with service.store.reading() as session:
        lines = [told(session, run) for run in runs.list_runs(session, asks, state=state, limit=_LINES)]
    return render(
        request,
        "schedules.html",
        asks,
        schedules=list_schedules(asks, service).items,
        lines=lines,
        state=state,
        states=list(RunState),
    )


def _organisers(service: Service, asks: Principal) -> list[tuple[str, str]]:
    """The organisers an administrator may give roles for: code and name."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    wanted = select(Organiser.code, Organiser.name).where(*visible(viewer, Organiser))
    with service.store.reading() as session:
        return [(code, name) for code, name in session.execute(wanted.order_by(Organiser.code))]
