"""Erasing personal data: what it would do, asking for it, carrying it out by a second person, or turning it down."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.access import allowed
from api.http.once import Answer, Repeatable
from api.http.openapi import CHANGES
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from expert_pool.accounts.rights import Principal, Right
from expert_pool.privacy import erasure as erasing
from expert_pool.privacy import retention
from expert_pool.registry import Erasure, ErasureBasis, ErasureState, Expert
from expert_pool.viewer import visible

router = APIRouter(prefix="/privacy", tags=["privacy"])

_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Writer = Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))]
_NAME = r"^[^\x00-\x1f\x7f]+$"
_TEXT = r"^[^\x00]*$"
_Code = Annotated[str, InPath(min_length=1, max_length=129, pattern=_NAME)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErasurePlanTold(Model):
    """What an erasure would do today: rows by table, and what it must wait for."""

    expert: str
    rows: dict[str, int] = Field(examples=[{"expert": 1, "membership": 2}])
    keeps_mark: bool = Field(description="A ban is in force: the mark of the national ID stays.")
    holds: list[str] = Field(examples=[["privacy.hold_member"]])


class ErasureAsked(Model):
    """Whose data are to go, and who asked for it."""

    expert: str = Field(min_length=1, max_length=129, pattern=_NAME, examples=["E12"])
    note: str = Field(default="", max_length=2000, pattern=_TEXT)


class Refusal(Model):
    why: str = Field(min_length=1, max_length=2000, pattern=_TEXT)


class ErasureDocument(Model):
    """An erasure and how it stands."""

    code: str
    expert: str
    state: ErasureState
    basis: ErasureBasis
    note: str
    proposed_at: AwareDatetime
    proposed_by: str
    decided_at: AwareDatetime | None
    decided_by: str | None


class ErasurePage(Page[ErasureDocument]):
    """A page of erasures, the latest first."""


@router.get(
    "/experts/{code}/erasure", response_model=ErasurePlanTold, summary="删除试算 · what erasing would do"
)
def plan_erasure(code: _Code, asks: _Writer, service: Served) -> ErasurePlanTold:
    """What erasing an expert's personal data would do today, and what it must wait for. Nothing is changed."""
    viewer = asks.viewer(Right.EXPERTS_WRITE)
    with service.store.reading() as session:
        found = erasing.plan(session, viewer, code, retention.load_retention())
    return ErasurePlanTold(
        expert=code, rows=found.counts, keeps_mark=found.keeps_mark, holds=[hold.code for hold in found.holds]
    )


@router.get("/erasures", response_model=ErasurePage, summary="删除申请 · erasures")
def list_erasures(
    asks: _Reader,
    service: Served,
    state: ErasureState | None = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Erasures asked for, done and refused."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    statement: Select[Any] = select(Erasure).where(*visible(viewer, Erasure))
    if state is not None:
        statement = statement.where(Erasure.state == state)
    with service.store.reading() as session:
        return page_of(
            session,
            statement,
            Order((Erasure.id,), descending=True),
            lambda row: _document(session, row.Erasure),
            limit=limit,
            cursor=cursor,
            filters={"state": state},
            keys=lambda row: [row.Erasure.id],
            model=ErasurePage,
        )


@router.post(
    "/erasures",
    response_model=ErasureDocument,
    status_code=201,
    responses=CHANGES,
    summary="提出删除 · propose",
)
def propose_erasure(asks: _Writer, service: Served, once: Repeatable, body: ErasureAsked) -> Response:
    """Propose to erase an expert's personal data. Somebody else confirms it, where the retention rules say so."""
    viewer = asks.viewer(Right.EXPERTS_WRITE)

    def work(session: Session) -> Answer:
        row = erasing.propose(session, viewer, body.expert, basis=ErasureBasis.REQUEST, note=body.note)
        return _answer(session, row, 201)

    return once.write(service, asks, work)


@router.get("/erasures/{code}", response_model=ErasureDocument, summary="删除申请 · one erasure")
def get_erasure(code: _Code, asks: _Reader, service: Served, response: Response) -> ErasureDocument:
    """One erasure."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with service.store.reading() as session:
        row = erasing.find_erasure(session, viewer, code)
        put_etag(response, row)
        return _document(session, row)


@router.post(
    "/erasures/{code}/confirmation",
    response_model=ErasureDocument,
    responses=CHANGES,
    summary="确认 · confirm",
)
def confirm_erasure(
    code: _Code, asks: _Writer, service: Served, once: Repeatable, if_match: IfMatch = None
) -> Response:
    """Carry a proposed erasure out: what is personal goes, and the ledger says so."""
    viewer = asks.viewer(Right.EXPERTS_WRITE)

    def work(session: Session) -> Answer:
        require_match(if_match, etag_of(erasing.held_erasure(session, viewer, code)))
        return _answer(session, erasing.confirm(session, viewer, code, retention.load_retention()), 200)

    return once.write(service, asks, work)


@router.post(
    "/erasures/{code}/refusal", response_model=ErasureDocument, responses=CHANGES, summary="驳回 · refuse"
)
def refuse_erasure(
    code: _Code, asks: _Writer, service: Served, once: Repeatable, body: Refusal, if_match: IfMatch = None
) -> Response:
    """Turn a proposed erasure down, with the reason."""
    viewer = asks.viewer(Right.EXPERTS_WRITE)

    def work(session: Session) -> Answer:
        require_match(if_match, etag_of(erasing.held_erasure(session, viewer, code)))
        return _answer(session, erasing.refuse(session, viewer, code, body.why), 200)

    return once.write(service, asks, work)


def _document(session: Session, row: Erasure) -> ErasureDocument:
    expert = session.scalar(select(Expert.code).where(Expert.id == row.expert_id))
    return ErasureDocument(
        code=row.code,
        expert=expert or "",
        state=row.state,
        basis=row.basis,
        note=row.note,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )


def _answer(session: Session, row: Erasure, status: int) -> Answer:
    session.flush()
    session.refresh(row)
    return Answer(_document(session, row), status, {"ETag": etag_of(row)})
