"""The registry of experts: finding them as one types, and one with everything on record and the standing on any day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request
from orjson import loads
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.problems import language_of, sentence
from api.http.routes.experts import expert, page
from api.http.routes.standings import expert_standing
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.records import codes_named, fields, kind
from api.page.rendering import render
from api.page.time_line import time_line
from expert_pool import clock, dossier
from expert_pool.accounts import Principal, Right
from expert_pool.called import called
from expert_pool.ending import USUAL_DAYS, What, that_end
from expert_pool.registry import Sector
from solver.errors import Fault

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Text = Annotated[Annotated[str, Field(max_length=100)] | None, Given]
_LINES = 50


@router.get("/experts")
def experts_page(
    request: Request,
    asks: _Reader,
    service: Served,
    q: _Text = None,
    employer: _Text = None,
    specialty: _Text = None,
    sector: Annotated[Sector | None, Given] = None,
    cursor: Cursor = None,
) -> Response:
    """Experts by what is typed: a name, the beginning of a code, an employer, a specialty, a sector."""
    wanted: dict[str, Any] = {"q": q, "employer": employer, "specialty": specialty, "sector": sector}
    given = {name: value for name, value in wanted.items() if value}
    found = loads(page(service, asks, **given, limit=_LINES, cursor=cursor).body)
    part = "hx-request" in request.headers
    template = "_experts.html" if part else "experts.html"
    return render(request, template, asks, page=found, wanted=wanted, sectors=list(Sector))


@router.get("/experts-ending")
def ending_page(
    request: Request,
    asks: _Reader,
    service: Served,
    what: What = What.TERMS,
    days: Annotated[Annotated[int, Field(ge=1, le=3_650)] | None, Given] = None,
    since: Annotated[date | None, Given] = None,
    row: Annotated[Annotated[int, Field(ge=0)] | None, Given] = None,
) -> Response:
    """Whose term or training ends in so many days, by day; `since` and `row` say where the page before ended."""
    viewer, ahead = asks.viewer(Right.EXPERTS_READ), days or USUAL_DAYS
    after = None if since is None or row is None else (since, row)
    with service.store.reading() as session:
        found = that_end(session, viewer, what, clock.today(), ahead, after=after, limit=_LINES + 1)
    shown = found[:_LINES]
    return render(
        request,
        "ending.html",
        asks,
        what=what,
        whats=list(What),
        days=ahead,
        found=shown,
        last=shown[-1] if len(found) > _LINES else None,
    )


@router.get("/experts/{code}")
def expert_page(
    request: Request,
    code: str,
    asks: _Reader,
    service: Served,
    on: Annotated[date | None, Given] = None,
    committee: _Text = None,
) -> Response:
    """One expert: who, how they stand with a committee on a day and why, and everything on record."""
    viewer, lang = asks.viewer(Right.EXPERTS_READ), language_of(request)
    day = on or clock.today()
    who = loads(expert(service, asks, code=code).body)
    with service.store.reading() as session:
        records = dossier.entries(session, viewer, code)
        committees = dossier.committees_for(session, viewer, code)
        names = called(session, viewer, codes_named(records), clock.today())
    chosen = committee or (committees[0][0] if committees else None)
    judged, fault = None, None
    try:
        standing = expert_standing(service, asks, lang=lang, code=code, on=day, committee=chosen)
        judged = loads(standing.body)
    except Fault as found:  # e.g. no committee draws on the expert's pools: the rest of the page stands
        fault = sentence(found, lang)
    return render(
        request,
        "expert.html",
        asks,
        who=who,
        kind=kind,
        fields=lambda one, lang: fields(one, lang, names, own=code),
        day_shown=day,
        committees=committees,
        committee=chosen,
        judged=judged,
        fault=fault,
        records=list(reversed(records)),
        line=time_line(records, clock.today(), lang),
        current={(one.table, one.id) for one in dossier.current(records, day)},
    )
