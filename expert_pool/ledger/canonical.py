"""A stored row as canonical JSON, the same on every database, and its salted hash.

Null columns are left out, so that a later nullable column does not change the hash of older rows. A migration
that adds a column with a value, renames or drops one must have the ledger attest the rows anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import Boolean, Select, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from expert_pool.registry import Table

SALT_BYTES = 16
_CHUNK = 5_000

Raw: TypeAlias = Sequence[Any]
"""One row as the driver gives it: the columns of `columns(table)` in that order."""


def encode(value: object) -> bytes:
    """Canonical JSON in UTF-8: sorted keys, no spaces. Takes what JSON takes, dates, moments, bytes and
    enums.
    """
    return _sorted_json(value).encode("utf-8", "surrogatepass")


def salted(salt: bytes, value: object) -> str:
    """The hash of a salt and the canonical JSON of a value."""
    return sha256(salt + encode(value)).hexdigest()


def salts(count: int) -> list[bytes]:
    """`count` fresh random salts."""
    pool = os.urandom(SALT_BYTES * count)
    return [pool[start : start + SALT_BYTES] for start in range(0, len(pool), SALT_BYTES)]


def columns(table: type[Table]) -> list[str]:
    """The column names of a table in canonical order."""
    return sorted(column.name for column in table.__table__.columns)


class RowCoder:
    """Turns raw rows of one table, as `raw_select` gives them, into what is hashed."""

    def __init__(self, table: type[Table]) -> None:
        self._names = columns(table)
        self._start = f"[{json.dumps(table.__tablename__)},"
        stored = table.__table__.columns
        self._flags = [at for at, name in enumerate(self._names) if isinstance(stored[name].type, Boolean)]
        self.id = self._names.index("id")
        """Where in a raw row its id stands."""

    def fields(self, row: Raw) -> dict[str, Any]:
        """The row's columns that are not null, in canonical order."""
        if self._flags:
            values = list(row)
            for at in self._flags:
                if type(values[at]) is int and values[at] in (0, 1):  # SQLite keeps truth as 0 and 1
                    values[at] = bool(values[at])
            row = values
        return {name: value for name, value in zip(self._names, row, strict=True) if value is not None}

    def hash(self, row: Raw, salt: bytes) -> str:
        """The salted hash of canonical `[table, fields]`."""
        text = f"{self._start}{_json(self.fields(row))}]"
        return sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def raw_select(table: type[Table], names: tuple[str, ...] = ()) -> Select[Any, *tuple[Any, ...]]:
    """Selects what is stored, past every conversion, so that a changed byte is a changed value.

    The columns `names`, or all of them in canonical order.
    """
    stored = table.__table__.columns
    return select(*(type_coerce(stored[name], NullType()).label(name) for name in names or columns(table)))


def raw_rows(session: Session, table: type[Table], ids: Sequence[int]) -> Iterator[Raw]:
    """The stored rows with these ascending ids; ids without a row are left out."""
    identity = table.__table__.columns["id"]
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        among = (
            identity.between(chunk[0], chunk[-1])
            if chunk[-1] - chunk[0] + 1 == len(chunk)
            else identity.in_(chunk)
        )
        yield from session.execute(raw_select(table).where(among).order_by(identity))


@contextmanager
def any_bytes(session: Session) -> Iterator[None]:
    """Let SQLite hand over text that is not UTF-8 any more, instead of failing on it."""
    driver: Any = session.connection().connection.driver_connection
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    before = driver.text_factory
    driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):  # in UTC, written as SQLite stores it
        moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": bytes(value).hex()}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _encoder(sort_keys: bool) -> Callable[[object], str]:
    return json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys, default=_plain
    ).encode


_json = _encoder(sort_keys=False)
_sorted_json = _encoder(sort_keys=True)
