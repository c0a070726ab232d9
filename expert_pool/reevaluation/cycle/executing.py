"""What was decided becomes records of the registry, with their dates and ledger entries, and the expert is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.keys import Key
from expert_pool.reevaluation.cycle.finding import (
    Step,
    cases_of,
    codes_of,
    confirmed_of,
    held,
    rows_in,
    scheme_of,
)
from expert_pool.reevaluation.cycle.hearing import send
from expert_pool.reevaluation.cycle.letter_contents import last_day
from expert_pool.reevaluation.cycle.marking import count, tell
from expert_pool.reevaluation.scheme import Measure
from expert_pool.reevaluation.working_days import deadline
from expert_pool.registry import (
    CaseState,
    Cycle,
    CycleCase,
    CycleState,
    Discipline,
    Membership,
    Sanction,
)
from expert_pool.registry import (
    Step as Passage,
)
from expert_pool.viewer import Viewer
from expert_pool.words import languages, say
from solver.errors import Fault

SANCTIONS = {
    Measure.LOWER: Sanction.RESTRICTION,
    Measure.RETRAIN: Sanction.RETRAINING,
    Measure.SUSPEND: Sanction.SUSPENSION,
    Measure.BAN: Sanction.BAN,
}
LEAVES = frozenset({Measure.EXIT, Measure.BAN})
"""Measures that end the membership: who was banned for years comes back only by being vetted anew."""


def execute(
    session: Session,
    viewer: Viewer,
    key: Key,
    code: str,
    experts: Sequence[str] | None = None,
    *,
    most: int = 200,
) -> Step:
    """Write the records of so many confirmed decisions (or those of `experts`) as of today, tell the experts, and start
    the time to appeal. Call it until nothing is left; what was executed is not executed again.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.not_computed`, `cycle.case_unknown`, `cycle.not_decided`,
    `cycle.second_person_missing` (one of `experts`, or all that is left, waits for a second person).
    """
    cycle = held(session, viewer, code)
    if cycle.state is CycleState.OPEN:
        raise Fault("cycle.not_computed", code)
    due = _due(session, cycle, experts, most)
    until, now = deadline(clock.today(), scheme_of(cycle).doc.appeal_days), clock.now()
    told: list[CycleCase] = []
    decisions = confirmed_of(session, [case.id for case in due])
    members = members_among(session, cycle, [case.expert_id for case in due])
    for case in due:
        decision, member = decisions[case.id], case.expert_id in members
        measure = Measure(decision.measure)
        rows = put_records(session, viewer, cycle, case, measure, decision.months, clock.today(), member)
        case.executed, case.executed_at = json.dumps(rows), now
        case.state = CaseState.EXECUTED
        if measure is not Measure.KEEP:
            case.appeal_until, case.appeal_provisional = until.day, until.provisional
        if case.notified_at is not None:
            told.append(case)
    if due:
        send(session, viewer, key, cycle, told, "decision")
        tell(session, viewer, cycle, "cycle.executed", due, {"cases": len(due), "appeal_until": until.day})
    return Step(len(due), count(session, cycle, CaseState.DECIDED))


def put_records(
    session: Session,
    viewer: Viewer,
    cycle: Cycle,
    case: CycleCase,
    measure: Measure,
    months: int | None,
    begins: date,
    member: bool,
) -> list[list[Any]]:
    """Record a measure from a day on, on somebody who is a `member` of the pool or not; the rows written, as table and
    row."""
    basis = say("cycle.basis", languages()[0], cycle=cycle.code, scheme=scheme_of(cycle).doc.title.zh)
    common: dict[str, Any] = {
        "expert_id": case.expert_id,
        "organiser_id": cycle.organiser_id,
        "holds_on": begins,
    }
    rows: list[list[Any]] = []
    if measure in SANCTIONS:
        until = None if months is None else last_day(begins, months)
        sanction = Discipline(
            **common, sanction=SANCTIONS[measure], until=until, basis=basis, revokes_id=None
        )
        rows.append(["discipline", records.record(session, viewer, sanction).id])
    if measure in LEAVES and member:
        left = Membership(**common, pool_id=cycle.pool_id, step=Passage.LEFT, until=None, reason=basis)
        rows.append(["membership", records.record(session, viewer, left).id])
    return rows


def take_back(session: Session, viewer: Viewer, cycle: Cycle, case: CycleCase) -> list[list[Any]]:
    """Take back what was executed on a case, by correcting records (a ban for life: by a revocation); what somebody
    corrected since is taken back as it stands now. The rows written, as table and row."""
    basis = say("cycle.basis_appeal", languages()[0], cycle=cycle.code)
    rows: list[list[Any]] = []
    for table, number in rows_in(case.executed):
        kind: Any = {"discipline": Discipline, "membership": Membership}[table]
        row = _latest(session, kind, number)
        if row.void:
            continue
        if isinstance(row, Discipline) and row.sanction is Sanction.BAN and row.until is None:
            revoked = select(Discipline.id).where(
                Discipline.revokes_id == row.id, records.standing(Discipline)
            )
            if session.scalar(revoked.limit(1)) is not None:
                continue
            new: Any = records.revoke_ban(session, viewer, row, holds_on=clock.today(), basis=basis)
        else:
            new = records.withdraw(session, viewer, row)
        rows.append([table, new.id])
    return rows


def _due(session: Session, cycle: Cycle, experts: Sequence[str] | None, most: int) -> list[CycleCase]:
    if experts is None:
        of = select(CycleCase).where(CycleCase.cycle_id == cycle.id, CycleCase.state == CaseState.DECIDED)
        due = list(session.scalars(of.order_by(CycleCase.id).limit(most)))
        if not due and (waiting := count(session, cycle, CaseState.FIRST)):
            raise Fault("cycle.second_person_missing", cycle.code, waiting=waiting)
        return due
    cases = cases_of(session, cycle, experts)
    codes = codes_of(session, cases)
    for case in cases:
        if case.state is CaseState.FIRST:
            raise Fault("cycle.second_person_missing", codes[case.expert_id], waiting=1)
        if case.state in (CaseState.PROPOSED, CaseState.NOTIFIED):
            raise Fault("cycle.not_decided", codes[case.expert_id])
    return [case for case in cases if case.state is CaseState.DECIDED]


def members_among(session: Session, cycle: Cycle, expert_ids: Sequence[int]) -> set[int]:
    """Those of some experts whose last step in the pool was to be admitted."""
    steps = (
        select(Membership.expert_id, Membership.step)
        .where(
            Membership.expert_id.in_(expert_ids),
            Membership.pool_id == cycle.pool_id,
            records.current(Membership, clock.today()),
        )
        .order_by(Membership.holds_on, Membership.id)
    )
    last: dict[int, Passage] = dict(session.execute(steps).all())
    return {expert for expert, step in last.items() if step is Passage.ADMITTED}


def _latest(session: Session, kind: Any, number: int) -> Any:
    """A record as it was corrected last."""
    row = session.get_one(kind, number)
    while (later := session.scalar(select(kind).where(kind.corrects_id == row.id))) is not None:
        row = later
    return row
