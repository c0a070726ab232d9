"""Why a panel is as it is, and what differs between two."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import read_bytes, writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from solver.answer import Answer, Stopped


def why(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
    experts: Annotated[list[str] | None, typer.Argument(metavar="EXPERT")] = None,
    rules: Annotated[bool, typer.Option("--rules")] = False,
    exact: Annotated[bool, typer.Option("--exact")] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=0.01, max=86400)] = 60.0,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="WHY.json")] = None,
) -> Exit:
    """Why these people sit and others do not, and what each rule costs."""
    from solver.document import read_problem
    from solver.explain import explain

    face = Face.of(context)
    writable(output)
    read, answer = read_problem(problem), _answer(panel)
    asked = experts or ([] if rules else None)
    with progress(face) as report:
        said = interruptible(
            lambda cancelled: explain(
                read,
                answer,
                experts=asked,
                rules=None if rules else (),
                exact=exact,
                seconds=seconds,
                report=report,
                cancelled=cancelled,
            )
        )
    document = said.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    if face.json:
        face.answer(document)
    else:
        from expert_pool.documents.explained import explained_text

        face.answer(None, *explained_text(said, answer, read, face.lang))
    return _exit_of(said.stopped_by)


def diff(
    context: typer.Context,
    was: Annotated[Path, typer.Argument(metavar="A.json")],
    now: Annotated[Path, typer.Argument(metavar="B.json")],
    problem: Annotated[Path | None, typer.Option("--problem", metavar="PROBLEM.json")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIFF.json")] = None,
) -> Exit:
    """What differs between two panels."""
    from solver.diff import diff as compare
    from solver.document import read_problem

    face = Face.of(context)
    writable(output)
    read = None if problem is None else read_problem(problem)
    one, other = _answer(was), _answer(now)
    said = compare(read, one, other)
    document = said.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    if face.json:
        face.answer(document)
    else:
        from expert_pool.documents.compared import compared_text

        face.answer(None, *compared_text(said, other, read, face.lang))
    return Exit.OK


def _answer(path: Path) -> "Answer":
    """The answer in a file. Raises Fault when it is none, or nobody sits in it."""
    from solver.check import read_answer

    answer = read_answer(read_bytes(path), str(path))
    if not answer.members:
        raise Fault("panel.empty", str(path))
    return answer


def _exit_of(stopped: "Stopped | None") -> Exit:
    if stopped == "cancelled":
        return Exit.INTERRUPTED
    return Exit.OK if stopped is None else Exit.LIMIT
