"""Conflicts derived from relations: the arrays against a plain reading of every pair by itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from expert_pool.policies.load import load
from expert_pool.policies.policy import Conflict, Policy
from expert_pool.policies.vocabulary import DERIVED
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Employer,
    EmployerLink,
    Employment,
    Level,
    LinkKind,
    Relation,
    RelationKind,
    Table,
)
from expert_pool.relations import derive
from expert_pool.relations.windows import years_before
from expert_pool.viewer import Viewer

JILIN = load("cn-title-jilin-2013")
OFFICE = Viewer.system("office")
ON = date(2026, 3, 1)
DAYS = [
    date(2019, 6, 1),
    date(2023, 2, 28),
    date(2023, 3, 1),
    date(2023, 3, 2),
    date(2025, 3, 1),
    date(2025, 3, 2),
    date(2026, 2, 28),
    date(2026, 3, 1),
]
KNOWN = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
MUTUAL = {"relative", "co_author", "advisor", "same_case", "other"}

Rows = list[dict[str, Any]]
PEOPLE = 5
KINDS = [*RelationKind, RelationKind.OBJECTION, RelationKind.OBJECTION, RelationKind.OBJECTION]
PARTIES = ["other_expert_id", "applicant_id", "employer_id", "case_id"]


def registry(seed: int) -> dict[str, Rows]:
    """A few experts, employers in a tangle, applications and relations of every kind; records corrected and void."""
    lot = random.Random(seed)

    def one() -> int:
        return lot.randint(1, PEOPLE)

    def span(row: dict[str, Any], start: str) -> dict[str, Any]:
        """An end that is not before the start, or none."""
        ends = [d for d in DAYS if row[start] is None or d >= row[start]]
        return row | {"until": lot.choice([None, *ends])}

    def records(rows: Rows) -> Rows:
        for i, row in enumerate(rows, start=1):
            row |= {"id": i, "organiser_id": 1, "recorded_by": "x", "recorded_at": lot.choice(KNOWN)}
            row |= {
                "void": lot.random() < 0.1,
                "corrects_id": i - 1 if i > 1 and lot.random() < 0.1 else None,
            }
        return rows

    def relation() -> dict[str, Any]:
        row = {"kind": lot.choice(KINDS), "expert_id": one(), "source": ""}
        row |= dict.fromkeys(PARTIES) | {lot.choice(PARTIES): one()}
        row |= {"since": lot.choice([None, *DAYS]), "holds_on": lot.choice([*DAYS, ON + timedelta(1)])}
        return span(row, "since")

    def link() -> dict[str, Any]:
        row = {
            "employer_id": one(),
            "other_id": one(),
            "kind": lot.choice(list(LinkKind)),
            "holds_on": lot.choice(DAYS),
        }
        return span(row, "holds_on")

    def employment() -> dict[str, Any]:
        row = {
            "expert_id": one(),
            "employer_id": one(),
            "main": lot.random() < 0.5,
            "holds_on": lot.choice(DAYS),
        }
        return span(row, "holds_on")

    everyone = range(1, PEOPLE + 1)
    return {
        "employer": [
            {"id": i, "code": f"U{i}", "region": "1", "legal_person": lot.random() < 0.5} for i in everyone
        ],
        "link": records([link() for _ in range(lot.randint(0, 5))]),
        "employment": records([employment() for _ in range(lot.randint(0, 8))]),
        "applicant": [
            {"id": i, "code": f"A{i}", "name": "n", "expert_id": lot.choice([None, one()])} for i in everyone
        ],
        "case": [
            {
                "id": i,
                "code": f"K{9 - i}",
                "agenda_id": 1 if i < 4 else 2,
                "applicant_id": one(),
                "specialty_id": 1,
                "employer_id": one(),
                "level": Level.SENIOR,
                "directed": False,
            }
            for i in everyone
        ],
        "relation": records([relation() for _ in range(lot.randint(0, 25))]),
    }


def policy_read_otherwise(seed: int) -> Policy:
    """The demo's policy, most of its kinds with another window, other parties, another number of objections."""
    lot = random.Random(seed)
    conflicts = {
        kind: replace(
            conflict,
            window=lot.choice(["always", "current", "cycle", 1, 3]),
            members=lot.random() < 0.5 and kind not in DERIVED,
            most=lot.choice([None, 1, 2]) if kind == "objection" else None,
        )
        for kind, conflict in JILIN.conflicts.items()
        if lot.random() < 0.85
    }
    return replace(JILIN, conflicts=conflicts)


