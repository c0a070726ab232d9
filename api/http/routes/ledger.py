"""The ledger: entries, the ends of the chains with one anchor over them, and its verification."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.responses import Response

from api.http.accepting import Runs, Work, answers
from api.http.access import allowed
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.problems import language_of
from api.http.service import Served
from api.jobs.work.ledger import MOST_FAULTS, told
from expert_pool import ledger
from expert_pool.accounts.rights import Principal, Right
from expert_pool.registry import LedgerEntry, Organiser
from expert_pool.viewer import visible

router = APIRouter(prefix="/ledger", tags=["ledger"])
_Reader = Annotated[Principal, Depends(allowed(Right.LEDGER_READ))]
_Text = Annotated[str | None, Query(min_length=1, max_length=200)]
_ORDERS = {"id": Order((LedgerEntry.id,)), "-id": Order((LedgerEntry.id,), descending=True)}
_HASH = "c6c0a1d7e7a1a5d2f0b6d3a3a8f1f0a1b2c3d4e5f60718293a4b5c6d7e8f9012"


class Entry(BaseModel):
    """One entry: ids, names and hashes only, never personal data."""

    model_config = ConfigDict(extra="forbid")

    organiser: str = Field(examples=["HR"])
    sequence: int = Field(examples=[1])
    at: AwareDatetime
    actor: str = Field(examples=["office"])
    action: str = Field(examples=["record"])
    subject: str = Field(examples=["training/12"])
    payload_sha256: str = Field(examples=[_HASH])
    attested_sha256: str = Field(examples=[_HASH])
    previous_sha256: str = Field(examples=[_HASH])
    sha256: str = Field(examples=[_HASH])


class EntryPage(Page[Entry]):
    """A page of the ledger."""


class Head(BaseModel):
    """The last entry of one organiser's chain."""

    model_config = ConfigDict(extra="forbid")

    organiser: str = Field(examples=["HR"])
    sequence: int = Field(examples=[12])
    sha256: str = Field(examples=[_HASH])


class Heads(BaseModel):
    """The ends of the chains the caller may see, and the anchor over all there are."""

    model_config = ConfigDict(extra="forbid")

    anchor: str = Field(description="One hash over all chains, to be kept outside.", examples=[_HASH])
    heads: list[Head]


class Found(BaseModel):
    """One thing that is not as it was written."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["ledger.row_changed"])
    message: str
    organiser: str | None
    sequence: int | None
    table: str | None
    row: int | None


class Verification(BaseModel):
    """Whether everything is as it was written. Faults name the caller's own chains only; `elsewhere` counts others."""

    model_config = ConfigDict(extra="forbid")

    holds: bool
    entries: int
    anchor: str = Field(examples=[_HASH])
    faults: list[Found] = Field(description=f"The first {MOST_FAULTS}.")
    elsewhere: int


class ToVerify(BaseModel):
    """What to verify the ledger against, beside itself."""

    model_config = ConfigDict(extra="forbid")

    anchor: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="An anchor kept from an earlier day.",
        examples=[None],
    )


_Anchor = Annotated[
    str | None, Query(pattern="^[0-9a-f]{64}$", description="An anchor kept from an earlier day.")
]


@router.get("/entries", response_model=EntryPage, summary="账本: 条目 · entries")
def list_ledger_entries(
    asks: _Reader,
    service: Served,
    organiser: _Text = None,
    actor: _Text = None,
    action: _Text = None,
    subject: _Text = None,
    since: Annotated[date | None, Query(description="From this day on (UTC).")] = None,
    until: Annotated[date | None, Query(description="Up to and with this day (UTC).")] = None,
    sort: Literal["id", "-id"] = "-id",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Entries of the chains the caller may see, in the order of writing."""
    viewer = asks.viewer(Right.LEDGER_READ)
    columns = [getattr(LedgerEntry, name) for name in Entry.model_fields if name != "organiser"]
    statement = (
        select(LedgerEntry.id, Organiser.code.label("organiser"), *columns)
        .join(Organiser, Organiser.id == LedgerEntry.organiser_id)
        .where(*visible(viewer, LedgerEntry))
    )
    for column, value in (
        (Organiser.code, organiser),
        (LedgerEntry.actor, actor),
        (LedgerEntry.action, action),
        (LedgerEntry.subject, subject),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(LedgerEntry.at >= _moment(since, time.min))
    if until is not None:
        statement = statement.where(LedgerEntry.at <= _moment(until, time.max))
    asked = (organiser, actor, action, subject, since, until, sort)
    with service.store.reading() as session:
        return page_of(
            session,
            statement,
            _ORDERS[sort],
            lambda row: Entry.model_construct(**{name: row._mapping[name] for name in Entry.model_fields}),
            limit=limit,
            cursor=cursor,
            filters={str(n): value for n, value in enumerate(asked)} | {"of": "ledger"},
            keys=lambda row: [row.id],
            model=EntryPage,
        )


@router.get("/heads", response_model=Heads, summary="账本: 链头与锚值 · heads and anchor")
def get_ledger_heads(asks: _Reader, service: Served) -> Heads:
    """The last entry of each chain the caller may see, and the anchor to keep outside."""
    viewer = asks.viewer(Right.LEDGER_READ)
    with service.store.reading() as session:
        codes = dict(session.execute(select(Organiser.id, Organiser.code)).all())
    with service.store.session() as session:  # on PostgreSQL the heads wait for entries being written
        found = ledger.heads(session)
    return Heads(
        anchor=ledger.anchor_of(found),
        heads=[
            Head(organiser=codes.get(head.organiser_id, ""), sequence=head.sequence, sha256=head.sha256)
            for head in found
            if viewer.owns(head.organiser_id)
        ],
    )


@router.get("/verification", response_model=Verification, summary="账本: 核验 · verify")
def verify_ledger(asks: _Reader, service: Served, request: Request, anchor: _Anchor = None) -> Any:
    """Recompute every hash and compare every row with what was attested, in one snapshot. A large ledger is better
    verified as a run (POST)."""
    viewer = asks.viewer(Right.LEDGER_READ)
    with ledger.settled(service.store) as session:
        verdict = ledger.judge(session, anchor=anchor)
    return told(service.store, viewer, verdict, language_of(request))


@router.post(
    "/verification", summary="账本: 核验（后台任务）· verify in the background", **answers(Verification)
)
def begin_ledger_verification(asks: _Reader, runs: Runs, request: Request, sent: ToVerify) -> Response:
    """The same as a run: it says how far it is, can be stopped, and its result is the findings."""
    return runs.take(asks, Work("ledger.verify", {"anchor": sent.anchor, "lang": language_of(request)}))


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=UTC)
