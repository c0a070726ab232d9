"""What stands around every route: limits, headers, the log line without personal data, metrics, spans."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import quote

import job_kinds
import pytest
from fastapi import Body, Path, Query, Request
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel
from sqlalchemy import text

from api import logs
from api.http.app import create_app
from api.http.guard import SECURITY, network
from api.http.limits import Bucket, Remembered
from api.http.service import Service
from api.jobs.inline import InlineEngine
from api.jobs.kinds import KINDS
from api.settings import Settings
from api.tracing import trace_transactions
from expert_pool import runs
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.registry import Organiser
from expert_pool.store import Store
from solver.errors import Fault

NAME, IDENTITY, PHONE = "欧阳震华", "440301199001011234", "13800138000"


class Person(BaseModel):
    name: str
    identity: int


class Idle:
    """A job engine that does nothing."""

    def submit(self, run: str, queue: str) -> None: ...
    def cancel(self, run: str) -> None: ...
    def close(self) -> None: ...


def application(store: Store, **given: Any) -> Any:
    """The service with routes that people type into, and that go wrong in every way."""
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

    @app.get("/api/v1/slow")
    def slow(seconds: float) -> str:
        time.sleep(seconds)
        return "done"

    @app.get("/api/v1/stream")
    async def stream() -> StreamingResponse:
        async def events() -> Any:
            yield b"id: 1\ndata: {}\n\n"
            await asyncio.sleep(30)

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


@pytest.fixture(autouse=True)
def _no_other_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.app.ROUTERS", ())  # they take their time to be made


@pytest.fixture
def make(sqlite_store: Store) -> Callable[..., Any]:
    """Makes a client of the service with settings."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient

    def made(**given: Any) -> Any:
        client = given.pop("client", ("198.51.100.7", 4711))
        return TestClient(application(sqlite_store, **given), client=client)

    return made


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged, as written and read back; and no line is anything but one JSON object in ASCII."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("info", stream)

    def read() -> list[dict[str, Any]]:
        assert stream.getvalue().isascii()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    read.text = stream.getvalue  # type: ignore[attr-defined]
    yield read
    root.handlers, root.level = before
    logging.captureWarnings(False)
    logs.structlog.reset_defaults()


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


def test_personal_data_sent_by_every_way_is_in_no_line_of_the_log(make: Any, lines: Any) -> None:
    client = make()
    for name in (NAME, IDENTITY, "li\nsi", 'x\r\n{"event": "forged"}', "\u2028\x1b[31m", "%0aforged"):
        client.get(f"/api/v1/people/{quote(name)}", params={"q": name, "name": NAME})
        client.get("/api/v1/people/x", params={"q": "1", "phone": PHONE}, headers={"X-Name": IDENTITY})
        client.post("/api/v1/people", json={"name": name, "identity": NAME})
        client.post("/api/v1/people", json={"name": NAME, "identity": 1, IDENTITY: 2})
        client.post("/api/v1/people", content=NAME.encode(), headers={"Content-Type": "text/plain"})
        client.get(f"/api/v1/broken/{IDENTITY}")
        client.get(f"/api/v1/raises/{IDENTITY}")
        client.get(f"/{quote(name)}/{IDENTITY}?phone={PHONE}")
        client.get("/healthz", headers={"User-Agent": f"{IDENTITY}", "Referer": f"http://x/?q={PHONE}"})
        client.get("/healthz", headers={"Cookie": f"session={IDENTITY}"})
    text = lines.text()
    escaped = json.dumps(NAME).strip('"')
    for secret in (NAME, escaped, IDENTITY, PHONE, "forged", "li\nsi", "\x1b", "li.ming"):
        assert secret not in text
    read = lines()
    assert len(read) >= 60
    assert {line["route"] for line in read if "route" in line} == {
        "/api/v1/people/{name}",
        "/api/v1/people",
        "/api/v1/broken/{name}",
        "/api/v1/raises/{name}",
        "/healthz",
        "unmatched",
    }


