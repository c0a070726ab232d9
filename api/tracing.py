"""OpenTelemetry spans around requests, runs and transactions. Without an SDK in the process they cost nothing.

Spans hold route templates, codes and states; never a path, a query, a parameter of a statement or an error's text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Connection, Engine, event

NAME = "expert-pool"
OFF: Any = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
"""FastAPI's own telemetry stays off: it would write paths and queries into its spans."""

PARENT = "traceparent"
"""Where the parameters of a run keep the span that asked for it (W3C Trace Context)."""

_SYSTEMS = {"sqlite": "sqlite", "postgresql": "postgresql"}
_OPEN = "expert_pool_span"


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, context: Any = None, **attributes: Any
) -> Iterator[Span]:
    """A span of this name around the block; `run_kind` becomes the attribute `run.kind`. An error leaves its class."""
    if context is None and _nobody_listens():
        yield trace.INVALID_SPAN
        return
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


def _nobody_listens() -> bool:
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def failed(made: Span, kind: str) -> None:
    """Mark a span as failed, with the kind of error and nothing it said."""
    made.set_attribute("error.type", kind)
    made.set_status(StatusCode.ERROR)


def traced(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a run with the span that is open now, for `untraced` to find; as they are where none is."""
    written: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(written)
    return {**params, PARENT: written[PARENT]} if PARENT in written else params


def untraced(params: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
    """The parameters of a run as they were asked, and the context of the span that asked (None: of none)."""
    if PARENT not in params:
        return params, None
    plain = {name: value for name, value in params.items() if name != PARENT}
    return plain, TraceContextTextMapPropagator().extract({PARENT: params[PARENT]})


def trace_transactions(engine: Engine) -> None:
    """A span for every transaction of `engine`, from before its BEGIN (so that waiting for a lock shows) to its end."""
    event.listen(engine, "begin", _begun, insert=True)
    event.listen(engine, "commit", _committed)
    event.listen(engine, "rollback", _rolled_back)


def _begun(connection: Connection) -> None:
    if _nobody_listens():
        return
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
