"""Where an expert stands: the state of the life cycle, whether they may sit, and every reason with its record.

The state is what `lifecycle` makes of the records; whether somebody may sit is for the policy's gates to judge, on the
very facts that a panel problem of that day would hold. Gates that depend on an agenda (conflicts, peers) are not asked
here. A viewer who may not see a record gets the verdict without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.columns import as_date, kept, select_rows, years_after
from expert_pool.facts import PoolFacts
from expert_pool.facts_of_one import Alone, facts_of_one
from expert_pool.lifecycle import Event, State
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Absence,
    Case,
    Committee,
    Credit,
    Discipline,
    Employment,
    Expert,
    Membership,
    Qualification,
    Recorded,
    Seat,
    Service,
    Training,
)
from expert_pool.viewer import Viewer, counted, visible
from solver.errors import Fault
from solver.facts import MISSING, day
from solver.problem import Cases, PolicyRef, Problem, Skills, Specialties
from solver.rules.base import Gate, Status
from solver.rules.gate import FactGate


@dataclass(frozen=True, slots=True)
class Record:
    """A row behind a reason. `recorded_at` is None for rows that are no dated records (an application)."""

    table: str
    id: int
    holds_on: date | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody may or may not sit, or is in a state: a message id with parameters, and the records behind it.

    `gate` names the rule that judged; `bars` is True where it keeps the expert out. `withheld` counts records that
    exist but are not the viewer's to see.
    """

    code: str
    params: Mapping[str, Any]
    records: tuple[Record, ...] = ()
    withheld: int = 0
    gate: str | None = None
    bars: bool = False
    basis: str = ""
    basis_status: Status | None = None

    @property
    def record(self) -> Record | None:
        """The first record behind it."""
        return self.records[0] if self.records else None


