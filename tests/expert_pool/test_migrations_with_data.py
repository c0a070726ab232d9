"""Migrations both ways on both databases with a row in every table: what a revision keeps, it keeps as it was."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from alembic.script import ScriptDirectory
from full_registry import build_full
from sqlalchemy import Boolean, Column, Date, Float, Integer, LargeBinary, inspect, select, text
from sqlalchemy import Enum as EnumType

from expert_pool import ledger
from expert_pool.registry import Table
from expert_pool.registry.base import Moment
from expert_pool.store import HEAD, Store, downgrade, migrations, upgrade

FIRST_ATTESTED = "0002"
"""The tables of the registry stand since then; whatever came later is not in its ledger entries."""
EITHER_OR = dict.fromkeys(("notice", "notice_address"), ("expert_id", "office_id"))
"""Columns of which only one may be set, without the one that is."""
SMALL = {("review_result", "passed"): 1}
"""Numbers that another column of the row bounds."""


def value(column: Column[Any], number: int, ids: dict[str, int]) -> Any:
    """Something that a column takes."""
    for key in column.foreign_keys:
        return ids.get(key.column.table.name)
    kind = column.type
    if isinstance(kind, EnumType):
        words = kind.enum_class
        assert words is not None
        assert issubclass(words, Enum)
        return next(iter(words))
    if isinstance(kind, Moment):
        return datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 1, 2)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, LargeBinary):
        return b"\x00\xff" + str(number).encode()
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Float):
        return 0.5
    return f"文{number}"


def fill(store: Store) -> None:
    """A row in every table that has none, optional columns set too."""
    numbers = itertools.count(900)
    with store.session() as session:
        connection = session.connection()
        ids: dict[str, int] = {}
        for table in Table.metadata.sorted_tables:
            if connection.execute(select(table.c.id).limit(1)).scalar() is None:
                row = {
                    column.name: SMALL.get((table.name, column.name)) or value(column, next(numbers), ids)
                    for column in table.columns
                    if column.name not in ("id", "corrects_id", *EITHER_OR.get(table.name, ()))
                }
                connection.execute(table.insert(), row)
            found = connection.execute(select(table.c.id).order_by(table.c.id).limit(1)).scalar()
            assert found is not None
            ids[table.name] = found


def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table there is now, as the driver gives it."""
    with store.engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return {
            name: [
                dict(row)
                for row in connection.execute(text(f'select * from "{name}" order by id')).mappings()
            ]
            for name in sorted(names)
        }


def holds(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    """Whatever table and column is in both has the same rows."""
    for name in before.keys() & after.keys():
        assert len(before[name]) == len(after[name]), name
        for old, new in zip(before[name], after[name], strict=True):
            same = old.keys() & new.keys()
            assert {key: old[key] for key in same} == {key: new[key] for key in same}, name


def test_every_step_down_and_up_again_keeps_the_rows_it_does_not_take_away(store: Store) -> None:
    build_full(store)
    fill(store)
    before = rows(store)
    assert all(before.values())
    script = ScriptDirectory.from_config(migrations())
    steps = [revision.revision for revision in script.walk_revisions()]
    assert steps[0] == HEAD
    for lower in steps[1:]:
        downgrade(store, lower)
        holds(before, rows(store))
    kept = rows(store)
    assert all(kept.values())
    for higher in reversed(steps[:-1]):
        upgrade(store, higher)
        holds(kept, rows(store))


def test_a_registry_goes_down_and_up_with_its_ledger_whole(store: Store) -> None:
    build_full(store)
    with store.reading() as session:
        anchor = ledger.anchor_of(ledger.heads(session)) if store.engine.dialect.name == "sqlite" else None
    downgrade(store, FIRST_ATTESTED)
    upgrade(store)
    with store.reading() as session:
        assert ledger.verify(session, anchor=anchor) == []
