"""Rows of the registry as aligned integer arrays: the way in for everything that touches a whole pool.

Each column is packed into one text by the database and unpacked by numpy, which is several times faster than
tuples; all columns of a statement are packed in the same pass. Dates come as days since 1970-01-01, truths as 0 and 1, words as their place in a list, nothing as MISSING.
Rows come in no order: whoever needs one sorts, or takes the best row per expert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import Case, ColumnElement, Date, Text, case, func, literal_column, not_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from expert_pool.registry import Membership
from solver.facts import EPOCH, MISSING, Ints, day

Arrays = dict[str, Ints]
Words = dict[str, list[str]]

_BETWEEN = "\x1f"
_NO_DAY = "0000-00-00"
_LOWEST = np.iinfo(np.int64).min


class _Packed(FunctionElement[str]):
    """A column of all rows as one text, the values divided by commas."""

    inherit_cache = True
    type = Text()


class _PackedWords(_Packed):
    """The same, divided by a character that stands in no word."""

    inherit_cache = True


class _Day(FunctionElement[str]):
    """A date as ten characters, whatever the database."""

    inherit_cache = True
    type = Text()


@compiles(_Packed, "sqlite")
def _packed_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)})"


@compiles(_Packed, "postgresql")
def _packed_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"string_agg(cast({compiler.process(element.clauses, **kw)} as text), ',')"


@compiles(_PackedWords, "sqlite")
def _words_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)}, char(31))"


@compiles(_PackedWords, "postgresql")
def _words_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"string_agg(cast({compiler.process(element.clauses, **kw)} as text), chr(31))"


@compiles(_Day, "sqlite")
def _day_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(_Day, "postgresql")
def _day_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **kw)}, 'YYYY-MM-DD')"


def truth(column: Any) -> ColumnElement[int]:
    """A boolean column as 0 and 1."""
    return case((column, 1), else_=0)


def place(column: Any, words: Iterable[StrEnum]) -> ColumnElement[int]:
    """A column of words as each one's place among `words`; MISSING for any other."""
    return case(*((column == word, number) for number, word in enumerate(words)), else_=MISSING)


def fetch(
    session: Session,
    columns: Mapping[str, Any],
    where: Sequence[ColumnElement[bool]] = (),
    words: Mapping[str, Any] | None = None,
) -> tuple[Arrays, Words]:
    """Columns of the rows that fulfil `where`, by the names given and all of one length: integers and dates as
    arrays, `words` as texts (nothing as the empty text)."""
    said = words or {}
    packed: list[Any] = [_packed(column) for column in columns.values()]
    packed += [_PackedWords(func.coalesce(column, "")) for column in said.values()]
    row = session.execute(select(func.count(), *packed).where(*where)).one()
    count, values = row[0], dict(zip([*columns, *said], row[1:], strict=True))
    arrays = {
        name: (_days if _is_date(column) else _integers)(values[name], count)
        for name, column in columns.items()
    }
    texts = {name: values[name].split(_BETWEEN) if count else [] for name in said}
    assert all(len(column) == count for column in (*arrays.values(), *texts.values()))
    return arrays, texts


def _is_date(column: Any) -> bool:
    return isinstance(column.type, Date)


def _packed(column: Any) -> _Packed:
    """Something stands for nothing wherever there may be nothing, since packing leaves it out."""
    dated = _is_date(column)
    read = _Day(column) if dated else column
    always = not getattr(column, "nullable", True) or (isinstance(column, Case) and column.else_ is not None)
    nothing: ColumnElement[str] = literal_column(f"'{_NO_DAY}'" if dated else str(MISSING))
    return _Packed(read if always else func.coalesce(read, nothing))


def _integers(text: str | None, count: int) -> Ints:
    return np.fromstring(text, dtype=np.int64, count=count, sep=",") if text else np.empty(0, dtype=np.int64)


def _days(text: str | None, count: int) -> Ints:
    """Dates of ten characters, divided by commas, as days."""
    if not text:
        return np.empty(0, dtype=np.int64)
    digits = np.frombuffer(f"{text},".encode(), dtype=np.uint8).reshape(count, 11).T.astype(np.int32) - ord(
        "0"
    )
    year = ((digits[0] * 10 + digits[1]) * 10 + digits[2]) * 10 + digits[3]
    month, in_month = digits[5] * 10 + digits[6], digits[8] * 10 + digits[9]
    before = year - (month <= 2)  # years begin in March here, so that the leap day comes last
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + in_month - 1
    since_march_0 = before * 365 + before // 4 - before // 100 + before // 400 + in_year
    return np.where(year == 0, MISSING, since_march_0.astype(np.int64) - 719468)