def test_an_error_nobody_foresaw_is_logged_by_its_places(make: Any, lines: Any) -> None:
    answer = make().get(f"/api/v1/raises/{NAME}")
    assert answer.status_code == 500
    assert NAME not in answer.text
    text = lines.text()
    assert "ValueError" in text
    assert "in raises" in text or " raises" in text
    (library,) = [line for line in lines() if line["event"] == "library"]
    assert library["logger"] == "somebody.else"
    assert "said" not in library


def test_an_account_is_logged_as_the_same_stand_in(make: Any, lines: Any) -> None:
    client = make()
    for _ in range(2):
        client.get("/api/v1/mine", headers={"Authorization": "Bearer good"})
    first, second = (line["account"] for line in lines())
    assert first == second
    assert re.fullmatch("[0-9a-f]{12}", first)


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = Bucket(2, 3)
    assert [bucket.take(10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take(10.0) == pytest.approx(0.5)
    assert bucket.take(10.5) == 0.0
    assert bucket.take(10.5) > 0
    assert [bucket.take(1000.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_only_so_many_keys_are_remembered() -> None:
    kept: Remembered[int] = Remembered(2)
    for key in "aba":
        kept.of(key, lambda: 0)
    kept.put("c", 1)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (0, None, 1)


def test_who_is_unknown_may_ask_so_often_and_is_told_when_to_come_again(make: Any) -> None:
    client = make(address_rate=0.01, address_burst=3)
    assert [client.get("/api/v1/mine").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    refused = client.get("/api/v1/mine")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "http.too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    assert client.get("/healthz").status_code == 200


def test_forged_tokens_cost_the_address_and_a_good_one_goes_by_its_account(make: Any) -> None:
    client = make(address_rate=0.01, address_burst=3, account_rate=0.01, account_burst=4)
    good = {"Authorization": "Bearer good"}
    assert client.get("/api/v1/mine", headers=good).status_code == 200
    forged = [
        client.get("/api/v1/mine", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(4)
    ]
    assert forged == [401, 401, 429, 429]
    assert [client.get("/api/v1/mine", headers=good).status_code for _ in range(5)] == [200] * 4 + [429]


def test_attempts_to_sign_in_have_a_limit_of_their_own(make: Any) -> None:
    client = make(sign_in_rate=0.01, sign_in_burst=2)
    assert [client.post("/api/v1/sessions").status_code == 429 for _ in range(3)] == [False, False, True]
    assert client.get("/api/v1/people/x").status_code == 200


def test_addresses_are_apart_behind_a_believed_proxy_only(make: Any) -> None:
    believed = make(address_rate=0.01, address_burst=1, proxies=("198.51.100.7",))
    alone = make(address_rate=0.01, address_burst=1)
    asked = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(3)]
    assert [believed.get("/api/v1/people/x", headers=each).status_code for each in asked] == [200] * 3
    assert [alone.get("/api/v1/people/x", headers=each).status_code for each in asked] == [200, 429, 429]


def test_a_customer_with_many_ipv6_addresses_is_one() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")
    assert network("fe80::1%eth0") == "fe80::/64"
    assert [network(other) for other in ("198.51.100.7", "testclient", "a:b")] == [
        "198.51.100.7",
        "testclient",
        "a:b",
    ]


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
    answer = make(request_seconds=0.2).get(
        "/api/v1/slow", params={"seconds": 0.8}, headers={"Accept-Language": "en"}
    )
    assert (answer.status_code, answer.json()["code"]) == (504, "http.took_too_long")


def test_too_many_at_once_are_asked_to_come_again(make: Any) -> None:
    with make(concurrent=1) as client:
        first = threading.Thread(target=client.get, args=("/api/v1/slow?seconds=1",))
        first.start()
        while client.app.state.traffic.under_way == 0:
            time.sleep(0.01)
        crowded = client.get("/api/v1/people/x")
        assert client.get("/healthz").status_code == 200
        first.join()
        assert (crowded.status_code, crowded.json()["code"]) == (503, "http.crowded")
        assert crowded.headers["retry-after"] == "1"
        assert client.get("/api/v1/people/x").status_code == 200


def test_metrics_count_by_template_and_are_for_this_machine(make: Any) -> None:
    client = make(client=("127.0.0.1", 1))
    client.get(f"/api/v1/people/{NAME}")
    client.get("/api/v1/people/x?q=y")
    client.get(f"/{IDENTITY}")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'expert_pool_requests_total{method="GET",route="/api/v1/people/{name}",status="200"} 1.0',
        'expert_pool_requests_total{method="GET",route="/api/v1/people/{name}",status="422"} 1.0',
        'expert_pool_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'expert_pool_request_seconds_count{method="GET",route="/api/v1/people/{name}"} 2.0',
        "expert_pool_database_up 1.0",
        "expert_pool_ledger_entries_total 0.0",
        "expert_pool_workers_alive 0.0",
        'expert_pool_database_connections{state="used"}',
        "expert_pool_requests_under_way 1.0",
    ):
        assert line in answer.text
    assert IDENTITY not in answer.text
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert make().get("/metrics").status_code == 404


def test_metrics_for_whoever_has_the_token(make: Any) -> None:
    client = make(metrics_token="tell-me")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer tell"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer tell-me"}).status_code == 200


def test_ready_says_what_is_missing(make: Any, sqlite_store: Store) -> None:
    client = make()
    assert client.get("/readyz").json() == {
        "ready": True,
        "database": True,
        "migrations": True,
        "key": True,
        "stopping": False,
        "workers": 0,
    }
    client.app.state.traffic.stopping = True
    stopping = client.get("/readyz")
    assert (stopping.status_code, stopping.json()["stopping"]) == (503, True)
    client.app.state.traffic.stopping = False
    from expert_pool.store import downgrade, upgrade

    with sqlite_store.session() as session:
        session.execute(text("update installation set key_check = 'another'"))
    rotated = client.get("/readyz")
    assert (rotated.status_code, rotated.json()["key"]) == (503, False)
    with sqlite_store.engine.begin() as connection:
        connection.execute(
            text("update installation set key_check = :own"), {"own": sqlite_store.key.check()}
        )
    downgrade(sqlite_store, "0002")
    behind = client.get("/readyz")
    assert (behind.status_code, behind.json()["migrations"]) == (503, False)
    upgrade(sqlite_store)
    assert client.get("/readyz").status_code == 200


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """What an SDK in the process is given."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    return kept


def test_requests_and_transactions_are_spans_without_personal_data(
    make: Any, sqlite_store: Store, exporter: InMemorySpanExporter
) -> None:
    trace_transactions(sqlite_store.engine)
    client = make()
    exporter.clear()
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.get(f"/api/v1/broken/{NAME}?q={PHONE}", headers={"traceparent": parent})
    transaction, request = exporter.get_finished_spans()
    assert request.name == "GET /api/v1/broken/{name}"
    assert request.parent is not None
    assert request.context.trace_id == int(parent.split("-")[1], 16)
    assert transaction.parent is not None
    assert transaction.parent.span_id == request.context.span_id
    assert transaction.attributes == {"db.system.name": "sqlite", "db.operation.name": "rollback"}
    assert request.attributes is not None
    assert request.attributes["http.route"] == "/api/v1/broken/{name}"
    assert request.attributes["http.response.status_code"] == 500
    assert not request.status.is_ok
    everything = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert not request.events
    assert NAME not in everything
    assert json.dumps(NAME).strip('"') not in everything
    assert PHONE not in everything


def test_a_run_is_a_span_and_is_counted(
    make: Any, sqlite_store: Store, exporter: InMemorySpanExporter
) -> None:
    before = dict(KINDS)
    job_kinds.install()
    try:
        exporter.clear()
        with sqlite_store.session() as session:
            run = runs.begin(session, None, key=sqlite_store.key, kind="test.echo", params={"name": NAME})
        InlineEngine(sqlite_store).submit(run.code, "solve")
    finally:
        KINDS.clear()
        KINDS.update(before)
    (made,) = [span for span in exporter.get_finished_spans() if span.name == "run test.echo"]
    assert made.attributes is not None
    assert dict(made.attributes)["run.code"] == run.code
    assert made.status.is_ok or made.status.status_code.name == "UNSET"
    assert NAME not in made.to_json()
    counted = make(client=("127.0.0.1", 1)).get("/metrics").text
    assert 'expert_pool_runs{kind="test.echo",state="done"} 1.0' in counted
