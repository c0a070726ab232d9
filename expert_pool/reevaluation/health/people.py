"""Who is in a pool on a day: the facts of `facts`, over all committees that draw on it, and the day each one leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.attributes import At, title
from expert_pool.columns import Scope, add_years, packing, place, unpacked
from expert_pool.facts import PoolFacts, facts_on
from expert_pool.lifecycle import State, run
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.registry import Committee, Expert, Gender, Pool
from expert_pool.registry.organisers import Level
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.facts import MISSING, Ints, Mask, day

DRAWABLE = (State.ACTIVE, State.RESTRICTED, State.RESERVE, State.SEATED)
"""The states in which somebody may be drawn; a restriction only makes it less likely."""

LEVEL_RANK = {Level.SENIOR: 3, Level.MID: 2, Level.JUNIOR: 1}
"""The lowest title rank that belongs to a level: deputy senior is the lower of the two senior titles."""

NEVER = 2**31
"""The day of what does not come."""


@dataclass(frozen=True)
class People:
    """Everybody ever admitted to a pool, on a day. Arrays over them: `member` and `drawable`, `rank` (the highest in a
    series that the pool's committees review), `born`, and the days on which the term is over and on which the age of
    retirement is reached (NEVER: not foreseen)."""

    session: Session
    viewer: Viewer
    pool_id: int
    code: str
    name: str
    facts: PoolFacts
    scope: Scope
    committees: Sequence[Any]
    rank: Ints
    born: Ints
    gender: Ints
    state: Ints
    member: Mask
    drawable: Mask
    term_over: Ints
    retired: Ints

    @property
    def on(self) -> date:
        return self.facts.on

    @property
    def size(self) -> int:
        return len(self.scope)

    def at(self, on: date) -> At:
        """The same people on another day."""
        return At(self.session, self.viewer, self.scope, on, self.facts.known_at)

    def situation(self, on: date) -> tuple[Mask, Mask]:
        """Who was a member, and who could be drawn, on a day that is not after that of the facts."""
        then = run(self.facts.events, self.size, day(on))
        return then.member, np.isin(then.state, _DRAWABLE)

    def category(self, name: str) -> tuple[Ints, tuple[str, ...]]:
        """A category fact as places among names, MISSING where it is not known."""
        column = self.facts.facts[name]
        return column.values, column.names


_STATES = tuple(State)
_DRAWABLE = [_STATES.index(state) for state in DRAWABLE]
_BORN = {"expert": Expert.id, "born": Expert.born, "gender": place(Expert.gender, tuple(Gender))}
_PEOPLE = packing(_BORN)


def people_of(
    session: Session,
    viewer: Viewer,
    pool_id: int,
    as_of: date,
    known_at: datetime,
    policy: Policy,
    *,
    retires_at: int,
) -> People:
    """Read a pool. Terms end as `policy` says of them; members retire in the year they turn `retires_at`.

    Raises Fault: `health.pool_unknown`, `health.future`, `appraisal.too_early`, `health.no_committee` (nobody draws on the pool: there is no
    series by which its members' titles could be read).
    """
    if as_of > clock.today():
        raise Fault("health.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    pool = session.execute(
        select(Pool.code, Pool.name).where(Pool.id == pool_id, *visible(viewer, Pool))
    ).one_or_none()
    if pool is None:
        raise Fault("health.pool_unknown", str(pool_id))
    committees = session.execute(
        select(Committee.id, Committee.code, Committee.level, Committee.series)
        .where(Committee.pool_id == pool_id, *visible(viewer, Committee))
        .order_by(Committee.code)
    ).all()
    if not committees:
        raise Fault("health.no_committee", pool.code)
    facts = facts_on(
        session, viewer, committee_id=committees[0].id, on=as_of, known_at=known_at, policy=policy
    )
    whole = len(facts.expert_ids) > 100
    scope = Scope(facts.expert_ids, pool_id if whole else None)
    at = At(session, viewer, scope, as_of, known_at)
    rank = facts.facts["rank"].values
    for series in sorted({row.series for row in committees} - {committees[0].series}):
        rank = np.maximum(rank, title(at, series).facts["rank"].values) if len(scope) else rank
    born, gender = _born(session, scope)
    state = facts.facts["state"].values
    member = facts.facts["in_pool"].values == 1
    until = facts.facts["term_until"].values
    birthday = add_years(born, retires_at)
    return People(
        session=session,
        viewer=viewer,
        pool_id=pool_id,
        code=pool.code,
        name=pool.name,
        facts=facts,
        scope=scope,
        committees=committees,
        rank=rank,
        born=born,
        gender=gender,
        state=state,
        member=member,
        drawable=member & np.isin(state, _DRAWABLE),
        term_over=np.where(until == MISSING, NEVER, until + 1),
        retired=np.where(birthday == MISSING, NEVER, birthday),
    )


def _born(session: Session, scope: Scope) -> tuple[Ints, Ints]:
    found = np.full(len(scope), MISSING, dtype=np.int64), np.full(len(scope), MISSING, dtype=np.int64)
    if len(scope):
        rows, _ = unpacked(session, _PEOPLE.where(*scope.narrow(Expert.id)), _BORN)
        rows = scope.only(rows)
        for array, name in zip(found, ("born", "gender"), strict=True):
            array[rows["expert"]] = rows[name]
    return found
