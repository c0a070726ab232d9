"""The own record: what an expert reads about themselves, and answers. Never other people's data, and no sealed panel
before its time."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.access import allowed
from api.http.once import Answer, Repeatable
from api.http.openapi import CHANGES
from api.http.problems import language_of
from api.http.routes.privacy import ScoreGiven
from api.http.service import Served
from expert_pool.accounts.rights import Principal, Right
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import load
from expert_pool.privacy import answering, erasure, own_record
from expert_pool.registry import Gender, RelationKind
from expert_pool.viewer import Viewer
from expert_pool.words import say
from solver.errors import Fault

router = APIRouter(prefix="/own-record", tags=["own record"])
Asks = Annotated[Principal, Depends(allowed(Right.OWN_RECORD))]

_Code = Annotated[str, Field(min_length=1, max_length=129, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Text = Annotated[str, Field(max_length=answering.LONGEST, pattern=r"^[^\x00]*$")]
_Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OwnReply(Model):
    """An answer given to a record."""

    id: int
    at: AwareDatetime
    text: str = Field(examples=["当日因病请假，已交假条。"])


class OwnEntry(Model):
    """One record about the expert. `withheld` names the fields left out because they tell of somebody else."""

    table: str = Field(examples=["credit"])
    id: int = Field(examples=[12])
    holds_on: date
    recorded_at: AwareDatetime
    recorded_by: str = Field(examples=["office"])
    organiser: str = Field(examples=["HR"])
    corrects: int | None
    stands: bool
    fields: dict[str, Any] = Field(examples=[{"event": "缺席", "points": -10}])
    withheld: list[str]
    replies: list[OwnReply]


class OwnRecord(Model):
    """Who the registry takes the expert to be, and every record about them."""

    code: str = Field(examples=["E01"])
    name: str = Field(examples=["专家1（虚构）"])
    gender: Gender | None
    born: date | None
    region: str = Field(examples=["220000"])
    national_id: str | None = Field(examples=["220101************"])
    phone: str | None = Field(examples=["139******01"])
    records: list[OwnEntry]
    scores: list[ScoreGiven]
    erasure: str | None = Field(description="How the latest request to erase stands.", examples=[None])


class OwnReason(Model):
    """Why the expert may or may not sit."""

    code: str = Field(examples=["standing.passes"])
    message: str
    bars: bool
    basis: str
    basis_status: str | None


class OwnStanding(Model):
    """How the expert stands with one committee; load and the calendar of the day are left out."""

    committee: str = Field(examples=["C1"])
    name: str
    policy: str
    on: date
    state: str = Field(examples=["active"])
    may_sit: bool
    reasons: list[OwnReason]


class OwnStandings(Model):
    items: list[OwnStanding]


class OwnLook(Model):
    """Somebody who saw something of the expert."""

    at: AwareDatetime
    actor: str = Field(examples=["pool-office"])
    organiser: str = Field(examples=["HR"])
    kind: Literal["unmasked", "exported", "seals_opened"]
    what: str = Field(examples=["phone"])
    purpose: str = Field(examples=["电话通知开会"])


class OwnLooks(Model):
    items: list[OwnLook]


class ReplyAsk(Model):
    """An answer to one record."""

    table: str = Field(pattern="^[a-z_]{1,64}$", examples=["credit"])
    id: int = Field(ge=1, le=2**31 - 1, examples=[12])
    text: _Text = Field(min_length=1)


class AbsenceAsk(Model):
    """A time in which the expert cannot come."""

    since: _Day
    until: _Day
    reason: _Text = ""
    organiser: _Code | None = Field(default=None, description="Default: the one of the latest pool.")


class RelationAsk(Model):
    """A relation with one other party, named by its code."""

    kind: RelationKind
    party: Literal["expert", "applicant", "employer", "case"]
    code: _Code
    since: _Day | None = None
    until: _Day | None = None
    organiser: _Code | None = None


class ErasureAsk(Model):
    """Why the data should go; may be empty."""

    note: _Text = ""


class Told(Model):
    """What was written down."""

    table: str = Field(examples=["absence"])
    id: int
    recorded_at: AwareDatetime


class ErasureTold(Model):
    """A request to erase, as it stands."""

    code: str
    state: str = Field(examples=["proposed"])
    proposed_at: AwareDatetime


@router.get("", response_model=OwnRecord, summary="本人档案 · own record")
def get_own_record(asks: Asks, service: Served) -> Any:
    """Everything recorded about the expert, whichever organiser wrote it; personal numbers masked."""
    with service.store.reading() as session:
        return own_record.own_record(session, service.store.key, _expert(asks))


@router.post("/copies", response_model=OwnRecord, summary="本人档案副本 · copy")
def copy_own_record(asks: Asks, service: Served) -> Any:
    """A copy with personal numbers in clear; that it was taken is on the ledger."""
    viewer, expert_id = _viewer(asks), _expert(asks)
    with service.store.session() as session:
        return own_record.own_copy(session, viewer, service.store.key, expert_id)


@router.get("/standings", response_model=OwnStandings, summary="本人资格 · own standing")
def list_own_standings(
    asks: Asks,
    service: Served,
    request: Request,
    on: Annotated[date | None, Query(ge=date(1950, 1, 1), le=date(2200, 1, 1))] = None,
) -> OwnStandings:
    """How the expert stands with each committee of their pools on a day, and why."""
    lang = language_of(request)
    with service.store.reading() as session:
        found = own_record.own_standings(session, _expert(asks), load(DEFAULT_POLICY), on)
    return OwnStandings(items=[_standing(each, lang) for each in found])


@router.get("/looks", response_model=OwnLooks, summary="谁看过 · who looked")
def list_own_looks(asks: Asks, service: Served) -> Any:
    """Who saw sealed fields in clear, took an export with the expert in it, or opened a panel's seal early."""
    with service.store.reading() as session:
        return {"items": own_record.who_looked(session, _expert(asks))}


