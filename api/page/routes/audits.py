"""The audit desk: a roster that somebody else made, judged by a policy, with findings and their basis."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from starlette.responses import Response

from api.http.accepting import told
from api.http.access import allowed
from api.http.problems import language_of
from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool import clock, runs
from expert_pool.accounts import Principal, Right
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import preset, presets
from expert_pool.registry import Committee
from expert_pool.viewer import visible

router = pages()
LEVELS = ("senior", "mid", "junior")
_LINES = 10


@router.get("/audits")
def audits_page(
    request: Request, asks: Annotated[Principal, Depends(allowed(Right.PROBLEMS_SOLVE))], service: Served
) -> Response:
    """A file and a policy; earlier audits of one's own."""
    lang = language_of(request)
    committees: list[tuple[str, str]] = []
    with service.store.reading() as session:
        if asks.may(Right.EXPERTS_READ):
            wanted = select(Committee.code, Committee.name).where(
                *visible(asks.viewer(Right.EXPERTS_READ), Committee)
            )
            committees = [(code, name) for code, name in session.execute(wanted.order_by(Committee.code))]
        found = runs.list_runs(session, asks, own=True, kind="roster.audit", limit=_LINES)
        earlier = [told(session, run) for run in found]
    return render(
        request,
        "audits.html",
        asks,
        policies=[(name, preset(name).title[lang]) for name in presets()],
        usual=DEFAULT_POLICY,
        levels=LEVELS,
        committees=committees,
        earlier=earlier,
        day_shown=clock.today(),
    )
