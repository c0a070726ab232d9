"""Runs one job in a process of its own and reads what it cost."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from solver.engines.processes import cpu_seconds, known


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job cost after its set-up: wall and CPU seconds, peak memory of the process in MB, and what it said."""

    wall: float
    cpu: float
    peak_mb: float
    said: dict[str, Any]


def run(job: str, *arguments: str, seconds: float = 900) -> Cost:
    """The job `bench.jobs.<job>` with these arguments, in a fresh process."""
    command = [sys.executable, "-m", "bench.jobs", job, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Cost(said.pop("wall"), said.pop("cpu"), said.pop("peak_mb"), said)


class Stopwatch:
    """Wall and CPU (user + system) of this process and its engines since the start."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), self._cpu()
        self.loaded = self._peak()

    @staticmethod
    def _cpu() -> float:
        return time.process_time() + cpu_seconds()

    @staticmethod
    def _peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def passed(self) -> float:
        """CPU seconds so far."""
        return self._cpu() - self.cpu

    def report(self, **said: Any) -> None:
        """Prints the cost and what the job says, as one line of JSON. Engines in processes of their own count."""
        cost = {
            "wall": time.perf_counter() - self.wall,
            "cpu": self._cpu() - self.cpu,
            "peak_mb": self._peak() + engines_peak_mb(),
            "loaded_mb": self.loaded,
        }
        print(json.dumps({**cost, **said}))


def engines_peak_mb() -> float:
    """The sum of the peaks of the engine processes that are still there."""
    total = 0.0
    for process in known():
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return total


def spread(values: Sequence[float], digits: int = 2) -> str:
    """`median [least .. most]`."""
    return f"{median(values):.{digits}f} [{min(values):.{digits}f} .. {max(values):.{digits}f}]"


def machine() -> str:
    """One line on where this ran, with how busy it was and how even a fixed piece of work is."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        sum(range(3_000_000))
        times.append(time.perf_counter() - start)
    noise = (max(times) - min(times)) / median(times)
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {load:.1f}, noise {noise:.0%} (spread of a fixed loop)"
    )
