"""The specialty catalogue: entries by version, and what old codes became. It is changed by importing tables."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel

from api.http.access import allowed
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.service import Served
from api.http.shapes import shape
from api.http.versions import put_etag
from expert_pool.accounts.rights import Principal, Right
from expert_pool.registry import Depth, Specialty
from expert_pool.rows import telling, told
from solver.errors import Fault

router = APIRouter(prefix="/specialties", tags=["specialties"])
_row: Any = shape("specialties").row
_mapping: Any = shape("specialty_mappings").row


class SpecialtyPage(Page[_row]):
    """A page of the catalogue."""


class SpecialtyMappingPage(Page[_mapping]):
    """A page of what old codes became."""


_Text = Annotated[str | None, Query(min_length=1, max_length=100)]
_Reader = Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))]
_ORDER = Order((Specialty.version, Specialty.code, Specialty.id))


@router.get("", response_model=SpecialtyPage, summary="专业目录: 列表 · list")
def list_specialties(
    asks: _Reader,
    service: Served,
    q: _Text = None,
    version: _Text = None,
    depth: Depth | None = None,
    parent: Annotated[
        str | None, Query(max_length=129, description="`version/code` of the entry above.")
    ] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """Entries of the catalogue by version and code."""
    tells = telling("specialties")
    statement = tells.statement
    if q is not None:
        statement = statement.where(
            Specialty.name.contains(q, autoescape=True) | Specialty.code.startswith(q, autoescape=True)
        )
    for column, value in (
        (Specialty.version, version),
        (Specialty.depth, depth),
        (statement.selected_columns["parent"], parent),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return _page(
        service,
        "specialties",
        statement,
        _ORDER,
        limit,
        cursor,
        {"q": q, "version": version, "depth": depth, "parent": parent},
        SpecialtyPage,
    )


@router.get("/mappings", response_model=SpecialtyMappingPage, summary="专业对照: 列表 · what codes became")
def list_specialty_mappings(
    asks: _Reader, service: Served, limit: Limit = USUAL, cursor: Cursor = None
) -> Any:
    """Which entries are read as which others, and since when."""
    tells = telling("specialty_mappings")
    order = Order((tells.table.id,))
    return _page(
        service, "specialty_mappings", tells.statement, order, limit, cursor, {}, SpecialtyMappingPage
    )


@router.get("/{version}/{code}", response_model=_row, summary="专业目录: 查看 · one")
def get_specialty(
    version: Annotated[str, Path(max_length=64)],
    code: Annotated[str, Path(max_length=64)],
    asks: _Reader,
    service: Served,
    response: Response,
) -> Any:
    """One entry of one version of the catalogue."""
    tells = telling("specialties")
    with service.store.reading() as session:
        found = session.execute(
            tells.statement.where(Specialty.version == version, Specialty.code == code)
        ).one_or_none()
    if found is None:
        raise Fault("entering.thing_unknown", f"{version}/{code}", what="specialties")
    values = told(found, tells.sheet, service.store.key)
    put_etag(response, repr(values))
    values.pop("number")
    return _row.model_construct(**values)


def _page(
    service: Any,
    sheet: str,
    statement: Any,
    order: Order,
    limit: int,
    cursor: str | None,
    filters: dict[str, Any],
    model: type[Page[Any]],
) -> Any:
    made = shape(sheet)

    def row_of(row: Any) -> BaseModel:
        values = told(row, made.sheet, service.store.key)
        values.pop("number")
        return made.row.model_construct(**values)

    def keys(row: Any) -> list[Any]:
        return [row.number if column.key == "id" else row._mapping[column.key] for column in order.columns]

    with service.store.reading() as session:
        return page_of(
            session,
            statement,
            order,
            row_of,
            limit=limit,
            cursor=cursor,
            filters={**filters, "of": sheet},
            keys=keys,
            model=model,
        )
