"""The one way a run changes: a conditional update and its event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import RunEvent, RunRecord, RunState
from expert_pool.runs.files import written

ENDED = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)
UNENDED = (RunState.QUEUED, RunState.RUNNING)


def turn(
    session: Session,
    code: str,
    *conditions: ColumnElement[bool],
    event: str,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Change the run if it still meets the conditions, and write the event down; False when it does not."""
    changed = (
        update(RunRecord)
        .where(RunRecord.code == code, *conditions)
        .values(last_seq=RunRecord.last_seq + 1, **values)
        .returning(RunRecord.id, RunRecord.last_seq)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(changed).one_or_none()
    if row is None:
        return False
    session.add(
        RunEvent(run_id=row.id, seq=row.last_seq, at=clock.now(), kind=event, data=written(data or {}))
    )
    return True
