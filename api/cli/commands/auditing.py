"""The audit of a foreign panel: a roster against a policy."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import day_of, writable, write_json
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.audits import Audit, RosterFaults

SHOWN_FAULTS = 50
"""Faults of a roster printed for people; with --json all of them."""


def audit(
    context: typer.Context,
    roster: Annotated[Path | None, typer.Argument(metavar="ROSTER.xlsx")] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE")] = None,
    level: Annotated[str, typer.Option("--level", metavar="senior|mid|junior")] = "senior",
    output: Annotated[list[Path] | None, typer.Option("-o", "--output", metavar="REPORT")] = None,
    registry: Annotated[str | None, typer.Option("--registry", metavar="COMMITTEE")] = None,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT")] = "",
    override: Annotated[list[str] | None, typer.Option("--override", metavar="NAME=VALUE")] = None,
    why: Annotated[list[str] | None, typer.Option("--why", metavar="TEXT")] = None,
    template: Annotated[Path | None, typer.Option("--template", metavar="FILE.xlsx")] = None,
) -> Exit:
    """Judge somebody else's panel by the rules of a policy."""
    from api.cli.commands.policy import overrides_of
    from expert_pool import clock
    from expert_pool.audits import RosterFaults, write_template
    from expert_pool.audits.asking import Behind, audited
    from expert_pool.policies.load import load

    face = Face.of(context)
    if template is not None:
        writable(template)
        write_template(template, face.lang)
        face.answer({"out": str(template)}, face.say("cli.written", where=str(template)))
        return Exit.OK
    if roster is None or policy is None:
        raise Fault("cli.parameter_missing", parameter="ROSTER.xlsx" if roster is None else "--policy")
    reports = output or []
    for path in reports:
        if path.suffix.lower() not in (".docx", ".xlsx", ".json"):
            raise Fault("audit.output_unknown", str(path))
        writable(path)
    day = day_of(on, "--on") if on else clock.today()
    rules = load(policy, overrides_of(override or [], why or [], face.actor, clock.today()))
    rules.rules(level)
    try:
        with progress(face) as report, ExitStack() as stack:
            behind = None
            if registry is not None:
                behind = Behind(stack.enter_context(face.store()), face.viewer(), registry, purpose)
            done = audited(roster, rules, day, level=level, registry=behind, report=report)
    except RosterFaults as faults:
        return _refused(face, roster, faults)
    for path in reports:
        _write(done, face.lang, path)
    _show(face, done, reports)
    return Exit.FOUND if done.broken else Exit.OK


def _write(audit: "Audit", lang: str, path: Path) -> None:
    if path.suffix.lower() == ".json":
        write_json(path, audit.model_dump(mode="json"))
    elif path.suffix.lower() == ".xlsx":
        from expert_pool.documents.audit_workbook import audit_workbook

        audit_workbook(audit, lang, path)
    else:
        from expert_pool.documents.audit_document import audit_document

        audit_document(audit, lang, path)


def _show(face: Face, audit: "Audit", written: list[Path]) -> None:
    if face.json:
        face.answer(audit.model_dump(mode="json"))
        return
    from expert_pool.documents.audit_text import audit_text

    lines = [face.say("cli.written", where=str(path)) for path in written]
    face.answer(None, audit_text(audit, face.lang), *lines)


def _refused(face: Face, path: Path, faults: "RosterFaults") -> Exit:
    """Print everything that is wrong with a roster."""
    said = [" ".join(error.said(face.lang).split()) for error in faults.errors]
    headers = [face.say(f"cli.import.{code}") for code in ("sheet", "row", "column", "error")]
    shown = list(zip(faults.errors, said, strict=True))[:SHOWN_FAULTS]
    human = [table(headers, [(e.sheet, str(e.row), e.column, message) for e, message in shown])]
    if len(said) > len(shown):
        human.append(face.say("cli.import.more", count=len(said) - len(shown)))
    human.append(face.say("cli.audit.refused", count=len(said), where=str(path)))
    errors = [
        {
            "sheet": e.sheet,
            "row": e.row,
            "column": e.column,
            "code": e.code,
            "params": dict(e.params),
            "message": message,
        }
        for e, message in zip(faults.errors, said, strict=True)
    ]
    face.answer({"ok": False, "errors": errors}, *human)
    return Exit.INPUT
