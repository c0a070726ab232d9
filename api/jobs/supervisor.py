"""Keeps worker processes alive beside the API: started anew when they die, with growing pauses, ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from api.logs import log

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a dead worker is started anew: twice as long each time, up to the longest."""
STEADY = 60.0
"""A worker that lived so long begins with the first pause again."""
_LOOK = 0.2
_MARGIN = 5.0


class Supervisor:
    """`count` processes running `command`; alive inside a `with` block.

    They stand in process groups of their own: Ctrl-C reaches this process, which tells them to drain. When this process
    is killed they see that their parent is gone and drain too (`expert-pool worker --parent`).
    """

    def __init__(self, command: Sequence[str], count: int, *, database: str, grace: float) -> None:
        self._command, self._grace = list(command), grace
        self._environment = {**os.environ, "EXPERT_POOL_DATABASE": database}
        self._slots = [_Slot(number, self._begin) for number in range(1, count + 1)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        """The processes alive now."""
        return [slot.process.pid for slot in self._slots if slot.alive and slot.process is not None]

    def ask_to_stop(self) -> None:
        """Tell every worker to drain; returns at once."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for slot in self._slots:
            if slot.process is not None and slot.alive:
                slot.process.terminate()

    def stop(self) -> None:
        """Tell every worker to drain, wait for them, and kill those that do not end in the grace time."""
        self.ask_to_stop()
        until = time.monotonic() + self._grace + _MARGIN
        for slot in self._slots:
            if slot.process is None:
                continue
            try:
                slot.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log().error("worker killed", slot=slot.number, pid=slot.process.pid)
                slot.process.kill()
                slot.process.wait()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            self._command, env=self._environment, stdin=subprocess.DEVNULL, process_group=0
        )

    def _watch(self) -> None:
        while not self._over.is_set():
            for slot in self._slots:
                slot.look(time.monotonic())
            self._over.wait(_LOOK)


class _Slot:
    """The place of one worker, through all its processes."""

    def __init__(self, number: int, begin: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.number, self._begin = number, begin
        self.process: subprocess.Popen[bytes] | None = None
        self._began = self._again = 0.0
        self._pause = FIRST_PAUSE
        self._dead = True

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look(self, now: float) -> None:
        """Notice a death, and start anew when its pause is over."""
        if self.alive:
            return
        if not self._dead and self.process is not None:
            self._dead = True
            if now - self._began > STEADY:
                self._pause = FIRST_PAUSE
            self._again = now + self._pause
            log().warning("worker died", slot=self.number, code=self.process.returncode, again_in=self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        if self._dead and now >= self._again:
            try:
                self.process = self._begin()
            except OSError as error:
                self._again = now + LONGEST_PAUSE
                log().error("worker not started", slot=self.number, error=error)
                return
            self._dead, self._began = False, now


def worker_command() -> list[str]:
    """How a worker of this process is started."""
    return [sys.executable, "-P", "-m", "api.cli.main", "worker", "--parent", str(os.getpid())]
