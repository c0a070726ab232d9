"""One changed byte anywhere in the ledger, or in a row of any table that it attests, is found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from full_registry import KEY, build_full
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.ledger.canonical import columns, raw_select
from expert_pool.registry import Table
from expert_pool.store import Store, open_store

TABLES = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}
REGISTRY = ("catalogue", "employers", "experts", "organisers", "panels")
ATTESTED = sorted(name for name, table in TABLES.items() if table.__module__.rpartition(".")[2] in REGISTRY)
Cell: TypeAlias = tuple[str, int, str]


@pytest.fixture(scope="module")
def full(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A registry with rows in every table, on SQLite, and its file."""
    path = tmp_path_factory.mktemp("full") / "full.db"
    shutil.copy(sqlite_template, path)
    with open_store(str(path), key=KEY) as store:
        build_full(store)
        yield store


def cells(store: Store, tables: list[str]) -> list[Cell]:
    """Every cell (table, id, column) of these tables."""
    with store.reading() as session:
        return [
            (name, identity, column)
            for name in tables
            for identity in session.scalars(select(TABLES[name].id))
            for column in columns(TABLES[name])
        ]


def found_after(store: Store, cell: Cell, value: Any) -> list[ledger.LedgerFault]:
    """What verification says while the cell holds `value`, written behind the program's back."""
    table, identity, column = cell
    change = f'update "{table}" set "{column}" = ? where id = ?'
    with closing(sqlite3.connect(str(store.engine.url.database), isolation_level=None)) as connection:
        before = stored(connection, cell)
        at = value if column == "id" else identity
        try:
            # text of any bytes, as only a hex editor could write it
            how = (
                change.replace("?", "cast(? as text)", 1)
                if isinstance(before, str) and isinstance(value, bytes)
                else change
            )
            connection.execute(how, (value, identity))
        except sqlite3.IntegrityError:
            assume(False)
        try:
            with store.reading() as session:
                return ledger.verify(session)
        finally:
            connection.execute(change, (before, at))
            assert stored(connection, cell) == before


def stored(connection: sqlite3.Connection, cell: Cell) -> Any:
    table, identity, column = cell
    return connection.execute(f'select "{column}" from "{table}" where id = ?', (identity,)).fetchone()[0]


def test_every_table_is_attested(full: Store) -> None:
    assert {name for name, _, _ in cells(full, ATTESTED)} == set(ATTESTED)
    with full.reading() as session:
        assert ledger.verify(session) == []
        names = session.execute(text('select distinct "table" from attestation')).scalars()
        assert set(names) == set(ATTESTED)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_one_changed_byte_is_found(full: Store, data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from([*ATTESTED, "ledger_entry", "ledger_entry", "ledger_entry", "attestation"])
    )
    cell = data.draw(st.sampled_from(cells(full, [name])))
    with closing(sqlite3.connect(str(full.engine.url.database))) as connection:
        value = stored(connection, cell)
    if value is None:
        changed: Any = data.draw(st.sampled_from([0, 1, "", "x", b""]))
    elif isinstance(value, int):
        changed = value ^ (1 << data.draw(st.integers(0, 15)))
    else:
        raw = bytearray(value.encode() if isinstance(value, str) else value)
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        else:
            raw += b"x"
        changed = bytes(raw)
    assert found_after(full, cell, changed) != []


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, date):
        return value + timedelta(days=1)
    return value + (" " if isinstance(value, str) else b"\x00")


def change_one(session: Session, table: type[Table], *among: str) -> None:
    """Give the first row another value in one of these columns, the first that has any."""
    name = table.__tablename__
    row = session.execute(raw_select(table).order_by(table.id)).first()
    assert row is not None
    column = next(column for column in among if getattr(row, column) is not None)
    value = 900_000 if column in {"id", "sequence"} else other(getattr(row, column))
    change = text(f'update "{name}" set "{column}" = :value where id = :id')
    session.execute(change, {"value": value, "id": row.id})


def test_changes_on_postgresql_are_found_too(postgres_store: Store) -> None:
    """Each column of the ledger, a row of every table, and each kind of value."""
    build_full(postgres_store)
    with postgres_store.session() as session:
        session.execute(
            text("set session_replication_role = replica")
        )  # no foreign keys, as a tamperer could
        for name in ("ledger_entry", "attestation"):
            for column in columns(TABLES[name]):
                savepoint = session.begin_nested()
                change_one(session, TABLES[name], column)
                assert ledger.verify(session) != [], (name, column)
                savepoint.rollback()
        for kind in ("code", "requested_at", "state", "problem", "fileable", "meeting_id"):
            savepoint = session.begin_nested()
            change_one(session, TABLES["panel"], kind)
            assert [fault.table for fault in ledger.verify(session)] == ["panel"], kind
            savepoint.rollback()
        assert ledger.verify(session) == []
        for name in ATTESTED:
            change_one(session, TABLES[name], *reversed(columns(TABLES[name])))
        assert sorted(str(fault.table) for fault in ledger.verify(session)) == ATTESTED
