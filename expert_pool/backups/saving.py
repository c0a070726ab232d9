"""Backing up while others write: one moment of every table, as an SQLite file in an archive."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, inspect, select, text, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from expert_pool import clock, ledger
from expert_pool.backups.archive import FORMAT, REGISTRY, Manifest, fingerprint, pack, workplace
from expert_pool.keys import make_key
from expert_pool.store import Store, open_store, upgrade
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

PASSING = ("account_session", "worker")
"""Tables about living browsers and processes: a backup holds none of their rows, so nobody is signed in after it."""
VERSION_TABLE = "alembic_version"

_CHUNK = 10_000


def back_up(store: Store, file: Path, *, report: Reporter = silent) -> Manifest:
    """Write the registry as it stands at this moment to `file`, which must not exist; nobody is held up.

    On SQLite with the online backup of the database itself, on PostgreSQL by reading every table in one REPEATABLE
    READ snapshot. Raises Fault `backup.exists`, `backup.no_space`, and what `Store.reading` raises.
    """
    if file.exists():
        raise Fault("backup.exists", str(file))
    with workplace(file) as folder:
        copy = folder / REGISTRY
        made_at = clock.now()
        if store.engine.dialect.name == "sqlite":
            _copy_file(store, copy, report)
        else:
            _copy_tables(store, copy, report)
        _settle(copy)
        manifest = _manifest(store, copy, made_at)
        pack(folder, manifest, file)
    return manifest


def keep_key(store: Store, file: Path) -> None:
    """Write the key to a file of its own (mode 600), as EXPERT_POOL_KEY_FILE takes it.

    Raises Fault `backup.exists` and `key.file_unwritable`.
    """
    if file.exists() or make_key(file, store.key) != store.key:
        raise Fault("backup.exists", str(file))


def _copy_file(store: Store, copy: Path, report: Reporter) -> None:
    def told(_status: int, remaining: int, total: int) -> None:
        report(Progress("backup", total - remaining, total))

    with closing(store.engine.raw_connection()) as opened, closing(sqlite3.connect(copy)) as target:
        source: Any = opened.driver_connection
        source.backup(target, pages=-1, progress=told)  # in one go: nobody's write can make it begin anew


def _copy_tables(store: Store, copy: Path, report: Reporter) -> None:
    with store.reading() as session:
        revision = session.execute(text(f"select version_num from {VERSION_TABLE}")).scalar_one()  # noqa: S608
        with open_store(str(copy), upgrade=False, key=store.key) as made:
            upgrade(made, str(revision))
            names = set(inspect(made.engine).get_table_names()) - {VERSION_TABLE}
        metadata = MetaData()
        metadata.reflect(session.connection(), only=sorted(names), resolve_fks=False)
        with closing(sqlite3.connect(copy)) as target:
            for done, name in enumerate(sorted(names)):
                report(Progress("backup", done, len(names)))
                _copy_table(session, metadata.tables[name], target)
            target.commit()


def _copy_table(session: Session, table: Table, target: sqlite3.Connection) -> None:
    names = [column.name for column in table.columns]
    into = f"{_quoted(table.name)} ({', '.join(map(_quoted, names))})"
    target.execute(f"delete from {_quoted(table.name)}")  # noqa: S608
    target.executemany(
        f"insert into {into} values ({', '.join('?' * len(names))})",  # noqa: S608
        (tuple(map(_stored, row)) for row in _rows(session, table)),
    )


def _rows(session: Session, table: Table) -> Iterator[Sequence[Any]]:
    raw = select(*(type_coerce(column, NullType()).label(column.name) for column in table.columns))
    with session.connection().execute(raw, execution_options={"yield_per": _CHUNK}) as result:
        for chunk in result.partitions():
            yield from chunk


def _stored(value: Any) -> Any:
    """A value of PostgreSQL as SQLite stores it."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value)
    return float(value) if isinstance(value, Decimal) else value


def _settle(copy: Path) -> None:
    """One file without a log beside it, without what belongs to living processes."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as opened:
        opened.execute("pragma secure_delete = on")
        there = {name for (name,) in opened.execute("select name from sqlite_master where type = 'table'")}
        for name in PASSING:
            if name in there:
                opened.execute(f"delete from {_quoted(name)}")  # noqa: S608
        opened.execute("pragma journal_mode = delete")
        opened.execute("vacuum")


def _manifest(store: Store, copy: Path, made_at: datetime) -> Manifest:
    with open_store(str(copy), upgrade=False, key=store.key) as copied, copied.reading() as session:
        names = sorted(set(inspect(session.connection()).get_table_names()) - {VERSION_TABLE})
        tables = {
            name: session.execute(text(f"select count(*) from {_quoted(name)}")).scalar_one()  # noqa: S608
            for name in names
        }
        revision = session.execute(text(f"select version_num from {VERSION_TABLE}")).scalar_one()  # noqa: S608
        heads = ledger.heads(session)
    size, digest = fingerprint(copy)
    return Manifest(
        format=FORMAT,
        version=version("expert-pool"),
        made_at=made_at,
        database="sqlite" if store.engine.dialect.name == "sqlite" else "postgresql",
        revision=str(revision),
        key_check=store.key.check(),
        tables=tables,
        bytes=size,
        sha256=digest,
        entries=sum(head.sequence for head in heads),
        heads=tuple(heads),
        anchor=ledger.anchor_of(heads),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
