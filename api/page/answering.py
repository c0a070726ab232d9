"""How the page answers: what it reads comes with the same rights as in the API, and faults become pages.

Nobody signed in: the sign-in page, which leads back. A password or a second factor that is due: the own account. Anything
else: a page that says what is wrong and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from starlette.responses import RedirectResponse, Response

from api.http import problems
from api.http.problems import language_of
from api.page.rendering import render
from expert_pool.words import say
from solver.errors import Fault

Given = BeforeValidator(lambda value: None if value == "" else value)
"""Of a query parameter: a field of a form that was left empty asks for nothing."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose faults are told as pages."""

    def get_route_handler(self) -> Handler:
        """The handler around that of FastAPI, so that faults of dependencies are told too."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except Fault as fault:
                return told(request, fault)
            except RequestValidationError:
                return told(request, Fault("page.address", request.url.path))

        return answered


def router() -> APIRouter:
    """A router for pages: not part of the API's description."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def told(request: Request, fault: Fault) -> Response:
    """The answer to a request that met a fault."""
    if fault.code == "access.unknown":
        if (
            "hx-request" in request.headers
        ):  # the page asks for the sign-in in place, so nothing typed is lost
            return Response(status_code=401)
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        there = "/sign-in" if back == "/" else f"/sign-in?then={quote(back, safe='')}"
        return RedirectResponse(there, 303)
    if fault.code in ("access.password_due", "access.second_factor_due"):
        return RedirectResponse("/own", 303)
    lang = language_of(request)
    sentence = problems.sentence(fault, lang)
    status = problems.status_of(fault.code)
    asks = getattr(request.state, "principal", None)
    title = say(f"http.title.{status}", lang)
    return render(request, "error.html", asks, status=status, title=title, sentence=sentence)
