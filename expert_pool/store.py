"""The database: opening, migrating, sessions. SQLite by default, PostgreSQL by changing one URL."""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from expert_pool import clock, engines
from expert_pool.engines import CONNECTIONS, READING, engine_of, in_memory, reader_of
from expert_pool.keys import Key, coming_key, load_key
from expert_pool.registry import Installation, Table
from expert_pool.statements import WRITING, connection_of, driver_of
from solver.errors import Fault

if TYPE_CHECKING:
    from alembic.config import Config

DATABASE_VARIABLE = "EXPERT_POOL_DATABASE"
DEFAULT_URL = "sqlite:///expert-pool.db"
HEAD = "0016"
"""The newest revision of the tables."""

_turns: defaultdict[str, Lock] = defaultdict(Lock)
"""By SQLite file, whose turn it is to write in this process: waiting for a lock is quicker and fairer than asking
SQLite again and again."""
_MIGRATION_LOCK = 0x65787065_72747001  # one number for pg_advisory_xact_lock
_migrating = Lock()  # alembic's context is one per process
_KEY_CHECK = "select key_check from installation where id = 1"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_COLLIDED = ("40001", "40P01", "55P03")
"""PostgreSQL's states for what another writer made impossible just now."""
_BROKEN = ("disk", "unable to open", "readonly database", "malformed")
"""Signs in SQLite's messages that the file, not the statement, is at fault."""


