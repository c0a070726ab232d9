"""Runs: asked once, carried by one, fenced, ended once, forgotten in time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from refused import refused
from sqlalchemy import select, text

from expert_pool import ledger, runs
from expert_pool.accounts.rights import Grant, Principal, Right, Role
from expert_pool.registry import LedgerEntry, Organiser, RunRecord, RunState, WorkerRecord
from expert_pool.runs import Attachment, Hold, Superseded
from expert_pool.store import Store, Undone
from solver.errors import Fault

OFFICE = Principal(7, "office-a", (Grant(Role.COMMITTEE_OFFICE, None, None),))
OTHER = Principal(8, "office-b", (Grant(Role.COMMITTEE_OFFICE, None, None),))
ADMINISTRATOR = Principal(1, "admin", (Grant(Role.ADMINISTRATOR, None, None),))


def begun(store: Store, asks: Principal | None = OFFICE, **more: object) -> RunRecord:
    given = {"kind": "panel.request", "params": {"committee": "C1"}} | more
    with store.session() as session:
        return runs.begin(session, asks, key=store.key, **given)  # type: ignore[arg-type]


def claimed(store: Store, run: RunRecord, owner: str = "w1") -> Hold:
    with store.session() as session:
        hold = runs.claim(session, run.code, owner)
    assert hold is not None
    return hold


def now_of(store: Store, run: RunRecord) -> RunRecord:
    with store.reading() as session:
        return runs.find(session, None, run.code)


def happened(store: Store, run: RunRecord) -> list[str]:
    with store.reading() as session:
        events = runs.events(session, run)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.kind for event in events]


def test_a_run_waits_with_its_first_event_and_nothing_of_it_in_clear(store: Store) -> None:
    file = Attachment("名单.csv", "王伟,13800000000".encode(), "text/csv")
    run = begun(store, params={"purpose": "机密目的"}, attachments=[file])
    assert (run.state, run.attempt, happened(store, run)) == (RunState.QUEUED, 0, ["queued"])
    with store.reading() as session:
        for table in ("run", "run_file", "run_event"):
            raw = repr(session.execute(text(f"select * from {table}")).all())
            assert "机密目的" not in raw
            assert "13800000000" not in raw
    with store.reading() as session:
        asked = runs.asked(session, claimed(store, run), key=store.key)
    assert asked.params == {"purpose": "机密目的"}
    assert asked.attachments == (file,)


def test_the_same_key_of_an_account_is_the_same_run(store: Store) -> None:
    first = begun(store, once="k1")
    assert begun(store, once="k1").code == first.code
    assert begun(store, once="k2").code != first.code
    assert begun(store, asks=OTHER, once="k1").code != first.code
    assert begun(store, kind="panel.documents", once="k1").code != first.code
    assert begun(store).code != begun(store).code


def test_the_same_key_with_other_words_or_files_is_refused(sqlite_store: Store) -> None:
    begun(sqlite_store, once="k1", attachments=[Attachment("a", b"1")])
    with refused("runs.once_other"):
        begun(sqlite_store, once="k1", params={"committee": "C2"}, attachments=[Attachment("a", b"1")])
    with refused("runs.once_other"):
        begun(sqlite_store, once="k1", attachments=[Attachment("a", b"2")])
    with refused("runs.file_twice"):
        begun(sqlite_store, attachments=[Attachment("a", b"1"), Attachment("a", b"2")])


def test_two_who_ask_with_one_key_at_once_get_one_run(postgres_store: Store) -> None:
    with postgres_store.session() as late:
        late.execute(select(RunRecord.id)).all()
        first = begun(postgres_store, once="k")
        second = runs.begin(
            late, OFFICE, key=postgres_store.key, kind="panel.request", params={"committee": "C1"}, once="k"
        )
        assert second.code == first.code


def test_only_who_asked_and_who_operates_see_a_run_and_only_who_asked_its_result(store: Store) -> None:
    run = begun(store)
    hold = claimed(store, run)
    with store.session() as session:
        made = [Attachment("p.docx", b"PK")]
        runs.finish(session, hold, key=store.key, result={"panel": "P1"}, files=made)
    with store.reading() as session:
        found = runs.find(session, ADMINISTRATOR, run.code)
        came = runs.outcome(session, OFFICE, found, key=store.key)
        assert came == runs.Outcome({"panel": "P1"}, None, ("p.docx",))
        assert runs.made_file(session, OFFICE, found, "p.docx", key=store.key).content == b"PK"
        with refused("runs.file_unknown"):
            runs.made_file(session, OFFICE, found, "q.docx", key=store.key)
        with refused("runs.not_yours"):
            runs.outcome(session, ADMINISTRATOR, found, key=store.key)
        with refused("runs.not_yours"):
            runs.made_file(session, ADMINISTRATOR, found, "p.docx", key=store.key)
        with refused("runs.run_unknown"):
            runs.find(session, OTHER, run.code)
        assert [one.code for one in runs.list_runs(session, OFFICE)] == [run.code]
        assert runs.list_runs(session, OTHER) == []
        assert len(runs.list_runs(session, ADMINISTRATOR)) == 1
        assert runs.list_runs(session, ADMINISTRATOR, own=True) == []
        assert runs.list_runs(session, OFFICE, state=RunState.QUEUED) == []
        assert runs.list_runs(session, OFFICE, before=run.id) == []


def test_one_claims_a_run_and_no_second_does(store: Store) -> None:
    run = begun(store)
    assert claimed(store, run).attempt == 1
    with store.session() as session:
        assert runs.claim(session, run.code, "w2") is None


def test_a_late_owner_can_write_nothing(store: Store) -> None:
    run = begun(store)
    late = claimed(store, run, "gone")
    with store.session() as session:
        (lost,) = runs.lost(session)
        assert runs.take_over(session, lost, key=store.key, most_losses=5)
        assert not runs.take_over(session, lost, key=store.key, most_losses=5)
    for again in (False, True):
        if again:
            fresh = claimed(store, run, "w2")
            assert fresh.attempt == 2
        with pytest.raises(Superseded), store.session() as session:
            runs.event(session, late, "incumbent", {"incumbent": 3})
        with pytest.raises(Superseded), store.session() as session:
            runs.finish(session, late, key=store.key, result={})
        with pytest.raises(Superseded), store.session() as session:
            runs.fail(session, late, key=store.key, fault=Fault("x"))
        with pytest.raises(Superseded), store.session() as session:
            runs.hand_back(session, late)
        with pytest.raises(Superseded), store.reading() as session:
            runs.asked(session, late, key=store.key)
    assert happened(store, run) == ["queued", "started", "taken_over", "started"]
    assert now_of(store, run).losses == 1


def test_the_registry_keeps_nothing_of_a_late_owner(store: Store) -> None:
    run = begun(store)
    fenced = runs.FencedStore(store.engine, store.key, store.url, claimed(store, run, "gone"))
    with fenced.session() as session:
        session.add(Organiser(code="O1", name="一", parent_id=None))
    with store.session() as session:
        (lost,) = runs.lost(session)
        assert runs.take_over(session, lost, key=store.key, most_losses=5)
    with pytest.raises(Superseded), fenced.session() as session:
        session.add(Organiser(code="O2", name="二", parent_id=None))
    with store.reading() as session:
        assert list(session.scalars(select(Organiser.code))) == ["O1"]


def test_nothing_is_kept_either_when_the_run_goes_while_its_owner_writes(postgres_store: Store) -> None:
    store = postgres_store
    run = begun(store)
    fenced = runs.FencedStore(store.engine, store.key, store.url, claimed(store, run, "gone"))

    def write() -> None:
        with fenced.session() as session:
            session.add(Organiser(code="O2", name="二", parent_id=None))
            session.flush()
            with store.session() as other:
                (lost,) = runs.lost(other)
                assert runs.take_over(other, lost, key=store.key, most_losses=5)

    with pytest.raises(Superseded):
        write()
    with store.reading() as session:
        assert list(session.scalars(select(Organiser.code))) == []


def test_what_was_only_tried_is_not_kept_and_the_run_goes_on(store: Store) -> None:
    """Broke: an import with a wrong row, or a dry run, in a worker."""
    run = begun(store)
    fenced = runs.FencedStore(store.engine, store.key, store.url, claimed(store, run))
    with fenced.session() as session:
        session.add(Organiser(code="O2", name="二", parent_id=None))
        session.flush()
        raise Undone
    with fenced.session() as session:
        assert list(session.scalars(select(Organiser.code))) == []


def test_what_the_ledger_learned_stands_on_the_run(sqlite_store: Store) -> None:
    run = begun(sqlite_store)
    hold = claimed(sqlite_store, run)
    fenced = runs.FencedStore(sqlite_store.engine, sqlite_store.key, sqlite_store.url, hold)
    for code in ("A", "B"):
        with fenced.session() as session:
            organiser = Organiser(code=code, name=code, parent_id=None)
            session.add(organiser)
            session.flush()
            ledger.append(
                session, organiser_id=organiser.id, actor="o", action="made", subject=code, payload={}
            )
    with sqlite_store.reading() as session:
        decided = runs.asked(session, hold, key=sqlite_store.key).decisions
    assert decided == (runs.Decision("made", "A"), runs.Decision("made", "B"))


def test_a_run_that_loses_too_many_workers_fails_with_the_reason(store: Store) -> None:
    run = begun(store)
    for losses in (1, 2, 3):
        claimed(store, run, "gone")
        with store.session() as session:
            (lost,) = runs.lost(session)
            assert runs.take_over(session, lost, key=store.key, most_losses=3)
        assert now_of(store, run).losses == losses
    ended = now_of(store, run)
    assert ended.state is RunState.FAILED
    with store.reading() as session:
        came = runs.outcome(session, OFFICE, ended, key=store.key)
    assert came is not None
    assert came.fault is not None
    assert (came.fault.code, came.fault.params) == ("runs.lost_too_often", {"times": 3})


def test_a_waiting_run_is_cancelled_at_once_and_one_under_way_is_told(store: Store) -> None:
    waiting, under_way = begun(store), begun(store)
    hold = claimed(store, under_way)
    with store.session() as session:
        assert runs.cancel(session, OFFICE, waiting.code).state is RunState.CANCELLED
        assert runs.cancel(session, OFFICE, under_way.code).state is RunState.RUNNING
        assert runs.standing(session, hold) is True
        assert runs.claim(session, waiting.code, "w") is None
        runs.finish(session, hold, key=store.key, result={"best": 1}, cancelled=True)
    ended = now_of(store, under_way)
    assert (ended.state, ended.cancel_asked_by) == (RunState.CANCELLED, "office-a")
    with store.session() as session:
        assert runs.cancel(session, OFFICE, under_way.code).state is RunState.CANCELLED
        with refused("runs.run_unknown"):
            runs.cancel(session, OTHER, under_way.code)


def test_a_run_to_be_cancelled_is_not_begun_again_when_its_worker_is_lost(sqlite_store: Store) -> None:
    run = begun(sqlite_store)
    claimed(sqlite_store, run, "gone")
    with sqlite_store.session() as session:
        runs.cancel(session, OFFICE, run.code)
        (lost,) = runs.lost(session)
        assert runs.take_over(session, lost, key=sqlite_store.key, most_losses=5)
    assert happened(sqlite_store, run) == ["queued", "started", "cancelled"]


def test_runs_the_engine_was_not_told_of_are_found(store: Store) -> None:
    old, fresh, told = begun(store), begun(store), begun(store)
    with store.session() as session:
        session.execute(
            text("update run set accepted_at = :then where code in (:old, :told)"),
            {"then": datetime(2026, 1, 1), "old": old.code, "told": told.code},
        )
        runs.submitted(session, told.code)
    with store.reading() as session:
        untold = runs.unsubmitted(session, older_than=timedelta(days=1))
        waiting = runs.waiting(session, older_than=timedelta(0))
    assert [run.code for run in untold] == [old.code]
    assert [run.code for run in waiting] == [told.code]
    with store.session() as session:
        runs.hand_back(session, claimed_in(session, fresh))
        untold = runs.unsubmitted(session, older_than=timedelta(days=1))
    assert [run.code for run in untold] == [old.code, fresh.code]


def claimed_in(session: object, run: RunRecord) -> Hold:
    hold = runs.claim(session, run.code, "w")  # type: ignore[arg-type]
    assert hold is not None
    return hold


def test_ended_runs_are_forgotten_in_time_and_others_never(store: Store) -> None:
    done, recent, waiting = begun(store, attachments=[Attachment("a", b"1")]), begun(store), begun(store)
    for run in (done, recent):
        hold = claimed(store, run)
        with store.session() as session:
            runs.finish(session, hold, key=store.key, result={})
    with store.session() as session:
        session.execute(
            text("update run set ended_at = :then where code = :code"),
            {"then": datetime(2026, 1, 1), "code": done.code},
        )
        assert runs.forget(session, ended_before=recent.accepted_at, schedules_before=recent.accepted_at) == 1
    with store.reading() as session:
        assert {run.code for run in runs.list_runs(session, None)} == {recent.code, waiting.code}


def test_a_token_with_fewer_rights_begins_a_run_with_no_more(sqlite_store: Store) -> None:
    scoped = Principal(7, "office-a", OFFICE.grants, scopes=frozenset({Right.PANELS_REQUEST}))
    run = begun(sqlite_store, asks=scoped)
    with sqlite_store.session() as session:
        asked = runs.asked(session, claimed_in(session, run), key=sqlite_store.key)
    assert asked.scopes == {"panels.request"}


def test_events_are_read_from_where_a_reader_stopped(sqlite_store: Store) -> None:
    run = begun(sqlite_store)
    hold = claimed(sqlite_store, run)
    with sqlite_store.session() as session:
        for number in (5, 4, 3):
            runs.event(session, hold, "incumbent", {"incumbent": number})
    with sqlite_store.reading() as session:
        later = runs.events(session, run, after=3)
        last = runs.last_progress(session, run)
    assert [(event.seq, event.data["incumbent"]) for event in later] == [(4, 4), (5, 3)]
    assert last == later[-1]


def test_a_worker_holds_a_slot_until_it_leaves_or_its_process_is_gone(store: Store) -> None:
    with store.session() as session:
        first, second = runs.enter(session), runs.enter(session)
    assert first.name != second.name
    with store.session() as session:
        runs.leave(session, first)
        assert runs.enter(session).name == first.name
        session.execute(text("update worker set pid_began = 1 where token = :token"), {"token": second.token})
    with store.session() as session:
        heir = runs.enter(session)
        assert heir.name == second.name
        assert not runs.beat(session, second)
        assert runs.beat(session, heir)


def test_a_worker_that_moved_is_not_given_up(store: Store) -> None:
    with store.session() as session:
        slot = runs.enter(session)
        (seen,) = session.scalars(select(WorkerRecord))
        session.expunge(seen)
        assert runs.beat(session, slot)
        assert not runs.remove(session, seen)
        (seen,) = session.scalars(select(WorkerRecord).execution_options(populate_existing=True))
        session.expunge(seen)
        assert runs.remove(session, seen)
        assert not runs.beat(session, slot)


def test_a_worker_of_another_machine_is_never_called_vanished(sqlite_store: Store) -> None:
    with sqlite_store.session() as session:
        runs.enter(session)
        worker = session.scalars(select(WorkerRecord)).one()
        worker.pid, worker.pid_began = 2**22 + 1, 1
        assert runs.vanished(worker)
        worker.name = "elsewhere-00000000.1"
        assert not runs.vanished(worker)


def test_a_fault_comes_back_as_it_was(sqlite_store: Store) -> None:
    run = begun(sqlite_store)
    with sqlite_store.session() as session:
        fault = Fault("panels.filing_missing", "C1", kinds=["pool"], on=datetime(2026, 9, 1).date())
        runs.fail(session, claimed_in(session, run), key=sqlite_store.key, fault=fault)
    with sqlite_store.reading() as session:
        came = runs.outcome(session, OFFICE, runs.find(session, OFFICE, run.code), key=sqlite_store.key)
        decisions = session.scalar(select(RunRecord.decisions))
        entries = session.scalars(select(LedgerEntry)).all()
    assert came is not None
    assert came.fault is not None
    assert json.dumps(came.fault.params) == '{"kinds": ["pool"], "on": "2026-09-01"}'
    assert (decisions, entries) == (None, [])
