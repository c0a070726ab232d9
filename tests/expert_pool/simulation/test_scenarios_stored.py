"""Scenarios of the registry: versions, inheritance by code, no files, what they would cost; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from refused import refused
from scenarios_stored import text
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.registry import Agenda, Committee, Form, Level, Meeting, Organiser, Pool
from expert_pool.simulation import kept, stored
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import meetings_of, problems_of
from expert_pool.simulation.running import simulate
from expert_pool.simulation.weighing import weigh
from expert_pool.viewer import Viewer


def child(parent: str, more: str = "") -> str:
    return f"format: scenario/1\nextends: {parent}\nseed: 7\n{more}"


def test_a_version_is_never_changed_and_the_same_text_is_no_new_one(
    tiny: Tiny, system: Viewer, now: datetime
) -> None:
    with tiny.store.session() as session:
        first = stored.store(session, system, text())
        assert (first.version, first.committee_id, first.title_zh) == (1, tiny.committee_id, "出席比例")
        assert stored.store(session, system, text(), code=first.code) is first
        second = stored.store(session, system, text("[1/3]"), code=first.code)
        assert (second.code, second.version) == (first.code, 2)
        assert stored.find(session, system, first.code).text == text("[1/3]")
        assert stored.find(session, system, first.code, 1).text == text()
        assert [row.version for row in stored.list_(session, system)] == [2]
        assert ledger.verify(session) == []
        with refused("scenario.unknown"):
            stored.find(session, system, first.code, 3)


def test_what_is_extended_is_pinned_when_it_is_stored(
    sqlite_tiny: Tiny, system: Viewer, now: datetime
) -> None:
    with sqlite_tiny.store.session() as session:
        parent = stored.store(session, system, text("[1/3, 1/2]"))
        row = stored.store(session, system, child(parent.code))
        stored.store(session, system, text("[1]"), code=parent.code)
        axes = stored.scenario_of(session, row).doc.sweep
        assert axes is not None
        assert axes.axes[0].values == ("1/3", "1/2")
        assert stored.scenario_of(session, row).doc.seed == 7
        named = stored.read_text(session, system, child(f"{parent.code}@1")).doc.sweep
        latest = stored.read_text(session, system, child(parent.code)).doc.sweep
        assert named is not None
        assert latest is not None
        assert (named.axes[0].values, latest.axes[0].values) == (("1/3", "1/2"), (1,))
        deep = row
        for _ in range(6):
            deep = stored.store(session, system, child(deep.code, "asked_on: 2026-01-01\n"))
        with refused("scenario.circle"):
            stored.read_text(session, system, child(deep.code))


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        ("format: scenario/1\nbase: {problem: /etc/passwd}\ntipping: [{parameter: a, from: 0, to: 1}]", "scenario.file", 2),
        ("format: scenario/1\nextends: ../../etc/passwd\n", "scenario.extends", 2),
        ("format: scenario/1\nbase: {region: {experts: 1000000, committees: 500}}\nyears: {seasons: 1}", "scenario.region", 2),
        (text(more="policies:\n  compare:\n    - {name: {zh: a, en: a}}\n    - {name: {zh: b, en: b}, policy: /etc/passwd}\n"), "scenario.policy_unknown", 15),
        ("format: scenario/1\nextends: [a]\n", "scenario.extends", 2),
        (text().replace("cn-title-jilin-2013", "/etc/passwd"), "scenario.policy_unknown", 3),
        (text(base="committee: C1, meeting: M9"), "scenario.meeting_unknown", 3),
        (text(base="committee: C9, meeting: M1"), "scenario.meeting_unknown", 3),
        (text(more="swep: {}\n"), "scenario.field_unknown", 12),
        (text("[]"), "scenario.axis_empty", 11),
        (text().replace("rules.quorum.least", "rules.qorum.least"), "scenario.parameter_unknown", 11),
        (text().replace("rule: roles", "rule: rolls"), "sweep.unknown", 8),
        (text("[1/3, 1e999999999]"), "problem.ladder_fields", 0),
        (text().replace("values: [1/3, 1/2, 1]", "from: 0, to: 1e999999999, step: 1"), "scenario.number", 11),
        ("just words", "scenario.none", 0),
        ("a: [", "policy.unreadable", 2),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_line(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, said: str, code: str, line: int
) -> None:
    with refused(code) as caught:
        with sqlite_tiny.store.session() as session:
            row = stored.store(session, system, said)
            scenario = stored.scenario_of(session, row)
            weigh(session, system, scenario)
        asked(scenario, problems_of(scenario, sqlite_tiny.store, system))
    if line:
        assert caught.value.where.startswith(f"scenario:{line}") or f"@1:{line}" in caught.value.where


def test_the_cost_is_said_before_anybody_of_the_pool_is_read(
    sqlite_tiny: Tiny, system: Viewer, now: datetime
) -> None:
    def weighed(values: str, axis: str = "") -> object:
        with sqlite_tiny.store.reading() as session:
            return weigh(session, system, stored.read_text(session, system, text(values).rstrip() + axis))

    more = "\n    - {parameter: rules.panel_size.high, from: 3, to: %d, step: 1}\n"
    found = weighed("[1/3, 1/2]", more % 1202)
    assert (found.points, found.costly, found.hours) == (2400, True, 0.67)  # type: ignore[attr-defined]
    assert not weighed("[1/3, 1/2]", more % 1002).costly  # type: ignore[attr-defined]
    for last in (10_000_000, 10**15):
        with refused("scenario.too_many", count=2 * (last - 2)):
            weighed("[1/3, 1/2]", more % last)


def test_a_year_is_about_an_organiser_and_those_below_it(
    sqlite_tiny: Tiny, system: Viewer, now: datetime
) -> None:
    year = text(base="year: 2026")
    with sqlite_tiny.store.session() as session:
        below = Organiser(code="CITY", name="市", parent_id=sqlite_tiny.organiser_id)
        other = Organiser(code="OTHER", name="他省", parent_id=None)
        session.add_all([below, other])
        session.flush()
        for at, organiser in enumerate((below, other)):
            pool = Pool(code=f"PX{at}", name="库", organiser_id=organiser.id)
            session.add(pool)
            session.flush()
            form = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
            made = Committee(code=f"CX{at}", name="会", organiser_id=organiser.id, pool_id=pool.id, **form)
            session.add(made)
            session.flush()
            agenda = Agenda(code=f"AX{at}", title="x", committee_id=made.id, season=2026)
            session.add(agenda)
            session.flush()
            session.add(Meeting(code=f"MX{at}", agenda_id=agenda.id, on=sqlite_tiny.meets_on, place="x"))
        with refused("scenario.organiser_needed"):
            stored.store(session, system, year)
        row = stored.store(session, system, year, organiser="HR")
        own = stored.below(session, system, row.organiser_id)
        assert own.organisers == {sqlite_tiny.organiser_id, below.id}
        scenario = stored.scenario_of(session, row)
        assert [m for _, m in meetings_of(session, own, scenario)] == ["M1", "MX0"]
        clerk = Viewer("clerk", frozenset({sqlite_tiny.organiser_id, below.id}))
        assert stored.store(session, clerk, year).organiser_id == sqlite_tiny.organiser_id
        with refused("scenario.organiser_unknown"):
            stored.store(session, clerk, year, organiser="OTHER")
        delegate = Viewer("delegate", frozenset(), committees=frozenset({sqlite_tiny.committee_id}))
        one = stored.store(session, delegate, text())
        assert stored.list_(session, delegate) == [one]
        with refused("scenario.organiser_needed"):
            stored.store(session, delegate, year)
        stranger = Viewer("stranger", frozenset({other.id}))
        assert stored.list_(session, stranger) == []
        with refused("scenario.extends"):
            stored.read_text(session, stranger, child(one.code))
        with refused("scenario.moved"):
            stored.store(session, system, year, organiser="HR", code=one.code)


def test_a_result_so_far_is_the_result_without_what_is_to_come(
    tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    with tiny.store.session() as session:
        made = kept.begin(session, system, stored.store(session, system, text()), "RX", now)
        scenario = stored.scenario_of(session, stored.list_(session, system)[0], made.known_at)
        with refused("simulation.nothing_yet"):
            kept.document_of(session, made)
    laid = asked(scenario, problems_of(scenario, tiny.store, system))
    with kept.Mirror(tiny.store, made.id, tmp_path) as mirror:
        mirror.put(kept.PLAN, kept.lay_out(laid).model_dump_json())
        found = simulate(laid, tmp_path)
    with tiny.store.session() as session:
        so_far = kept.so_far(session, made.id)
        assert so_far is not None
        assert so_far.points == found.points
        assert so_far.panels == found.panels
        again = tmp_path / "again"
        again.mkdir()
        kept.restore(session, made.id, again)
        assert simulate(laid, again) == found
        kept.finish(session, system, kept.find(session, system, "RX"), replace_incomplete(found))
        assert kept.so_far(session, made.id) is not None
        kept.go_on(session, system, "RX", "RY")
        kept.finish(session, system, kept.find(session, system, "RX"), found)
        assert kept.so_far(session, made.id) is None
        assert kept.document_of(session, kept.find(session, system, "RX")) == found
        with refused("simulation.complete"):
            kept.go_on(session, system, "RX", "RZ")
        with refused("simulation.unknown"):
            kept.find(session, replace(system, organisers=frozenset()), "RX")
        assert ledger.verify(session) == []


def test_a_file_that_grows_is_kept_in_pieces_of_whole_lines(
    tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    with tiny.store.session() as session:
        made = kept.begin(session, system, stored.store(session, system, text()), "RX", now)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    with kept.Mirror(tiny.store, made.id, first) as mirror:
        for added in ("年 1\n", "2\nhalf ", "a line\n", "lost by a ki"):
            with (first / "panels.jsonl").open("a", encoding="utf-8") as file:
                file.write(added)
            mirror.look()
    with tiny.store.reading() as session:
        kept.restore(session, made.id, second)
    assert (second / "panels.jsonl").read_text(encoding="utf-8") == "年 1\n2\nhalf a line\n"
    with kept.Mirror(tiny.store, made.id, second), (second / "panels.jsonl").open("a") as file:
        file.write("on\n")
    third = tmp_path / "third"
    third.mkdir()
    with tiny.store.reading() as session:
        kept.restore(session, made.id, third)
    assert (third / "panels.jsonl").read_bytes() == (second / "panels.jsonl").read_bytes()


def replace_incomplete(found: object) -> object:
    return found.model_copy(update={"complete": False})  # type: ignore[attr-defined]
