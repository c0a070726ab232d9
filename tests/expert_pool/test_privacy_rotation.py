"""Rotating the key: everything opens with the new one, whatever moment it is killed at; the ledger verifies."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from refused import refused
from sqlalchemy import select, text
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.imports import import_tables
from expert_pool.keys import Key, coming_file, key_file, load_key, make_key, mark_under
from expert_pool.privacy import rotation
from expert_pool.privacy.marks import marker
from expert_pool.privacy.rotation import reseal, rotate, sorted_tables
from expert_pool.registry import Expert, MarkSecret
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer

KEY = Key(bytes(range(32)))
NEW = Key(bytes(range(32, 64)))
ROOT = Path(rotation.__file__).parents[2]
SYSTEM = Viewer.system("operator")

ROTATING = """
import os, signal, sys
from sqlalchemy import Engine, event
from expert_pool.privacy import rotation
from expert_pool.viewer import Viewer

rotation.CHUNK, moments, last = 200, 0, 0

def reached(*_):
    global moments
    moments += 1
    if moments == last:
        os.kill(os.getpid(), signal.SIGKILL)

def rotate():
    global moments
    moments = 0
    rotation.rotate(sys.argv[1], Viewer.system("op"))

event.listen(Engine, "before_cursor_execute", reached)
event.listen(Engine, "commit", reached)
sys.addaudithook(lambda name, _: reached() if name in ("open", "os.rename", "os.remove") else None)
rotate()  # imports everything
rotate()
print(moments, flush=True)
for asked in sys.stdin:
    child = os.fork()
    if child == 0:
        last = int(asked)
        rotate()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Rotates, and says how many moments that had; then rotates once for every line, killed at the moment it names, and says
how that ended."""


@pytest.fixture
def registry(tiny_template: tuple[Path, Tiny], tmp_path: Path) -> str:
    """The small registry on SQLite with its key file beside it."""
    shutil.copy(tiny_template[0], tmp_path / "r.db")
    make_key(tmp_path / "r.db.key", KEY)
    return f"sqlite:///{tmp_path / 'r.db'}"


def opened(store: Store) -> dict[str, tuple[str, str | None]]:
    """Every expert's national ID in clear and mark, by pseudonym."""
    with store.reading() as session:
        rows = session.execute(select(Expert.pseudonym, Expert.national_id_sealed, Expert.national_id_mark))
        return {p: (store.key.open(sealed), mark) for p, sealed, mark in rows if sealed}


def test_everything_is_sealed_anew_and_pseudonyms_stay(tiny: Tiny) -> None:
    before = opened(tiny.store)
    counts = reseal(tiny.store, SYSTEM, NEW)
    assert counts == {"expert.national_id_sealed": 12}
    with open_store(tiny.store.url, key=NEW) as store:
        after = opened(store)
        assert after.keys() == before.keys()
        assert {p: plain for p, (plain, _) in after.items()} == {p: plain for p, (plain, _) in before.items()}
        assert all(mark == NEW.mark(plain) for plain, mark in after.values())
        with store.reading() as session:
            assert ledger.verify(session) == []
            entry = session.execute(text("select action, actor from ledger_entry order by id desc")).first()
            assert tuple(entry or ()) == ("key.rotated", "operator")
    with refused("key.other"):
        open_store(tiny.store.url, key=KEY)


def test_a_process_with_the_old_key_writes_no_more(sqlite_tiny: Tiny) -> None:
    reseal(sqlite_tiny.store, SYSTEM, NEW)
    with refused("key.rotated"), sqlite_tiny.store.session():
        pass


def test_a_process_with_the_old_key_says_why_it_opens_nothing(tiny: Tiny) -> None:
    """Not that a byte was changed, which would send people to the ledger."""
    with tiny.store.session() as session:
        sealed = session.scalars(text("select national_id_sealed from expert where code = 'E07'")).one()
    with refused("key.cannot_open"), tiny.store.reading():
        NEW.open(sealed)
    reseal(tiny.store, SYSTEM, NEW)
    with refused("key.rotated"), tiny.store.reading() as session:
        tiny.store.key.open(
            session.scalars(text("select national_id_sealed from expert where code = 'E07'")).one()
        )


def test_a_field_that_does_not_open_stops_the_rotation_and_nothing_changes(sqlite_tiny: Tiny) -> None:
    with sqlite_tiny.store.session() as session:
        session.execute(
            text("update expert set national_id_sealed = :other where code = 'E07'"),
            {"other": NEW.seal("tampered")},
        )
    with refused("key.row_cannot_open", column="national_id_sealed"):
        reseal(sqlite_tiny.store, SYSTEM, Key(bytes(32)))
    with sqlite_tiny.store.session():
        pass


def test_the_key_file_changes_and_the_old_key_is_kept_for_old_backups(registry: str) -> None:
    old = load_key(registry)
    done = rotate(registry, SYSTEM)
    assert not done.finished
    assert done.key_file == key_file(registry)
    assert done.retired is not None
    assert (load_key(registry) == old, Key.from_text(done.retired.read_text(), "x") == old) == (False, True)
    assert done.retired.stat().st_mode & 0o777 == 0o600
    assert not coming_file(done.key_file).exists()
    with open_store(registry) as store:
        assert len(opened(store)) == 12


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_stopped_around_its_transaction_is_finished_by_the_next(registry: str, when: str) -> None:
    source = key_file(registry)
    assert source is not None
    coming = make_key(coming_file(source))
    if when == "after":
        with open_store(registry) as store:
            reseal(store, SYSTEM, coming)
    with open_store(registry) as store:  # both keys lie there: the right one is found
        assert len(opened(store)) == 12
    done = rotate(registry, SYSTEM)
    assert done.finished is (when == "after")
    assert load_key(registry) == coming
    with open_store(registry) as store, store.reading() as session:
        assert len(opened(store)) == 12
        assert ledger.verify(session) == []


