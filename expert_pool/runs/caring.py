"""Care of runs: taking over what lost its owner, finding what the engine was never told, forgetting what is old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.keys import Key
from expert_pool.registry import RunEvent, RunFile, RunRecord, RunState, WorkerRecord
from expert_pool.runs.carrying import Hold, sealed_fault
from expert_pool.runs.turning import ENDED, turn
from solver.errors import Fault

_BATCH = 200


def lost(session: Session) -> Sequence[RunRecord]:
    """Runs under way whose owner is no living worker."""
    living = select(WorkerRecord.token)
    return session.scalars(
        select(RunRecord)
        .where(RunRecord.state == RunState.RUNNING, RunRecord.owner.not_in(living))
        .order_by(RunRecord.id)
        .limit(_BATCH)
    ).all()


def held_by(session: Session, owner: str) -> Sequence[RunRecord]:
    """Runs under way that stand as this worker's."""
    return session.scalars(
        select(RunRecord).where(RunRecord.state == RunState.RUNNING, RunRecord.owner == owner)
    ).all()


def take_over(session: Session, run: RunRecord, *, key: Key, most_losses: int) -> bool:
    """Take a lost run (as `lost` gave it) from its owner, who can write nothing for it from now on.

    It waits again; or ends, where its end was asked for, or where it lost `most_losses` owners: it may be what kills
    them. False when somebody was faster.
    """
    held = (*Hold(run.code, run.attempt).conditions(), RunRecord.owner == run.owner)
    losses = run.losses + 1
    if run.cancel_asked_at is not None:
        return turn(
            session,
            run.code,
            *held,
            event="cancelled",
            state=RunState.CANCELLED,
            ended_at=clock.now(),
            owner=None,
            losses=losses,
        )
    if losses >= most_losses:
        fault = Fault("runs.lost_too_often", run.code, times=losses)
        return turn(
            session,
            run.code,
            *held,
            event="failed",
            data={"code": fault.code},
            state=RunState.FAILED,
            ended_at=clock.now(),
            owner=None,
            losses=losses,
            outcome_sealed=sealed_fault(key, fault),
        )
    return turn(
        session,
        run.code,
        *held,
        event="taken_over",
        data={"losses": losses},
        state=RunState.QUEUED,
        owner=None,
        submitted_at=None,
        losses=losses,
    )


def unsubmitted(session: Session, *, older_than: timedelta) -> Sequence[RunRecord]:
    """Waiting runs that the job engine was not told about: taken over or handed back, or as old as `older_than`."""
    return session.scalars(
        select(RunRecord)
        .where(
            RunRecord.state == RunState.QUEUED,
            RunRecord.submitted_at.is_(None),
            or_(RunRecord.accepted_at <= clock.now() - older_than, RunRecord.attempt > 0),
        )
        .order_by(RunRecord.id)
        .limit(_BATCH)
    ).all()


def waiting(session: Session, *, older_than: timedelta, after: int = 0) -> Sequence[RunRecord]:
    """Waiting runs with a greater id that the job engine was told about, since `older_than` or before."""
    return session.scalars(
        select(RunRecord)
        .where(
            RunRecord.state == RunState.QUEUED,
            RunRecord.submitted_at <= clock.now() - older_than,
            RunRecord.id > after,
        )
        .order_by(RunRecord.id)
        .limit(_BATCH)
    ).all()


def forget(
    session: Session,
    *,
    ended_before: datetime,
    schedules_before: datetime,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Delete runs that ended before a moment (a schedule's: before another), with their files and events; how many."""
    over = or_(
        RunRecord.ended_at < ended_before,
        and_(RunRecord.ended_at < schedules_before, RunRecord.account_id.is_(None)),
    )
    forgotten = 0
    while not cancelled():
        old = session.scalars(
            select(RunRecord.id).where(RunRecord.state.in_(ENDED), over).order_by(RunRecord.id).limit(_BATCH)
        ).all()
        if not old:
            break
        for table in (RunEvent, RunFile):
            session.execute(delete(table).where(table.run_id.in_(old)))
        session.execute(delete(RunRecord).where(RunRecord.id.in_(old)))
        forgotten += len(old)
    return forgotten
