"""The engine on dbos: runs wait in its queues and reach a worker even when processes and machines die.

dbos brings a run's code to a worker and nothing else: what was asked, who does it and what came of it stand in our own
tables, so whatever dbos loses or does twice changes nothing. Its tables lie in the same PostgreSQL database, in a
schema of their own, or in a file beside the SQLite one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from api.jobs.kinds import CARE, IMPORT, QUEUES, SOLVE, SWEEP, SWEEP_ITEM
from expert_pool import runs
from expert_pool.store import Store
from solver.errors import Fault

if TYPE_CHECKING:
    from dbos import DBOSConfig

log = logging.getLogger("expert_pool.jobs")

APPLICATION = "expert-pool"
VERSION = "1"
"""Never changed: a workflow is one call with a run's code, which every version of ours understands."""
SCHEMA = "expert_pool_jobs"
WORKFLOW = "carry"
POLL = {SOLVE: 0.2, SWEEP: 1.0, SWEEP_ITEM: 0.5, IMPORT: 0.5, CARE: 2.0}
"""Seconds between two looks at a queue: the shorter, the sooner a run begins, and the more an idle worker costs."""
_LIVELY = ("ENQUEUED", "DELAYED")
_BATCH = 500


class DurableEngine:
    """The client's side of dbos: puts runs on queues, and lets care be taken of what got lost on the way."""

    def __init__(self, store: Store) -> None:
        """Opens dbos's tables, makes them where there are none. Raises Fault `jobs.in_memory`, `store.unusable`."""
        quiet()
        from dbos import DBOSClient

        self._store = store
        self._place = prepare(store.url)
        self._client = DBOSClient(
            system_database_url=self._place,
            dbos_system_schema=SCHEMA,
            serializer=serializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )

    def submit(self, run: str, queue: str) -> None:
        """Put a recorded run on a queue; where dbos is away, a worker's care does it later."""
        try:
            self._enqueue(run, queue)
            with self._store.session() as session:
                runs.submitted(session, run)
        except Exception as error:  # whatever it is, the run stands in our table
            log.warning("run %s not submitted yet: %s", run, type(error).__name__)

    def cancel(self, run: str) -> None:
        """A waiting run never starts; one under way learns it from its row."""
        try:
            self._client.cancel_workflow(run)
        except Exception as error:  # whoever claims the run sees that it has ended
            log.warning("run %s not cancelled in its queue: %s", run, type(error).__name__)

    def close(self) -> None:
        """Give the connections back."""
        self._client.destroy()

    def register(self, concurrency: dict[str, int]) -> None:
        """Make the queues, or set how many runs of each a worker carries at once."""
        for queue in QUEUES:
            self._client.register_queue(
                queue,
                worker_concurrency=concurrency.get(queue, 1),
                polling_interval_sec=POLL[queue],
            )

    def deliver(self, run: str, queue: str) -> None:
        """Make sure that a waiting run comes to some worker, whatever dbos thinks happened to it."""
        self._enqueue(run, queue)
        status = self._statuses([run])[run][0]
        if status in _LIVELY:
            return
        if status in ("PENDING", "CANCELLED"):
            self._client.resume_workflow(run, queue_name=queue)
        else:  # ended for dbos, not for us
            self._client.delete_workflows([run])
            self._enqueue(run, queue)

    def strayed(self, codes: Sequence[str], living: Collection[str]) -> list[str]:
        """Those of the waiting runs that would never come to a worker; `living`: the names of the workers."""
        statuses = self._statuses(codes)
        stray = []
        for code in codes:
            status, executor = statuses.get(code, ("", None))
            held = status == "PENDING" and executor in living
            if status not in _LIVELY and not held:
                stray.append(code)
        return stray

    def forget(self, before: datetime, living: Collection[str]) -> int:
        """Delete what dbos keeps of workflows that ended before a moment, or began before it with workers that are gone.

        Should a run still wait for one of the latter, it strays, and is delivered again. How many were deleted.
        """
        moment = before.isoformat()
        ended = self._client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            completed_before=moment,
            limit=_BATCH,
            load_input=False,
            load_output=False,
        )
        begun = self._client.list_workflows(
            status="PENDING", end_time=moment, limit=_BATCH, load_input=False, load_output=False
        )
        over = [workflow.workflow_id for workflow in ended]
        over += [workflow.workflow_id for workflow in begun if workflow.executor_id not in living]
        if over:
            self._client.delete_workflows(over)
        return len(over)

    def _enqueue(self, run: str, queue: str) -> None:
        self._client.enqueue(
            {
                "workflow_name": WORKFLOW,
                "queue_name": queue,
                "workflow_id": run,
                "app_version": VERSION,
            },
            run,
        )

    def _statuses(self, codes: Sequence[str]) -> dict[str, tuple[str, str | None]]:
        found = self._client.list_workflows(workflow_ids=list(codes), load_input=False, load_output=False)
        return {workflow.workflow_id: (workflow.status, workflow.executor_id) for workflow in found}


def launch(store: Store, executor: str, carry: Callable[[str], None]) -> None:
    """Begin to carry runs in this process, under an executor's name that no other living process has."""
    quiet()
    from dbos import DBOS

    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": system_url(store.url),
        "dbos_system_schema": SCHEMA,
        "application_version": VERSION,
        "executor_id": executor,
        "serializer": serializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
    }
    DBOS(config=config)

    def work(run: str) -> None:
        carry(run)

    DBOS.workflow(name=WORKFLOW)(work)
    DBOS.launch()


def land(seconds: float) -> None:
    """Carry nothing more; wait up to `seconds` for what is under way."""
    from dbos import DBOS

    DBOS.destroy(workflow_completion_timeout_sec=round(seconds))


def system_url(url: str) -> str:
    """Where dbos keeps its tables for the registry at `url`. Raises Fault `jobs.in_memory`."""
    place = make_url(url)
    if place.get_backend_name() != "sqlite":
        return place.render_as_string(hide_password=False)
    if place.database in (None, "", ":memory:"):
        raise Fault("jobs.in_memory")
    return place.set(database=f"{place.database}.jobs").render_as_string(hide_password=False)


def prepare(url: str) -> str:
    """Make dbos's tables for the registry at `url`, or bring them up to date; where they are.

    Raises Fault `jobs.in_memory`, `store.unusable`.
    """
    from dbos import DBOS

    place = system_url(url)
    where = make_url(place)
    try:
        if where.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(str(where.database), timeout=30)) as opened:
                opened.execute("pragma journal_mode = wal")
        DBOS.migrate(place, schema=SCHEMA)
    except Exception as error:
        reason = str(getattr(error, "orig", error)).strip()
        raise Fault("store.unusable", where.render_as_string(hide_password=True), reason=reason) from error
    return place


def serializer() -> Any:
    """JSON that any version and language reads."""
    from dbos import DBOSPortableJSONSerializer

    return DBOSPortableJSONSerializer()


def quiet() -> None:
    """Let dbos say warnings only, to our own logging, without traces (whose values may be anybody's)."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())  # else dbos adds a console of its own
        logger.addFilter(_without_trace)
    logger.setLevel(logging.WARNING)


def _without_trace(record: logging.LogRecord) -> bool:
    record.exc_info = None
    record.exc_text = None
    return True
