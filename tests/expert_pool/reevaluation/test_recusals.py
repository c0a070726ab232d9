"""Failures to recuse, found afterwards, against a plain reading of every pair."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.policies.vocabulary import DERIVED
from expert_pool.reevaluation.recusals import Failures, Known, failures
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Committee,
    Employer,
    Employment,
    Expert,
    Form,
    Level,
    Meeting,
    Organiser,
    Outcome,
    PanelRecord,
    PanelState,
    Pool,
    Relation,
    RelationKind,
    Role,
    Seat,
    Service,
    Table,
)
from expert_pool.viewer import Viewer
from solver.answer import Answer, CaseResult, ProblemRef
from solver.problem import Effect
from solver.rules.quorum import Quorum

OFFICE = Viewer.system("office")
ON = date(2026, 3, 1)
MADE = datetime(2026, 2, 10, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
RECORDED = [
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 2, 20, tzinfo=UTC),
    datetime(2026, 6, 1, tzinfo=UTC),
]
"""Before the panel was made, before the meeting, after it."""
SINCE, UNTIL = date(2026, 1, 1), date(2026, 8, 31)
PEOPLE, CASES = 5, 4
MUTUAL = {"relative", "co_author", "advisor", "same_case", "other"}
JILIN = load("cn-title-jilin-2013")
EFFECTS: tuple[Effect, ...] = get_args(Effect)

Rows = list[dict[str, Any]]


def answer(recused: set[tuple[int, int]], groups: dict[int, str]) -> str:
    cases = [
        CaseResult(
            case=f"K{case}",
            group=groups[case],
            specialty="0101",
            close=[],
            broad=[],
            recused={f"x{e}": ["other"] for e, c in sorted(recused) if c == case},
            quorum=None,
            present=0,
        )
        for case in range(1, CASES + 1)
    ]
    problem = ProblemRef(
        sha256="0" * 64,
        title="t",
        committee="C1",
        meeting="M1",
        on=ON.isoformat(),
        procedure="compose",
        policy="cn-title-national",
        policy_version="1",
        seed=1,
        made=True,
    )
    parts = ("goals", "members", "alternates", "rules", "findings", "funnel")
    empty: dict[str, Any] = {part: [] for part in parts}
    return Answer(
        status="optimal",
        stopped_by=None,
        fileable=True,
        problem=problem,
        versions={},
        mode="lexicographic",
        objective=None,
        bound=None,
        gap=None,
        cases=cases,
        considered=5,
        **empty,
    ).model_dump_json()


def policy_read_otherwise(lot: random.Random) -> tuple[Policy, bool]:
    """The demo's policy with other effects, also between members, and whether everybody votes on every case."""
    conflicts = {
        kind: replace(
            conflict, effect=lot.choice(EFFECTS), members=lot.random() < 0.5 and kind not in DERIVED
        )
        for kind, conflict in JILIN.conflicts.items()
    }
    all_vote = lot.random() < 0.5
    settled = JILIN.by_level["senior"]
    rules = [rule for rule in settled.rules if not isinstance(rule, Quorum)]
    rules.append(Quorum(id="quorum", least=Fraction(2, 3), of="panel" if all_vote else "group"))
    by_level = {"senior": replace(settled, rules=tuple(rules))}
    return replace(JILIN, conflicts=conflicts, by_level=by_level), all_vote


