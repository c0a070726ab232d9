"""What stands around every route: headers, limits of heads, bodies, time and number."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from patience import until
from starlette.types import Message, Receive, Scope, Send

from api.http.guard import SECURITY


def test_every_answer_carries_the_security_headers(make: Any) -> None:
    client = make()
    for path, status in (
        ("/api/v1/people/x", 200),
        ("/nowhere", 404),
        ("/api/v1/mine", 401),
        ("/api/v1/people/x?q=y", 422),
        ("/api/v1/raises/x", 500),
        ("/healthz", 200),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        for name, value in SECURITY:
            assert answer.headers[name.decode()] == value.decode()
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers


def test_https_behind_a_believed_proxy_asks_for_https_only(make: Any) -> None:
    sent = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Request-ID": "abcdef123456"}
    believed = make(proxies=("198.51.100.0/24",)).get("/healthz", headers=sent)
    assert believed.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert believed.headers["x-request-id"] == "abcdef123456"
    stranger = make().get("/healthz", headers=sent)
    assert "strict-transport-security" not in stranger.headers
    assert stranger.headers["x-request-id"] != "abcdef123456"


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(make: Any, declared: bool) -> None:
    client = make(body_bytes=10_000, anonymous_body_bytes=1_000)
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b" " * 1_000

    content: Any = b" " * 100_000 if declared else pieces()
    answer = client.post("/api/v1/people", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "http.too_large")
    signed = {"Authorization": "Bearer good", "Content-Type": "application/json"}
    fits = json.dumps({"name": "x" * 5_000, "identity": 1})
    assert client.post("/api/v1/people", content=fits, headers=signed).status_code == 200
    assert client.post("/api/v1/people", content=fits).status_code == 413
    assert client.post("/api/v1/people", content=" " * 10_001, headers=signed).status_code == 413


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("pool.example.org", True),
        ("POOL.example.org:443", True),
        ("a.rooms.example.org", True),
        ("example.org", False),
        ("evil.example", False),
        ("pool.example.org@evil.example", False),
        ("pool.example.org/x", False),
        ("", False),
    ],
)
def test_only_our_own_names_are_answered_to(make: Any, host: str, ours: bool) -> None:
    client = make(hosts=("pool.example.org", "*.rooms.example.org"))
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == (200 if ours else 400)
    if not ours:
        assert answer.json()["code"] == "http.host"


@pytest.mark.parametrize("path", ["/api/v1/experts/a%00b", "/api/v1/experts?q=%00"])
def test_no_name_holds_a_nul(make: Any, path: str) -> None:
    answer = make().get(path)
    assert answer.status_code == 400
    assert answer.json()["code"] == "http.nul"


def test_heads_have_a_limit(make: Any) -> None:
    client = make(header_bytes=2_000)
    assert client.get("/healthz", headers={"X-Long": "x" * 3_000}).status_code == 431
    assert client.get("/healthz", headers={f"X-{n}": "x" for n in range(120)}).status_code == 431


def test_an_answer_that_does_not_begin_in_time_is_given_up(make: Any) -> None:
    client = make(request_seconds=0.2)
    app = client.app

    async def until_answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            await send(message)
            app.state.go.set()  # only now, so the answer did not wait for the work

        await app(scope, receive, sent)

    answer = type(client)(until_answered).get("/api/v1/slow", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (504, "http.took_too_long")


def test_too_many_at_once_are_asked_to_come_again(make: Any) -> None:
    with make(concurrent=1) as client:
        first = threading.Thread(target=client.get, args=("/api/v1/slow",))
        first.start()
        until(lambda: client.app.state.traffic.under_way)
        crowded = client.get("/api/v1/people/x")
        assert client.get("/healthz").status_code == 200
        client.app.state.go.set()
        first.join()
        assert (crowded.status_code, crowded.json()["code"]) == (503, "http.crowded")
        assert crowded.headers["retry-after"] == "1"
        assert client.get("/api/v1/people/x").status_code == 200
