"""Forgetting: what notices said about a person, and what old ones said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import (
    DeliveryState,
    Notice,
    NoticeAddress,
    NoticeDelivery,
)


def forget_expert(session: Session, expert_id: int) -> int:
    """Forget an expert's addresses and what notices to the expert said; return how many notices. What waits is not
    sent. The causes stay, so that nothing is told anew."""
    session.execute(
        update(NoticeAddress).where(NoticeAddress.expert_id == expert_id).values(address_sealed=None)
    )
    return _forget(session, Notice.expert_id == expert_id)


def forget_before(session: Session, before: datetime) -> int:
    """Forget what notices written before a moment said; return how many."""
    return _forget(session, Notice.at < before)


def _forget(session: Session, which: Any) -> int:
    ids = select(Notice.id).where(which)
    waiting = (NoticeDelivery.notice_id.in_(ids), NoticeDelivery.state == DeliveryState.WAITING)
    given_up = {"state": DeliveryState.DROPPED, "ended_at": clock.now(), "trouble": "notices.nobody"}
    session.execute(update(NoticeDelivery).where(*waiting).values(**given_up))
    session.execute(update(NoticeDelivery).where(NoticeDelivery.notice_id.in_(ids)).values(to_sealed=None))
    done: Any = session.execute(
        update(Notice).where(which, Notice.params_sealed.is_not(None)).values(params_sealed=None)
    )
    return int(done.rowcount)
