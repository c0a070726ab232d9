"""Lists a page at a time: opaque cursors over a unique order (keyset), so that a walk sees every row once while others
are added, and the hundredth page costs what the first does."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from solver.errors import Fault

MOST = 500
USUAL = 50

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many rows a page holds at most.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="`next` of the page before, with the same filters and order; nothing for the first page.",
    ),
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    model_config = ConfigDict(extra="forbid")

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a list can be asked for: columns that are never null, the last of them unique."""

    columns: tuple[Any, ...]
    descending: bool = False

    def clauses(self) -> list[Any]:
        return [column.desc() if self.descending else column.asc() for column in self.columns]

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """The condition that a row comes after one whose columns had these values."""
        ways = []
        for n, column in enumerate(self.columns):
            same = [c == v for c, v in zip(self.columns[:n], values[:n], strict=True)]
            beyond = column < values[n] if self.descending else column > values[n]
            ways.append(and_(*same, beyond))
        if len(ways) == 1:
            return ways[0]
        # the first column alone bounds the walk through its index, whatever the planner makes of the rest
        first = self.columns[0]
        bound = first <= values[0] if self.descending else first >= values[0]
        return and_(bound, or_(*ways))


def orders(**columns: Any) -> dict[str, Order]:
    """For each name an order, and with a minus before it the same backwards. A value is a column or a tuple of them."""
    made: dict[str, Order] = {}
    for name, given in columns.items():
        several = given if isinstance(given, tuple) else (given,)
        made[name] = Order(several)
        made[f"-{name}"] = Order(several, descending=True)
    return made


def page_of(
    session: Session,
    statement: Select[Any],
    order: Order,
    make: Callable[[Any], Item],
    *,
    limit: int,
    cursor: str | None,
    filters: Mapping[str, Any],
    keys: Callable[[Any], Sequence[Any]],
    model: type[Any] = Page,
) -> Any:
    """One page (a `model`) of a statement's rows in an order.

    `make` turns a row into an item; `keys` gives the values of the order's columns of a row; `filters` are all that
    was asked besides the cursor, which is refused (Fault `paging.cursor`) with others than it was given for.
    """
    mark = mark_of(filters)
    if cursor is not None:
        statement = statement.where(order.after(read_values(cursor, mark, order)))
    rows = session.execute(statement.order_by(*order.clauses()).limit(limit + 1)).all()
    more = len(rows) > limit
    return model.model_construct(
        items=[make(row) for row in rows[:limit]], next=write(mark, keys(rows[limit - 1])) if more else None
    )


def mark_of(filters: Mapping[str, Any]) -> str:
    """A short mark of the filters and the order that a cursor belongs to."""
    said = repr(sorted((name, _plain(value)) for name, value in filters.items() if value is not None))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def write(mark: str, values: Sequence[Any]) -> str:
    """A cursor that stands behind a row with these values."""
    body = orjson.dumps([mark, *(_plain(value) for value in values)])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read(cursor: str, mark: str) -> list[Any]:
    """The values a cursor stands behind. Raises Fault `paging.cursor`."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = orjson.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise Fault("paging.cursor", "cursor") from None
    if not isinstance(found, list) or len(found) < 2 or found[0] != mark:
        raise Fault("paging.cursor", "cursor")
    return found[1:]


def read_values(cursor: str, mark: str, order: Order) -> list[Any]:
    """The values of an order's columns that a cursor stands behind. Raises Fault `paging.cursor`."""
    values = read(cursor, mark)
    if len(values) != len(order.columns):
        raise Fault("paging.cursor", "cursor")
    return [_typed(column, value) for column, value in zip(order.columns, values, strict=True)]


def _typed(column: Any, value: Any) -> Any:
    """A value of a cursor as its column takes it. Raises Fault `paging.cursor`."""
    kind: type[Any] = column.type.python_type
    try:
        if issubclass(kind, datetime):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError(value)
            return moment
        if issubclass(kind, date):
            return date.fromisoformat(value)
        if issubclass(kind, Enum):
            return kind(value)
    except (TypeError, ValueError):
        raise Fault("paging.cursor", "cursor") from None
    big = isinstance(value, int) and not -(2**63) <= value < 2**63
    if not isinstance(value, kind) or isinstance(value, bool) or big:
        raise Fault("paging.cursor", "cursor")
    if isinstance(value, str) and "\0" in value:
        raise Fault("paging.cursor", "cursor")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value
