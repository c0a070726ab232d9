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
from expert_pool.formats import SCHEMAS, schema_of

if TYPE_CHECKING:
    from solver.answer import Answer
    from solver.problem import Problem


def assemble(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PANEL.json")] = None,
    run_log: Annotated[Path | None, typer.Option("--run-log", metavar="FILE")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    gap: Annotated[float | None, typer.Option("--gap", min=0, max=1)] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64)] = None,
    memory: Annotated[int | None, typer.Option("--memory-mb", min=64, max=1_048_576)] = None,
    proof: Annotated[Path | None, typer.Option("--proof", metavar="FILE")] = None,
) -> Exit:
    """One panel from a problem file."""
    from solver.assemble import assembled
    from solver.document import read_problem
    from solver.proof import proof_of

    face = Face.of(context)
    for path in (output, run_log, proof):
        writable(path)
    read = read_problem(problem)
    limits = replace(
        read.limits,
        seconds=seconds if seconds is not None else read.limits.seconds,
        gap=gap if gap is not None else read.limits.gap,
        workers=workers if workers is not None else read.limits.workers,
        memory_mb=memory if memory is not None else read.limits.memory_mb,
    )
    asked = replace(read, limits=limits)
    with progress(face) as report:
        answer, run, outcome = interruptible(
            lambda cancelled: assembled(asked, report=report, cancelled=cancelled)
        )
    document = answer.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    if run_log is not None:
        write_json(run_log, run.model_dump(mode="json"))
    if proof is not None:
        write_json(proof, proof_of(outcome).model_dump(mode="json"))
    show_panel(face, answer, asked)
    return exit_of(answer)


def verify(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
    proof: Annotated[Path, typer.Argument()],
) -> Exit:
    """Recompute a proof in integers, without an engine."""
    from solver.check import read_answer
    from solver.document import read_problem
    from solver.proof import verdict

    face = Face.of(context)
    asked, answer = read_problem(problem), read_answer(read_bytes(panel), str(panel))
    found = verdict(asked, answer, read_bytes(proof), str(proof))
    if found.says is not None:
        said = face.say(found.says.code, **found.says.params)
        face.answer({"holds": False, "code": found.says.code, "where": found.where, "message": said}, said)
        return Exit.FOUND
    lines = [
        face.say("proof.by_prices" if stage.by_prices else "proof.by_engine", **stage.model_dump())
        for stage in found.stages
    ]
    stages = [stage.model_dump() for stage in found.stages]
    document = {"holds": True, "whole": found.whole, "stages": stages}
    face.answer(
        document, *lines, face.say("proof.whole" if found.whole else "proof.part", stages=len(stages))
    )
    return Exit.OK


def check(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
) -> Exit:
    """What is wrong with a panel under the rules of a problem."""
    from solver.check import checked, read_answer
    from solver.claims import DOCUMENT
    from solver.document import read_problem

    face = Face.of(context)
    read = read_problem(problem)
    answer = read_answer(read_bytes(panel), str(panel))
    found = checked(read, answer)
    lines = []
    if not found.same_problem:
        other = {"panel": answer.problem.sha256, "problem": found.problem_sha256}
        lines = [face.say("cli.check.other_problem", **other)]
    for finding in found.findings:
        code = "cli.check.broken" if finding.hard else "cli.check.short"
        code = "cli.check.document" if finding.rule == DOCUMENT else code
        said = face.say(finding.says.code, **finding.says.params)
        lines.append(
            face.say(
                code, rule=finding.rule, said=said, who=finding.experts or None, basis=finding.basis or None
            )
        )
    broken = sum(finding.hard for finding in found.findings) + (not found.same_problem)
    lines.append(face.say("cli.check.none" if not broken else "cli.check.count", count=broken))
    document = found.model_dump(mode="json") | {
        "findings": [
            finding.model_dump(mode="json") | {"message": face.say(finding.says.code, **finding.says.params)}
            for finding in found.findings
        ],
    }
    face.answer(document, *lines)
    return Exit.FOUND if broken else Exit.OK


def schema(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=lambda: list(SCHEMAS))],
) -> Exit:
    """The JSON Schema of a format."""
    import json

    print(json.dumps(schema_of(name), ensure_ascii=False, indent=2))
    return Exit.OK


def show_panel(face: Face, answer: "Answer", problem: "Problem", people: Any = None) -> None:
    """Print a panel: with `people` their names, else what the problem file says of the pseudonyms."""
    if face.json:
        face.answer(answer.model_dump(mode="json"))
        return
    from expert_pool.documents import panel_text, people_in

    seated = [*(m.expert for m in answer.members), *(a.expert for a in answer.alternates)]
    face.answer(None, panel_text(answer, people or people_in(problem, seated), face.lang, problem))
