"""Everything on record about a single expert that counts for facts, read in one statement: a row each, whatever the kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from expert_pool import attributes, facts, records, sittings
from expert_pool.columns import AMONG, kept, place, select_rows, truth
from expert_pool.region.names import MARK
from expert_pool.registry import Discipline, Expert, Gender, Sanction
from expert_pool.registry.base import Moment
from expert_pool.viewer import Viewer, counted, visible
from solver.facts import MISSING, day


@dataclass(frozen=True, slots=True)
class Behind:
    """A record as it stands in its table, for who may see it."""

    holds_on: date
    recorded_at: datetime


def told_of(session: Session, viewer: Viewer, given: Mapping[str, Any], on: date) -> Told:
    """What is recorded of the expert `experts` (an id) and counts, as known at `known_at`, of the pool `pool`, the title
    `series`, the `season`: the values that `given` must have."""
    return Told(select_rows(session, _all(viewer), given), on)


class Row(NamedTuple):
    """A record: its id, day numbers from when and until when it holds (MISSING: without end), the day itself, and the
    numbers of its kind in the order of its reading."""

    row: int
    day: int
    until: int
    on: date
    a: int
    b: int
    c: int
    d: int


class Told:
    """What was read, by kind and by ascending id."""

    def __init__(self, rows: Sequence[Any], on: date) -> None:
        self.kinds: dict[str, list[Row]] = {}
        self.records: dict[tuple[str, int], Behind | None] = {}
        today = day(on)
        for told in sorted(rows, key=_id):
            kind, row, begins, until, a, b, c, d, known, seen, _, _ = told
            if kind == "person":
                self.person = told
                continue
            if kind == "case":
                self.kinds.setdefault(kind, []).append(Row(row, today, MISSING, on, 0, 0, 0, 0))
                continue
            ends = MISSING if until is None else day(until)
            made = Row(row, day(begins), ends, begins, a, b, c, d)
            self.kinds.setdefault(kind, []).append(made)
            self.records[kind, row] = Behind(begins, known) if seen else None
        self.day = today

    def all(self, kind: str) -> list[Row]:
        return self.kinds.get(kind, [])

    def past(self, kind: str) -> list[Row]:
        """Those that hold on the day."""
        return [row for row in self.all(kind) if row.day <= self.day]

    def lasting(self, kind: str) -> list[Row]:
        """Those that hold on the day and whose end is not past."""
        return [row for row in self.past(kind) if row.until == MISSING or row.until >= self.day]


def _id(row: Any) -> int:
    identity: int = row[1]
    return identity


_SEEN = (
    ("membership", facts.MEMBERSHIPS),
    ("training", attributes.TRAININGS),
    ("credit", attributes.CREDITS),
    ("qualification", attributes.QUALIFICATIONS),
    ("employment", attributes.EMPLOYMENTS),
    ("absence", attributes.ABSENCES),
    ("service", sittings.SERVICES),
)
_NUMBERS = ("a", "b", "c", "d")


@kept
def _all(viewer: Viewer) -> Select[Any]:
    """Everything that is recorded of one of the `experts` and counts, as known at `known_at`: a row each, of the pool
    `pool`, the title `series`, the `season`."""
    person = _part(
        "person",
        Expert.id,
        Expert.born,
        numbers=[place(Expert.gender, tuple(Gender)), truth(Expert.name.contains(MARK))],
        texts=(Expert.code, Expert.pseudonym),
    ).where(Expert.id == bindparam("experts"))
    parts = [person]
    for name, reading in _SEEN:
        counting = reading.counting(viewer)
        table, columns = counting.table, dict(counting.columns)
        on, until = columns.pop("day"), columns.pop("until", None)
        part = _part(
            name, table.id, on, until, [*columns.values()], table.recorded_at, visible(viewer, table)
        )
        parts.append(part.where(*counting.conditions("one")))
    sanctions = [place(Discipline.sanction, SANCTIONS), Discipline.revokes_id]
    mine = visible(viewer, Discipline)
    held = _part(
        "discipline",
        Discipline.id,
        Discipline.holds_on,
        Discipline.until,
        sanctions,
        Discipline.recorded_at,
        mine,
    )
    parts.append(
        held.where(
            records.standing(Discipline, bindparam("known_at")),
            AMONG["one"](Discipline.expert_id),
            *counted(viewer, Discipline),
        )
    )
    case = attributes.APPLICATION["row"]
    parts.append(_part("case", case).where(*attributes.application_conditions(viewer, "one")))
    together = union_all(*parts).subquery("told")
    return select(*together.c)


def _part(
    kind: str,
    row: Any,
    on: Any = None,
    until: Any = None,
    numbers: Sequence[Any] = (),
    known: Any = None,
    seen: Sequence[ColumnElement[bool]] = (),
    texts: tuple[Any, Any] = (None, None),
) -> Select[Any]:
    """One kind of rows in the columns that all kinds share."""
    several = [*numbers, *[None] * (len(_NUMBERS) - len(numbers))]
    columns = [
        literal(kind, Text).label("kind"),
        row.label("row"),
        _or_null(on, Date()).label("day"),
        _or_null(until, Date()).label("until"),
        *(_or_null(number, Integer()).label(name) for name, number in zip(_NUMBERS, several, strict=True)),
        _or_null(known, Moment()).label("known"),
        (truth(and_(*seen)) if seen else literal(1, Integer)).label("seen"),
        _or_null(texts[0], Text()).label("x"),
        _or_null(texts[1], Text()).label("y"),
    ]
    return select(*columns)


def _or_null(column: Any, type_: Any) -> Any:
    return cast(null(), type_) if column is None else column


SANCTIONS = tuple(Sanction)
