"""Canonical texts of stored rows, made by PostgreSQL while it reads them.

They are, byte for byte, what `canonical.RowCoder` makes of the rows; making them there costs a fraction of sending every
column and making them here. The hashing stays in this process: the database only says what it holds, in one text a row
instead of twelve values. SQLite, which has the rows in this process already, has no need of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary, String, exists, inspect, select
from sqlalchemy import types as sqltypes
from sqlalchemy.orm import Session

from expert_pool.ledger.canonical import columns
from expert_pool.registry import Attestation, LedgerEntry, Table

_CHUNK = 2000
_QUOTED = """'"{name}":"' || to_char({column}, '{form}') || '"'"""


def speaks(session: Session, table: type[Table]) -> bool:
    """Whether the session's database can make the texts of a table."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql and all(_fragment(table, name, "r") for name in columns(table))


def text_of(table: type[Table], alias: str, *, without: Sequence[str] = ()) -> str:
    """The SQL of a row's canonical JSON, columns that are null left out as there."""
    parts = [_fragment(table, name, alias) for name in columns(table) if name not in without]
    return "'{' || concat_ws(',', " + ", ".join(str(part) for part in parts) + ") || '}'"


def entries(session: Session) -> Iterator[Sequence[Any]]:
    """Every entry in the order of writing: organiser, sequence, hash, the hash before, the hash over its attestations,
    its canonical text without its own hash, and the text that `writing.attested` hashes (None: no attestation); both
    texts in UTF-8."""
    line = (
        "a.id || ' ' || a.row_id || ' ' || length(a.\"table\") || ' ' || a.\"table\" || ' ' || length(a.sha256)"
        " || ' ' || a.sha256 || chr(10)"
    )
    text = text_of(LedgerEntry, "e", without=("sha256",))
    return _streamed(
        session,
        "select e.organiser_id, e.sequence, e.sha256, e.previous_sha256, e.attested_sha256,"  # noqa: S608
        f" convert_to({text}, 'UTF8'), convert_to(g.lines, 'UTF8') from ledger_entry e left join"
        f" (select a.entry_id, string_agg({line}, '' order by a.id) as lines from attestation a group by a.entry_id) g"
        " on g.entry_id = e.id order by e.id",
    )


def orphans(session: Session) -> int:
    """How many entries that do not exist attestations belong to."""
    found = session.connection().exec_driver_sql(
        "select count(distinct a.entry_id) from attestation a"
        " where not exists (select from ledger_entry e where e.id = a.entry_id)"
    )
    return int(found.scalar_one())


def attested_rows(session: Session, table: type[Table]) -> Iterator[Sequence[Any]]:
    """Every row of a table that is attested, with its latest attestation: id as attested, salt, hash, and the row's
    canonical text in UTF-8 (None: there is no such row)."""
    own = inspect(table).mapper.local_table
    quoted = session.get_bind().dialect.identifier_preparer.quote(own.name)  # type: ignore[attr-defined]
    return _streamed(
        session,
        f"select a.row_id, a.salt, a.sha256, case when r.id is not null then convert_to({text_of(table, 'r')}, 'UTF8') end"  # noqa: S608
        " from (select distinct on (row_id) row_id, salt, sha256 from attestation"
        f" where \"table\" = '{table.__tablename__}' order by row_id, entry_id desc, id desc) a"
        f" left join {quoted} r on r.id = a.row_id",
    )


def unattested(session: Session, table: type[Table]) -> list[int]:
    """The ids of the rows of a table that no entry attests, ascending."""
    attested = exists().where(Attestation.table == table.__tablename__, Attestation.row_id == table.id)
    return list(session.scalars(select(table.id).where(~attested).order_by(table.id)))


def _fragment(table: type[Table], name: str, alias: str) -> str | None:
    """The SQL of `"name":value`, null for null; None for a type that has no text here."""
    column, kind = f'{alias}."{name}"', table.__table__.columns[name].type
    stored = kind.impl_instance if isinstance(kind, sqltypes.TypeDecorator) else kind
    match stored:
        case Boolean():
            return f"""'"{name}":' || {column}::text"""
        case Integer():
            return f"""'"{name}":' || {column}"""
        case Date():
            return _QUOTED.format(name=name, column=column, form="YYYY-MM-DD")
        case DateTime():
            return _QUOTED.format(name=name, column=column, form="YYYY-MM-DD HH24:MI:SS.US")
        case LargeBinary():
            return f"""'"{name}":{{"bytes":"' || encode({column}, 'hex') || '"}}'"""
        case String():
            return f"""'"{name}":' || to_json({column}::text)::text"""
    return None


def _streamed(session: Session, statement: str) -> Iterator[Sequence[Any]]:
    """The rows of a statement as they come, so that the database goes on while they are worked on."""
    session.flush()
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        yield from cursor.stream(statement, size=_CHUNK)
