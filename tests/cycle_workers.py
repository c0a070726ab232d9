"""Worker processes that take the cases of a cycle one by one, and stand still where a test wants to kill them."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import job_kinds

HOLD, HELD = "hold", "held"
"""Where in a step the next worker stands still: a batch by its number (it is written, and not committed), or the end (all
is committed, and the run is not told so); and the process that stands there."""


def shift_clock(shift: timedelta) -> Any:
    """What tells the time, so much later or earlier; it goes on."""
    return lambda: datetime.now(UTC) + shift


def work(database: str, key: str, says: job_kinds.Says, shift: timedelta, folder: str) -> None:
    """As `job_kinds.work`, with another clock and a folder of `hold` and `held`."""
    from expert_pool import clock
    from expert_pool.reevaluation.cycle import carrying

    clock.now = shift_clock(shift)
    place, batch, show = Path(folder), carrying._batch, carrying.show
    done: dict[str, int] = {}

    def stand(step: str) -> None:
        if (place / HOLD).exists() and (place / HOLD).read_text() == step:
            (place / HOLD).unlink()
            (place / HELD).write_text(str(os.getpid()))
            threading.Event().wait()

    def one_by_one(session: Any, viewer: Any, key: Any, code: str, step: Any, most: int) -> Any:
        found = batch(session, viewer, key, code, step, 1)
        session.flush()
        done[step] = done.get(step, 0) + 1
        stand(str(done[step]))
        return found

    def shown(*given: Any) -> Any:
        stand("end")
        return show(*given)

    carrying._batch, carrying.show = one_by_one, shown
    job_kinds.work(database, key, says)