class World:
    """One meeting with its panel, five experts, four cases, and relations of every kind, recorded at all times."""

    def __init__(self, seed: int) -> None:
        lot = random.Random(seed)

        def one() -> int:
            return lot.randint(1, PEOPLE)

        self.policy, self.all_vote = policy_read_otherwise(lot)
        self.groups = {case: lot.choice("AB") for case in range(1, CASES + 1)}
        self.seats = {e: (lot.choice("AB"), lot.choice(list(Role))) for e in range(1, PEOPLE + 1)}
        self.seats = {e: seat for e, seat in self.seats.items() if lot.random() < 0.85}
        self.with_panel = bool(self.seats) and lot.random() < 0.8
        self.services = {e: lot.choice(list(Outcome)) for e in range(1, PEOPLE + 1) if lot.random() < 0.4}
        self.recused = {
            (e, c) for e in range(1, PEOPLE + 1) for c in range(1, CASES + 1) if lot.random() < 0.3
        }
        self.applicants = {a: lot.choice([None, None, one()]) for a in range(1, CASES + 1)}
        self.cases = {c: (lot.randint(1, CASES), lot.randint(1, 3)) for c in range(1, CASES + 1)}
        self.relations: Rows = []
        for _ in range(lot.randint(0, 10)):
            party = lot.choice(["other_expert_id", "applicant_id", "case_id"])
            other = one() if party == "other_expert_id" else lot.randint(1, CASES)
            since = lot.choice([None, date(2020, 1, 1), ON + timedelta(1)])
            row: dict[str, Any] = dict.fromkeys(("other_expert_id", "applicant_id", "case_id", "employer_id"))
            row |= {"kind": lot.choice(list(RelationKind)), "expert_id": one(), party: other}
            row |= {"since": since, "until": None, "source": ""}
            self.relations.append(row | self.record(lot, lot.choice([date(2020, 1, 1), date(2026, 5, 1)])))
        self.employments: Rows = [
            {"expert_id": one(), "employer_id": lot.randint(1, 3), "main": True, "until": None}
            | self.record(lot, lot.choice([date(2020, 1, 1), ON + timedelta(1)]))
            for _ in range(lot.randint(0, 4))
        ]

    def record(self, lot: random.Random, on: date) -> dict[str, Any]:
        at = lot.choice(RECORDED)
        return {
            "holds_on": min(on, at.date()),
            "recorded_at": at,
            "recorded_by": "x",
            "void": lot.random() < 0.1,
            "corrects_id": None,
            "organiser_id": 1,
        }

    def fill(self, session: Session) -> None:
        def put(table: type[Table], rows: Rows) -> None:
            if rows:
                session.execute(insert(table), rows)

        put(Organiser, [{"id": 1, "code": "O", "name": "o", "parent_id": None}])
        put(Pool, [{"id": 1, "code": "P", "name": "p", "organiser_id": 1}])
        body = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "s", "organiser_id": 1, "pool_id": 1}
        put(Committee, [{"id": 1, "code": "C1", "name": "c", **body}])
        put(Agenda, [{"id": 1, "code": "A1", "committee_id": 1, "title": "t", "season": 2026}])
        put(Meeting, [{"id": 1, "code": "M1", "agenda_id": 1, "on": ON, "place": ""}])
        put(
            Expert,
            [
                {"id": e, "code": f"E{e}", "pseudonym": f"x{e}", "name": "n", "region": "1"}
                for e in range(1, 6)
            ],
        )
        put(Employer, [{"id": u, "code": f"U{u}", "region": "1", "legal_person": True} for u in (1, 2, 3)])
        put(
            Applicant,
            [{"id": a, "code": f"AP{a}", "name": "n", "expert_id": e} for a, e in self.applicants.items()],
        )
        put(
            Case,
            [
                {
                    "id": c,
                    "code": f"K{c}",
                    "agenda_id": 1,
                    "applicant_id": a,
                    "specialty_id": 1,
                    "employer_id": u,
                }
                | {"level": Level.SENIOR, "directed": False}
                for c, (a, u) in self.cases.items()
            ],
        )
        put(Relation, self.relations)
        put(Employment, self.employments)
        if self.with_panel:
            panel = {
                "id": 1,
                "code": "M1-P1",
                "meeting_id": 1,
                "organiser_id": 1,
                "state": PanelState.APPROVED,
            }
            panel |= {"policy": "of-a-file", "problem_sha256": "", "problem": b"", "fileable": True}
            panel |= {"answer": answer(self.recused, self.groups), "requested_at": MADE, "requested_by": "a"}
            put(PanelRecord, [panel | {"approved_at": MADE, "approved_by": "b"}])
            seat = {"panel_id": 1, "call_order": None, "open_on": ON}
            put(Seat, [seat | {"expert_id": e, "group": g, "role": r} for e, (g, r) in self.seats.items()])
        served = {"committee_id": 1, "season": 2026, "panel": "M1", "role": Role.MEMBER, "holds_on": ON}
        served |= {"recorded_at": RECORDED[2], "recorded_by": "x", "void": False, "organiser_id": 1}
        put(Service, [served | {"expert_id": e, "outcome": o} for e, o in self.services.items()])

    def sat(self) -> dict[int, str | None]:
        """Who came, and to which group."""
        came = {Outcome.ATTENDED, Outcome.LATE, Outcome.WITHDREW}
        there: dict[int, str | None] = {}
        for e in range(1, PEOPLE + 1):
            group, role = self.seats.get(e, (None, None)) if self.with_panel else (None, None)
            outcome = self.services.get(e)
            if outcome in came or (outcome is None and role is not None and role is not Role.ALTERNATE):
                there[e] = group
        return there

    def conflicts(self, known_at: datetime, *, declared_later: bool) -> set[tuple[int, str, str]]:
        """(expert, case or expert code, kind) of everybody with everything, each pair by itself."""
        found: set[tuple[int, str, str]] = set()
        people = range(1, PEOPLE + 1)
        for c, (a, unit) in self.cases.items():
            for e in people:
                if self.applicants[a] == e:
                    found.add((e, f"K{c}", "self"))
                for row in self.employments:
                    known = row["recorded_at"] <= known_at and not row["void"] and row["holds_on"] <= ON
                    if known and row["expert_id"] == e and row["employer_id"] == unit:
                        found.add((e, f"K{c}", "same_employer"))
        for row in self.relations:
            kind = str(row["kind"])
            timely = declared_later and kind != "objection"
            if row["void"] or row["recorded_at"] > known_at or not (timely or row["holds_on"] <= ON):
                continue
            if kind not in self.policy.conflicts:
                continue
            lasts = row["since"] is None or row["since"] <= ON
            cyclic = self.policy.conflicts[kind].window == "cycle"
            mine = row["expert_id"]
            other = row["other_expert_id"] or self.applicants.get(row["applicant_id"])
            for c, (a, _) in self.cases.items():
                person = self.applicants[a]
                named = row["applicant_id"] == a or (person is not None and other == person)
                of_case = row["case_id"] == c and (lasts or cyclic)
                if mine != person and ((lasts and named) or of_case):
                    found.add((mine, f"K{c}", kind))
                if lasts and kind in MUTUAL and mine == person and other not in (None, person):
                    found.add((other, f"K{c}", kind))
            if lasts and self.policy.conflicts[kind].members and other not in (None, mine):
                found |= {(mine, f"E{other}", kind), (other, f"E{mine}", kind)}
        return found

    def expected(self) -> set[tuple[str, str, str, Known, bool]]:
        there = self.sat()
        now = self.conflicts(NOW, declared_later=True)
        end = datetime.combine(ON + timedelta(1), datetime.min.time()).astimezone() - timedelta(
            microseconds=1
        )
        then, made = self.conflicts(end, declared_later=False), self.conflicts(MADE, declared_later=False)
        found = set()
        for e, against, kind in now:
            if e not in there:
                continue
            if against.startswith("E"):
                if int(against[1:]) not in there:
                    continue
            else:
                case, effect = int(against[1:]), self.policy.conflicts[kind].effect
                near = not self.with_panel or there[e] is None or there[e] == self.groups[case]
                barred = effect == "panel" or (effect == "group" and near)
                votes = near or self.all_vote
                recused = self.with_panel and (e, case) in self.recused
                if not barred and (recused or not votes):
                    continue
            known = Known.LATER
            if (e, against, kind) in then:
                at_first = self.with_panel and (e, against, kind) in made
                known = Known.PANEL if at_first else Known.MEETING
            found.add((f"E{e}", against, kind, known, self.with_panel))
        return found


@pytest.fixture(scope="module")
def memory() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Table.metadata.create_all(engine)
    return engine


def found_in(world: World, memory: Engine, viewer: Viewer = OFFICE, **more: Any) -> Failures:
    with Session(memory) as session:
        world.fill(session)
        found = failures(session, viewer, None, SINCE, UNTIL, NOW, policy=world.policy, **more)
        session.rollback()
    return found


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_failures_agree_with_a_plain_reading_of_every_pair(memory: Engine, seed: int) -> None:
    world = World(seed)
    found = found_in(world, memory)
    said = [(f.expert, f.against.code, f.rule.kind, f.known, f.certain) for f in found.found]
    assert len(said) == len(set(said))
    assert set(said) == world.expected()
    assert found.sittings == (1 if world.sat() else 0)
    assert found.unchecked == 0
