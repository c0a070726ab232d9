"""Cycles as faces read them: lists, one cycle, its cases; and an expert's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool.reevaluation.cycle.finding import (
    CaseView,
    CycleView,
    case_view,
    cases_of,
    cycle_view,
    find_cycle,
    kept_in,
)
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleState, Expert, Pool, Verdict
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


def list_(
    session: Session,
    viewer: Viewer,
    *,
    pool: str | None = None,
    state: CycleState | None = None,
    after: str | None = None,
    most: int = 100,
) -> list[CycleView]:
    """The cycles the viewer sees, the latest first; `after`: those that come after this one (its code)."""
    of = (
        select(Cycle, Pool.code)
        .join(Pool, Pool.id == Cycle.pool_id)
        .where(*visible(viewer, Cycle))
        .order_by(Cycle.id.desc())
        .limit(most)
    )
    if pool is not None:
        of = of.where(Pool.code == pool)
    if state is not None:
        of = of.where(Cycle.state == state)
    if after is not None:
        of = of.where(Cycle.id < find_cycle(session, viewer, after).id)
    rows = session.execute(of).all()
    return _views(session, rows)


def show(session: Session, viewer: Viewer, code: str) -> CycleView:
    """One cycle. Raises Fault `cycle.unknown`."""
    cycle = find_cycle(session, viewer, code)
    pool = session.scalars(select(Pool.code).where(Pool.id == cycle.pool_id)).one()
    return _views(session, [(cycle, pool)])[0]


def cases(
    session: Session,
    viewer: Viewer,
    code: str,
    *,
    state: CaseState | None = None,
    measure: Measure | None = None,
    after: str = "",
    most: int = 200,
) -> list[CaseView]:
    """So many cases of a cycle by the codes of their experts, from the one after `after`. Raises Fault
    `cycle.unknown`."""
    cycle = find_cycle(session, viewer, code)
    of = (
        select(CycleCase, Expert.code)
        .join(Expert, Expert.id == CycleCase.expert_id)
        .where(CycleCase.cycle_id == cycle.id, Expert.code > after)
        .order_by(Expert.code)
        .limit(most)
    )
    if state is not None:
        of = of.where(CycleCase.state == state)
    if measure is not None:
        of = of.where(CycleCase.measure == str(measure))
    rows = session.execute(of).all()
    return [case_view(session, viewer, cycle, row, expert) for row, expert in rows]


def case(session: Session, viewer: Viewer, code: str, expert: str) -> CaseView:
    """One expert's case. Raises Fault `cycle.unknown`, `cycle.case_unknown`."""
    cycle = find_cycle(session, viewer, code)
    (row,) = cases_of(session, cycle, [expert])
    return case_view(session, viewer, cycle, row, expert)


def own_cases(session: Session, expert_id: int) -> list[CaseView]:
    """What cycles proposed and decided for an expert, for the expert: from the day they were told, with all records
    behind it, whoever recorded them; the latest first. Who decided is not named to them."""
    rows = session.execute(
        select(CycleCase, Cycle, Expert.code)
        .join(Cycle, Cycle.id == CycleCase.cycle_id)
        .join(Expert, Expert.id == CycleCase.expert_id)
        .where(CycleCase.expert_id == expert_id, CycleCase.notified_at.is_not(None))
        .order_by(CycleCase.id.desc())
    )
    viewer = Viewer.system("own record")
    views = [case_view(session, viewer, cycle, row, code) for row, cycle, code in rows]
    return [_own(view) for view in views]


def was_kept(session: Session, viewer: Viewer, code: str, expert: str) -> bool:
    """Whether a cycle appraised an expert and proposed nothing. Raises Fault `cycle.unknown`, `cycle.not_computed`,
    `cycle.case_unknown` (nobody of that code)."""
    cycle = find_cycle(session, viewer, code)
    if cycle.kept is None:
        raise Fault("cycle.not_computed", code)
    expert_id = session.scalar(select(Expert.id).where(Expert.code == expert))
    if expert_id is None:
        raise Fault("cycle.case_unknown", expert, cycle=code)
    return kept_in(cycle, expert_id)


def _views(session: Session, rows: Sequence[tuple[Cycle, str]]) -> list[CycleView]:
    ids = [cycle.id for cycle, _ in rows]
    numbers: dict[int, dict[str, int]] = {}
    replies: dict[int, Any] = {}
    appeals: dict[int, Any] = {}
    counted = session.execute(
        select(
            CycleCase.cycle_id,
            CycleCase.state,
            func.count(),
            func.max(CycleCase.reply_until),
            func.max(CycleCase.appeal_until),
        )
        .where(CycleCase.cycle_id.in_(ids))
        .group_by(CycleCase.cycle_id, CycleCase.state)
    )
    for cycle_id, state, number, reply, appeal in counted:
        numbers.setdefault(cycle_id, {})[str(CaseState(state))] = number
        replies[cycle_id] = _later(replies.get(cycle_id), reply)
        appeals[cycle_id] = _later(appeals.get(cycle_id), appeal)
    nothing: Mapping[str, int] = {}
    found = []
    for cycle, pool in rows:
        reply, appeal = replies.get(cycle.id), appeals.get(cycle.id)
        until = (
            reply,
            _provisional(session, cycle.id, CycleCase.reply_until, CycleCase.reply_provisional, reply),
            appeal,
            _provisional(session, cycle.id, CycleCase.appeal_until, CycleCase.appeal_provisional, appeal),
        )
        found.append(cycle_view(cycle, pool, numbers.get(cycle.id, nothing), until))
    return found


def _provisional(session: Session, cycle_id: int, until: Any, provisional: Any, last: date | None) -> bool:
    """Whether a cycle's last day (of those in the column `until`) may still move."""
    if last is None:
        return False
    moves = select(CycleCase.id).where(CycleCase.cycle_id == cycle_id, until == last, provisional.is_(True))
    return session.scalar(moves.limit(1)) is not None


def _later(one: Any, other: Any) -> Any:
    return max((day for day in (one, other) if day is not None), default=None)


def _own(view: CaseView) -> CaseView:
    said = view.executed_at is not None  # until it is executed nothing was told
    decided = [one for one in view.decisions if said and one.verdict is Verdict.CONFIRMED]
    return replace(
        view,
        decisions=tuple(replace(one, by="", answered_by=None, answer=None) for one in decided),
        outcome=view.outcome if said else None,
        outcome_months=view.outcome_months if said else None,
        amended_by=None,
    )
