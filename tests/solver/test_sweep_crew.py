"""Sweeps over several processes: the same results, a helper lost, work stopped in the middle."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from dead_pool import DeadPool
from patience import until

from solver.problem import Problem, RuleChange
from solver.sweeping.crew import Task, sweep_all
from solver.sweeping.settled import Settled

ROOT = Path(__file__).parents[2]


def tasks(problem: Problem) -> list[Task]:
    points = tuple(
        (RuleChange("share", {"least": share}), RuleChange("newcomers", {"least": new}))
        for share in ("0", "1/2")
        for new in ("0", "1/3")
    )
    goals = tuple((RuleChange("cap", {"most": most}),) for most in (1, 3))
    return [Task(problem, points), Task(problem, goals)]


def told(found: list[dict[int, Settled]]) -> list[dict[int, Any]]:
    return [
        {
            at: (s.status, s.costs, s.how, s.source, s.panel and sorted(s.panel.members.items()))
            for at, s in sorted(one.items())
        }
        for one in found
    ]


def test_two_workers_find_what_one_finds(complete: Problem) -> None:
    alone = sweep_all(tasks(complete))
    assert [len(one) for one in alone] == [4, 2]
    assert told(sweep_all(tasks(complete), workers=2)) == told(alone)


def test_a_helper_that_is_lost_costs_nothing_but_its_search(complete: Problem) -> None:
    killed: list[int] = []

    def kill_one(*_: Any) -> None:
        if killed:
            return
        mine = psutil.Process(os.getpid()).children(recursive=True)
        helpers = [p for p in mine if any("spawn_main" in part for part in p.cmdline())]
        for helper in helpers[:1]:
            killed.append(helper.pid)
            os.kill(helper.pid, signal.SIGKILL)

    alone = sweep_all(tasks(complete))
    found = sweep_all(tasks(complete), workers=2, watch=kill_one)
    assert killed
    assert told(found) == told(alone)


def test_a_helper_that_is_lost_before_it_is_given_a_point_loses_no_point(
    complete: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.sweeping.crew.ProcessPoolExecutor", DeadPool)
    assert told(sweep_all(tasks(complete), workers=2)) == told(sweep_all(tasks(complete)))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_settled_before_the_stop_is_kept(complete: Problem, workers: int) -> None:
    seen: list[tuple[int, int]] = []
    found = sweep_all(
        tasks(complete),
        workers=workers,
        watch=lambda task, point, _: seen.append((task, point)),
        cancelled=lambda: len(seen) >= 1,
    )
    kept = [(i, at) for i, one in enumerate(found) for at in one]
    assert sorted(kept) == sorted(seen)
    assert 1 <= len(seen) < 6
    more: list[tuple[int, int]] = []
    whole = sweep_all(
        tasks(complete),
        known=lambda task, plan: found[task],
        watch=lambda task, point, _: more.append((task, point)),
    )
    assert sum(map(len, whole)) == 6
    assert not set(more) & set(seen)


KILLED = """
import os, pickle, signal, sys
import psutil
from solver.sweeping.crew import sweep_all

def killed(*_):
    print(*(p.pid for p in psutil.Process().children(recursive=True)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    sweep_all(pickle.load(open(sys.argv[1], "rb")), workers=2, watch=killed)
"""


def test_helpers_end_with_a_parent_that_was_killed(complete: Problem, tmp_path: Path) -> None:
    (tmp_path / "tasks").write_bytes(pickle.dumps(tasks(complete)))
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(tmp_path / "tasks")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "said").open("w") as said:  # a pipe would stay open as long as a helper lives
        ended = subprocess.run(command, stdout=said, check=False, env=environment)
    assert ended.returncode == -signal.SIGKILL
    helpers = [int(pid) for pid in (tmp_path / "said").read_text().split()]
    assert helpers
    until(lambda: not any(map(_alive, helpers)))


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
