"""The line: request, record, approval, looks; sealed seats; the same snapshot again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from refused import refused
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.panels import Choice, Decided, approve, request, show, snapshot
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Applicant,
    Case,
    Discipline,
    Expert,
    Filing,
    LedgerEntry,
    PanelRecord,
    PanelState,
    Sanction,
    Seat,
)
from expert_pool.snapshots import find_sitting, take
from expert_pool.viewer import Viewer
from solver.check import check
from solver.document import problem_sha256, read_problem
from solver.errors import Fault
from solver.problem import Limits, Problem
from solver.progress import Progress

SUPERVISOR = Viewer("supervisor", None, opens_seals=True)
QUICK = Limits(seconds=600)


def changed(preset: str, **values: Any) -> Policy:
    """A preset with numbers that fit twelve experts."""
    fitting: dict[str, Any] = {
        "panel_low": 3,
        "panel_high": 3,
        "group_low": 3,
        "alternates": 1,
        "quorum": "1/3",
    }
    overrides = [
        {"parameter": name, "value": value, "by": "head", "on": date(2026, 1, 1), "why": "small"}
        for name, value in (fitting | values).items()
    ]
    return load(preset, overrides=overrides)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return changed("cn-title-jilin-2013", deputies_high=1)


def ask(tiny: Tiny, viewer: Viewer, policy: Policy, **more: Any) -> Decided:
    given: dict[str, Any] = {"committee": "C1", "meeting": "M1", "limits": QUICK, **more}
    return request(tiny.store, viewer, policy=policy, **given)


def entries(tiny: Tiny) -> list[tuple[str, str, str]]:
    """Actor, action, subject of the ledger, after what made the small registry."""
    with tiny.store.reading() as session:
        rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
        assert ledger.verify(session) == []
    return [(row.actor, row.action, row.subject) for row in rows[1:]]


@contextmanager
def on_day(day: date) -> Iterator[None]:
    with clock.fixed(datetime(day.year, day.month, day.day, 4, tzinfo=UTC)):
        yield


def the_problem(tiny: Tiny, policy: Policy, **more: Any) -> Problem:
    with tiny.store.reading() as session:
        given: dict[str, Any] = {"committee": "C1", "meeting": "M1", **more}
        return snapshot(session, Viewer.system("office"), policy=policy, **given)


def test_a_request_becomes_a_recorded_panel(
    tiny: Tiny, system: Viewer, now: datetime, policy: Policy
) -> None:
    """A legal panel comes out; its record, seats and ledger entry are written together, nobody's name with them."""
    phases: list[str] = []

    def report(event: Progress) -> None:
        phases.append(event.phase)

    decided = ask(tiny, system, policy, report=report)
    assert decided.panel_code == "M1-P1"
    assert decided.answer.status == "optimal"
    assert decided.answer.fileable
    assert decided.names == {}
    assert [phases[0], phases[-1]] == ["snapshot", "record"]
    assert entries(tiny) == [("office", "panel.requested", "M1-P1")]
    with tiny.store.reading() as session:
        panel = session.scalars(select(PanelRecord)).one()
        seats = session.scalars(select(Seat).order_by(Seat.id)).all()
        pseudonyms = dict(session.execute(select(Expert.id, Expert.pseudonym)).all())
        texts = [panel.answer, zlib.decompress(panel.problem).decode()]
        people = session.execute(select(Expert.code, Expert.name)).all()
    assert not any(word in text for text in texts for person in people for word in person)
    seated = [m.expert for m in decided.answer.members] + [a.expert for a in decided.answer.alternates]
    assert [pseudonyms[seat.expert_id] for seat in seats] == seated
    assert {seat.open_on for seat in seats} == {tiny.meets_on}
    assert (panel.state, panel.requested_at, panel.requested_by) == (PanelState.PROPOSED, now, "office")
    problem = read_problem(zlib.decompress(panel.problem))
    assert problem_sha256(problem) == panel.problem_sha256 == decided.answer.problem.sha256
    assert not any(finding.hard for finding in check(problem, decided.answer))


