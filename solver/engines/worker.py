"""An engine in a process of its own: jobs come in on stdin, incumbents, bounds and the end go out on stdout.

A process can be killed at any moment, whatever the engine does, and its memory goes with it. It ends by itself when
its parent does.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Literal

from solver.engines.job import Ended, EngineName, Job

if TYPE_CHECKING:
    from solver.facts import Ints

Order = tuple[Literal["solve"], int, Job] | tuple[Literal["stop"], int, None]
News = tuple[Literal["news"], int, "Ints | None", "int | None"]
End = tuple[Literal["ended"], int, Ended]
"""Each carries the number of its job."""


class _Desk:
    """Reads orders while the engine runs, so that a job can be stopped."""

    def __init__(self, incoming: IO[bytes]) -> None:
        self.jobs: SimpleQueue[tuple[int, Job]] = SimpleQueue()
        self._incoming = incoming
        self._stopped: set[int] = set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                order: Order = pickle.load(self._incoming)  # noqa: S301 - from our own parent
            except EOFError:
                os._exit(0)
            if order[0] == "solve":
                self.jobs.put((order[1], order[2]))
            else:
                self._stopped.add(order[1])

    def stopped(self, number: int) -> bool:
        return number in self._stopped


def main(engine: EngineName) -> None:
    """Serves jobs with one engine until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What an engine prints must not mix with what we say.
    if engine == "highs":
        from solver.engines.highs import solve
    else:
        from solver.engines.cp_sat import solve
    desk = _Desk(
        sys.stdin.buffer
    )  # Only now: jobs are unpickled in its thread, and two threads may not import at once.
    lock = threading.Lock()

    def say(message: News | End) -> None:
        with lock:
            pickle.dump(message, outgoing, protocol=pickle.HIGHEST_PROTOCOL)
            outgoing.flush()

    while True:
        number, job = desk.jobs.get()

        def tell(values: Ints | None, bound: int | None, number: int = number) -> None:
            say(("news", number, values, bound))

        def stopped(number: int = number) -> bool:
            return desk.stopped(number)

        try:
            ended = solve(job, tell, stopped)
        except MemoryError:
            ended = Ended("unknown", None, None, "memory")
        except Exception:
            traceback.print_exc()
            ended = Ended("unknown", None, None, "engine")
        say(("ended", number, ended))
