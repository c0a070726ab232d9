"""Long work over HTTP: recorded as a run and answered with 202, or, where the caller would rather wait a little, with its
result (RFC 7240, `Prefer: wait=N`)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.once import Answer, Once, Repeatable
from api.http.service import Served, Service
from api.jobs.kinds import queue_of
from api.tracing import traced
from expert_pool import runs
from expert_pool.accounts.rights import Principal
from expert_pool.registry import RunRecord, RunState
from expert_pool.runs import Attachment
from solver.errors import Fault

LONGEST_WAIT = 20
"""Seconds that a request waits for its run at most."""
_WAITERS = BoundedSemaphore(8)
"""So many requests wait at once; further ones are answered at once, so that waiting never uses up the threads."""
_LOOK = 0.05
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)

Document = TypeVar("Document")

Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description=f"`wait=N`: answer with the result if there is one within N seconds (at most {LONGEST_WAIT}).",
        examples=["wait=10"],
    ),
]
"""The parameter of a route whose work may be waited for."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Progressed(Model):
    """How far a run is: the phase, what is counted, and while an optimiser runs its incumbent and bound."""

    phase: str
    done: int | None = None
    total: int | None = None
    goal: str | None = None
    incumbent: int | None = None
    bound: int | None = None


class Run(Model):
    """A piece of background work: what kind, how it stands, how far it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "RQ3W4M7ZK5T2ABCDE",
                    "kind": "panel.request",
                    "state": "running",
                    "actor": "office.li",
                    "accepted_at": "2026-09-01T04:00:00Z",
                    "started_at": "2026-09-01T04:00:01Z",
                    "ended_at": None,
                    "cancel_asked_at": None,
                    "last_event": 7,
                    "progress": {"phase": "solve", "goal": "peer", "incumbent": 120, "bound": 112},
                }
            ]
        },
    )
    code: str
    kind: str
    state: RunState
    actor: str
    accepted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_asked_at: datetime | None
    last_event: int = Field(description="The number of its newest event.")
    progress: Progressed | None = Field(description="What it said last of how far it is.")


class RunResult(Model, Generic[Document]):
    """What came of a run that ended: the document, and the names of files at `/runs/{code}/files/{name}`."""

    run: str
    state: RunState
    result: Document
    files: list[str]


def answers(model: Any, more: Mapping[int | str, Any] | None = None) -> dict[str, Any]:
    """How a route describes that it answers with a run, or with its result (a `model`)."""
    result: Any = RunResult[model]
    come = {"model": result, "description": "The result, where it came within the time of `Prefer: wait=N`."}
    said = {200: come, 409: openapi.CHANGES[409]}
    return {"status_code": 202, "response_model": Run, "responses": {**said, **(more or {})}}


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done in the background, once it is known whose it is. `begun` is told the run's code in the
    transaction that records it."""

    kind: str
    params: Mapping[str, Any]
    attachments: Sequence[Attachment] = ()
    organiser_id: int | None = None
    begun: Callable[[Session, str], None] | None = None


def accept(
    service: Service,
    once: Once,
    asks: Principal,
    work: Work | Callable[[Session], Work],
    *,
    prefer: str | None = None,
) -> Response:
    """Record the work as a run, hand it to the engine, and answer 202; or 200 with the result where it came in time.

    `work`, where it is a function, looks in the same transaction at what it needs, and may refuse. Raises what it
    raises, and, where the caller waits, the fault that ended the run.
    """
    code = kind = ""

    def begin(session: Session) -> Answer:
        nonlocal code, kind
        what = work(session) if callable(work) else work
        run = runs.begin(
            session,
            asks,
            key=service.store.key,
            kind=what.kind,
            params=traced(what.params),
            organiser_id=what.organiser_id,
            attachments=what.attachments,
        )
        code, kind = run.code, run.kind
        if what.begun is not None:
            what.begun(session, code)
        return Answer(told(session, run), 202, {"Location": f"/api/v1/runs/{run.code}"})

    accepted = once.write(service, asks, begin)
    if code:
        service.jobs.submit(code, queue_of(kind))
    else:  # the answer of the time before
        code = accepted.headers["location"].rpartition("/")[2]
    return _waited(service, asks, code, _seconds(prefer)) or accepted


class Accepting:
    """Takes in the work of a route, once and with a wait, as the headers of its request say."""

    def __init__(self, service: Served, once: Repeatable, prefer: Prefer = None) -> None:
        self._service, self._once, self._prefer = service, once, prefer

    def take(self, asks: Principal, work: Work | Callable[[Session], Work]) -> Response:
        """As `accept`."""
        return accept(self._service, self._once, asks, work, prefer=self._prefer)


Runs = Annotated[Accepting, Depends(Accepting)]
"""The parameter of a route whose work becomes a run."""


def told(session: Session, run: RunRecord) -> Run:
    """A run as it is told."""
    last = runs.last_progress(session, run) if run.last_seq > 1 else None
    return Run(
        code=run.code,
        kind=run.kind,
        state=run.state,
        actor=run.actor,
        accepted_at=run.accepted_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        cancel_asked_at=run.cancel_asked_at,
        last_event=run.last_seq,
        progress=Progressed(**last.data) if last else None,
    )


def result_of(service: Service, asks: Principal, code: str) -> Response | None:
    """What came of a run; None while it has not ended.

    Raises Fault `runs.run_unknown`, `runs.not_yours`, `runs.cancelled` for one that was stopped before it had anything,
    and the fault that ended it.
    """
    with service.store.reading() as session:
        run = runs.find(session, asks, code)
        outcome = runs.outcome(session, asks, run, key=service.store.key)
    if outcome is None:
        return None
    if outcome.fault is not None:
        raise outcome.fault
    if outcome.result is None:
        raise Fault("runs.cancelled", code)
    document = {
        "run": code,
        "state": str(run.state),
        "result": outcome.result,
        "files": list(outcome.files),
    }
    return Response(orjson.dumps(document), 200, {"Cache-Control": "no-store"}, "application/json")


def _waited(service: Service, asks: Principal, code: str, seconds: int) -> Response | None:
    """The result, if it comes in time."""
    if not seconds or not _WAITERS.acquire(blocking=False):
        return None
    try:
        until = time.monotonic() + seconds
        while True:
            found = result_of(service, asks, code)
            if found is not None:
                found.headers["Preference-Applied"] = f"wait={seconds}"
                found.headers["Location"] = f"/api/v1/runs/{code}"
                return found
            if time.monotonic() + _LOOK > until:
                return None
            time.sleep(_LOOK)
    finally:
        _WAITERS.release()


def _seconds(prefer: str | None) -> int:
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), LONGEST_WAIT) if found else 0
