"""Worker processes that settle a sweep, and stand still where a test wants to kill them."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import job_kinds
from cycle_workers import HELD, HOLD, shift_clock


def work(database: str, key: str, says: job_kinds.Says, shift: timedelta, folder: str) -> None:
    """As `job_kinds.work`, with another clock; the next worker stands still after so many points as `hold` in the folder
    says, and says in `held` which process it is. `searched`: a line for each point that was searched."""
    from expert_pool import clock
    from expert_pool.simulation import bench, kept

    clock.now = shift_clock(shift)
    kept.EVERY = 0.05
    place, stored = Path(folder), bench.stored
    done = 0

    def counted(*given: Any) -> Any:
        nonlocal done
        found = stored(*given)
        with (place / "searched").open("a") as log:
            log.write(f"{found.sha256}\n")
        done += 1
        if (place / HOLD).exists() and done > int((place / HOLD).read_text()):
            (place / HOLD).unlink()
            (place / HELD).write_text(str(os.getpid()))
            threading.Event().wait()
        return found

    bench.stored = counted  # type: ignore[assignment]
    job_kinds.work(database, key, says)
