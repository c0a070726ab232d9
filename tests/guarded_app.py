"""The service with routes that people type into and that go wrong in every way, for what stands around all routes."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Annotated, Any

from fastapi import Body, Path, Query, Request
from fastapi.responses import StreamingResponse
from patience import PATIENCE
from pydantic import BaseModel

from api.http.app import create_app
from api.http.service import Service
from api.settings import Settings
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.registry import Organiser
from expert_pool.store import Store
from solver.errors import Fault

NAME, IDENTITY, PHONE = "欧阳震华", "440301199001011234", "13800138000"
"""What people type, and no log, metric or span may hold."""


class Person(BaseModel):
    name: str
    identity: int


class Idle:
    """A job engine that does nothing."""

    def submit(self, run: str, queue: str) -> None: ...
    def cancel(self, run: str) -> None: ...
    def close(self) -> None: ...


def application(store: Store, **given: Any) -> Any:
    """The service with routes that people type into, and that go wrong in every way. `/api/v1/slow` answers once the event
    `app.state.go` is set."""
    app = create_app(Service(store, Idle(), Settings(database=store.url, **given)))

    @app.get("/api/v1/people/{name}")
    def person(name: Annotated[str, Path(max_length=20)], q: Annotated[int, Query()] = 0) -> str:
        return name

    @app.post("/api/v1/people")
    def add(sent: Annotated[Person, Body()]) -> int:
        return len(sent.name)

    @app.post("/api/v1/sessions")
    def sign_in() -> None:
        raise Fault("access.unknown")

    @app.get("/api/v1/broken/{name}")
    def broken(name: str) -> None:
        with store.session() as session:
            session.add(Organiser(code="HR", name=name))
            session.flush()
            session.add(Organiser(code="HR", name=name))
            session.flush()

    @app.get("/api/v1/raises/{name}")
    def raises(name: str) -> None:
        logging.getLogger("somebody.else").warning("saw %s and %s", name, PHONE)
        try:
            raise KeyError(name)
        except KeyError as error:
            raise ValueError(f"{name} is nobody") from error

    @app.get("/api/v1/mine")
    def mine(request: Request) -> str:
        if request.headers.get("authorization") != "Bearer good":
            raise Fault("access.unknown")
        request.state.principal = Principal(7, "li.ming", (Grant(Role.AUDITOR, None, None),))
        return "mine"

    app.state.go = threading.Event()

    @app.get("/api/v1/slow")
    def slow() -> str:
        assert app.state.go.wait(PATIENCE)
        return "done"

    @app.get("/api/v1/stream")
    async def stream() -> StreamingResponse:
        async def events() -> Any:
            yield b"id: 1\ndata: {}\n\n"
            await asyncio.sleep(30)

        return StreamingResponse(events(), media_type="text/event-stream")

    return app
