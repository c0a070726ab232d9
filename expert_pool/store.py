"""The database: opening, migrating, sessions. SQLite by default, PostgreSQL by changing one URL."""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from expert_pool import clock
from expert_pool.keys import Key, coming_key, load_key
from expert_pool.registry import Installation, Table
from solver.errors import Fault

if TYPE_CHECKING:
    from alembic.config import Config

DATABASE_VARIABLE = "EXPERT_POOL_DATABASE"
DEFAULT_URL = "sqlite:///expert-pool.db"
HEAD = "0009"
"""The newest revision of the tables."""

_BUSY_MS = 30_000
_MAPPED = 1 << 30
"""So much of an SQLite file is read through the system's page cache, which all connections share."""
_CACHE_KB = 16_000
"""SQLite's own cache of a connection, for pages that a transaction has touched."""
_turns: defaultdict[str, Lock] = defaultdict(Lock)
"""By SQLite file, whose turn it is to write in this process: waiting for a lock is quicker and fairer than asking
SQLite again and again."""
_MIGRATION_LOCK = 0x65787065_72747001  # one number for pg_advisory_xact_lock
_migrating = Lock()  # alembic's context is one per process
_READING = "expert_pool_reading"
_KEY_CHECK = "select key_check from installation where id = 1"
_KEY_CHECK_SHARED = "select key_check from installation where id = 1 for share"
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
        """A session that writes: commits at the end of the block, rolls back if it raises.

        Objects stay usable after the commit. Raises Fault `store.busy` when another writer was in the way
        (SQLite: for half a minute), `store.unusable` when the database could not be used (disk full,
        connection lost, ...), `key.rotated` when the key was rotated since this process opened the database.
        """
        with (
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
        if not turn.acquire(timeout=_BUSY_MS / 1000):
            raise Fault("store.busy", self.engine.url.render_as_string())
        try:
            yield
        finally:
            turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent snapshot and cannot write; it holds up no writer. Faults as
        `session`.
        """
        options: dict[str, Any] = {_READING: True}
        if self.engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        engine = self.engine.execution_options(**options)
        with _faults(self.url), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str | None = None, *, upgrade: bool = True, key: Key | None = None) -> Store:
    """Open the database at `url` (a SQLAlchemy URL or the path of an SQLite file).

    Without `url`: EXPERT_POOL_DATABASE, else `expert-pool.db` in the working directory. With `upgrade` a new
    or older database is migrated to the newest tables first; without, it is opened as it stands. `key`: else
    as `keys.load_key` finds it.

    Raises Fault: `store.url_malformed`, `store.url_backend` (neither SQLite nor PostgreSQL),
    `store.no_folder`, `store.not_ours` (a file or database that is something else), `store.newer` (written by
    a newer version), `store.unusable`, `store.busy`, `key.*` of `load_key`, and `key.other` when the key is
    not the one this database was begun with.
    """
    place = _place(url or os.environ.get(DATABASE_VARIABLE) or DEFAULT_URL)
    full = place.render_as_string(hide_password=False)
    engine = _engine(place)
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
    if count == 0:
        return []
    session.flush()
    name = table.__tablename__
    if session.get_bind().dialect.name == "postgresql":
        statement = text(
            "select nextval(pg_get_serial_sequence(:name, 'id')) from generate_series(1, :count)"
        )
        return sorted(session.scalars(statement, {"name": f'"{name}"', "count": count}))
    given: dict[str, int] = session.info.setdefault("allocated", {})
    last = max(session.scalar(select(func.max(table.id))) or 0, given.get(name, 0))
    given[name] = last + count
    return list(range(last + 1, last + count + 1))


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
    if place.get_backend_name() == "sqlite" and not _in_memory(place):
        file = Path(str(place.database)).expanduser()
        if not file.parent.is_dir():
            raise Fault("store.no_folder", str(file.parent))
        place = place.set(database=str(file))
    return place


def _in_memory(place: URL) -> bool:
    return place.database in (None, "", ":memory:")


def _engine(place: URL) -> Engine:
    if place.get_backend_name() == "postgresql":
        return create_engine(place, pool_pre_ping=True)
    if _in_memory(place):
        engine = create_engine(place, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(place)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {_BUSY_MS}")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute(f"pragma mmap_size = {_MAPPED}")
    cursor.execute(f"pragma cache_size = -{_CACHE_KB}")
    cursor.close()


def _begun(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(_READING))
    connection.exec_driver_sql(f"pragma query_only = {'on' if reading else 'off'}")
    connection.exec_driver_sql("begin" if reading else "begin immediate")


@contextmanager
def _faults(url: str) -> Iterator[None]:
    """Say as a Fault what the database could not do for reasons outside this program."""
    where = make_url(url).render_as_string(hide_password=True)
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
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
    return engine.execution_options(**{_READING: True}).connect()


def _exists(place: URL) -> bool:
    """Whether there is a database to look into; an SQLite file that is missing or empty is not one yet."""
    if place.get_backend_name() != "sqlite":
        return True
    file = Path(str(place.database))
    return not _in_memory(place) and file.exists() and file.stat().st_size > 0


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
    shared = session.get_bind().dialect.name == "postgresql"
    stored = session.connection().exec_driver_sql(_KEY_CHECK_SHARED if shared else _KEY_CHECK).scalar()
    if stored is not None and not hmac.compare_digest(stored, key.check()):
        raise Fault("key.rotated")


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
