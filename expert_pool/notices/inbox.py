"""Reading notices inside the house, and how their deliveries stand. Access is in the statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.keys import Key
from expert_pool.notices.letter import Letter, letter
from expert_pool.notices.rules import Rules, load_rules
from expert_pool.registry import DeliveryState, Medium, Notice, NoticeDelivery, Organiser
from expert_pool.viewer import Viewer
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Read:
    """A notice as faces show it. `office`: the code of the organiser it went to, None for one's own. `letter` None: what
    it said was forgotten."""

    code: str
    kind: str
    at: datetime
    read_at: datetime | None
    office: str | None
    letter: Letter | None


def own_notices(account_id: int, expert_id: int | None) -> Select[Any]:
    """The statement of the notices to an account, and to the expert it stands for: `Notice`, office code (null)."""
    return _notices().where(_own(account_id, expert_id))


def office_notices(asks: Principal, rules: Rules | None = None) -> Select[Any]:
    """The statement of the notices to offices that somebody may read: `Notice`, code of the organiser."""
    return _notices().where(may_read(asks, rules))


def may_read(asks: Principal, rules: Rules | None = None) -> ColumnElement[bool]:
    """The condition that a notice went to an office whose notices of its kind somebody may read: the rules name the
    right for each kind, and it must reach the office."""
    kinds: dict[Right, list[str]] = {}
    for name, rule in (rules or load_rules()).kinds.items():
        kinds.setdefault(rule.reads, []).append(name)
    ways: list[ColumnElement[bool]] = [
        and_(Notice.kind.in_(names), *reaching(asks.viewer(right)))
        for right, names in kinds.items()
        if asks.may(right)
    ]
    return and_(Notice.office_id.is_not(None), or_(false(), *ways))


def reaching(viewer: Viewer) -> list[ColumnElement[bool]]:
    """The condition that a notice went to an office the viewer sees."""
    return [] if viewer.organisers is None else [Notice.office_id.in_(viewer.organisers)]


def shown(key: Key, notice: Notice, office: str | None, language: str) -> Read:
    """A notice in a language."""
    words: Letter | None = None
    if notice.params_sealed is not None:
        words = letter(notice.kind, json.loads(key.open(notice.params_sealed)), language)
    return Read(notice.code, notice.kind, notice.at, notice.read_at, office, words)


def find_notice(session: Session, asks: Principal, code: str) -> tuple[Notice, str | None]:
    """One of the notices somebody may read, and the office it went to. Raises Fault `notices.notice_unknown`."""
    mine = _own(asks.account_id, asks.expert_id)
    row = session.execute(_notices().where(Notice.code == code, or_(mine, may_read(asks)))).one_or_none()
    if row is None:
        raise Fault("notices.notice_unknown", code)
    return row[0], row[1]


def mark_read(session: Session, asks: Principal, code: str) -> None:
    """Note that a notice of one's own was read. Raises Fault `notices.notice_unknown`."""
    mine = _own(asks.account_id, asks.expert_id)
    found = session.scalar(select(Notice.id).where(Notice.code == code, mine))
    if found is None:
        raise Fault("notices.notice_unknown", code)
    unread = update(Notice).where(Notice.id == found, Notice.read_at.is_(None))
    session.execute(unread.values(read_at=clock.now()))


def deliveries() -> Select[Any]:
    """The statement of all deliveries, without what they say or to whom: `NoticeDelivery`, code and kind of the
    notice."""
    statement: Any = select(NoticeDelivery, Notice.code, Notice.kind)
    joined: Select[Any] = statement.join(Notice, Notice.id == NoticeDelivery.notice_id)
    return joined


def backlog(session: Session) -> Mapping[tuple[Medium, DeliveryState], int]:
    """How many deliveries wait and how many were given up, by medium."""
    states = (DeliveryState.WAITING, DeliveryState.DEAD)
    rows = session.execute(
        select(NoticeDelivery.medium, NoticeDelivery.state, func.count())
        .where(NoticeDelivery.state.in_(states))
        .group_by(NoticeDelivery.medium, NoticeDelivery.state)
    )
    return {(Medium(medium), DeliveryState(state)): count for medium, state, count in rows}


def _own(account_id: int, expert_id: int | None) -> ColumnElement[bool]:
    mine = Notice.account_id == account_id
    return mine if expert_id is None else or_(mine, Notice.expert_id == expert_id)


def _notices() -> Select[Any]:
    statement: Any = select(Notice, Organiser.code)
    joined: Select[Any] = statement.outerjoin(Organiser, Organiser.id == Notice.office_id)
    return joined
