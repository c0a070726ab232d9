"""/metrics for Prometheus: for this machine, or for whoever sends the token of the settings."""

from __future__ import annotations

import hmac
import ipaddress

from fastapi import APIRouter, FastAPI, Request, Response

from api.http.metrics import CONTENT_TYPE
from api.http.service import Served
from solver.errors import Fault

router = APIRouter(include_in_schema=False)

_FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded")


@router.get("/metrics")
def metrics(request: Request, service: Served) -> Response:
    """What the service counts. Whoever may not know gets the answer of a page that does not exist."""
    if not _may(request, service.settings.metrics_token.get_secret_value()):
        raise Fault("http.no_route", "/metrics")
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)


def _may(request: Request, token: str) -> bool:
    """With a token set, whoever sends it; else this machine, unless a proxy on it speaks for somebody else."""
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode("utf-8"), f"Bearer {token}".encode())
    if any(name in request.headers for name in _FORWARDED) or request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def install(app: FastAPI) -> None:
    """Beside the API, not in it."""
    app.include_router(router)
