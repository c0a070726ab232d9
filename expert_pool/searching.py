"""Finding a piece of text inside a column, by an index where the database has one for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, null
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean


class _HasCharacters(FunctionElement[bool]):
    """What PostgreSQL's index over the characters of a column answers."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Any, piece: Any) -> None:
        characters = func.string_to_array(column, null())
        super().__init__(characters.op("@>")(func.string_to_array(piece, null())))


@compiles(_HasCharacters)
def _anywhere(element: Any, compiler: Any, **kw: Any) -> str:
    return "1 = 1"


@compiles(_HasCharacters, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses.clauses[0], **kw))


def has_characters(column: Any, piece: Any) -> ColumnElement[bool]:
    """The condition that every character of a piece (a text or a parameter) occurs in a column of the index over
    characters; put it beside `like`. It is always true on other databases, where nothing is quicker than to look for the
    piece itself."""
    return _HasCharacters(column, piece)