def test_a_key_in_the_environment_needs_a_file_for_the_new_one(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERT_POOL_KEY", load_key(registry).to_text())
    with refused("key.rotation_needs_file"):
        rotate(registry, SYSTEM)
    done = rotate(registry, SYSTEM, new_file=tmp_path / "new.key")
    assert done.retired is None
    again = rotate(registry, SYSTEM, new_file=tmp_path / "new.key")  # the variable still has the old one
    assert again.finished
    monkeypatch.setenv("EXPERT_POOL_KEY", (tmp_path / "new.key").read_text().strip())
    with open_store(registry) as store:
        assert len(opened(store)) == 12
    with refused("key.rotation_same"):
        rotate(registry, SYSTEM, new_file=tmp_path / "new.key")


def test_a_key_file_named_by_the_environment_is_changed_in_place(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named.key"
    make_key(named, load_key(registry))
    monkeypatch.setenv("EXPERT_POOL_KEY_FILE", str(named))
    make_key(tmp_path / "given.key", NEW)
    done = rotate(registry, SYSTEM, new_file=tmp_path / "given.key")
    assert (done.key_file, load_key(registry)) == (named, NEW)


def test_two_rotations_in_one_second_keep_both_old_keys(registry: str, tmp_path: Path) -> None:
    with clock.fixed(datetime(2026, 11, 22, 9, 0, tzinfo=UTC)):
        rotate(registry, SYSTEM)
        rotate(registry, SYSTEM)
    assert len({path.read_bytes() for path in tmp_path.glob("r.db.key*")}) == 3


def test_killed_at_any_moment_every_row_still_opens(registry: str) -> None:
    with open_store(registry) as store, store.session() as session:
        many = [
            {
                "code": f"X{n}",
                "pseudonym": f"PX{n}",
                "name": "x",
                "region": "220000",
                "national_id_sealed": store.key.seal(f"id{n}"),
                "national_id_mark": store.key.mark(f"id{n}"),
            }
            for n in range(500)  # three chunks
        ]
        session.execute(Expert.__table__.insert(), many)
    command = [sys.executable, "-c", ROTATING, registry]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        chance, whole, ends = random.Random(5), int(process.stdout.readline()), []
        for _ in range(5):
            print(chance.randint(1, whole), file=process.stdin, flush=True)
            ends.append(int(process.stdout.readline()))
            with open_store(registry) as store:
                found = opened(store)
                assert len(found) == 512
                assert all(mark == store.key.mark(plain) for plain, mark in found.values())
        process.communicate()
    assert ends[0] == -signal.SIGKILL
    assert set(ends) <= {0, -signal.SIGKILL}  # what only was to be finished has fewer moments
    rotate(registry, SYSTEM)
    with open_store(registry) as store, store.reading() as session:
        assert len(opened(store)) == 512
        assert ledger.verify(session) == []


def test_a_mark_whose_text_is_gone_is_recognised_after_any_number_of_rotations(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        expert = session.scalars(select(Expert).where(Expert.code == "E05")).one()
        plain = tiny.store.key.open(expert.national_id_sealed or b"")
        left = expert.national_id_mark
        expert.national_id_sealed = None
        ledger.append(
            session,
            organiser_id=tiny.organiser_id,
            actor="x",
            action="x",
            subject="x",
            payload={},
            rows=[expert],
        )
    reseal(tiny.store, SYSTEM, NEW)
    newer = Key(bytes(range(64, 96)))
    with open_store(tiny.store.url, key=NEW) as store:
        reseal(store, SYSTEM, newer)
    with open_store(tiny.store.url, key=newer) as store, store.reading() as session:
        mark = marker(session, newer)
        assert mark(f" {plain.lower()}") == left == mark_under(KEY.mark_secret(), plain)
        assert mark("somebody else") == newer.mark("somebody else")
        assert len(session.scalars(select(MarkSecret.id)).all()) == 2
        assert ledger.verify(session) == []


def test_nobody_returns_under_another_code_with_an_erased_id(sqlite_tiny: Tiny, tmp_path: Path) -> None:
    with sqlite_tiny.store.session() as session:
        expert = session.scalars(select(Expert).where(Expert.code == "E05")).one()
        plain = "220101197001050013"
        expert.national_id_sealed, expert.national_id_mark = None, KEY.mark(plain)
    reseal(sqlite_tiny.store, SYSTEM, NEW)
    (tmp_path / "experts.csv").write_text(f"code,name,region,national_id\nE99,New,220000,{plain}\n", "utf-8")
    with open_store(sqlite_tiny.store.url, key=NEW) as store:
        done = import_tables(store, SYSTEM, tmp_path / "experts.csv", organiser="HR")
        assert [error.code for error in done.errors] == ["import.national_id_twice"]


def test_sealed_columns_of_every_table_are_found() -> None:
    names = {table.__tablename__: columns for table, columns in sorted_tables()}
    assert names["expert"] == ["national_id_sealed", "phone_sealed"]
    assert names["account"] == ["totp_sealed"]
    assert names["mark_secret"] == ["secret_sealed"]
