"""The ledger for whoever audits: entries as they were written, and whether all of it holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.routes.ledger import get_ledger_heads, list_ledger_entries
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool.accounts import Principal, Right

router = pages()
_Text = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
_Day = Annotated[date | None, Given]
_LINES = 100


@router.get("/ledger")
def ledger_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.LEDGER_READ))],
    service: Served,
    organiser: _Text = None,
    actor: _Text = None,
    action: _Text = None,
    subject: _Text = None,
    since: _Day = None,
    until: _Day = None,
    cursor: Cursor = None,
) -> Response:
    """Entries, the newest first, and the heads of the chains with their anchor."""
    wanted: dict[str, Any] = {
        "organiser": organiser,
        "actor": actor,
        "action": action,
        "subject": subject,
        "since": since,
        "until": until,
    }
    given = {name: value for name, value in wanted.items() if value}
    page = list_ledger_entries(asks, service, **given, limit=_LINES, cursor=cursor)
    return render(
        request, "ledger.html", asks, page=page, heads=get_ledger_heads(asks, service), wanted=wanted
    )
