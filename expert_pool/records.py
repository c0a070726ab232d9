"""Records: true from a day, known since a moment, never overwritten; read, written and corrected here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, exists, inspect, not_, select
from sqlalchemy.orm import Session, aliased

from expert_pool import clock, ledger
from expert_pool.bulk import insert_one
from expert_pool.registry import Absence, Discipline, Recorded, Sanction
from expert_pool.viewer import Viewer
from solver.errors import Fault

R = TypeVar("R", bound=Recorded)


def current(table: Any, on: Any, known_at: Any = None) -> ColumnElement[bool]:
    """The condition that a row of `table` (a class or alias) counts on a day, as known at a moment; either may be a
    parameter (`bindparam`).

    It holds: `holds_on` is not after `on`. It was known: `recorded_at` is not after `known_at` (None: as
    known now). It stands: it is not void, and no row known by then corrects it. A row that was corrected
    stays out even when its correction is taken back or starts to hold later. Ends (`until`) are the caller's
    to judge.
    """
    return and_(table.holds_on <= on, standing(table, known_at))


def standing(table: Any, known_at: Any = None) -> ColumnElement[bool]:
    """As `current`, for every day: the row was known, is not void and not corrected."""
    later = aliased(inspect(table).mapper.class_)
    corrected = exists().where(later.corrects_id == table.id)
    conditions: list[ColumnElement[bool]] = [not_(table.void)]
    if known_at is not None:
        conditions.append(table.recorded_at <= known_at)
        corrected = corrected.where(later.recorded_at <= known_at)
    return and_(*conditions, ~corrected)


def record(session: Session, viewer: Viewer, row: R) -> R:
    """Store a new record with its ledger entry and return it.

    `recorded_by` is the viewer; `recorded_at` is now unless the row brings an earlier moment. Raises Fault:
    `viewer.not_yours`, `record.future` (it holds after today; an absence may), `record.known_later` (recorded
    in the future), `record.ends_before_start`, `record.is_correction` (use `correct`).
    """
    if row.corrects_id is not None:
        raise Fault("record.is_correction", _place(row))
    return _store(session, viewer, row, "record")


def correct(session: Session, viewer: Viewer, old: R, new: R) -> R:
    """Store `new` as the correction of `old` with its ledger entry and return it. The owner stays the same.

    Raises Fault as `record` does, and as `check_correction`.
    """
    viewer.require(old.organiser_id)
    ledger.hold(session, old.organiser_id)
    check_correction(session, old, new)
    new.corrects_id = _id(old)
    new.organiser_id = old.organiser_id
    return _store(session, viewer, new, "correct")


def withdraw(session: Session, viewer: Viewer, old: R) -> R:
    """Take a record back: store a void copy that corrects it, with its ledger entry. Faults as `correct`."""
    kept = {column.key: getattr(old, column.key) for column in inspect(type(old)).mapper.column_attrs}
    for name in ("id", "recorded_at", "recorded_by", "corrects_id"):
        del kept[name]
    return correct(session, viewer, old, type(old)(**{**kept, "void": True}))


def check_correction(session: Session, old: R, new: R) -> None:
    """Raise the Fault why `new` may not correct `old`; bulk writers call it for each row.

    `record.other_kind`; `record.already_corrected` (correct the correction); `record.ban_stands` (a ban for
    life is undone only by `revoke_ban`, so its correction must still ban the same expert for life, from no
    later day); `record.ban_revoked` (a revocation names it).
    """
    if type(old) is not type(new):
        raise Fault("record.other_kind", _place(old), new=type(new).__name__)
    table: Any = type(old)
    if (by := session.scalar(select(table.id).where(table.corrects_id == _id(old)))) is not None:
        raise Fault("record.already_corrected", _place(old), by=by)
    if isinstance(old, Discipline) and isinstance(new, Discipline):
        _check_ban(session, old, new)


def revoke_ban(
    session: Session, viewer: Viewer, ban: Discipline, *, holds_on: date, basis: str
) -> Discipline:
    """Record that a ban is revoked from `holds_on` on, on the authority of `basis`, with its ledger entry.

    Raises Fault: `viewer.not_yours`, `record.not_a_ban`, `record.already_corrected`, `record.ban_revoked`,
    `record.revoked_before_ban`, `record.no_basis`, and as `record` does.
    """
    viewer.require(ban.organiser_id)
    ledger.hold(session, ban.organiser_id)
    place = _place(ban)
    if ban.sanction is not Sanction.BAN or ban.void:
        raise Fault("record.not_a_ban", place)
    if not basis.strip():
        raise Fault("record.no_basis", place)
    if holds_on < ban.holds_on:
        raise Fault("record.revoked_before_ban", place, revoked=holds_on, banned=ban.holds_on)
    if (by := session.scalar(select(Discipline.id).where(Discipline.corrects_id == ban.id))) is not None:
        raise Fault("record.already_corrected", place, by=by)
    if (by := _revocation(session, ban)) is not None:
        raise Fault("record.ban_revoked", place, by=by)
    revocation = Discipline(
        expert_id=ban.expert_id,
        organiser_id=ban.organiser_id,
        sanction=Sanction.REVOCATION,
        holds_on=holds_on,
        until=None,
        basis=basis,
        revokes_id=ban.id,
    )
    return _store(session, viewer, revocation, "revoke_ban")


def _check_ban(session: Session, old: Discipline, new: Discipline) -> None:
    if old.sanction is not Sanction.BAN:
        return
    if (by := _revocation(session, old)) is not None:
        raise Fault("record.ban_revoked", _place(old), by=by)
    still_banned = (
        new.sanction is Sanction.BAN
        and not new.void
        and new.until is None
        and new.expert_id == old.expert_id
        and new.holds_on <= old.holds_on
    )
    if old.until is None and not still_banned:
        raise Fault("record.ban_stands", _place(old))


def _revocation(session: Session, ban: Discipline) -> int | None:
    """The id of a standing revocation of this ban."""
    return session.scalar(
        select(Discipline.id).where(Discipline.revokes_id == ban.id, standing(Discipline)).limit(1)
    )


def _store(session: Session, viewer: Viewer, row: R, action: str) -> R:
    viewer.require(row.organiser_id)
    now = clock.now()
    if row.recorded_at is None:
        row.recorded_at = now
    row.recorded_by = viewer.actor
    _check_dates(row, now)
    insert_one(session, row)  # type: ignore[arg-type]
    ledger.append(
        session,
        organiser_id=row.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=_place(row),
        payload={"corrects": row.corrects_id},
        rows=[row],  # type: ignore[list-item]
        at=now,
    )
    return row


def _check_dates(row: Recorded, now: datetime) -> None:
    place, today = type(row).__name__.lower(), clock.today()
    if row.holds_on > today and not isinstance(row, Absence):
        raise Fault("record.future", place, holds_on=row.holds_on, today=today)
    if row.recorded_at > now:
        raise Fault("record.known_later", place, recorded_at=row.recorded_at, now=now)
    for start in ("since", "holds_on"):
        since, until = getattr(row, start, None), getattr(row, "until", None)
        if hasattr(row, start) and since is not None and until is not None and until < since:
            raise Fault("record.ends_before_start", place, start=since, until=until)
        if hasattr(type(row), "since"):
            break  # a relation's span is its own; `holds_on` is only the day it was declared


def _id(row: Recorded) -> int:
    identity: int = row.id  # type: ignore[attr-defined]
    return identity


def _place(row: Recorded) -> str:
    table: str = row.__tablename__  # type: ignore[attr-defined]
    return f"{table}/{row.id}" if getattr(row, "id", None) else table  # type: ignore[attr-defined]
