"""The service and its workers."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face

if TYPE_CHECKING:
    from api.settings import Settings

_CONNECT_SECONDS = "10"
_SPARE = 5
"""Connections beyond one for each request that is worked on: for those that need two, and for what goes on beside them."""
_PATIENCE = 30.0
"""Seconds that a request waits for a lock in PostgreSQL; then it is told to come again, as on SQLite."""


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDRESS")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=0, max=64)] = None,
) -> Exit:
    """The API, its workers, and on the first start an administrator."""
    from contextlib import ExitStack

    from api.http.app import create_app
    from api.http.server import Server, address, bind
    from api.http.service import Service
    from api.jobs.durable import DurableEngine
    from api.jobs.supervisor import Supervisor, worker_command
    from api.tracing import trace_transactions
    from expert_pool.accounts import first_administrator
    from expert_pool.store import open_store

    face = Face.of(context)
    settings = _settings(face, host=host, port=port, workers=workers)
    with ExitStack() as held:
        listening = held.enter_context(bind(settings.host, settings.port))
        store = held.enter_context(
            open_store(settings.database, connections=settings.threads + _SPARE, patience=_PATIENCE)
        )
        trace_transactions(store.engine)
        told = _Greeting(face, address(listening), first_administrator(store))
        held.callback(told.say)  # the one-time password is shown even if nothing starts
        jobs = DurableEngine(store)
        held.callback(jobs.close)
        supervisor = Supervisor(
            worker_command(), settings.workers, database=store.url, grace=settings.grace_seconds
        )
        held.enter_context(supervisor)  # workers start while the application is made
        app = create_app(Service(store, jobs, settings))
        server = Server(app, settings, started=told.say, stopping=supervisor.ask_to_stop)
        server.run(sockets=[listening])
    if not face.json:
        face.answer(None, face.say("cli.serve.stopped"))
    return Exit.INTERRUPTED if server.asked == signal.SIGINT else Exit.OK


def worker(
    context: typer.Context,
    parent: Annotated[int | None, typer.Option("--parent", metavar="PID", hidden=True)] = None,
) -> Exit:
    """A process that carries background work."""
    from sqlalchemy import make_url

    from api.jobs.worker import worker_main

    face = Face.of(context)
    settings = _settings(face)
    face.store(upgrade=False).close()  # says what is wrong before anything is made

    def ready() -> None:
        if parent is None:
            place = make_url(settings.database).render_as_string(hide_password=True)
            face.answer({"database": place}, face.say("cli.worker.started", database=place))
            _flush()

    ended = worker_main(settings, parent=parent, ready=ready)
    if parent is None and not face.json:
        face.answer(None, face.say("cli.worker.stopped"))
    return Exit(ended) if ended in set(Exit) else Exit.FAULT


class _Greeting:
    """Where the service is and who may sign in first, said once."""

    def __init__(self, face: Face, url: str, first: tuple[str, str] | None) -> None:
        self._face, self._url, self._first, self._said = face, url, first, False

    def say(self) -> None:
        if self._said:
            return
        self._said = True
        name, password = self._first or (None, None)
        document = {
            "url": self._url,
            "api": f"{self._url}/api/v1",
            "first_administrator": {"name": name, "password": password} if self._first else None,
        }
        lines = [self._face.say("cli.serve.started", url=self._url)]
        if self._first:
            lines.append(self._face.say("cli.serve.first", name=name, password=password))
        self._face.answer(document, *lines)
        _flush()


def _settings(face: Face, **given: object) -> Settings:
    """The settings, and the log set up as they say."""
    from api import logs
    from api.settings import read_settings

    os.umask(0o077)  # what the service makes is its own
    os.environ.setdefault("PGCONNECT_TIMEOUT", _CONNECT_SECONDS)
    settings = read_settings(database=face.url(), **given)
    logs.configure(settings.log_level)
    return settings


def _flush() -> None:
    import sys

    sys.stdout.flush()
