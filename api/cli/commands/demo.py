"""The main job from nothing to documents, on made people."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.exits import Exit, exit_of
from api.cli.face import Face
from api.cli.files import write_json
from api.cli.interrupt import Cancelled, interruptible
from api.cli.papers import helping, write_papers
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from expert_pool.panels import Decided
    from solver.progress import Progress, Reporter

POLICY = "cn-title-jilin-2013"
REGISTRY = "registry.db"
MARKER = ".expert-pool-demo"
"""Names what the demo wrote into a folder, so that it replaces that and nothing else."""


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path("out"),
    experts: Annotated[int, typer.Option("--experts", min=1, metavar="N")] = 1500,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S")] = 1,
) -> Exit:
    """Make a region, import it, ask for a panel, write its documents."""
    face = Face.of(context)
    written_before = _ours(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    except OSError as error:
        raise Fault("cli.unwritable", str(out), reason=error.strerror or type(error).__name__) from None
    try:
        with progress(face) as report, helping() as helper:
            decided = interruptible(
                lambda cancelled: _work(face, fresh, experts, seed, report, cancelled, helper)
            )
        _replace(fresh, out, written_before)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _tell(face, decided, out)
    return exit_of(decided.answer)


def _work(
    face: Face,
    folder: Path,
    experts: int,
    seed: int,
    report: "Reporter",
    cancelled: Cancelled,
    helper: "Executor | None",
) -> "Decided":
    from expert_pool import panels
    from expert_pool.imports import import_tables
    from expert_pool.region import generate
    from expert_pool.store import open_store
    from solver.document import write_problem

    def heeding(event: "Progress") -> None:
        if cancelled():
            raise KeyboardInterrupt
        report(event)

    made = generate(folder / "import", experts=experts, seed=seed, report=heeding)
    asked = made.committees[0]
    _put_key(folder / f"{REGISTRY}.key", seed)
    with open_store(f"sqlite:///{folder / REGISTRY}") as store:
        done = import_tables(store, face.viewer(), made.folder, report=heeding)
        if not done.ok:
            first = done.errors[0]
            raise AssertionError(f"the made region is refused: {first}")
        decided = panels.request(
            store,
            face.viewer(opens_seals=True),
            committee=asked.committee,
            meeting=asked.meeting,
            policy=POLICY,
            seed=seed,
            report=report,
            cancelled=cancelled,
        )
    write_problem(decided.problem, folder / "problem.json")
    write_json(folder / "panel.json", decided.answer.model_dump(mode="json"))
    write_json(folder / "run.json", decided.run_log.model_dump(mode="json"))
    write_papers(decided.answer, decided.names, decided.problem, folder, report, helper)
    return decided


def _put_key(path: Path, seed: int) -> None:
    """A key that follows from the seed, so that a seed gives the same pseudonyms and panel on every machine. It keeps
    no secret, and the people are made."""
    from hashlib import sha256

    from expert_pool.keys import Key

    key = Key(sha256(f"expert-pool demo {seed}".encode()).digest())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.to_text())


def _tell(face: Face, decided: "Decided", out: Path) -> None:
    files = sorted(str(path) for path in out.iterdir() if path.name != MARKER)
    if face.json:
        answer = decided.answer.model_dump(mode="json")
        face.answer({"out": str(out), "files": files, "panel": decided.panel_code, "answer": answer})
        return
    from expert_pool.documents import panel_text

    text = panel_text(decided.answer, decided.names, face.lang, decided.problem, reasons=True)
    notes = [face.say(note.code, **note.params) for note in decided.notes]
    names = ", ".join(Path(path).name for path in files)
    face.answer(
        None, text, *notes, face.say("cli.demo.done", where=str(out), files=names, panel=decided.panel_code)
    )


def _ours(out: Path) -> list[str]:
    """The names an earlier demo wrote into the folder. Raises Fault where something else stands in the way."""
    if out.exists() and not out.is_dir():
        raise Fault("cli.demo.in_the_way", str(out))
    if not out.exists() or not any(out.iterdir()):
        return []
    try:
        names = json.loads((out / MARKER).read_text(encoding="utf-8"))
        return [name for name in names if Path(name).name == name]
    except (OSError, ValueError, TypeError):
        raise Fault("cli.demo.not_ours", str(out)) from None


def _replace(fresh: Path, out: Path, written_before: list[str]) -> None:
    """Move what was made into place; what others put into the folder stays."""
    out.mkdir(exist_ok=True)
    for name in written_before:
        old = out / name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    names = sorted(path.name for path in fresh.iterdir())
    (out / MARKER).write_text(json.dumps(sorted({*names, *written_before})), encoding="utf-8")
    for name in names:
        target = out / name
        if target.is_dir() and not target.is_symlink():
            raise Fault("cli.demo.not_ours", str(target))
        os.replace(fresh / name, target)
