"""Workers that are alive: slots of a machine, each held by one process through a row that it keeps fresh."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import WorkerRecord

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class Slot:
    """A worker's place: `name` comes back with its next process, `token` is this process's own."""

    name: str
    token: str


def machine() -> str:
    """This machine's name, with what tells it from others of that name (its boot, its container)."""
    marks = []
    for place in (_BOOT, _PROCESSES):
        try:
            marks.append(os.readlink(place) if place.is_symlink() else place.read_text("ascii").strip())
        except OSError:
            marks.append("")
    return f"{socket.gethostname()}-{hashlib.sha256(' '.join(marks).encode()).hexdigest()[:8]}"


def enter(session: Session) -> Slot:
    """Take the first slot of this machine that no living process holds."""
    place, own = machine(), psutil.Process()
    for number in count(1):
        name = f"{place}.{number}"
        found = session.scalar(select(WorkerRecord).where(WorkerRecord.name == name).with_for_update())
        if found is not None and not vanished(found):
            continue
        fresh = WorkerRecord(
            name=name,
            token=secrets.token_hex(8),
            pid=own.pid,
            pid_began=int(own.create_time()),
            started_at=clock.now(),
            beat_at=clock.now(),
            beats=0,
            draining=False,
        )
        try:
            with session.begin_nested():
                if found is not None:
                    session.delete(found)
                    session.flush()
                session.add(fresh)
                session.flush()
        except IntegrityError:  # another process was first
            session.expire_all()
            continue
        return Slot(name, fresh.token)
    raise AssertionError("unreachable")


def beat(session: Session, slot: Slot, *, draining: bool = False) -> bool:
    """Say that this worker is alive; False when others have given it up, and its runs with it."""
    held = session.execute(
        update(WorkerRecord)
        .where(WorkerRecord.token == slot.token)
        .values(beats=WorkerRecord.beats + 1, beat_at=clock.now(), draining=draining)
        .returning(WorkerRecord.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return held is not None


def leave(session: Session, slot: Slot) -> None:
    """Give the slot back; runs still held go to others."""
    session.execute(delete(WorkerRecord).where(WorkerRecord.token == slot.token))


def beating(session: Session) -> Sequence[WorkerRecord]:
    """Every worker that holds a slot."""
    return session.scalars(select(WorkerRecord).order_by(WorkerRecord.name)).all()


def remove(session: Session, worker: WorkerRecord) -> bool:
    """Give a worker up, unless it has moved since `worker` was read."""
    removed = session.execute(
        delete(WorkerRecord)
        .where(WorkerRecord.token == worker.token, WorkerRecord.beats == worker.beats)
        .returning(WorkerRecord.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return removed is not None


def vanished(worker: WorkerRecord) -> bool:
    """Whether this very machine knows that the worker's process is no more; False also when it cannot know."""
    if worker.name.rpartition(".")[0] != machine():
        return False
    try:
        process = psutil.Process(worker.pid)
        if abs(process.create_time() - worker.pid_began) > 2:
            return True
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