@dataclass(frozen=True, slots=True)
class Scope:
    """The experts looked at: `ids` in their order. `pool_id` when they are (about) all who passed through a pool."""

    ids: Ints
    pool_id: int | None = None
    whole: bool = False
    """True when most of the registry is in it, so that reading every row is the shortest way."""

    def __len__(self) -> int:
        return len(self.ids)

    def fetch(
        self,
        session: Session,
        table: Any,
        columns: Mapping[str, Any],
        *,
        known_at: datetime,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> Arrays:
        """Columns of the records of these experts known at a moment, with `expert` (index here) and `row` (id)."""
        rows, _ = fetch(
            session,
            {"expert": table.expert_id, "row": table.id, **columns},
            [*self.narrow(table.expert_id), table.recorded_at <= known_at, not_(table.void), *where],
        )
        return self.only(rows_where_standing(session, table, rows, known_at))

    def narrow(self, column: Any) -> list[ColumnElement[bool]]:
        """Conditions that keep foreign rows away where that is worth it; `only` drops the rest."""
        if self.whole:
            return []
        if self.pool_id is None:
            return [column.in_(self.ids.tolist())]
        return [column.in_(select(Membership.expert_id).where(Membership.pool_id == self.pool_id))]

    def only(self, rows: Arrays) -> Arrays:
        """The rows of experts in scope, their ids in `expert` replaced by indices."""
        index = self.index(rows["expert"])
        inside = index >= 0
        if inside.all():
            return {**rows, "expert": index}
        return {name: (index if name == "expert" else values)[inside] for name, values in rows.items()}

    def index(self, ids: Ints) -> Ints:
        """The index of each id, -1 for an expert who is not in scope."""
        if not len(self.ids) or not len(ids):
            return np.full(len(ids), -1, dtype=np.int64)
        at = np.full(int(max(self.ids.max(), ids.max())) + 1, -1, dtype=np.int64)
        at[self.ids] = np.arange(len(self.ids))
        found: Ints = at[ids]
        return found


def rows_where_standing(session: Session, table: Any, rows: Arrays, known_at: datetime) -> Arrays:
    """Of rows known at a moment and not void, those that no row known then corrects: with the conditions on the
    first two, the same as `records.standing`, but several times faster over a whole table."""
    named = table.corrects_id > 0  # unlike "is not null", this is looked up in the index
    later = select(table.corrects_id).where(named, table.recorded_at <= known_at)
    corrected = session.scalars(later).all()
    return rows_where(rows, ~np.isin(rows["row"], corrected)) if corrected else rows


def best_row(size: int, owner: Ints, *keys: Ints) -> Ints:
    """Per owner 0..size-1 the row with the greatest keys, the first key first; -1 for an owner without rows."""
    rows = np.arange(len(owner))
    for key in keys:
        top = np.full(size, _LOWEST)
        np.maximum.at(top, owner[rows], key[rows])
        rows = rows[key[rows] == top[owner[rows]]]
    best = np.full(size, -1, dtype=np.int64)
    best[owner[rows]] = rows
    return best


def take(values: Ints, rows: Ints) -> Ints:
    """`values[rows]`, MISSING where a row is -1."""
    if not len(values):
        return np.full(len(rows), MISSING, dtype=np.int64)
    return np.where(rows >= 0, values[rows], MISSING)


def mapped(ids: Ints, by: Mapping[int, int]) -> Ints:
    """What `by` says of each id; MISSING where it says nothing."""
    known = np.array(sorted(by), dtype=np.int64)
    at = np.full(int(max(known.max(initial=0), ids.max(initial=0))) + 1, MISSING, dtype=np.int64)
    at[known] = [by[i] for i in known.tolist()]
    return take(at, np.where(ids == MISSING, -1, ids))


def distinct(ids: Ints) -> list[int]:
    """The ids that occur, in order; ids are not negative, MISSING is left out."""
    at = np.zeros(int(ids.max(initial=0)) + 1, dtype=bool)
    at[ids[ids != MISSING]] = True
    found: list[int] = at.nonzero()[0].tolist()
    return found


def rows_where(rows: Arrays, keep: Any) -> Arrays:
    """The rows of a mask."""
    return {name: values[keep] for name, values in rows.items()}


def full_years(since: Ints, on: date) -> Ints:
    """Whole years from each day until `on`, as birthdays count them; MISSING stays."""
    then = np.where(since == MISSING, 0, since)
    year, month, in_month = _calendar(then)
    before = (month > on.month) | ((month == on.month) & (in_month > on.day))
    return np.where(since == MISSING, MISSING, on.year - year - before)


def add_years(since: Ints, years: int) -> Ints:
    """The same day `years` later (29 February becomes 1 March); MISSING stays."""
    then = np.where(since == MISSING, 0, since)
    _, _, in_month = _calendar(then)
    months = then.astype("datetime64[D]").astype("datetime64[M]") + np.timedelta64(12 * years, "M")
    later = months.astype("datetime64[D]").astype(np.int64) + in_month - 1
    return np.where(since == MISSING, MISSING, later)


def years_after(since: date, years: int) -> date:
    """The last day of so many whole years that begin on a day."""
    return as_date(int(add_years(np.array([day(since)]), years)[0]) - 1)


def as_date(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(EPOCH.toordinal() + number)


def _calendar(since: Ints) -> tuple[Ints, Ints, Ints]:
    on = since.astype("datetime64[D]")
    months = on.astype("datetime64[M]")
    number = months.astype(np.int64)
    in_month = (on - months.astype("datetime64[D]")).astype(np.int64) + 1
    return number // 12 + 1970, number % 12 + 1, in_month
