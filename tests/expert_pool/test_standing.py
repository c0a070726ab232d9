"""Standing: the state, the verdict of the gates, and the records behind both, for any day and moment."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from refused import refused
from sqlalchemy.orm import Session
from tiny_registry import Tiny

from expert_pool import records
from expert_pool.facts import facts_on
from expert_pool.lifecycle import STEPS, State
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Absence,
    Credit,
    Discipline,
    Membership,
    Organiser,
    Recorded,
    Sanction,
    Step,
    Training,
)
from expert_pool.standing import Standing, standing, without_agenda
from expert_pool.viewer import Viewer
from expert_pool.words import known
from solver.rules.gate import FactGate

MEETING = date(2026, 9, 20)
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load("cn-title-jilin-2013")


def ask(tiny: Tiny, policy: Policy, expert: str, on: date = MEETING, **more: Any) -> Standing:
    viewer = more.pop("viewer", Viewer.system("office"))
    with tiny.store.reading() as session:
        given = {"known_at": NOW, "committee": "C1", **more}
        return standing(session, viewer, expert, on=on, policy=policy, **given)


def add(tiny: Tiny, row: Any, expert: str, organiser: int | None = None, at: datetime = NOW) -> int:
    with tiny.store.session() as session:
        row.expert_id = tiny.ids["expert"][expert]
        row.organiser_id, row.recorded_at, row.recorded_by = organiser or tiny.organiser_id, at, "office"
        session.add(row)
        session.flush()
        identity: int = row.id
        return identity


def codes(found: Standing) -> list[str]:
    return [reason.code for reason in found.reasons]


def test_somebody_in_good_standing(tiny: Tiny, policy: Policy) -> None:
    """E05 may sit; every gate on facts has its say, with the record it rests on and its basis."""
    found = ask(tiny, policy, "E05")
    assert (found.state, found.may_sit) == (State.ACTIVE, True)
    judged = {reason.gate: reason for reason in found.reasons if reason.gate}
    gates = [rule.id for rule in policy.rules("senior") if isinstance(rule, FactGate)]
    assert list(judged) == gates
    assert not any(reason.bars for reason in judged.values())
    tables = {gate: judged[gate].record.table for gate in ("in_pool", "standing", "in_term", "trained")}  # type: ignore[union-attr]
    assert tables == {
        "in_pool": "membership",
        "standing": "membership",
        "in_term": "membership",
        "trained": "training",
    }
    assert all(reason.basis and reason.basis_status for reason in judged.values())
    assert [step.event for step in found.history] == ["admitted"]
    assert found.facts["age"] == 56


def test_everything_said_has_words(sqlite_tiny: Tiny, policy: Policy) -> None:
    """In both languages."""
    add(sqlite_tiny, _sanction(Sanction.SUSPENSION, until=date(2027, 1, 1)), "E01")
    add(sqlite_tiny, _sanction(Sanction.BAN), "E01")
    for expert in ("E01", "E02", "E12"):
        for code in codes(ask(sqlite_tiny, policy, expert)):
            assert known(code, "zh")
            assert known(code, "en")


def test_somebody_who_left_may_not_sit(tiny: Tiny, policy: Policy) -> None:
    """E12 left on 1 March 2026, which was recorded a day later."""
    found = ask(tiny, policy, "E12")
    assert (found.state, found.may_sit) == (State.EXITED, False)
    assert [reason.gate for reason in found.reasons if reason.bars] == ["in_pool", "standing"]
    assert [(step.event, step.after) for step in found.history] == [
        ("admitted", "active"),
        ("left", "exited"),
    ]
    before = ask(tiny, policy, "E12", known_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert (before.state, before.may_sit) == (State.ACTIVE, True)
    assert ask(tiny, policy, "E12", on=date(2026, 2, 28)).may_sit


def test_what_nobody_recorded_keeps_out(sqlite_tiny: Tiny, policy: Policy) -> None:
    """Without a passed course nobody is trained, and the reason says that it is not known."""
    with sqlite_tiny.store.session() as session:
        for row in session.query(Training):
            row.void = True
    found = ask(sqlite_tiny, policy, "E05")
    [reason] = [reason for reason in found.reasons if reason.bars]
    assert (reason.code, reason.gate, reason.record) == ("standing.unknown", "trained", None)


def test_a_lifetime_ban_until_it_is_revoked(tiny: Tiny, policy: Policy) -> None:
    """No passing of time helps; the revocation does, from its day and once it is known."""
    add(tiny, _sanction(Sanction.BAN), "E04")
    far = ask(tiny, policy, "E04", on=date(2027, 12, 31))
    assert far.state == State.BANNED
    assert "standing.held_open" in codes(far)
    with tiny.store.session() as session:
        ban = session.query(Discipline).one()
        records.revoke_ban(session, Viewer.system("head"), ban, holds_on=date(2026, 8, 20), basis="复核")
        session.query(Discipline).filter_by(sanction=Sanction.REVOCATION).one().recorded_at = NOW
    assert ask(tiny, policy, "E04", on=date(2026, 8, 19)).state == State.BANNED
    freed = ask(tiny, policy, "E04", on=date(2026, 8, 20))
    assert (freed.state, freed.may_sit) == (State.ACTIVE, True)
    assert [step.event for step in freed.history] == ["admitted", "banned", "ban_revoked"]
    assert ask(tiny, policy, "E04", known_at=NOW - timedelta(seconds=1)).state == State.ACTIVE


def test_a_ban_by_another_organiser_bars_without_its_record(tiny: Tiny, policy: Policy) -> None:
    """The clerk of one organiser gets the verdict; who sees both organisers gets the record."""
    with tiny.store.session() as session:
        other = Organiser(code="OTHER", name="别处", parent_id=None)
        session.add(other)
        session.flush()
        other_id = other.id
    row = add(tiny, _sanction(Sanction.BAN), "E04", organiser=other_id)
    clerk = ask(tiny, policy, "E04", viewer=Viewer("clerk", frozenset({tiny.organiser_id})))
    assert (clerk.state, clerk.may_sit) == (State.BANNED, False)
    [state] = [reason for reason in clerk.reasons if reason.gate == "standing"]
    assert [record.table for record in state.records] == ["membership"]
    assert state.withheld == 1
    [held] = [reason for reason in clerk.reasons if reason.code == "standing.held_elsewhere"]
    assert (held.records, held.withheld, dict(held.params)) == ((), 1, {"sanction": "ban"})
    assert [step.event for step in clerk.history] == ["admitted"]
    office = ask(tiny, policy, "E04")
    assert row in [r.id for reason in office.reasons for r in reason.records if r.table == "discipline"]
    assert [step.event for step in office.history] == ["admitted", "banned"]


def test_credit_names_every_record_that_counted(sqlite_tiny: Tiny, policy: Policy) -> None:
    """A floor of 90 bars somebody with 85; points outside the window are not named."""
    strict = load("cn-title-jilin-2013", overrides=[_override("credit_floor", 90)])
    strict = replace(strict, terms=replace(strict.terms, credit_years=2))
    for day, points in ((date(2026, 1, 1), -10), (date(2026, 2, 1), -5), (date(2020, 1, 1), -50)):
        add(sqlite_tiny, Credit(event="迟到", points=points, holds_on=day), "E04")
    found = ask(sqlite_tiny, strict, "E04")
    [reason] = [reason for reason in found.reasons if reason.gate == "credit"]
    assert (reason.code, reason.bars, reason.params["value"]) == ("standing.fails_with", True, 85)
    assert [record.holds_on for record in reason.records] == [date(2026, 2, 1), date(2026, 1, 1)]


def test_busy_without_a_record_to_show_says_that_something_is_withheld(
    sqlite_tiny: Tiny, policy: Policy
) -> None:
    """An absence of one's own is shown."""
    row = add(sqlite_tiny, Absence(holds_on=MEETING, until=MEETING, reason=""), "E04")
    [reason] = [r for r in ask(sqlite_tiny, policy, "E04").reasons if r.gate == "available"]
    assert [record.id for record in reason.records] == [row]
    assert (reason.bars, reason.withheld) == (True, 0)


