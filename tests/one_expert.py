"""Whether the facts of a single expert are those of a pool of one."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.facts import facts_on
from expert_pool.facts_of_one import Alone, facts_of_one
from expert_pool.lifecycle import replay
from expert_pool.policies.policy import Policy
from expert_pool.registry import Committee
from expert_pool.viewer import Viewer
from solver.facts import Column, day


def told_alike(
    session: Session,
    viewer: Viewer,
    expert_id: int,
    *,
    committee_id: int,
    on: date,
    known_at: datetime,
    policy: Policy,
) -> Alone:
    """Both tellings, held to be the same in everything; gives back the plain one."""
    columns = select(Committee.id, Committee.pool_id, Committee.series)
    committee = session.execute(columns.where(Committee.id == committee_id)).one()
    asked: dict[str, Any] = {"on": on, "known_at": known_at, "policy": policy}
    alone = facts_of_one(session, viewer, committee=committee, expert_id=expert_id, **asked)
    pool = facts_on(
        session, viewer, committee_id=committee_id, expert_ids=[expert_id], for_agenda=False, **asked
    )
    for one in fields(pool):
        mine, theirs = getattr(alone.pool, one.name), getattr(pool, one.name)
        assert _plain(mine) == _plain(theirs), one.name
    assert list(alone.pool.facts) == list(pool.facts)
    assert list(alone.pool.behind) == list(pool.behind)
    assert alone.steps == replay(pool.events, day(on))[0]
    return alone


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    if isinstance(value, Column):
        return value.type, _plain(value.values), value.names
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(map(_plain, value))
    if hasattr(type(value), "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value
