"""What stands around the application: limits, headers, the log line, metrics and the span of every request.

Plain ASGI, so that streams stay streams. `guard` is one of the layers of `api.http.app`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_network
from math import ceil
from time import perf_counter
from typing import Any, cast

from fastapi import FastAPI
from opentelemetry import propagate
from opentelemetry.trace import SpanKind
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.http import problems
from api.http.exchange import Exchange
from api.http.limits import Bucket, Remembered
from api.http.metrics import Metrics
from api.logs import log
from api.settings import Settings
from api.tracing import failed, span
from solver.errors import Fault

PROBES = ("/healthz", "/readyz", "/metrics")
SIGN_IN = "/api/v1/sessions"
SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""What every answer carries where its route says nothing else (OWASP REST security cheat sheet)."""
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""ASVS 3.4.1 asks for subdomains too: put the service on a name of its own."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = 100
_GONE = 499
"""What stands for an answer to somebody who had left."""
_ID = re.compile(rb"[A-Za-z0-9-]{8,64}")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass
class Traffic:
    """What is under way in one application; `app.state.traffic`."""

    under_way: int = 0
    streams: set[Exchange] = field(default_factory=set)
    stopping: bool = False

    def stop(self) -> None:
        """No new work is wanted; streams of events end now. Call it in the loop that serves."""
        self.stopping = True
        for stream in list(self.streams):
            stream.scope_of_work.cancel()


def guard(app: FastAPI) -> None:
    """Put the guard around everything else of `app`; its settings are those of `app.state.service`."""
    settings: Settings = app.state.service.settings
    app.state.traffic = Traffic()
    app.state.metrics = Metrics(app.state.service.store)
    within = app.build_middleware_stack

    def build() -> ASGIApp:
        stack: Any = Guard(within(), app, settings)
        if settings.proxies:
            stack = ProxyHeadersMiddleware(stack, list(settings.proxies))
        return cast(ASGIApp, stack)

    app.build_middleware_stack = build  # type: ignore[method-assign]


