"""The routes that every table of the registry has, made from its sheet: things are listed, read, entered and changed;
records are listed, added, corrected and withdrawn. What is particular to a resource stands in its own module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from api.http import openapi
from api.http.access import allowed
from api.http.once import Answer, Once, once_of
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.service import Service, service_of
from api.http.shapes import SINGULAR, Shape, shape
from api.http.versions import IfMatch, etag_of, require_match
from expert_pool import directory, entering, rows
from expert_pool.accounts.rights import Principal, Right
from expert_pool.imports.sheets import SHEETS, Kind
from expert_pool.rows import Telling, telling, told
from expert_pool.viewer import Viewer, visible

Conditions = Callable[[Principal, Viewer, Telling], Sequence[ColumnElement[bool]]]
Guard = Callable[[Session, Principal, Mapping[str, Any]], None]


def _everything(asks: Principal, viewer: Viewer, tells: Telling) -> Sequence[ColumnElement[bool]]:
    return ()


def _anybody(session: Session, asks: Principal, values: Mapping[str, Any]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Things:
    """A resource of things with codes. `only` narrows what a caller is shown beyond `viewer.visible`; `guard` refuses
    what a caller may not enter. `orders` are columns, besides the code, that a list can be ordered by."""

    sheet: str
    read: Right = Right.ORGANISERS_READ
    write: Right = Right.ORGANISERS_WRITE
    orders: tuple[str, ...] = ()
    only: Conditions = field(default=_everything)
    guard: Guard = field(default=_anybody)

    @property
    def one(self) -> str:
        """How one of them is called in operation ids: `pool`."""
        return _snake(SINGULAR[self.sheet])


@dataclass(frozen=True, slots=True)
class Records:
    """A resource of records about a thing: `above` is the column that names it, `path` what the resource is called."""

    sheet: str
    above: str
    read: Right
    write: Right
    path: str
    about: tuple[str, ...] = ()
    """The columns of the table that may name the thing; `<above>_id` where it is only one."""

    @property
    def one(self) -> str:
        return _snake(SINGULAR[self.sheet])

    @property
    def parent(self) -> str:
        """The sheet of the things they are about."""
        return f"{self.above}s"


def mount_things(router: APIRouter, things: Things) -> None:
    """The four routes of a resource of things."""
    made = shape(things.sheet)
    tells = telling(things.sheet)
    filters = _filters(made)
    orders = _orders(things, tells)
    row: Any = made.row
    page = create_model(
        f"{SINGULAR[things.sheet]}Page", __base__=Page[row], __doc__=f"A page of {things.sheet}."
    )
    reads = {"asks": _asks(things.read), "service": _SERVICE}
    writes = {"asks": _asks(things.write), "service": _SERVICE, "once": _ONCE}

    def listed(
        asks: Principal, service: Service, wanted: Any, sort: str, limit: Limit, cursor: Cursor
    ) -> Any:
        viewer = asks.viewer(things.read)
        statement = tells.statement.where(*visible(viewer, tells.table), *things.only(asks, viewer, tells))
        statement = statement.where(*_wanted(tells, wanted))
        order, key = orders[sort], service.store.key
        names = [column.key for column in order.columns[:-1]]
        with service.store.reading() as session:
            return page_of(
                session,
                statement,
                order,
                lambda row: made.row.model_construct(**_without_number(told(row, made.sheet, key))),
                limit=limit,
                cursor=cursor,
                filters={**wanted.model_dump(exclude_none=True), "sort": sort, "of": things.sheet},
                keys=lambda row: [*(row._mapping[name] for name in names), row.number],
                model=page,
            )

    def one(asks: Principal, service: Service, code: str, response: Response) -> Any:
        viewer = asks.viewer(things.read)
        with service.store.reading() as session:
            return _shown(session, asks, viewer, service, code, response)

    def _shown(
        session: Session, asks: Principal, viewer: Viewer, service: Service, code: str, response: Response
    ) -> Any:
        row = rows.find_thing(session, viewer, things.sheet, code, *things.only(asks, viewer, tells))
        response.headers["ETag"] = version_of(row)
        return made.row.model_construct(**_without_number(told(row, made.sheet, service.store.key)))

    def entered(asks: Principal, service: Service, once: Once, body: BaseModel) -> Response:
        viewer, key = asks.viewer(things.write), service.store.key
        values = body.model_dump(exclude_unset=True)

        def work(session: Session) -> Answer:
            things.guard(session, asks, values)
            cells, organiser = _cells(things.sheet, values)
            row = entering.enter(session, viewer, key, things.sheet, cells, organiser=organiser)
            return _answer(session, viewer, service, row.code, 201)

        return once.write(service, asks, work)

    def changed(
        asks: Principal, service: Service, once: Once, code: str, body: BaseModel, if_match: IfMatch = None
    ) -> Response:
        viewer, key = asks.viewer(things.write), service.store.key
        values = body.model_dump(exclude_unset=True)

        def work(session: Session) -> Answer:
            rows.find_thing(session, viewer, things.sheet, code, *things.only(asks, viewer, tells))
            row = entering.held(session, viewer, things.sheet, code)
            require_match(if_match, version_of(rows.find_thing(session, viewer, things.sheet, code)))
            things.guard(session, asks, values)
            cells, organiser = _cells(things.sheet, values)
            entering.change(session, viewer, key, things.sheet, row, cells, organiser=organiser)
            return _answer(session, viewer, service, code, 200)

        return once.write(service, asks, work)

    def _answer(session: Session, viewer: Viewer, service: Service, code: str, status: int) -> Answer:
        row = rows.find_thing(session, viewer, things.sheet, code)
        body = made.row.model_construct(**_without_number(told(row, made.sheet, service.store.key)))
        headers = {"ETag": version_of(row)}
        if status == 201:
            headers["Location"] = f"/api/v1/{things.sheet.replace('_', '-')}/{quote(code, safe='')}"
        return Answer(body, status, headers)

    title = made.sheet.zh
    _signed(listed, f"list_{things.sheet}", wanted=Annotated[filters, Query()], sort=_sort(orders), **reads)
    listed.__defaults__ = ("code", USUAL, None)
    _signed(one, f"get_{things.one}", **reads)
    _signed(entered, f"create_{things.one}", body=made.new, **writes)
    _signed(changed, f"change_{things.one}", body=made.change, **writes)
    router.get("", response_model=page, summary=f"{title}: 列表 · list")(listed)
    router.get("/{code}", response_model=made.row, summary=f"{title}: 查看 · one")(one)
    router.post(
        "",
        response_model=made.row,
        status_code=201,
        summary=f"{title}: 新增 · enter",
        responses=openapi.CHANGES,
    )(entered)
    router.patch(
        "/{code}", response_model=made.row, summary=f"{title}: 修改 · change", responses=openapi.CHANGES
    )(changed)


def mount_records(router: APIRouter, records: Records) -> None:
    """The four routes of a resource of records, below the thing they are about: `/{code}/<path>`."""
    made = shape(records.sheet, records.above)
    tells = telling(records.sheet)
    row: Any = made.row
    listing = create_model(
        f"{SINGULAR[records.sheet]}List",
        __config__=ConfigDict(extra="forbid"),
        __doc__=f"{made.sheet.zh}, by day.",
        items=(list[row], Field(description="Those that stand, or all of them.")),
    )
    about = [getattr(tells.table, name) for name in records.about or (f"{records.above}_id",)]
    reads = {"asks": _asks(records.read), "service": _SERVICE}
    writes = {"asks": _asks(records.write), "service": _SERVICE, "once": _ONCE}

    def _of(session: Session, viewer: Viewer, code: str) -> ColumnElement[bool]:
        thing = known_thing(session, viewer, records.parent, code)
        return or_(*(column == thing for column in about))

    def listed(asks: Principal, service: Service, code: str, standing: bool = True) -> Any:
        viewer, key = asks.viewer(records.read), service.store.key
        with service.store.reading() as session:
            statement = tells.statement.where(_of(session, viewer, code), *visible(viewer, tells.table))
            found = session.execute(statement.order_by(tells.table.holds_on, tells.table.id)).all()
        all_of_them = [made.row.model_construct(**told(row, made.sheet, key)) for row in found]
        return listing.model_construct(
            items=[row for row in all_of_them if row.stands] if standing else all_of_them  # type: ignore[attr-defined]
        )

    def added(asks: Principal, service: Service, once: Once, code: str, body: BaseModel) -> Response:
        viewer, key = asks.viewer(records.write), service.store.key
        values = body.model_dump(exclude_unset=True)

        def work(session: Session) -> Answer:
            known_thing(session, viewer, records.parent, code)
            organiser = values.get("organiser")
            cells = {**values, records.above: code}
            row = entering.add(session, viewer, key, records.sheet, cells, organiser=organiser)
            return _answer(session, viewer, service, row.id)

        return once.write(service, asks, work)

    def corrected(
        asks: Principal, service: Service, once: Once, code: str, number: int, body: BaseModel
    ) -> Response:
        viewer, key = asks.viewer(records.write), service.store.key
        values = body.model_dump(exclude_unset=True)

        def work(session: Session) -> Answer:
            rows.find_record(session, viewer, records.sheet, number, _of(session, viewer, code))
            row = entering.correct(session, viewer, key, records.sheet, number, values)
            return _answer(session, viewer, service, row.id)

        return once.write(service, asks, work)

    def withdrawn(asks: Principal, service: Service, once: Once, code: str, number: int) -> Response:
        viewer = asks.viewer(records.write)

        def work(session: Session) -> Answer:
            rows.find_record(session, viewer, records.sheet, number, _of(session, viewer, code))
            row = entering.withdraw(session, viewer, records.sheet, number)
            return _answer(session, viewer, service, row.id)

        return once.write(service, asks, work)

    def _answer(session: Session, viewer: Viewer, service: Service, number: int) -> Answer:
        row = rows.find_record(session, viewer, records.sheet, number)
        return Answer(made.row.model_construct(**told(row, made.sheet, service.store.key)), 201)

    standing = Annotated[bool, Query(description="Only those that stand: neither void nor corrected.")]
    number = Annotated[int, openapi.NUMBER]
    _signed(listed, f"list_{records.sheet}", standing=standing, **reads)
    _signed(added, f"add_{records.one}", body=made.new, **writes)
    _signed(corrected, f"correct_{records.one}", body=made.change, number=number, **writes)
    _signed(withdrawn, f"withdraw_{records.one}", number=number, **writes)
    title, place = made.sheet.zh, f"/{{code}}/{records.path}"
    told_as: dict[str, Any] = {
        "response_model": made.row,
        "status_code": 201,
        "responses": {409: openapi.CHANGES[409]},
    }
    router.get(place, response_model=listing, summary=f"{title}: 列表 · list")(listed)
    router.post(place, summary=f"{title}: 登记 · record", **told_as)(added)
    router.post(
        f"{place}/{{number}}/correction",
        summary=f"{title}: 更正（新增一行）· correct with a new row",
        **told_as,
    )(corrected)
    router.post(f"{place}/{{number}}/withdrawal", summary=f"{title}: 撤回 · take back", **told_as)(withdrawn)


def known_thing(session: Session, viewer: Viewer, sheet: str, code: str) -> int:
    """The id of a thing that the viewer may see. Raises Fault `entering.thing_unknown`."""
    if sheet == "experts":
        return directory.expert_id(session, viewer, code)
    found: int = rows.find_thing(session, viewer, sheet, code).number
    return found


_SERVICE: Any = Annotated[Service, Depends(service_of)]
_ONCE: Any = Annotated[Once, Depends(once_of)]


def _asks(right: Right) -> Any:
    return Annotated[Principal, Depends(allowed(right))]


def _signed(function: Any, name: str, **annotations: Any) -> None:
    """Give a route its name, and the parameters' types that are known only here."""
    function.__name__ = name
    function.__qualname__ = name
    function.__annotations__ |= annotations


