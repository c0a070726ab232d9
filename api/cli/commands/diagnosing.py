"""Why a problem file has no panel, and what would help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress

if TYPE_CHECKING:
    from solver.diagnosis.document import Diagnosis


def diagnose(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIAGNOSIS.json")] = None,
    sets: Annotated[int, typer.Option("--sets", min=1, max=100)] = 1,
    relaxations: Annotated[int, typer.Option("--relaxations", min=0, max=100)] = 3,
    seconds: Annotated[float, typer.Option("--seconds", min=0.01, max=86400)] = 60.0,
) -> Exit:
    """What cannot hold together, and what would help."""
    from solver.diagnosis.diagnose import diagnose as ask
    from solver.document import read_problem

    face = Face.of(context)
    writable(output)
    read = read_problem(problem)
    with progress(face) as report:
        said = interruptible(
            lambda cancelled: ask(
                read, sets=sets, relaxations=relaxations, seconds=seconds, report=report, cancelled=cancelled
            )
        )
    document = said.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    if face.json:
        face.answer(document)
    else:
        from expert_pool.documents.diagnosed import diagnosed_text

        face.answer(None, *diagnosed_text(said, read, face.lang))
    return exit_of_diagnosis(said)


def exit_of_diagnosis(said: "Diagnosis") -> Exit:
    """A diagnosis of a problem without a panel ends like the panel would; a limit counts where it left even that open."""
    if said.stopped_by == "cancelled":
        return Exit.INTERRUPTED
    return {"feasible": Exit.OK, "infeasible": Exit.INFEASIBLE, "unknown": Exit.LIMIT}[said.status]
