"""Spans of requests, transactions and runs: they hang together, and hold nothing that anybody typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import job_kinds
import pytest
from guarded_app import NAME, PHONE
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.jobs.inline import InlineEngine
from api.jobs.kinds import KINDS
from api.tracing import span, trace_transactions, traced
from expert_pool import runs
from expert_pool.store import Store


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


@pytest.fixture
def carried(sqlite_store: Store, exporter: InMemorySpanExporter) -> Iterator[Callable[..., ReadableSpan]]:
    """Begins a run of a kind of the tests, carries it, and gives its span."""
    before = dict(KINDS)
    job_kinds.install()

    def carry(kind: str, **params: Any) -> ReadableSpan:
        exporter.clear()
        with sqlite_store.session() as session:
            run = runs.begin(session, None, key=sqlite_store.key, kind=kind, params=traced(params))
        InlineEngine(sqlite_store).submit(run.code, "solve")
        (made,) = [span for span in exporter.get_finished_spans() if span.name == f"run {kind}"]
        assert dict(made.attributes or {})["run.code"] == run.code
        return made

    yield carry
    KINDS.clear()
    KINDS.update(before)


def test_a_run_is_a_span_with_kind_attempt_and_outcome_and_is_counted(make: Any, carried: Any) -> None:
    made = carried("test.echo", name=NAME)
    said = dict(made.attributes)
    assert (said["run.kind"], said["run.attempt"], said["run.outcome"]) == ("test.echo", 1, "done")
    assert made.status.status_code.name == "UNSET"
    assert made.parent is None
    assert NAME not in made.to_json()
    counted = make(client=("127.0.0.1", 1)).get("/metrics").text
    assert 'expert_pool_runs{kind="test.echo",state="done"} 1.0' in counted


@pytest.mark.parametrize(
    ("kind", "outcome", "error"),
    [
        ("test.refuse", "failed", "panels.panel_unknown"),
        ("test.break", "failed", "ValueError"),
        ("test.drop", "handed_back", "store.busy"),
    ],
)
def test_a_run_that_ends_badly_says_how_and_nothing_it_said(
    carried: Any, kind: str, outcome: str, error: str
) -> None:
    made = carried(kind, name=NAME)
    said = dict(made.attributes)
    assert (said["run.outcome"], said["error.type"]) == (outcome, error)
    assert not made.status.is_ok
    assert not made.events
    assert json.dumps(NAME).strip('"') not in made.to_json()


def test_a_run_belongs_to_the_trace_of_the_request_that_asked(carried: Any) -> None:
    with span("POST /api/v1/panels") as asking:
        made = carried("test.note", name="N1")
    assert made.parent.span_id == asking.get_span_context().span_id
    assert made.context.trace_id == asking.get_span_context().trace_id


def test_the_work_is_not_shown_the_trace_it_belongs_to(carried: Any, sqlite_store: Store) -> None:
    with span("POST /api/v1/panels"):
        made = carried("test.echo", name="x")
    with sqlite_store.reading() as session:
        run = runs.find(session, None, dict(made.attributes)["run.code"])
        came = runs.outcome(session, None, run, key=sqlite_store.key)
    assert came is not None
    assert came.result == {"params": {"name": "x"}}
