"""Ctrl-C during long work: the first asks it to stop and keep its best, the second ends it."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


def interruptible(work: Callable[[Cancelled], Result]) -> Result:
    """Do `work` in a thread of its own while this one listens for Ctrl-C; its result, or what it raised.

    `work` is given a function that says whether it should stop. Raises KeyboardInterrupt at the second Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        return work(lambda: False)
    asked = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    def run() -> None:
        try:
            results.append(work(asked.is_set))
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=run, name="work", daemon=True)
    before = signal.signal(signal.SIGINT, stop)
    try:
        worker.start()
        while worker.is_alive():
            worker.join(0.2)
    finally:
        signal.signal(signal.SIGINT, before)
    if errors:
        raise errors[0]
    return results[0]
