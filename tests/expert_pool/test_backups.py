"""Backups of both databases while others write, and restoring them, also across."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from full_registry import build_full
from patience import until
from refused import refused
from sqlalchemy import func, select, text

from expert_pool import ledger
from expert_pool.backups import Manifest, back_up, keep_key, restore
from expert_pool.keys import Key
from expert_pool.registry import Expert, LedgerEntry, Organiser, Table
from expert_pool.store import HEAD, Store, downgrade, open_store, upgrade
from solver.errors import Fault

KEY = Key(bytes(range(32)))


def everything(store: Store) -> dict[str, list[Any]]:
    """Every row of every table, as read through the tables' own types."""
    with store.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            for table in Table.metadata.sorted_tables
        }


@pytest.fixture
def other_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    from conftest import _admin, _database

    with _admin(postgres_server) as run:
        run("create database restored_here")
        yield _database(postgres_server, "restored_here")
        run("drop database restored_here with (force)")


@pytest.fixture
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database to restore into: the parameter says of which kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'restored.db'}"
    return str(request.getfixturevalue("other_postgres_url"))


@pytest.mark.parametrize("target_url", ["sqlite", "postgresql"], indirect=True)
def test_what_comes_back_is_what_was_there_on_either_database(
    store: Store, target_url: str, tmp_path: Path
) -> None:
    build_full(store)
    file = tmp_path / "city.backup"
    manifest = back_up(store, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert manifest.revision == HEAD
    restored = restore(file, target_url, key=KEY)
    assert restored.faults == ()
    with open_store(target_url, key=KEY) as other:
        assert everything(other) == everything(store)
        with other.session() as session:  # ids go on where they ended
            organiser = session.scalar(select(Organiser.id))
            ledger.append(session, organiser_id=organiser, actor="a", action="b", subject="c", payload={})
            session.add(Organiser(code="NEW", name="新"))
        with other.reading() as session:
            assert ledger.verify(session, heads=manifest.heads) == []
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


@contextmanager
def writers(store: Store, count: int) -> Iterator[list[int]]:
    """Clerks who go on writing, each with ledger entries, inside the block."""
    with store.session() as session:
        organiser = session.scalar(select(Organiser.id))
    stop, written = threading.Event(), list[int]()

    def write(me: int) -> None:
        n = 0
        while not stop.is_set():
            n += 1
            with store.session() as session:
                row = Organiser(code=f"W{me}-{n}", name="写")
                session.add(row)
                session.flush()
                ledger.append(
                    session,
                    organiser_id=organiser,
                    actor="w",
                    action="organiser.added",
                    subject=row.code,
                    payload={},
                    rows=[row],
                )
            written.append(1)

    threads = [threading.Thread(target=write, args=(me,)) for me in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_backup_under_writers_is_one_moment(store: Store, tmp_path: Path) -> None:
    build_full(store)
    with writers(store, 2) as written:
        until(lambda: len(written) >= 10)
        before = len(written)
        manifest = back_up(store, tmp_path / "a.backup")
        during = len(written) - before
        until(lambda: len(written) >= before + during + 5)  # nobody was shut out
    url = f"sqlite:///{tmp_path / 'restored.db'}"
    restored = restore(tmp_path / "a.backup", url, key=KEY)
    assert restored.faults == ()
    with open_store(url, key=KEY) as other, other.reading() as session:
        attested = session.scalar(select(func.count()).where(LedgerEntry.action == "organiser.added"))
        rows = session.scalar(select(func.count()).where(Organiser.code.like("W%")))
        assert attested == rows
        assert before <= rows <= before + during + 2
        assert ledger.anchor(session) == manifest.anchor
    with store.reading() as session:  # and the living ledger once stood as the backup says
        assert ledger.verify(session, anchor=manifest.anchor, heads=manifest.heads) == []


def test_a_backup_never_holds_the_key_and_keeps_it_apart_when_asked(
    sqlite_store: Store, tmp_path: Path
) -> None:
    build_full(sqlite_store)
    back_up(sqlite_store, tmp_path / "a.backup")
    keep_key(sqlite_store, tmp_path / "the.key")
    assert stat.S_IMODE((tmp_path / "the.key").stat().st_mode) == 0o600
    assert Key.from_text((tmp_path / "the.key").read_text(), "") == KEY
    with zipfile.ZipFile(tmp_path / "a.backup") as packed:
        inside = packed.read("registry.db") + packed.read("manifest.json")
        assert set(packed.namelist()) == {"registry.db", "manifest.json"}
    assert KEY.secret not in inside
    assert KEY.to_text().encode() not in inside
    with refused("backup.exists"):
        keep_key(sqlite_store, tmp_path / "the.key")


def test_a_restored_file_finds_its_key_beside_it(sqlite_store: Store, tmp_path: Path) -> None:
    build_full(sqlite_store)
    back_up(sqlite_store, tmp_path / "a.backup")
    place = tmp_path / "new" / "registry.db"
    place.parent.mkdir()
    with refused("backup.key_needed"):
        restore(tmp_path / "a.backup", str(place))
    assert list(place.parent.iterdir()) == []
    restore(tmp_path / "a.backup", str(place), key=KEY)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.with_name("registry.db.key").stat().st_mode) == 0o600
    with open_store(str(place)) as store, store.engine.connect() as connection:
        assert store.key == KEY
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma integrity_check")).scalar() == "ok"


def test_data_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    build_full(store)
    file = tmp_path / "a.backup"
    back_up(store, file)
    with refused("backup.exists"):
        back_up(store, file)
    with refused("backup.not_empty"):
        restore(file, store.url, key=KEY)
    with refused("backup.key_other"):
        restore(file, f"sqlite:///{tmp_path / 'b.db'}", key=Key(bytes(32)))


def test_a_migrated_database_without_rows_is_empty(
    postgres_store: Store, sqlite_store: Store, tmp_path: Path
) -> None:
    build_full(sqlite_store)
    back_up(sqlite_store, tmp_path / "a.backup")
    assert restore(tmp_path / "a.backup", postgres_store.url, key=KEY).faults == ()


def test_a_key_in_the_way_is_kept(sqlite_store: Store, tmp_path: Path) -> None:
    back_up(sqlite_store, tmp_path / "a.backup")
    other = tmp_path / "b.db.key"
    other.write_text(Key(bytes(32)).to_text())
    with refused("backup.key_in_the_way"):
        restore(tmp_path / "a.backup", str(tmp_path / "b.db"), key=KEY)
    assert not (tmp_path / "b.db").exists()
    with refused("backup.key_other"):
        restore(tmp_path / "a.backup", str(tmp_path / "b.db"))


@pytest.mark.parametrize("how", ["empty", "text", "cut", "turned", "no manifest", "bad manifest", "swapped"])
def test_a_damaged_backup_is_refused(sqlite_store: Store, tmp_path: Path, how: str) -> None:
    build_full(sqlite_store)
    good, bad = tmp_path / "a.backup", tmp_path / "bad.backup"
    back_up(sqlite_store, good)
    raw = bytearray(good.read_bytes())
    if how == "empty":
        raw = bytearray()
    elif how == "text":
        raw = bytearray("姓名,单位\n" * 100, "utf-8")
    elif how == "cut":
        raw = raw[: len(raw) // 2]
    elif how == "turned":
        raw[len(raw) // 2] ^= 1
    bad.write_bytes(raw)
    if how in ("no manifest", "bad manifest", "swapped"):
        with zipfile.ZipFile(good) as packed:
            registry, manifest = packed.read("registry.db"), json.loads(packed.read("manifest.json"))
        if how == "bad manifest":
            manifest["format"] = "expert-pool-backup/9"
        with zipfile.ZipFile(bad, "w") as packed:
            packed.writestr("registry.db", registry + b"\0" if how == "swapped" else registry)
            if how != "no manifest":
                packed.writestr("manifest.json", json.dumps(manifest))
    with refused("backup.not_one") as caught:
        restore(bad, str(tmp_path / "b.db"), key=KEY)
    assert not re.search("[A-Z][a-z]+[A-Z]|Error", caught.value.params["reason"])  # no name of a class
    assert not (tmp_path / "b.db").exists()


def test_a_backup_of_a_newer_version_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    back_up(sqlite_store, tmp_path / "a.backup")
    with zipfile.ZipFile(tmp_path / "a.backup") as packed:
        registry, manifest = packed.read("registry.db"), json.loads(packed.read("manifest.json"))
    with zipfile.ZipFile(tmp_path / "n.backup", "w") as packed:
        packed.writestr("registry.db", registry)
        packed.writestr("manifest.json", json.dumps(manifest | {"revision": "9999"}))
    with refused("backup.newer"):
        restore(tmp_path / "n.backup", str(tmp_path / "b.db"), key=KEY)


def test_what_was_altered_before_the_backup_is_found_after_the_restore(
    sqlite_store: Store, tmp_path: Path
) -> None:
    build_full(sqlite_store)
    with sqlite_store.session() as session:
        session.execute(text("update expert set code = 'E99' where code = 'E01'"))
    back_up(sqlite_store, tmp_path / "a.backup")
    restored = restore(tmp_path / "a.backup", str(tmp_path / "b.db"), key=KEY)
    assert [fault.code for fault in restored.faults] == ["ledger.row_changed"]


@pytest.mark.parametrize("target_url", ["sqlite", "postgresql"], indirect=True)
def test_a_backup_of_older_tables_is_migrated_after_the_restore(
    store: Store, target_url: str, tmp_path: Path
) -> None:
    build_full(store)
    downgrade(store, "0002")
    with open_store(store.url, upgrade=False, key=KEY) as old:
        manifest = back_up(old, tmp_path / "old.backup")
    assert manifest.revision == "0002"
    assert restore(tmp_path / "old.backup", target_url, key=KEY).faults == ()
    upgrade(store)
    with open_store(target_url, key=KEY) as other:
        assert everything(other) == everything(store)


def test_sessions_and_workers_do_not_come_back(sqlite_store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(str(sqlite_store.engine.url.database))) as raw:
        there = {name for (name,) in raw.execute("select name from sqlite_master")}
    manifest = back_up(sqlite_store, tmp_path / "a.backup")
    assert {"account_session", "worker"} & there <= manifest.tables.keys()
    assert isinstance(manifest, Manifest)
    assert all(manifest.tables.get(name, 0) == 0 for name in ("account_session", "worker"))


def test_a_full_disk_leaves_no_half_backup(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(Fault) as caught:
        back_up(sqlite_store, tmp_path / "a.backup")
    assert caught.value.code == "backup.no_space"
    assert not (tmp_path / "a.backup").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_experts_survive_the_way_to_postgres_and_back(
    sqlite_store: Store, other_postgres_url: str, tmp_path: Path
) -> None:
    build_full(sqlite_store)
    back_up(sqlite_store, tmp_path / "laptop.backup")
    restore(tmp_path / "laptop.backup", other_postgres_url, key=KEY)
    with open_store(other_postgres_url, key=KEY) as cluster:
        back_up(cluster, tmp_path / "cluster.backup")
    restore(tmp_path / "cluster.backup", str(tmp_path / "again.db"), key=KEY)
    with open_store(str(tmp_path / "again.db"), key=KEY) as again:
        assert everything(again) == everything(sqlite_store)
        with again.reading() as session:
            assert session.scalar(select(func.count(Expert.id))) == 12
