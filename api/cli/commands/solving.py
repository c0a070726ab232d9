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

SCHEMAS = (
    "panel-problem",
    "panel",
    "panel-run",
    "policy",
    "diagnosis",
    "explanation",
    "panel-diff",
    "audit",
    "replacement",
    "attendance",
    "invitations",
    "forecast",
    "panels",
    "proof",
)


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
    from solver.proof import read_proof
    from solver.proof import verify as recompute

    face = Face.of(context)
    asked, answer = read_problem(problem), read_answer(read_bytes(panel), str(panel))
    try:
        stages = recompute(asked, answer, read_proof(read_bytes(proof), str(proof)))
    except Fault as fault:
        if not fault.code.startswith("proof.") or fault.code == "proof.schema":
            raise
        said = face.say(fault.code, **fault.params)
        face.answer({"holds": False, "code": fault.code, "where": fault.where, "message": said}, said)
        return Exit.FOUND
    lines = [
        face.say("proof.by_prices" if stage.by_prices else "proof.by_engine", **stage.model_dump())
        for stage in stages
    ]
    whole = len(stages) == len(answer.goals) and answer.status == "optimal"
    document = {"holds": True, "whole": whole, "stages": [stage.model_dump() for stage in stages]}
    face.answer(document, *lines, face.say("proof.whole" if whole else "proof.part", stages=len(stages)))
    return Exit.OK


def check(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
) -> Exit:
    """What is wrong with a panel under the rules of a problem."""
    from solver.check import check as find
    from solver.check import read_answer
    from solver.claims import DOCUMENT
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
        code = "cli.check.document" if finding.rule == DOCUMENT else code
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
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=lambda: list(SCHEMAS))],
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
        case "diagnosis":
            from solver.diagnosis.document import Diagnosis

            return Diagnosis.model_json_schema()
        case "explanation":
            from solver.explanation.document import Explanation

            return Explanation.model_json_schema()
        case "panel-diff":
            from solver.diff import PanelDiff

            return PanelDiff.model_json_schema()
        case "replacement":
            from solver.replace import Replacement

            return Replacement.model_json_schema()
        case "attendance":
            from solver.attendance import Attendance

            return Attendance.model_json_schema()
        case "invitations":
            from solver.invitations import Invitations

            return Invitations.model_json_schema()
        case "forecast":
            from solver.forecast import Forecast

            return Forecast.model_json_schema()
        case "panels":
            from solver.diverse import Several

            return Several.model_json_schema()
        case "proof":
            from solver.proof import Proof

            return Proof.model_json_schema()
        case "audit":
            from expert_pool.audits import Audit

            return Audit.model_json_schema()
    raise Fault("cli.schema_unknown", name, name=name, known=list(SCHEMAS))


def show_panel(face: Face, answer: "Answer", problem: "Problem", people: Any = None) -> None:
    """Print a panel: with `people` their names, else what the problem file says of the pseudonyms."""
    if face.json:
        face.answer(answer.model_dump(mode="json"))
        return
    from expert_pool.documents import panel_text, people_in

    seated = [*(m.expert for m in answer.members), *(a.expert for a in answer.alternates)]
    face.answer(None, panel_text(answer, people or people_in(problem, seated), face.lang, problem))
