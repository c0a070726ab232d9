"""Scenarios over a registry: one meeting, a whole year, as known then; each look in the ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from refused import refused
from scenarios_stored import policy_text
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.registry import LedgerEntry
from expert_pool.simulation.asking import asked, at_point
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.reading import load
from expert_pool.simulation.running import simulate
from expert_pool.viewer import Viewer
from solver.search import search


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy that fits twelve experts."""
    (tmp_path / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    return tmp_path


def scenario(folder: Path, base: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(
        f"format: scenario/1\nbase: {{{base}, policy: policy.yaml}}\nseconds: 600\n"
        "sweep:\n  axes:\n    - {parameter: rules.quorum.least, values: [1/3, 1/2, 1]}\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("base", ["committee: C1, meeting: M1", "year: 2026"])
def test_a_meeting_is_asked_about_and_the_look_is_in_the_ledger(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, folder: Path, base: str
) -> None:
    read = load(scenario(folder, base))
    problems = problems_of(read, sqlite_tiny.store, system)
    assert [(p.committee, p.meeting) for p in problems] == [("C1", "M1")]
    laid = asked(read, problems)
    found = simulate(laid)
    assert found.points[0].status == "optimal"
    for point in found.points:
        cold = search(at_point(laid, point.number), distinct=True)
        assert (point.status, tuple(point.goals)) == (cold.status, cold.goals)
    with sqlite_tiny.store.reading() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
        assert last is not None
        assert (last.actor, last.action, last.subject) == ("office", "scenario.asked", "M1")
        payload = {"known_at": now.isoformat(), "policy": problems[0].policy.sha256}
        assert ledger.matches(last, payload)
        assert ledger.verify(session) == []


def test_what_is_not_there_is_refused(sqlite_tiny: Tiny, system: Viewer, now: datetime, folder: Path) -> None:
    for base, code in (
        ("committee: C9, meeting: M1", "panels.committee_unknown"),
        ("committee: C1, meeting: M9", "panels.meeting_unknown"),
        ("year: 1999", "scenario.year_empty"),
        ("committee: C1, meeting: M1, known_at: soon", "scenario.moment"),
    ):
        with refused(code):
            problems_of(load(scenario(folder, base)), sqlite_tiny.store, system)
    stranger = Viewer("stranger", frozenset())
    with refused("panels.committee_unknown"):
        problems_of(load(scenario(folder, "committee: C1, meeting: M1")), sqlite_tiny.store, stranger)
