"""How columns are packed into one text by each database, and how many experts are named to it: the parts of statements
that SQLite and PostgreSQL say differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Integer, Text, any_, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from solver.facts import MISSING

NO_DAY = "0000-00-00"
"""What stands for no date where dates are ten characters."""


class Packed(FunctionElement[str]):
    """A column of all rows as one text, the values divided by commas."""

    inherit_cache = True
    type = Text()


class PackedWords(Packed):
    """The same, divided by a character that stands in no word."""

    inherit_cache = True


class Day(FunctionElement[str]):
    """A date as the database says it fastest: PostgreSQL as days since 1970-01-01, SQLite as ten characters."""

    inherit_cache = True
    type = Text()


@compiles(Packed, "sqlite")
def _packed_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)})"


@compiles(Packed, "postgresql")
def _packed_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"string_agg(cast({compiler.process(element.clauses, **kw)} as text), ',')"


@compiles(PackedWords, "sqlite")
def _words_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)}, char(31))"


@compiles(PackedWords, "postgresql")
def _words_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"string_agg(cast({compiler.process(element.clauses, **kw)} as text), chr(31))"


@compiles(Day, "sqlite")
def _day_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(Day, "postgresql")
def _day_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} - date '1970-01-01')"


class NoDay(FunctionElement[str]):
    """What stands for no date."""

    inherit_cache = True
    type = Text()


@compiles(NoDay, "sqlite")
def _no_day_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"'{NO_DAY}'"


@compiles(NoDay, "postgresql")
def _no_day_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return str(MISSING)


class Listed(FunctionElement[bool]):
    """Whether a column names one of many experts: on PostgreSQL by their ids, one text of them (which the driver writes
    fifty times faster than a list); on SQLite by `otherwise`."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Any, experts: Any, otherwise: ColumnElement[bool]) -> None:
        ids = cast(func.string_to_array(experts, ","), ARRAY(Integer))
        listed = func.array(select(func.unnest(ids)).scalar_subquery())
        super().__init__(otherwise, column == any_(listed))


@compiles(Listed, "sqlite")
def _listed_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses.clauses[0], **kw))


@compiles(Listed, "postgresql")
def _listed_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    """One walk along the index on the experts: a join would make the planner read the whole table, and a list that it
    sees would cost it more to weigh than to look up."""
    return str(compiler.process(element.clauses.clauses[1], **kw))
