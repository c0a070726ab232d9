"""The server itself, over real sockets: slow senders, large senders, streams, and an end that lets everybody finish."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from refused import refused

from api.http.app import create_app
from api.http.server import Server, address, bind, know_routes
from api.http.service import Service
from api.settings import Settings
from expert_pool.store import Store


class Sent(BaseModel):
    text: str


class Idle:
    """A job engine that does nothing."""

    def submit(self, run: str, queue: str) -> None: ...
    def cancel(self, run: str) -> None: ...
    def close(self) -> None: ...


class Running:
    """A server in a thread of this process."""

    def __init__(self, store: Store, **given: Any) -> None:
        settings = Settings(database=store.url, **{"grace_seconds": 5, **given})
        app = create_app(Service(store, Idle(), settings))
        self.ended_streams = 0
        self.slow_ended = threading.Event()

        @app.post("/echo")
        def echo(sent: Sent) -> int:
            return len(sent.text)

        @app.get("/slow")
        def slow(seconds: float) -> str:
            time.sleep(seconds)
            self.slow_ended.set()
            return "done"

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            async def events() -> Any:
                try:
                    for number in range(1000):
                        yield f"id: {number}\ndata: {{}}\n\n".encode()
                        await asyncio.sleep(0.05)
                finally:
                    self.ended_streams += 1

            return StreamingResponse(events(), media_type="text/event-stream")

        self.socket = bind("127.0.0.1", 0)
        self.url = address(self.socket)
        self.host, self.port = self.socket.getsockname()
        self.stopped = threading.Event()
        started = threading.Event()
        self.server = Server(app, settings, started=started.set, stopping=self.stopped.set)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        assert started.wait(30)

    def ask_to_end(self) -> None:
        self.server.should_exit = True

    def connect(self) -> socket.socket:
        made = socket.create_connection((self.host, self.port))
        made.settimeout(20)
        return made


@pytest.fixture(autouse=True)
def _no_other_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.app.ROUTERS", ())  # they take their time to be made


@pytest.fixture
def serve(sqlite_store: Store) -> Callable[..., Any]:
    """Serves inside a block."""

    @contextmanager
    def served(**given: Any) -> Iterator[Running]:
        running = Running(sqlite_store, **given)
        try:
            yield running
        finally:
            running.ask_to_end()
            running.thread.join(30)
            assert not running.thread.is_alive()

    return served


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_head_that_drips_is_cut_off(serve: Any) -> None:
    with serve(header_seconds=0.5) as running, running.connect() as silent, running.connect() as dripping:
        dripping.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        assert read_all(silent) == b""
        assert read_all(dripping) == b""
        assert time.monotonic() - began < 5
        with running.connect() as second:  # also the second head of a connection
            second.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert second.recv(65536).startswith(b"HTTP/1.1 200")
            second.sendall(b"GET /hea")
            assert not read_all(second).startswith(b"HTTP")


def test_a_body_that_drips_is_answered_and_cut_off(serve: Any) -> None:
    with serve(body_seconds=0.4, body_pace=1000) as running, running.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
        )
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"http.slow"' in answer
        assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("framing", ["Content-Length: 400000", "Transfer-Encoding: chunked"])
def test_a_large_body_is_answered_though_it_is_still_being_sent(serve: Any, framing: str) -> None:
    with serve(body_bytes=20_000, anonymous_body_bytes=10_000) as running, running.connect() as connection:
        head = f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode())
        piece = b" " * 10_000
        for _ in range(40):
            connection.sendall(b"2710\r\n" + piece + b"\r\n" if "chunked" in framing else piece)
        if "chunked" in framing:
            connection.sendall(b"0\r\n\r\n")
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 413")
        assert b'"code":"http.too_large"' in answer


def test_an_answer_comes_in_time_though_the_work_goes_on(serve: Any) -> None:
    with serve(request_seconds=0.3) as running:
        with httpx.Client(timeout=60) as client:
            late = client.get(f"{running.url}/slow?seconds=4")
            assert not running.slow_ended.is_set()
            assert (late.status_code, late.json()["code"]) == (504, "http.took_too_long")
            assert client.get(f"{running.url}/healthz").status_code == 200  # the connection goes on
        assert running.slow_ended.wait(30)


def test_a_request_that_cannot_be_read_is_400(serve: Any) -> None:
    with serve() as running:
        for raw in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"):
            with running.connect() as connection:
                connection.sendall(raw)
                assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_the_end_closes_streams_cleanly_and_lets_requests_finish(serve: Any) -> None:
    answers: dict[str, Any] = {}

    def listen(url: str) -> None:
        with httpx.stream("GET", f"{url}/stream", timeout=20) as answer:
            answers["stream"] = b"".join(answer.iter_raw())  # raises if the stream is cut and not ended

    def ask(url: str) -> None:
        answers["slow"] = httpx.get(f"{url}/slow?seconds=1.2", timeout=20).text

    with serve() as running:
        threads = [threading.Thread(target=each, args=(running.url,)) for each in (listen, ask)]
        for thread in threads:
            thread.start()
        traffic = running.server._app.state.traffic
        while traffic.under_way < 2 or not traffic.streams:
            time.sleep(0.02)
        running.ask_to_end()
        for thread in threads:
            thread.join(20)
        running.thread.join(20)
        assert running.stopped.is_set()
        with pytest.raises(OSError):
            running.connect().close()
    assert answers["slow"] == '"done"'
    assert answers["stream"].startswith(b"id: 0\n")
    assert answers["stream"].endswith(b"\n\n")
    assert running.ended_streams == 1


def test_a_port_in_use_and_a_host_that_is_not_ours_are_said() -> None:
    with bind("127.0.0.1", 0) as first, refused("serve.port_taken"):
        bind("127.0.0.1", first.getsockname()[1])
    with refused("serve.host_unknown"):
        bind("203.0.113.5", 0)
    with refused("serve.host_unknown"):
        bind("no such host", 0)
    with bind("::1", 0) as six:
        assert address(six).startswith("http://[::1]:")


def test_every_route_is_built_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()
    router.add_api_route("/there", lambda: {"here": True})
    app = FastAPI()
    app.include_router(router, prefix="/somewhere")
    know_routes(app)
    monkeypatch.setattr("fastapi.routing.get_dependant", None)

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.get("/somewhere/there")

    assert asyncio.run(asked()).json() == {"here": True}
