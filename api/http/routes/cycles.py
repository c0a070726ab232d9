"""Cycles of re-evaluation: opened, computed and carried out step by step, ended."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.accepting import Model, Prefer, Run, RunResult, Work, accept
from api.http.access import allowed
from api.http.cycle_shapes import CycleDocument, cycle_document
from api.http.files import Purposed
from api.http.once import Answer, Once, Repeatable
from api.http.service import Served, Service
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from api.jobs.work.asks import Code, Reason
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.privacy.purposes import purpose_of
from expert_pool.reevaluation import cycle as cycles
from expert_pool.reevaluation.appraising import POLICY
from expert_pool.reevaluation.cycle.finding import find_cycle, held
from expert_pool.reevaluation.scheme import Scheme, read_scheme
from expert_pool.reevaluation.scheme_told import scheme_preset
from expert_pool.registry import CycleState
from expert_pool.viewer import Viewer
from solver.errors import Fault

router = APIRouter(prefix="/cycles", tags=["cycles"])

Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
Preparer = Annotated[Principal, Depends(allowed(Right.CYCLES_PREPARE))]
Decider = Annotated[Principal, Depends(allowed(Right.CYCLES_DECIDE))]
Exporter = Annotated[Principal, Depends(allowed(Right.EXPERTS_EXPORT))]
CycleCode = Annotated[str, Path(max_length=200, examples=["P1-20261120"])]


SCHEME = "own-default"


class CycleAsk(Model):
    """A cycle for a pool: as of which day (default today), by which scheme: one that comes with the package (default
    `own-default`), or one's own as text."""

    pool: Code
    as_of: date | None = None
    scheme: Code | None = Field(default=None, examples=["own-default"])
    scheme_text: str | None = Field(default=None, max_length=1_000_000)
    policy: Code = Field(default=POLICY, examples=[POLICY])

    def read(self) -> Scheme:
        """The scheme meant. Raises Fault as `scheme_preset` and `read_scheme`, and `cycle.two_schemes`."""
        if self.scheme_text is None:
            return scheme_preset(self.scheme or SCHEME)
        if self.scheme is not None:
            raise Fault("cycle.two_schemes", "scheme")
        return read_scheme(self.scheme_text.encode("utf-8", "surrogatepass"), "scheme")


class MeasuringAsk(Model):
    """How the measurement behind a computation is made: bootstrap replications (0, or 20 and more) and a seed."""

    replications: int = Field(default=0, ge=0, le=10_000)
    seed: int = Field(default=0, ge=0, lt=2**53)


class WhyAsk(Model):
    """Why."""

    reason: Reason


class LettersAsk(Purposed):
    """Which letters, and what for."""

    kind: Literal["proposal", "decision", "appeal"] | None = None


class CycleList(Model):
    """Cycles, the latest first."""

    items: list[CycleDocument]


class StepDone(Model):
    """What a step moved, and the cycle then."""

    done: int
    cycle: CycleDocument


class CycleVerified(Model):
    """Whether a cycle computed again from what it kept gives what it gave."""

    same: bool


class LettersWritten(Model):
    """Letters as one archive: how many, and the serial number of their watermark."""

    letters: int
    serial: str | None
    file: str | None


def answers(model: Any) -> dict[str, Any]:
    """How a route describes that it answers with a run, or with its result."""
    result: Any = RunResult[model]
    come = {"model": result, "description": "The result, where it came within the time of `Prefer: wait=N`."}
    return {"status_code": 202, "response_model": Run, "responses": {200: come, 409: openapi.CHANGES[409]}}


