"""Several good panels of one problem."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit, exit_of
from api.cli.face import Face, table
from api.cli.files import writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from solver.diverse import Several


def alternatives(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    count: Annotated[int, typer.Option("-k", "--count", min=1, max=50)] = 3,
    within: Annotated[str, typer.Option("--within", metavar="N|N%")] = "2%",
    level: Annotated[int | None, typer.Option("--level", min=1, max=99)] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR")] = None,
) -> Exit:
    """Panels within a tolerance of the optimum, each as unlike the others as can be."""
    from solver.diverse import several
    from solver.document import read_problem

    face = Face.of(context)
    room = _room(within)
    if out is not None:
        writable(out / "panels.json" if out.exists() else out)
    asked = read_problem(problem)
    with progress(face) as report:
        found = interruptible(
            lambda cancelled: several(
                asked, count, room, level=level, seconds=seconds, report=report, cancelled=cancelled
            )
        )
    document = found.model_dump(mode="json")
    written = []
    if out is not None:
        out.mkdir(exist_ok=True)
        for i, one in enumerate(found.panels, start=1):
            written.append(write_json(out / f"panel-{i}.json", one.answer.model_dump(mode="json")))
        written.append(write_json(out / "panels.json", document))
    if face.json:
        face.answer(document)
    else:
        face.answer(
            None, *_told(face, found), *(face.say("cli.written", where=str(path)) for path in written)
        )
    return _exit(found)


def _room(text: str) -> Fraction | int:
    """`2%` of the optimum, or so many units. Raises Fault for anything else."""
    try:
        return Fraction(text[:-1]) / 100 if text.endswith("%") else int(text)
    except (ValueError, ZeroDivisionError):
        raise Fault("cli.alternatives.within", "--within", given=text) from None


def _exit(found: "Several") -> Exit:
    if not found.panels:
        stopped = [why.params.get("stopped_by") for why in found.why_not if why.code == "why_not.stopped"]
        if not stopped:
            return Exit.INFEASIBLE
        return Exit.INTERRUPTED if stopped[0] == "cancelled" else Exit.LIMIT
    if found.fewer is None or found.fewer.code != "several.stopped":
        return exit_of(found.panels[0].answer)
    return Exit.INTERRUPTED if found.fewer.params["stopped_by"] == "cancelled" else Exit.LIMIT


def _told(face: Face, found: "Several") -> list[object]:
    """The panels side by side: costs, what is new in each, and how many members any two share."""
    if not found.panels:
        return [face.say(why.code, **why.params) for why in found.why_not]
    room = "cli.alternatives.room" if found.level else "cli.alternatives.room_sum"
    lines: list[object] = [face.say(room, level=found.level, within=found.within)]
    goals = found.panels[0].answer.goals
    heads = [face.say(f"cli.alternatives.column.{name}") for name in ("panel", "left_out", "came", "left")]
    titles = [face.say("cli.alternatives.column.cost", level=goal.level) for goal in goals]
    rows = []
    for i, one in enumerate(found.panels, start=1):
        bound = "" if one.proven else face.say("cli.alternatives.bound", bound=one.left_out_bound)
        rows.append(
            [
                str(i),
                *(str(goal.value) for goal in one.answer.goals),
                "—" if one.left_out is None else f"{one.left_out}{bound}",
                " ".join(one.came) or "—",
                " ".join(one.left) or "—",
            ]
        )
    lines.append(table([heads[0], *titles, *heads[1:]], rows))
    if len(found.panels) > 1:
        numbers = [str(i) for i in range(1, len(found.panels) + 1)]
        shared = [[str(i), *map(str, row)] for i, row in enumerate(found.shared, start=1)]
        lines += ["", face.say("cli.alternatives.shared"), table(["", *numbers], shared, numbers=True)]
    if found.fewer is not None:
        params = {**found.fewer.params, "found": len(found.panels), "asked": found.asked}
        lines.append(face.say(found.fewer.code, **params))
    return lines
