"""Each step's ledger entry, and how far it brought the cycle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import case as either
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleState, Table
from expert_pool.viewer import Viewer

_BEHIND = (
    (CycleState.COMPUTED, (CaseState.PROPOSED,)),
    (CycleState.NOTIFIED, (CaseState.NOTIFIED, CaseState.FIRST)),
    (CycleState.DECIDED, (CaseState.DECIDED,)),
)
"""A cycle is as far as the case that is furthest behind."""


def tell(
    session: Session,
    viewer: Viewer,
    cycle: Cycle,
    action: str,
    rows: Iterable[Table],
    payload: Mapping[str, Any] | None = None,
    *,
    row_ids: Mapping[type[Table], Iterable[int]] | None = None,
) -> None:
    """Bring the cycle's state up to its cases and write the entry that attests all rows a step touched."""
    session.flush()
    touched: list[Table] = list(rows)
    if cycle.state not in (CycleState.OPEN, CycleState.CLOSED, CycleState.DROPPED):
        present = _state(session, cycle)
        if present is not cycle.state:
            cycle.state = present
    ledger.append(
        session,
        organiser_id=cycle.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=cycle.code,
        payload={"cycle": cycle.code, "state": str(cycle.state), **(payload or {})},
        rows=[cycle, *touched],
        row_ids=row_ids,
    )


def _state(session: Session, cycle: Cycle) -> CycleState:
    looked_at = (CycleCase.measure == str(Measure.LOOK)) & (CycleCase.state == CaseState.PROPOSED)
    state = either((looked_at, str(CaseState.NOTIFIED)), else_=CycleCase.state)
    found = set(session.scalars(select(state).where(CycleCase.cycle_id == cycle.id).group_by(state)))
    for name, states in _BEHIND:
        if found & set(states):
            return name
    return CycleState.EXECUTED


def count(session: Session, cycle: Cycle, *states: CaseState, but: Measure | None = None) -> int:
    """How many cases of a cycle are in some states; `but`: without those of a proposed measure."""
    of = select(func.count(CycleCase.id)).where(CycleCase.cycle_id == cycle.id, CycleCase.state.in_(states))
    if but is not None:
        of = of.where(CycleCase.measure != str(but))
    return session.scalar(of) or 0
