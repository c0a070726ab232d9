"""A request looked at before it is made: counts are those of the snapshot itself, whatever is kept from question to
question, and nobody else's kept meeting is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tiny_registry import Tiny
from working_office import SMALL

from expert_pool import ledger
from expert_pool.policies.load import preset
from expert_pool.policies.policy import Override, Policy
from expert_pool.previewing import Preparations, Request
from expert_pool.snapshots import Choice, snapshot
from expert_pool.viewer import Viewer
from solver.answer import Answer
from solver.assemble import assemble
from solver.errors import Fault
from solver.model import funnel

JILIN = "cn-title-jilin-2013"


def policy(name: str = JILIN, **settings: Any) -> Policy:
    values = {**SMALL, **settings}
    return preset(name, [Override(n, v, "clerk", date(2026, 9, 1), "test") for n, v in values.items()])


def asked(**settings: Any) -> Request:
    return Request("C1", "M1", policy(**settings))


@pytest.fixture
def viewer(sqlite_tiny: Tiny) -> Viewer:
    return Viewer("clerk", frozenset({sqlite_tiny.organiser_id}))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"age_max": 50},
        {"reviewed_rank": 4, "rank_years": 5},
        {"panel_low": 5, "panel_high": 5, "alternates": 2},
        {"private_share": "1/3", "employer_cap": 2},
        {"former_employer_window": "always"},
    ],
)
def test_counts_are_those_of_the_request_itself(
    sqlite_tiny: Tiny, viewer: Viewer, settings: dict[str, Any]
) -> None:
    kept = Preparations()
    kept.preview(sqlite_tiny.store, viewer, asked())
    found = kept.preview(sqlite_tiny.store, viewer, asked(**settings))
    with sqlite_tiny.store.reading() as session:
        problem = snapshot(
            session, viewer, committee="C1", meeting="M1", policy=policy(**settings), known_at=found.known_at
        )
    passed = funnel(problem)
    assert found.considered == len(problem.experts)
    assert found.eligible == int(passed.passes.any(axis=1).sum())
    assert [(gate.id, gate.bars, gate.left) for gate in found.gates] == list(passed.gates)
    assert [(g.id, g.low, g.high, g.alternates) for g in found.groups] == [
        (g.id, g.low, g.high, g.alternates) for g in problem.groups
    ]
    assert [g.eligible for g in found.groups] == passed.passes.sum(axis=0).tolist()
    assert found.problem.rules == problem.rules
    assert found.problem.goals == problem.goals
    answer: Answer = assemble(problem)[0]
    assert found.floors is not None
    if found.impossible:
        assert answer.status == "infeasible"
    costs = {goal.level: goal.value for goal in answer.goals}
    assert all(costs[one.level] >= one.floor for one in found.floors.levels if costs)


def test_a_list_behind_a_gate_is_as_long_as_its_count(sqlite_tiny: Tiny, viewer: Viewer) -> None:
    kept, wanted = Preparations(), asked(age_max=50)
    found = kept.preview(sqlite_tiny.store, viewer, wanted, bounded=False)
    assert found.floors is None
    for gate in found.gates:
        people = kept.barred(sqlite_tiny.store, viewer, wanted, gate.id)
        assert len(people) == gate.bars
        if gate.id == "age":
            assert all(one.facts["age"] > 50 for one in people)  # type: ignore[operator]
    assert len(kept.barred(sqlite_tiny.store, viewer, wanted, None)) == found.eligible
    with pytest.raises(Fault) as told:
        kept.barred(sqlite_tiny.store, viewer, wanted, "nothing")
    assert told.value.code == "previews.gate_unknown"


def test_what_is_recorded_meanwhile_is_seen_once_the_meeting_has_settled(
    sqlite_tiny: Tiny, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Preparations()
    first = kept.preview(sqlite_tiny.store, viewer, asked(), bounded=False)
    again = kept.preview(sqlite_tiny.store, viewer, asked(age_max=50), bounded=False)
    assert again.known_at == first.known_at
    with sqlite_tiny.store.session() as session:
        ledger.append(
            session,
            organiser_id=sqlite_tiny.organiser_id,
            actor="clerk",
            action="import",
            subject="x",
            payload={},
            rows=[],
        )
    assert kept.preview(sqlite_tiny.store, viewer, asked(), bounded=False).known_at == first.known_at
    monkeypatch.setattr("expert_pool.previewing.SETTLED", 0.0)
    assert kept.preview(sqlite_tiny.store, viewer, asked(), bounded=False).known_at > first.known_at


def test_a_prepared_meeting_is_kept_for_its_own_viewer_only(sqlite_tiny: Tiny, viewer: Viewer) -> None:
    kept = Preparations()
    kept.preview(sqlite_tiny.store, viewer, asked(), bounded=False)
    stranger = replace(viewer, organisers=frozenset({999}))
    with pytest.raises(Fault) as told:
        kept.preview(sqlite_tiny.store, stranger, asked(), bounded=False)
    assert told.value.code == "panels.committee_unknown"


def test_who_is_locked_in_and_barred_is_told_with_the_gates(sqlite_tiny: Tiny, viewer: Viewer) -> None:
    kept = Preparations()
    wanted = replace(asked(), locks=(Choice("E12", "wanted"), Choice("E01", "wanted")))
    found = kept.preview(sqlite_tiny.store, viewer, wanted)
    assert [one.expert for one in found.held_up] == ["E12"]
    assert "in_pool" in found.held_up[0].gates
    assert found.impossible
    out = replace(asked(), exclusions=(Choice("E01", "conflict of interest"),))
    fewer = kept.preview(sqlite_tiny.store, viewer, out, bounded=False)
    whole = kept.preview(sqlite_tiny.store, viewer, asked(), bounded=False)
    assert fewer.groups[0].eligible == whole.groups[0].eligible - 1
    with pytest.raises(Fault) as told:
        kept.preview(sqlite_tiny.store, viewer, replace(asked(), locks=(Choice("E99", "x"),)))
    assert told.value.code == "panels.locked_unknown"


def test_a_drawn_procedure_takes_no_locks(sqlite_tiny: Tiny, viewer: Viewer) -> None:
    drawn = Request(
        "C1",
        "M1",
        preset(
            "cn-title-national",
            [Override(n, SMALL[n], "x", date(2026, 9, 1), "t") for n in ("panel_low", "panel_high")],
        ),
        locks=(Choice("E01", "wanted"),),
    )
    with pytest.raises(Fault) as told:
        Preparations().preview(sqlite_tiny.store, viewer, drawn)
    assert told.value.code == "panels.too_many_locks"