def test_the_snapshot_says_what_the_registry_holds(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """Title, cases by code, specialties with their names, conflicts of the employers, everything in order."""
    problem = the_problem(sqlite_tiny, policy)
    assert problem.title == "工程系列高级评委会 2026-09-20"
    assert (problem.committee, problem.meeting, problem.on) == ("C1", "M1", sqlite_tiny.meets_on)
    assert problem.cases.id == ("K1", "K2", "K3", "K4")
    assert problem.specialties.code == ("0101", "0102")
    assert problem.specialties.name == ("物联网", "焊接")
    assert [group.name for group in problem.groups] == ["机械"]
    assert list(problem.experts) == sorted(problem.experts)
    assert problem.made
    same = {
        (problem.facts["employer"].show(e), problem.cases.id[c])
        for e, c in zip(problem.with_cases.left.tolist(), problem.with_cases.right.tolist(), strict=True)
    }
    assert same == {("U", "K1"), ("U", "K3"), ("F", "K2"), ("F", "K4")}


def test_the_same_moment_makes_the_same_problem(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Records that become known later change nothing for a moment before, and something after it."""
    decided = ask(sqlite_tiny, system, policy)
    later = now + timedelta(hours=1)
    with sqlite_tiny.store.session() as session:
        ban = {"sanction": Sanction.BAN, "until": None, "basis": "x", "holds_on": date(2026, 2, 1)}
        about = {"expert_id": sqlite_tiny.ids["expert"]["E01"], "organiser_id": sqlite_tiny.organiser_id}
        session.add(Discipline(**ban, **about, recorded_at=later, recorded_by="office", void=False))
    again = the_problem(sqlite_tiny, policy, known_at=decided.known_at)
    assert problem_sha256(again) == decided.answer.problem.sha256
    assert problem_sha256(the_problem(sqlite_tiny, policy, known_at=later)) != decided.answer.problem.sha256
    assert problem_sha256(the_problem(sqlite_tiny, policy, seed=5)) != decided.answer.problem.sha256
    assert np.array_equal(again.facts["age"].values, decided.problem.facts["age"].values)


def test_a_missing_filing_refuses_and_names_it(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Nothing is solved and nothing recorded."""
    with sqlite_tiny.store.session() as session:
        for filing in session.scalars(select(Filing)):
            filing.until = date(2026, 9, 19)
    with refused("panels.filing_missing", kinds=["pool", "committee"], lacks=["expired", "expired"]):
        ask(sqlite_tiny, system, policy)
    assert entries_without_check(sqlite_tiny) == []


def entries_without_check(tiny: Tiny) -> list[str]:
    with tiny.store.reading() as session:
        return [e.action for e in session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()[1:]]


def test_sealed_until_the_day_of_the_meeting(
    tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Before it, the office sees that there is a panel and not who; a supervisor does, and the ledger says so."""
    decided = ask(tiny, system, policy)
    sealed = show(tiny.store, system, "M1-P1")
    assert (sealed.sealed, sealed.names, sealed.answer.members) == (True, {}, [])
    assert not any(member.expert in sealed.answer.model_dump_json() for member in decided.answer.members)
    opened = show(tiny.store, SUPERVISOR, "M1-P1")
    assert not opened.sealed
    assert opened.answer == decided.answer
    assert len(opened.names) == len(decided.answer.members) + len(decided.answer.alternates)
    assert all("虚构" in person.name and "虚构" in person.employer for person in opened.names.values())
    looks = [("supervisor", "panel.seals_opened", "M1-P1")]
    assert entries(tiny) == [("office", "panel.requested", "M1-P1"), *looks]
    with on_day(tiny.meets_on):
        assert not show(tiny.store, system, "M1-P1").sealed
        assert show(tiny.store, SUPERVISOR, "M1-P1").names == opened.names
    assert entries(tiny)[1:] == looks


def test_a_request_by_someone_who_opens_seals_gives_names(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """And is written down as a look."""
    decided = ask(sqlite_tiny, SUPERVISOR, policy)
    assert set(decided.names) >= {member.expert for member in decided.answer.members}
    assert [action for _, action, _ in entries(sqlite_tiny)] == ["panel.requested", "panel.seals_opened"]


def test_approval_gives_force_and_replaces_an_earlier_panel(
    tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Twice is refused; the ledger holds."""
    first = ask(tiny, system, policy).panel_code
    second = ask(tiny, system, policy, seed=3).panel_code
    approve(tiny.store, Viewer.system("head"), first)
    with refused("panels.approved_already", by="head"):
        approve(tiny.store, system, first)
    approve(tiny.store, system, second)
    states = [show(tiny.store, system, code).state for code in (first, second)]
    assert states == [PanelState.REPLACED, PanelState.APPROVED]
    assert [entry[:2] for entry in entries(tiny)[2:]] == [
        ("head", "panel.approved"),
        ("office", "panel.approved"),
    ]


def test_a_policy_may_ask_for_a_second_person(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Whoever asked may not approve then."""
    from dataclasses import replace

    template = next(iter(policy.parameters.values()))
    two = replace(template, name="second_person", type="boolean", value=True)
    strict = replace(policy, parameters={**policy.parameters, "second_person": two})
    code = ask(sqlite_tiny, system, strict).panel_code
    with refused("panels.same_person"):
        approve(sqlite_tiny.store, system, code, policy=strict)
    approve(sqlite_tiny.store, Viewer.system("head"), code, policy=strict)


def test_under_a_draw_the_answer_is_a_proposal(sqlite_tiny: Tiny, system: Viewer, now: datetime) -> None:
    """It is recorded and cannot be approved."""
    drawn = changed("cn-title-national")
    decided = ask(sqlite_tiny, system, drawn)
    assert decided.answer.members
    assert not decided.answer.fileable
    assert "panels.proposal" in [note.code for note in decided.notes]
    assert not show(sqlite_tiny.store, system, decided.panel_code).fileable
    with refused("panels.not_fileable"):
        approve(sqlite_tiny.store, system, decided.panel_code)


def test_an_answer_without_a_panel_is_recorded_too(sqlite_tiny: Tiny, system: Viewer, now: datetime) -> None:
    """Twenty-five seats cannot be filled from twelve experts."""
    decided = ask(sqlite_tiny, system, changed("cn-title-jilin-2013", panel_low=25, panel_high=25))
    assert decided.answer.status == "infeasible"
    shown = show(sqlite_tiny.store, system, decided.panel_code)
    assert (shown.sealed, shown.open_on, shown.fileable) == (False, None, False)
    assert [entry[1] for entry in entries(sqlite_tiny)] == ["panel.requested"]


def test_locks_and_exclusions_are_decisions_by_name(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """Who is locked in sits, who is excluded does not; both are named by code and kept by pseudonym."""
    free = ask(sqlite_tiny, system, policy)
    who = dict(zip(free.problem.experts, _codes(sqlite_tiny, free.problem), strict=True))
    out = who[free.answer.members[0].expert]
    inside = next(
        c for p, c in who.items() if p not in {m.expert for m in free.answer.members} and c != "E12"
    )
    decided = ask(
        sqlite_tiny,
        system,
        policy,
        locks=[Choice(inside, "复议")],
        exclusions=[Choice(out, "本人请假")],
    )
    assert decided.problem.locks[0].by == "office"
    if decided.answer.members:
        seated = {who[m.expert] for m in decided.answer.members}
        assert inside in seated
        assert out not in seated
    with refused("panels.locked_unknown"):
        ask(sqlite_tiny, system, policy, locks=[Choice("E77", "x")])
    with refused("panels.group_unknown", group="nowhere"):
        ask(sqlite_tiny, system, policy, locks=[Choice("E01", "x", group="nowhere")])
    with refused("panels.too_many_locks", most=0):
        ask(sqlite_tiny, system, changed("cn-title-national"), locks=[Choice("E01", "x")])


def test_an_applicant_among_the_experts_is_known_as_such(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """The gate on applications keeps them out of the panel."""
    with sqlite_tiny.store.session() as session:
        applicant = session.get_one(Applicant, session.scalars(select(Case)).first().applicant_id)  # type: ignore[union-attr]
        applicant.expert_id = sqlite_tiny.ids["expert"]["E05"]
    problem = the_problem(sqlite_tiny, policy)
    at = _codes(sqlite_tiny, problem).index("E05")
    applies = problem.facts["applicant"]
    assert [e for e in range(len(problem.experts)) if applies.show(e)] == [at]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"committee": "C9"}, "panels.committee_unknown"),
        ({"meeting": "M9"}, "panels.meeting_unknown"),
        ({"policy": "no-such-policy"}, "policy.unknown"),
    ],
)
def test_what_does_not_exist_is_refused(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(Fault) as caught:
        ask(sqlite_tiny, system, given.pop("policy", policy), **given)
    assert caught.value.code == code


def test_an_organisers_panels_are_its_own(
    sqlite_tiny: Tiny, system: Viewer, policy: Policy, now: datetime
) -> None:
    """A stranger sees neither the committee nor the panel."""
    code = ask(sqlite_tiny, system, policy).panel_code
    stranger = Viewer("stranger", frozenset({99}), opens_seals=True)
    with refused("panels.committee_unknown"):
        ask(sqlite_tiny, stranger, policy)
    for look in (show, approve):
        with refused("panels.panel_unknown"):
            look(sqlite_tiny.store, stranger, code)


def _codes(tiny: Tiny, problem: Problem) -> list[str]:
    """The codes of a problem's experts, in its order."""
    with tiny.store.reading() as session:
        codes = dict(session.execute(select(Expert.pseudonym, Expert.code)).all())
    return [codes[pseudonym] for pseudonym in problem.experts]


def test_take_tells_where_groups_come_from(sqlite_tiny: Tiny, system: Viewer, policy: Policy) -> None:
    """The notes of the grouping come with the snapshot."""
    with sqlite_tiny.store.reading() as session:
        sitting = find_sitting(session, system, "C1", "M1")
        taken = take(session, system, sitting, policy)
    assert [note.code for note in taken.notes] == ["agenda.group"]
    assert taken.facts.season == 2026
