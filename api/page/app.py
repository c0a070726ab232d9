"""The page as a layer of the application: its routes, its static files, and what an unknown address says to a browser."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request
from starlette.datastructures import Headers
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
    "whatif_panels",
    "reevaluation",
    "health",
)
"""The modules of `api.page.routes`, each with its `router`."""


class Assets(StaticFiles):
    """Static files whose address changes with their content: kept by browsers for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or what Starlette answers where there is none."""
        response = await super().get_response(path, scope)
        if response.status_code != 200:
            return response
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        if "gzip" not in Headers(scope=scope).get("accept-encoding", "") or not path.endswith(_TEXTS):
            return response
        full, stat = await to_thread.run_sync(self.lookup_path, path)
        assert stat is not None
        content = await to_thread.run_sync(_compressed, full, stat.st_mtime_ns)
        headers = {
            name: response.headers[name] for name in ("Cache-Control", "Vary", "ETag", "Last-Modified")
        }
        return Response(content, 200, {**headers, "Content-Encoding": "gzip"}, response.media_type)


_TEXTS = (".css", ".js", ".mjs", ".svg", ".json")


@lru_cache(64)
def _compressed(path: str, changed: int) -> bytes:
    """A file as it is sent, made once. Pages themselves are not compressed: they hold secrets beside what was asked, and
    their length would tell of both (BREACH, 2013)."""
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)


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
