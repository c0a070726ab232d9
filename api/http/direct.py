"""The short way for the questions asked most: an expert, where one stands, a page of the list.

The framework takes a millisecond to find a route, its parameters and its right; the answer itself takes less. A question
put plainly by somebody known is answered here by the same functions as its route uses. All else goes the framework's way:
parameters that need decoding or checking, callers not asked for within the last second, and whatever does not end in an
answer, so that every refusal is said in one place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.access import kept_principal
from api.http.paging import MOST
from api.http.problems import language_of
from api.http.routes import experts, standings
from api.http.service import Service
from api.http.versions import Written
from expert_pool.accounts.rights import Right
from expert_pool.glances import is_near

_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
"""What means itself, in a path and in a query."""
_LONGEST = 2000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Read = Callable[[str], Any]
"""Makes a parameter of its text. Raises ValueError for one that the framework should look at."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that may be put plainly: its path, the parameters it may have, and what answers it. `short`: put with
    these only it looks at a few rows, which takes less time than handing it to a thread; `spoken`: it is answered in a
    language."""

    template: str
    answer: Callable[..., Written]
    parameters: Mapping[str, Read]
    short: frozenset[str]
    spoken: bool = False
    right: Right = Right.EXPERTS_READ


def install(app: FastAPI) -> None:
    """Put the short way in front of everything but the guard."""
    within = app.build_middleware_stack

    def build() -> ASGIApp:
        return Direct(within(), app)

    app.build_middleware_stack = build  # type: ignore[method-assign]


class Direct:
    """Answers plain questions; leaves everything else to `inner`."""

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        self._inner, self._app = inner, app
        self._service: Service = app.state.service
        self._near = is_near(self._service.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        written = None
        if scope["type"] == "http" and scope["method"] == "GET":
            scope["app"] = self._app
            written = await self._answer(scope)
        if written is None:
            await self._inner(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(written.body))]
        if written.etag is not None:
            headers.append((b"etag", written.etag.encode("ascii")))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": written.body})

    async def _answer(self, scope: Scope) -> Written | None:
        found = _question(scope["path"])
        if found is None:
            return None
        question, given = found
        parameters = _parameters(scope["query_string"], question.parameters)
        request = Request(scope)
        principal = kept_principal(request)
        if parameters is None or principal is None or not principal.may(question.right):
            return None
        parameters |= given
        if question.spoken:
            parameters["lang"] = language_of(request)
        try:
            if self._near and question.short >= parameters.keys():
                written = question.answer(self._service, principal, **parameters)
            else:
                written = await run_in_threadpool(question.answer, self._service, principal, **parameters)
        except Exception:  # the framework's way finds it again, and says it
            return None
        scope["route"] = SimpleNamespace(path=question.template)
        return written


def _question(path: str) -> tuple[Question, dict[str, str]] | None:
    if not path.startswith(_ROOT):
        return None
    rest = path[len(_ROOT) :]
    if not rest:
        return _LIST, {}
    _, code, *more = rest.split("/")
    if rest[0] != "/" or not _PLAIN.fullmatch(code) or len(code) > 64:
        return None
    if not more:
        return _EXPERT, {"code": code}
    return (_STANDING, {"code": code}) if more == ["standing"] else None


def _parameters(query: bytes, known: Mapping[str, Read]) -> dict[str, Any] | None:
    """The parameters of a plain query; None for any other."""
    found: dict[str, Any] = {}
    if not query:
        return found
    try:
        for part in query.decode("ascii").split("&"):
            name, said, value = part.partition("=")
            if name not in known or name in found or not said or not _PLAIN.fullmatch(value):
                return None
            found[name] = known[name](value)
    except ValueError:
        return None
    return found


def _text(most: int) -> Read:
    def read(value: str) -> str:
        if len(value) > most:
            raise ValueError(value)
        return value

    return read


def _one_of(names: Sequence[str]) -> Read:
    def read(value: str) -> str:
        if value not in names:
            raise ValueError(value)
        return value

    return read


def _limit(value: str) -> int:
    if not value.isdecimal() or not 1 <= (number := int(value)) <= MOST:
        raise ValueError(value)
    return number


def _day(value: str) -> date:
    if not _DAY.fullmatch(value):
        raise ValueError(value)
    return date.fromisoformat(value)


_ROOT = "/api/v1/experts"
_EXPERT = Question(f"{_ROOT}/{{code}}", experts.expert, {}, short=frozenset({"code"}))
_STANDING = Question(
    f"{_ROOT}/{{code}}/standing",
    standings.expert_standing,
    {"on": _day, "committee": _text(64), "policy": _text(64)},
    short=frozenset({"code", "on", "committee", "policy", "lang"}),
    spoken=True,
)
_LIST = Question(
    _ROOT,
    experts.page,
    {
        "q": _text(100),
        "name": _text(100),
        "region": _text(100),
        "pool": _text(129),
        "employer": _text(129),
        "sort": _one_of(tuple(experts.ORDERS)),
        "limit": _limit,
        "cursor": _text(_LONGEST),
    },
    short=frozenset({"sort", "limit", "cursor", "pool", "region"}),
)
