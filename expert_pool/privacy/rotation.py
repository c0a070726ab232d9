"""Rotating the installation's key: everything sealed is sealed anew in one transaction, and then the key file changes.

The new key is on disk before anything is sealed with it, and the old one stays until everything is, so whatever moment a
rotation is killed at, one key at hand opens every row: `store.open_store` finds it, and the next rotation finishes
what was begun. Pseudonyms are stored and never made again: those of old panels and problems stay what they were.

A sealed column is one of bytes whose name ends in `_sealed`; a column `..._mark` beside it holds its search mark.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, bindparam, func, select, update
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.accounts.home import home
from expert_pool.keys import Key, coming_file, key_file, load_key, make_key, read_key, sync_folder
from expert_pool.privacy.erasure import attested_among
from expert_pool.privacy.marks import keep_secret
from expert_pool.registry import Installation, Table
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

CHUNK = 2_000
CHUNK_BYTES = 16_000_000
"""No more rows, and no more bytes of sealed fields, are held at a time."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did. `sealed` counts fields by `table.column`; `finished` is True where an earlier rotation had
    done that already and only its key file was still to change. `key_file` holds the new key, `retired` the old one
    (None: it stands in the environment, which only its owner can change)."""

    sealed: Mapping[str, int]
    finished: bool
    key_file: Path
    retired: Path | None


def rotate(url: str, viewer: Viewer, *, new_file: Path | None = None, report: Reporter = silent) -> Rotated:
    """Rotate the key of the database at `url`.

    The new key is the one in `new_file` (made there when the file is missing), else a fresh one. Where the key is read
    from a file, that file holds the new key afterwards and the old one stays beside it, for backups made before.

    Raises Fault: `key.rotation_needs_file` (the key stands in the environment and no `new_file` is given),
    `key.rotation_same` (the file holds the present key), `key.*` as `keys.load_key`, and as `open_store`.
    """
    source = key_file(url)
    if source is None and new_file is None:
        raise Fault("key.rotation_needs_file", url_of(url))
    present = load_key(url)
    fresh = make_key(new_file) if new_file else None
    if source is not None:
        coming = coming_file(source)
        if fresh is not None and coming.exists() and read_key(coming) != fresh:
            raise Fault("key.rotation_pending", str(coming))
        fresh = make_key(coming, fresh)
    assert fresh is not None
    if fresh == present:
        if source is not None:
            coming_file(source).unlink(missing_ok=True)
        raise Fault("key.rotation_same", str(new_file or source))
    finished, sealed = True, dict[str, int]()
    with _open(url, present, fresh) as store:
        if store.key != fresh:
            finished, sealed = False, reseal(store, viewer, fresh, report=report)
    retired = None if source is None else _swap(source)
    return Rotated(sealed, finished, new_file if source is None and new_file else source or Path(), retired)


def reseal(store: Store, viewer: Viewer, new: Key, *, report: Reporter = silent) -> dict[str, int]:
    """Seal everything anew under `new`, in one transaction with its ledger entry; say how many fields of each column.

    Other writers wait meanwhile. Afterwards `store` can only read what is not sealed: open the database again.
    """
    with store.session() as session:
        session.execute(select(Installation.id).with_for_update())  # writers with the old key are done now
        counts: dict[str, int] = {}
        touched: dict[type[Table], list[int]] = {}
        for number, (table, columns) in enumerate(tables := sorted_tables()):
            report(Progress("reseal", number, len(tables)))
            ids = _reseal_table(session, table, columns, store.key, new, counts)
            if attested := sorted(attested_among(session, table, ids)):
                touched[table] = attested
        kept = keep_secret(session, store.key, new)
        session.execute(update(Installation).values(key_check=new.check()))
        ledger.append(
            session,
            organiser_id=home(session),
            actor=viewer.actor,
            action="key.rotated",
            subject="installation",
            payload={"sealed": counts, "mark_secret_kept": kept},
            row_ids=touched,
        )
        report(Progress("reseal", len(tables), len(tables)))
    return counts


def sorted_tables() -> list[tuple[type[Table], list[str]]]:
    """Every table with sealed columns, and the names of these."""
    found = []
    for mapper in Table.registry.mappers:
        columns = [
            column.name
            for column in mapper.local_table.columns
            if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
        ]
        if columns:
            found.append((mapper.class_, sorted(columns)))
    return sorted(found, key=lambda pair: str(pair[0].__tablename__))


def _reseal_table(
    session: Session,
    table: type[Table],
    columns: list[str],
    old: Key,
    new: Key,
    counts: dict[str, int],
) -> list[int]:
    """Seal the columns of a table anew; the ids of the rows that changed."""
    whole: Any = table.__table__
    stored = whole.columns
    marks = {name: mark for name in columns if (mark := name.removesuffix("sealed") + "mark") in stored}
    names = [*columns, *marks.values()]
    change = (
        update(whole)
        .where(stored["id"] == bindparam("the_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    touched: list[int] = []
    for rows in _chunks(session, table, names):
        changes = []
        for row in rows:
            values = {name: row[name] for name in names}
            for name in columns:
                if row[name] is None:
                    continue
                text = _opened(old, row[name], table, name, row["id"])
                values[name] = new.seal(text)
                if name in marks:
                    values[marks[name]] = new.mark(text)
                counts[f"{table.__tablename__}.{name}"] = counts.get(f"{table.__tablename__}.{name}", 0) + 1
            if any(row[name] is not None for name in columns):
                touched.append(row["id"])
                changes.append({"the_id": row["id"], **{f"new_{k}": v for k, v in values.items()}})
        if changes:
            session.connection().execute(change, changes)
    session.expire_all()
    return touched


def _opened(key: Key, sealed: bytes, table: type[Table], column: str, identity: int) -> str:
    try:
        return key.open(sealed)
    except Fault:
        raise Fault("key.row_cannot_open", f"{table.__tablename__}/{identity}", column=column) from None


def _chunks(session: Session, table: type[Table], names: list[str]) -> Iterator[list[Any]]:
    """The rows of a table in chunks, by ascending id."""
    stored = table.__table__.columns
    longest = [func.coalesce(func.max(func.length(stored[name])), 0) for name in names]
    widest = sum(session.connection().execute(select(*longest)).one())
    most = max(1, min(CHUNK, CHUNK_BYTES // max(widest, 1)))
    last = -1
    while True:
        rows = session.connection().execute(
            select(stored["id"], *(stored[name] for name in names))
            .where(stored["id"] > last)
            .order_by(stored["id"])
            .limit(most)
        )
        if not (found := rows.mappings().all()):
            return
        yield list(found)
        last = found[-1]["id"]


def _open(url: str, present: Key, fresh: Key) -> Store:
    """The database with the one of both keys that it knows."""
    try:
        return open_store(url, key=present)
    except Fault as fault:
        if fault.code != "key.other":
            raise
        return open_store(url, key=fresh)


def _swap(source: Path) -> Path:
    """Let the new key take the place of the old, which is kept under another name, one that no rotation of the same
    second has taken."""
    name = f"{source.name}.retired-{clock.now():%Y%m%d-%H%M%S}"
    names = (source.with_name(name + (f"-{n}" if n else "")) for n in itertools.count())
    retired = next(path for path in names if not path.exists())
    try:
        os.link(source, retired)
        os.replace(coming_file(source), source)
        sync_folder(source.parent)
    except OSError as error:
        raise Fault("key.file_unwritable", str(source), reason=error.strerror or str(error)) from None
    return retired


def url_of(url: str) -> str:
    """A database's URL without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)
