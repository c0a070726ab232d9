"""Several small readings as one statement: each is one row of packed columns, so together they are one row.

For one expert, asking costs more than answering; facts read nine tables for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select, true
from sqlalchemy.orm import Session

from expert_pool.columns import arrays_of, dated_of
from expert_pool.statements import AHEAD, ReadAhead, select_rows


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of `columns.packing`, the columns it packs, and the words."""

    statement: Select[Any]
    columns: Mapping[str, Any]
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many columns it gives, the count among them."""
        return 1 + len(self.columns) + len(self.words)


class Bundle:
    """Parts that are read together. Keep it: its statement is built once."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple((part, dated_of(part.columns)) for part in parts)
        self._statement = _together([part.statement for part in parts])

    def read(self, session: Session, given: Mapping[str, Any]) -> ReadAhead:
        """What each part finds; `given` are the values of all parameters."""
        row = select_rows(session, self._statement, given).one()
        found, at = {}, 0
        for part, dated in self._parts:
            values = row[at : at + part.width]
            found[part.statement] = arrays_of(session, values, part.columns, dated, part.words)
            at += part.width
        return ReadAhead(given, found)


@contextmanager
def read_ahead(session: Session, bundle: Bundle, given: Mapping[str, Any]) -> Iterator[None]:
    """Read a bundle; within the block `columns.unpacked` finds in it what is asked of its parts with the same values."""
    session.info[AHEAD] = bundle.read(session, given)
    try:
        yield
    finally:
        del session.info[AHEAD]


def _together(statements: Sequence[Select[Any]]) -> Select[Any]:
    tables = []
    for number, statement in enumerate(statements):
        named = [c.label(f"c{number}_{at}") for at, c in enumerate(statement.selected_columns)]
        tables.append(statement.with_only_columns(*named).subquery(f"part_{number}"))
    source: Any = tables[0]
    for table in tables[1:]:
        source = source.join(table, true())
    return select(*(column for table in tables for column in table.c)).select_from(source)