class Guard:
    """The outermost layer but for believed proxies."""

    def __init__(self, inner: ASGIApp, app: FastAPI, settings: Settings) -> None:
        self._inner, self._settings = inner, settings
        self._traffic: Traffic = app.state.traffic
        self._metrics: Metrics = app.state.metrics
        self._key = app.state.service.store.key
        self._accounts: Remembered[Bucket] = Remembered()
        self._credentials: Remembered[Bucket] = Remembered()
        self._addresses: Remembered[Bucket] = Remembered()
        self._sign_ins: Remembered[Bucket] = Remembered()
        self._names: Remembered[str] = Remembered()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        began = perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        headers = _Headers(scope)
        state["request_id"] = request_id = self._request_id(scope, headers)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        exchange = Exchange(
            scope,
            receive,
            send,
            settings=self._settings,
            most_bytes=self._most_bytes(headers),
            headers=[
                *SECURITY,
                *([HSTS] if scope.get("scheme") == "https" else []),
                (b"x-request-id", request_id.encode("ascii")),
            ],
            problem=lambda fault, sent: problems.problem(Request(scope), fault, headers=sent),
            streaming=self._streaming,
        )
        self._traffic.under_way += 1
        self._metrics.under_way.inc()
        error: Exception | None = None
        try:
            traced = headers.text(b"traceparent")
            parent = propagate.extract({"traceparent": traced}) if traced else None
            with span(method, SpanKind.SERVER, context=parent, http_request_method=method) as made:
                error = await self._answer(scope, headers, exchange)
                route = template(scope)
                made.update_name(f"{method} {route}")
                made.set_attribute("http.route", route)
                made.set_attribute("http.response.status_code", exchange.status)
                made.set_attribute("expert_pool.request_id", request_id)
                if exchange.status >= 500:
                    failed(made, type(error).__qualname__ if error else str(exchange.status))
        finally:
            self._traffic.under_way -= 1
            self._traffic.streams.discard(exchange)
            self._metrics.under_way.dec()
            self._metrics.streams.set(len(self._traffic.streams))
            self._tell(scope, method, exchange, perf_counter() - began, error)

    async def _answer(self, scope: Scope, headers: _Headers, exchange: Exchange) -> Exception | None:
        """Have the request answered by the application, or by the limit it hits; the error nobody foresaw, if any."""
        error: Exception | None = None
        client = network((scope.get("client") or ("", 0))[0])
        credential = hash((headers.raw(b"authorization"), headers.raw(b"cookie")))
        known = self._credentials.get(credential)
        with exchange.scope_of_work:
            refusal = self._refusal(scope, headers, exchange, client, known)
            if refusal is not None:
                fault, sent = refusal
                await exchange.refuse(fault, close=fault.code != "http.too_many", headers=sent)
            else:
                try:
                    await self._inner(scope, exchange.receive, exchange.send)
                except Exception as raised:  # what it was goes to the log, never to the caller
                    error = raised
                    fault = Fault("http.unforeseen", id=scope["state"]["request_id"])
                    await exchange.refuse(fault)
        await exchange.finish()
        principal = scope["state"].get("principal")
        if exchange.status == 401:
            self._credentials.drop(credential)
        elif principal is not None and known is None and headers.names_somebody:
            self._credentials.put(credential, self._bucket_of(principal.account_id))
        return error

    def _refusal(
        self, scope: Scope, headers: _Headers, exchange: Exchange, client: str, known: Bucket | None
    ) -> tuple[Fault, dict[str, str]] | None:
        if headers.size > self._settings.header_bytes or headers.count > _HEADERS:
            return Fault("http.head_too_large", bytes=self._settings.header_bytes, count=_HEADERS), {}
        if not self._is_ours(headers):
            return Fault("http.host"), {}
        if scope["path"] in PROBES:
            return None
        if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
            return Fault("http.nul"), {}  # no name holds it, and PostgreSQL takes no text with it
        if self._traffic.under_way > self._settings.concurrent:
            return Fault("http.crowded"), {"Retry-After": "1"}
        asked = self._settings
        if scope["path"] == SIGN_IN and scope["method"] == "POST":
            bucket = self._sign_ins.of(client, lambda: Bucket(asked.sign_in_rate, asked.sign_in_burst))
        else:
            bucket = known or self._addresses.of(
                client, lambda: Bucket(asked.address_rate, asked.address_burst)
            )
        if wait := bucket.take():
            return Fault("http.too_many"), {"Retry-After": str(ceil(wait))}
        if headers.length > exchange.most_bytes:
            return Fault("http.too_large", bytes=exchange.most_bytes), {}
        return None

    def _most_bytes(self, headers: _Headers) -> int:
        if headers.names_somebody:
            return self._settings.body_bytes
        return min(self._settings.anonymous_body_bytes, self._settings.body_bytes)

    def _is_ours(self, headers: _Headers) -> bool:
        """Whether the Host header is a name, and one this service answers to."""
        found = _HOST.fullmatch(headers.text(b"host"))
        if found is None:
            return False
        name, hosts = found["name"].lower(), self._settings.hosts
        return any(
            allowed == "*"
            or name == allowed.lower()
            or (allowed[:2] == "*." and name.endswith(allowed[1:].lower()))
            for allowed in hosts
        )

    def _request_id(self, scope: Scope, headers: _Headers) -> str:
        """A fresh id; that of a believed proxy where it is one."""
        given = headers.raw(b"x-request-id")
        if self._settings.proxies and _ID.fullmatch(given):
            return given.decode("ascii")
        return secrets.token_hex(8)

    def _streaming(self, exchange: Exchange) -> None:
        self._traffic.streams.add(exchange)
        self._metrics.streams.set(len(self._traffic.streams))
        if self._traffic.stopping:
            exchange.scope_of_work.cancel()

    def _tell(
        self, scope: Scope, method: str, exchange: Exchange, seconds: float, error: Exception | None
    ) -> None:
        """The line in the log. A path may hold what somebody typed, so its template stands for it."""
        route, state = template(scope), scope["state"]
        status = exchange.status or _GONE
        self._metrics.ended(method, route, status, seconds, stream=exchange.stream)
        principal = state.get("principal")
        fields: dict[str, Any] = {
            "request": state["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "account": self._account(principal.actor) if principal is not None else None,
        }
        if error is not None:
            log().error("request", **fields, error=error)
        else:
            log().info("request", **fields)

    def _account(self, name: str) -> str:
        """The stand-in for an account's name: the same for the same account, and nothing to be read from it."""
        return self._names.of(name, lambda: self._key.mark(f"account {name}")[:12])

    def _bucket_of(self, account_id: int) -> Bucket:
        asked = self._settings
        return self._accounts.of(account_id, lambda: Bucket(asked.account_rate, asked.account_burst))


def template(scope: Scope) -> str:
    """The template of the route that was found, `unmatched` where none was."""
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    found = getattr(route, "path_format", None) or getattr(route, "path", None)
    if found:
        return str(found)
    plain = "endpoint" in scope and not scope.get("path_params")  # a route whose path has nothing to fill in
    return str(scope["path"]) if plain else "unmatched"


def network(address: str) -> str:
    """Whose limit an address counts against: itself, or for IPv6 the /64 that one customer has."""
    if ":" not in address:
        return address
    try:
        return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address


class _Headers:
    """The headers of one request, read once."""

    def __init__(self, scope: Scope) -> None:
        self._first: dict[bytes, bytes] = {}
        self.size = self.count = 0
        for name, value in scope["headers"]:
            self.size += len(name) + len(value)
            self.count += 1
            self._first.setdefault(name, value)
        length = self._first.get(b"content-length", b"0")
        self.length = int(length) if length.isdigit() else 0
        self.names_somebody = b"authorization" in self._first or b"cookie" in self._first

    def raw(self, name: bytes) -> bytes:
        return self._first.get(name, b"")

    def text(self, name: bytes) -> str:
        return self.raw(name).decode("latin-1")