@router.get("", response_model=CycleList)
def list_cycles(
    asks: Reader,
    service: Served,
    pool: Annotated[str | None, Query(max_length=200)] = None,
    state: Annotated[CycleState | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CycleList:
    """The cycles there are."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with service.store.reading() as session:
        found = cycles.list_(session, viewer, pool=pool, state=state, most=limit)
    return CycleList(items=[cycle_document(view) for view in found])


@router.post("", response_model=CycleDocument, status_code=201, responses=openapi.CHANGES)
def open_cycle(sent: CycleAsk, asks: Preparer, service: Served, once: Repeatable) -> Response:
    """Open a cycle; the same question again names the same cycle."""
    viewer, scheme = asks.viewer(Right.CYCLES_PREPARE), sent.read()

    def work(session: Session) -> Answer:
        on = sent.as_of or clock.today()
        code = cycles.open_(session, viewer, sent.pool, scheme, on, policy=sent.policy)
        return _told(session, viewer, code, 201)

    return once.write(service, asks, work)


@router.get("/{cycle}", response_model=CycleDocument)
def show_cycle(cycle: CycleCode, asks: Reader, service: Served, response: Response) -> CycleDocument:
    """One cycle."""
    with service.store.reading() as session:
        found = cycle_document(cycles.show(session, asks.viewer(Right.EXPERTS_READ), cycle))
    put_etag(response, found)
    return found


@router.post("/{cycle}/computation", **answers(CycleDocument))
def compute_cycle(
    cycle: CycleCode,
    sent: MeasuringAsk,
    asks: Preparer,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """Appraise the pool and keep a case for everybody for whom something is proposed. Done already: nothing changes."""
    return _run(service, once, asks, cycle, "cycle.compute", Right.CYCLES_PREPARE, prefer, sent.model_dump())


@router.post("/{cycle}/verification", **answers(CycleVerified))
def verify_cycle(
    cycle: CycleCode, asks: Reader, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Compute a cycle again from what it kept, and compare. Nothing is changed."""
    return _run(service, once, asks, cycle, "cycle.verify", Right.EXPERTS_READ, prefer)


@router.post("/{cycle}/notices", **answers(StepDone))
def notify_cycle(
    cycle: CycleCode, asks: Preparer, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Tell everybody who was not told yet what is proposed, and until when they may answer."""
    return _run(service, once, asks, cycle, "cycle.notify", Right.CYCLES_PREPARE, prefer)


@router.post("/{cycle}/unanswered", **answers(StepDone))
def decide_unanswered_cases(
    cycle: CycleCode, asks: Decider, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Decide as proposed, as the first person, all cases whose time is over and whose experts said nothing."""
    return _run(service, once, asks, cycle, "cycle.decide", Right.CYCLES_DECIDE, prefer)


@router.post("/{cycle}/execution", **answers(StepDone))
def execute_cycle(
    cycle: CycleCode, asks: Preparer, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Write what two people decided as records, and tell the experts."""
    return _run(service, once, asks, cycle, "cycle.execute", Right.CYCLES_PREPARE, prefer)


@router.post("/{cycle}/letters", **answers(LettersWritten))
def write_cycle_letters(
    cycle: CycleCode,
    sent: LettersAsk,
    asks: Exporter,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """Every letter that is due, in both languages, as one archive with a watermark."""
    params = {"kind": sent.kind, "purpose": purpose_of(sent.purpose)}
    return _run(service, once, asks, cycle, "cycle.letters", Right.EXPERTS_EXPORT, prefer, params)


@router.post("/{cycle}/closing", response_model=CycleDocument, responses=openapi.CHANGES)
def close_cycle(
    cycle: CycleCode, asks: Preparer, service: Served, once: Repeatable, if_match: IfMatch = None
) -> Response:
    """End a cycle in which nothing is left to do and no time to appeal runs."""
    viewer = asks.viewer(Right.CYCLES_PREPARE)

    def work(session: Session) -> Answer:
        _match(session, viewer, cycle, if_match)
        cycles.close(session, viewer, cycle)
        return _told(session, viewer, cycle, 200)

    return once.write(service, asks, work)


@router.post("/{cycle}/dropping", response_model=CycleDocument, responses=openapi.CHANGES)
def drop_cycle(
    cycle: CycleCode,
    sent: WhyAsk,
    asks: Preparer,
    service: Served,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """End a cycle of which nobody was told yet."""
    viewer = asks.viewer(Right.CYCLES_PREPARE)

    def work(session: Session) -> Answer:
        _match(session, viewer, cycle, if_match)
        cycles.drop(session, viewer, cycle, sent.reason)
        return _told(session, viewer, cycle, 200)

    return once.write(service, asks, work)


def _run(
    service: Service,
    once: Once,
    asks: Principal,
    code: str,
    kind: str,
    right: Right,
    prefer: str | None,
    params: dict[str, Any] | None = None,
) -> Response:
    viewer = asks.viewer(right)

    def work(session: Session) -> Work:
        found = find_cycle(session, viewer, code)
        viewer.require(found.organiser_id)
        return Work(kind, {"cycle": code, **(params or {})}, organiser_id=found.organiser_id)

    return accept(service, once, asks, work, prefer=prefer)


def _match(session: Session, viewer: Viewer, code: str, if_match: str | None) -> None:
    held(session, viewer, code)
    require_match(if_match, etag_of(cycle_document(cycles.show(session, viewer, code))))


def _told(session: Session, viewer: Viewer, code: str, status: int) -> Answer:
    found = cycle_document(cycles.show(session, viewer, code))
    return Answer(
        found, status, {"ETag": etag_of(found), "Location": f"/api/v1/cycles/{quote(code, safe='')}"}
    )
