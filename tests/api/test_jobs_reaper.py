"""Care of runs in a worker: what is lost, dropped or strayed comes back; a broken look stops no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dbos import DBOSClient
from patience import until
from refused import refused

from api.jobs import reaper as reapers
from api.jobs.carrier import Carrier
from api.jobs.durable import SCHEMA, DurableEngine, serializer, system_url
from api.jobs.reaper import LOSSES, Reaper
from api.settings import Settings
from expert_pool import runs
from expert_pool.registry import RunRecord, RunState
from expert_pool.store import Store


class Ward:
    """A reaper of a worker that carries nothing, with the engine's own account of its queues."""

    def __init__(self, store: Store) -> None:
        self.store, self.engine = store, DurableEngine(store)
        with store.session() as session:
            self.slot = runs.enter(session)
        self.reaper = Reaper(store, self.engine, self.slot, Carrier(store, Settings(), self.slot), ())
        self.client = DBOSClient(
            system_database_url=system_url(store.url), dbos_system_schema=SCHEMA, serializer=serializer()
        )

    def begin(self, kind: str = "panel.request") -> RunRecord:
        with self.store.session() as session:
            return runs.begin(session, None, key=self.store.key, kind=kind, params={})

    def claim(self, run: RunRecord, owner: str) -> None:
        with self.store.session() as session:
            assert runs.claim(session, run.code, owner) is not None

    def now(self, run: RunRecord) -> RunRecord:
        with self.store.reading() as session:
            return runs.find(session, None, run.code)

    def queued(self) -> dict[str, tuple[str, str | None]]:
        return {w.workflow_id: (w.status, w.queue_name) for w in self.client.list_workflows()}


@pytest.fixture
def ward(store: Store) -> Iterator[Ward]:
    made = Ward(store)
    yield made
    made.client.destroy()
    made.engine.close()


def test_a_lost_run_is_delivered_to_its_queue_again(ward: Ward) -> None:
    run = ward.begin("tables.import")
    ward.engine.submit(run.code, "import")
    ward.claim(run, "gone")
    ward.client.cancel_workflow(run.code)  # whatever dbos thinks of it
    ward.reaper.take_over()
    assert (ward.now(run).state, ward.now(run).losses) == (RunState.QUEUED, 1)
    assert ward.queued() == {run.code: ("ENQUEUED", "import")}


def test_a_run_that_dbos_lost_altogether_is_delivered_again(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reapers, "STRAYED", -reapers.STRAYED)
    first, second = ward.begin(), ward.begin("panel.sell")
    for run in (first, second):
        ward.engine.submit(run.code, "solve")
    ward.client.delete_workflows([first.code, second.code])
    ward.reaper.find_strays()
    assert ward.queued() == {first.code: ("ENQUEUED", "solve"), second.code: ("ENQUEUED", "care")}


def test_a_run_that_stands_as_ours_and_that_nobody_carries_is_put_back(ward: Ward) -> None:
    run = ward.begin()
    ward.claim(run, ward.slot.token)
    ward.reaper.find_dropped()
    assert ward.now(run).state is RunState.RUNNING  # it may have been claimed this very moment
    ward.reaper.find_dropped()
    assert (ward.now(run).state, ward.now(run).losses) == (RunState.QUEUED, 1)


def test_a_run_that_kills_its_workers_ends(ward: Ward) -> None:
    run = ward.begin()
    for _ in range(LOSSES):
        ward.claim(run, "gone")
        ward.reaper.take_over()
    assert ward.now(run).state is RunState.FAILED
    assert ward.now(run).losses == LOSSES


def test_a_look_that_fails_stops_no_other(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reapers, "TICK", 0.05)
    monkeypatch.setattr(ward.reaper, "take_over", lambda: 1 / 0)
    monkeypatch.setattr(reapers, "PATROL", 0.05)
    monkeypatch.setattr(reapers, "STRAYED", -reapers.STRAYED)
    run = ward.begin()
    ward.engine.submit(run.code, "solve")
    ward.client.delete_workflows([run.code])
    with ward.reaper:
        until(lambda: run.code in ward.queued())


def test_a_database_in_memory_has_no_workers() -> None:
    with refused("jobs.in_memory"):
        system_url("sqlite://")