def _filters(made: Shape) -> type[BaseModel]:
    """The filters of a list: other things by their codes, words of ours, and a text to look for."""
    fields: dict[str, Any] = {
        "q": (
            str | None,
            Field(
                default=None, min_length=1, max_length=100, description="In the code, the name or the title."
            ),
        )
    }
    for column in made.sheet.columns:
        described = Field(default=None, description=column.zh)
        if column.kind is Kind.REFERENCE:
            fields[column.name] = (Annotated[str, Field(min_length=1, max_length=129)] | None, described)
        elif column.choices is not None:
            fields[column.name] = (column.choices | None, described)
        elif column.kind is Kind.BOOLEAN:
            fields[column.name] = (bool | None, described)
        elif column.name in ("season", "region", "series", "version", "on"):
            fields[column.name] = (made.row.model_fields[column.name].annotation | None, described)  # type: ignore[operator]
    return create_model(f"{SINGULAR[made.sheet.name]}Filters", __module__=__name__, **fields)


def _wanted(tells: Telling, wanted: BaseModel) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name, value in wanted.model_dump(exclude_none=True).items():
        if name == "q":
            among = [
                getattr(tells.table, column.field)
                for column in tells.sheet.columns
                if column.name in ("code", "name", "title")
            ]
            conditions.append(or_(*(column.contains(value, autoescape=True) for column in among)))
        else:
            conditions.append(tells.statement.selected_columns[name] == value)
    return conditions


def _orders(things: Things, tells: Telling) -> dict[str, Order]:
    made: dict[str, Order] = {}
    for name in ("code", *things.orders):
        columns = (getattr(tells.table, tells.sheet.column(name).field), tells.table.id)
        made[name] = Order(columns)
        made[f"-{name}"] = Order(columns, descending=True)
    return made


def _sort(orders: Mapping[str, Order]) -> Any:
    names = tuple(orders)
    described = "The order; a minus before it turns it round."
    return Annotated[Literal[names], Query(description=described)]


def _cells(sheet: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The columns of a row, and the organiser that tells of it where that is no column."""
    names = {column.name for column in SHEETS[sheet].columns}
    organiser = values.get("organiser")
    return {name: value for name, value in values.items() if name in names}, organiser


def version_of(row: Any) -> str:
    """The ETag of a thing, as its telling reads it."""
    return etag_of(*(f"{name}={value!r}" for name, value in row._mapping.items()))


def _without_number(values: dict[str, Any]) -> dict[str, Any]:
    values.pop("number", None)
    return values


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
