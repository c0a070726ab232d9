"""The HTTP server: uvicorn, with a time limit for heads of requests and an end that lets everybody finish."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import anyio
import anyio.to_thread
import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.settings import Settings
from solver.errors import Fault


def bind(host: str, port: int) -> socket.socket:
    """A socket that holds the address, not yet listening; port 0 takes any free one.

    Raises Fault `serve.port_taken`, `serve.port_forbidden`, `serve.host_unknown`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise Fault("serve.host_unknown", host) from None
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen()  # a second process may bind the same port until one listens
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise Fault("serve.port_taken", f"{host}:{port}", port=port) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Fault("serve.port_forbidden", f"{host}:{port}", port=port) from None
        raise Fault("serve.host_unknown", host) from None
    return opened


def address(opened: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def know_routes(app: FastAPI) -> None:
    """Have every route built now. FastAPI builds a router's when a path is first looked for in it, which holds up the
    event loop for a second and more: the first body would seem slow to arrive."""
    nowhere = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(nowhere)


class Server(uvicorn.Server):
    """Ends by SIGTERM or SIGINT: no new connections, streams of events end at once, requests have their time.

    `asked` is the signal that ended it. A second SIGINT ends it at once.
    """

    def __init__(
        self, app: FastAPI, settings: Settings, *, started: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        """`started` is called once it serves, `stopping` (in a thread) when it was asked to end."""
        self._app, self._started, self._stopping = app, started, stopping
        self._threads = settings.threads
        self.asked: int | None = None
        super().__init__(
            uvicorn.Config(
                app,
                http=_protocol(settings.header_seconds),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
                h11_max_incomplete_event_size=settings.header_bytes * 2,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = self._threads
        know_routes(self._app)
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what was made to begin with stays: nobody need look through it again
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what never ends by itself, then wait for the rest."""
        self._app.state.traffic.stop()
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, self._stopping)
            await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals ask to end; whoever began the server decides what the process does then."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Remember which signal asked first."""
        self.asked = self.asked or sig
        super().handle_exit(sig, frame)


def _protocol(seconds: float) -> type[asyncio.Protocol]:
    return type("Protocol", (_Punctual,), {"head_seconds": seconds})


class _Punctual(H11Protocol):
    """Closes a connection whose next head is not whole in time (slowloris); bodies are timed by the exchange."""

    head_seconds: float
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head = self.loop.call_later(self.head_seconds, self._late)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._unset_head()
        elif self._head is None:
            self._head = self.loop.call_later(self.head_seconds, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_head()
        super().connection_lost(exc)

    def _unset_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _late(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()
