"""Background work: the own runs, how far they are, what came of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from api.http import openapi, paging
from api.http.accepting import Model, Run, RunResult, result_of, told
from api.http.access import allowed
from api.http.events import LastEventId, Looked, event_stream, json_line
from api.http.files import FILE, attached
from api.http.paging import USUAL, Cursor, Limit, Page
from api.http.problems import Problem
from api.http.service import Served
from expert_pool import runs
from expert_pool.accounts.rights import Principal, Right
from expert_pool.registry import RunState
from expert_pool.runs.turning import ENDED
from solver.errors import Fault

router = APIRouter(prefix="/runs", tags=["runs"])

Reader = Annotated[Principal, Depends(allowed(Right.RUNS_READ))]
MOST_EVENTS = 500
"""So many events are read at a time."""
RunCode = Annotated[str, Path(max_length=40, examples=["RQ3W4M7ZK5T2ABCDE"])]


class RunFiles(Model):
    """The files a run made."""

    items: list[str]


@router.get("", response_model=Page[Run])
def list_runs(
    asks: Reader,
    service: Served,
    state: Annotated[RunState | None, Query()] = None,
    kind: Annotated[str | None, Query(max_length=100, examples=["panel.request"])] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[Run]:
    """The own runs, newest first."""
    mark = paging.mark_of({"state": state, "kind": kind})
    before = _before(cursor, mark)
    with service.store.reading() as session:
        found = runs.list_runs(
            session, asks, own=True, state=state, kind=kind, before=before, limit=limit + 1
        )
        items = [told(session, run) for run in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next=paging.write(mark, [found[limit - 1].id]) if more else None)


@router.get("/{run}", response_model=Run)
def show_run(run: RunCode, asks: Reader, service: Served) -> Run:
    """One run."""
    with service.store.reading() as session:
        return told(session, runs.find(session, asks, run))


@router.get(
    "/{run}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Events as they happen: `id` counts from 1, `event` is the kind (queued, started, progress, "
            "incumbent, handed_back, taken_over, done, failed, cancelled), `data` is JSON. Ends with the run.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
def stream_run_events(
    run: RunCode, asks: Reader, service: Served, last: LastEventId = None
) -> StreamingResponse:
    """What happens to a run, as it happens (server-sent events). Sent again with `Last-Event-ID`, the stream goes on
    where it was cut off."""
    with service.store.reading() as session:
        runs.find(session, asks, run)

    def look(after: int) -> Looked:
        with service.store.reading() as session:
            found = runs.find(session, asks, run)
            happened = runs.events(session, found, after=after, limit=MOST_EVENTS)
            over = found.state in ENDED and len(happened) < MOST_EVENTS
        return [(one.seq, one.kind, json_line({"at": one.at, **one.data})) for one in happened], over

    return event_stream(look, after=int(last or 0))


@router.post(
    "/{run}/cancellation",
    response_model=Run,
    status_code=202,
    responses=openapi.CHANGES,
)
def cancel_run(run: RunCode, asks: Reader, service: Served) -> Run:
    """Stop a run. One that waits never starts; one under way stops within moments and keeps the best it has; one that
    ended stays as it is."""
    with service.store.session() as session:
        answer = told(session, runs.cancel(session, asks, run))
    service.jobs.cancel(run)
    return answer


@router.get(
    "/{run}/result",
    response_model=RunResult[dict[str, Any]],
    responses={
        409: {"model": Problem, "description": "It has not ended, or was stopped before it had anything."}
    },
)
def show_run_result(run: RunCode, asks: Reader, service: Served) -> Response:
    """What came of a run that was asked for by the caller; of one that failed, the problem that ended it."""
    found = result_of(service, asks, run)
    if found is None:
        raise Fault("runs.not_ended", run)
    return found


@router.get("/{run}/files", response_model=RunFiles)
def list_run_files(run: RunCode, asks: Reader, service: Served) -> RunFiles:
    """The files a run made; none while it has not ended."""
    with service.store.reading() as session:
        outcome = runs.outcome(session, asks, runs.find(session, asks, run), key=service.store.key)
    return RunFiles(items=list(outcome.files) if outcome else [])


@router.get("/{run}/files/{name}", response_class=Response, responses=FILE)
def fetch_run_file(
    run: RunCode, name: Annotated[str, Path(max_length=200)], asks: Reader, service: Served
) -> Response:
    """A file that a run made."""
    with service.store.reading() as session:
        file = runs.made_file(session, asks, runs.find(session, asks, run), name, key=service.store.key)
    return attached(file.content, file.name, file.media_type)


def _before(cursor: str | None, mark: str) -> int | None:
    if cursor is None:
        return None
    values = paging.read(cursor, mark)
    if len(values) != 1 or not isinstance(values[0], int) or not 0 < values[0] < 2**63:
        raise Fault("paging.cursor", "cursor")
    return values[0]
