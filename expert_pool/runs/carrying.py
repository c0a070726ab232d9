"""Carrying a run: the claim, the fence that makes a late owner harmless, events, and the end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.keys import Key
from expert_pool.registry import FilePart, RunFile, RunRecord, RunState
from expert_pool.runs.asking import file_rows
from expert_pool.runs.files import Attachment, open_bytes, open_json, seal_json, written
from expert_pool.runs.turning import turn
from expert_pool.store import Store
from solver.errors import Fault

_MOST_DECISIONS = 1000


class Superseded(Exception):
    """The run is somebody else's by now, or has ended: nothing more may be written for it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to write for a run, as long as no later attempt began and it has not ended."""

    code: str
    attempt: int

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        return (RunRecord.attempt == self.attempt, RunRecord.state == RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Decision:
    """A ledger entry that an earlier attempt of this run wrote."""

    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is to do, opened."""

    kind: str
    account_id: int | None
    actor: str
    scopes: frozenset[str] | None
    organiser_id: int | None
    params: Mapping[str, Any]
    attachments: tuple[Attachment, ...]
    decisions: tuple[Decision, ...]
    accepted_at: datetime
    started_at: datetime
    """When it was first begun: the deadline counts from there, through all attempts."""


def claim(session: Session, code: str, owner: str) -> Hold | None:
    """Become the owner of a waiting run; None when it is not waiting (carried by somebody, ended, forgotten)."""
    claimed = turn(
        session,
        code,
        RunRecord.state == RunState.QUEUED,
        event="started",
        state=RunState.RUNNING,
        owner=owner,
        attempt=RunRecord.attempt + 1,
        started_at=func.coalesce(RunRecord.started_at, clock.now()),
    )
    if not claimed:
        return None
    attempt = session.scalar(select(RunRecord.attempt).where(RunRecord.code == code))
    assert attempt is not None
    return Hold(code, attempt)


def asked(session: Session, hold: Hold, *, key: Key) -> Asked:
    """What the held run is to do. Raises Superseded."""
    run = session.scalar(select(RunRecord).where(RunRecord.code == hold.code, *hold.conditions()))
    if run is None or run.started_at is None:
        raise Superseded(hold.code)
    given = session.scalars(
        select(RunFile).where(RunFile.run_id == run.id, RunFile.part == FilePart.GIVEN).order_by(RunFile.id)
    )
    return Asked(
        kind=run.kind,
        account_id=run.account_id,
        actor=run.actor,
        scopes=frozenset(run.scopes.split()) if run.scopes is not None else None,
        organiser_id=run.organiser_id,
        params=open_json(key, run.params_sealed),
        attachments=tuple(
            Attachment(file.name, open_bytes(key, file.content_sealed), file.media_type) for file in given
        ),
        decisions=tuple(Decision(**each) for each in json.loads(run.decisions or "[]")),
        accepted_at=run.accepted_at,
        started_at=run.started_at,
    )


def standing(session: Session, hold: Hold) -> bool | None:
    """Whether somebody asked for the end of the held run; None when it is not ours any more."""
    found = session.execute(
        select(RunRecord.cancel_asked_at).where(RunRecord.code == hold.code, *hold.conditions())
    ).one_or_none()
    return None if found is None else found[0] is not None


def event(session: Session, hold: Hold, kind: str, data: Mapping[str, Any]) -> None:
    """Write down something that happened to the held run. No personal data. Raises Superseded."""
    if not turn(session, hold.code, *hold.conditions(), event=kind, data=data):
        raise Superseded(hold.code)


def finish(
    session: Session,
    hold: Hold,
    *,
    key: Key,
    result: Mapping[str, Any],
    files: Sequence[Attachment] = (),
    cancelled: bool = False,
    data: Mapping[str, Any] | None = None,
) -> None:
    """The run ends with a result; `cancelled`: because it was asked to stop, with the best it had. Raises Superseded."""
    state = RunState.CANCELLED if cancelled else RunState.DONE
    _end(session, hold, state, seal_json(key, {"result": result}), data)
    if files:
        run_id = session.scalars(select(RunRecord.id).where(RunRecord.code == hold.code)).one()
        session.add_all(file_rows(key, run_id, FilePart.MADE, files))
    session.flush()


def fail(session: Session, hold: Hold, *, key: Key, fault: Fault, cancelled: bool = False) -> None:
    """The run ends with a fault. Raises Superseded."""
    state = RunState.CANCELLED if cancelled else RunState.FAILED
    _end(session, hold, state, sealed_fault(key, fault), {"code": fault.code})
    session.flush()


def sealed_fault(key: Key, fault: Fault) -> bytes:
    """The outcome that says a fault; parameters that JSON cannot say are said as text."""
    params = json.loads(json.dumps(fault.params, default=str))
    return seal_json(key, {"fault": {"code": fault.code, "where": fault.where, "params": params}})


def hand_back(session: Session, hold: Hold, *, lost: bool = False) -> None:
    """Put the held run back among the waiting ones; `lost`: it counts as a loss. Raises Superseded."""
    back = turn(
        session,
        hold.code,
        *hold.conditions(),
        event="handed_back",
        state=RunState.QUEUED,
        owner=None,
        submitted_at=None,
        losses=RunRecord.losses + int(lost),
    )
    if not back:
        raise Superseded(hold.code)


@dataclass(frozen=True, slots=True)
class FencedStore(Store):
    """The store that a run's work gets: every transaction that writes holds only while the run is still ours.

    With it goes what the ledger learned, onto the run: whoever takes the run over knows what is decided already.
    A writing block raises Superseded at its end, and nothing of it is kept, when the run is somebody else's by then.
    """

    hold: Hold

    @contextmanager
    def session(self) -> Iterator[Session]:
        """As `Store.session`; also raises Superseded."""
        with Store.session(self) as session:
            yield session
            session.flush()
            written_there = session.info.get(ledger.WRITTEN, ())
            self._seal_off(session, [{"action": action, "subject": of} for action, of in written_there])

    def _seal_off(self, session: Session, decided: list[dict[str, str]]) -> None:
        held = (RunRecord.code == self.hold.code, *self.hold.conditions())
        before = session.execute(select(RunRecord.decisions).where(*held)).one_or_none()
        if before is None:
            raise Superseded(self.hold.code)
        all_of_them = (json.loads(before[0] or "[]") + decided)[-_MOST_DECISIONS:]
        kept = session.execute(
            update(RunRecord)
            .where(*held)
            .values(decisions=written(all_of_them) if all_of_them else None)
            .returning(RunRecord.id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if kept is None:
            raise Superseded(self.hold.code)


def _end(
    session: Session, hold: Hold, state: RunState, sealed: bytes, data: Mapping[str, Any] | None
) -> None:
    ended = turn(
        session,
        hold.code,
        *hold.conditions(),
        event=str(state),
        data=data,
        state=state,
        owner=None,
        ended_at=clock.now(),
        outcome_sealed=sealed,
    )
    if not ended:
        raise Superseded(hold.code)
