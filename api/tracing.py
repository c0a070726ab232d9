"""OpenTelemetry spans around requests, runs and transactions. Without an SDK in the process they cost nothing.

Spans hold route templates, codes and states; never a path, a query, a parameter of a statement or an error's text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import Connection, Engine, event

NAME = "expert-pool"
OFF: Any = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
"""FastAPI's own telemetry stays off: it would write paths and queries into its spans."""

_SYSTEMS = {"sqlite": "sqlite", "postgresql": "postgresql"}
_OPEN = "expert_pool_span"


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, context: Any = None, **attributes: Any
) -> Iterator[Span]:
    """A span of this name around the block; `run_kind` becomes the attribute `run.kind`. An error leaves its class."""
    named = {key.replace("_", "."): value for key, value in attributes.items()}
    tracer = trace.get_tracer(NAME)
    with tracer.start_as_current_span(
        name, context, kind, named, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            failed(made, type(error).__qualname__)
            raise


def failed(made: Span, kind: str) -> None:
    """Mark a span as failed, with the kind of error and nothing it said."""
    made.set_attribute("error.type", kind)
    made.set_status(StatusCode.ERROR)


def trace_transactions(engine: Engine) -> None:
    """A span for every transaction of `engine`, from before its BEGIN (so that waiting for a lock shows) to its end."""
    event.listen(engine, "begin", _begun, insert=True)
    event.listen(engine, "commit", _committed)
    event.listen(engine, "rollback", _rolled_back)


def _begun(connection: Connection) -> None:
    made = trace.get_tracer(NAME).start_span(
        "transaction",
        kind=SpanKind.CLIENT,
        attributes={"db.system.name": _SYSTEMS.get(connection.dialect.name, "other_sql")},
    )
    if made.is_recording():
        connection.info[_OPEN] = made


def _committed(connection: Connection) -> None:
    _ended(connection, "commit")


def _rolled_back(connection: Connection) -> None:
    _ended(connection, "rollback")


def _ended(connection: Connection, how: str) -> None:
    made: Span | None = connection.info.pop(_OPEN, None)
    if made is not None:
        made.set_attribute("db.operation.name", how)
        made.end()
