"""Fixtures of the import tests: files to import, and a registry that holds the small one already."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expert_pool import clock
from expert_pool.imports import RowError, import_tables
from expert_pool.keys import Key
from expert_pool.packaged import fixture
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer

KEY = Key(bytes(range(32)))
TODAY = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
Tables = dict[str, Sequence[Sequence[object]]]


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    """Holds the clock at noon of 1 June 2026 in China."""
    with clock.fixed(TODAY):
        yield


@pytest.fixture(scope="session")
def small() -> Path:
    """The small registry that comes with the package."""
    return fixture("registry-small")


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of CSV files: per sheet a header row and rows."""

    def make(**tables: Sequence[Sequence[object]]) -> Path:
        folder = tmp_path / "files"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, rows in tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
        return folder

    return make


@pytest.fixture(scope="session")
def filled_template(sqlite_template: Path, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that holds the small registry, to copy."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(sqlite_template, path)
    with clock.fixed(TODAY), open_store(f"sqlite:///{path}", key=KEY) as store:
        assert import_tables(store, Viewer.system("office"), small).ok
        with store.engine.connect() as connection:
            connection.connection.execute("pragma wal_checkpoint(truncate)")
    return path


@pytest.fixture
def filled(filled_template: Path, tmp_path: Path) -> Iterator[Store]:
    """The small registry, on SQLite."""
    shutil.copy(filled_template, tmp_path / "filled.db")
    with open_store(f"sqlite:///{tmp_path / 'filled.db'}", key=KEY) as store:
        yield store


@pytest.fixture
def wrong(
    filled: Store, files: Callable[..., Path], system: Viewer
) -> Callable[..., list[tuple[str, int, str, str]]]:
    """Imports sheets that are wrong into the small registry and tells what was found: sheet, row, column, code.

    Every error has a sentence in both languages, and nothing is written.
    """

    def judge(correct: bool = False, **tables: Sequence[Sequence[object]]) -> list[tuple[str, int, str, str]]:
        before = counted(filled)
        done = import_tables(filled, system, files(**tables), correct=correct, organiser="ORG-01")
        assert not done.ok
        assert done.sheets == ()
        assert counted(filled) == before
        for error in done.errors:
            check_sentence(error)
        return [(error.sheet, error.row, error.column, error.code) for error in done.errors]

    return judge


def counted(store: Store) -> dict[str, int]:
    """How many rows every table holds."""
    from sqlalchemy import func, select

    from expert_pool.registry import Table

    with store.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Table.metadata.tables.items()
        }


def check_sentence(error: RowError) -> None:
    for lang in ("zh", "en"):
        said = error.said(lang)
        assert not said.startswith(error.code)
        assert "{" not in said


@pytest.fixture
def row_counts() -> Callable[[Store], dict[str, int]]:
    """Counts the rows of every table."""
    return counted
