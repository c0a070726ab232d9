"""What a pool looks like on a day: its health, a report on everybody, two schemes side by side, failures to recuse. Nothing
is recorded by any of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Model, Prefer, Work, accept
from api.http.files import Purposed
from api.http.once import Once, Repeatable
from api.http.routes.cycles import Exporter, Reader, answers
from api.http.service import Served, Service
from api.jobs.work.asks import Code
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.privacy.purposes import purpose_of
from expert_pool.reevaluation.appraising import find_pool
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.reevaluation.health.document import Health
from expert_pool.reevaluation.scheme_told import SchemeBrief, scheme_preset
from solver.errors import Fault

router = APIRouter(prefix="/pools/{pool}", tags=["re-evaluation"])

PoolCode = Annotated[str, Path(max_length=200, examples=["P1"])]


class DayAsk(Model):
    """As of which day; today where it is left out."""

    as_of: date | None = None


class ReportAsk(DayAsk, Purposed):
    """A report: by which scheme, against which other one, with how many replications of the measurement, what for."""

    scheme: Code = Field(default="own-default", examples=["own-default"])
    against: Code | None = Field(default=None, examples=["sichuan-bid-grades"])
    replications: int = Field(default=0, ge=0, le=10_000)
    seed: int = Field(default=0, ge=0, lt=2**53)
    lang: Literal["zh", "en"] = "zh"


class ReportWritten(Model):
    """What a report says in short; the rest is in its files. `failures`: failures to recuse; `flags` null: nobody's scores
    are on record."""

    pool: str
    as_of: date
    scheme: str
    experts: int
    counts: dict[str, int]
    flags: int | None
    failures: int
    serial: str | None
    files: list[str]


class MeasurementAsk(DayAsk):
    """By which scheme's minimum and rate, with how many replications."""

    scheme: Code = Field(default="own-default", examples=["own-default"])
    replications: int = Field(default=0, ge=0, le=10_000)
    seed: int = Field(default=0, ge=0, lt=2**53)


class MeasurementMade(Model):
    """`measurement/1`; null: nobody's scores are on record. A flag asks somebody to look, and decides nothing."""

    measurement: dict[str, Any] | None


class ComparisonAsk(DayAsk):
    """Two schemes by name."""

    first: Code = Field(examples=["own-default"])
    second: Code = Field(examples=["sichuan-bid-grades"])


class GroupCompared(Model):
    """A sector, region or band of ages: how many of it each scheme would touch with more than a look; no share of few."""

    by: str
    value: str | None
    size: int
    first: int
    second: int
    first_share: float | None
    second_share: float | None


class SideOfMove(BaseModel):
    """What one scheme proposes, with its reasons."""

    model_config = ConfigDict(extra="forbid")
    measure: str
    months: int | None
    reasons: list[dict[str, Any]]


class MoveTold(Model):
    """An expert to whom the schemes would do different things."""

    expert: str
    first: SideOfMove
    second: SideOfMove


class SchemesCompared(Model):
    """`scheme-comparison/1`: `matrix[a][b]`: how many get the measure a of the first scheme and b of the second."""

    format: str
    pool: str
    as_of: date
    known_at: str
    experts: int
    only_first: int
    only_second: int
    first: SchemeBrief
    second: SchemeBrief
    measures: list[str]
    matrix: list[list[int]]
    moved: int
    groups: list[GroupCompared]
    moves: list[MoveTold]


class TimeAsk(Model):
    """From when until when; a year until today where nothing is said."""

    since: date | None = None
    until: date | None = None


class PartyTold(Model):
    """A case or an expert, by code."""

    what: str
    code: str


class CreditProposed(Model):
    """What a person may record as a credit event (`POST /experts/{code}/credits`), once it is confirmed."""

    expert: str
    event: str
    holds_on: date