class Undone(Exception):
    """Raised in a block of `Store.session` that was only tried: nothing of it is kept, and what follows goes on."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open database and its key. Close it, or use it in a `with` block.

    `engine` writes: on SQLite each of its transactions takes the write lock at once (BEGIN IMMEDIATE), so
    that two writers queue up instead of failing half way. Readers use `reading()`.
    """

    engine: Engine
    key: Key
    url: str = field(repr=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that writes: commits at the end of the block, rolls back if it raises (`Undone`: and goes on after
        it).

        Objects stay usable after the commit. Raises Fault `store.busy` when another writer was in the way
        (SQLite: for half a minute), `store.unusable` when the database could not be used (disk full,
        connection lost, ...), `key.rotated` when the key was rotated since this process opened the database.
        """
        with (
            suppress(Undone),
            _faults(self.url),
            self._turn(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            _refuse_old_key(session, self.key)
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other thread of this process writes to the SQLite file. Faults `store.busy`."""
        if self.engine.dialect.name != "sqlite":
            yield
            return
        turn = _turns[str(self.engine.url.database)]
        if not turn.acquire(timeout=engines.BUSY_MS / 1000):
            raise Fault("store.busy", self.engine.url.render_as_string())
        try:
            yield
        finally:
            turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent snapshot and cannot write; it holds up no writer. Faults as `session`;
        `key.rotated` where something sealed does not open any more."""
        with self.faults(), Session(self.reader, expire_on_commit=False) as session, session.begin():
            try:
                yield session
            except Fault as fault:
                if fault.code == "key.cannot_open" and not _has_key(session.connection(), self.key):
                    raise Fault("key.rotated") from None
                raise

    @property
    def reader(self) -> Engine:
        """The engine whose transactions are those of `reading`."""
        return reader_of(self.engine)

    def faults(self) -> AbstractContextManager[None]:
        """Within the block what the database could not do is said as a Fault, as by `session`."""
        return _faults(self.url)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(
    url: str | None = None,
    *,
    upgrade: bool = True,
    key: Key | None = None,
    connections: int = CONNECTIONS,
    patience: float | None = None,
) -> Store:
    """Open the database at `url` (a SQLAlchemy URL or the path of an SQLite file).

    Without `url`: EXPERT_POOL_DATABASE, else `expert-pool.db` in the working directory. With `upgrade` a new
    or older database is migrated to the newest tables first; without, it is opened as it stands. `key`: else
    as `keys.load_key` finds it. `connections`: so many at once; whoever needs one more waits half a minute for it.
    `patience`: seconds that a statement waits for a lock in PostgreSQL (None: as long as it takes).

    Raises Fault: `store.url_malformed`, `store.url_backend` (neither SQLite nor PostgreSQL),
    `store.no_folder`, `store.not_ours` (a file or database that is something else), `store.newer` (written by
    a newer version), `store.unusable`, `store.busy`, `key.*` of `load_key`, and `key.other` when the key is
    not the one this database was begun with.
    """
    place = _place(url or os.environ.get(DATABASE_VARIABLE) or DEFAULT_URL)
    full = place.render_as_string(hide_password=False)
    engine = engine_of(place, connections, patience)
    try:
        with _faults(full):
            present = _revision(engine) if _exists(place) else None
            store = Store(engine, key or load_key(full), full)
            if upgrade and present != HEAD:
                _migrate(store, HEAD)
            store = _with_its_key(store, None if key else coming_key(full))
    except BaseException:
        engine.dispose()
        raise
    return store


def upgrade(store: Store, revision: str = "head") -> None:
    """Migrate up to `revision`. Raises Fault `store.revision` when there is none of that name."""
    with _faults(store.url):
        _migrate(store, revision)
        _check_key(store)


def downgrade(store: Store, revision: str) -> None:
    """Migrate down to `revision` (`base`: no tables left). Raises Fault `store.revision` as `upgrade`."""
    with _faults(store.url):
        _migrate(store, revision, down=True)


def complete_url(url: str) -> str:
    """The URL that `open_store` makes of a URL or the path of an SQLite file. Raises Fault as it does."""
    return _place(url).render_as_string(hide_password=False)


def allocate(session: Session, table: type[Table], count: int) -> list[int]:
    """`count` ids for new rows of `table`, ascending, for bulk inserts that name their ids.

    Insert them before adding rows of that table in any other way.
    """
    return allocate_each(session, {table: count})[table]


def allocate_each(session: Session, wanted: Mapping[type[Table], int]) -> dict[type[Table], list[int]]:
    """As `allocate`, for several tables in one statement."""
    asked = {table: count for table, count in wanted.items() if count}
    found: dict[type[Table], list[int]] = {table: [] for table in wanted}
    if not asked:
        return found
    connection = connection_of(session)
    driver = driver_of(connection)
    there = driver is None
    statement = _next_ids(tuple(table.__tablename__ for table in asked), there)
    if driver is not None:
        row = driver.execute(statement).fetchone()
    else:
        counts = {f"count_{at}": count for at, count in enumerate(asked.values())}
        row = connection.execute(text(statement), counts).one()
    given: dict[str, int] = session.info.setdefault("allocated", {})
    for (table, count), last in zip(asked.items(), row, strict=True):
        if there:
            found[table] = sorted(last)
            continue
        begin = max(last or 0, given.get(table.__tablename__, 0)) + 1
        given[table.__tablename__] = begin + count - 1
        found[table] = list(range(begin, begin + count))
    return found


@cache
def _next_ids(names: tuple[str, ...], there: bool) -> str:
    """PostgreSQL's sequences give fresh ids; of SQLite's tables, which have one writer, the last ids are read."""
    drawn = "array(select nextval(pg_get_serial_sequence('\"{name}\"', 'id')) from generate_series(1, :count_{at}))"
    last = '(select max(id) from "{name}")'
    parts = ((drawn if there else last).format(name=name, at=at) for at, name in enumerate(names))
    return f"select {', '.join(parts)}"


def migrations() -> Config:
    """Alembic's configuration, pointing at the migrations inside the installed package."""
    from alembic.config import Config

    config = Config()
    place = str(resources.files("expert_pool") / "migrations")
    config.set_main_option("script_location", place.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _place(url: str) -> URL:
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise Fault("store.url_malformed") from None
    if place.drivername not in _DRIVERS:
        raise Fault("store.url_backend", place.render_as_string(), backend=place.drivername)
    place = place.set(drivername=_DRIVERS[place.drivername])
    if place.get_backend_name() == "sqlite" and not in_memory(place):
        file = Path(str(place.database)).expanduser()
        if not file.parent.is_dir():
            raise Fault("store.no_folder", str(file.parent))
        place = place.set(database=str(file))
    return place


@contextmanager
def _faults(url: str) -> Iterator[None]:
    """Say as a Fault what the database could not do for reasons outside this program."""
    try:
        yield
    except PoolTimeout as error:
        raise Fault("store.busy", make_url(url).render_as_string(hide_password=True)) from error
    except (DatabaseError, sqlite3.Error) as error:
        where = make_url(url).render_as_string(hide_password=True)
        cause = getattr(error, "orig", error)
        reason = str(cause).strip()
        if "database is locked" in reason or getattr(cause, "sqlstate", None) in _COLLIDED:
            raise Fault("store.busy", where) from error
        if "file is not a database" in reason:
            raise Fault("store.not_ours", where) from error
        if "NUL (0x00)" in reason:  # PostgreSQL's driver, of a text that somebody entered
            raise Fault("text.nul") from error
        from_server = isinstance(error, OperationalError) and not isinstance(cause, sqlite3.Error)
        if from_server or any(sign in reason for sign in _BROKEN):
            raise Fault("store.unusable", where, reason=reason) from error
        raise


def _looking(engine: Engine) -> Connection:
    return engine.execution_options(**{READING: True}).connect()


def _exists(place: URL) -> bool:
    """Whether there is a database to look into; an SQLite file that is missing or empty is not one yet."""
    if place.get_backend_name() != "sqlite":
        return True
    file = Path(str(place.database))
    return not in_memory(place) and file.exists() and file.stat().st_size > 0


def _revision(engine: Engine) -> str | None:
    """The revision the tables are at; None for a database without tables."""
    with _looking(engine) as connection:
        return _revision_of(connection)


def _revision_of(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found = connection.execute(text("select version_num from alembic_version")).scalar()
        return str(found) if found else None
    others = tables & set(Table.metadata.tables) if connection.dialect.name == "postgresql" else tables
    if others:
        raise Fault("store.not_ours", connection.engine.url.render_as_string())
    return None


def _migrate(store: Store, revision: str, *, down: bool = False) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = migrations()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if store.engine.dialect.name == "sqlite":
        with closing(store.engine.raw_connection()) as opened:
            opened.cursor().execute("pragma journal_mode = wal")  # stays so; not possible in a transaction
    with _migrating, store.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        present = _revision_of(connection)
        if present is not None and present not in known:
            raise Fault("store.newer", store.engine.url.render_as_string(), revision=present)
        config.attributes["connection"] = connection
        try:
            (command.downgrade if down else command.upgrade)(config, revision)
        except CommandError:
            raise Fault("store.revision", revision, known=", ".join(sorted(known))) from None


def _with_its_key(store: Store, coming: Key | None) -> Store:
    """The store with the key that is its own: `coming` where a rotation was stopped before its last step."""
    try:
        _check_key(store)
    except Fault as fault:
        if coming is None or fault.code != "key.other":
            raise
        store = replace(store, key=coming)
        _check_key(store)
    return store


def _refuse_old_key(session: Session, key: Key) -> None:
    """Keep a process that still has the key from before a rotation from sealing what nobody could open.

    The row stays shared until the writer is done, and a rotation waits for it.
    """
    connection = session.info[WRITING] = session.connection()
    driver = driver_of(connection)
    if driver is not None:
        stored = (driver.execute(_KEY_CHECK).fetchone() or (None,))[0]
    else:
        stored = connection.exec_driver_sql(f"{_KEY_CHECK} for share").scalar()
    if stored is not None and not hmac.compare_digest(stored, key.check()):
        raise Fault("key.rotated")


def _has_key(connection: Connection, key: Key) -> bool:
    """Whether a key is that of the database, as this transaction sees it."""
    return connection.exec_driver_sql(_KEY_CHECK).scalar() in (None, key.check())


def _check_key(store: Store) -> None:
    """Refuse a key other than the one the database was begun with; a new database learns its key."""
    with _looking(store.engine) as connection:
        if not inspect(connection).has_table(Installation.__tablename__):
            return
        known = connection.execute(select(Installation.key_check).where(Installation.id == 1)).scalar()
    if known is None:
        row = {"id": 1, "began_at": clock.now(), "key_check": store.key.check()}
        try:
            with store.engine.begin() as connection:
                connection.execute(insert(Installation), row)
            return
        except IntegrityError:  # another process was first
            with _looking(store.engine) as connection:
                known = connection.execute(select(Installation.key_check)).scalar_one()
    if not hmac.compare_digest(known, store.key.check()):
        raise Fault("key.other", store.engine.url.render_as_string())
