"""Appeals: against what was decided and executed, decided by two people who had no hand in it, carried out by correcting
records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.keys import Key
from expert_pool.reevaluation.cycle.deciding import answer
from expert_pool.reevaluation.cycle.executing import members_among, put_records, take_back
from expert_pool.reevaluation.cycle.finding import (
    cases_of,
    confirmed,
    decisions_of,
    held,
    scheme_of,
    weight,
)
from expert_pool.reevaluation.cycle.hearing import own, put_reply, require_months, send, settled
from expert_pool.reevaluation.cycle.marking import tell
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import (
    CaseState,
    Cycle,
    CycleAppeal,
    CycleCase,
    CycleDecision,
    Expert,
    Reply,
    Verdict,
)
from expert_pool.runs.files import Attachment
from expert_pool.viewer import Viewer
from solver.errors import Fault


def appeal(
    session: Session,
    viewer: Viewer,
    key: Key,
    code: str,
    expert: str,
    text: str,
    *,
    evidence: Sequence[Attachment] = (),
) -> None:
    """Take down an expert's appeal, by an office that received it. The same again changes nothing.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_executed`,
    `cycle.nothing_to_appeal`, `cycle.appeal_late`, `cycle.appealed_already`, and for text and files as `reply`.
    """
    cycle = held(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    _appeal(session, viewer, key, cycle, case, text, evidence)


def appeal_own(
    session: Session,
    actor: str,
    key: Key,
    code: str,
    expert_id: int,
    text: str,
    *,
    evidence: Sequence[Attachment] = (),
) -> None:
    """As `appeal`, by the expert, in the own case only."""
    viewer, cycle, case = own(session, actor, code, expert_id)
    _appeal(session, viewer, key, cycle, case, text, evidence)


def decide_appeal(
    session: Session,
    viewer: Viewer,
    code: str,
    expert: str,
    measure: Measure | None = None,
    months: int | None = None,
    *,
    reason: str,
) -> None:
    """Decide an appeal as the first of two: `measure` None leaves what was decided, `keep` overturns it, a lighter one
    takes its place. Whoever proposed, decided or confirmed before may not. The same again changes nothing.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_appealed`, `cycle.decided_before`,
    `cycle.decided_already`, `cycle.graver`, `cycle.look_open`, `cycle.months`, `cycle.reason_missing`.
    """
    cycle = held(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    found = _appealed(session, case, expert)
    _no_hand(session, viewer, case, expert)
    before = next(
        d
        for d in reversed(decisions_of(session, case.id))
        if d.appeal_id is None and d.verdict is Verdict.CONFIRMED
    )
    last = next((d for d in reversed(decisions_of(session, case.id)) if d.appeal_id is not None), None)
    chosen = Measure(before.measure) if measure is None else measure
    lasting, why = before.months if measure is None else months, reason.strip()
    if last is not None and last.verdict is not Verdict.REFUSED:
        if (last.measure, last.months, last.reason, last.by) == (str(chosen), lasting, why, viewer.actor):
            return
        raise Fault("cycle.decided_already", expert, state=str(case.state))
    if chosen is Measure.LOOK:
        raise Fault("cycle.look_open", expert)
    if not why:
        raise Fault("cycle.reason_missing", expert)
    require_months(expert, chosen, lasting)
    if weight(chosen, lasting) > weight(Measure(before.measure), before.months):
        stands = {"proposed": before.measure, "proposed_months": before.months or ""}
        raise Fault("cycle.graver", expert, measure=str(chosen), months=lasting or "", **stands)
    row = CycleDecision(
        case_id=case.id,
        expert_id=case.expert_id,
        organiser_id=case.organiser_id,
        appeal_id=found.id,
        measure=str(chosen),
        months=lasting,
        reason=why,
        at=clock.now(),
        by=viewer.actor,
        verdict=Verdict.WAITING,
    )
    session.add(row)
    tell(session, viewer, cycle, "cycle.appeal_decided", [row], {"measure": str(chosen), "months": lasting})


def confirm_appeal(
    session: Session, viewer: Viewer, key: Key, code: str, expert: str, *, refuse: str | None = None
) -> None:
    """Confirm as the second person what was decided on an appeal: the records are corrected and the expert is told, in
    the same transaction. Or send it back with a reason (`refuse`). Again: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_appealed`, `cycle.not_decided`,
    `cycle.decided_before`, `cycle.same_person`, `cycle.reason_missing`, `cycle.decided_already`.
    """
    cycle = held(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    if refuse is not None and not refuse.strip():
        raise Fault("cycle.reason_missing", expert)
    found = session.scalar(select(CycleAppeal).where(CycleAppeal.case_id == case.id))
    row = next((d for d in reversed(decisions_of(session, case.id)) if d.appeal_id is not None), None)
    if found is None:
        raise Fault("cycle.not_appealed", expert)
    _no_hand(session, viewer, case, expert)
    verdict = Verdict.CONFIRMED if refuse is None else Verdict.REFUSED
    stood = confirmed(session, case.id)
    if not answer(session, viewer, case, row, CaseState.APPEALED, verdict, refuse):
        return
    assert row is not None
    assert stood is not None
    touched: list[Any] = [row]
    if verdict is Verdict.CONFIRMED:
        _settle(session, viewer, cycle, case, stood, row)
        found.settled_at = clock.now()
        touched += [case, found]
        session.flush()
        if case.notified_at is not None:
            send(session, viewer, key, cycle, [case], "appeal")
    action = "cycle.appeal_settled" if refuse is None else "cycle.appeal_refused"
    tell(session, viewer, cycle, action, touched, {"measure": row.measure, "months": row.months})


def _appeal(
    session: Session,
    viewer: Viewer,
    key: Key,
    cycle: Cycle,
    case: CycleCase,
    text: str,
    evidence: Sequence[Attachment],
) -> None:
    expert = session.scalars(select(Expert.code).where(Expert.id == case.expert_id)).one()
    appealed = case.state in (CaseState.APPEALED, CaseState.SETTLED)
    if case.state is not CaseState.EXECUTED and not appealed:
        raise Fault("cycle.not_executed", expert)
    if case.appeal_until is None:
        raise Fault("cycle.nothing_to_appeal", expert)
    assert case.executed_at is not None
    days = scheme_of(cycle).doc.appeal_days
    until = settled(case.appeal_until, bool(case.appeal_provisional), case.executed_at, days)
    if not appealed and clock.today() > until:
        raise Fault("cycle.appeal_late", expert, until=until)
    if appealed:
        if not _said_before(session, case, text):
            raise Fault("cycle.appealed_already", expert)
        return
    put = put_reply(session, viewer, key, case, text, evidence, anew=True)
    assert put is not None
    row = CycleAppeal(
        case_id=case.id, organiser_id=case.organiser_id, reply_id=put[0].id, at=clock.now(), settled_at=None
    )
    session.add(row)
    case.state = CaseState.APPEALED
    tell(session, viewer, cycle, "cycle.appealed", [case, row, *put[1]], {"files": len(evidence)})


def _said_before(session: Session, case: CycleCase, text: str) -> bool:
    said = select(Reply.text).join(CycleAppeal, CycleAppeal.reply_id == Reply.id)
    return session.scalar(said.where(CycleAppeal.case_id == case.id)) == text.strip()


def _appealed(session: Session, case: CycleCase, expert: str) -> CycleAppeal:
    found = session.scalar(select(CycleAppeal).where(CycleAppeal.case_id == case.id))
    if found is None:
        raise Fault("cycle.not_appealed", expert)
    return found


def _no_hand(session: Session, viewer: Viewer, case: CycleCase, expert: str) -> None:
    """Raise Fault `cycle.decided_before` for whoever had a hand in what is appealed against."""
    hands = {case.amended_by}
    for row in decisions_of(session, case.id):
        if row.appeal_id is None:
            hands |= {row.by, row.answered_by}
    if viewer.actor in hands:
        raise Fault("cycle.decided_before", expert, actor=viewer.actor)


def _settle(
    session: Session,
    viewer: Viewer,
    cycle: Cycle,
    case: CycleCase,
    before: CycleDecision,
    now: CycleDecision,
) -> None:
    """Take back what was recorded and record what takes its place, from the day the first was in force."""
    rows: list[Any] = []
    if (now.measure, now.months) != (before.measure, before.months):
        rows = take_back(session, viewer, cycle, case)
        session.flush()
        if now.measure != Measure.KEEP:
            assert case.executed_at is not None
            begins = case.executed_at.astimezone().date()
            member = case.expert_id in members_among(session, cycle, [case.expert_id])
            rows += put_records(
                session, viewer, cycle, case, Measure(now.measure), now.months, begins, member
            )
    case.corrected, case.state = json.dumps(rows), CaseState.SETTLED
