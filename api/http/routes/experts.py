"""Experts: finding, reading, entering and changing them; everything recorded about one. Personal fields are masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Select, bindparam
from sqlalchemy.orm import Session

from api.http import openapi
from api.http.access import allowed
from api.http.once import Answer, Repeatable
from api.http.paging import USUAL, Cursor, Limit, Page, mark_of, orders, read_values, write
from api.http.service import Served, Service
from api.http.shapes import shape
from api.http.versions import IfMatch, Written, etag_of, require_match, written
from expert_pool import clock, directory, dossier, entering, rows
from expert_pool.accounts.rights import Principal, Right
from expert_pool.directory import Wanted
from expert_pool.glances import glance
from expert_pool.lifecycle import State
from expert_pool.privacy.looking import masked_national_id, masked_phone
from expert_pool.registry import Expert, Gender, Sector, Step
from expert_pool.statements import kept, select_rows
from expert_pool.viewer import Viewer

router = APIRouter(prefix="/experts", tags=["experts"])

_made = shape("experts")
ORDERS = orders(code=(Expert.code, Expert.id), name=(Expert.name, Expert.id))
"""The orders that the list can be asked for."""
_Sort = Literal["code", "-code", "name", "-name"]
_Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Writer = Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))]
_Text = Annotated[str | None, Query(min_length=1, max_length=100)]
_Code = Annotated[str | None, Query(min_length=1, max_length=129)]


class EmployedAt(BaseModel):
    """The employer that counts today."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["U"])
    name: str = Field(examples=["省理工大学（虚构）"])


class ExpertLine(BaseModel):
    """An expert in a list."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["E01"])
    name: str = Field(examples=["专家1（虚构）"])
    region: str = Field(examples=["220000"])
    employer: EmployedAt | None
    state: State | None = Field(description="In the pool asked for, today; only where a state was asked for.")


class ExpertPage(Page[ExpertLine]):
    """A page of experts. It may hold fewer than were asked for although there are more: `next` tells."""


class ExpertRecord(BaseModel):
    """The expert as registered. National ID and phone are masked; `born` is given to those who may change it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["E01"])
    name: str = Field(examples=["专家1（虚构）"])
    gender: Gender | None
    born: date | None = Field(examples=[None])
    region: str = Field(examples=["220000"])
    national_id: str | None = Field(examples=["220101************"])
    phone: str | None = Field(examples=["139******01"])
    employer: EmployedAt | None


NewExpert: Any = create_model(
    "NewExpert",
    __base__=_made.new,
    __doc__="A new expert, entered as a candidate for a pool.",
    pool=(
        str,
        Field(min_length=1, max_length=64, description="The pool they are a candidate for.", examples=["P1"]),
    ),
    since=(
        date | None,
        Field(
            default=None, ge=date(1900, 1, 1), description="Candidate since (today).", examples=["2026-01-10"]
        ),
    ),
    reason=(str, Field(default="", max_length=2000, description="事由", examples=["单位推荐"])),
)
ExpertChanges: Any = _made.change


class RecordLine(BaseModel):
    """One record about an expert, of any kind. `fields` are what its kind has (see the resource of that kind)."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(examples=["training"])
    number: int = Field(examples=[12])
    holds_on: date
    recorded_at: AwareDatetime
    recorded_by: str = Field(examples=["office"])
    organiser: str = Field(examples=["HR"])
    corrects: int | None = Field(examples=[None])
    stands: bool
    fields: dict[str, Any] = Field(examples=[{"course": "2025 培训", "passed": True, "until": "2027-01-09"}])


class RecordLines(BaseModel):
    """Everything recorded about an expert that the caller may see, by day."""

    model_config = ConfigDict(extra="forbid")

    expert: str
    on: date | None = Field(
        description="The day they hold; null: all, corrected and withdrawn ones included."
    )
    records: list[RecordLine]


@router.get("", response_model=ExpertPage, summary="专家: 查找 · find")
def list_experts(
    asks: _Reader,
    service: Served,
    q: Annotated[
        _Text, Query(description="In the name, or how the code or the pinyin initials begin.")
    ] = None,
    name: Annotated[_Text, Query(description="The whole name.")] = None,
    region: _Text = None,
    employer: Annotated[_Code, Query(description="Works there today, or in a part of it (code).")] = None,
    specialty: Annotated[
        _Code, Query(description="Holds a skill in it or below it (code or version/code).")
    ] = None,
    sector: Annotated[Sector | None, Query(description="Of the main employer.")] = None,
    pool: Annotated[_Code, Query(description="Ever stood in this pool (code).")] = None,
    state: Annotated[
        State | None, Query(description="Where they stand today in `pool`, which it needs.")
    ] = None,
    sort: Annotated[_Sort, Query(description="The order; a minus before it turns it round.")] = "code",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Experts of the caller's pools, as of today."""
    given: dict[str, Any] = {"q": q, "name": name, "region": region, "employer": employer}
    given |= {"specialty": specialty, "sector": sector, "pool": pool, "state": state}
    return page(service, asks, **given, sort=sort, limit=limit, cursor=cursor).response()


