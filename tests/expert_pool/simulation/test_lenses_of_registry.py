"""Policies over a registry: recorded panels held against presets, seals respected, each look in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from refused import refused
from scenarios_stored import policy_text
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.panels import request
from expert_pool.policies.load import load as policy_of
from expert_pool.registry import LedgerEntry
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.histories import recalled
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from expert_pool.viewer import Viewer
from solver.problem import Limits

SCENARIO = """format: scenario/1
base: {committee: C1, meeting: M1, policy: own.yaml}
seconds: 600
policies:
  compare:
    - {name: {zh: 本省, en: ours}}
    - {name: {zh: 五人, en: five}, policy: five.yaml}
    - {name: {zh: 全国, en: national}, policy: cn-title-national}
  history: {panels: past}
  smallest: 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "own.yaml").write_text(policy_text(), encoding="utf-8")
    (tmp_path / "five.yaml").write_text(policy_text(panel_low=5, panel_high=5, group_low=5), encoding="utf-8")
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path / "s.yaml"


def run(path: Path, tiny: Tiny, viewer: Viewer) -> Simulation:
    read = load(path)
    return simulate(asked(read, problems_of(read, tiny.store, viewer), recalled(read, tiny.store, viewer)))


def test_a_recorded_panel_is_held_against_presets(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, path: Path
) -> None:
    own = policy_of(path.parent / "own.yaml")
    decided = request(
        sqlite_tiny.store, system, policy=own, committee="C1", meeting="M1", limits=Limits(seconds=600)
    )
    with clock.fixed(datetime(2026, 9, 21, 4, tzinfo=UTC)):
        found = run(path, sqlite_tiny, system).policies
    assert found is not None
    (past,) = found.panels
    assert past.code == decided.panel_code
    ours, five, national = past.verdicts
    assert ours.lawful
    assert not ours.broken
    assert {part.rule for part in five.broken} >= {"panel_size"}
    assert not national.lawful
    assert [policy.policy for policy in found.policies] == [None, "five.yaml", "cn-title-national"]
    assert found.policies[2].sha256 == policy_of("cn-title-national").sha256
    assert all(one.why_not for one in found.assembled if one.status == "infeasible")
    with sqlite_tiny.store.reading() as session:
        rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
        assert [row.action for row in rows][-2:] == ["scenario.asked", "scenario.compared"]
        assert ledger.verify(session) == []


def test_a_sealed_panel_is_counted_and_not_looked_into(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, path: Path
) -> None:
    own = policy_of(path.parent / "own.yaml")
    request(sqlite_tiny.store, system, policy=own, committee="C1", meeting="M1", limits=Limits(seconds=600))
    assert clock.today() < date(2026, 9, 20)
    found = run(path, sqlite_tiny, system).policies
    assert found is not None
    assert (found.panels, found.sealed) == ([], 1)
    opened = run(path, sqlite_tiny, Viewer("supervisor", None, opens_seals=True)).policies
    assert opened is not None
    assert (len(opened.panels), opened.sealed) == (1, 0)
    with sqlite_tiny.store.reading() as session:
        actions = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)).all()
    assert list(actions)[-3:] == ["scenario.asked", "panel.seals_opened", "scenario.compared"]


def test_a_policy_that_is_not_there_is_refused_with_its_line(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, path: Path
) -> None:
    path.write_text(SCENARIO.replace("cn-title-national", "cn-title-nation"), encoding="utf-8")
    with refused("policy.unknown", name="cn-title-nation", nearest="cn-title-national"):
        run(path, sqlite_tiny, system)


def test_a_scenario_without_a_folder_stands_on_presets_only(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, path: Path
) -> None:
    """One that came from elsewhere may not name a file of this machine."""
    read = load(path)
    own = path.parent / "five.yaml"
    compare = tuple(
        one.model_copy(update={"policy": str(own)}) if one.policy == "five.yaml" else one
        for one in read.doc.policies.compare  # type: ignore[union-attr]
    )
    block = read.doc.policies.model_copy(update={"compare": compare})  # type: ignore[union-attr]
    elsewhere = replace(
        read, folder=Path("/nonexistent"), doc=read.doc.model_copy(update={"policies": block})
    )
    with refused("policy.unknown", name=str(own)):
        recalled(elsewhere, sqlite_tiny.store, system)
