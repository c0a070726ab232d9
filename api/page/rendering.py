"""How a page is made: a template, the words of one language, and what every page shows around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.http.problems import LANGUAGE, language_of
from api.http.service import Service
from api.page import vendor
from api.page.controls import in_words
from api.page.navigation import places
from expert_pool import clock
from expert_pool.accounts import Principal, sessions
from expert_pool.words import cited, languages, say, term
from expert_pool.words.sentence import UNKNOWN, written_date

STATIC = Path(__file__).parent / "static"
_YEAR = 365 * 86_400

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
}
"""Of every page. Styles may stand in the page (charts have them); scripts come from our own files only."""


def render(
    request: Request,
    template: str,
    /,
    asks: Principal | None = None,
    *,
    status: int = 200,
    **shown: Any,
) -> HTMLResponse:
    """A page, or a part of one where the template is a part (`_name.html`).

    `asks` is who sees it: it decides what the navigation offers. `shown` goes to the template.
    """
    response = HTMLResponse(fragment(request, template, asks, **shown), status, headers=dict(HEADERS))
    lang = language_of(request)
    response.headers["Content-Language"] = lang
    if request.query_params.get("lang") == lang:
        response.set_cookie(LANGUAGE, lang, max_age=_YEAR, samesite="lax", httponly=True)
    return response


def fragment(request: Request, template: str, /, asks: Principal | None = None, **shown: Any) -> str:
    """The text of a template for one reader."""
    lang = language_of(request)
    token: str | None = getattr(request.state, "session_token", None)
    service: Service = request.app.state.service
    around = {
        "lang": lang,
        "others": [other for other in languages() if other != lang],
        "t": lambda code, /, **params: say(f"page.{code}", lang, **params),
        "said": lambda code, /, **params: say(code, lang, **params),
        "term": lambda kind, value: term(kind, value, lang),
        "cited": lambda basis: cited(basis, lang),
        "day": lambda value: written_day(value, lang),
        "moment": lambda value: written_moment(value, lang),
        "path": request.url.path,
        "here": lambda **changes: _here(request, changes),
        "asks": asks,
        "may": (lambda right: asks.may(right)) if asks else (lambda right: False),
        "csrf": sessions.csrf(service.store.key, token) if token else "",
        "places": places(asks),
        "today": clock.today(),
    }
    return environment().get_template(template).render(around | shown)


@cache
def environment() -> Environment:
    """The templates, with everything escaped."""
    made = Environment(
        loader=PackageLoader("api.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset
    made.globals["unknown"] = UNKNOWN
    made.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    made.globals["in_words"] = in_words
    made.filters["number"] = lambda value: UNKNOWN if value is None else f"{value:,}"
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers keep it for good."""
    return f"/static/{name}?{vendor.sha256(STATIC / name)[:12]}"


def written_day(value: date | str | None, lang: str) -> str:
    """A day as the language writes it; a dash where there is none."""
    if value is None or value == "":
        return UNKNOWN
    return written_date(value if isinstance(value, str) else value.isoformat()[:10], lang)


def written_moment(value: datetime | str | None, lang: str) -> str:
    """A moment to the minute, in the time of the place where the service runs."""
    if value is None:
        return UNKNOWN
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = at.astimezone()
    return f"{written_day(local.date(), lang)} {local:%H:%M}"


def _here(request: Request, changes: Mapping[str, Any]) -> str:
    """The address of this page with some of its query changed; None takes a part away."""
    query: dict[str, Any] = {**request.query_params, **changes}
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{request.url.path}?{urlencode(kept)}" if kept else request.url.path
