"""HiGHS as an engine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from solver.blocks import FREE
from solver.engines.job import UNKNOWN, Ended, Job, Stopping, Tell

if TYPE_CHECKING:
    from solver.facts import Floats, Ints


def solve(job: Job, tell: Tell, stopped: Stopping) -> Ended:
    """Minimises a job; tells of incumbents and bounds on the way, and ends soon after `stopped`. A solution counts only when its integers keep every
    row exactly: floats are HiGHS's own affair."""
    highs = highspy.Highs()
    highs.silent()
    # Always one thread: with another number after a first run HiGHS silently does nothing and reports 0.
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("time_limit", float(job.seconds))
    highs.setOptionValue("random_seed", job.seed % 2**31)
    highs.setOptionValue("mip_rel_gap", job.gap)
    step = 0 if job.cost is None else int(np.gcd.reduce(job.cost, initial=0))
    highs.setOptionValue("mip_abs_gap", max(0.0, step - 0.001))
    highs.setOptionValue("mip_feasibility_tolerance", 1e-7)
    highs.passModel(_model(job))
    if job.hint is not None:
        known = (job.hint != UNKNOWN).nonzero()[0]
        highs.setSolution(len(known), known.astype(np.int32), job.hint[known].astype(float))
    watcher = _Watcher(job, tell, stopped)
    highs.cbMipInterrupt.subscribe(watcher.look)
    if job.cost is not None:
        highs.cbMipImprovingSolution.subscribe(watcher.incumbent)
    highs.run()
    status, info = highs.getModelStatus(), highs.getInfo()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Ended("infeasible", None, None, None)
    values = None
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = exact(job, np.array(highs.getSolution().col_value))
    done = status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
    if job.cost is None:
        found = values is not None
        return Ended("optimal" if found else "unknown", values, None, None if found else "time")
    bound = _up(info.mip_dual_bound)
    if values is None:
        return Ended("unknown", None, bound, "time")
    value = int(job.cost @ values) + job.constant
    if done and bound is not None and value - bound < max(1, step):
        return Ended("optimal", values, value, None)
    return Ended("feasible", values, bound, "gap" if done and job.gap else "time")


def _up(bound: float) -> int | None:
    """The least integer objective a float bound still allows, doubting its last digits."""
    return None if not math.isfinite(bound) else math.ceil(bound - 1e-6 * max(1.0, abs(bound) * 1e-6))


def exact(job: Job, point: Floats) -> Ints | None:
    """The integers a point stands for, when they keep every row and bound exactly; else None."""
    values: Ints = np.rint(point).astype(np.int64)
    activity = np.zeros(len(job.row_lower), dtype=np.int64)
    owner = np.repeat(np.arange(len(job.row_lower)), np.diff(job.start))
    np.add.at(activity, owner, job.vals * values[job.cols])
    holds = (activity >= job.row_lower) & (activity <= job.row_upper)
    inside = (values >= job.lower) & (values <= job.upper)
    return values if bool(holds.all() and inside.all()) else None


def _model(job: Job) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(job.lower), len(job.row_lower)
    lp.col_lower_, lp.col_upper_ = job.lower.astype(float), job.upper.astype(float)
    lp.col_cost_ = np.zeros(len(job.lower)) if job.cost is None else job.cost.astype(float)
    lp.offset_ = float(job.constant)
    lp.row_lower_ = np.where(job.row_lower == -FREE, -highspy.kHighsInf, job.row_lower.astype(float))
    lp.row_upper_ = np.where(job.row_upper == FREE, highspy.kHighsInf, job.row_upper.astype(float))
    matrix = lp.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = job.start.astype(np.int32)
    matrix.index_ = job.cols.astype(np.int32)
    matrix.value_ = job.vals.astype(float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(job.lower)
    return lp


class _Watcher:
    def __init__(self, job: Job, tell: Tell, stopped: Stopping) -> None:
        self._job, self._tell, self._stopped = job, tell, stopped
        self._bound: int | None = None

    def incumbent(self, event: Any) -> None:
        values = exact(self._job, np.array(event.data_out.mip_solution))
        if values is not None:
            self._tell(values, None)

    def look(self, event: Any) -> None:
        if self._stopped():
            event.interrupt()
        if self._job.cost is None:
            return
        bound = _up(event.data_out.mip_dual_bound)
        if bound is not None and bound != self._bound:
            self._bound = bound
            self._tell(None, bound)
