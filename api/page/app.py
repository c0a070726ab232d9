"""The page as a layer of the application: its routes, its static files, and what an unknown address says to a browser."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.page.answering import told
from api.page.rendering import STATIC
from solver.errors import Fault

ROUTERS = (
    "sign_in",
    "desk",
    "builder",
    "panels",
    "by_hand",
    "runs",
    "experts",
    "tables",
    "ledger",
    "own",
    "administration",
    "organisers",
    "policies",
    "graphs",
    "together",
    "own_record",
    "audits",
    "looks",
    "whatif",
    "reevaluation",
    "health",
)
"""The modules of `api.page.routes`, each with its `router`."""


class Assets(StaticFiles):
    """Static files whose address changes with their content: kept by browsers for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or what Starlette answers where there is none."""
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def install(app: FastAPI) -> None:
    """Put the page under `/`, beside the API. Called after `api.http.problems.install`."""
    for name in ROUTERS:
        app.include_router(import_module(f"api.page.routes.{name}").router)
    app.mount("/static", Assets(directory=STATIC), name="static")
    refused: Any = app.exception_handlers[HTTPException]

    async def lost(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        browser = "text/html" in request.headers.get("accept", "")
        if error.status_code == 404 and browser and not request.url.path.startswith("/api/"):
            return told(request, Fault("page.nowhere", request.url.path))
        answer: Response = await refused(request, error)
        return answer

    app.add_exception_handler(HTTPException, lost)
