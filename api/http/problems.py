"""What went wrong, as a problem document (RFC 9457): a stable code, a sentence in the caller's language, a status."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Mapping
from typing import Any, Literal

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from expert_pool.words import because, entries, languages, placeholders, say
from solver.errors import Fault, reason

LANGUAGE = "ep_language"
"""The cookie that keeps the language chosen by a click on a page."""
MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("expert_pool.http")

STATUS: Mapping[str, int] = {
    "access.unknown": 401,
    "access.denied": 403,
    "viewer.not_yours": 403,
    "access.sign_in_failed": 401,
    "access.second_factor": 401,
    "access.password_expired": 401,
    "access.oidc_state": 401,
    "access.oidc_refused": 401,
    "access.invitation_bad": 401,
    "access.not_linked": 401,
    "access.csrf": 403,
    "access.password_due": 403,
    "access.second_factor_due": 403,
    "access.password_wrong": 403,
    "access.oidc_off": 404,
    "access.oidc_unreachable": 503,
    "access.duties_joined": 409,
    "access.wait": 429,
    "account.own": 403,
    "account.name_taken": 409,
    "account.granted_already": 409,
    "account.last_administrator": 409,
    "second_factor.already": 409,
    "token.too_many": 409,
    "version.needed": 428,
    "version.stale": 412,
    "once.under_way": 409,
    "once.other_request": 422,
    "once.malformed": 422,
    "entering.exists": 409,
    "import.changed": 409,
    "import.not_yours": 403,
    "entering.known_already": 409,
    "entering.reference_unknown": 422,
    "import.collided": 409,
    "import.too_large": 413,
    "panels.approved_already": 409,
    "panels.changed_meanwhile": 409,
    "runs.not_yours": 403,
    "runs.cancelled": 409,
    "runs.not_ended": 409,
    "panels.seals_closed": 403,
    "panels.shares_closed": 403,
    "record.already_corrected": 409,
    "record.ban_revoked": 409,
    "privacy.held": 409,
    "privacy.same_person": 409,
    "privacy.erasure_open": 409,
    "privacy.erasure_decided": 409,
    "privacy.erased_already": 409,
    "seal.opened_already": 409,
    "cycle.taken": 409,
    "cycle.open_already": 409,
    "cycle.ended": 409,
    "cycle.not_computed": 409,
    "cycle.told_already": 409,
    "cycle.not_notified": 409,
    "cycle.decided_already": 409,
    "cycle.not_decided": 409,
    "cycle.same_person": 409,
    "cycle.second_person_missing": 409,
    "cycle.reply_time_runs": 409,
    "cycle.reply_late": 409,
    "cycle.cases_left": 409,
    "cycle.appeal_time_runs": 409,
    "cycle.letter_early": 409,
    "cycle.decided_before": 409,
    "cycle.not_executed": 409,
    "cycle.not_appealed": 409,
    "cycle.appealed_already": 409,
    "cycle.appeal_late": 409,
    "scenario.unknown": 404,
    "scenario.point_unknown": 404,
    "simulation.complete": 409,
    "simulation.nothing_yet": 409,
    "simulation.under_way": 409,
    "organisations.open": 409,
    "organisations.closed": 409,
    "organisations.same_person": 409,
    "organisations.reply_time_runs": 409,
    "organisations.reply_late": 409,
    "organisations.no_reply_due": 409,
    "key.rotated": 503,
    "http.malformed": 400,
    "http.nul": 400,
    "http.no_route": 404,
    "page.nowhere": 404,
    "page.address": 404,
    "http.method": 405,
    "http.too_large": 413,
    "http.slow": 408,
    "http.host": 400,
    "http.head_too_large": 431,
    "http.crowded": 503,
    "http.took_too_long": 504,
    "http.too_many": 429,
    "store.busy": 503,
    "store.unusable": 503,
    "key.cannot_open": 500,
}
"""The status of a code, where its name does not tell."""

NOT_THERE = frozenset(
    {
        "facts.committee_unknown",
        "import.sheet_unknown",
        "panels.committee_unknown",
        "panels.meeting_unknown",
        "panels.panel_unknown",
        "policy.unknown",
        "relations.agenda_unknown",
        "relations.party_unknown",
        "standing.committee_unknown",
        "standing.expert_unknown",
    }
)
"""Codes of the registry's questions that say: there is no such thing. Every other `..._unknown` of a document that was
sent is a fault of that document (422); codes of the service's own rooms are 404 by their name."""

_DOCUMENTS = (
    "policy.",
    "problem.",
    "panel.",
    "explain.",
    "replace.",
    "audit.",
    "import.",
    "claim.",
    "cli.",
    "scenario.",
    "sweep.",
)
_PRIVATE = ("store.", "key.")
"""Faults whose place and parameters name files and hosts: those stay inside. With neither, they say what they say."""
_RETRY_SECONDS = 1


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/standing.expert_unknown",
                    "title": "没有找到",
                    "status": 404,
                    "detail": "没有编号为 E999 的专家。请核对编号。",
                    "code": "standing.expert_unknown",
                    "where": "E999",
                    "params": {},
                    "language": "zh",
                }
            ]
        },
    )

    type: str = Field(description="A URI reference that names the kind of problem: `/problems/<code>`.")
    title: str = Field(description="The kind of answer in words, the same for one status.")
    status: int
    detail: str = Field(description="What is wrong, where, and how to mend it, in `language`.")
    code: str = Field(description="A stable name for programs.")
    where: str = Field(description="The place: a field, a row, a code; may be empty.")
    params: dict[str, Any] = Field(description="What the sentence was made of, for sentences of one's own.")
    language: Literal["zh", "en"]