def page(
    service: Service,
    asks: Principal,
    *,
    sort: str = "code",
    limit: int = USUAL,
    cursor: str | None = None,
    state: State | None = None,
    **given: Any,
) -> Written:
    """A page of the list (an `ExpertPage`); `given` are fields of `Wanted`. Faults as `directory.in_state`, and
    `paging.cursor`."""
    viewer, wanted = asks.viewer(Right.EXPERTS_READ), Wanted(**given)
    filters = {field: getattr(wanted, field) for field in Wanted.__slots__} | {"sort": sort, "state": state}
    order, mark = ORDERS[sort], mark_of(filters)
    values = directory.parameters(wanted)
    with glance(service.store) as session:
        if cursor is not None:
            values |= zip(_AFTER, read_values(cursor, mark, order), strict=True)
        if state is None:
            statement = _page(viewer, wanted.given, sort, cursor is not None)
            found = select_rows(session, statement, values | {"most": limit + 1}).all()
            more, found = len(found) > limit, found[:limit]
            last = found[-1] if more else None
        else:
            found, last = directory.in_state(
                session,
                viewer,
                _ordered(viewer, wanted.given, sort, False),
                values,
                wanted.pool,
                state,
                limit,
                None if cursor is None else order.after([values[name] for name in _AFTER]),
                order.after,
                order.columns,
            )
        works = directory.employers_of(session, [row.id for row in found])
    first = order.columns[0].key
    lines = [
        {
            "code": row.code,
            "name": row.name,
            "region": row.region,
            "employer": _at(works.get(row.id)),
            "state": state,
        }
        for row in found
    ]
    following = None if last is None else write(mark, [getattr(last, first), last.id])
    return written({"items": lines, "next": following})


@router.post(
    "", response_model=ExpertRecord, status_code=201, summary="专家: 新增 · enter", responses=openapi.CHANGES
)
def create_expert(asks: _Writer, service: Served, once: Repeatable, body: NewExpert) -> Response:
    """Enter an expert as a candidate for one of the caller's pools."""
    viewer, key = asks.viewer(Right.EXPERTS_WRITE), service.store.key
    values = body.model_dump(exclude_unset=True)
    pool, since, reason = body.pool, body.since or clock.today(), body.reason

    def work(session: Session) -> Answer:
        rows.find_thing(session, viewer, "pools", pool)
        owner = values.get("organiser") or rows.find_thing(session, viewer, "pools", pool).organiser
        cells = {n: v for n, v in values.items() if n not in ("organiser", "pool", "since", "reason")}
        row = entering.enter(session, viewer, key, "experts", cells, organiser=owner)
        step = {"expert": row.code, "pool": pool, "step": Step.CANDIDATE, "holds_on": since, "reason": reason}
        entering.add(session, viewer, key, "memberships", step)
        return _answer(session, asks, viewer, service, row.code, 201)

    return once.write(service, asks, work)


@router.get("/{code}", response_model=ExpertRecord, summary="专家: 查看 · one")
def get_expert(code: str, asks: _Reader, service: Served) -> Any:
    """One expert of the caller's pools."""
    return expert(service, asks, code=code).response()


