"""Asking for background work, and asking after it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.keys import Key
from expert_pool.registry import FilePart, RunEvent, RunFile, RunRecord, RunState
from expert_pool.runs.files import Attachment, open_bytes, open_json, seal_bytes, seal_json
from expert_pool.runs.turning import ENDED, turn
from solver.errors import Fault

SCHEDULE = "schedule"
"""The actor of what nobody asked for: a schedule did."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a run, as it is streamed: `seq` counts from 1 without gaps."""

    seq: int
    at: datetime
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run that ended: a result (also of a cancelled run that had one) or the fault that ended it."""

    result: Mapping[str, Any] | None
    fault: Fault | None
    files: tuple[str, ...]
    """The names of the files it made; `made_file` gives one."""


def begin(
    session: Session,
    asks: Principal | None,
    *,
    key: Key,
    kind: str,
    params: Mapping[str, Any],
    organiser_id: int | None = None,
    attachments: Sequence[Attachment] = (),
    once: str | None = None,
) -> RunRecord:
    """Record a run; after the commit, hand its code to `JobEngine.submit`. `asks` None: a schedule asks.

    `params` is what JSON can say. `once`: the same account, kind and key give the same run, whatever happened between.
    Raises Fault `runs.once_other` when that run was asked with other parameters or files, `runs.file_twice` when two
    files have one name.
    """
    names = [file.name for file in attachments]
    for name in names:
        if names.count(name) > 1:
            raise Fault("runs.file_twice", name)
    actor = asks.actor if asks else SCHEDULE
    if once is not None and (found := _same(session, actor, kind, once)) is not None:
        return _repeated(session, key, found, params, attachments)
    run = RunRecord(
        code="R" + base64.b32encode(secrets.token_bytes(10)).decode("ascii"),
        kind=kind,
        state=RunState.QUEUED,
        account_id=asks.account_id if asks else None,
        actor=actor,
        scopes=" ".join(sorted(asks.scopes)) if asks and asks.scopes is not None else None,
        organiser_id=organiser_id,
        once=once,
        params_sealed=seal_json(key, params),
        accepted_at=clock.now(),
        attempt=0,
        losses=0,
        last_seq=1,
    )
    try:
        with session.begin_nested():
            session.add(run)
            session.flush()
    except IntegrityError:  # another transaction was first with this key
        found = _same(session, actor, kind, once) if once is not None else None
        if found is None:
            raise
        return _repeated(session, key, found, params, attachments)
    session.add_all(file_rows(key, run.id, FilePart.GIVEN, attachments))
    session.add(RunEvent(run_id=run.id, seq=1, at=run.accepted_at, kind="queued", data="{}"))
    session.flush()
    return run


def submitted(session: Session, code: str) -> None:
    """Note that the job engine got the run."""
    session.execute(
        update(RunRecord)
        .where(RunRecord.code == code, RunRecord.submitted_at.is_(None))
        .values(submitted_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def find(session: Session, asks: Principal | None, code: str) -> RunRecord:
    """A run by its code: the asker's own, or anybody's for who operates the service (None: the installation itself).

    Raises Fault `runs.run_unknown`.
    """
    run = session.scalar(select(RunRecord).where(RunRecord.code == code, _shown_to(asks)))
    if run is None:
        raise Fault("runs.run_unknown", code)
    return run


def list_runs(
    session: Session,
    asks: Principal | None,
    *,
    state: RunState | None = None,
    kind: str | None = None,
    own: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[RunRecord]:
    """Runs as `find` shows them, newest first; `before`: only those with a smaller id; `own`: only the asker's."""
    statement = select(RunRecord).where(_shown_to(asks)).order_by(RunRecord.id.desc()).limit(limit)
    if own and asks is not None:
        statement = statement.where(RunRecord.account_id == asks.account_id)
    if state is not None:
        statement = statement.where(RunRecord.state == state)
    if kind is not None:
        statement = statement.where(RunRecord.kind == kind)
    if before is not None:
        statement = statement.where(RunRecord.id < before)
    return list(session.scalars(statement))


def events(session: Session, run: RunRecord, *, after: int = 0, limit: int = 500) -> list[Happened]:
    """The events of a run with a greater `seq`, in order."""
    rows = session.execute(
        select(RunEvent.seq, RunEvent.at, RunEvent.kind, RunEvent.data)
        .where(RunEvent.run_id == run.id, RunEvent.seq > after)
        .order_by(RunEvent.seq)
        .limit(limit)
    )
    return [Happened(seq, at, kind, json.loads(data)) for seq, at, kind, data in rows]


