"""The server itself, over real sockets: slow senders, large senders, streams, and an end that lets everybody finish."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from patience import PATIENCE, until
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
        settings = Settings(database=store.url, **{"grace_seconds": PATIENCE, **given})
        app = create_app(Service(store, Idle(), settings))
        self.ended_streams = 0
        self.go = threading.Event()
        self.slow_ended = threading.Event()

        @app.post("/echo")
        def echo(sent: Sent) -> int:
            return len(sent.text)

        @app.get("/slow")
        def slow() -> str:
            assert self.go.wait(PATIENCE)
            self.slow_ended.set()
            return "done"

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            async def events() -> Any:
                try:
                    for number in itertools.count():
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
        assert started.wait(PATIENCE)

    def ask_to_end(self) -> None:
        self.server.should_exit = True

    def connect(self) -> socket.socket:
        made = socket.create_connection((self.host, self.port))
        made.settimeout(PATIENCE)
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
            running.go.set()
            running.ask_to_end()
            running.thread.join(PATIENCE)
            assert not running.thread.is_alive()

    return served


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def socket_of(answer: httpx.Response) -> Any:
    """Our end of the connection that an answer came on."""
    return answer.extensions["network_stream"].get_extra_info("client_addr")


def test_a_head_that_drips_is_cut_off(serve: Any) -> None:
    with serve(header_seconds=0.5) as running, running.connect() as silent, running.connect() as dripping:
        dripping.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert read_all(silent) == b""
        assert read_all(dripping) == b""

        def answered() -> socket.socket | None:  # unless we come late ourselves
            made = running.connect()
            with suppress(ConnectionError):
                made.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                if made.recv(65536).startswith(b"HTTP/1.1 200"):
                    return made
            made.close()
            return None

        with until(answered) as second:  # also the second head of a connection
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
def test_a_large_body_is_answered_though_it_is_still_being_sent(
    serve: Any, framing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.exchange._LINGER_SECONDS", PATIENCE)
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
        with httpx.Client(timeout=PATIENCE) as client:
            late = client.get(f"{running.url}/slow")
            assert not running.slow_ended.is_set()
            assert (late.status_code, late.json()["code"]) == (504, "http.took_too_long")
            port = socket_of(late)
            until(lambda: client.get(f"{running.url}/healthz").status_code == 200)  # the connection goes on
            assert socket_of(client.get(f"{running.url}/healthz")) == port
        running.go.set()
        assert running.slow_ended.wait(PATIENCE)


def test_a_request_that_cannot_be_read_is_400(serve: Any) -> None:
    with serve() as running:
        for raw in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"):
            with running.connect() as connection:
                connection.sendall(raw)
                assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_the_end_closes_streams_cleanly_and_lets_requests_finish(serve: Any) -> None:
    answers: dict[str, Any] = {}
    heard, over = threading.Event(), threading.Event()

    def listen(url: str) -> None:
        answers["stream"] = b""
        with httpx.stream("GET", f"{url}/stream", timeout=PATIENCE) as answer:
            for piece in answer.iter_raw():  # raises if the stream is cut and not ended
                answers["stream"] += piece
                heard.set()
        over.set()

    def ask(url: str) -> None:
        answers["slow"] = httpx.get(f"{url}/slow", timeout=PATIENCE).text

    with serve() as running:
        threads = [threading.Thread(target=each, args=(running.url,)) for each in (listen, ask)]
        for thread in threads:
            thread.start()
        traffic = running.server._app.state.traffic
        until(lambda: traffic.under_way == 2 and heard.is_set())
        running.ask_to_end()
        assert over.wait(PATIENCE)  # while the other is still being worked for
        assert "slow" not in answers
        running.go.set()
        for thread in (*threads, running.thread):
            thread.join(PATIENCE)
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
