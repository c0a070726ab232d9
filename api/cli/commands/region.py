"""The made region as files."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.progress import progress
from solver.progress import Progress


def generate(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")],
    experts: Annotated[int, typer.Option("--experts", min=1, metavar="N")] = 1500,
    committees: Annotated[int, typer.Option("--committees", min=0, metavar="K")] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S")] = 1,
    problems: Annotated[int, typer.Option("--problems", min=0, metavar="M")] = 0,
    cases: Annotated[int, typer.Option("--cases", min=1, metavar="C")] = 200,
    scores: Annotated[bool, typer.Option("--scores")] = False,
) -> Exit:
    """Made people, employers and committees as import files, and panel problems as problem files."""
    from expert_pool.region import generate as write_region
    from expert_pool.region import problems as make_problems
    from solver.document import write_problem

    face = Face.of(context)
    written: list[str] = []
    rows = 0
    with progress(face) as report:
        if committees:
            made = write_region(
                out, experts=experts, committees=committees, seed=seed, cases=cases, report=report
            )
            rows = sum(made.rows.values())
            written = [str(made.folder / f"{sheet}.csv") for sheet in made.rows]
            if scores:
                from expert_pool.region.scores import write_scores

                scored = write_scores(out, seed=seed)
                rows += scored.rows
                written += sorted(str(path) for path in scored.folder.glob("*.csv"))
        for number, problem in enumerate(make_problems(problems, experts=experts, seed=seed, cases=cases), 1):
            folder = out / "problems"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"problem-{number:03d}.json"
            write_problem(problem, path)
            written.append(str(path))
            report(Progress("region_problems", number, problems))
    document = {"out": str(out), "experts": experts, "rows": rows, "seed": seed, "files": written}
    face.answer(document, face.say("cli.generate.done", where=str(out), rows=rows, files=len(written)))
    return Exit.OK
