"""The made region in a registry: what the importer takes in is what the arrays say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from expert_pool.facts import facts_on
from expert_pool.filings import filings_missing
from expert_pool.imports import import_tables
from expert_pool.keys import Key
from expert_pool.policies.load import load
from expert_pool.region import RegionFiles, generate
from expert_pool.region.facts import facts_of, took_part
from expert_pool.region.streams import Streams
from expert_pool.region.world import make_region
from expert_pool.registry import Committee
from expert_pool.snapshots import snapshot
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer
from solver.assemble import assemble

POLICY = "cn-title-jilin-2013"
EXPERTS, SEED = 1000, 6
OFFICE = Viewer.system("office")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> RegionFiles:
    return generate(tmp_path_factory.mktemp("region") / "sheets", experts=EXPERTS, seed=SEED)


@pytest.fixture(scope="module")
def region_store(files: RegionFiles, sqlite_template: Path) -> Iterator[Store]:
    path = files.folder.parent / "region.db"
    shutil.copy(sqlite_template, path)
    with open_store(f"sqlite:///{path}", key=Key(bytes(range(32)))) as store:
        told = import_tables(store, OFFICE, files.folder)
        assert told.errors == ()
        yield store


def _committee(store: Store) -> int:
    with store.reading() as session:
        return session.scalars(select(Committee.id).where(Committee.code == "C001")).one()


def test_importing_twice_changes_nothing(region_store: Store, files: RegionFiles) -> None:
    """Every row is known again."""
    again = import_tables(region_store, OFFICE, files.folder)
    assert again.errors == ()
    assert sum(sheet.new + sheet.corrected for sheet in again.sheets) == 0


def test_facts_of_the_registry_are_those_of_the_arrays(region_store: Store, files: RegionFiles) -> None:
    """Expert by expert and fact by fact: problems made directly are true to those made through the registry."""
    region = make_region(Streams((SEED,)), experts=EXPERTS, committees=1, cases=200)
    committee = region.committees[0]
    with region_store.reading() as session:
        found = facts_on(
            session,
            OFFICE,
            committee_id=_committee(region_store),
            on=files.committees[0].on,
            policy=load(POLICY),
        )
    index = [int(code[1:]) - 1 for code in found.codes]
    assert len(index) > EXPERTS * 0.9
    for name, column in facts_of(region, committee).items():
        told = [found.facts[name].show(i) for i in range(len(index))]
        assert told == [column.show(i) for i in index], name
    for previous, sitting in zip(found.previous, committee.sittings, strict=True):
        assert {index[m] for m in previous.members} == set(took_part(sitting).tolist())


def test_nothing_is_missing_from_the_filings(region_store: Store, files: RegionFiles) -> None:
    """The committee may seat a panel on the day it meets."""
    with region_store.reading() as session:
        gaps = filings_missing(
            session,
            OFFICE,
            committee_id=_committee(region_store),
            on=files.committees[0].on,
            policy=load(POLICY),
        )
    assert gaps == []


def test_the_demos_policy_has_a_panel(region_store: Store) -> None:
    """25 members and 8 alternates that keep every rule of it, the soft composition 2:2:6 too."""
    with region_store.reading() as session:
        problem = snapshot(
            session, OFFICE, committee="C001", meeting="M001-2026", policy=load(POLICY), seed=1
        )
    assert problem.made
    composed = tuple(rule for rule in problem.rules if rule.soft is None or rule.rule == "ratio")
    answer, _ = assemble(replace(problem, rules=composed, goals=()))
    assert answer.status == "optimal", answer.why_not
    assert (len(answer.members), len(answer.alternates)) == (25, 8)
    assert not answer.findings
    assert np.unique([member.group for member in answer.members]).size == len(problem.groups)
