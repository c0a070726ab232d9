"""CP-SAT as an engine: a model in, the best values found and a proven bound out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from solver.answer import Status, Stopped
from solver.blocks import FREE, Linear
from solver.facts import Ints
from solver.model import Model

Cancelled = Callable[[], bool]
Watch = Callable[[int | None, int | None], None]
"""Told of every new incumbent and bound; may be called from a foreign thread."""


@dataclass(frozen=True)
class Solved:
    """values over all columns (None without a solution); `value` and `bound` of the cost that was minimised."""

    status: Status
    values: Ints | None
    value: int | None
    bound: int | None
    stopped_by: Stopped | None


class CpSat:
    """One model, loaded once. Columns fixed at zero are left out."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.cp = cp_model.CpModel()
        self.columns: dict[int, Any] = {}
        lower, upper = model.column_lower.tolist(), model.column_upper.tolist()
        for column, (a, b) in enumerate(zip(lower, upper, strict=True)):
            if (a, b) == (0, 1):
                self.columns[column] = self.cp.new_bool_var("")
            elif (a, b) != (0, 0):
                self.columns[column] = self.cp.new_int_var(a, b, "")
        unit = (model.column_lower == 0) & (model.column_upper <= 1)
        for cols, vals, low, high in model.rows():
            if low > high:
                self.cp.add_bool_or([])
            elif high == 1 and low == -FREE and bool((vals == 1).all()) and bool(unit[cols].all()):
                self.cp.add_at_most_one([self.columns[c] for c in cols.tolist() if c in self.columns])
            else:
                self.cp.add_linear_constraint(self._sum(cols, vals), max(low, -(2**60)), min(high, 2**60))

    def _sum(self, cols: Ints, vals: Ints) -> Any:
        there = [
            (self.columns[c], v)
            for c, v in zip(cols.tolist(), vals.tolist(), strict=True)
            if c in self.columns
        ]
        return cp_model.LinearExpr.weighted_sum([c for c, _ in there], [v for _, v in there])

    def hint(self, values: Ints) -> None:
        """Start from these values of all columns."""
        self.cp.clear_hints()
        for column, variable in self.columns.items():
            self.cp.add_hint(variable, int(values[column]))

    def minimise(
        self,
        cost: Linear | None,
        *,
        seconds: float,
        gap: float = 0.0,
        workers: int = 1,
        seed: int = 0,
        cancelled: Cancelled = lambda: False,
        watch: Watch = lambda incumbent, bound: None,
    ) -> Solved:
        """The cheapest values, or any that are feasible when `cost` is None."""
        if cancelled():
            return Solved("unknown", None, None, None, "cancelled")
        if seconds <= 0:
            return Solved("unknown", None, None, None, "time")
        self.cp.clear_objective()
        constant = 0
        if cost is not None:
            constant = cost.constant
            self.cp.minimize(self._sum(cost.cols, cost.vals))
        solver = cp_model.CpSolver()
        _set(solver, seconds=seconds, gap=gap, workers=workers, seed=seed)
        callback = _Watcher(watch, constant) if cost is not None else None
        if cost is not None:
            solver.best_bound_callback = lambda bound: watch(None, int(np.ceil(bound - 1e-6)) + constant)
        with _Stopper(solver, cancelled) as stopper:
            status = solver.solve(self.cp, callback)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        values = self._values(solver) if found else None
        if status == cp_model.INFEASIBLE:
            return Solved("infeasible", None, None, None, None)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
            raise RuntimeError(f"CP-SAT says {status.name}: {self.cp.validate()}")
        value = None if values is None or cost is None else cost.at(values)
        bound = None
        if cost is not None:
            bound = int(np.ceil(solver.best_objective_bound - 1e-6)) + constant
            if value is not None:
                bound = min(bound, value)
        if found and (cost is None or value == bound):
            return Solved("optimal", values, value, bound, None)
        stopped: Stopped = "cancelled" if stopper.pulled else "gap" if status == cp_model.OPTIMAL else "time"
        return Solved("feasible" if found else "unknown", values, value, bound, stopped)

    def _values(self, solver: cp_model.CpSolver) -> Ints:
        values = np.zeros(self.model.width, dtype=np.int64)
        for column, variable in self.columns.items():
            values[column] = solver.value(variable)
        return values


def _set(solver: cp_model.CpSolver, *, seconds: float, gap: float, workers: int, seed: int) -> None:
    """The one place where parameters are chosen.

    catch_sigint_signal stays off: with it, Ctrl-C during a solve in a worker thread aborts the process.
    """
    parameters = solver.parameters
    parameters.catch_sigint_signal = False
    parameters.max_time_in_seconds = seconds
    parameters.relative_gap_limit = gap
    parameters.num_workers = workers
    parameters.random_seed = seed % 2**31
    # Every row in the LP: most panels have a tight relaxation, which level 1 throws away.
    parameters.linearization_level = 2


class _Watcher(cp_model.CpSolverSolutionCallback):
    def __init__(self, watch: Watch, constant: int) -> None:
        super().__init__()
        self._watch = watch
        self._constant = constant

    def on_solution_callback(self) -> None:
        self._watch(round(self.objective_value) + self._constant, None)


class _Stopper:
    """Asks `cancelled` while a solve runs, and pulls the brake: CP-SAT stops within milliseconds once in search."""

    def __init__(self, solver: cp_model.CpSolver, cancelled: Cancelled) -> None:
        self._solver = solver
        self._cancelled = cancelled
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.pulled = False

    def _look(self) -> None:
        while not self._over.wait(0.05):
            if self._cancelled():
                self.pulled = True
                self._solver.stop_search()
                time.sleep(0.01)

    def __enter__(self) -> _Stopper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
