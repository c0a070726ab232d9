"""Restoring a backup into an empty database of either kind, and verifying what came of it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from psycopg import DataError
from sqlalchemy import Connection, MetaData, Table, func, inspect, make_url, select, text

from expert_pool import ledger
from expert_pool.backups.archive import REGISTRY, Manifest, publish, unpack, workplace
from expert_pool.keys import KEY_VARIABLE, Key, key_file, load_key, make_key
from expert_pool.ledger import LedgerFault
from expert_pool.store import Store, complete_url, downgrade, migrations, open_store, upgrade
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

VERSION_TABLE = "alembic_version"
_OWN = frozenset({VERSION_TABLE, "installation"})
"""Tables that hold a row in an empty database."""
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, where, and what the ledger finds wrong with it (nothing, if all is well)."""

    manifest: Manifest
    url: str
    """The database, its password hidden."""
    faults: tuple[LedgerFault, ...]


def restore(file: Path, url: str, *, key: Key | None = None, report: Reporter = silent) -> Restored:
    """Restore the backup `file` into the empty database at `url`, migrate it to this version, verify its ledger.

    `key` is the one of the backup, else as `keys.load_key` finds it; given for an SQLite database it is kept beside
    it. Empty is an SQLite file that is not there, or a PostgreSQL database without rows of ours. An SQLite database
    comes into being whole or not at all; one in PostgreSQL has no rows until it has them all.

    Raises Fault `backup.not_one`, `backup.newer`, `backup.not_empty`, `backup.key_needed`, `backup.key_other`,
    `backup.key_in_the_way`, `backup.unfit`, `backup.no_space`, and those of `open_store`.
    """
    place = _file_of(url)
    with workplace(place or Path(tempfile.gettempdir(), REGISTRY)) as folder:
        report(Progress("restore"))
        manifest = unpack(file, folder)
        scripts = ScriptDirectory.from_config(migrations()).walk_revisions()
        if manifest.revision not in {script.revision for script in scripts}:
            raise Fault("backup.newer", str(file), revision=manifest.revision)
        found = key or _key_at_hand(url if place is None else f"sqlite:///{place}")
        if found.check() != manifest.key_check:
            raise Fault("backup.key_other", str(file))
        if place is not None:
            _put_down(folder, place, key)
        else:
            _fill(url, found, folder / REGISTRY, manifest, report)
    with open_store(url, key=found) as store, store.reading() as session:
        report(Progress("ledger"))
        faults = ledger.verify(session, heads=manifest.heads, anchor=manifest.anchor)
        where = store.engine.url.render_as_string(hide_password=True)
    return Restored(manifest, where, tuple(faults))


def _file_of(url: str) -> Path | None:
    """The file of an SQLite database that is not there yet; None for PostgreSQL.

    Raises Fault `backup.not_empty`, and as `open_store` for a URL that cannot be.
    """
    place = make_url(complete_url(url))
    if place.get_backend_name() != "sqlite":
        return None
    file = Path(str(place.database)).absolute()
    if (file.exists() and file.stat().st_size) or file.with_name(file.name + "-wal").exists():
        raise Fault("backup.not_empty", str(file))
    return file


def _key_at_hand(url: str) -> Key:
    """The key the environment or a key file gives; none is made. Raises Fault `backup.key_needed`."""
    file = key_file(url)
    if KEY_VARIABLE not in os.environ and (file is None or not file.exists()):
        raise Fault("backup.key_needed")
    return load_key(url)


def _put_down(folder: Path, place: Path, key: Key | None) -> None:
    """The registry of a backup as an SQLite database; its key first, so that it never stands without."""
    draft, beside = folder / REGISTRY, place.with_name(place.name + ".key")
    with closing(sqlite3.connect(draft)) as opened:
        opened.execute("pragma journal_mode = wal")
    if key is not None and make_key(beside, key) != key:
        raise Fault("backup.key_in_the_way", str(beside))
    place.unlink(missing_ok=True)  # it is empty
    publish(draft, place)


def _fill(url: str, key: Key, registry: Path, manifest: Manifest, report: Reporter) -> None:
    """The registry of a backup in an empty PostgreSQL database: its tables, then all rows in one transaction."""
    try:
        store = open_store(url, upgrade=False, key=key)
    except Fault as fault:
        if fault.code == "key.other":
            raise Fault("backup.not_empty", fault.where) from None
        raise
    with store:
        _require_empty(store)
        if _names(store):
            downgrade(store, "base")
        upgrade(store, manifest.revision)
        source = f"file:{registry}?mode=ro"
        with store.engine.begin() as connection, closing(sqlite3.connect(source, uri=True)) as opened:
            metadata = MetaData()
            metadata.reflect(connection, only=sorted(manifest.tables))
            ordered = metadata.sorted_tables
            for table in reversed(ordered):
                connection.execute(table.delete())
            for done, table in enumerate(ordered):
                report(Progress("restore", done, len(ordered)))
                _copy(opened, connection, table)
                _set_sequence(connection, table)


def _names(store: Store) -> set[str]:
    return set(inspect(store.engine).get_table_names())


def _require_empty(store: Store) -> None:
    names = _names(store)
    if VERSION_TABLE not in names:
        return
    with store.engine.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote
        for name in sorted(names - _OWN):
            if connection.execute(text(f"select exists (select 1 from {quote(name)})")).scalar():  # noqa: S608
                raise Fault("backup.not_empty", store.engine.url.render_as_string())


def _copy(opened: sqlite3.Connection, connection: Connection, table: Table) -> None:
    quote = connection.dialect.identifier_preparer.quote
    names = [column.name for column in table.columns]
    listed = ", ".join(map(quote, names))
    driver: Any = connection.connection.driver_connection
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f"copy {quote(table.name)} ({listed}) from stdin") as copy,
        ):
            for row in _rows(opened, table.name, names):
                copy.write_row(row)
    except DataError as error:
        reason = str(error.diag.message_primary or type(error).__name__)
        raise Fault("backup.unfit", table.name, reason=reason) from None


def _rows(opened: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[Sequence[Any]]:
    listed = ", ".join(f'"{name}"' for name in names)
    cursor = opened.execute(f'select {listed} from "{table}" order by id')  # noqa: S608
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def _set_sequence(connection: Connection, table: Table) -> None:
    """The next id follows the last one."""
    connection.execute(
        select(
            func.setval(
                func.pg_get_serial_sequence(f'"{table.name}"', "id"),
                select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery(),
                False,
            )
        )
    )
