"""Short looks: what anybody committed before is seen, in this process or another; nothing is written, nothing is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from tiny_registry import Tiny

from expert_pool import directory
from expert_pool.glances import glance, is_near
from expert_pool.registry import Expert
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer
from solver.errors import Fault

SYSTEM = Viewer.system("office")


def _name(store: Store, code: str = "E01") -> str:
    with glance(store) as session:
        return str(directory.find_expert(session, SYSTEM, code).name)


def test_a_look_sees_what_another_store_has_committed(tiny: Tiny) -> None:
    assert _name(tiny.store) == _name(tiny.store)
    with open_store(tiny.store.url, key=tiny.store.key) as other:
        for name in ("甲", "乙", "丙"):
            with other.session() as session:
                session.scalars(select(Expert).where(Expert.code == "E01")).one().name = name
            assert _name(tiny.store) == name


def test_a_look_sees_what_another_process_has_committed(sqlite_tiny: Any, sqlite_url: str) -> None:
    store: Store = sqlite_tiny.store
    assert _name(store)
    file = store.engine.url.database
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
    change = "update expert set name = '别处' where code = 'E01'"
    subprocess.run([sys.executable, "-c", code, str(file), change], check=True)
    assert _name(store) == "别处"


def test_one_look_is_one_snapshot(tiny: Tiny) -> None:
    with glance(tiny.store) as session:
        before = directory.find_expert(session, SYSTEM, "E01").name
        with tiny.store.session() as writing:
            writing.scalars(select(Expert).where(Expert.code == "E01")).one().name = "丁"
        assert directory.find_expert(session, SYSTEM, "E01").name == before
    assert _name(tiny.store) == "丁"


def test_a_look_cannot_write_and_ends_whatever_happens(tiny: Tiny) -> None:
    with pytest.raises((DatabaseError, Fault)), glance(tiny.store) as session:
        session.execute(Expert.__table__.update().values(name="x"))
    with pytest.raises(Fault), glance(tiny.store) as session:
        directory.find_expert(session, SYSTEM, "nobody")
    assert _name(tiny.store) != "x"
    with tiny.store.session() as writing:  # nobody holds it up
        writing.scalars(select(Expert).where(Expert.code == "E01")).one().name = "戊"
    assert _name(tiny.store) == "戊"


def test_many_look_at_once(tiny: Tiny) -> None:
    together, names = Barrier(14), []

    def look() -> None:
        with glance(tiny.store) as session:
            together.wait(120)
            names.append(directory.find_expert(session, SYSTEM, "E02").name)

    threads = [Thread(target=look) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(names) == 14
    assert len(set(names)) == 1


def test_a_closed_store_leaves_no_file_open(sqlite_tiny: Any) -> None:
    store: Store = sqlite_tiny.store
    assert is_near(store)
    assert _name(store)
    file = Path(str(store.engine.url.database))
    store.close()
    held = [link for link in Path("/proc/self/fd").iterdir() if _target(link) == str(file)]
    assert held == []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
