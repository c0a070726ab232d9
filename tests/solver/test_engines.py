"""Engines in processes of their own: they agree, they can be stopped and killed, and nothing found is lost."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from expert_pool.region import problems
from solver.engines import processes
from solver.engines.race import Effort, minimise
from solver.model import Level, Model, build, funnel, layout
from solver.search import summed


@pytest.fixture(scope="module")
def large() -> tuple[Model, Level]:
    """A panel that no engine proves at once: the whole model, no column closed."""
    problem = next(iter(problems(1, experts=10_000, seed=2, cases=200)))
    model = build(problem, layout(problem, funnel(problem).passes))
    return model, summed(model.levels)


@pytest.fixture(scope="module")
def small() -> tuple[Model, Level]:
    problem = next(iter(problems(1, experts=600, seed=3, cases=60)))
    model = build(problem, layout(problem, funnel(problem).passes))
    return model, summed(model.levels)


def test_one_engine_and_two_find_the_same_optimum(small: tuple[Model, Level]) -> None:
    model, level = small
    alone = minimise(model, level.cost, Effort(600))
    raced = minimise(model, level.cost, Effort(600, workers=2))
    assert alone.status == raced.status == "optimal"
    assert alone.value == raced.value
    assert raced.values is not None
    assert not len(model.broken_rows(raced.values))


def test_a_hint_and_a_bound_that_is_enough(small: tuple[Model, Level]) -> None:
    """A search that only has to reach a bound ends there, stopped by nothing."""
    model, level = small
    best = minimise(model, level.cost, Effort(600))
    assert best.value is not None
    again = minimise(model.unlike(_known(best.values)), level.cost, Effort(600), enough=best.value)
    assert again.stopped_by is None
    assert again.bound is not None
    assert again.bound >= best.value


def test_rows_that_cross_are_infeasible_before_any_engine(small: tuple[Model, Level]) -> None:
    model, level = small
    crossed = model.within(model.column_lower, np.where(np.arange(model.width) == 0, -1, model.column_upper))
    assert minimise(crossed, level.cost, Effort(600)).status == "infeasible"


def test_cancelling_keeps_the_best_and_takes_no_time(large: tuple[Model, Level]) -> None:
    model, level = large
    seen: list[int] = []

    def watch(incumbent: int | None, bound: int | None) -> None:
        if incumbent is not None:
            seen.append(incumbent)

    solved = minimise(model, level.cost, Effort(600), watch=watch, cancelled=lambda: bool(seen))
    assert solved.stopped_by == "cancelled"
    assert solved.value == min(seen)
    assert solved.values is not None
    assert not len(model.broken_rows(solved.values))


def test_a_killed_process_is_replaced_once(small: tuple[Model, Level]) -> None:
    """Killed as soon as it has the job, it starts again in a new process and comes to the same end."""
    model, level = small
    expected = minimise(model, level.cost, Effort(600)).value
    pid = _warm_pid()
    killed: list[int] = []

    def kill_once() -> bool:
        if not killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)
        return False

    solved = minimise(model, level.cost, Effort(600), cancelled=kill_once)
    assert killed
    assert (solved.status, solved.value) == ("optimal", expected)


def test_a_process_killed_again_and_again_gives_up_in_words(large: tuple[Model, Level]) -> None:
    model, level = large
    _warm_pid()

    def kill() -> bool:
        for process in processes.known():
            process.kill()
        return False

    solved = minimise(model, level.cost, Effort(600), cancelled=kill)
    assert solved.stopped_by == "engine"
    assert solved.status in ("unknown", "feasible")


def test_too_much_memory_stops_the_engine(large: tuple[Model, Level]) -> None:
    model, level = large
    solved = minimise(model, level.cost, Effort(600, memory_mb=1))
    assert (solved.status, solved.stopped_by) == ("unknown", "memory")


def _warm_pid() -> int:
    process = processes.borrow("cp_sat")
    processes.give_back(process)
    return process.pid


def _known(values: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    assert isinstance(values, np.ndarray)
    return values