class FailureTold(Model):
    """Somebody sat in conflict without recusing. `known`: whether the registry knew when the panel was made, by the day of
    the meeting, or later; `certain` false: nobody wrote down who recused."""

    expert: str
    committee: str
    meeting: str
    panel: str | None
    on: date
    season: int
    against: PartyTold
    kind: str
    window: str
    effect: str
    basis: str
    basis_status: str
    policy: str
    known: str
    since: date | None
    until: date | None
    record: str | None
    through: str | None
    certain: bool
    proposal: CreditProposed


class FailuresTold(Model):
    """`recusal-failures/1`: of so many sittings; of `unchecked` services no cases are on record."""

    format: str
    since: date
    until: date
    known_at: str
    sittings: int
    unchecked: int
    found: list[FailureTold]


@router.post("/health", **answers(Health))
def picture_pool(
    pool: PoolCode, sent: DayAsk, asks: Reader, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """The health of a pool: supply against demand, ages and terms, load, whom to take in."""
    return _run(service, once, asks, pool, "pool.health", Right.EXPERTS_READ, prefer, _day(sent))


@router.post("/reports", **answers(ReportWritten))
def report_pool(
    pool: PoolCode, sent: ReportAsk, asks: Exporter, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Appraise a pool and write the report, with a watermark. Nothing is decided."""
    scheme_preset(sent.scheme)
    if sent.against is not None:
        scheme_preset(sent.against)
    params = {
        **_day(sent),
        "scheme": sent.scheme,
        "against": sent.against,
        "replications": sent.replications,
        "seed": sent.seed,
        "lang": sent.lang,
        "purpose": purpose_of(sent.purpose),
    }
    return _run(service, once, asks, pool, "pool.report", Right.EXPERTS_EXPORT, prefer, params)


@router.post("/measurements", **answers(MeasurementMade))
def measure_pool(
    pool: PoolCode,
    sent: MeasurementAsk,
    asks: Reader,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """How severe and how steady the raters of a pool's cases are, from their written scores (`POST /tables/imports`)."""
    scheme_preset(sent.scheme)
    params = {**_day(sent), **sent.model_dump(include={"scheme", "replications", "seed"})}
    return _run(service, once, asks, pool, "pool.measure", Right.EXPERTS_READ, prefer, params)


@router.post("/scheme-comparisons", **answers(SchemesCompared))
def compare_schemes_on_pool(
    pool: PoolCode,
    sent: ComparisonAsk,
    asks: Reader,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """What two schemes would propose for everybody in a pool, and where they differ."""
    scheme_preset(sent.first)
    scheme_preset(sent.second)
    params = {**_day(sent), "first": sent.first, "second": sent.second}
    return _run(service, once, asks, pool, "pool.compare", Right.EXPERTS_READ, prefer, params)


@router.post("/recusal-failures", **answers(FailuresTold))
def find_recusal_failures(
    pool: PoolCode, sent: TimeAsk, asks: Reader, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Who of a pool sat in conflict without recusing. Whether to record it is for a person to decide."""
    until = _past(sent.until, "until")
    since = sent.since or until - timedelta(days=365)
    if since > until:
        raise Fault("recusals.dates", "since", since=since, until=until)
    params = {"since": since.isoformat(), "until": until.isoformat()}
    return _run(service, once, asks, pool, "pool.recusals", Right.EXPERTS_READ, prefer, params)


def _day(sent: DayAsk) -> dict[str, Any]:
    return {"as_of": _past(sent.as_of, "as_of").isoformat()}


def _past(asked: date | None, field: str) -> date:
    """The day asked for, else today. Raises Fault `appraisal.future`, `appraisal.too_early`."""
    on = asked or clock.today()
    if on > clock.today():
        raise Fault("appraisal.future", field, as_of=on, today=clock.today())
    refuse_too_early(on, field)
    return on


def _run(
    service: Service,
    once: Once,
    asks: Principal,
    pool: str,
    kind: str,
    right: Right,
    prefer: str | None,
    params: dict[str, Any],
) -> Response:
    viewer = asks.viewer(right)

    def work(session: Session) -> Work:
        found = find_pool(session, viewer, pool)
        return Work(kind, {"pool": pool, **params}, organiser_id=found.organiser_id)

    return accept(service, once, asks, work, prefer=prefer)
