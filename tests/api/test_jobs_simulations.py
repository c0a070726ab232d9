"""A worker killed in the middle of a sweep, on both databases: another goes on from the points there are."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import simulation_workers
from cycle_workers import HELD, HOLD, shift_clock
from job_site import Site
from patience import until
from scenarios_stored import text
from sqlalchemy import func, select
from tiny_registry import Tiny
from working_office import BEFORE

from api.jobs.durable import DurableEngine
from expert_pool import clock, ledger
from expert_pool.registry import LedgerEntry, RunState, SimulationPart, SimulationRecord
from expert_pool.simulation import kept, stored
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.running import POINTS, simulate
from expert_pool.viewer import Viewer

CLERK = Viewer.system("clerk")
VALUES = "[1/3, 35%, 36%, 37%, 38%, 39%, 40%, 1/2]"


@pytest.fixture
def site(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    shift = BEFORE - datetime.now(UTC)
    monkeypatch.setattr(clock, "now", shift_clock(shift))
    made = Site(tiny.store, DurableEngine(tiny.store), simulation_workers.work, (shift, str(tmp_path)))
    try:
        yield made
    finally:
        made.close()


def started(site: Site) -> Any:
    """A sweep of eight points that a worker is to settle."""
    run = site.begin("simulation.sweep", submit=False, simulation=None, workers=1, accept_cost=False)
    with site.store.session() as session:
        row = stored.store(session, CLERK, text(VALUES))
        kept.begin(session, CLERK, row, run.code, clock.now())
    site.engine.submit(run.code, "sweep")
    return run


def settled(site: Site) -> int:
    with site.store.reading() as session:
        wanted = select(func.count(SimulationPart.id)).where(SimulationPart.name.startswith(POINTS))
        return session.scalar(wanted) or 0


def test_a_killed_sweep_goes_on_from_the_points_it_has(site: Site, tmp_path: Path) -> None:
    site.staffed()
    (tmp_path / HOLD).write_text("3")
    run = started(site)
    held = tmp_path / HELD
    until(
        lambda: held.exists() and held.read_text() and settled(site) >= 3,
        lambda: (site.happened(run), settled(site)),
    )
    with site.store.reading() as session:
        so_far = kept.document_of(session, kept.find(session, CLERK, run.code))
    assert (len(so_far.points), so_far.asked, so_far.complete) == (3, 8, False)
    os.kill(int(held.read_text()), signal.SIGKILL)
    ended = site.wait(run, RunState.DONE)
    assert (ended.attempt, ended.losses) == (2, 1)
    assert site.result(run)["complete"]
    names = (tmp_path / "searched").read_text().split()
    assert len(names) == 9  # the one it was killed over is settled again, no other
    assert len(set(names)) == 8
    with site.store.reading() as session:
        made = session.scalars(select(SimulationRecord)).one()
        found = kept.document_of(session, made)
        assert session.scalar(select(func.count(SimulationPart.id))) == 0
        entries = session.scalars(select(LedgerEntry.action).where(LedgerEntry.subject == run.code)).all()
        assert entries == ["simulation.asked", "simulation.settled"]
        assert ledger.verify(session) == []
        scenario = stored.scenario_of(session, stored.find(session, CLERK, made_code(session)), made.known_at)
    alone = simulate(asked(scenario, problems_of(scenario, site.store, CLERK)))
    assert found.inputs_sha256 == alone.inputs_sha256
    assert [p.model_dump(exclude={"how", "source"}) for p in found.points] == [
        p.model_dump(exclude={"how", "source"}) for p in alone.points
    ]


def made_code(session: Any) -> str:
    """The code of the only scenario."""
    return stored.list_(session, CLERK)[0].code
