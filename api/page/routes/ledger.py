"""The ledger for whoever audits: entries as they were written, and whether all of it holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.problems import language_of
from api.http.routes.ledger import get_ledger_heads, list_ledger_entries
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.records import sheet_name
from api.page.rendering import render
from expert_pool.accounts import Principal, Right
from expert_pool.words.catalogue import FIRST, entries

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
    lang = language_of(request)
    return render(
        request,
        "ledger.html",
        asks,
        page=page,
        heads=get_ledger_heads(asks, service),
        wanted=wanted,
        actions=_actions(),
        sheet=lambda subject: _sheet(subject, lang),
    )


def _actions() -> list[str]:
    """What the ledger tells of, by code."""
    begins = "ledger_action."
    return sorted(code.removeprefix(begins) for code in entries(FIRST) if code.startswith(begins))


def _sheet(subject: str, lang: str) -> str:
    """What the table is called that a subject names, alone or with a row; nothing where it names none."""
    table = subject.partition("/")[0]
    said = sheet_name(table, lang)
    return "" if said == table else said