def expert(service: Service, asks: Principal, *, code: str) -> Written:
    """One expert (an `ExpertRecord`) with the ETag. Raises Fault `standing.expert_unknown`."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with glance(service.store) as session:
        shown, version = _shown(session, asks, viewer, service, code)
    return Written(shown.model_dump_json().encode(), etag_of(version))


@router.patch(
    "/{code}", response_model=ExpertRecord, summary="专家: 修改 · change", responses=openapi.CHANGES
)
def change_expert(
    code: str, asks: _Writer, service: Served, once: Repeatable, body: ExpertChanges, if_match: IfMatch = None
) -> Response:
    """Change what an expert is registered with. What is left out stays; so does a masked national ID or phone."""
    viewer, key = asks.viewer(Right.EXPERTS_WRITE), service.store.key
    values = body.model_dump(exclude_unset=True)

    def work(session: Session) -> Answer:
        directory.expert_id(session, viewer, code)
        row = entering.held(session, viewer, "experts", code)
        require_match(if_match, etag_of(_version(row)))
        cells = {name: value for name, value in values.items() if name != "organiser"}
        entering.change(session, viewer, key, "experts", row, cells, organiser=values.get("organiser"))
        return _answer(session, asks, viewer, service, code, 200)

    return once.write(service, asks, work)


@router.get("/{code}/records", response_model=RecordLines, tags=["records"], summary="全部记录 · all records")
def list_expert_records(
    code: str,
    asks: _Reader,
    service: Served,
    on: Annotated[date | None, Query(description="Only those that stand and hold on this day.")] = None,
) -> Any:
    """Everything recorded about an expert that the caller may see."""
    viewer = asks.viewer(Right.EXPERTS_READ)
    with service.store.reading() as session:
        directory.expert_id(session, viewer, code)
        found: Sequence[dossier.Entry] = dossier.entries(session, viewer, code)
    if on is not None:
        found = dossier.current(found, on)
    return RecordLines.model_construct(
        expert=code,
        on=on,
        records=[
            RecordLine.model_construct(
                kind=entry.table,
                number=entry.id,
                holds_on=entry.holds_on,
                recorded_at=entry.recorded_at,
                recorded_by=entry.recorded_by,
                organiser=entry.organiser,
                corrects=entry.corrects,
                stands=entry.stands,
                fields=dict(entry.fields),
            )
            for entry in found
        ],
    )


_AFTER = ("after_1", "after_2")


@kept
def _page(viewer: Viewer, given: frozenset[str], sort: str, resumed: bool) -> Select[Any]:
    return _ordered(viewer, given, sort, resumed).limit(bindparam("most"))


@kept
def _ordered(viewer: Viewer, given: frozenset[str], sort: str, resumed: bool) -> Select[Any]:
    order = ORDERS[sort]
    statement = directory.listing(viewer, given).order_by(*order.clauses())
    if not resumed:
        return statement
    after = [bindparam(name, type_=at.type) for name, at in zip(_AFTER, order.columns, strict=True)]
    return statement.where(order.after(after))


def _shown(
    session: Session, asks: Principal, viewer: Viewer, service: Any, code: str
) -> tuple[ExpertRecord, str]:
    row, key = directory.find_expert(session, viewer, code), service.store.key
    works = directory.employers_of(session, [row.id])
    shown = ExpertRecord.model_construct(
        code=row.code,
        name=row.name,
        gender=row.gender,
        born=row.born if asks.may(Right.EXPERTS_WRITE) else None,
        region=row.region,
        national_id=row.national_id_sealed and masked_national_id(key.open(row.national_id_sealed)),
        phone=row.phone_sealed and masked_phone(key.open(row.phone_sealed)),
        employer=_employed(works.get(row.id)),
    )
    return shown, _version(row)


def _answer(
    session: Session, asks: Principal, viewer: Viewer, service: Any, code: str, status: int
) -> Answer:
    shown, version = _shown(session, asks, viewer, service, code)
    headers = {"ETag": etag_of(version)}
    if status == 201:
        headers["Location"] = f"/api/v1/experts/{quote(code, safe='')}"
    return Answer(shown, status, headers)


def _version(row: Any) -> str:
    """What changes when the expert's own row does; the marks stand for what is sealed."""
    return repr(
        (row.id, row.code, row.name, row.gender, row.born, row.region, row.national_id_mark, row.phone_mark)
    )


def _at(found: tuple[str, str] | None) -> dict[str, str] | None:
    return None if found is None else {"code": found[0], "name": found[1]}


def _employed(found: tuple[str, str] | None) -> EmployedAt | None:
    return None if found is None else EmployedAt.model_construct(code=found[0], name=found[1])
