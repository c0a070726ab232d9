"""Worker processes on both databases: they die, freeze, drain and are cancelled, and every run is done, once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dbos import DBOSClient
from job_site import KEY, Site, gone
from patience import PATIENCE, until
from refused import refused
from sqlalchemy import create_engine, text

from api.jobs.durable import SCHEMA, DurableEngine, serializer, system_url
from api.jobs.worker import GIVEN_UP
from api.settings import Settings
from expert_pool import clock, runs
from expert_pool.keys import Key
from expert_pool.privacy.rotation import reseal
from expert_pool.registry import RunState
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two workers on one database, once on each kind."""
    url, drop = _database(request, tmp_path_factory)
    store = open_store(url, key=KEY)
    made = Site(store, DurableEngine(store))
    try:
        made.staffed()
        yield made
    finally:
        made.close()
        drop()


def _database(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory
) -> tuple[str, Callable[[], None]]:
    if request.param == "sqlite":
        place = folders.mktemp("site") / "registry.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), place)
        return f"sqlite:///{place}", lambda: None
    server: str = request.getfixturevalue("postgres_server")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(statement))

    def drop() -> None:
        run("drop database jobs_site with (force)")
        admin.dispose()

    run("create database jobs_site template template_registry")
    return server.replace("/postgres?", "/jobs_site?"), drop


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """What a run waits for: a file, once there is one."""
    return tmp_path / "gate"


def test_runs_are_done_by_workers_in_their_own_processes(site: Site) -> None:
    many = [site.begin("test.echo", number=number) for number in range(6)]
    for run in many:
        site.wait(run, RunState.DONE)
        assert site.happened(run) == ["queued", "started", "done"]
    assert site.result(many[3]) == {"params": {"number": 3}}


def test_a_run_stops_when_it_is_cancelled_with_its_best(site: Site) -> None:
    run = site.begin("test.count")
    until(lambda: "incumbent" in site.told(run))
    site.cancel(run)
    site.wait(run, RunState.CANCELLED)
    assert site.result(run)["counted"] > 0


def test_a_waiting_run_that_was_cancelled_never_starts(site: Site, gate: Path) -> None:
    busy = [site.begin("test.count", gate=str(gate)) for _ in range(2 * Settings().solves)]
    for one in busy:
        site.wait(one, RunState.RUNNING)
    run = site.begin("test.note", name="never")
    site.cancel(run)
    gate.touch()
    for one in busy:
        site.wait(one, RunState.DONE)
    assert site.happened(run) == ["queued", "cancelled"]


def test_an_accepted_run_that_was_never_submitted_is_found_and_done(site: Site) -> None:
    run = site.begin("test.echo", submit=False)
    site.wait(run, RunState.DONE)


def test_a_run_that_the_engine_forgot_is_brought_again(site: Site) -> None:
    run = site.begin("test.echo", submit=False)
    with site.store.session() as session:
        runs.submitted(session, run.code)  # as if dbos had lost it since
    site.wait(run, RunState.DONE)


def test_the_run_of_a_killed_worker_is_done_once_by_another(site: Site, gate: Path) -> None:
    site.staffed()
    before = site.entries()
    run = site.begin("test.note", name="killed", gate=str(gate))
    site.wait(run, RunState.RUNNING)
    site.kill(site.carrier_of(run))
    gate.touch()
    ended = site.wait(run, RunState.DONE)
    assert (ended.attempt, ended.losses) == (2, 1)
    assert site.happened(run) == ["queued", "started", "taken_over", "started", "done"]
    assert site.entries() == before + 1
    site.work()


def test_what_was_decided_before_the_worker_died_is_not_decided_again(site: Site) -> None:
    site.staffed()
    before = site.entries()
    run = site.begin("test.note", name="decided", die=True)
    site.wait(run, RunState.DONE)
    assert site.result(run) == {"decisions": [{"action": "noted", "subject": "decided"}]}
    assert site.entries() == before + 1
    site.work()


