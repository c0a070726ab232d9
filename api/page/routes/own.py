"""The own account: password, second factor, the browsers that are signed in, tokens for programs, where notices go."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.http.access import OwnSession, own_session
from api.http.routes import notice_addresses
from api.http.routes.sign_in import list_sessions, own_account
from api.http.routes.tokens import list_tokens
from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool.accounts import Right
from expert_pool.accounts.tokens import LONGEST_DAYS

router = pages()


@router.get("/own")
def own_page(
    request: Request, mine: Annotated[OwnSession, Depends(own_session)], service: Served
) -> Response:
    """What one may change about the own account; what is due stands first."""
    asks, answer = mine.principal, Response()
    due = asks.due
    whose, here = notice_addresses.own(asks), notice_addresses.Listing(service, answer)
    return render(
        request,
        "own.html",
        asks,
        account=own_account(mine, service),
        sessions=list_sessions(mine, service).items,
        due=due,
        tokens=[] if due else list_tokens(mine, service).items,
        scopes=[right for right in Right if asks.may(right) and right is not Right.OWN_ACCOUNT],
        most_days=LONGEST_DAYS,
        addresses=[] if due else notice_addresses.list_own_addresses(whose, here).items,
        addresses_etag=answer.headers.get("ETag", ""),
    )