@router.post("/replies", response_model=Told, status_code=201, responses=CHANGES, summary="答复 · reply")
def reply_to_record(asks: Asks, service: Served, once: Repeatable, body: ReplyAsk) -> Response:
    """Answer a record; the answer stands beside it for everybody who may see it, and changes nothing by itself."""
    viewer, expert_id = _viewer(asks), _expert(asks)

    def work(session: Session) -> Answer:
        row = answering.reply(session, viewer, expert_id, body.table, body.id, body.text)
        return _told("reply", row)

    return once.write(service, asks, work)


@router.post("/absences", response_model=Told, status_code=201, responses=CHANGES, summary="请假 · absence")
def declare_own_absence(asks: Asks, service: Served, once: Repeatable, body: AbsenceAsk) -> Response:
    """Say that one cannot come in a time."""
    viewer, expert_id = _viewer(asks), _expert(asks)

    def work(session: Session) -> Answer:
        row = answering.declare_absence(
            session,
            viewer,
            expert_id,
            since=body.since,
            until=body.until,
            reason=body.reason,
            organiser=body.organiser,
        )
        return _told("absence", row)

    return once.write(service, asks, work)


@router.post(
    "/relations", response_model=Told, status_code=201, responses=CHANGES, summary="申报关系 · relation"
)
def declare_own_relation(asks: Asks, service: Served, once: Repeatable, body: RelationAsk) -> Response:
    """Declare a relation that committees must know of. Nothing about the other party is told."""
    viewer, expert_id = _viewer(asks), _expert(asks)

    def work(session: Session) -> Answer:
        row = answering.declare_relation(
            session,
            viewer,
            expert_id,
            kind=body.kind,
            party=body.party,
            code=body.code,
            since=body.since,
            until=body.until,
            organiser=body.organiser,
        )
        return _told("relation", row)

    return once.write(service, asks, work)


@router.post(
    "/erasures",
    response_model=ErasureTold,
    status_code=201,
    responses=CHANGES,
    summary="申请删除 · ask to erase",
)
def ask_own_erasure(asks: Asks, service: Served, once: Repeatable, body: ErasureAsk) -> Response:
    """Ask for one's personal data to be erased; the pool's managers decide, and holds are told to them."""
    viewer, expert_id = _viewer(asks), _expert(asks)

    def work(session: Session) -> Answer:
        row = erasure.propose_own(session, viewer, expert_id, body.note)
        told = ErasureTold(code=row.code, state=str(row.state), proposed_at=row.proposed_at)
        return Answer(told, 201)

    return once.write(service, asks, work)


def _expert(asks: Principal) -> int:
    if asks.expert_id is None:
        raise Fault("own_record.expert_unknown", asks.actor)
    return asks.expert_id


def _viewer(asks: Principal) -> Viewer:
    """Somebody who acts for themselves: the functions behind write into the organiser's chain that is concerned."""
    return Viewer.system(asks.actor)


def _told(table: str, row: Any) -> Answer:
    return Answer(Told(table=table, id=row.id, recorded_at=row.recorded_at), 201)


def _standing(found: own_record.OwnStanding, lang: str) -> OwnStanding:
    reasons = [
        OwnReason(
            code=reason.code,
            message=say(reason.code, lang, **reason.params),
            bars=reason.bars,
            basis=reason.basis,
            basis_status=reason.basis_status,
        )
        for reason in found.reasons
    ]
    return OwnStanding(
        committee=found.committee,
        name=found.name,
        policy=found.policy,
        on=found.on,
        state=found.state,
        may_sit=found.may_sit,
        reasons=reasons,
    )
