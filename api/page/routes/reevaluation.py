"""Re-evaluation: cycles and their steps, cases with what lies behind them and the words of two people; schemes compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import Field
from sqlalchemy import select
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.problems import language_of
from api.http.routes.cycle_cases import list_cycle_cases, show_cycle_case
from api.http.routes.cycles import list_cycles, show_cycle
from api.http.routes.schemes import SchemesNamed, compare_schemes, list_schemes
from api.http.routes.schemes import show_scheme as told_scheme
from api.http.service import Served
from api.http.versions import etag_of
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.records import sheet_name
from api.page.rendering import render
from expert_pool.accounts import Principal, Right
from expert_pool.reevaluation.reason_words import otherwise_words
from expert_pool.reevaluation.scheme import LASTING, MEASURES, Measure, schemes
from expert_pool.registry import CaseState, CycleState, Pool
from expert_pool.viewer import visible
from expert_pool.words import term
from expert_pool.words.sentence import written_date

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_PolicyReader = Annotated[Principal, Depends(allowed(Right.POLICIES_READ))]
_Text = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
_LINES = 100
_CASES = 50


@router.get("/reevaluation")
def cycles_page(
    request: Request,
    asks: _Reader,
    service: Served,
    pool: _Text = None,
    state: Annotated[CycleState | None, Given] = None,
) -> Response:
    """The cycles there are, and a form for another."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with service.store.reading() as session:
        wanted = select(Pool.code, Pool.name).where(*visible(viewer, Pool)).order_by(Pool.code)
        pools = session.execute(wanted).all()
    return render(
        request,
        "reevaluation.html",
        asks,
        cycles=list_cycles(asks, service, pool=pool, state=state, limit=_LINES).items,
        pools=pools,
        pool=pool,
        state=state,
        states=list(CycleState),
        schemes=list_schemes(asks).items,
    )


@router.get("/reevaluation/{cycle}")
def cycle_page(request: Request, cycle: str, asks: _Reader, service: Served) -> Response:
    """A cycle: how many are proposed what, how far the cases are, and its steps."""
    found = show_cycle(cycle, asks, service, Response())
    counts = {measure: found.counts.get(str(measure), 0) for measure in MEASURES}
    return render(
        request,
        "cycle.html",
        asks,
        cycle=found,
        etag=etag_of(found),
        counts={measure: count for measure, count in counts.items() if count},
        most=max(counts.values(), default=0) or 1,
        cases={state: found.cases.get(str(state), 0) for state in CaseState},
        over=found.state in (CycleState.CLOSED, CycleState.DROPPED),
    )


@router.get("/reevaluation/{cycle}/cases")
def cases_page(
    request: Request,
    cycle: str,
    asks: _Reader,
    service: Served,
    state: Annotated[CaseState | None, Given] = None,
    measure: Annotated[Measure | None, Given] = None,
    cursor: Cursor = None,
) -> Response:
    """The cases of a cycle, by state and proposal."""
    given: dict[str, Any] = {"state": state, "measure": measure}
    page = list_cycle_cases(cycle, asks, service, request, **given, limit=_CASES, cursor=cursor)
    return render(
        request,
        "cases.html",
        asks,
        cycle=show_cycle(cycle, asks, service, Response()),
        page=page,
        states=list(CaseState),
        measures=MEASURES,
        **given,
    )


@router.get("/reevaluation/{cycle}/cases/{expert}")
def case_page(request: Request, cycle: str, expert: str, asks: _Reader, service: Served) -> Response:
    """One case: what is proposed and why, what was said, what was decided, what is to be done."""
    answer, lang = Response(), language_of(request)
    found = show_cycle_case(cycle, expert, asks, service, request, answer)
    waiting = next((one for one in reversed(found.decisions) if one.answered_at is None), None)
    return render(
        request,
        "case.html",
        asks,
        case=found,
        etag=answer.headers["ETag"],
        waiting=waiting,
        figures=lambda reason: _figures(reason.figures, lang),
        otherwise=lambda reason: otherwise_words(reason.code, reason.otherwise, lang).lstrip("；; "),
        sheet=lambda table: sheet_name(table, lang),
        measures=MEASURES,
        lasting=LASTING,
        over=show_cycle(cycle, asks, service, Response()).state in (CycleState.CLOSED, CycleState.DROPPED),
    )


def _figures(figures: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What a reason found, in words; a condition is said whole by its sentence."""
    return {
        term("figure", name, lang): term("measure", value, lang)
        if name in ("measure", "proposal")
        else written_date(value, lang)
        for name, value in figures.items()
        if "fact" not in figures
    }


@router.get("/schemes")
def schemes_page(request: Request, asks: _PolicyReader) -> Response:
    """The schemes there are."""
    return render(request, "schemes.html", asks, schemes=list_schemes(asks).items)


@router.get("/schemes/comparison")
def schemes_compared_page(
    request: Request,
    asks: _PolicyReader,
    first: Annotated[str | None, Query(max_length=200)] = None,
    second: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Two schemes: what they say differently."""
    names = schemes()
    one, other = first or names[0], second or names[-1]
    found = compare_schemes(SchemesNamed(first=one, second=other), asks)
    return render(request, "schemes_compared.html", asks, found=found, names=names, first=one, second=other)


@router.get("/schemes/{scheme}")
def scheme_page(request: Request, scheme: str, asks: _PolicyReader) -> Response:
    """A scheme: what it counts, what it proposes, on what basis."""
    return render(request, "scheme.html", asks, scheme=told_scheme(scheme, asks))