class Naive:
    """Every pair looked at by itself, in plain words."""

    def __init__(self, rows: dict[str, Rows], policy: Policy, known_at: datetime) -> None:
        self.rows, self.policy, self.known_at = rows, policy, known_at
        self.people = {a["id"]: a["expert_id"] for a in rows["applicant"]}
        self.legal = {e["id"] for e in rows["employer"] if e["legal_person"]}

    def current(self, table: str) -> Rows:
        known = [r for r in self.rows[table] if r["recorded_at"] <= self.known_at]
        corrected = {r["corrects_id"] for r in known}
        return [r for r in known if not r["void"] and r["id"] not in corrected and r["holds_on"] <= ON]

    def lasts(self, conflict: Conflict, since: date | None, until: date | None) -> bool:
        if since is not None and since > ON:
            return False
        if until is None or conflict.window == "always":
            return True
        if conflict.window == "current":
            return until >= ON
        years = 1 if conflict.window == "cycle" else conflict.window
        assert isinstance(years, int)
        return until.replace(year=until.year + years) > ON

    def persons(self, unit: int, on: date) -> set[int]:
        """Everything above a unit on a day that has nothing above itself."""
        links = [
            r
            for r in self.current("link")
            if r["holds_on"] <= on and (r["until"] is None or r["until"] >= on)
        ]
        seen, tops = {unit}, set()
        waiting = [unit]
        while waiting:
            here = waiting.pop()
            above = {
                r["other_id"]
                for r in links
                if r["employer_id"] == here and not (r["kind"] == LinkKind.PART_OF and here in self.legal)
            }
            tops |= set() if above else {here}
            waiting += above - seen
            seen |= above
        return tops or {unit}

    def persons_during(self, unit: int, first: date, last: date) -> set[int]:
        days = {first, last, *DAYS, *(d + timedelta(1) for d in DAYS)}
        then = {p for d in days if first <= d <= last for p in self.persons(unit, d)}
        return {late for early in then for late in self.persons(early, ON)}

    def first_day(self, conflict: Conflict, since: date | None) -> date:
        start = since or date(1900, 1, 1)
        if conflict.window == "always":
            return start
        if conflict.window == "current":
            return max(start, ON)
        years = 1 if conflict.window == "cycle" else conflict.window
        assert isinstance(years, int)
        return max(start, years_before(ON, years) + timedelta(1))

    def with_cases(self) -> dict[tuple[int, int, str], set[str]]:
        """(expert, case, kind) -> the records behind it."""
        found: dict[tuple[int, int, str], set[str]] = {}
        for case in (c for c in self.rows["case"] if c["agenda_id"] == 1):
            for expert in range(1, 6):
                for kind, record in self.between_expert_and_case(expert, case):
                    found.setdefault((expert, case["id"], kind), set()).add(record)
        for key in [k for k in found if k[2] == "former_employer"]:
            if (key[0], key[1], "same_employer") in found:
                del found[key]
        return self.within_most(found)

    def between_expert_and_case(self, expert: int, case: dict[str, Any]) -> Iterator[tuple[str, str]]:
        person = self.people[case["applicant_id"]]
        theirs = self.persons(case["employer_id"], ON)
        for kind, conflict in self.policy.conflicts.items():
            if kind == "self" and person == expert:
                yield kind, f"applicant:{case['applicant_id']}"
            if kind in ("same_employer", "former_employer"):
                for r in self.current("employment"):
                    over = r["until"] is not None and r["until"] < ON
                    first, last = self.first_day(conflict, r["holds_on"]), r["until"] if over else ON
                    wanted = r["expert_id"] == expert and (over or kind == "same_employer") and first <= last
                    if wanted and self.persons_during(r["employer_id"], first, last) & theirs:
                        yield kind, f"employment:{r['id']}"
        for r in self.current("relation"):
            conflict = self.policy.conflicts.get(r["kind"])
            if conflict is None or person == expert:
                continue
            other = r["other_expert_id"] or self.people.get(r["applicant_id"])
            lasts = self.lasts(conflict, r["since"], r["until"])
            first = self.first_day(conflict, r["since"])
            last = min(r["until"] or ON, ON)
            mine = r["expert_id"] == expert and (
                (lasts and r["applicant_id"] == case["applicant_id"])
                or (lasts and person is not None and other == person)
                or (r["case_id"] == case["id"] and (lasts or conflict.window == "cycle"))
                or (
                    lasts
                    and r["employer_id"] is not None
                    and first <= last
                    and bool(self.persons_during(r["employer_id"], first, last) & theirs)
                )
            )
            back = (
                r["kind"] in MUTUAL
                and lasts
                and other == expert
                and person is not None
                and r["expert_id"] == person
            )
            if mine or back:
                yield str(r["kind"]), f"relation:{r['id']}"

    def within_most(
        self, found: dict[tuple[int, int, str], set[str]]
    ) -> dict[tuple[int, int, str], set[str]]:
        """Without the experts an applicant named beyond the number allowed."""
        objection = self.policy.conflicts.get("objection")
        if objection is None or objection.most is None:
            return found
        by_id = {f"relation:{r['id']}": r for r in self.rows["relation"]}
        for applicant in self.people:
            cases = {c["id"] for c in self.rows["case"] if c["applicant_id"] == applicant}
            mine = [key for key in found if key[2] == "objection" and key[1] in cases]
            rows = sorted(
                {r for key in mine for r in found[key]}, key=lambda r: (by_id[r]["holds_on"], by_id[r]["id"])
            )
            named = list(dict.fromkeys(by_id[r]["expert_id"] for r in rows))[: objection.most]
            for key in mine:
                if key[0] not in named:
                    del found[key]
        return found

    def between(self) -> dict[tuple[int, int, str], set[str]]:
        found: dict[tuple[int, int, str], set[str]] = {}
        for r in self.current("relation"):
            conflict = self.policy.conflicts.get(r["kind"])
            other = r["other_expert_id"] or self.people.get(r["applicant_id"])
            if conflict is None or not conflict.members or other in (None, r["expert_id"]):
                continue
            if self.lasts(conflict, r["since"], r["until"]):
                pair = sorted((r["expert_id"], other))
                found.setdefault((pair[0], pair[1], str(r["kind"])), set()).add(f"relation:{r['id']}")
        return found