def status_of(code: str) -> int:
    """The HTTP status of a fault's code."""
    if code in STATUS:
        return STATUS[code]
    if code in NOT_THERE:
        return 404
    if code.endswith(("_unknown", ".unknown")) and not code.startswith(_DOCUMENTS):
        return 404
    if code.endswith(".too_large"):
        return 413
    return 422


def language_of(request: Request) -> str:
    """The language to answer in: `?lang=`, the one chosen on a page by a click, the account's, Accept-Language, else the
    first there is."""
    spoken = languages()
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE)):
        if chosen in spoken:
            return str(chosen)
    principal = getattr(request.state, "principal", None)
    if principal is not None and principal.language in spoken:
        return str(principal.language)
    for part in request.headers.get("accept-language", "").split(","):
        word = part.partition(";")[0].strip()[:2].lower()
        if word in spoken:
            return word
    return spoken[0]


def problem(request: Request, fault: Fault, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells of a fault, in the caller's language."""
    return _answer(fault, status_of(fault.code), language_of(request), headers)


def _answer(fault: Fault, status: int, lang: str, headers: Mapping[str, str] | None = None) -> Response:
    where, params = ("", {}) if _private(fault) else (fault.where, fault.params)
    document = {
        "type": f"/problems/{fault.code}",
        "title": say(f"http.title.{status}", lang),
        "status": status,
        "detail": sentence(fault, lang),
        "code": fault.code,
        "where": where,
        "params": params,
        "language": lang,
    }
    sent = dict(headers or {})
    if status in (429, 503):
        sent.setdefault("Retry-After", str(fault.params.get("seconds", _RETRY_SECONDS)))
    if status == 401:
        sent.setdefault("WWW-Authenticate", "Bearer")
    body = orjson.dumps(document, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, {"Cache-Control": "no-store", "Content-Language": lang, **sent}, MEDIA_TYPE)


def sentence(fault: Fault, lang: str) -> str:
    """What a fault says to a caller, on one line; of faults that name files or hosts, only that there is one."""
    if _private(fault):
        return say("http.unavailable", lang)
    params = {name: value for name, value in fault.params.items() if name not in ("lang", "code")}
    said = say(fault.code, lang, **{"where": fault.where, **params})
    names_place = "where" in placeholders(entries(lang).get(fault.code, ""))
    text = said if names_place or not fault.where else say("http.at", lang, message=said, where=fault.where)
    return " ".join(text.split())


def _private(fault: Fault) -> bool:
    return fault.code.startswith(_PRIVATE) and bool(fault.where or fault.params)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str) if not isinstance(value, tuple) else list(value)
    return str(value)


def install(app: FastAPI) -> None:
    """Answer every fault, refusal and unforeseen error of `app` with a problem document."""
    app.add_exception_handler(Fault, _faulted)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(Unforeseen)


async def _faulted(request: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)
    return problem(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    """A body, query or header that is not what the route takes: every place with its reason, values left out."""
    assert isinstance(error, RequestValidationError)
    lang = language_of(request)
    found = [
        {
            "where": ".".join(map(str, each["loc"])),
            "kind": each["type"],
            "reason": because(reason(each), lang),
        }
        for each in error.errors()
    ]
    if found and found[0]["kind"] == "json_invalid":
        return _answer(Fault("http.malformed", found[0]["where"]), 400, lang)
    first = found[0] if found else {"where": "", "reason": ""}
    fault = Fault("http.invalid", first["where"], reason=first["reason"], count=len(found), errors=found[:50])
    return _answer(fault, 422, lang)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {
        404: "http.no_route",
        405: "http.method",
        408: "http.slow",
        413: "http.too_large",
        429: "http.too_many",
    }
    code = codes.get(error.status_code, "http.malformed")
    fault = Fault(code, request.url.path if code in ("http.no_route", "http.method") else "")
    return _answer(fault, STATUS[code], language_of(request), error.headers)


def _way(error: BaseException) -> str:
    """Where in the code an error came from, outermost first: files, lines and functions, no values and no texts."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)


class Unforeseen:
    """The outermost layer: an error nobody foresaw becomes a 500 with an id; the log has the id and the place in the
    code, never the error's text, which may hold what people entered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            number = secrets.token_hex(6)
            log.error("unforeseen error %s: %s at %s", number, type(error).__name__, _way(error))
            if begun:  # the answer is under way: closing the connection is all that can be told
                raise
            request = Request(scope)
            answer = _answer(Fault("http.unforeseen", id=number), 500, language_of(request))
            await answer(scope, receive, send)