@dataclass(frozen=True, slots=True)
class Change:
    """A step of the life cycle: on a day, by an event, from a state to a state, by a record."""

    on: date
    event: Event
    before: State
    after: State
    record: Record


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer for one expert, one committee, one day, as known at one moment. `facts` as a person reads them;
    `history` holds the steps whose records the viewer may see."""

    expert: str
    committee: str
    policy: str
    on: date
    known_at: datetime
    state: State
    may_sit: bool
    reasons: tuple[Reason, ...]
    history: tuple[Change, ...]
    facts: Mapping[str, int | bool | str | None] = field(default_factory=dict)


def standing(
    session: Session,
    viewer: Viewer,
    expert_code: str,
    *,
    on: date,
    known_at: datetime | None = None,
    committee: str | None = None,
    policy: Policy,
    expert_id: int | None = None,
) -> Standing:
    """How an expert stands with a committee on a day, as known at a moment (default now).

    Without `committee`: the only one that draws on a pool the expert passed through. `expert_id`: for those who looked
    it up already.
    Raises Fault: `standing.expert_unknown`, `standing.committee_unknown`, `standing.committee_needed`.
    """
    moment = known_at or clock.now()
    if expert_id is None:
        expert_id = select_rows(session, _EXPERT, {"code": expert_code}).scalar()
    if expert_id is None:
        raise Fault("standing.expert_unknown", expert_code)
    body = _committee(session, viewer, expert_id, committee)
    alone = facts_of_one(
        session, viewer, committee=body, on=on, known_at=moment, policy=policy, expert_id=expert_id
    )
    pool = alone.pool
    inquiry = _Inquiry(session, viewer, alone, policy)
    gates = [rule for rule in policy.rules(body.level) if isinstance(rule, Gate) and rule.soft is None]
    verdicts = [verdict for gate in gates if (verdict := inquiry.judged(gate)) is not None]
    told = [(step, inquiry.find([(step.source, step.row)])[0]) for step in inquiry.steps]
    return Standing(
        expert=expert_code,
        committee=body.code,
        policy=policy.id,
        on=on,
        known_at=moment,
        state=state_in(pool),
        may_sit=not any(reason.bars for reason in verdicts),
        reasons=(*inquiry.about_state(), *verdicts),
        history=tuple(
            Change(as_date(step.day), step.event, step.before, step.after, found[0])
            for step, found in told
            if found
        ),
        facts={name: column.show(0) for name, column in pool.facts.items()},
    )


def state_in(pool: PoolFacts, expert: int = 0) -> State:
    """The state of one expert among facts."""
    return State(str(pool.facts["state"].show(expert)))


def without_agenda(pool: PoolFacts) -> Problem:
    """Facts as a problem without cases, for gates to judge."""
    none = np.empty(0, dtype=np.int64)
    return Problem(
        title="",
        committee="",
        meeting="",
        on=pool.on,
        procedure="compose",
        policy=PolicyRef("", ""),
        seed=0,
        experts=pool.pseudonyms,
        facts=pool.facts,
        specialties=Specialties((), (), ()),
        skills=Skills(none, none, none),
        cases=Cases((), none, none),
        groups=(),
    )


_EXPERT = select(Expert.id).where(Expert.code == bindparam("code"))


@kept
def _committees(viewer: Viewer, by: str) -> Select[Any, *tuple[Any, ...]]:
    """Committees of a `code`, or those that draw on a pool through which an `expert` passed."""
    columns = select(
        Committee.id, Committee.code, Committee.level, Committee.pool_id, Committee.series
    ).where(*visible(viewer, Committee))
    if by == "code":
        return columns.where(Committee.code == bindparam("code"))
    pools = select(Membership.pool_id).where(Membership.expert_id == bindparam("expert"))
    return columns.where(Committee.pool_id.in_(pools)).order_by(Committee.code)


@kept
def _found(viewer: Viewer, name: str, today: date) -> Select[Any, *tuple[Any, ...]]:
    """The rows of a table with these `ids` that the viewer may see today, as records."""
    table = _TABLES[name]
    dated = (table.holds_on, table.recorded_at) if issubclass(table, Recorded) else ()
    ids: ColumnElement[Any] = bindparam("ids", expanding=True)
    return select(table.id, *dated).where(table.id.in_(ids), *visible(viewer, table))


@kept
def _credits(viewer: Viewer) -> Select[Any, *tuple[Any, ...]]:
    """The credit records of an `expert` that hold `on` a day as known at `known_at`, the latest first."""
    return (
        select(Credit.id, Credit.holds_on)
        .where(
            Credit.expert_id == bindparam("expert"),
            Credit.holds_on <= bindparam("on"),
            records.standing(Credit, bindparam("known_at")),
            *counted(viewer, Credit),
        )
        .order_by(Credit.holds_on.desc(), Credit.id.desc())
    )


def _committee(session: Session, viewer: Viewer, expert_id: int, code: str | None) -> Any:
    if code is not None:
        found = select_rows(session, _committees(viewer, "code"), {"code": code}).one_or_none()
        if found is None:
            raise Fault("standing.committee_unknown", code)
        return found
    several = select_rows(session, _committees(viewer, "expert"), {"expert": expert_id}).all()
    if len(several) != 1:
        raise Fault("standing.committee_needed", known=[row.code for row in several] or None)
    return several[0]


class _Inquiry:
    """One expert's facts, and what is to be asked about them."""

    def __init__(self, session: Session, viewer: Viewer, alone: Alone, policy: Policy) -> None:
        pool = alone.pool
        self.session, self.viewer, self.pool, self.policy = session, viewer, pool, policy
        self.day, self.today = day(pool.on), clock.today()
        self.steps, self.read = alone.steps, alone.records
        self.held = [h for h in pool.sanctions if h.day <= self.day and (h.end is None or h.end > self.day)]
        self.problem = without_agenda(pool)
        self.seen: dict[tuple[str, int], Record | None] = {}
        behind = ((table, int(ids[0])) for table, ids in pool.behind.values())
        self.look([*((s.source, s.row) for s in self.steps), *(b for b in behind if b[1] != MISSING)])

    def judged(self, gate: Gate) -> Reason | None:
        """What one gate says; None for one that depends on the groups of an agenda."""
        gate.check(self.problem)
        if isinstance(gate, FactGate):
            passes = gate.where.holds(self.pool.facts, self.day, 0)
        else:
            verdict = gate.passes(self.problem)
            if verdict.ndim != 1:
                return None
            passes = bool(verdict[0])
        said = "passes" if passes else "fails"
        code, params = f"standing.gate_{said}", {"gate": gate.id}
        found: tuple[Record, ...] = ()
        withheld = 0
        if isinstance(gate, FactGate):
            code, params = self._said(gate, passes)
            found, withheld = self.find(self.behind(gate.where.fact))
            sealed = gate.where.fact == "available" and not passes and not found
            withheld = max(withheld, int(sealed))  # nothing else keeps somebody busy unseen
        return Reason(
            code=code,
            params=params,
            records=found,
            withheld=withheld,
            gate=gate.id,
            bars=not passes,
            basis=gate.basis.text,
            basis_status=gate.basis.status,
        )

    def _said(self, gate: FactGate, passes: bool) -> tuple[str, dict[str, Any]]:
        fact, value = gate.where.fact, self.pool.facts[gate.where.fact].show(0)
        params = {"fact": fact, "op": gate.where.op, "than": gate.where.value}
        if value is None and not passes:
            return "standing.unknown", params
        said = "standing.passes" if passes else "standing.fails"
        if value is None or isinstance(value, bool):
            return said, params
        return f"{said}_with", {**params, "value": value}

    def about_state(self) -> Iterator[Reason]:
        """The step of membership that counts, the sanctions in force, the sitting of the day."""
        steps = [step for step in self.steps if step.source == "membership"]
        if not steps:
            yield Reason("standing.step.outside", {})
        for step in [*steps[-1:], *(s for s in self.steps if s.source in ("service", "seat"))]:
            found, withheld = self.find([(step.source, step.row)])
            params = {"on": None if withheld else as_date(step.day).isoformat()}
            yield Reason(f"standing.step.{step.event}", params, found, withheld)
        for hold in sorted(self.held, key=lambda h: (h.day, h.row)):
            found, withheld = self.find([("discipline", hold.row)])
            kind = {"sanction": str(hold.sanction)}
            if withheld:
                yield Reason("standing.held_elsewhere", kind, (), withheld)
                continue
            row = self.session.execute(
                select(Discipline.holds_on, Discipline.until, Discipline.basis).where(
                    Discipline.id == hold.row
                )
            ).one()
            until = row.until.isoformat() if row.until else None
            code = "standing.held" if until else "standing.held_open"
            yield Reason(
                code, {**kind, "since": row.holds_on.isoformat(), "until": until, "basis": row.basis}, found
            )

    def behind(self, fact: str) -> list[tuple[str, int]]:
        """The rows that a fact rests on."""
        if fact in ("state", "in_pool"):
            steps = [(s.source, s.row) for s in self.steps if s.source == "membership"][-1:]
            return [*steps, *(("discipline", h.row) for h in self.held if fact == "state")]
        if fact == "credit":
            return [("credit", row) for row in self._credits()]
        rows = [("seat", s.row) for s in self.steps if s.source == "seat" and fact == "available"]
        rows += [("service", s.row) for s in self.steps if s.source == "service" and fact == "available"]
        if fact in self.pool.behind:
            table, ids = self.pool.behind[fact]
            rows += [(table, int(ids[0]))] if ids[0] != MISSING else []
        return list(dict.fromkeys(rows))

    def find(self, rows: Iterable[tuple[str, int]]) -> tuple[tuple[Record, ...], int]:
        """Rows as records, and how many of them the viewer may not see."""
        asked = list(rows)
        self.look(asked)
        found = [self.seen[row] for row in asked]
        return tuple(record for record in found if record), found.count(None)

    def look(self, rows: Iterable[tuple[str, int]]) -> None:
        """Look rows up, each once, those of a table together."""
        wanted: dict[str, list[int]] = {}
        for row in dict.fromkeys(rows):
            if row in self.seen:
                continue
            name, identity = row
            found = self.read.get(row)
            self.seen[row] = (
                None if found is None else Record(name, identity, found.holds_on, found.recorded_at)
            )
            if row not in self.read:
                wanted.setdefault(name, []).append(identity)
        for name, ids in wanted.items():
            for identity, *dated in select_rows(
                self.session, _found(self.viewer, name, self.today), {"ids": ids}
            ):
                self.seen[name, identity] = Record(name, identity, *dated)

    def _credits(self) -> list[int]:
        """The credit records of the window, the latest first."""
        given = {
            "expert": int(self.pool.expert_ids[0]),
            "on": self.pool.on,
            "known_at": self.pool.known_at,
        }
        rows = select_rows(self.session, _credits(self.viewer), given).all()
        years = self.policy.terms.credit_years
        return [row.id for row in rows if years is None or years_after(row.holds_on, years) >= self.pool.on]


_TABLES: dict[str, Any] = {
    table.__tablename__: table
    for table in (
        Absence,
        Case,
        Credit,
        Discipline,
        Employment,
        Membership,
        Qualification,
        Seat,
        Service,
        Training,
    )
}
