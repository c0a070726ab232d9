"""The facts of one expert, told plainly: in everything those of a pool of one, whatever is on record."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_expert import told_alike
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Absence,
    Agenda,
    Applicant,
    Case,
    Committee,
    Credit,
    Discipline,
    Employer,
    EmployerLink,
    EmployerSector,
    Employment,
    Form,
    Level,
    LinkKind,
    Meeting,
    Membership,
    Organiser,
    Outcome,
    PanelRecord,
    PanelState,
    Qualification,
    Rank,
    Recorded,
    Role,
    Sanction,
    Seat,
    Sector,
    Service,
    Step,
    Training,
)
from expert_pool.rows_of_one import Behind
from expert_pool.viewer import Viewer, visible
from expert_pool.years import add_years, day_after_years, full_years, whole_years
from solver.facts import day

_FIRST = date(2025, 1, 1)
_RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
_TABLES = (Membership, Training, Credit, Qualification, Employment, Absence, Service, Discipline)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load("cn-title-jilin-2013")


def test_random_records_give_the_facts_of_a_pool_of_one(tiny: Tiny, policy: Policy) -> None:
    """Records of every kind and of two organisers, corrected and withdrawn, at many days and moments, for both."""
    made = _Made(tiny, random.Random(5))
    made.write()
    viewers = (Viewer.system("office"), Viewer("hr", frozenset({tiny.organiser_id})))
    policies = [policy, *(replace(policy, terms=replace(policy.terms, **terms)) for terms in _TERMS)]
    seen = set()
    with tiny.store.reading() as session:
        for _ in range(90):
            viewer = made.random.choice(viewers)
            alone = told_alike(
                session,
                viewer,
                made.random.choice(made.experts),
                committee_id=made.random.choice(made.committees[: 2 if viewer.organisers is None else 1]),
                on=_FIRST + timedelta(days=made.random.randrange(-200, 900)),
                known_at=_RECORDED + timedelta(days=made.random.randrange(-5, 70)),
                policy=made.random.choice(policies),
            )
            seen |= {(name, column.show(0)) for name, column in alone.pool.facts.items()}
            _held_to_be_visible(session, viewer, made.random.choice(_TABLES), alone.records)
    states = {value for name, value in seen if name == "state"}
    assert len(states) >= 6
    assert {value for name, value in seen if name == "employer"} >= {"U", "F"}
    for name in ("available", "applicant", "in_pool"):
        assert {(name, True), (name, False)} <= seen


_TERMS: list[dict[str, int | None]] = [
    {"term_years": None, "training_years": None, "credit_base": None, "credit_years": None},
    {"term_years": 1, "training_years": 1, "credit_base": 12, "credit_years": 1},
]


def _held_to_be_visible(session: Any, viewer: Viewer, table: Any, told: Any) -> None:
    """What is said of records is what the viewer may see, as it stands in the table."""
    name = table.__tablename__
    mine = {identity: behind for (of, identity), behind in told.items() if of == name}
    columns = select(table.id, table.holds_on, table.recorded_at).where(table.id.in_(mine))
    shown = {
        row.id: Behind(row.holds_on, row.recorded_at)
        for row in session.execute(columns.where(*visible(viewer, table)))
    }
    assert mine == {identity: shown.get(identity) for identity in mine}


@given(st.dates(date(1583, 1, 1), date(9999, 12, 31)), st.dates(), st.integers(0, 120))
def test_years_of_one_day_are_those_of_many(since: date, on: date, years: int) -> None:
    column = np.array([day(since)], dtype=np.int64)
    assert day_after_years(since, years) == add_years(column, years)[0]
    assert whole_years(since, on) == full_years(column, on)[0]


class _Made:
    """The small registry with a second organiser, and random records of every kind."""

    def __init__(self, tiny: Tiny, source: random.Random) -> None:
        self.tiny, self.random = tiny, source
        self.experts = sorted(tiny.ids["expert"].values())[:6]
        self.committees = [tiny.committee_id]
        self.rows: dict[type, list[Any]] = {}

    def write(self) -> None:
        """Everything in one transaction."""
        with self.tiny.store.session() as session:
            self.session = session
            self.other = self._add(Organiser(code="CITY", name="市人社局（虚构）")).id
            self._structure()
            for _ in range(40):
                self._record(random.Random(self.random.random()))
            for _ in range(30):
                self._correct()

    def _structure(self) -> None:
        more = {"name": "二", "level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
        second = Committee(code="C2", organiser_id=self.other, pool_id=self.tiny.pool_id, **more)
        self.committees.append(self._add(second).id)
        employers = [
            self._add(Employer(code=f"W{n}", legal_person=n == 0, region=f"22{n}")) for n in range(3)
        ]
        for below, above in ((1, 0), (2, 1), (2, 0)):
            link = EmployerLink(
                employer_id=employers[below].id,
                other_id=employers[above].id,
                kind=self.random.choice(tuple(LinkKind)),
                until=self._maybe(),
            )
            self._store(link)
        self.employers = [*self.tiny.ids["employer"].values(), *(employer.id for employer in employers)]
        for employer in self.employers:
            self._store(EmployerSector(employer_id=employer, sector=self.random.choice(tuple(Sector))))
        agenda = self._add(Agenda(code="A2", committee_id=self.committees[1], title="二", season=2026))
        case = {"specialty_id": self.tiny.ids["specialty"]["0101"], "employer_id": self.employers[0]}
        for n in range(2):
            applicant = self._add(Applicant(code=f"X{n}", name="申", expert_id=self.experts[n]))
            self._add(
                Case(
                    code=f"X{n}", agenda_id=agenda.id, applicant_id=applicant.id, level=Level.SENIOR,
                    directed=False, **case,
                )
            )  # fmt: skip
        for n in range(4):
            self._panel(n, agenda.id)

    def _panel(self, n: int, agenda: int) -> None:
        meeting = self._add(Meeting(code=f"M2{n}", agenda_id=agenda, on=self._day(), place=""))
        approved = self.random.random() < 0.5
        at = _RECORDED + timedelta(days=self.random.randrange(30))
        panel = self._add(
            PanelRecord(
                code=f"M2{n}-P1",
                meeting_id=meeting.id,
                organiser_id=self.other,
                state=PanelState.APPROVED if approved else PanelState.PROPOSED,
                policy="p",
                problem_sha256="",
                problem=b"",
                answer="",
                fileable=True,
                requested_at=at,
                requested_by="x",
                approved_at=at + timedelta(days=3) if approved else None,
                approved_by=None,
            )
        )
        for expert in self.random.sample(self.experts, 4):
            seat = Seat(panel_id=panel.id, group="g", role=self.random.choice(tuple(Role)), call_order=None)
            seat.expert_id, seat.open_on = expert, self.random.choice((meeting.on, date(2025, 6, 1)))
            self._add(seat)

    def _record(self, chance: random.Random) -> None:
        until, pick = self._maybe(), chance.choice
        for row in (
            Membership(pool_id=self.tiny.pool_id, step=pick(tuple(Step)), until=until, reason=""),
            Training(course="c", passed=pick((True, True, False)), until=until or date(2026, 12, 31)),
            Credit(points=pick((-10, 3)), event="e"),
            Qualification(series=pick(("engineering", "law")), rank=pick(tuple(Rank))),
            Employment(employer_id=pick(self.employers), main=pick((True, False)), until=until),
            Absence(until=until or date(2026, 1, 31), reason=""),
            Service(
                committee_id=pick(self.committees), season=pick((2024, 2025, 2026)), panel=f"p{chance.random()}",
                role=pick(tuple(Role)), outcome=pick(tuple(Outcome)),
            ),
        ):  # fmt: skip
            row.expert_id = pick(self.experts)
            self._store(row)
        if chance.random() < 0.3:
            self._sanction(chance)

    def _sanction(self, chance: random.Random) -> None:
        kind = chance.choice([s for s in Sanction if s is not Sanction.REVOCATION])
        expert = chance.choice(self.experts)
        more = {"basis": "b", "expert_id": expert}
        held = self._store(Discipline(sanction=kind, until=self._maybe(), revokes_id=None, **more))
        if chance.random() < 0.5:
            self._store(Discipline(sanction=Sanction.REVOCATION, until=None, revokes_id=held.id, **more))

    def _correct(self) -> None:
        """A random record is told again otherwise, or taken back."""
        table = self.random.choice(_TABLES)
        free = [row for row in self.rows[table] if row.id not in {r.corrects_id for r in self.rows[table]}]
        old = self.random.choice(free)
        kept = {c.key: getattr(old, c.key) for c in table.__table__.columns}
        for name in ("id", "recorded_at", "recorded_by", "organiser_id", "holds_on", "void"):
            del kept[name]
        self._store(table(**{**kept, "corrects_id": old.id, "void": self.random.random() < 0.4}), old)

    def _store(self, row: Any, old: Any = None) -> Any:
        assert isinstance(row, Recorded)
        row.organiser_id = (
            self.random.choice((self.tiny.organiser_id, self.other)) if old is None else old.organiser_id
        )
        row.holds_on = self._day()
        row.recorded_at = _RECORDED + timedelta(days=self.random.randrange(60))
        row.recorded_by, row.void = "x", bool(row.void)
        self.rows.setdefault(type(row), []).append(row)
        return self._add(row)

    def _add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def _day(self) -> date:
        return _FIRST + timedelta(days=self.random.randrange(500))

    def _maybe(self) -> date | None:
        return None if self.random.random() < 0.4 else self._day()
