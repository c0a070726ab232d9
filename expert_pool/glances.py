"""Short looks into the database: a snapshot that costs two tiny statements, for questions that are asked a thousand times
a second.

On an SQLite file some connections stay open for them, each with its session and its prepared statements. What anybody
has committed before a look begins, in this process or another, it sees: nothing read is kept from one to the next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from expert_pool.statements import AT_HAND
from expert_pool.store import Store
from solver.errors import Fault

_MOST = 8
"""So many connections of one database stay open; beyond that the usual way is taken."""


@contextmanager
def glance(store: Store) -> Iterator[Session]:
    """A session that sees one consistent snapshot and cannot write, as `Store.reading`. Faults as it. Whatever is loaded
    through it must not outlive the block."""
    kept = _of(store) if is_near(store) else None
    opened = kept.take(store) if kept is not None else None
    if kept is None or opened is None:
        with store.reading() as session:
            yield session
        return
    sound = False
    try:
        with store.faults():
            opened.driver.execute("begin")
            try:
                yield opened.session
            finally:
                opened.driver.execute("rollback")
        sound = True
    except Fault as fault:
        sound = not fault.code.startswith("store.")
        raise
    finally:
        kept.give_back(opened, sound)


def is_near(store: Store) -> bool:
    """Whether the database is a file on this machine, so that a short look waits for nobody."""
    engine = store.engine
    return engine.dialect.name == "sqlite" and not isinstance(engine.pool, StaticPool)


@dataclass(frozen=True, slots=True)
class _Open:
    session: Session
    connection: Connection
    driver: sqlite3.Connection

    def close(self) -> None:
        self.session.close()
        self.connection.close()


@dataclass(slots=True)
class _Kept:
    """The open connections of one database."""

    idle: list[_Open] = field(default_factory=list)
    count: int = 0
    lock: Lock = field(default_factory=Lock)

    def take(self, store: Store) -> _Open | None:
        with self.lock:
            if self.idle:
                return self.idle.pop()
            if self.count >= _MOST:
                return None
            self.count += 1
        try:
            return _open(store)
        except BaseException:
            with self.lock:
                self.count -= 1
            raise

    def give_back(self, opened: _Open, sound: bool) -> None:
        if opened.session.identity_map:
            opened.session.expunge_all()
        with self.lock:
            if sound:
                self.idle.append(opened)
                return
            self.count -= 1
        opened.close()

    def close(self) -> None:
        with self.lock:
            idle, self.idle = self.idle, []
            self.count -= len(idle)
        for opened in idle:
            opened.close()


_all: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_making = Lock()


def _of(store: Store) -> _Kept:
    found = _all.get(store.engine)
    if found is None:
        with _making:
            found = _all.get(store.engine)
            if found is None:
                found = _all[store.engine] = _Kept()
                event.listen(store.engine, "engine_disposed", lambda engine: _closed(engine))
    return found


def _closed(engine: Engine) -> None:
    found = _all.get(engine)
    if found is not None:
        found.close()


def _open(store: Store) -> _Open:
    """A session on a connection of its own, in a transaction as far as it knows: the real ones are begun and ended
    beneath it."""
    with store.faults():
        connection = store.reader.connect()
        session = Session(connection, expire_on_commit=False, autoflush=False)
        session.connection()
        driver: Any = connection.connection.driver_connection
        driver.execute("rollback")
        connection.detach()
        session.info[AT_HAND] = connection
    return _Open(session, connection, driver)
