"""Warm engine processes: borrowed for a job, given back after it, killed when they do not listen."""

from __future__ import annotations

import atexit
import contextlib
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import psutil

from solver.engines.job import Ended, EngineName, Job
from solver.facts import Ints

Said: TypeAlias = Ended | tuple[Ints | None, int | None] | None
"""The end of a job; values and bound on the way; None when the process is gone."""
Heard: TypeAlias = "tuple[EngineProcess, int | None, Said]"
"""Who said it, of which job."""

PATIENCE = 0.5
"""Seconds that a stopped job may take to end before its process is replaced."""
_ROOT = str(Path(__file__).parents[2])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from solver.engines.worker import main; main(sys.argv[2])"
)


class EngineProcess:
    """One engine in one process. Jobs are numbered; what is heard goes to the queue of the job."""

    def __init__(self, engine: EngineName) -> None:
        self.engine: EngineName = engine
        self.number = 0
        self._cpu = 0.0
        self._hearing: SimpleQueue[Heard] | None = None
        self._ended = threading.Event()
        self._ended.set()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-c", _START, _ROOT, engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._watched = psutil.Process(self._process.pid)
        _ever.append(self)
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory_mb(self) -> float:
        """Resident memory now; 0 when the process is gone."""
        try:
            return float(self._watched.memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def cpu_seconds(self) -> float:
        """CPU used so far, also after its end as far as it was seen."""
        with contextlib.suppress(psutil.Error):
            times = self._watched.cpu_times()
            self._cpu = float(times.user + times.system)
        return self._cpu

    def start(self, job: Job, hearing: SimpleQueue[Heard]) -> None:
        """Begins a job; everything about it is put into `hearing`."""
        self.number += 1
        self._hearing = hearing
        self._ended.clear()
        if not self._send(("solve", self.number, job)):
            hearing.put((self, self.number, None))

    def rest(self) -> bool:
        """Stops the job; True once the process is free for another."""
        if not self._ended.is_set():
            self._send(("stop", self.number, None))
        return self._ended.wait(PATIENCE) and self.alive

    def stop(self) -> None:
        """Asks for the end of the job, without waiting."""
        if not self._ended.is_set():
            self._send(("stop", self.number, None))

    def kill(self) -> None:
        self.cpu_seconds()  # a dead process tells no longer
        self._process.kill()

    def _send(self, order: Any) -> bool:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            pickle.dump(order, stdin, protocol=pickle.HIGHEST_PROTOCOL)
            stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def _listen(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while True:
            try:
                kind, number, *rest = pickle.load(stdout)  # noqa: S301 - from our own child
            except (EOFError, pickle.UnpicklingError, OSError):
                break
            said: Said = rest[0] if kind == "ended" else (rest[0], rest[1])
            if kind == "ended" and number == self.number:
                self._ended.set()
            if self._hearing is not None:
                self._hearing.put((self, number, said))
        self._process.wait()
        for pipe in (stdout, self._process.stdin):
            with contextlib.suppress(OSError, AttributeError):
                pipe.close()  # type: ignore[union-attr]
        if self._hearing is not None:
            self._hearing.put((self, None, None))


_idle: list[EngineProcess] = []
_ever: list[EngineProcess] = []
_lock = threading.Lock()


def borrow(engine: EngineName) -> EngineProcess:
    """A process of this engine that is free: an idle one, else a new one. One that does not stop is replaced."""
    with _lock:
        found = next((process for process in _idle if process.engine == engine), None)
        if found is not None:
            _idle.remove(found)
    if found is None:
        return EngineProcess(engine)
    if found.alive and found.rest():
        return found
    found.kill()
    return EngineProcess(engine)


def give_back(process: EngineProcess) -> None:
    """After a job, ended or not: it is stopped, and may be borrowed again."""
    process.stop()
    if process.alive:
        with _lock:
            _idle.append(process)


def known() -> list[EngineProcess]:
    """Every process started so far, dead ones too."""
    return list(_ever)


def cpu_seconds() -> float:
    """CPU that all engine processes have used so far."""
    return sum(process.cpu_seconds() for process in _ever)


def warm(engines: tuple[EngineName, ...]) -> None:
    """Starts processes that will be needed soon, and does not wait for them."""
    with _lock:
        there = [process.engine for process in _idle if process.alive]
        _idle.extend(EngineProcess(engine) for engine in engines if engine not in there)


@atexit.register
def _kill_all() -> None:
    with _lock:
        for process in _idle:
            process.kill()
