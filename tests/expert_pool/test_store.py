"""Opening, migrating and using the database, on both kinds."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from refused import refused
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from tiny_registry import Tiny

from expert_pool import engines
from expert_pool import store as store_module
from expert_pool.bulk import insert_rows
from expert_pool.keys import Key
from expert_pool.registry import Employment, Expert, Gender, Organiser, Qualification, Rank, Table
from expert_pool.store import HEAD, Store, allocate, downgrade, migrations, open_store, upgrade
from solver.errors import Fault


def codes(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Organiser.code).order_by(Organiser.code)))


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_down_and_up_again_leaves_nothing_and_everything(store: Store) -> None:
    downgrade(store, "base")
    with store.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    upgrade(store)
    with store.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {*Table.metadata.tables, "alembic_version"}


def test_the_head_is_the_newest_revision_in_the_package() -> None:
    assert ScriptDirectory.from_config(migrations()).get_current_head() == HEAD
    assert (resources.files("expert_pool") / "migrations" / "env.py").is_file()


def test_an_unknown_revision_is_refused(sqlite_store: Store) -> None:
    with refused("store.revision"):
        upgrade(sqlite_store, "9999")
    with refused("store.revision"):
        downgrade(sqlite_store, "nothing")


def test_a_session_commits_or_rolls_back(store: Store) -> None:
    with store.session() as session:
        organiser = Organiser(code="A", name="甲")
        session.add(organiser)
    assert organiser.code == "A"  # still usable
    with pytest.raises(RuntimeError), store.session() as session:  # noqa: PT012
        session.add(Organiser(code="B", name="乙"))
        session.flush()
        raise RuntimeError
    assert codes(store) == ["A"]


def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, Fault)), store.reading() as session:  # noqa: PT012
        session.add(Organiser(code="A", name="甲"))
        session.flush()
    assert codes(store) == []
    with store.session() as session:
        session.add(Organiser(code="A", name="甲"))
    assert codes(store) == ["A"]


def test_reading_sees_one_snapshot_and_holds_up_no_writer(store: Store) -> None:
    with store.reading() as session:
        assert session.scalars(select(Organiser.id)).all() == []
        with store.session() as writing:
            writing.add(Organiser(code="A", name="甲"))
        assert session.scalars(select(Organiser.id)).all() == []
    assert codes(store) == ["A"]


def test_a_second_writer_on_sqlite_waits_then_says_busy(
    sqlite_url: str, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    with open_store(sqlite_url, key=sqlite_store.key) as other, sqlite_store.session() as session:
        session.add(Organiser(code="A", name="甲"))
        session.flush()
        with refused("store.busy"), other.session() as second:
            second.add(Organiser(code="B", name="乙"))
        assert codes(other) == []  # readers go on


def test_the_first_use_makes_database_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store() as store, store.engine.connect() as connection:
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1
    assert {path.name for path in tmp_path.iterdir()} == {"expert-pool.db", "expert-pool.db.key"}
    with open_store("expert-pool.db") as again:
        assert again.key == store.key


def test_two_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from expert_pool import engines; engines.BUSY_MS = 300_000; "
        "from expert_pool.store import open_store; print(open_store(sys.argv[1]).key.check())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.db")]
    root = str(Path(store_module.__file__).parents[1])
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert len(set(said)) == 1


def test_another_key_is_refused(store: Store) -> None:
    with refused("key.other"):
        open_store(store.url, key=Key(bytes(32)))


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "roster.db"
    file.write_text("姓名,单位\n" * 200)
    before = file.read_bytes()
    with refused("store.not_ours"):
        open_store(str(file))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table expert (name text)")
    connection.close()
    before = file.read_bytes()
    with refused("store.not_ours"):
        open_store(str(file))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with refused("store.newer"):
        open_store(store.url, key=store.key)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("://", "store.url_malformed"),
        ("mysql://a:secret@b/c", "store.url_backend"),
        ("sqlite:////nowhere/at/all.db", "store.no_folder"),
        ("postgresql://a:secret@127.0.0.1:1/c", "store.unusable"),
    ],
)
def test_a_bad_url_is_one_clear_fault(url: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        open_store(url, key=Key.new())
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_a_database_in_memory_works() -> None:
    with open_store("sqlite://") as store:
        with store.session() as session:
            session.add(Organiser(code="A", name="甲"))
        assert codes(store) == ["A"]


def test_ids_given_out_twice_differ_and_are_free(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        taken = set(session.scalars(select(Expert.id)))
        first, second = allocate(session, Expert, 3), allocate(session, Expert, 2)
        assert len({*taken, *first, *second}) == len(taken) + 5
        assert first == sorted(first)
        assert allocate(session, Expert, 0) == []


def expert(identity: int, **more: Any) -> dict[str, Any]:
    row = {
        "id": identity,
        "code": f"X{identity}",
        "pseudonym": f"P{identity}",
        "name": "甲\t\\N乙\n丙",
        "region": "",
    }
    empty = {
        "national_id_sealed": b"\x00\xff'",
        "national_id_mark": None,
        "phone_sealed": None,
        "phone_mark": None,
    }
    return row | empty | {"gender": Gender.MALE, "born": date(1970, 2, 3)} | more


def test_bulk_rows_come_back_as_they_went_in(tiny: Tiny) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    with tiny.store.session() as session:
        ids = allocate(session, Expert, 2)
        rows = [expert(ids[0]), expert(ids[1], gender=None, born=None)]
        insert_rows(session, Expert, list(rows[0]), [tuple(row.values()) for row in rows])
        record = {
            "organiser_id": tiny.organiser_id,
            "recorded_at": moment,
            "recorded_by": "a",
            "holds_on": moment.date(),
        }
        rank = {
            "id": allocate(session, Qualification, 1)[0],
            "expert_id": ids[0],
            "series": "s",
            "rank": Rank.MID,
        }
        row = record | rank | {"void": True, "corrects_id": None}
        insert_rows(session, Qualification, list(row), [tuple(row.values())])
    with tiny.store.reading() as session:
        for wanted in rows:
            found = session.get_one(Expert, wanted["id"])
            assert {name: getattr(found, name) for name in wanted} == wanted
        found_record = session.get_one(Qualification, row["id"])
        assert {name: getattr(found_record, name) for name in row} == row


def test_bulk_rows_that_break_a_rule_of_the_tables_are_refused(tiny: Tiny) -> None:
    row = {
        "id": 9_999,
        "expert_id": 9_999,
        "employer_id": 1,
        "main": True,
        "until": None,
        "holds_on": date(2020, 1, 1),
    }
    row |= {
        "organiser_id": tiny.organiser_id,
        "recorded_at": datetime.now(UTC),
        "recorded_by": "",
        "void": False,
    }
    with pytest.raises(IntegrityError), tiny.store.session() as session:
        insert_rows(session, Employment, list(row), [tuple(row.values())])
