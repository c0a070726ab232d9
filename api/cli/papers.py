"""A panel's documents in a folder."""

import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from expert_pool.words import languages
from solver.errors import Fault
from solver.orphans import end_with_parent
from solver.progress import Progress, Reporter

if TYPE_CHECKING:
    from expert_pool.documents import Person
    from solver.answer import Answer
    from solver.problem import Problem


def write_papers(
    answer: "Answer",
    people: "Mapping[str, Person]",
    problem: "Problem",
    out: Path,
    report: Reporter,
    helper: Executor | None = None,
) -> list[Path]:
    """Workbook and report in every language, picture as SVG and PNG; the paths written.

    `people` may be empty: pseudonyms show then. A `helper` draws the picture meanwhile. Raises Fault when the folder
    cannot be written.
    """
    from expert_pool.documents import panel_document, panel_workbook

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault("cli.unwritable", str(out), reason=error.strerror or type(error).__name__) from None
    total = 2 * len(languages()) + 1
    written: list[Path] = []
    report(Progress("documents", 0, total))
    drawing = helper.submit(_draw, answer, dict(people), problem, out) if helper else None
    for lang in languages():
        for write, suffix in ((panel_workbook, "xlsx"), (panel_document, "docx")):
            written.append(write(answer, people, lang, out / f"panel.{lang}.{suffix}", problem))
            report(Progress("documents", len(written), total))
    written += drawing.result() if drawing else _draw(answer, people, problem, out)
    report(Progress("documents", total, total))
    return written


@contextmanager
def helping() -> Iterator[Executor | None]:
    """A second process that is ready to draw when it is needed; None where no process can be started."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    try:
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare)
        pool.submit(_ready)
    except OSError:
        yield None
        return
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _prepare() -> None:
    """Ctrl-C is for the first process to answer, and this one ends with it."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in ("vl_convert", "expert_pool.documents.picture"):
        import_module(module)


def _ready() -> None:
    """The first task, so that the process starts before it is needed."""


def _draw(
    answer: "Answer", people: "Mapping[str, Person]", problem: "Problem", out: Path
) -> tuple[Path, ...]:
    if not answer.members:
        return ()
    from expert_pool.documents import panel_picture

    return panel_picture(answer, people, languages()[0], out / "panel.svg", out / "panel.png", problem)
