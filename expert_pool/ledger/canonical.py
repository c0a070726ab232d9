"""A stored row as canonical JSON, the same on every database, and its salted hash.

Null columns are left out, so that a later nullable column does not change the hash of older rows. A migration
that adds a column with a value, renames or drops one must have the ledger attest the rows anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Boolean, Numeric, Select, bindparam, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from expert_pool.registry import UNATTESTED, Table
from expert_pool.statements import select_rows

SALT_BYTES = 16
_CHUNK = 5_000
_AS_JSON = (
    orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
)

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
    """The names of the columns that the ledger speaks for, in canonical order: all but those marked `UNATTESTED`."""
    return sorted(column.name for column in table.__table__.columns if not column.info.get(UNATTESTED))


class RowCoder:
    """Turns raw rows of one table, as `raw_select` gives them, into what is hashed.

    The text is that of `json`; where orjson is known to write the same, it writes it, in a third of the time: always but
    for floats, numbers beyond 64 bits, and halves of characters.
    """

    def __init__(self, table: type[Table]) -> None:
        names = columns(table)
        stored = table.__table__.columns
        self._names = names
        self._start = f"[{json.dumps(table.__tablename__)},".encode()
        self._flags = [at for at, name in enumerate(names) if isinstance(stored[name].type, Boolean)]
        self._floats = any(isinstance(stored[name].type, Numeric) for name in names)
        self.id = names.index("id")
        """Where in a raw row its id stands."""

    def fields(self, row: Raw) -> dict[str, Any]:
        """The row's columns that are not null, in canonical order."""
        fields = {name: value for name, value in zip(self._names, row, strict=True) if value is not None}
        for at in self._flags:
            value = row[at]
            if type(value) is int and 0 <= value <= 1:  # SQLite keeps truth as 0 and 1
                fields[self._names[at]] = value == 1
        return fields

    def text(self, fields: dict[str, Any]) -> bytes:
        """Canonical JSON of a row's fields, or of some of them."""
        if not self._floats:
            with suppress(TypeError):
                return orjson.dumps(fields, default=_plain, option=_AS_JSON)
        return _json(fields).encode("utf-8", "surrogatepass")

    def hash(self, row: Raw, salt: bytes) -> str:
        """The salted hash of canonical `[table, fields]`."""
        return sha256(b"".join((salt, self._start, self.text(self.fields(row)), b"]"))).hexdigest()


@cache
def coder_of(table: type[Table]) -> RowCoder:
    """The coder of a table, made once."""
    return RowCoder(table)


@cache
def raw_select(table: type[Table], names: tuple[str, ...] = ()) -> Select[Any, *tuple[Any, ...]]:
    """Selects what is stored, past every conversion, so that a changed byte is a changed value.

    The columns `names`, or all of them in canonical order.
    """
    stored = table.__table__.columns
    return select(*(type_coerce(stored[name], NullType()).label(name) for name in names or columns(table)))


def raw_rows(session: Session, table: type[Table], ids: Sequence[int]) -> Iterator[Raw]:
    """The stored rows with these ascending ids; ids without a row are left out."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        between = chunk[-1] - chunk[0] + 1 == len(chunk)
        given = {"first": chunk[0], "last": chunk[-1]} if between else {"ids": chunk}
        yield from select_rows(session, _raw_among(table, between=between), given)


@cache
def _raw_among(table: type[Table], *, between: bool) -> Select[Any, *tuple[Any, ...]]:
    identity = table.__table__.columns["id"]
    among = (
        identity.between(bindparam("first"), bindparam("last"))
        if between
        else identity.in_(bindparam("ids", expanding=True))
    )
    return raw_select(table).where(among).order_by(identity)


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
