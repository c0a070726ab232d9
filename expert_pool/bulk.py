"""Many new rows at once, the quickest way each database has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date
from sqlalchemy import Enum as EnumType
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from expert_pool.registry import Table
from expert_pool.registry.base import Moment

_FEW = 8
"""Up to so many rows PostgreSQL takes sooner one by one than by COPY, which is three messages more."""


def insert_rows(
    session: Session, table: type[Table], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows in the session's transaction: per row the values of the columns `names`, in that order.

    Values are what the tables hold in Python (dates, aware moments, enums, bytes). Every column that may not
    be null must be among `names`, ids too (`store.allocate` gives them): no default is filled in. Raises
    sqlalchemy's IntegrityError as any insert does.
    """
    session.flush()
    connection = session.connection()
    there = connection.dialect.name == "postgresql"
    ready, into = _how(connection.dialect.name, table, tuple(names))
    if there and not (isinstance(rows, Sequence) and len(rows) <= _FEW):
        _copy(connection, into, map(ready, rows))
        return
    marks = ", ".join(["%s" if there else "?"] * len(names))
    if values := [ready(row) for row in rows]:
        connection.exec_driver_sql(f"insert into {into} values ({marks})", values)  # noqa: S608


@cache
def _how(dialect: str, table: type[Table], names: tuple[str, ...]) -> tuple[_Ready, str]:
    """What turns the values of a row into the driver's, and what stands after `insert into`."""
    stored = table.__table__.columns
    columns = ", ".join(f'"{name}"' for name in names)
    into = f'"{table.__tablename__}" ({columns})'
    return _Ready(dialect, [stored[name].type for name in names]), into


class _Ready:
    """Turns the values of one row into what the driver takes."""

    def __init__(self, dialect: str, types: Sequence[Any]) -> None:
        makers = [_maker(dialect, type_) for type_ in types]
        self._makers = [(at, maker) for at, maker in enumerate(makers) if maker]

    def __call__(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for at, maker in self._makers:
            if values[at] is not None:
                values[at] = maker(values[at])
        return tuple(values)


def _maker(dialect: str, type_: Any) -> Callable[[Any], Any] | None:
    if isinstance(type_, EnumType):
        return lambda word: word.value if isinstance(word, Enum) else str(word)
    if isinstance(type_, Moment):
        return _moment_text if dialect == "sqlite" else _moment
    if isinstance(type_, Date) and dialect == "sqlite":
        return lambda day: day.isoformat()
    return None


def _moment(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def _moment_text(moment: datetime) -> str:
    return _moment(moment).isoformat(" ", "microseconds")


def _copy(connection: Connection, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """PostgreSQL's COPY; what it refuses is raised as sqlalchemy raises it."""
    driver: Any = connection.connection.driver_connection
    statement = f"copy {into} from stdin"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raised = DBAPIError.instance(
            statement, None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect
        )
        raise raised from error