def test_may_sit_is_what_the_snapshots_gates_say(sqlite_tiny: Tiny, policy: Policy) -> None:
    """One row asked alone stands as the same row among the whole pool."""
    add(sqlite_tiny, _sanction(Sanction.SUSPENSION, until=date(2027, 1, 1)), "E01")
    with sqlite_tiny.store.reading() as session:
        pool = facts_on(
            session,
            Viewer.system("office"),
            committee_id=sqlite_tiny.committee_id,
            on=MEETING,
            known_at=NOW,
            policy=policy,
        )
    gates = [rule for rule in policy.rules("senior") if isinstance(rule, FactGate)]
    problem = without_agenda(pool)
    for i, code in enumerate(pool.codes):
        found = ask(sqlite_tiny, policy, code)
        assert found.may_sit == all(gate.passes(problem)[i] for gate in gates)
        assert found.facts == {name: column.show(i) for name, column in pool.facts.items()}


def test_unknown_names_are_refused(sqlite_tiny: Tiny, policy: Policy) -> None:
    """An expert, a committee that does not exist or is not the viewer's; no committee where there are none."""
    with refused("standing.expert_unknown"):
        ask(sqlite_tiny, policy, "E77")
    with refused("standing.committee_unknown"):
        ask(sqlite_tiny, policy, "E01", committee="C7")
    with refused("standing.committee_unknown"):
        ask(sqlite_tiny, policy, "E01", viewer=Viewer("stranger", frozenset({99})))
    with refused("standing.committee_needed", known=None):
        ask(sqlite_tiny, policy, "E01", committee=None, viewer=Viewer("stranger", frozenset({99})))
    assert ask(sqlite_tiny, policy, "E01", committee=None).committee == "C1"


