"""Personal data: looks at sealed fields, exports and where files came from, retention."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Select, select
from starlette.responses import Response

from api.http.accepting import Runs, Work, answers
from api.http.access import allowed
from api.http.openapi import CHANGES
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.service import Served
from expert_pool.accounts.rights import Principal, Right
from expert_pool.privacy import exports, looking, retention, scores_given
from expert_pool.privacy.watermark import SERIAL
from expert_pool.registry import Expert, Export, Look, Organiser
from expert_pool.viewer import visible

router = APIRouter(prefix="/privacy", tags=["privacy"])

_Unmasker = Annotated[Principal, Depends(allowed(Right.EXPERTS_UNMASK))]
_Auditor = Annotated[Principal, Depends(allowed(Right.LEDGER_READ))]
_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Writer = Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))]
_Operator = Annotated[Principal, Depends(allowed(Right.SERVICE_OPERATE))]
_NAME = r"^[^\x00-\x1f\x7f]+$"
_TEXT = r"^[^\x00]*$"
_Code = Annotated[str, InPath(min_length=1, max_length=129, pattern=_NAME)]
_Purpose = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        pattern=_TEXT,
        description="What for: stands on the ledger.",
        examples=["电话通知开会"],
    ),
]
_SHA256 = "^[0-9a-fA-F]{64}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UnmaskAsk(Model):
    """Which sealed fields to show, and what for."""

    fields: list[Literal["national_id", "phone"]] = Field(min_length=1, max_length=2, examples=[["phone"]])
    purpose: _Purpose


class Unmasked(Model):
    """Sealed fields in clear; null for what the registry does not hold, or was not asked for."""

    expert: str = Field(examples=["E01"])
    national_id: str | None = None
    phone: str | None = Field(default=None, examples=["13900000001"])


class ScoresAsk(Model):
    """What the scores somebody gave are looked at for."""

    purpose: _Purpose


class ScoreGiven(Model):
    """One score on a scale of `low`..`high`. `stands`: not taken back or corrected since."""

    case: str = Field(examples=["K1"])
    criterion: str = Field(examples=["C-WORK"])
    name: str = Field(examples=["工作业绩"])
    score: int
    low: int
    high: int
    source: str = Field(examples=["score_sheet"])
    holds_on: date
    recorded_at: AwareDatetime
    organiser: str = Field(examples=["HR"])
    stands: bool


class ScoresGiven(Model):
    """The written scores of one expert that the caller's organisers hold."""

    expert: str = Field(examples=["E01"])
    items: list[ScoreGiven]


class LookTold(Model):
    """One look at sealed fields."""

    expert: str = Field(examples=["E01"])
    organiser: str = Field(examples=["HR"])
    at: AwareDatetime
    actor: str = Field(examples=["pool-office"])
    fields: list[str] = Field(examples=[["phone"]])
    purpose: str


class LookPage(Page[LookTold]):
    """A page of looks, the latest first."""


class ExportedFile(Model):
    """One file that left."""

    name: str = Field(examples=["experts.csv"])
    sha256: str
    size: int


class ExportTold(Model):
    """One export; `finished_at` null: it was begun only, and something may have left."""

    serial: str = Field(examples=["X7F3A-91C2-0B4D"])
    organiser: str
    at: AwareDatetime
    actor: str
    purpose: str
    content: str = Field(examples=["tables"])
    form: str = Field(examples=["xlsx"])
    finished_at: AwareDatetime | None
    files: list[ExportedFile]


class ExportPage(Page[ExportTold]):
    """A page of exports, the latest first."""


class PeriodTold(Model):
    """How long one kind stays; neither years nor days: no text says, and nothing is done by itself."""

    kind: str
    does: str
    years: int | None
    days: int | None
    instrument: str
    at: str | None
    status: str
    note: dict[str, str]


class RetentionTold(Model):
    """The retention rules in force here."""

    two_people: bool
    periods: list[PeriodTold]


class RetentionAsk(Model):
    """A run of the retention rules."""

    dry_run: bool = Field(default=True, description="Only say what is over.")


class RetentionDone(Model):
    """What the retention rules did, or in a dry run would do: codes of experts, and counts of rows."""

    dry_run: bool
    proposed: list[str] = Field(description="Experts whose erasure is proposed to a second person.")
    erased: list[str]
    held: list[str] = Field(description="Experts who are due, but for something that is still in force.")
    purposes: int
    notes: int
    sessions: int
    notices: int
    unstated: list[str] = Field(description="Kinds for which no period is stated.")


