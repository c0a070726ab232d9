"""The own account: password, second factor, the browsers that are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.http.access import OwnSession, own_session
from api.http.routes.sign_in import list_sessions, own_account
from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render

router = pages()


@router.get("/own")
def own_page(
    request: Request, mine: Annotated[OwnSession, Depends(own_session)], service: Served
) -> Response:
    """What one may change about the own account; what is due stands first."""
    return render(
        request,
        "own.html",
        mine.principal,
        account=own_account(mine, service),
        sessions=list_sessions(mine, service).items,
        due=mine.principal.due,
    )