@dataclass(frozen=True)
class Row:
    """A record as the plain telling reads it."""

    id: int
    at: datetime
    on: date
    void: bool
    corrects: int | None
    what: Any
    until: date | None
    revokes: int | None = None


def test_random_histories_are_told_alike(sqlite_tiny: Tiny, policy: Policy) -> None:
    """Records, corrections, withdrawals and revocations recorded in any order: at any day and moment the facts of the
    pool, the standing of each, and the plain sentences agree."""
    tell = _Histories(sqlite_tiny, random.Random(7))
    for expert in tell.experts:
        tell.write(expert)
    seen = set()
    for _ in range(25):
        on = date(2025, 1, 1) + timedelta(days=tell.random.randrange(90))
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=tell.random.randrange(60))
        expected = {expert: tell.state(expert, on, at) for expert in tell.experts}
        seen |= set(expected.values())
        open_ended = replace(policy, terms=replace(policy.terms, term_years=None))
        with sqlite_tiny.store.reading() as session:
            facts = facts_on(
                session,
                Viewer.system("office"),
                committee_id=sqlite_tiny.committee_id,
                on=on,
                known_at=at,
                policy=open_ended,
                expert_ids=[sqlite_tiny.ids["expert"][expert] for expert in tell.experts],
            )
            column = facts.facts["state"]
            assert {code: column.show(i) for i, code in enumerate(facts.codes)} == expected
            expert = tell.random.choice(tell.experts)
            single = standing(
                session, Viewer.system("x"), expert, on=on, known_at=at, committee="C1", policy=open_ended
            )
        assert single.state == expected[expert]
        assert not single.history or single.history[-1].after == expected[expert]
    assert len(seen) >= 6


