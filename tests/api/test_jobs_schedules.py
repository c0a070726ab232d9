"""Schedules: once for each day or stretch, whoever asks, and only when there is something to do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select

from api.jobs.kinds import KINDS
from api.jobs.schedules import SCHEDULES, Daily, Often, due, notices_wait
from expert_pool import clock
from expert_pool.registry import RunRecord
from expert_pool.store import Store

DAILY = Daily("care", "runs.retention", time(6, 0), {"what": "all"})


def begun(store: Store, when: datetime, *schedules: Daily | Often) -> list[str | None]:
    with clock.fixed(when), store.session() as session:
        return [run.once for run in due(session, store.key, schedules)]


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute).astimezone()


def test_a_daily_schedule_begins_one_run_a_day_whoever_asks(store: Store) -> None:
    assert begun(store, local(1, 7), DAILY) == ["care 2026-09-01"]
    with store.session() as session:
        session.scalars(select(RunRecord)).one().submitted_at = clock.now()
    assert begun(store, local(1, 8), DAILY) == []
    assert begun(store, local(2, 5, 59), DAILY) == []
    assert begun(store, local(2, 6), DAILY) == ["care 2026-09-02"]


def test_a_missed_day_is_made_up_for_and_older_ones_are_not(sqlite_store: Store) -> None:
    assert begun(sqlite_store, local(9, 5), DAILY) == ["care 2026-09-08"]
    with sqlite_store.reading() as session:
        assert session.scalar(select(func.count(RunRecord.id))) == 1


def test_what_is_done_often_is_done_only_when_needed_and_once_a_stretch(sqlite_store: Store) -> None:
    needed = False
    often = Often("send", "notices.deliver", timedelta(minutes=1), lambda _session, _key: needed)
    when = datetime(2026, 9, 1, 4, 0, 30, tzinfo=UTC)
    assert begun(sqlite_store, when, often) == []
    needed = True
    assert begun(sqlite_store, when, often) == ["send 2026-09-01T04:00:00+00:00"]
    assert begun(sqlite_store, when + timedelta(seconds=40), often) == ["send 2026-09-01T04:01:00+00:00"]
    with sqlite_store.reading() as session:
        assert session.scalar(select(func.count(RunRecord.id))) == 2


def test_nothing_is_sent_where_nothing_waits(store: Store) -> None:
    with store.reading() as session:
        assert not notices_wait(session, store.key)


def test_every_schedule_is_of_a_kind_that_bears_being_repeated(sqlite_store: Store) -> None:
    assert all(KINDS[schedule.kind].repeats for schedule in SCHEDULES)
    assert len({schedule.name for schedule in SCHEDULES}) == len(SCHEDULES)
    with sqlite_store.session() as session:
        assert len(due(session, sqlite_store.key)) == sum(isinstance(one, Daily) for one in SCHEDULES)
