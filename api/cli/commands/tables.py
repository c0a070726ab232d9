"""The registry's tables as files: import, export, the template."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import writable
from api.cli.progress import progress

if TYPE_CHECKING:
    from expert_pool.imports import ImportReport

Scores = Annotated[bool, typer.Option("--scores")]

SHOWN_ERRORS = 50
"""Row errors printed for people; with --json all of them."""


def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument()],
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    correct: Annotated[bool, typer.Option("--correct")] = False,
    organiser: Annotated[str | None, typer.Option("--organiser", metavar="CODE")] = None,
) -> Exit:
    """Bring files into the registry, all of it or nothing."""
    from expert_pool.imports import import_tables

    face = Face.of(context)
    with face.store(new=True) as store, progress(face) as report:
        done = import_tables(
            store,
            face.viewer(),
            path,
            dry_run=dry_run,
            correct=correct,
            organiser=organiser,
            report=report,
        )
    show_import(face, done, path)
    return Exit.OK if done.ok else Exit.INPUT


def export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument()],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT")],
    form: Annotated[str, typer.Option("--form", metavar="csv|xlsx")] = "csv",
    scores: Scores = False,
) -> Exit:
    """Write every sheet (or the written scores), marked with who takes it and what for; national IDs and phones are masked."""
    from expert_pool.privacy.exports import export_marked

    face = Face.of(context)
    with face.store() as store, progress(face) as report:
        done, rows = export_marked(
            store,
            face.viewer(),
            out,
            purpose=purpose,
            form=form,
            lang=face.lang,
            content="scores" if scores else "tables",
            report=report,
        )
    document = {"out": str(out), "form": form, "rows": rows, "serial": done.serial, "purpose": done.purpose}
    said = face.say("cli.export.done", where=str(out), rows=sum(rows.values()))
    face.answer(document, said, face.say("cli.privacy.serial", serial=done.serial))
    return Exit.OK


def template(context: typer.Context, path: Annotated[Path, typer.Argument()], scores: Scores = False) -> Exit:
    """Write an empty workbook with the headers of every sheet, or of written scores."""
    from expert_pool.imports import write_template

    face = Face.of(context)
    writable(path)
    write_template(path, face.lang, "scores" if scores else "tables")
    face.answer({"out": str(path)}, face.say("cli.written", where=str(path)))
    return Exit.OK


def show_import(face: Face, done: "ImportReport", path: Path) -> None:
    """Print what an import did, or every row error."""
    said = [_said(face, error) for error in done.errors]
    if done.errors:
        headers = [face.say(f"cli.import.{code}") for code in ("sheet", "row", "column", "error")]
        shown = list(zip(done.errors, said, strict=True))[:SHOWN_ERRORS]
        rows = [(error.sheet, str(error.row), error.column, message) for error, message in shown]
        more = len(said) - len(shown)
        human = [table(headers, rows), *([face.say("cli.import.more", count=more)] if more else [])]
        human.append(face.say("cli.import.refused", count=len(said), where=str(path)))
    else:
        headers = [face.say(f"cli.import.{code}") for code in ("sheet", "new", "same", "corrected")]
        counts = [(s.sheet, *(f"{n:,}" for n in (s.new, s.same, s.corrected))) for s in done.sheets]
        totals = {count: done.total(count) for count in ("new", "same", "corrected")}
        last = face.say("cli.import.dry" if done.dry_run else "cli.import.done", **totals)
        human = [table(headers, counts, numbers=True), last]
    document: dict[str, Any] = {
        "ok": done.ok,
        "dry_run": done.dry_run,
        "sheets": {s.sheet: {"new": s.new, "same": s.same, "corrected": s.corrected} for s in done.sheets},
        "errors": [
            {
                "sheet": e.sheet,
                "row": e.row,
                "column": e.column,
                "code": e.code,
                "params": dict(e.params),
                "message": message,
            }
            for e, message in zip(done.errors, said, strict=True)
        ],
    }
    face.answer(document, *human)


def _said(face: Face, error: Any) -> str:
    return face.say(
        error.code, **{"sheet": error.sheet, "row": error.row, "column": error.column, **error.params}
    )
