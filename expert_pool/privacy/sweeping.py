"""What is over by the retention rules, and letting it go: the scheduled work, and its dry run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.notices.forgetting import forget_before
from expert_pool.privacy.erasure import confirm, drop_salts, plan, propose
from expert_pool.privacy.holds import left_on
from expert_pool.privacy.retention import Retention
from expert_pool.registry import (
    AccountSession,
    Erasure,
    ErasureBasis,
    ErasureState,
    Expert,
    Export,
    Look,
    Membership,
    Notice,
    Table,
)
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault

NOTE = "retention"
_WAITING = frozenset({"privacy.held", "privacy.erasure_open", "privacy.erased_already"})


@dataclass(slots=True)
class Swept:
    """What a sweep did, or would do: codes of experts, and counts of rows. `unstated` kinds have no period."""

    dry_run: bool
    proposed: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    purposes: int = 0
    notes: int = 0
    sessions: int = 0
    notices: int = 0
    unstated: tuple[str, ...] = ()


def sweep(
    store: Store,
    viewer: Viewer,
    rules: Retention,
    *,
    dry_run: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Swept:
    """Let go what the retention rules say is over; doing it twice does no more than once.

    Experts whose time is over get an erasure proposed; where one person is enough it is carried out at once, else
    somebody confirms it. Each expert is a transaction of its own, so that a stop loses nothing.
    """
    found = Swept(dry_run, unstated=rules.unstated)
    today = clock.today()
    period = rules.period("expert")
    before = period.ends_before(today) if period else None
    if before is not None:
        for code in _over(store, today, before):
            if cancelled():
                return found
            _let_go(store, viewer, rules, code, found)
    _blank(store, viewer, rules, "purpose", [Look, Export], "purpose", found)
    _blank(store, viewer, rules, "erasure_note", [Erasure], "note", found)
    _sessions(store, rules, found)
    _notices(store, rules, found)
    return found


def _over(store: Store, today: date, before: date) -> list[str]:
    """The experts who left every pool before a day and are not erased, nor waiting for it."""
    last = func.max(Membership.holds_on)
    begun = select(Erasure.expert_id).where(Erasure.state != ErasureState.REFUSED)
    with store.reading() as session:
        rows = session.execute(
            select(Expert.id, Expert.code)
            .join(Membership, Membership.expert_id == Expert.id)
            .where(Expert.id.not_in(begun))
            .group_by(Expert.id, Expert.code)
            .having(last < before)
            .order_by(Expert.code)
        ).all()
        ended = {row.code: left_on(session, row.id, today) for row in rows}
    return [code for code, day in ended.items() if day is not None and day < before]


def _let_go(store: Store, viewer: Viewer, rules: Retention, code: str, found: Swept) -> None:
    try:
        if found.dry_run:
            with store.reading() as session:
                held = bool(plan(session, viewer, code, rules).holds)
            (found.held if held else found.proposed if rules.two_people else found.erased).append(code)
            return
        with store.session() as session:
            if plan(session, viewer, code, rules).holds:
                found.held.append(code)
                return
            asked = propose(session, viewer, code, basis=ErasureBasis.RETENTION, note=NOTE)
            if rules.two_people:
                found.proposed.append(code)
            else:
                confirm(session, viewer, asked.code, rules)
                found.erased.append(code)
    except Fault as fault:
        if fault.code not in _WAITING:
            raise
        found.held.append(code)


def _blank(
    store: Store,
    viewer: Viewer,
    rules: Retention,
    kind: str,
    tables: list[Any],
    column: str,
    found: Swept,
) -> None:
    """Empty a text column of rows whose time is over, and attest them anew, by organiser."""
    period = rules.period(kind)
    before = period.ends_before(clock.today()) if period else None
    if before is None:
        return
    moment = datetime.combine(before, time(), UTC)
    for table in tables:
        at = table.decided_at if table is Erasure else table.at
        over = select(table).where(at < moment, getattr(table, column) != "")
        with store.reading() if found.dry_run else store.session() as session:
            rows = session.scalars(over.order_by(table.id)).all()
            if kind == "purpose":
                found.purposes += len(rows)
            else:
                found.notes += len(rows)
            if not found.dry_run:
                _blank_rows(session, viewer, rows, column)


def _blank_rows(session: Session, viewer: Viewer, rows: Any, column: str) -> None:
    by_owner: dict[int, list[Table]] = {}
    for row in rows:
        setattr(row, column, "")
        by_owner.setdefault(row.organiser_id, []).append(row)
    for owner, mine in sorted(by_owner.items()):
        entry = ledger.append(
            session,
            organiser_id=owner,
            actor=viewer.actor,
            action="privacy.texts_forgotten",
            subject=str(mine[0].__tablename__),
            payload={"column": column, "rows": len(mine)},
            rows=mine,
        )
        drop_salts(session, {type(mine[0]): [row.id for row in mine]}, entry.id)


def _sessions(store: Store, rules: Retention, found: Swept) -> None:
    period = rules.period("session")
    before = period.ends_before(clock.today()) if period else None
    if before is None:
        return
    moment = datetime.combine(before, time(), UTC)
    over = or_(AccountSession.ended_at < moment, AccountSession.expires_at < moment)
    with store.reading() if found.dry_run else store.session() as session:
        found.sessions = session.scalar(select(func.count(AccountSession.id)).where(over)) or 0
        if not found.dry_run:
            session.execute(delete(AccountSession).where(over))


def _notices(store: Store, rules: Retention, found: Swept) -> None:
    period = rules.period("notice")
    before = period.ends_before(clock.today()) if period else None
    if before is None:
        return
    moment = datetime.combine(before, time(), UTC)
    if found.dry_run:
        over = select(func.count(Notice.id)).where(Notice.at < moment, Notice.params_sealed.is_not(None))
        with store.reading() as session:
            found.notices = session.scalar(over) or 0
        return
    with store.session() as session:
        found.notices = forget_before(session, moment)
