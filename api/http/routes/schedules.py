"""What the service does at its time without anybody asking: when it last did, and doing it now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.http.accepting import Model, Run, Runs, Work, answers, told
from api.http.access import allowed
from api.http.service import Served
from api.jobs.schedules import SCHEDULES, Daily, Schedule
from expert_pool.accounts.rights import Principal, Right
from expert_pool.registry import RunRecord
from expert_pool.runs.asking import SCHEDULE
from solver.errors import Fault

router = APIRouter(prefix="/schedules", tags=["runs"])

_Operator = Annotated[Principal, Depends(allowed(Right.SERVICE_OPERATE))]
_Name = Annotated[str, Path(max_length=64, pattern="^[a-z._]+$", examples=["runs.retention"])]


class ScheduleTold(Model):
    """A schedule: the kind of run it begins, each day `at` this hour where the service stands or, while there is something
    to do, `every` so many seconds; and the run it began last."""

    name: str = Field(examples=["expiries.training"])
    kind: str = Field(examples=["notices.expiries"])
    at: str | None = Field(examples=["06:00"])
    every: int | None = Field(examples=[None])
    last: str | None = Field(description="For which day or stretch of time it was begun last.")
    began_at: datetime | None
    run: Run | None


class Schedules(Model):
    """All there are."""

    items: list[ScheduleTold]


@router.get("", response_model=Schedules, summary="定时任务 · schedules")
def list_schedules(asks: _Operator, service: Served) -> Schedules:
    """What is done at its time, and how it went last."""
    with service.store.reading() as session:
        return Schedules(items=[_told(session, schedule) for schedule in SCHEDULES])


@router.post(
    "/{name}/runs",
    summary="定时任务: 立即执行 · do it now",
    **answers(dict[str, Any]),
)
def run_schedule(name: _Name, asks: _Operator, runs: Runs) -> Response:
    """Do now what a schedule does; its own time stays as it is."""
    found = next((schedule for schedule in SCHEDULES if schedule.name == name), None)
    if found is None:
        raise Fault("runs.schedule_unknown", name)
    return runs.take(asks, Work(found.kind, dict(found.params)))


def _told(session: Session, schedule: Schedule) -> ScheduleTold:
    begun = (
        select(RunRecord)
        .where(
            RunRecord.actor == SCHEDULE,
            RunRecord.kind == schedule.kind,
            RunRecord.once.startswith(f"{schedule.name} ", autoescape=True),
        )
        .order_by(RunRecord.id.desc())
        .limit(1)
    )
    run = session.scalars(begun).first()
    daily = isinstance(schedule, Daily)
    return ScheduleTold(
        name=schedule.name,
        kind=schedule.kind,
        at=f"{schedule.at:%H:%M}" if isinstance(schedule, Daily) else None,
        every=None if daily else int(schedule.every.total_seconds()),  # type: ignore[union-attr]
        last=None if run is None else str(run.once).partition(" ")[2],
        began_at=None if run is None else run.accepted_at,
        run=None if run is None else told(session, run),
    )
