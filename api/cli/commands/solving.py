"""Panels from files, without a database: assemble, check, and the formats' schemas."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit, exit_of
from api.cli.face import Face
from api.cli.files import read_bytes, writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from solver.answer import Answer
    from solver.problem import Problem

SCHEMAS = ("panel-problem", "panel", "panel-run", "policy")


def assemble(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PANEL.json")] = None,
    run_log: Annotated[Path | None, typer.Option("--run-log", metavar="FILE")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64)] = None,
) -> Exit:
    """One panel from a problem file."""
    from solver.assemble import assemble as solve
    from solver.document import read_problem

    face = Face.of(context)
    for path in (output, run_log):
        writable(path)
    read = read_problem(problem)
    limits = replace(
        read.limits,
        seconds=seconds if seconds is not None else read.limits.seconds,
        workers=workers if workers is not None else read.limits.workers,
    )
    asked = replace(read, limits=limits)
    with progress(face) as report:
        answer, run = interruptible(lambda cancelled: solve(asked, report=report, cancelled=cancelled))
    document = answer.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    if run_log is not None:
        write_json(run_log, run.model_dump(mode="json"))
    show_panel(face, answer, asked)
    return exit_of(answer)


def check(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
) -> Exit:
    """What is wrong with a panel under the rules of a problem."""
    from solver.check import check as find
    from solver.check import read_answer
    from solver.document import problem_sha256, read_problem

    face = Face.of(context)
    read = read_problem(problem)
    answer = read_answer(read_bytes(panel), str(panel))
    findings = find(read, answer)
    sha256 = problem_sha256(read)
    foreign = answer.problem.sha256 != sha256
    hard = [finding for finding in findings if finding.hard]
    lines = (
        [face.say("cli.check.other_problem", panel=answer.problem.sha256, problem=sha256)] if foreign else []
    )
    for finding in findings:
        code = "cli.check.broken" if finding.hard else "cli.check.short"
        said = face.say(finding.says.code, **finding.says.params)
        lines.append(
            face.say(
                code, rule=finding.rule, said=said, who=finding.experts or None, basis=finding.basis or None
            )
        )
    broken = len(hard) + foreign
    lines.append(face.say("cli.check.none" if not broken else "cli.check.count", count=broken))
    document = {
        "holds": not broken,
        "problem_sha256": sha256,
        "same_problem": not foreign,
        "findings": [
            finding.model_dump(mode="json") | {"message": face.say(finding.says.code, **finding.says.params)}
            for finding in findings
        ],
    }
    face.answer(document, *lines)
    return Exit.FOUND if broken else Exit.OK


def schema(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="|".join(SCHEMAS), autocompletion=lambda: list(SCHEMAS))],
) -> Exit:
    """The JSON Schema of a format."""
    import json

    print(json.dumps(schema_of(name), ensure_ascii=False, indent=2))
    return Exit.OK


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a format by name. Raises Fault when there is none of that name."""
    match name:
        case "panel-problem":
            from solver.document import problem_schema

            return problem_schema()
        case "panel":
            from solver.answer import Answer

            return Answer.model_json_schema()
        case "panel-run":
            from solver.answer import RunLog

            return RunLog.model_json_schema()
        case "policy":
            from expert_pool.policies.document import PolicyDoc

            return PolicyDoc.model_json_schema()
    raise Fault("cli.schema_unknown", name, name=name, known=list(SCHEMAS))


def show_panel(face: Face, answer: "Answer", problem: "Problem", people: Any = None) -> None:
    """Print a panel: with `people` their names, else what the problem file says of the pseudonyms."""
    if face.json:
        face.answer(answer.model_dump(mode="json"))
        return
    from expert_pool.documents import panel_text, people_in

    seated = [*(m.expert for m in answer.members), *(a.expert for a in answer.alternates)]
    face.answer(None, panel_text(answer, people or people_in(problem, seated), face.lang, problem))
