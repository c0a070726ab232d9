"""Where some experts stand in a pool on a day: the life cycle of `facts` for a page of a list, without committee, policy
and the sitting of the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import Scope, place
from expert_pool.lifecycle import (
    STEPS,
    Decision,
    Events,
    State,
    holds,
    membership_events,
    run,
    sanction_events,
)
from expert_pool.registry import Discipline, Membership, Sanction, Training
from expert_pool.viewer import Viewer, counted
from solver.facts import day

STATES = tuple(State)


def states_in(
    session: Session,
    viewer: Viewer,
    pool_id: int,
    expert_ids: Sequence[int],
    *,
    on: date,
    known_at: datetime,
) -> Mapping[int, State]:
    """The state of each expert (by id) in a pool on a day, as known at a moment. A term without a last day runs on:
    what a policy says of terms is for `facts`."""
    if not expert_ids:
        return {}
    scope = Scope(np.array(list(expert_ids), dtype=np.int64))
    steps = scope.fetch(
        session,
        Membership,
        {"day": Membership.holds_on, "until": Membership.until, "step": place(Membership.step, STEPS)},
        known_at=known_at,
        where=[Membership.pool_id == pool_id, *counted(viewer, Membership)],
    )
    decisions = _decisions(session, viewer, scope, known_at)
    retraining = sorted({d.expert for d in decisions if d.sanction is Sanction.RETRAINING})
    passed = _passed(session, viewer, scope, retraining, known_at)
    events = Events.joined(
        [*membership_events(steps, None), sanction_events(tuple(holds(decisions, passed)))]
    )
    places = run(events, len(scope), day(on)).state.tolist()
    return {identity: STATES[at] for identity, at in zip(expert_ids, places, strict=True)}


def _decisions(session: Session, viewer: Viewer, scope: Scope, known_at: datetime) -> list[Decision]:
    rows = session.execute(
        select(
            Discipline.id,
            Discipline.expert_id,
            Discipline.sanction,
            Discipline.holds_on,
            Discipline.until,
            Discipline.revokes_id,
        ).where(
            records.standing(Discipline, known_at),
            Discipline.expert_id.in_(scope.ids.tolist()),
            *counted(viewer, Discipline),
        )
    ).all()
    index = {identity: at for at, identity in enumerate(scope.ids.tolist())}
    return [
        Decision(
            row.id,
            index[row.expert_id],
            Sanction(row.sanction),
            day(row.holds_on),
            None if row.until is None else day(row.until),
            row.revokes_id,
        )
        for row in rows
    ]


def _passed(
    session: Session, viewer: Viewer, scope: Scope, experts: Sequence[int], known_at: datetime
) -> dict[int, list[tuple[int, int]]]:
    """Of experts (indices) the days on which a course was passed, with the rows, earliest first."""
    if not experts:
        return {}
    ids = {int(scope.ids[at]): at for at in experts}
    rows = session.execute(
        select(Training.expert_id, Training.holds_on, Training.id).where(
            Training.expert_id.in_(ids),
            Training.passed,
            records.standing(Training, known_at),
            *counted(viewer, Training),
        )
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for expert, holds_on, row in rows:
        found.setdefault(ids[expert], []).append((day(holds_on), row))
    return {expert: sorted(days) for expert, days in found.items()}
