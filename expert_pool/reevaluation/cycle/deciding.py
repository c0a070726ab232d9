"""Two people decide: one says what, another account confirms it or sends it back. Nothing follows from figures alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.reevaluation.cycle.finding import Step, cases_of, decisions_of, held, scheme_of, weight
from expert_pool.reevaluation.cycle.hearing import reply_until, require_conduct, require_months, settled
from expert_pool.reevaluation.cycle.marking import tell
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleDecision, Expert, Reply, Verdict
from expert_pool.viewer import Viewer
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Deciding:
    """What one person decides of one expert (code). `measure` None: as proposed. Whatever differs needs a reason, and so
    does whatever ends a look."""

    expert: str
    measure: Measure | None = None
    months: int | None = None
    reason: str = ""


def decide(session: Session, viewer: Viewer, code: str, decisions: Sequence[Deciding]) -> Step:
    """Decide as the first person, once the time to answer is over (or the expert has nothing to add); all or nothing.
    The same again changes nothing. `left` counts those that now wait for a second person.

    A decision is no graver than what the expert was told and could answer (行政处罚法 art. 45: 不得因陈述、申辩而给予更重的处罚);
    to go further, `amend` the proposal and give notice anew.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_notified`, `cycle.reply_time_runs`,
    `cycle.decided_already`, `cycle.graver`, `cycle.months`, `cycle.reason_missing`, `cycle.look_open` (a look ends with
    what it found), `cycle.statistics_alone`.
    """
    cycle = held(session, viewer, code)
    cases = cases_of(session, cycle, [one.expert for one in decisions])
    if len(cases) != len(decisions):
        raise Fault("cycle.decided_twice", code)
    days = scheme_of(cycle).doc.reply_days
    rows = [_decide(session, viewer, case, one, days) for case, one in zip(cases, decisions, strict=True)]
    return _put(session, viewer, cycle, [(c, r) for c, r in zip(cases, rows, strict=True) if r is not None])


def decide_unanswered(session: Session, viewer: Viewer, code: str, *, most: int = 200) -> Step:
    """Decide as proposed, as the first person, for so many experts whose time to answer is over and who said nothing.
    Call it until nothing is left. Faults as `decide`."""
    cycle = held(session, viewer, code)
    replied = select(Reply.about_id).where(Reply.about_table == CycleCase.__tablename__)
    ripe = (
        select(CycleCase.id, CycleCase.reply_until, CycleCase.reply_provisional, CycleCase.notified_at)
        .where(
            CycleCase.cycle_id == cycle.id,
            CycleCase.state == CaseState.NOTIFIED,
            CycleCase.reply_until < clock.today(),
            CycleCase.id.not_in(replied),
            CycleCase.id.not_in(
                select(CycleDecision.case_id).where(CycleDecision.verdict == Verdict.REFUSED)
            ),
        )
        .order_by(CycleCase.id)
    )
    days, found = scheme_of(cycle).doc.reply_days, list[int]()
    for number, until, provisional, notified in session.execute(ripe):
        assert until is not None
        assert notified is not None
        if settled(until, bool(provisional), notified, days) < clock.today():
            found.append(number)
    chosen = (
        select(CycleCase, Expert.code)
        .join(Expert, Expert.id == CycleCase.expert_id)
        .where(CycleCase.id.in_(found[:most]))
        .order_by(CycleCase.id)
    )
    every = session.execute(chosen).all()
    rows = [(case, _decide(session, viewer, case, Deciding(expert), days)) for case, expert in every]
    step = _put(session, viewer, cycle, [(case, row) for case, row in rows if row is not None])
    return Step(step.done, max(0, len(found) - most))


def confirm(
    session: Session,
    viewer: Viewer,
    code: str,
    experts: Sequence[str] | None = None,
    *,
    refuse: str | None = None,
    most: int = 200,
) -> Step:
    """Confirm as the second person what somebody else decided, or send it back with a reason (`refuse`). Without
    `experts`: so many of all that wait and are not one's own; call it until nothing is left. Again: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_decided`, `cycle.same_person`,
    `cycle.reason_missing`.
    """
    cycle = held(session, viewer, code)
    if refuse is not None and not refuse.strip():
        raise Fault("cycle.reason_missing", code)
    verdict = Verdict.CONFIRMED if refuse is None else Verdict.REFUSED
    if experts is None:
        cases = _waiting(session, cycle, viewer.actor, most)
        if not cases and _waiting(session, cycle, None, 1):
            raise Fault("cycle.same_person", code, actor=viewer.actor)
    else:
        cases = cases_of(session, cycle, experts)
    done: list[tuple[CycleCase, CycleDecision]] = []
    for case in cases:
        row = next((d for d in reversed(decisions_of(session, case.id)) if d.appeal_id is None), None)
        if answer(session, viewer, case, row, CaseState.FIRST, verdict, refuse):
            assert row is not None
            case.state = CaseState.DECIDED if refuse is None else _back(case)
            done.append((case, row))
    action = "cycle.confirmed" if refuse is None else "cycle.refused"
    if done:
        tell(session, viewer, cycle, action, [row for pair in done for row in pair], {"cases": len(done)})
    return Step(len(done), _left(session, cycle, viewer.actor))


def answer(
    session: Session,
    viewer: Viewer,
    case: CycleCase,
    row: CycleDecision | None,
    waits_in: CaseState,
    verdict: Verdict,
    why: str | None,
) -> bool:
    """Write the second person's answer into a decision; False where they gave it before. Raises Fault
    `cycle.not_decided`, `cycle.same_person`, `cycle.decided_already`."""
    expert = session.scalars(select(Expert.code).where(Expert.id == case.expert_id)).one()
    if row is None:
        raise Fault("cycle.not_decided", expert)
    if row.verdict is not Verdict.WAITING:
        if row.answered_by == viewer.actor and row.verdict is verdict:
            return False
        raise Fault(
            "cycle.not_decided" if row.verdict is Verdict.REFUSED else "cycle.decided_already", expert
        )
    assert case.state is waits_in
    if row.by == viewer.actor:
        raise Fault("cycle.same_person", expert, actor=viewer.actor)
    row.verdict, row.answered_at, row.answered_by = verdict, clock.now(), viewer.actor
    row.answer = why.strip() if why else None
    return True


def _decide(
    session: Session, viewer: Viewer, case: CycleCase, asked: Deciding, days: int
) -> CycleDecision | None:
    expert, reason = asked.expert, asked.reason.strip()
    measure = Measure(case.measure) if asked.measure is None else asked.measure
    months = case.months if asked.measure is None else asked.months
    last = next((d for d in reversed(decisions_of(session, case.id)) if d.appeal_id is None), None)
    said = (str(measure), months, reason, viewer.actor)
    if last is not None and last.verdict is not Verdict.REFUSED:
        if (last.measure, last.months, last.reason, last.by) == said:
            return None
        raise Fault("cycle.decided_already", expert, state=str(case.state))
    looked_at = case.measure == Measure.LOOK
    if measure is Measure.LOOK:
        raise Fault("cycle.look_open", expert)
    if not looked_at and case.state is CaseState.PROPOSED:
        raise Fault("cycle.not_notified", expert)
    if not looked_at and case.heard_at is None and clock.today() <= (until := reply_until(case, days)):
        raise Fault("cycle.reply_time_runs", expert, until=until)
    require_months(expert, measure, months)
    require_conduct(case, expert, measure)
    proposed = Measure(case.measure)
    if weight(measure, months) > weight(proposed, case.months):
        asked_for = {"measure": str(measure), "months": months or ""}
        raise Fault("cycle.graver", expert, **asked_for, proposed=str(proposed), proposed_months=case.months)
    differs = (measure, months) != (proposed, case.months)
    if differs and not reason:
        raise Fault("cycle.reason_missing", expert)
    alone = case.decided_by == "office" and not differs
    now = clock.now()
    return CycleDecision(
        case_id=case.id,
        expert_id=case.expert_id,
        organiser_id=case.organiser_id,
        appeal_id=None,
        measure=str(measure),
        months=months,
        reason=reason,
        at=now,
        by=viewer.actor,
        verdict=Verdict.CONFIRMED if alone else Verdict.WAITING,
        answered_at=now if alone else None,
        answered_by=None,
        answer=None,
    )


def _put(
    session: Session, viewer: Viewer, cycle: Cycle, found: Sequence[tuple[CycleCase, CycleDecision]]
) -> Step:
    for case, row in found:
        session.add(row)
        case.state = CaseState.DECIDED if row.verdict is Verdict.CONFIRMED else CaseState.FIRST
    session.flush()
    if found:
        rows = [row for pair in found for row in pair]
        tell(session, viewer, cycle, "cycle.decided", rows, {"cases": len(found)})
    return Step(len(found), _left(session, cycle, None))


def _waiting(session: Session, cycle: Cycle, but: str | None, most: int) -> list[CycleCase]:
    """So many cases that wait for a second person; `but`: other than this one as the first."""
    of = select(CycleCase).where(*_wait(cycle, but)).order_by(CycleCase.id)
    return list(session.scalars(of.limit(most)))


def _left(session: Session, cycle: Cycle, but: str | None) -> int:
    """How many there are of these cases."""
    return session.scalar(select(func.count(CycleCase.id)).where(*_wait(cycle, but))) or 0


def _wait(cycle: Cycle, but: str | None) -> Iterator[ColumnElement[bool]]:
    yield CycleDecision.case_id == CycleCase.id
    yield CycleCase.cycle_id == cycle.id
    yield CycleCase.state == CaseState.FIRST
    yield CycleDecision.verdict == Verdict.WAITING
    if but is not None:
        yield CycleDecision.by != but


def _back(case: CycleCase) -> CaseState:
    return CaseState.PROPOSED if case.measure == Measure.LOOK else CaseState.NOTIFIED
