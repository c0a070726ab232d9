"""The installation's key."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.progress import progress


def rotate(
    context: typer.Context,
    key_file: Annotated[Path | None, typer.Option("--key-file", metavar="FILE")] = None,
) -> Exit:
    """Seal everything anew under a new key; safe to run again after it was stopped."""
    from expert_pool.privacy.rotation import rotate as rotate_key
    from expert_pool.store import complete_url

    face = Face.of(context)
    url = complete_url(face.url())
    with progress(face) as report:
        done = rotate_key(url, face.viewer(), new_file=key_file, report=report)
    document = {
        "finished_earlier": done.finished,
        "sealed": dict(done.sealed),
        "key_file": str(done.key_file),
        "retired": str(done.retired) if done.retired else None,
    }
    count = sum(done.sealed.values())
    code = "cli.key.finished" if done.finished else "cli.key.rotated"
    said = [face.say(code, count=count, where=str(done.key_file))]
    if done.retired is None:
        said.append(face.say("cli.key.environment", where=str(done.key_file)))
    else:
        said.append(face.say("cli.key.retired", where=str(done.retired)))
    face.answer(document, *said)
    return Exit.OK
