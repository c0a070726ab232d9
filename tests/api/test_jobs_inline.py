"""Carrying a run in this process: reports, stopping, faults, and what is decided once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import job_kinds
import pytest
from patience import until
from refused import refused
from sqlalchemy import func, select

from api.jobs import attendant, kinds
from api.jobs.engine import JobEngine
from api.jobs.inline import InlineEngine
from api.jobs.kinds import KINDS, QUEUES, Kind, queue_of
from api.settings import Settings
from expert_pool import clock, runs
from expert_pool.accounts.rights import Principal
from expert_pool.registry import Account, AccountGrant, LedgerEntry, RunRecord, RunState, WorkerRecord
from expert_pool.runs import Attachment, Outcome
from expert_pool.store import Store
from solver.errors import Fault


@pytest.fixture(autouse=True)
def _kinds() -> Iterator[None]:
    before = dict(KINDS)
    job_kinds.install()
    yield
    KINDS.clear()
    KINDS.update(before)


def begun(store: Store, kind: str, asks: Principal | None = None, **params: object) -> RunRecord:
    with store.session() as session:
        return runs.begin(session, asks, key=store.key, kind=kind, params=params)


def carried(store: Store, run: RunRecord) -> Outcome:
    engine: JobEngine = InlineEngine(store)
    engine.submit(run.code, "solve")
    return outcome(store, run)


def outcome(store: Store, run: RunRecord) -> Outcome:
    with store.reading() as session:
        came = runs.outcome(session, None, runs.find(session, None, run.code), key=store.key)
    assert came is not None
    return came


def state(store: Store, run: RunRecord) -> RunState:
    with store.reading() as session:
        return runs.find(session, None, run.code).state


def kinds_of_events(store: Store, run: RunRecord) -> list[str]:
    with store.reading() as session:
        return [event.kind for event in runs.events(session, run)]


def test_a_submitted_run_is_done_with_what_it_was_given(store: Store) -> None:
    file = Attachment("名单.csv", b"1,2", "text/csv")
    with store.session() as session:
        run = runs.begin(session, None, key=store.key, kind="test.echo", params={"a": 1}, attachments=[file])
    came = carried(store, run)
    assert came == Outcome({"params": {"a": 1}}, None, ("名单.csv",))
    with store.reading() as session:
        assert runs.made_file(session, None, run, "名单.csv", key=store.key) == file
        assert session.scalars(select(WorkerRecord)).all() == []
    assert kinds_of_events(store, run) == ["queued", "started", "done"]


def test_a_run_submitted_twice_is_done_once(sqlite_store: Store) -> None:
    run = begun(sqlite_store, "test.note", name="once")
    carried(sqlite_store, run)
    assert carried(sqlite_store, run).result == {"noted": "once"}
    with sqlite_store.reading() as session:
        assert session.scalar(select(func.count(LedgerEntry.id))) == 1


def test_every_incumbent_is_written_down_while_the_work_goes_on(store: Store, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = begun(store, "test.count", gate=str(gate))
    engine = InlineEngine(store, background=True)
    engine.submit(run.code, "solve")
    until(lambda: "incumbent" in kinds_of_events(store, run))
    gate.touch()
    engine.close()
    with store.reading() as session:
        said = [event.data["incumbent"] for event in runs.events(session, run) if event.kind == "incumbent"]
    result = outcome(store, run).result
    assert result is not None
    assert said == [-n for n in range(1, result["counted"] + 1)]


def test_a_run_under_way_stops_when_asked_and_keeps_its_best(store: Store) -> None:
    run = begun(store, "test.count")
    engine = InlineEngine(store, background=True)
    engine.submit(run.code, "solve")
    until(lambda: "incumbent" in kinds_of_events(store, run))
    with store.session() as session:
        runs.cancel(session, None, run.code)
    engine.cancel(run.code)
    until(lambda: state(store, run) is RunState.CANCELLED)
    engine.close()
    result = outcome(store, run).result
    assert result is not None
    assert result["counted"] > 0


def test_work_that_will_not_stop_loses_its_run(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendant, "PATIENCE", 0.1)
    gate = tmp_path / "gate"
    run = begun(sqlite_store, "test.deaf", gate=str(gate))
    engine = InlineEngine(sqlite_store, background=True)
    engine.submit(run.code, "solve")
    until(lambda: state(sqlite_store, run) is RunState.RUNNING)
    with sqlite_store.session() as session:
        runs.cancel(session, None, run.code)
    until(lambda: state(sqlite_store, run) is RunState.CANCELLED)
    gate.touch()
    engine.close()
    came = outcome(sqlite_store, run)
    assert state(sqlite_store, run) is RunState.CANCELLED
    assert came.result is None
    assert came.fault is not None
    assert came.fault.code == "runs.did_not_stop"


def test_a_run_stops_at_its_deadline_with_what_it_has(sqlite_store: Store) -> None:
    run = begun(sqlite_store, "test.short")
    assert carried(sqlite_store, run).result is not None
    assert state(sqlite_store, run) is RunState.DONE
    with sqlite_store.reading() as session:
        assert runs.events(session, run)[-1].data == {"stopped": "deadline"}


def test_a_fault_of_input_ends_the_run_with_its_words(sqlite_store: Store) -> None:
    run = begun(sqlite_store, "test.refuse")
    fault = carried(sqlite_store, run).fault
    assert state(sqlite_store, run) is RunState.FAILED
    assert fault is not None
    assert (fault.code, fault.where, fault.params) == ("panels.panel_unknown", "P1", {"reason": "so"})


def test_a_fault_of_the_program_tells_no_secret_to_anybody(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    run = begun(sqlite_store, "test.break", name="王伟 13800000000")
    with caplog.at_level(logging.INFO):
        fault = carried(sqlite_store, run).fault
    assert fault is not None
    assert (fault.code, fault.params) == ("runs.broke", {"kind": "ValueError"})
    assert run.code in caplog.text
    assert "break_" in caplog.text
    assert "王伟" not in caplog.text


def test_a_database_that_is_busy_sends_the_run_back_to_wait(sqlite_store: Store) -> None:
    run = begun(sqlite_store, "test.drop")
    InlineEngine(sqlite_store).submit(run.code, "solve")
    with sqlite_store.reading() as session:
        now = runs.find(session, None, run.code)
    assert (now.state, now.losses, now.submitted_at) == (RunState.QUEUED, 1, None)


def test_what_an_earlier_attempt_decided_is_not_decided_again(sqlite_store: Store) -> None:
    run = begun(sqlite_store, "test.note", name="A")
    with sqlite_store.session() as session:
        hold = runs.claim(session, run.code, "gone")
    assert hold is not None
    fenced = runs.FencedStore(sqlite_store.engine, sqlite_store.key, sqlite_store.url, hold)
    from api.jobs.job import Job

    job = Job(
        code=run.code,
        kind=run.kind,
        store=fenced,
        settings=Settings(),
        principal=None,
        organiser_id=None,
        params={"name": "A"},
        attachments=(),
        decided=(),
        report=lambda _: None,
        cancelled=lambda: False,
    )
    job_kinds.note(job)  # and here its worker is lost
    with sqlite_store.session() as session:
        (lost,) = runs.lost(session)
        runs.take_over(session, lost, key=sqlite_store.key, most_losses=5)
    assert carried(sqlite_store, run).result == {"decisions": [{"action": "noted", "subject": "A"}]}
    with sqlite_store.reading() as session:
        assert session.scalar(select(func.count(LedgerEntry.id))) == 1


def test_a_run_is_carried_with_the_rights_that_its_account_has_now(sqlite_store: Store) -> None:
    asks = account(sqlite_store)
    fine, late = begun(sqlite_store, "test.echo", asks), begun(sqlite_store, "test.echo", asks)
    assert carried(sqlite_store, fine).fault is None
    with sqlite_store.session() as session:
        session.scalars(select(Account)).one().disabled_at = clock.now()
    fault = carried(sqlite_store, late).fault
    assert fault is not None
    assert fault.code == "access.unknown"


def account(store: Store) -> Principal:
    with store.session() as session:
        made = Account(
            name="office",
            organiser_id=None,
            expert_id=None,
            employer_id=None,
            created_at=clock.now(),
            created_by="admin",
        )
        session.add(made)
        session.flush()
        session.add(
            AccountGrant(
                account_id=made.id,
                code="G1",
                role="committee_office",
                organiser_id=None,
                committee_id=None,
                granted_at=clock.now(),
                granted_by="admin",
            )
        )
    return Principal(made.id, made.name, ())


def test_old_runs_are_forgotten_by_a_run(sqlite_store: Store) -> None:
    old = begun(sqlite_store, "test.echo")
    carried(sqlite_store, old)
    with sqlite_store.session() as session:
        runs.find(session, None, old.code).ended_at = clock.now().replace(year=2020)
    assert carried(sqlite_store, begun(sqlite_store, "runs.retention")).result == {"forgotten": 1}
    with sqlite_store.reading() as session, refused("runs.run_unknown"):
        runs.find(session, None, old.code)


def test_every_kind_has_a_queue_and_a_stranger_none() -> None:
    assert {queue_of(name) for name in KINDS} <= set(QUEUES)
    with refused("runs.kind_unknown"):
        queue_of("panel.sell")


def test_a_run_of_no_kind_fails_with_the_reason(sqlite_store: Store) -> None:
    fault = carried(sqlite_store, begun(sqlite_store, "panel.sell")).fault
    assert isinstance(fault, Fault)
    assert fault.code == "runs.kind_unknown"


def test_the_work_of_every_kind_can_be_imported() -> None:
    for kind in KINDS.values():
        assert callable(kind.function())
    assert isinstance(KINDS["panel.request"], Kind)
    assert kinds.SOLVE in QUEUES