def test_a_frozen_worker_that_wakes_up_late_writes_nothing(site: Site, gate: Path) -> None:
    site.staffed()
    before = site.entries()
    run = site.begin("test.note", name="frozen", gate=str(gate))
    site.wait(run, RunState.RUNNING)
    frozen = site.carrier_of(run)
    assert frozen.pid is not None
    site.freeze(frozen)
    site.give_up(frozen)
    gate.touch()
    site.wait(run, RunState.DONE)
    os.kill(frozen.pid, signal.SIGCONT)
    assert gone(frozen) == GIVEN_UP
    assert site.happened(run) == ["queued", "started", "taken_over", "started", "done"]
    assert site.entries() == before + 1
    site.work()


def test_a_worker_told_to_stop_ends_what_it_carries(site: Site, gate: Path) -> None:
    run = site.begin("test.count", gate=str(gate))
    site.wait(run, RunState.RUNNING)
    worker = site.carrier_of(run)
    worker.terminate()
    assert site.says[worker].stopping.wait(PATIENCE)
    gate.touch()
    assert gone(worker) == 0
    assert site.now(run).state is RunState.DONE
    assert site.happened(run) == ["queued", "started", "done"]
    site.work()


def test_a_worker_in_a_hurry_hands_back_what_it_carries(site: Site, gate: Path) -> None:
    site.staffed()
    run = site.begin("test.count", gate=str(gate))
    site.wait(run, RunState.RUNNING)
    worker = site.carrier_of(run)
    worker.terminate()
    assert site.says[worker].stopping.wait(PATIENCE)
    worker.terminate()
    assert gone(worker) == 0
    gate.touch()
    ended = site.wait(run, RunState.DONE)
    assert (ended.attempt, ended.losses) == (2, 0)
    assert site.happened(run) == ["queued", "started", "handed_back", "started", "done"]


def test_a_worker_with_the_key_from_before_a_rotation_ends_and_another_does_its_run(
    site: Site, gate: Path
) -> None:
    site.staffed()
    run = site.begin("test.count", gate=str(gate))
    site.wait(run, RunState.RUNNING)
    there = [worker for worker in site.workers if worker.is_alive()]
    fresh = Key(bytes(range(1, 33)))
    reseal(site.store, Viewer.system("operator"), fresh)
    with refused("key.rotated"), site.store.session():
        pass
    assert {gone(worker) for worker in there} == {GIVEN_UP}
    reseal(Store(site.store.engine, fresh, site.store.url), Viewer.system("operator"), KEY)
    gate.touch()
    site.staffed()  # as their supervisor does, with the key that stands in the file by then
    ended = site.wait(run, RunState.DONE)
    assert (ended.attempt, ended.losses) == (2, 1)
    assert site.happened(run) == ["queued", "started", "taken_over", "started", "done"]


def test_dbos_keeps_nothing_but_codes_and_forgets_them(site: Site) -> None:
    run = site.begin("test.echo", purpose="机密目的")
    site.wait(run, RunState.DONE)
    with site.store.reading() as session:
        living = {worker.name for worker in runs.beating(session)}
    client = DBOSClient(
        system_database_url=system_url(site.store.url), dbos_system_schema=SCHEMA, serializer=serializer()
    )
    kept = client.list_workflows()
    assert run.code in {workflow.workflow_id for workflow in kept}
    for workflow in kept:
        assert workflow.input == {"args": (workflow.workflow_id,), "kwargs": {}}
        assert (workflow.output, workflow.app_version) == (None, "1")
    until(lambda: site.engine.strayed([run.code], living))  # dbos hears of the end a little later than we

    def forgotten() -> bool:
        site.engine.forget(clock.now() + timedelta(hours=1), living)
        return not client.list_workflows()

    until(forgotten)  # those of earlier tests may still be ending
    client.destroy()