@router.post("/experts/{code}/looks", response_model=Unmasked, summary="查看原文 · unmask")
def unmask_expert(code: _Code, asks: _Unmasker, service: Served, body: UnmaskAsk) -> Unmasked:
    """Show sealed fields of one expert of the caller's pools in clear. The look is on the ledger before the answer."""
    viewer = asks.viewer(Right.EXPERTS_UNMASK)
    with service.store.session() as session:
        shown = looking.unmask(session, viewer, service.store.key, code, set(body.fields), body.purpose)
    return Unmasked(expert=code, **shown)


@router.post("/experts/{code}/score-looks", response_model=ScoresGiven, summary="查看评分 · scores given")
def look_at_scores(code: _Code, asks: _Unmasker, service: Served, body: ScoresAsk) -> Any:
    """The written scores one expert of the caller's pools gave. The look is on the ledger before the answer."""
    viewer = asks.viewer(Right.EXPERTS_UNMASK)
    with service.store.session() as session:
        found = scores_given.look_at_scores(session, viewer, code, body.purpose)
    return {"expert": code, "items": [asdict(one) for one in found]}


@router.get("/looks", response_model=LookPage, summary="查阅记录 · looks")
def list_looks(
    asks: _Auditor,
    service: Served,
    expert: Annotated[str | None, Query(min_length=1, max_length=129, pattern=_NAME)] = None,
    actor: Annotated[str | None, Query(min_length=1, max_length=200, pattern=_NAME)] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Who looked at sealed fields, when, and what for."""
    viewer = asks.viewer(Right.LEDGER_READ)
    statement: Any = (
        select(Look, Expert.code.label("code"), Organiser.code.label("organiser"), Look.id.label("id"))
        .join(Expert, Expert.id == Look.expert_id)
        .join(Organiser, Organiser.id == Look.organiser_id)
        .where(*visible(viewer, Look))
    )
    if expert is not None:
        statement = statement.where(Expert.code == expert)
    if actor is not None:
        statement = statement.where(Look.actor == actor)
    with service.store.reading() as session:
        return page_of(
            session,
            statement,
            Order((Look.id,), descending=True),
            _look,
            limit=limit,
            cursor=cursor,
            filters={"expert": expert, "actor": actor},
            keys=lambda row: [row.id],
            model=LookPage,
        )


@router.get("/exports", response_model=ExportPage, summary="导出记录 · exports")
def list_exports(
    asks: _Auditor,
    service: Served,
    sha256: Annotated[
        str | None, Query(pattern=_SHA256, description="Of a file: which export it left by.")
    ] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Exports with purpose, serial number and the hashes of their files."""
    viewer = asks.viewer(Right.LEDGER_READ)
    statement: Select[Any] = select(Export).where(*visible(viewer, Export))
    if sha256 is not None:
        statement = statement.where(Export.id.in_(exports.holding(sha256)))
    with service.store.reading() as session:
        return page_of(
            session,
            statement,
            Order((Export.id,), descending=True),
            lambda row: _export(exports.exported(session, row.Export)),
            limit=limit,
            cursor=cursor,
            filters={"sha256": sha256},
            keys=lambda row: [row.Export.id],
            model=ExportPage,
        )


@router.get("/exports/{serial}", response_model=ExportTold, summary="导出 · one export")
def get_export(
    serial: Annotated[str, InPath(pattern=f"^{SERIAL.pattern}$")], asks: _Auditor, service: Served
) -> ExportTold:
    """The export that a serial number in a file names."""
    viewer = asks.viewer(Right.LEDGER_READ)
    with service.store.reading() as session:
        return _export(exports.find_export(session, viewer, serial))


@router.get("/retention", response_model=RetentionTold, summary="保存期限 · retention")
def get_retention(asks: _Reader, service: Served) -> RetentionTold:
    """How long what stays, and on what basis."""
    rules = retention.load_retention()
    periods = [
        PeriodTold(
            kind=kind,
            does=period.does,
            years=period.years,
            days=period.days,
            instrument=period.basis.instrument,
            at=period.basis.at,
            status=str(period.basis.status),
            note=dict(period.note),
        )
        for kind, period in rules.kinds.items()
    ]
    return RetentionTold(two_people=rules.two_people, periods=periods)


@router.post("/retention/runs", summary="执行到期处理 · run retention", **answers(RetentionDone, CHANGES))
def run_retention(asks: _Operator, runs: Runs, body: RetentionAsk) -> Response:
    """Let go what is over, in the background; a dry run only says what."""
    return runs.take(asks, Work("privacy.retention", {"dry_run": body.dry_run}))


def _look(row: Any) -> LookTold:
    return LookTold(
        expert=row.code,
        organiser=row.organiser,
        at=row.Look.at,
        actor=row.Look.actor,
        fields=row.Look.fields.split(),
        purpose=row.Look.purpose,
    )


def _export(found: exports.Exported) -> ExportTold:
    return ExportTold(**asdict(found))