@pytest.fixture(scope="module")
def memory() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Table.metadata.create_all(engine)
    return engine


def fill(session: Session, rows: dict[str, Rows]) -> None:
    tables: dict[str, Any] = {
        "employer": Employer,
        "link": EmployerLink,
        "employment": Employment,
        "applicant": Applicant,
        "case": Case,
        "relation": Relation,
    }
    session.execute(
        insert(Agenda),
        [{"id": i, "code": f"G{i}", "committee_id": 1, "title": "t", "season": 1} for i in (1, 2)],
    )
    for name, table in tables.items():
        if rows[name]:
            session.execute(insert(table), rows[name])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_arrays_agree_with_every_pair_by_itself(memory: Engine, seed: int) -> None:
    """On small registries of every shape, the derived conflicts are those a plain reading of each pair finds."""
    rows, policy, lot = registry(seed), policy_read_otherwise(seed + 1), random.Random(seed + 2)
    known_at, asked = lot.choice(KNOWN), lot.sample(range(1, PEOPLE + 1), lot.randint(1, PEOPLE))
    with Session(memory) as session:
        fill(session, rows)
        found = derive(session, OFFICE, policy, np.array(asked), 1, ON, known_at)
        session.rollback()
    assert found.case_ids == (3, 2, 1)
    kinds = [k.kind for k in found.kinds]
    naive = Naive(rows, policy, known_at)

    def named(pairs: Any, right: list[int]) -> dict[tuple[int, int, str], str]:
        triples = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.kind.tolist(), pairs.why, strict=True)
        return {(asked[e], right[r], kinds[k]): ref for e, r, k, ref in triples}

    cases = named(found.with_cases, list(found.case_ids))
    assert len(cases) == len(found.with_cases.left)
    expected = {key: refs for key, refs in naive.with_cases().items() if key[0] in asked}
    assert cases.keys() == expected.keys()
    for key, reference in cases.items():
        row = reference.split(">")[0]
        assert row == min(expected[key], key=lambda r: int(r.split(":")[1]))
    between = named(found.between, asked)
    assert all(found.between.left < found.between.right)
    known = {(min(a, b), max(a, b), k): ref for (a, b, k), ref in between.items()}
    wanted = {key: refs for key, refs in naive.between().items() if key[0] in asked and key[1] in asked}
    assert known.keys() == wanted.keys()
    assert all(ref == min(wanted[k], key=lambda r: int(r.split(":")[1])) for k, ref in known.items())
