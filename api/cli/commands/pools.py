"""How a pool is: supply against demand, ages and terms, load, whom to take in."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.health_text import health_told
from api.cli.commands.reevaluating import AsOf, as_of_day
from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress


def health(
    context: typer.Context,
    pool: Annotated[str, typer.Argument(metavar="POOL")],
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE")] = None,
) -> Exit:
    """The health of a pool on a day."""
    from expert_pool.reevaluation.appraising import find_pool
    from expert_pool.reevaluation.health.picture import picture

    face = Face.of(context)
    on = as_of_day(as_of)
    writable(out)
    with face.store() as store, progress(face) as report, store.reading() as session:
        home = find_pool(session, face.viewer(), pool)
        found = interruptible(
            lambda cancelled: picture(session, face.viewer(), home.id, on, report=report, cancelled=cancelled)
        )
    document = found.model_dump(mode="json")
    lines = health_told(face, found)
    if out is not None:
        lines.append(str(write_json(out, document)))
    face.answer(document, *lines)
    return Exit.OK
