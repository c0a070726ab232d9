"""What is done at its time without anybody asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from api.jobs.kinds import queue_of
from expert_pool import clock, runs
from expert_pool.keys import Key
from expert_pool.registry import DeliveryState, NoticeDelivery, RunRecord, RunState

Needed = Callable[[Session, Key], bool]


@dataclass(frozen=True, slots=True)
class Daily:
    """A run of `kind` each day `at` this hour where the worker stands; a day missed is made up for, older ones not."""

    name: str
    kind: str
    at: time
    params: Mapping[str, Any] = field(default_factory=dict)

    def tick(self, session: Session, key: Key) -> str:
        """The day that is due."""
        here = clock.now().astimezone()
        today = datetime.combine(here.date(), self.at, here.tzinfo)
        return str((here if today <= here else here - timedelta(days=1)).date())


@dataclass(frozen=True, slots=True)
class Often:
    """A run of `kind` in every stretch of time in which it is `needed`."""

    name: str
    kind: str
    every: timedelta
    needed: Needed
    params: Mapping[str, Any] = field(default_factory=dict)

    def tick(self, session: Session, key: Key) -> str | None:
        """The stretch that is due; None when there is nothing to do."""
        if not self.needed(session, key):
            return None
        seconds = int(self.every.total_seconds())
        begun = int(clock.now().timestamp()) // seconds * seconds
        return datetime.fromtimestamp(begun, UTC).isoformat()


Schedule = Daily | Often


def notices_wait(session: Session, key: Key) -> bool:
    """Whether there is a notice to send now, on a channel that is open."""
    from expert_pool.notices.channels import channels
    from expert_pool.notices.rules import load_rules

    now, silent = clock.now(), load_rules().silent()
    for medium, channel in channels(session, key).items():
        if not channel.enabled:
            continue
        waiting = select(NoticeDelivery.id).where(
            NoticeDelivery.medium == medium,
            NoticeDelivery.state == DeliveryState.WAITING,
            NoticeDelivery.due_at <= now,
            or_(NoticeDelivery.claimed_until.is_(None), NoticeDelivery.claimed_until < now),
        )
        if medium in silent:
            waiting = waiting.where(NoticeDelivery.urgent.is_(True))
        if session.scalar(waiting.limit(1)) is not None:
            return True
    return False


SCHEDULES: Sequence[Schedule] = (
    Often("notices.deliver", "notices.deliver", timedelta(minutes=1), notices_wait),
    Daily("privacy.retention", "privacy.retention", time(2, 10)),
    Daily("runs.retention", "runs.retention", time(2, 40)),
    Daily("expiries.training", "notices.expiries", time(6, 0), {"what": "training"}),
    Daily("expiries.terms", "notices.expiries", time(6, 5), {"what": "terms"}),
    Daily("expiries.filings", "notices.expiries", time(6, 10), {"what": "filings"}),
    Daily("expiries.credit", "notices.expiries", time(6, 15), {"what": "credit"}),
    Daily("expiries.reevaluations", "notices.expiries", time(6, 20), {"what": "reevaluations"}),
    Daily("expiries.cycles", "notices.expiries", time(6, 22), {"what": "cycles"}),
    Daily("expiries.panels", "notices.expiries", time(6, 25), {"what": "panels"}),
)


def due(session: Session, key: Key, schedules: Sequence[Schedule] = SCHEDULES) -> list[RunRecord]:
    """Begin what is due and not yet begun by anybody; the fresh runs.

    Any number of workers may ask at once: a tick of a schedule is one run, because its key is.
    """
    begun = []
    for schedule in schedules:
        queue_of(schedule.kind)  # a schedule of a kind that does not exist must not pass in silence
        tick = schedule.tick(session, key)
        if tick is None:
            continue
        once = f"{schedule.name} {tick}"
        run = runs.begin(session, None, key=key, kind=schedule.kind, params=dict(schedule.params), once=once)
        if run.state is RunState.QUEUED and run.submitted_at is None:
            begun.append(run)
    return begun
