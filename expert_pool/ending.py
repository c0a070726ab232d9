"""Whose term or training ends soon, for the desk of an office: read from an index by the last day, one statement each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from expert_pool.directory import seen
from expert_pool.registry import Expert, Membership, Pool, Step, Training
from expert_pool.viewer import Viewer, visible

USUAL_DAYS = 60
"""So many days ahead are looked at where nobody says otherwise."""
COUNTED = 200
"""So many are counted at most: beyond that the desk says that there are more."""


# Made once: their columns cost more than what is asked of them.
_LATER, _MEMBER = aliased(Membership), aliased(Membership)
_LONGER = aliased(Training)


class What(StrEnum):
    """What of an expert may end."""

    TERMS = "terms"
    TRAININGS = "trainings"


@dataclass(frozen=True, slots=True)
class Ends:
    """An expert whose term in a pool, or whose training, has its last day on `until`; `about` is the pool or the course."""

    row: int
    until: date
    code: str
    name: str
    about: str


def how_many_end(
    session: Session, viewer: Viewer, what: What, today: date, days: int = USUAL_DAYS
) -> tuple[int, date | None]:
    """How many end from `today` on within `days` (at most `COUNTED` are counted), and the first of their days (None: none
    does)."""
    found = _ending(viewer, what, today, days).limit(COUNTED).subquery()
    many, first = session.execute(select(func.count(), func.min(found.c.until))).one()
    return many, first


def that_end(
    session: Session,
    viewer: Viewer,
    what: What,
    today: date,
    days: int = USUAL_DAYS,
    *,
    after: tuple[date, int] | None = None,
    limit: int = 50,
) -> list[Ends]:
    """They themselves, by last day; `after`: the day and the row of the last one that was shown."""
    table = Membership if what is What.TERMS else Training
    statement = _ending(
        viewer, what, after[0] if after else today, days - (after[0] - today).days if after else days
    )
    if after is not None:
        day, row = after
        statement = statement.where(or_(table.until > day, table.id > row))
    rows = session.execute(statement.limit(limit))
    return [Ends(row.row, row.until, row.code, row.name, row.about) for row in rows]


def _ending(viewer: Viewer, what: What, today: date, days: int) -> Select[Any, *tuple[Any, ...]]:
    """The records that count, have their last day in that time and are followed by none that lasts longer."""
    inside = (today, today + timedelta(days=days))
    if what is What.TERMS:
        later = _LATER
        followed = exists().where(
            later.expert_id == Membership.expert_id,
            later.pool_id == Membership.pool_id,
            later.id != Membership.id,
            or_(
                later.corrects_id == Membership.id,
                later.void.is_(False)
                & or_(
                    later.holds_on > Membership.holds_on,
                    (later.holds_on == Membership.holds_on) & (later.id > Membership.id),
                ),
            ),
        )
        return (
            select(
                Membership.id.label("row"),
                Membership.until,
                Expert.code,
                Expert.name,
                Pool.name.label("about"),
            )
            .join(Expert, Expert.id == Membership.expert_id)
            .join(Pool, Pool.id == Membership.pool_id)
            .where(
                Membership.until.between(*inside),
                Membership.step == Step.ADMITTED,
                Membership.void.is_(False),
                ~followed,
                _owned(viewer, Membership),
            )
            .order_by(Membership.until, Membership.id)
        )
    longer, member = _LONGER, _MEMBER
    followed = exists().where(
        longer.expert_id == Training.expert_id,
        longer.id != Training.id,
        or_(
            longer.corrects_id == Training.id,
            longer.void.is_(False)
            & longer.passed.is_(True)
            & or_(
                longer.until > Training.until, (longer.until == Training.until) & (longer.id > Training.id)
            ),
        ),
    )
    sits = exists().where(
        member.expert_id == Training.expert_id,
        member.step == Step.ADMITTED,
        member.void.is_(False),
        or_(member.until.is_(None), member.until >= today),
        *visible(viewer, member),
    )
    return (
        select(
            Training.id.label("row"),
            Training.until,
            Expert.code,
            Expert.name,
            Training.course.label("about"),
        )
        .join(Expert, Expert.id == Training.expert_id)
        .where(
            Training.until.between(*inside),
            Training.passed.is_(True),
            Training.void.is_(False),
            ~followed,
            sits,
            _owned(viewer, Training),
            *seen(viewer),
        )
        .order_by(Training.until, Training.id)
    )


def _owned(viewer: Viewer, table: Any) -> ColumnElement[bool]:
    """As `visible`, asked of each row that was found by its day: so the index of the days is read in its order."""
    row = _row_of(table)
    return exists().where(row.id == table.id, *visible(viewer, row))


@cache
def _row_of(table: Any) -> Any:
    return aliased(table)
