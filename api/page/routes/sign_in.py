"""Signing in: a form that the browser sends to the API."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render

router = pages()


@router.get("/sign-in")
def sign_in_page(request: Request, service: Served) -> Response:
    """The form."""
    return render(request, "sign_in.html", oidc=bool(service.settings.oidc_issuer))
