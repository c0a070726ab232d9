"""The expert's own page: everything on record about them, how they stand and why, what is proposed, and the right of reply."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of
from api.http.routes import own_cycles
from api.http.routes import own_record as mine
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.records import labelled, sheet_name
from api.page.rendering import render
from api.page.time_line import time_line
from expert_pool import clock
from expert_pool.accounts import Principal, Right
from expert_pool.registry import RelationKind
from expert_pool.words import term

router = pages()
_Day = Annotated[Annotated[date, Field(ge=date(1950, 1, 1), le=date(2200, 1, 1))] | None, Given]


@router.get("/record")
def own_record_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.OWN_RECORD))],
    service: Served,
    on: _Day = None,
) -> Response:
    """The own record, standing on a day, cases of re-evaluation, who looked, and what one may declare."""
    lang = language_of(request)
    record = mine.get_own_record(asks, service)
    shown = sorted(record.records, key=lambda one: (one.holds_on, one.id), reverse=True)
    return render(
        request,
        "own_record.html",
        asks,
        record=record,
        records=shown,
        kind=lambda table: sheet_name(table, lang),
        fields=lambda one: labelled(one.table, one.fields, lang),
        standings=mine.list_own_standings(asks, service, request, on).items,
        day_shown=on or clock.today(),
        cases=own_cycles.list_own_cases(asks, service, request).items,
        looks=mine.list_own_looks(asks, service)["items"],
        relations=[(str(one), term("kind", one, lang)) for one in RelationKind],
        line=time_line(shown, clock.today(), lang),
    )
