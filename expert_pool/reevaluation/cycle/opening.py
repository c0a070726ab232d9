"""Opening a cycle, ending it, and dropping one that was opened in error."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.policies.load import preset
from expert_pool.reevaluation.appraising import POLICY, find_pool
from expert_pool.reevaluation.cycle.finding import find_cycle, held, scheme_of
from expert_pool.reevaluation.cycle.hearing import settled
from expert_pool.reevaluation.cycle.marking import count, tell
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.reevaluation.scheme import Scheme
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleState
from expert_pool.viewer import Viewer
from solver.errors import Fault


def open_(
    session: Session, viewer: Viewer, pool: str, scheme: Scheme, as_of: date, *, policy: str = POLICY
) -> str:
    """Open a cycle for a pool and return its code; the same question again gives the same cycle.

    Raises Fault `appraisal.pool_unknown`, `cycle.future`, `appraisal.too_early`, `cycle.taken` (the period has a cycle by another scheme or
    day), `cycle.open_already` (an earlier one of this pool has not ended), `policy.unknown`, `viewer.not_yours`.
    """
    home, rules = find_pool(session, viewer, pool), preset(policy)
    if as_of > clock.today():
        raise Fault("cycle.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    ledger.hold(session, home.organiser_id)
    since = scheme.since(as_of)
    period = str(as_of.year) if scheme.doc.period == "calendar_year" else f"{since or ''}..{as_of}"
    before = session.scalars(select(Cycle).where(Cycle.pool_id == home.id).order_by(Cycle.id)).all()
    for one in before:
        if one.state is CycleState.DROPPED:
            continue
        if one.period == period or one.as_of == as_of:
            if (one.as_of, one.scheme_sha256, one.policy_sha256) == (as_of, scheme.sha256, rules.sha256):
                return one.code
            raise Fault("cycle.taken", pool, cycle=one.code, period=one.period, scheme=one.scheme)
        if one.state is not CycleState.CLOSED:
            raise Fault("cycle.open_already", pool, cycle=one.code, state=str(one.state))
    attempt = 1 + sum(one.period == period for one in before)
    stem = f"{home.code}-{as_of:%Y%m%d}"
    again = sum(one.as_of == as_of for one in before)
    cycle = Cycle(
        code=stem if not again else f"{stem}-{again + 1}",
        organiser_id=home.organiser_id,
        pool_id=home.id,
        period=period,
        attempt=attempt,
        as_of=as_of,
        state=CycleState.OPEN,
        scheme=scheme.doc.id,
        scheme_version=scheme.doc.version,
        scheme_sha256=scheme.sha256,
        scheme_text=scheme.text,
        policy=policy,
        policy_sha256=rules.sha256,
        opened_at=clock.now(),
        opened_by=viewer.actor,
    )
    session.add(cycle)
    tell(session, viewer, cycle, "cycle.opened", (), {"as_of": as_of, "scheme": scheme.sha256})
    return cycle.code


def drop(session: Session, viewer: Viewer, code: str, reason: str) -> None:
    """End a cycle of which nobody was told yet; its period can be opened anew. Dropped already: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.told_already`, `cycle.reason_missing`.
    """
    if find_cycle(session, viewer, code).state is CycleState.DROPPED:
        return
    cycle = held(session, viewer, code)
    if not reason.strip():
        raise Fault("cycle.reason_missing", code)
    told = (CycleCase.cycle_id == cycle.id) & (
        CycleCase.notified_at.is_not(None) | (CycleCase.state != CaseState.PROPOSED)
    )
    if session.scalar(select(CycleCase.id).where(told).limit(1)) is not None:
        raise Fault("cycle.told_already", code)
    _end(session, viewer, cycle, CycleState.DROPPED, reason.strip())


def close(session: Session, viewer: Viewer, code: str) -> None:
    """End a cycle whose cases are all executed, and whose time to appeal is over. Closed already: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.not_computed`, `cycle.cases_left`, `cycle.appeal_time_runs`.
    """
    if find_cycle(session, viewer, code).state is CycleState.CLOSED:
        return
    cycle = held(session, viewer, code)
    if cycle.state is CycleState.OPEN:
        raise Fault("cycle.not_computed", code)
    left = count(session, cycle, *(s for s in CaseState if s not in (CaseState.EXECUTED, CaseState.SETTLED)))
    if left:
        raise Fault("cycle.cases_left", code, left=left)
    days = scheme_of(cycle).doc.appeal_days
    told = session.execute(
        select(CycleCase.appeal_until, CycleCase.appeal_provisional, CycleCase.executed_at)
        .where(
            CycleCase.cycle_id == cycle.id,
            CycleCase.state == CaseState.EXECUTED,
            CycleCase.appeal_until.is_not(None),
        )
        .distinct()
    )
    ends = [
        settled(until, bool(moves), at, days)
        for until, moves, at in told
        if until is not None and at is not None
    ]
    if ends and max(ends) >= clock.today():
        raise Fault("cycle.appeal_time_runs", code, until=max(ends))
    _end(session, viewer, cycle, CycleState.CLOSED, None)


def _end(session: Session, viewer: Viewer, cycle: Cycle, state: CycleState, why: str | None) -> None:
    cycle.state, cycle.ended_at, cycle.ended_by, cycle.ended_why = state, clock.now(), viewer.actor, why
    tell(session, viewer, cycle, f"cycle.{state}", ())
