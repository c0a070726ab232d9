"""CP-SAT as an engine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

# The public module of ortools is a thin layer over this one and loads pandas, which takes longer than most panels.
from ortools.sat.python import cp_model_helper as cp

from solver.blocks import FREE
from solver.engines.job import UNKNOWN, Ended, Job, Stopping, Tell, stopping

if TYPE_CHECKING:
    from solver.answer import Stopped
    from solver.facts import Ints

FAR = 2**60
"""CP-SAT's own infinity for bounds must stay clear of overflow."""


def solve(job: Job, tell: Tell, stopped: Stopping) -> Ended:
    """Minimises a job; tells of incumbents and bounds on the way, and ends soon after `stopped`."""
    model = _model(job)
    wrapper = cp.SolveWrapper()
    wrapper.set_parameters(_parameters(job))
    watcher = _Watcher(job, tell)
    if job.cost is not None:
        wrapper.add_solution_callback(watcher)
        wrapper.add_best_bound_callback(lambda bound: tell(None, _up(bound) + job.constant))
    with stopping(stopped, wrapper.stop_search):
        response = wrapper.solve(model)
    if response.status == cp.INFEASIBLE:
        return Ended("infeasible", None, None, None)
    if response.status not in (cp.OPTIMAL, cp.FEASIBLE, cp.UNKNOWN):
        raise RuntimeError(f"CP-SAT says {response.status}")
    found = response.status != cp.UNKNOWN
    values = np.array(list(response.solution), dtype=np.int64) if found else None
    if job.cost is None:
        return Ended("optimal" if found else "unknown", values, None, None if found else "time")
    bound = _up(response.best_objective_bound) + job.constant
    if values is not None:
        value = int(job.cost @ values) + job.constant
        if bound >= value:
            return Ended("optimal", values, value, None)
    why: Stopped = "gap" if response.status == cp.OPTIMAL else "time"
    return Ended("feasible" if found else "unknown", values, bound, why)


def _up(bound: float) -> int:
    return -FAR if math.isinf(bound) else math.ceil(bound - 1e-6)


def _model(job: Job) -> cp.CpModelProto:
    model = cp.CpModelProto()
    for low, high in zip(job.lower.tolist(), job.upper.tolist(), strict=True):
        model.variables.add().domain.extend([low, high])
    unit = bool(((job.lower == 0) & (job.upper <= 1)).all())
    cols, vals, start = job.cols.tolist(), job.vals.tolist(), job.start.tolist()
    free, rows = job.row_lower == -FREE, zip(job.row_lower.tolist(), job.row_upper.tolist(), strict=True)
    ones = np.bincount(np.repeat(np.arange(len(free)), np.diff(job.start)), job.vals != 1, len(free)) == 0
    zero_one = (job.lower == 0) & (job.upper <= 1)
    for i, (low, high) in enumerate(rows):
        own = cols[start[i] : start[i + 1]]
        constraint = model.constraints.add()
        if high == 1 and free[i] and own and ones[i] and (unit or bool(zero_one[own].all())):
            constraint.at_most_one.literals.extend(own)
        else:
            linear = constraint.linear
            linear.vars.extend(own)
            linear.coeffs.extend(vals[start[i] : start[i + 1]])
            linear.domain.extend([max(low, -FAR), min(high, FAR)])
    if job.cost is not None:
        used = job.cost.nonzero()[0]
        model.objective.vars.extend(used.tolist())
        model.objective.coeffs.extend(job.cost[used].tolist())
    if job.hint is not None:
        known = (job.hint != UNKNOWN).nonzero()[0]
        model.solution_hint.vars.extend(known.tolist())
        model.solution_hint.values.extend(job.hint[known].tolist())
    return model


def _parameters(job: Job) -> cp.SatParameters:
    """The one place where parameters are chosen.

    catch_sigint_signal stays off: Ctrl-C is the face's to handle.
    """
    parameters = cp.SatParameters()
    parameters.catch_sigint_signal = False
    parameters.max_time_in_seconds = job.seconds
    parameters.relative_gap_limit = job.gap
    parameters.num_workers = job.threads
    parameters.random_seed = job.seed % 2**31
    # Every row in the LP: most panels have a tight relaxation, which level 1 throws away.
    parameters.linearization_level = 2
    return parameters


class _Watcher(cp.SolutionCallback):
    def __init__(self, job: Job, tell: Tell) -> None:
        super().__init__()
        self._width, self._tell = len(job.lower), tell

    def OnSolutionCallback(self) -> None:
        values: Ints = np.array(list(self.Response().solution), dtype=np.int64)
        self._tell(values, None)
