"""Backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.progress import progress


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument()],
    with_key: Annotated[Path | None, typer.Option("--with-key", metavar="FILE")] = None,
) -> Exit:
    """One moment of the whole database in one file."""
    from api.cli.files import writable
    from expert_pool.backups import back_up, keep_key
    from solver.errors import Fault

    face = Face.of(context)
    for place in (file, with_key):
        if place is not None and place.exists():
            raise Fault("backup.exists", str(place))
        writable(place)
    with face.store(upgrade=False) as store, progress(face) as report:
        made = back_up(store, file.absolute(), report=report)
        if with_key is not None:
            keep_key(store, with_key.absolute())
    kept = "cli.backup.key_kept" if with_key else "cli.backup.key_left"
    face.answer(
        {"file": str(file), "key": str(with_key) if with_key else None, **made.model_dump(mode="json")},
        face.say(
            "cli.backup.done",
            where=str(file),
            tables=len(made.tables),
            rows=made.rows,
            entries=made.entries,
            anchor=made.anchor,
        ),
        face.say(kept, where=str(with_key)),
    )
    return Exit.OK


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument()],
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE")] = None,
) -> Exit:
    """A backup in an empty database, and its ledger verified."""
    from dataclasses import asdict

    from api.cli.files import read_bytes
    from expert_pool.backups import restore as restored_into
    from expert_pool.keys import Key

    face = Face.of(context)
    given = None
    if key is not None:
        given = Key.from_text(read_bytes(key).decode("ascii", "replace"), str(key))
    with progress(face) as report:
        done = restored_into(file.absolute(), face.url(), key=given, report=report)
    said = [face.say(fault.code, **fault.params) for fault in done.faults]
    document = {
        "database": done.url,
        "tables": len(done.manifest.tables),
        "rows": done.manifest.rows,
        "entries": done.manifest.entries,
        "anchor": done.manifest.anchor,
        "holds": not done.faults,
        "faults": [asdict(f) | {"message": text} for f, text in zip(done.faults, said, strict=True)],
    }
    last = face.say(
        "cli.restore.broken" if done.faults else "cli.restore.done",
        where=done.url,
        tables=len(done.manifest.tables),
        rows=done.manifest.rows,
        entries=done.manifest.entries,
        count=len(done.faults),
    )
    face.answer(document, *said, last)
    return Exit.FOUND if done.faults else Exit.OK
