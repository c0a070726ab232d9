"""Cookies of signing in: the session's, and those that only the way there needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from fastapi import Request
from starlette.responses import Response

from api.http.access import cookie_name, secure
from api.http.service import Service


def lasts(service: Service) -> timedelta:
    """How long a session lasts at most."""
    return timedelta(hours=service.settings.session_hours)


def named(request: Request, service: Service, name: str) -> str:
    """A cookie's name; over TLS with the prefix that keeps it to TLS (RFC 6265bis, 4.1.3)."""
    return f"__Secure-{name}" if secure(request, service.settings) else name


def put_cookie(
    request: Request,
    response: Response,
    service: Service,
    name: str,
    value: str,
    *,
    seconds: int,
    path: str = "/",
    site: Literal["strict", "lax"] = "strict",
) -> None:
    """Have the browser keep a cookie that no script reads, for so many seconds (0: forget it)."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=secure(request, service.settings),
        httponly=True,
        samesite=site,
    )


def give_session(request: Request, response: Response, service: Service, token: str) -> None:
    """Give the browser a session's token."""
    name = cookie_name(request, service.settings)
    put_cookie(request, response, service, name, token, seconds=int(lasts(service).total_seconds()))


def take_session(request: Request, response: Response, service: Service) -> None:
    """Have the browser forget the session, and what it kept of it."""
    put_cookie(request, response, service, cookie_name(request, service.settings), "", seconds=0)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