class _Histories:
    """Random records of the small registry's experts, and the state they amount to, told plainly."""

    def __init__(self, tiny: Tiny, source: random.Random) -> None:
        self.tiny, self.random = tiny, source
        self.experts = sorted(tiny.ids["expert"])
        self.rows: dict[str, dict[str, list[Row]]] = {e: {"m": [], "d": [], "t": []} for e in self.experts}
        with tiny.store.session() as session:
            for kind in (Training, Membership):
                session.query(kind).delete()

    def write(self, expert: str) -> None:
        with self.tiny.store.session() as session:
            for _ in range(self.random.randrange(2, 7)):
                self._membership(session, expert)
            for _ in range(self.random.randrange(4)):
                self._discipline(session, expert)
            for _ in range(self.random.randrange(3)):
                until = {"until": date(2030, 1, 1)}
                self._store(session, expert, "t", Training(course="c", passed=True, **until), None, None)

    def state(self, expert: str, on: date, at: datetime) -> str:
        steps, sanctions, passed = (self._known(self.rows[expert][k], at) for k in "mdt")
        held = {str(row.what) for row in sanctions if self._in_force(row, sanctions, passed, on)}
        if "ban" in held:
            return "banned"
        past = sorted((r.on, STEPS.index(r.what), r.id, r.until) for r in steps if r.on <= on)
        place, until = "outside", None
        for day in (
            date(2024, 12, 31) + timedelta(days=n) for n in range((on - date(2024, 12, 31)).days + 1)
        ):
            if place == "member" and until is not None and day > until:
                place = "exited"
            for when, kind, _, last in past:
                if when != day:
                    continue
                if STEPS[kind] is Step.ADMITTED:
                    place, until = "member", None if last is None else max(last, when)
                elif STEPS[kind] is Step.LEFT:
                    place = "exited"
                elif place != "member":
                    place = "candidate"
        if place != "member":
            return place
        worst = [s for s in ("suspension", "retraining", "restriction") if s in held]
        names = {"suspension": "suspended", "retraining": "retrain", "restriction": "restricted"}
        return names[worst[0]] if worst else "active"

    def _known(self, rows: list[Row], at: datetime) -> list[Row]:
        known = [row for row in rows if row.at <= at]
        gone = {row.corrects for row in known}
        return [row for row in known if not row.void and row.id not in gone]

    def _in_force(self, row: Row, sanctions: list[Row], passed: list[Row], on: date) -> bool:
        revoked = [r.on for r in sanctions if r.what == Sanction.REVOCATION and r.revokes == row.id]
        taught = [t.on for t in passed if row.what == Sanction.RETRAINING and row.on < t.on <= on]
        over = (row.until is not None and on > row.until) or any(on >= day for day in revoked)
        return row.on <= on and not over and not taught

    def _membership(self, session: Session, expert: str) -> None:
        step, until = self.random.choice([*STEPS, Step.ADMITTED]), self._maybe_day()
        row = Membership(pool_id=self.tiny.pool_id, step=step, until=until, reason="")
        self._store(session, expert, "m", row, step, until)

    def _discipline(self, session: Session, expert: str) -> None:
        sanction = self.random.choice([s for s in Sanction if s is not Sanction.REVOCATION])
        until = self._maybe_day()
        made = self._store(session, expert, "d", _sanction(sanction, until=until), sanction, until)
        if self.random.random() < 0.4:
            revocation = _sanction(Sanction.REVOCATION)
            revocation.revokes_id = made.id
            self._store(session, expert, "d", revocation, Sanction.REVOCATION, None, revokes=made.id)

    def _store(
        self,
        session: Session,
        expert: str,
        table: str,
        row: Any,
        what: Any,
        until: date | None,
        revokes: int | None = None,
    ) -> Row:
        assert isinstance(row, Recorded)
        row.holds_on = self._day()
        row.recorded_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=self.random.randrange(60))
        row.recorded_by, row.organiser_id = "x", self.tiny.organiser_id
        row.expert_id = self.tiny.ids["expert"][expert]  # type: ignore[attr-defined]
        row.void = False
        earlier = [r for r in self.rows[expert][table] if r.revokes is None and not r.void]
        free = [r for r in earlier if r.id not in {x.corrects for x in self.rows[expert][table]}]
        if free and revokes is None and self.random.random() < 0.3:
            row.corrects_id = self.random.choice(free).id
            row.void = self.random.random() < 0.3
        session.add(row)
        session.flush()
        made = Row(
            row.id,  # type: ignore[attr-defined]
            row.recorded_at,
            row.holds_on,
            row.void,
            row.corrects_id,
            what,
            until,
            revokes,
        )
        self.rows[expert][table].append(made)
        return made

    def _day(self) -> date:
        return date(2025, 1, 1) + timedelta(days=self.random.randrange(90))

    def _maybe_day(self) -> date | None:
        return None if self.random.random() < 0.4 else self._day()


def _sanction(sanction: Sanction, until: date | None = None) -> Discipline:
    return Discipline(
        sanction=sanction, until=until, basis="纪律", revokes_id=None, holds_on=date(2026, 8, 1), void=False
    )


def _override(parameter: str, value: Any) -> dict[str, Any]:
    return {"parameter": parameter, "value": value, "by": "x", "on": date(2026, 1, 1), "why": "test"}
