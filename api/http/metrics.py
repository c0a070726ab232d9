"""What the service counts, for Prometheus: requests as they end, the rest when it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from expert_pool.store import Store

disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one application."""

    def __init__(self, store: Store) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Registry(store))
        self._requests = Counter(
            "expert_pool_requests",
            "Requests by route template and status",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "expert_pool_request_seconds",
            "Time from the head of a request to the end of its answer",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.under_way = Gauge(
            "expert_pool_requests_under_way", "Requests being answered", registry=self._registry
        )
        self.streams = Gauge("expert_pool_streams", "Event streams open", registry=self._registry)

    def ended(self, method: str, route: str, status: int, seconds: float, *, stream: bool) -> None:
        """Count a request. A stream is counted without its time, which is as long as somebody listens."""
        self._requests.labels(method, route, str(status)).inc()
        if not stream:
            self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Registry:
    """What stands in the database, read when Prometheus asks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Any]:
        from api.http.vitals import ledger_length, runs_by_kind, workers_alive

        yield from _pool(self._store)
        up = GaugeMetricFamily("expert_pool_database_up", "Whether the database answered")
        try:
            with self._store.reading() as session:
                length, alive, runs = ledger_length(session), workers_alive(session), runs_by_kind(session)
        except Exception:  # a scrape must tell that the database is away, not fail with it
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        entries = CounterMetricFamily("expert_pool_ledger_entries", "Entries in the ledger")
        entries.add_metric((), length)
        yield entries
        workers = GaugeMetricFamily("expert_pool_workers_alive", "Workers whose heartbeat is fresh")
        workers.add_metric((), alive)
        yield workers
        states = GaugeMetricFamily("expert_pool_runs", "Runs by state and kind", labels=("state", "kind"))
        for (state, kind), count in sorted(runs.items()):
            states.add_metric((state, kind), count)
        yield states

    def describe(self) -> list[Any]:
        """Nothing ahead of time: registering must not ask the database."""
        return []


def _pool(store: Store) -> Iterator[GaugeMetricFamily]:
    pool: Any = store.engine.pool
    gauge = GaugeMetricFamily("expert_pool_database_connections", "Connections by state", labels=("state",))
    for state, count in (("used", "checkedout"), ("idle", "checkedin")):
        if hasattr(pool, count):
            gauge.add_metric((state,), getattr(pool, count)())
    yield gauge
