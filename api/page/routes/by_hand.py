"""An open panel changed by hand under `compose`: every swap is judged at once, and nothing is kept until it is asked for.

The swaps stand in the address, so undo is a link and the way back. Under a drawn procedure only the lists of the second best
are shown, masked.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of
from api.http.routes.by_hand import look, tried
from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render
from api.page.seats import by_group, mask, shown_panel
from expert_pool.accounts import Principal, Right
from expert_pool.opened import people_of
from solver.explanation.standing import rungs
from solver.reasons import alternates_of, members_of

router = pages()
_Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]
_MOST = 12


@router.get("/panels/{panel}/by-hand")
def by_hand_page(
    request: Request,
    panel: str,
    asks: _Office,
    service: Served,
    swap: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006
    seat: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The panel after some swaps, what the checker says of it, and who could take one seat."""
    viewer, lang = asks.viewer(Right.PANELS_REQUEST), language_of(request)
    found = shown_panel(service.store, viewer, panel, lang)
    opened, view = found.opened(), found.view
    problem = opened.problem
    swaps = [(out, into) for out, _, into in (one.partition("~") for one in swap)]
    before = after = None
    gone: list[str] = []
    come: list[tuple[str, str]] = []
    if swaps:
        before, after = tried(opened, swaps)
        answer = view.answer.model_copy(
            update={
                "members": members_of(after.panel),
                "alternates": alternates_of(after.panel),
                "rules": after.rules,
            }
        )
        people = people_of(service.store, viewer, opened, [m.expert for m in answer.members])
        people |= people_of(service.store, viewer, opened, [a.expert for a in answer.alternates])
        names = {who: one.person for who, one in people.items()} | dict(view.people)
        sat, sits = {m.expert for m in view.answer.members}, {m.expert: m.group for m in answer.members}
        gone = sorted(sat - set(sits))
        come = sorted((who, group) for who, group in sits.items() if who not in sat)
        view = type(view)(answer, names, lang, problem)
    candidates, them = None, {}
    if seat:
        candidates = look(opened, seat, _MOST)
        them = people_of(
            service.store, viewer, opened, [problem.experts[one.expert] for one in candidates.found]
        )
    place = f"/panels/{panel}/by-hand"

    def there(**more: str) -> str:
        asked = [("swap", one) for one in swap] + list(more.items())
        return f"{place}?{urlencode(asked)}" if asked else place

    codes = dict(found.codes) | {who: one.code for who, one in them.items()}
    if swaps:
        codes |= {who: one.code for who, one in people.items()}
    masked = {who: mask(who, one.person) for who, one in them.items()}
    return render(
        request,
        "by_hand.html",
        asks,
        panel=found.panel,
        view=view,
        masked=found.masked,
        colours=found.parts["colours"],
        unknown_sector=found.parts["unknown_sector"],
        groups=by_group(view),
        swaps=swaps,
        before=before,
        after=after,
        codes={} if found.masked else codes,
        gone=gone,
        come=come,
        ladder=rungs(problem),
        seat=seat,
        candidates=candidates,
        them=masked if found.masked else {who: one.person for who, one in them.items()},
        problem=problem,
        there=there,
        undo=f"{place}?{urlencode([('swap', one) for one in swap[:-1]])}" if swap[:-1] else place,
        etag=f'"{found.panel.version}"',
    )
