"""Workers killed in the middle of a cycle's steps, on both databases: another goes on, and nothing is done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import cycle_workers
import pytest
from cycle_office import misbehave, sound
from job_site import KEY, Site
from patience import until
from sqlalchemy import func, select
from tiny_registry import Tiny
from working_office import BEFORE

from api.jobs.durable import DurableEngine
from expert_pool import clock
from expert_pool.reevaluation import cycle as cycles
from expert_pool.reevaluation.scheme import load_scheme
from expert_pool.registry import (
    CaseState,
    CycleCase,
    Discipline,
    LedgerEntry,
    Membership,
    Notice,
    RunState,
    Step,
)
from expert_pool.viewer import Viewer

FIRST, SECOND = Viewer.system("first"), Viewer.system("second")
CYCLE = "P1-20260901"
EXPERTS = [f"E{n:02}" for n in range(3, 9)]


@pytest.fixture
def site(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Two workers, and a pool of whose experts six leaked: each is to be banned."""
    shift = BEFORE - datetime.now(UTC)
    monkeypatch.setattr(clock, "now", cycle_workers.shift_clock(shift))
    misbehave(tiny, [(expert, "泄露评审信息", date(2026, 5, 6)) for expert in EXPERTS])
    with tiny.store.session() as session:
        cycles.open_(session, FIRST, "P1", load_scheme("own-default"), BEFORE.date())
        cycles.compute(session, FIRST, CYCLE)
    made = Site(tiny.store, DurableEngine(tiny.store), cycle_workers.work, (shift, str(tmp_path)))
    try:
        yield made
    finally:
        made.close()


def killed(site: Site, folder: Path, kind: str, where: str) -> int:
    """Carry a step whose worker is killed there; how many cases the one that took it over moved."""
    site.staffed()
    (folder / cycle_workers.HOLD).write_text(where)
    run = site.begin(kind, cycle=CYCLE)
    held = folder / cycle_workers.HELD
    until(lambda: held.exists() and held.read_text(), lambda: site.happened(run))
    os.kill(int(held.read_text()), signal.SIGKILL)
    held.unlink()
    ended = site.wait(run, RunState.DONE)
    assert (ended.attempt, ended.losses) == (2, 1)
    assert site.happened(run) == ["queued", "started", "taken_over", "started", "done"]
    return int(site.result(run)["done"])


def states(site: Site) -> dict[str, int]:
    with site.store.reading() as session:
        found = session.execute(select(CycleCase.state, func.count()).group_by(CycleCase.state))
        return {str(state): number for state, number in found}


def told(site: Site, action: str) -> int:
    """How many entries of a kind the ledger has."""
    with site.store.reading() as session:
        return session.scalar(select(func.count(LedgerEntry.id)).where(LedgerEntry.action == action)) or 0


def decide(site: Site) -> None:
    """The first person decides as proposed on everybody, who say that there is nothing to add."""
    with site.store.session() as session:
        for expert in EXPERTS:
            cycles.reply(session, FIRST, KEY, CYCLE, expert, "无异议", last=True)
        cycles.decide(session, FIRST, CYCLE, [cycles.Deciding(expert) for expert in EXPERTS])


def confirm(site: Site, expert: str) -> None:
    """The second person's word on one."""
    with site.store.session() as session:
        cycles.confirm(session, SECOND, CYCLE, [expert])


def test_a_killed_step_goes_on_where_it_was_and_nothing_is_done_twice(site: Site, tmp_path: Path) -> None:
    assert (
        killed(site, tmp_path, "cycle.notify", "3") == 6
    )  # two by the lost worker, whose third was not committed
    assert states(site) == {CaseState.NOTIFIED: 6}
    assert told(site, "cycle.notified") == 6
    decide(site)
    for expert in EXPERTS[:4]:
        confirm(site, expert)
    assert killed(site, tmp_path, "cycle.execute", "3") == 4
    assert states(site) == {CaseState.EXECUTED: 4, CaseState.FIRST: 2}
    assert told(site, "cycle.executed") == 4
    confirm(site, EXPERTS[4])
    assert killed(site, tmp_path, "cycle.execute", "end") == 1  # all was done that the second person spoke on
    assert states(site) == {CaseState.EXECUTED: 5, CaseState.FIRST: 1}
    assert told(site, "cycle.executed") == 5
    with site.store.reading() as session:
        banned = session.scalars(select(Discipline.expert_id)).all()
        leaves = select(Membership.expert_id).where(Membership.holds_on == BEFORE.date())
        left = session.scalars(leaves.where(Membership.step == Step.LEFT)).all()
        assert len(banned) == len(left) == 5
        assert set(banned) == set(left)
        assert session.scalar(select(func.count(Notice.id))) == 11
        sound(session)
