"""Who asks, and whether they may: the dependency every route names its right with.

A request brings an API token (`Authorization: Bearer ep_...`) or the cookie of a session; with the cookie, whatever is
not a plain question must also bring the session's X-CSRF-Token. One statement tells who it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from api.http.limits import Remembered
from api.http.service import Service, service_of
from api.settings import Settings
from expert_pool import accounts, clock
from expert_pool.accounts import Principal, Right, Signed, sessions
from expert_pool.accounts.credentials import TOKEN_PREFIX, hashed
from expert_pool.accounts.principals import epoch
from solver.errors import Fault

OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("POST", "/api/v1/sessions"),
        ("GET", "/api/v1/sign-in"),
        ("GET", "/api/v1/sign-in/oidc"),
        ("GET", "/api/v1/sign-in/oidc/callback"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/sign-in"),
        ("GET", "/static"),
    }
)
"""Routes that ask nobody who they are: signing in, the probes, the description. (/metrics judges by address or its own
token.)"""

CSRF_HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
KEPT_SECONDS = 1.0
"""How long a principal is kept in this process. What this process changes about accounts counts at once; what another
one changes, after this second at the latest."""


def allowed(right: Right) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that gives the principal of the request.

    Raises Fault `access.unknown` (401: nobody signed in), `access.csrf`, `access.denied`, `access.password_due`,
    `access.second_factor_due` (403). `dependency.right` tells the access matrix which right a route asks for.
    """

    async def principal(request: Request) -> Principal:
        found = await principal_of(request)
        if found is None:
            raise Fault("access.unknown")
        found.require(right)
        return found

    principal.right = right  # type: ignore[attr-defined]
    return principal


async def principal_of(request: Request) -> Principal | None:
    """Who asks, or nobody. Raises Fault `access.csrf`."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    service = await service_of(request)
    token, cookie = credential(request, service.settings)
    if token is None:
        return None
    signed = _kept(request.app).get(token, cookie)
    if signed is None:
        signed = await run_in_threadpool(_look_up, service, token, cookie)
        if signed is None:
            return None
        _kept(request.app).put(token, cookie, signed)
    if cookie and request.method not in SAFE:
        said = request.headers.get(CSRF_HEADER)
        if not sessions.csrf_holds(service.store.key, token, said):
            raise Fault("access.csrf", CSRF_HEADER)
    return _asked_by(request, signed, token if cookie else None)


def kept_principal(request: Request) -> Principal | None:
    """Who asks a plain question, where this process looked it up within the last second."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    service: Service = request.app.state.service
    token, cookie = credential(request, service.settings)
    signed = None if token is None else _kept(request.app).get(token, cookie)
    return None if signed is None else _asked_by(request, signed, token if cookie else None)


def _asked_by(request: Request, signed: Signed, session_token: str | None) -> Principal:
    request.state.principal = signed.principal
    request.state.signed = signed
    request.state.session_token = session_token
    return signed.principal


def credential(request: Request, settings: Settings) -> tuple[str | None, bool]:
    """The token a request brings, and whether it is a session's. A bearer token goes before the cookie."""
    said = request.headers.get("authorization")
    if said is not None:
        scheme, _, token = said.partition(" ")
        token = token.strip()
        good = scheme.lower() == "bearer" and token.startswith(TOKEN_PREFIX)
        return (token if good else None), False
    return request.cookies.get(cookie_name(request, settings)), True


def secure(request: Request, settings: Settings) -> bool:
    """Whether the browser talks to us over TLS, as far as we or a proxy we trust can tell."""
    return request.url.scheme == "https" or settings.public_url.startswith("https:")


def cookie_name(request: Request, settings: Settings) -> str:
    """The session cookie's name. Over TLS its prefix binds it to this very host (RFC 6265bis, 4.1.3)."""
    return "__Host-ep_session" if secure(request, settings) else "ep_session"


class OwnSession:
    """The session that a request came with; only sessions reach `own.account`."""

    def __init__(self, request: Request, principal: Principal) -> None:
        signed: Signed | None = getattr(request.state, "signed", None)
        token: str | None = getattr(request.state, "session_token", None)
        if signed is None or token is None:
            raise Fault("access.unknown")
        self.principal, self.id, self.token = principal, signed.id, token


async def own_session(
    request: Request, asks: Annotated[Principal, Depends(allowed(Right.OWN_ACCOUNT))]
) -> OwnSession:
    """The dependency of routes about the own account. Raises Fault as `allowed`."""
    return OwnSession(request, asks)


def _look_up(service: Service, token: str, cookie: bool) -> Signed | None:
    settings = service.settings
    idle = timedelta(minutes=settings.session_idle_minutes)
    with service.store.reading() as session:
        if not cookie:
            return accounts.by_token(session, token)
        needed = settings.second_factor == "required"
        signed = accounts.by_session(session, token, idle=idle, second_factor=needed)
    if signed is not None and signed.seen_at is not None:
        sessions.seen(service.store, signed.id, signed.seen_at)
    return signed


class _Kept:
    """The principals of the last second, by the hash of their token; dropped when this process changes an account."""

    def __init__(self) -> None:
        self._kept: Remembered[tuple[float, int, Signed]] = Remembered()

    def get(self, token: str, cookie: bool) -> Signed | None:
        found = self._kept.get((cookie, hashed(token)))
        if found is None or found[1] != epoch():
            return None
        age = clock.now().timestamp() - found[0]
        return found[2] if 0 <= age <= KEPT_SECONDS else None

    def put(self, token: str, cookie: bool, signed: Signed) -> None:
        self._kept.put((cookie, hashed(token)), (clock.now().timestamp(), epoch(), signed))


def _kept(app: Any) -> _Kept:
    state = cast(FastAPI, app).state
    if not hasattr(state, "kept_principals"):
        state.kept_principals = _Kept()
    return cast(_Kept, state.kept_principals)
