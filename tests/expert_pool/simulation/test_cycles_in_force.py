"""A cycle of re-evaluation taken as in force: what it proposes or decides reaches a problem as its execution would."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cycle_office import NOW, computed, misbehave, on, person
from refused import refused
from scenarios_stored import policy_text
from sqlalchemy import select
from tiny_registry import Tiny, entered

from expert_pool import ledger
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.cycle.finding import find_cycle
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import Expert, LedgerEntry, Pool
from expert_pool.simulation.asking import Asked, asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.histories import recalled
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from expert_pool.viewer import Viewer

SWEEP = "sweep:\n  axes:\n    - {parameter: rules.quorum.least, values: [1/4, 1/3]}\n"
STANDING = ("state", "in_pool")
LEAVING = (
    ("E02", "缺席", date(2026, 3, 2)),
    ("E02", "缺席", date(2026, 4, 2)),
    ("E05", "泄露评审信息", date(2026, 5, 6)),
)
"""Under our own scheme E02 leaves and E05 is banned: there are still panels without them, which cost more."""


def laid(tiny: Tiny, viewer: Viewer, folder: Path, more: str, base: str = "year: 2026") -> Asked:
    """A scenario over the small registry, with its policy beside it."""
    (folder / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    path = folder / "s.yaml"
    text = f"format: scenario/1\nbase: {{{base}, policy: policy.yaml}}\nseconds: 600\n{more}"
    path.write_text(text, encoding="utf-8")
    read = load(path)
    return asked(read, problems_of(read, tiny.store, viewer), recalled(read, tiny.store, viewer))


def standing(found: Asked) -> dict[str, dict[str, Any]]:
    """State and membership of everybody, by pseudonym."""
    (problem,) = found.problems
    return {
        fact: {id_: problem.facts[fact].show(e) for e, id_ in enumerate(problem.experts)} for fact in STANDING
    }


def pseudonyms(tiny: Tiny, *codes: str) -> list[str]:
    with tiny.store.reading() as session:
        rows = dict(session.execute(select(Expert.code, Expert.pseudonym)).all())
        return [rows[code] for code in codes]


def settled(found: Simulation) -> list[Any]:
    return [(point.status, point.goals, point.unique) for point in found.points]


def test_what_a_cycle_proposes_or_decides_is_what_its_execution_makes_of_people(
    sqlite_tiny: Tiny, system: Viewer, tmp_path: Path
) -> None:
    tiny = sqlite_tiny
    misbehave(tiny)
    code = computed(tiny)
    clerk, head, other, third = (person(tiny, name) for name in ("clerk", "head", "other", "third"))
    key, edit = tiny.store.key, f"change: [{{cycle: {code}}}]\n{SWEEP}"
    with on(0):
        proposed = laid(tiny, system, tmp_path, edit)
        before = standing(laid(tiny, system, tmp_path, SWEEP))
        e02, e03, e04, e05 = pseudonyms(tiny, "E02", "E03", "E04", "E05")
        told = standing(proposed)
        moved = {who: state for who, state in told["state"].items() if state != before["state"][who]}
        assert moved == {e02: "exited", e03: "banned", e04: "restricted", e05: "restricted"}
        assert {who for who, there in told["in_pool"].items() if not there} >= {e02, e03}
        part = proposed.scenario.cycles[code].part
        assert (part.counts, part.decided) == ({"lower": 2, "exit": 1, "ban": 1}, 0)
        with tiny.store.session() as session:
            cycle.notify(session, clerk, key, code)
    with on(15):
        with tiny.store.session() as session:
            cycle.decide(session, head, code, [cycle.Deciding("E04", Measure.KEEP, reason="住院")])
            cycle.decide_unanswered(session, head, code)
        with tiny.store.session() as session:
            cycle.confirm(session, other, code)
        decided = laid(tiny, system, tmp_path, edit)
        assert decided.scenario.cycles[code].part.decided == 3
        with tiny.store.session() as session:
            cycle.execute(session, clerk, key, code)
        plain = laid(tiny, system, tmp_path, SWEEP)
        assert standing(decided) == standing(plain)
        assert standing(laid(tiny, system, tmp_path, edit)) == standing(plain)
        assert standing(plain)["state"][e04] == "active"
    with on(16):
        with tiny.store.session() as session:
            cycle.appeal(session, clerk, key, code, "E02", "请从轻。")
            cycle.decide_appeal(session, clerk, code, "E02", Measure.SUSPEND, 3, reason="情节较轻")
        with tiny.store.session() as session:
            cycle.confirm_appeal(session, third, key, code, "E02")
        after = laid(tiny, system, tmp_path, edit)
        assert standing(after) == standing(laid(tiny, system, tmp_path, SWEEP))
        assert standing(after)["state"][e02] == "suspended"
    with on(0):
        known = (NOW + timedelta(days=0)).isoformat()
        again = laid(tiny, system, tmp_path, edit, f"year: 2026, known_at: '{known}'")
        assert standing(again)["state"][e02] == "exited"  # nothing was decided yet as known then


def test_leaving_by_a_cycle_is_leaving_by_a_list(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    misbehave(sqlite_tiny, LEAVING)
    code = computed(sqlite_tiny)
    gone = pseudonyms(sqlite_tiny, "E02", "E05")
    by_cycle = simulate(
        laid(sqlite_tiny, system, tmp_path, f"change: [{{cycle: {code}, measures: [exit, ban]}}]\n{SWEEP}")
    )
    by_list = simulate(laid(sqlite_tiny, system, tmp_path, f"change: [{{leave: {gone}}}]\n{SWEEP}"))
    assert settled(by_cycle) == settled(by_list)
    assert by_cycle.panels
    assert not any(who in str(panel.model_dump()) for panel in by_cycle.panels.values() for who in gone)
    (told,) = by_cycle.cycles
    assert (told.code, told.pool, told.state) == (code, "P1", "computed")
    assert told.counts == {"exit": 1, "ban": 1}
    with sqlite_tiny.store.reading() as session:
        actions = list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)))
        assert actions.count("scenario.cycle_taken") == 1
        assert ledger.verify(session) == []


def test_a_cycle_may_be_one_option_of_a_sweep_and_its_content_is_in_the_hash(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    misbehave(sqlite_tiny, LEAVING)
    code = computed(sqlite_tiny)
    options = (
        "sweep:\n  axes:\n    - title: {zh: 库, en: pool}\n      options:\n"
        f"        - {{name: today}}\n        - {{name: after, change: [{{cycle: {code}}}]}}\n"
    )
    first = simulate(laid(sqlite_tiny, system, tmp_path, options))
    again = simulate(laid(sqlite_tiny, system, tmp_path, options))
    assert first == again
    gone = pseudonyms(sqlite_tiny, "E02", "E05")
    after = first.panels[first.points[1].panel or ""]
    assert not any(who in str(after.model_dump()) for who in gone)
    with sqlite_tiny.store.session() as session:
        clerk = person(sqlite_tiny, "clerk")
        cycle.amend(session, clerk, code, "E02", Measure.RETRAIN, None, reason="x")
    other = simulate(laid(sqlite_tiny, system, tmp_path, options))
    assert other.inputs_sha256 != first.inputs_sha256
    assert other.points[0].sha256 == first.points[0].sha256
    assert other.points[1].sha256 != first.points[1].sha256


@pytest.mark.parametrize(
    ("edit", "base", "code"),
    [
        ("cycle: P1-20260832", "year: 2026", "scenario.cycle_unknown"),
        ("cycle: P1-20260831, measures: [leave]", "year: 2026", "scenario.field_wrong"),
        ("cycle: P1-20260831, measures: []", "year: 2026", "scenario.field_wrong"),
        ("cycle: P1-20260831", "problem: p.json", "scenario.cycle_of_registry"),
        ("cycle: P1-20260831", "region: {experts: 300, committees: 1}", "scenario.cycle_of_registry"),
    ],
)
def test_a_cycle_that_says_nothing_here_is_refused_with_its_line(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path, edit: str, base: str, code: str
) -> None:
    computed(sqlite_tiny)
    text = f"format: scenario/1\nbase: {{{base}}}\nchange:\n  - {{{edit}}}\n{SWEEP}"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with refused(code) as caught:
        read = load(tmp_path / "s.yaml")
        recalled(read, sqlite_tiny.store, system)
    assert "s.yaml:4" in caught.value.where
    if code == "scenario.cycle_unknown":
        assert caught.value.params["nearest"] == "P1-20260831"


def test_a_cycle_is_read_only_by_whoever_sees_it_and_only_once_it_is_computed(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    code = computed(sqlite_tiny)
    edit = f"change: [{{cycle: {code}}}]\n{SWEEP}"
    stranger = Viewer(
        "stranger",
        frozenset({sqlite_tiny.organiser_id + 99}),
        committees=frozenset({sqlite_tiny.committee_id}),
    )
    with refused("scenario.cycle_unknown", known=None):
        laid(sqlite_tiny, stranger, tmp_path, edit)
    with sqlite_tiny.store.session() as session:
        cycle.drop(session, person(sqlite_tiny, "clerk"), code, "x")
    with refused("scenario.cycle_idle", state="dropped"):
        laid(sqlite_tiny, system, tmp_path, edit)


def test_a_cycle_of_a_pool_that_no_meeting_draws_on_is_refused(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    code = computed(sqlite_tiny)
    other = Pool(code="P9", name="他库", organiser_id=sqlite_tiny.organiser_id)
    entered(sqlite_tiny, [other])
    with sqlite_tiny.store.session() as session:
        find_cycle(session, system, code).pool_id = other.id
    with refused("scenario.cycle_elsewhere", pool="P9"):
        laid(sqlite_tiny, system, tmp_path, f"change: [{{cycle: {code}}}]\n{SWEEP}")


def test_without_the_registry_a_cycle_is_not_passed_over(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    found = laid(sqlite_tiny, system, tmp_path, SWEEP)
    path = tmp_path / "s.yaml"
    path.write_text(path.read_text("utf-8") + "change: [{cycle: P1-20260831}]\n", encoding="utf-8")
    with refused("scenario.no_registry"):
        asked(load(path), found.problems)
