"""New rows, the quickest way each database has: many at once, or one that is stored a hundred times a second."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date
from sqlalchemy import Enum as EnumType
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, make_transient_to_detached

from expert_pool.registry import Table
from expert_pool.registry.base import Moment
from expert_pool.statements import connection_of, driver_of
from expert_pool.store import allocate

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
    connection = connection_of(session)
    there = connection.dialect.name == "postgresql"
    ready, into = _how(connection.dialect.name, table, tuple(names))
    if there and not (isinstance(rows, Sequence) and len(rows) <= _FEW):
        _copy(connection, into, map(ready, rows))
        return
    values = [ready(row) for row in rows]
    if not values:
        return
    statement = f"insert into {into} values ({', '.join(['%s' if there else '?'] * len(names))})"  # noqa: S608
    driver = driver_of(connection)
    if driver is None:
        connection.exec_driver_sql(statement, values)
        return
    try:
        driver.executemany(statement, values)
    except sqlite3.Error as error:
        raise _as_raised(connection, statement, error) from error


def insert_one(session: Session, row: Table) -> None:
    """Insert a new object at once, past the unit of work, which takes ten times as long: as flushed, with an id and
    defaults, and of the session from then on. For tables without relationships. Raises as `insert_rows`.
    """
    kind = type(row)
    row.id = allocate(session, kind, 1)[0]
    defaults = _defaults(kind)
    values = {name: getattr(row, name) for name in defaults}
    for name in [name for name, value in values.items() if value is None]:
        values[name] = defaults[name]
        setattr(row, name, defaults[name])  # also nothing: what was never said would be read again
    insert_rows(session, kind, tuple(values), [tuple(values.values())])
    make_transient_to_detached(row)
    session.add(row)


@cache
def _defaults(table: type[Table]) -> dict[str, Any]:
    """The names of the columns, each with its plain default; None where it has none."""
    found = {column.name: column.default for column in table.__table__.columns}
    return {name: getattr(default, "arg", None) for name, default in found.items()}


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
        raise _as_raised(connection, statement, error) from error


def _as_raised(connection: Connection, statement: str, error: Exception) -> BaseException:
    """An error of the driver as sqlalchemy raises it."""
    kind = connection.dialect.loaded_dbapi.Error
    return DBAPIError.instance(statement, None, error, kind, dialect=connection.dialect)
