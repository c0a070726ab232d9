"""Engines: how each database is connected to, and how its transactions begin."""

from __future__ import annotations

import sqlite3
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

CONNECTIONS = 20
"""So many connections a process has at once, unless it says otherwise."""
BUSY_MS = 30_000
"""So long somebody waits for a connection, and on SQLite for another writer."""
READING = "expert_pool_reading"
"""The execution option of an engine whose transactions only read."""

_KEPT = 5
"""So many connections stay open while nobody needs them."""
_IDLE_SECONDS = 600
_MAPPED = 1 << 30
"""So much of an SQLite file is read through the system's page cache, which all connections share."""
_CACHE_KB = 16_000
"""SQLite's own cache of a connection, for pages that a transaction has touched."""


@lru_cache(64)
def reader_of(engine: Engine) -> Engine:
    """The engine whose transactions only read, each one snapshot."""
    options: dict[str, Any] = {READING: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


def in_memory(place: URL) -> bool:
    """Whether an SQLite database is no file."""
    return place.database in (None, "", ":memory:")


def engine_of(place: URL, connections: int = CONNECTIONS, patience: float | None = None) -> Engine:
    """An engine with so many connections at most; `patience`: seconds that a statement waits for a lock in PostgreSQL."""
    kept = min(_KEPT, connections)
    pool = {"pool_size": kept, "max_overflow": connections - kept, "pool_timeout": BUSY_MS / 1000}
    if place.get_backend_name() == "postgresql":
        name = {"fallback_application_name": "expert-pool"}
        engine = create_engine(place, pool_pre_ping=True, connect_args=name, **pool)
        event.listen(engine, "connect", partial(_connected_there, patience))
        return engine
    if in_memory(place):
        engine = create_engine(place, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(place, **pool)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected_there(patience: float | None, connection: Any, _record: object) -> None:
    """A client that stopped in the middle of a transaction gives its locks back after a while."""
    connection.autocommit = True
    connection.execute(f"set idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    if patience is not None:
        connection.execute(f"set lock_timeout = '{round(patience * 1000)}ms'")
    connection.autocommit = False


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {BUSY_MS}")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute(f"pragma mmap_size = {_MAPPED}")
    cursor.execute(f"pragma cache_size = -{_CACHE_KB}")
    cursor.close()


def _begun(connection: Connection) -> None:
    """Straight to the driver: these two come before everything else, a thousand times a second."""
    reading = bool(connection.get_execution_options().get(READING))
    driver: Any = connection.connection.driver_connection
    read_only(driver, connection.info, reading)
    driver.execute("begin" if reading else "begin immediate")


def read_only(driver: Any, info: dict[Any, Any], reading: bool) -> None:
    """Let an SQLite connection (with the `info` that is kept of it) only read, or write again. Not said twice: the
    pragma has SQLite forget every statement it has prepared."""
    if info.get(READING) is not reading:
        info[READING] = None  # in case the pragma fails
        driver.execute("pragma query_only = on" if reading else "pragma query_only = off")
        info[READING] = reading