def last_progress(session: Session, run: RunRecord) -> Happened | None:
    """The newest event of a run that says how far it is."""
    row = session.execute(
        select(RunEvent.seq, RunEvent.at, RunEvent.kind, RunEvent.data)
        .where(RunEvent.run_id == run.id, RunEvent.kind.in_(("progress", "incumbent")))
        .order_by(RunEvent.seq.desc())
        .limit(1)
    ).one_or_none()
    return Happened(row.seq, row.at, row.kind, json.loads(row.data)) if row else None


def outcome(session: Session, asks: Principal | None, run: RunRecord, *, key: Key) -> Outcome | None:
    """What came of the run; None while it has not ended.

    Results are for who asked: others who may see the run do not see them. Raises Fault `runs.not_yours`.
    """
    _require_own(asks, run)
    if run.state not in ENDED:
        return None
    names = select(RunFile.name).where(RunFile.run_id == run.id, RunFile.part == FilePart.MADE)
    sealed = session.scalar(select(RunRecord.outcome_sealed).where(RunRecord.id == run.id))
    said = open_json(key, sealed) if sealed else {}
    fault = said.get("fault")
    return Outcome(
        result=said.get("result"),
        fault=Fault(fault["code"], fault["where"], **fault["params"]) if fault else None,
        files=tuple(session.scalars(names.order_by(RunFile.id))),
    )


def made_file(session: Session, asks: Principal | None, run: RunRecord, name: str, *, key: Key) -> Attachment:
    """A file the run made. Raises Fault `runs.not_yours`, `runs.file_unknown`."""
    _require_own(asks, run)
    found = session.scalar(
        select(RunFile).where(RunFile.run_id == run.id, RunFile.part == FilePart.MADE, RunFile.name == name)
    )
    if found is None:
        raise Fault("runs.file_unknown", name)
    return Attachment(found.name, open_bytes(key, found.content_sealed), found.media_type)


def cancel(session: Session, asks: Principal | None, code: str) -> RunRecord:
    """Ask for the end of a run: a waiting one ends at once, one under way is told; an ended one stays as it is.

    After the commit, tell the engine (`JobEngine.cancel`). Raises Fault `runs.run_unknown`.
    """
    run = find(session, asks, code)
    asking: dict[str, Any] = {
        "cancel_asked_at": clock.now(),
        "cancel_asked_by": asks.actor if asks else SCHEDULE,
    }
    if not turn(
        session,
        code,
        RunRecord.state == RunState.QUEUED,
        event="cancelled",
        state=RunState.CANCELLED,
        ended_at=clock.now(),
        **asking,
    ):
        session.execute(
            update(RunRecord)
            .where(RunRecord.code == code, RunRecord.state == RunState.RUNNING)
            .where(RunRecord.cancel_asked_at.is_(None))
            .values(**asking)
            .execution_options(synchronize_session=False)
        )
    session.flush()
    session.refresh(run)
    return run


def file_rows(key: Key, run_id: int, part: FilePart, files: Sequence[Attachment]) -> list[RunFile]:
    """Rows for files, sealed."""
    return [
        RunFile(
            run_id=run_id,
            part=part,
            name=file.name,
            media_type=file.media_type,
            size=len(file.content),
            content_sealed=seal_bytes(key, file.content),
        )
        for file in files
    ]


def _same(session: Session, actor: str, kind: str, once: str) -> RunRecord | None:
    return session.scalar(
        select(RunRecord).where(RunRecord.actor == actor, RunRecord.kind == kind, RunRecord.once == once)
    )


def _repeated(
    session: Session, key: Key, run: RunRecord, params: Mapping[str, Any], attachments: Sequence[Attachment]
) -> RunRecord:
    """The run itself, if it was asked with the same words and files."""
    given = session.scalars(
        select(RunFile).where(RunFile.run_id == run.id, RunFile.part == FilePart.GIVEN).order_by(RunFile.id)
    ).all()
    same = len(given) == len(attachments) and all(
        (file.name, file.size) == (other.name, len(other.content))
        and open_bytes(key, file.content_sealed) == other.content
        for file, other in zip(given, attachments, strict=False)
    )
    if not same or open_json(key, run.params_sealed) != json.loads(json.dumps(params)):
        raise Fault("runs.once_other", run.code, once=run.once)
    return run


def _shown_to(asks: Principal | None) -> ColumnElement[bool]:
    if asks is None or asks.may(Right.SERVICE_OPERATE):
        return true()
    return RunRecord.account_id == asks.account_id


def _require_own(asks: Principal | None, run: RunRecord) -> None:
    if asks is not None and asks.account_id != run.account_id:
        raise Fault("runs.not_yours", run.code)
