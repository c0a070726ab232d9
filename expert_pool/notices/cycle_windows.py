"""Times of a cycle of re-evaluation that end: an expert's time to answer, and cases that a decision is waited for."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.notices.pools import Ending
from expert_pool.notices.rules import KindRule
from expert_pool.policies.policy import Policy
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleState, Pool, Reply


def replies_ending(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """The time to answer of those who were told and said nothing yet."""
    said = select(Reply.about_id).where(Reply.about_table == CycleCase.__tablename__)
    rows = session.execute(
        select(CycleCase.id, CycleCase.expert_id, CycleCase.organiser_id, CycleCase.reply_until, Pool.name)
        .join(Cycle, Cycle.id == CycleCase.cycle_id)
        .join(Pool, Pool.id == Cycle.pool_id)
        .where(
            CycleCase.state == CaseState.NOTIFIED,
            CycleCase.reply_until >= today,
            CycleCase.heard_at.is_(None),
            CycleCase.id.not_in(said),
            Cycle.state.not_in((CycleState.CLOSED, CycleState.DROPPED)),
        )
    )
    endings = [Ending(r.id, r.reply_until, -1, r.organiser_id, r.expert_id, r.name) for r in rows]
    return [e for ending in endings if (e := ending.inside(rule, today)) is not None]


def cases_overdue(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """Cases that nobody has decided, or whose decision no second person has answered, though the time to answer is over."""
    rows = session.execute(
        select(CycleCase.id, CycleCase.organiser_id, CycleCase.reply_until, Cycle.code)
        .join(Cycle, Cycle.id == CycleCase.cycle_id)
        .where(
            CycleCase.state.in_((CaseState.NOTIFIED, CaseState.FIRST)),
            CycleCase.reply_until < today,
            Cycle.state.not_in((CycleState.CLOSED, CycleState.DROPPED)),
        )
    )
    endings = [Ending(r.id, r.reply_until, -1, r.organiser_id, name=r.code) for r in rows]
    return [e for ending in endings if (e := ending.inside(rule, today)) is not None]
