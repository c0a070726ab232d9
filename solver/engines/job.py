"""What an engine is given and what it gives back: plain arrays, nothing of rules, ready to cross a process border."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from solver.answer import Status, Stopped
    from solver.facts import Ints

EngineName = Literal["cp_sat", "highs"]
UNKNOWN = -1
"""In a hint: no idea about this column (no column of ours is ever negative)."""


@dataclass(frozen=True)
class Job:
    """Minimise cost.x + constant over integer columns and rows (CSR) with bounds; `cost` is None when any feasible point
    will do. `hint` has a value for each column, or UNKNOWN."""

    lower: Ints
    upper: Ints
    start: Ints
    cols: Ints
    vals: Ints
    row_lower: Ints
    row_upper: Ints
    cost: Ints | None
    constant: int
    hint: Ints | None
    seconds: float
    gap: float
    threads: int
    seed: int


@dataclass(frozen=True)
class Ended:
    """How an engine ended a job: `values` over the columns of the job."""

    status: Status
    values: Ints | None
    bound: int | None
    stopped_by: Stopped | None


@dataclass(frozen=True)
class Solved:
    """values over all columns of the model (None without a solution); `value` and `bound` of the cost minimised; which
    engine said so."""

    status: Status
    values: Ints | None
    value: int | None
    bound: int | None
    stopped_by: Stopped | None
    engine: EngineName | None = None


Tell = Callable[["Ints | None", "int | None"], None]
"""Told of every new incumbent (values of the job's columns) and of every new bound, constant included."""

Stopping = Callable[[], bool]
"""Asked often while an engine runs: True when it should end."""


@contextmanager
def stopping(stopped: Stopping, brake: Callable[[], None]) -> Iterator[None]:
    """Pulls the brake, again and again, once `stopped` says so: CP-SAT forgets a brake pulled before its search."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            if stopped():
                brake()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
