"""Rows of the registry as aligned integer arrays: the way in for everything that touches a whole pool.

Each column is packed into one text by the database and unpacked by numpy, which is several times faster than
tuples; all columns of a statement are packed in the same pass. Dates come as days since 1970-01-01, truths as 0 and 1, words as their place in a list, nothing as MISSING.
Rows come in no order: whoever needs one sorts, or takes the best row per expert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import (
    Case,
    ColumnElement,
    Date,
    Select,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from expert_pool.packing import NO_DAY, Day, Listed, NoDay, Packed, PackedWords
from expert_pool.registry import Membership
from expert_pool.statements import kept as kept
from expert_pool.statements import select_rows as select_rows
from expert_pool.viewer import Viewer, counted
from expert_pool.years import add_years as add_years
from expert_pool.years import as_date as as_date
from expert_pool.years import full_years as full_years
from expert_pool.years import years_after as years_after
from solver.facts import MISSING, Ints, Mask, day

Arrays = dict[str, Ints]
Words = dict[str, list[str]]

_BETWEEN = "\x1f"
_LOWEST = np.iinfo(np.int64).min
_FEW = 16
"""Up to so many values plain Python is quicker than numpy."""
_NAMED = 500
"""Up to so many rows are named when their corrections are looked up."""


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
    return unpacked(session, packing(columns, said).where(*where), columns, said)


def packing(columns: Mapping[str, Any], words: Mapping[str, Any] | None = None) -> Select[Any]:
    """The statement `fetch` runs, before its conditions; `unpacked` runs it. For those who keep a statement, since
    building one takes longer than running it for one expert."""
    packed: list[Any] = [_packed(column) for column in columns.values()]
    packed += [PackedWords(func.coalesce(column, "")) for column in (words or {}).values()]
    return select(func.count(), *packed)


def unpacked(
    session: Session,
    statement: Select[Any],
    columns: Mapping[str, Any],
    words: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
) -> tuple[Arrays, Words]:
    """What a statement of `packing` finds, as `fetch` gives it; `given` are the values of its parameters."""
    row = select_rows(session, statement, given).one()
    dated = _dated.get(statement)
    if dated is None:
        dated = _dated[statement] = dated_of(columns)
    return arrays_of(session, row, columns, dated, words)


def dated_of(columns: Mapping[str, Any]) -> tuple[bool, ...]:
    """Which columns are dates."""
    return tuple(map(_is_date, columns.values()))


def arrays_of(
    session: Session,
    row: Sequence[Any],
    columns: Mapping[str, Any],
    dated: Sequence[bool],
    words: Mapping[str, Any] | None,
) -> tuple[Arrays, Words]:
    """The packed row of a statement of `packing` as `fetch` gives it."""
    written = session.bind is not None and session.bind.dialect.name == "sqlite"
    count = row[0]
    arrays = {
        name: (_days if written and is_date else _integers)(text, count)
        for name, is_date, text in zip(columns, dated, row[1:], strict=False)
    }
    if not words:
        return arrays, {}
    texts = zip(words, row[1 + len(arrays) :], strict=True)
    said = {name: text.split(_BETWEEN) if count else [] for name, text in texts}
    assert all(len(column) == count for column in said.values())
    return arrays, said


_dated: WeakKeyDictionary[Any, tuple[bool, ...]] = WeakKeyDictionary()
"""Of statements, which of their columns are dates: asking the columns takes longer than reading one row."""


def _is_date(column: Any) -> bool:
    return isinstance(column.type, Date)


def _packed(column: Any) -> Packed:
    """Something stands for nothing wherever there may be nothing, since packing leaves it out."""
    dated = _is_date(column)
    read = Day(column) if dated else column
    always = not getattr(column, "nullable", True) or (isinstance(column, Case) and column.else_ is not None)
    if always:
        return Packed(read)
    return Packed(func.coalesce(read, NoDay() if dated else literal_column(str(MISSING))))


def _integers(text: str | None, count: int) -> Ints:
    return np.fromstring(text, dtype=np.int64, count=count, sep=",") if text else np.empty(0, dtype=np.int64)


def _days(text: str | None, count: int) -> Ints:
    """Dates of ten characters, divided by commas, as days."""
    if not text:
        return np.empty(0, dtype=np.int64)
    if count <= _FEW:
        few = text.split(",")
        return np.array([MISSING if t == NO_DAY else day(date.fromisoformat(t)) for t in few], dtype=np.int64)
    digits = np.frombuffer(f"{text},".encode(), dtype=np.uint8).reshape(count, 11).T.astype(np.int32) - ord(
        "0"
    )
    year = ((digits[0] * 10 + digits[1]) * 10 + digits[2]) * 10 + digits[3]
    month, in_month = digits[5] * 10 + digits[6], digits[8] * 10 + digits[9]
    before = year - (month <= 2)  # years begin in March here, so that the leap day comes last
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + in_month - 1
    since_march_0 = before * 365 + before // 4 - before // 100 + before // 400 + in_year
    return np.where(year == 0, MISSING, since_march_0.astype(np.int64) - 719468)


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """Columns of a table of records of experts, and which rows count. Keep it: its statements are built once.

    Conditions may hold parameters (`bindparam`) beside `known_at`; give their values to `Scope.read`.
    """

    table: Any
    columns: Mapping[str, Any]
    where: tuple[ColumnElement[bool], ...] = ()
    named: Mapping[str, Any] = field(init=False, repr=False)
    """The columns, with `expert` (id) and `row` (id)."""
    _built: dict[str, Select[Any]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        named = {"expert": self.table.expert_id, "row": self.table.id, **self.columns}
        object.__setattr__(self, "named", named)

    def counting(self, viewer: Viewer) -> Reading:
        """The same for the rows that count for a verdict the viewer is given: of records about experts, all."""
        where = () if hasattr(self.table, "expert_id") else counted(viewer, self.table)
        return Reading(self.table, self.columns, (*self.where, *where)) if where else self

    def statement(self, kind: str) -> Select[Any]:
        """For experts named `one` by one, `some` or all of a `pool`, or for the `whole` table: what was known at
        `known_at` and is not void; for one expert also what no row known then corrects."""
        if kind not in self._built:
            self._built[kind] = packing(self.named).where(*self.conditions(kind))
        return self._built[kind]

    def conditions(self, kind: str) -> list[ColumnElement[bool]]:
        """The conditions of `statement`."""
        expert = self.table.expert_id
        known: ColumnElement[Any] = bindparam("known_at")
        where = [self.table.recorded_at <= known, not_(self.table.void), *self.where, AMONG[kind](expert)]
        if kind == "one":
            later = aliased(self.table)
            where.append(~exists().where(later.corrects_id == self.table.id, later.recorded_at <= known))
        return where


def _members(pool: Any) -> Select[int]:
    return select(Membership.expert_id).where(Membership.pool_id == pool)


def among(column: Any, ids: Ints) -> ColumnElement[bool]:
    """A condition that keeps rows of other experts away where an index lets it; drop the rest yourself."""
    return Listed(column, _text(ids), true())


def _text(ids: Ints) -> str:
    return ",".join(map(str, ids.tolist()))


AMONG: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "one": lambda column: column == bindparam("experts"),
    "some": lambda column: column.in_(bindparam("experts", expanding=True)),
    "pool": lambda column: Listed(
        column, bindparam("experts", type_=Text), column.in_(_members(bindparam("pool")))
    ),
    "whole": lambda column: true(),
}
"""By kind of scope, the condition that a column names one of its experts; `Scope.given` has its values."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The experts looked at: `ids` in their order. `pool_id` when they are (about) all who passed through a pool."""

    ids: Ints
    pool_id: int | None = None
    whole: bool = False
    """True when most of the registry is in it, so that reading every row is the shortest way."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> str:
        """How statements find these experts, as `Reading.statement` names it."""
        if self.whole:
            return "whole"
        if self.pool_id is not None:
            return "pool"
        return "one" if len(self.ids) == 1 else "some"

    def read(self, session: Session, reading: Reading, *, known_at: datetime, **given: Any) -> Arrays:
        """The records of these experts known at a moment, with `expert` (index here) and `row` (id). `given`: what
        the conditions of the reading need."""
        kind = self.kind
        values = {**given, "known_at": known_at, **self.given(kind)}
        rows, _ = unpacked(session, reading.statement(kind), reading.named, given=values)
        return self.only(
            rows if kind == "one" else rows_where_standing(session, reading.table, rows, known_at)
        )

    def given(self, kind: str) -> dict[str, Any]:
        """The values that statements of this kind need to find these experts."""
        if kind == "whole":
            return {}
        if kind == "pool":
            return {"pool": self.pool_id, "experts": _text(self.ids)}
        return {"experts": self.ids.tolist() if kind == "some" else int(self.ids[0])}

    def fetch(
        self,
        session: Session,
        table: Any,
        columns: Mapping[str, Any],
        *,
        known_at: datetime,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> Arrays:
        """As `read`, for columns that are asked for here only."""
        return self.read(session, Reading(table, columns, tuple(where)), known_at=known_at)

    def narrow(self, column: Any) -> list[ColumnElement[bool]]:
        """Conditions that keep foreign rows away where that is worth it; `only` drops the rest."""
        if self.whole:
            return []
        if self.pool_id is None:
            return [column.in_(self.ids.tolist())]
        return [Listed(column, _text(self.ids), column.in_(_members(self.pool_id)))]

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
        if len(self.ids) == 1:
            alone: Ints = (ids == self.ids[0]).astype(np.int64) - 1
            return alone
        at = np.full(int(max(self.ids.max(), ids.max())) + 1, -1, dtype=np.int64)
        at[self.ids] = np.arange(len(self.ids))
        found: Ints = at[ids]
        return found


def rows_where_standing(session: Session, table: Any, rows: Arrays, known_at: datetime) -> Arrays:
    """Of rows known at a moment and not void, those that no row known then corrects: with the conditions on the
    first two, the same as `records.standing`, but several times faster over a whole table."""
    if not len(rows["row"]):
        return rows
    named = table.corrects_id > 0  # unlike "is not null", this is looked up in the index
    later = select(table.corrects_id).where(named, table.recorded_at <= known_at)
    if len(rows["row"]) <= _NAMED:
        later = later.where(table.corrects_id.in_(rows["row"].tolist()))
    session.flush()
    corrected = session.connection().scalars(later).all()
    return rows_where(rows, ~np.isin(rows["row"], corrected)) if corrected else rows


def best_row(size: int, owner: Ints, *keys: Ints) -> Ints:
    """Per owner 0..size-1 the row with the greatest keys, the first key first; -1 for an owner without rows."""
    if len(owner) <= _FEW:
        return _best_of_few(size, owner, *keys)
    rows = np.arange(len(owner))
    for key in keys:
        top = np.full(size, _LOWEST)
        np.maximum.at(top, owner[rows], key[rows])
        rows = rows[key[rows] == top[owner[rows]]]
    best = np.full(size, -1, dtype=np.int64)
    best[owner[rows]] = rows
    return best


def _best_of_few(size: int, owner: Ints, *keys: Ints) -> Ints:
    best = np.full(size, -1, dtype=np.int64)
    top: dict[int, tuple[int, ...]] = {}
    for row, (of, *key) in enumerate(zip(owner.tolist(), *(key.tolist() for key in keys), strict=True)):
        if of not in top or tuple(key) >= top[of]:
            top[of], best[of] = tuple(key), row
    return best


def take(values: Ints, rows: Ints) -> Ints:
    """`values[rows]`, MISSING where a row is -1."""
    if not len(values):
        return np.full(len(rows), MISSING, dtype=np.int64)
    return np.where(rows >= 0, values[rows], MISSING)


def mapped(ids: Ints, by: Mapping[int, int]) -> Ints:
    """What `by` says of each id; MISSING where it says nothing."""
    if len(ids) <= _FEW:
        return np.array(
            [MISSING if i == MISSING else by.get(i, MISSING) for i in ids.tolist()], dtype=np.int64
        )
    known = np.array(sorted(by), dtype=np.int64)
    at = np.full(int(max(known.max(initial=0), ids.max(initial=0))) + 1, MISSING, dtype=np.int64)
    at[known] = [by[i] for i in known.tolist()]
    return take(at, np.where(ids == MISSING, -1, ids))


def distinct(ids: Ints) -> list[int]:
    """The ids that occur, in order; ids are not negative, MISSING is left out."""
    if len(ids) <= _FEW:
        return sorted({*ids.tolist()} - {MISSING})
    at = np.zeros(int(ids.max(initial=0)) + 1, dtype=bool)
    at[ids[ids != MISSING]] = True
    found: list[int] = at.nonzero()[0].tolist()
    return found


def one_of(values: Ints, wanted: Sequence[int]) -> Mask:
    """Which values are one of a few wanted ones; quicker than `np.isin`, whatever the size."""
    found: Mask = np.zeros(len(values), dtype=bool)
    for number in wanted:
        found |= values == number
    return found


def rows_where(rows: Arrays, keep: Any) -> Arrays:
    """The rows of a mask."""
    return {name: values[keep] for name, values in rows.items()}
