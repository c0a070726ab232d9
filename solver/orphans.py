"""Helper processes that do not outlive whoever started them, however that one ends."""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Called in a process that `multiprocessing` spawned: it ends as soon as its parent is gone, killed or not, whatever it is
    at. A spawned process holds the reading end of a pipe that only its parent can write to; the end of that file is the end
    of the parent. In any other process nothing happens."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="orphan", daemon=True).start()
