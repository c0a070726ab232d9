"""Progress on stderr: bars on a terminal, a line a second elsewhere, nothing with --json."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.cli.face import Face
from expert_pool.words import known
from solver.progress import Progress, Reporter, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@contextmanager
def progress(face: Face) -> Iterator[Reporter]:
    """A reporter for the work in the block."""
    if face.json:
        yield silent
    elif not sys.stderr.isatty():
        yield _Lines(face)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=Console(stderr=True), refresh_per_second=5) as bars:
            shown = _Bars(face, bars)
            yield shown
            shown.finish()


def phase_name(face: Face, phase: str) -> str:
    """The words of a phase; the phase itself where the catalogues know none."""
    code = f"progress.{phase}"
    return face.say(code) if known(code, face.lang) else phase


def numbers(face: Face, event: Progress) -> str:
    """What an event counts: done of total, or the incumbent and its bound."""
    if event.incumbent is not None or event.bound is not None:
        goal = " + ".join(_title(face, id_) for id_ in event.goal.split("+")) if event.goal else None
        return face.say("cli.progress.bound", goal=goal, incumbent=event.incumbent, bound=event.bound)
    if event.done is not None and event.total is not None:
        return f"{event.done:,}/{event.total:,}"
    return "" if event.done is None else f"{event.done:,}"


def _title(face: Face, goal: str) -> str:
    code = f"title.{goal}"
    return face.say(code) if known(code, face.lang) else goal


class _Lines:
    """At most one plain line a second, and one for each new phase that lasts."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.last = 0.0
        self.said = ""

    def __call__(self, event: Progress) -> None:
        now = time.monotonic()
        if now - self.last < 1:
            return
        line = " ".join(
            part for part in (phase_name(self.face, event.phase), numbers(self.face, event)) if part
        )
        if line != self.said:
            print(line, file=sys.stderr, flush=True)
            self.last, self.said = now, line


class _Bars:
    """One bar a phase."""

    def __init__(self, face: Face, bars: "Bars") -> None:
        self.face = face
        self.bars = bars
        self.phase = ""
        self.task: TaskID | None = None

    def __call__(self, event: Progress) -> None:
        if self.task is None or event.phase != self.phase:
            self.finish()
            self.phase = event.phase
            self.task = self.bars.add_task(phase_name(self.face, event.phase), total=event.total, count="")
        if event.total is not None:
            self.bars.update(self.task, total=event.total)
        if event.done is not None:
            self.bars.update(self.task, completed=event.done)
        self.bars.update(self.task, count=numbers(self.face, event))

    def finish(self) -> None:
        """Close the bar of the phase that is over."""
        if self.task is not None:
            total = self.bars.tasks[self.task].total or 1
            self.bars.update(self.task, total=total, completed=total)
            self.bars.stop_task(self.task)
