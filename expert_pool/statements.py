"""Statements that are kept: built once for a viewer, compiled once for a database, then handed straight to its driver.

SQLite answers a question about one expert in 20 microseconds; SQLAlchemy's way to it and back takes twenty times that.
Its compiler still writes the text and says how values are bound and read, so nothing is said twice and no value is ever
written into a text.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Connection, Date, Dialect, Select
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from expert_pool.registry.base import Moment
from expert_pool.viewer import Viewer

P = ParamSpec("P")
R = TypeVar("R")
Process = Callable[[Any], Any]


def kept(build: Callable[Concatenate[Viewer, P], R]) -> Callable[Concatenate[Viewer, P], R]:
    """Keeps the statements that a function builds for a viewer and other (hashable) arguments: building one takes
    longer than running it for one expert. The viewer's name makes no difference to a statement."""
    built: Any = lru_cache(1024)(build)

    @wraps(build)
    def asked(viewer: Viewer, /, *more: P.args, **named: P.kwargs) -> R:
        found: R = built(_nameless(viewer), *more, **named)
        return found

    return asked


@lru_cache(1024)
def _nameless(viewer: Viewer) -> Viewer:
    return replace(viewer, actor="")


class Found(list[Any]):
    """The rows of a statement as named tuples, in the words of SQLAlchemy's results."""

    def all(self) -> list[Any]:
        return self

    def one(self) -> Any:
        """The only row. Raises ValueError where there are none or several."""
        (row,) = self
        return row

    def one_or_none(self) -> Any:
        """The only row, None where there is none. Raises ValueError where there are several."""
        return self.one() if self else None

    def scalar(self) -> Any:
        """The first value of the first row, None where there is none."""
        return self[0][0] if self else None

    def scalars(self) -> Found:
        """The first value of each row."""
        return Found(row[0] for row in self)


def select_rows(
    session: Session, statement: Select[*tuple[Any, ...]], given: Mapping[str, Any] | None = None
) -> Found:
    """What a statement of columns finds with the values `given`.

    One that is seen for the first time goes SQLAlchemy's way; one that comes again (so somebody keeps it) is compiled and
    from then on run on the driver, unless a list among the values is long.
    """
    values = given or {}
    connection = connection_of(session)
    by_dialect = _ready.get(statement)
    if by_dialect is None:
        _ready[statement] = {}
        return Found(connection.execute(statement, values))
    dialect = connection.dialect
    ready = by_dialect.get(dialect.name)
    if ready is None:
        ready = by_dialect[dialect.name] = _Ready(statement, dialect)
    found = ready.run(connection, values)
    return Found(connection.execute(statement, values)) if found is None else found


def connection_of(session: Session) -> Connection:
    """The connection of a session, with everything flushed."""
    connection: Connection | None = session.info.get(AT_HAND)
    if connection is None:
        session.flush()
        connection = session.info.get(WRITING) or session.connection()
    return connection


def driver_of(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection where it is SQLite's; what it raises is sqlite3's."""
    driver = connection.connection.dbapi_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


AT_HAND = "expert_pool_connection"
"""In the `info` of a session that never writes: its connection."""
WRITING = "expert_pool_writing_connection"
"""In the `info` of a session with one transaction that writes: its connection."""
_ready: WeakKeyDictionary[Any, dict[str, _Ready]] = WeakKeyDictionary()
_LONG = 512
"""Lists of more values are not worth a text of their own."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The text for lists of certain lengths: what stands in it for ever, and where each given value goes: its name, its
    place in a list, how it is bound, and the places it takes."""

    text: str
    names: Sequence[str]
    constants: tuple[Any, ...]
    slots: tuple[tuple[str, int | None, Process | None, tuple[int, ...]], ...]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        values = list(self.constants)
        for name, index, process, places in self.slots:
            value = given[name] if index is None else given[name][index]
            if process is not None:
                value = process(value)
            for place in places:
                values[place] = value
        return values


class _Ready:
    """A statement compiled for a database."""

    def __init__(self, statement: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        self._compiled: SQLCompiler = statement.compile(dialect=dialect)
        self._lists = [b.key for b in self._compiled.binds.values() if b.expanding and b.required]
        self._written: dict[tuple[int, ...], _Written] = {}
        described = statement.column_descriptions
        self._row = _row_of(tuple(one["name"] for one in described))
        readers = [one["type"].dialect_impl(dialect).result_processor(dialect, None) for one in described]
        self._readers = [(at, read) for at, read in enumerate(readers) if read is not None]

    def run(self, connection: Connection, given: Mapping[str, Any]) -> Found | None:
        """The rows; None where a list is too long to be run so."""
        lengths: tuple[int, ...] = ()
        if self._lists:
            if any(len(given[name]) > _LONG for name in self._lists):
                return None
            given = {**given, **{name: _filled(given[name]) for name in self._lists}}
            lengths = tuple(len(given[name]) for name in self._lists)
        written = self._written.get(lengths)
        if written is None:
            written = self._written[lengths] = self._write(given)
        values = written.values(given)
        driver = driver_of(connection)
        if driver is not None:
            rows: Sequence[Any] = driver.execute(written.text, values).fetchall()
        else:
            named = dict(zip(written.names, values, strict=True))
            rows = connection.exec_driver_sql(written.text, named).all()
        if self._readers:
            rows = [self._read(row) for row in rows]
        return Found(map(self._row._make, rows))

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        """A row of the driver's values as Python's."""
        values = list(row)
        for at, read in self._readers:
            values[at] = read(values[at])
        return values

    def _write(self, given: Mapping[str, Any]) -> _Written:
        state = self._compiled.construct_expanded_state(given)
        origin: dict[str, tuple[str, int | None]] = {
            one: (name, at)
            for name, several in state.parameter_expansion.items()
            for at, one in enumerate(several)
        }
        names = list(state.parameters if state.positiontup is None else state.positiontup)
        constants: list[Any] = [None] * len(names)
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            bind = self._compiled.binds[origin.get(name, (name,))[0]]
            if bind.required:
                places.setdefault(name, []).append(place)
                continue
            process, value = self._process(bind), state.parameters[name]
            constants[place] = value if process is None else process(value)
        slots = []
        for name, at in places.items():
            asked, index = origin.get(name, (name, None))
            slots.append((asked, index, self._process(self._compiled.binds[asked]), tuple(at)))
        return _Written(state.statement, names, tuple(constants), tuple(slots))

    def _process(self, bind: BindParameter[Any]) -> Process | None:
        dialect = self._compiled.dialect
        process: Process | None = bind.type.dialect_impl(dialect).bind_processor(dialect)
        dated = process is not None and isinstance(bind.type, Moment | Date)
        return lru_cache(256)(process) if process is not None and dated else process


@lru_cache(4096)
def _row_of(names: tuple[str, ...]) -> Any:
    def mapping(row: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(names, row, strict=True))

    made = cast(Any, namedtuple)("Row", names, rename=True)
    return type("Row", (made,), {"__slots__": (), "_mapping": property(mapping)})


def _filled(given: Collection[Any]) -> list[Any]:
    """A list as long as the next power of two, its last value repeated, so that few texts serve all lengths."""
    values = list(given)
    wanted = 1 << (len(values) - 1).bit_length() if values else 0
    return values + values[-1:] * (wanted - len(values))
