"""Tipping points: the last value of one parameter at which something still holds, found by bisection to a stated precision.

Whole numbers and seats are exact. A share only ever asks for whole seats, so that between two neighbouring shares k/n of
the sizes a panel may have nothing changes: bisecting over those gives the exact share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from solver.engines.race import Cancelled
from solver.problem import Problem, RuleChange
from solver.progress import Progress, Reporter, silent
from solver.rules.panel_size import sizes_of
from solver.sweeping.kept import Kept
from solver.sweeping.settled import Settled
from solver.sweeping.sweep import Plan, Point, planned, settle

Value = Fraction | int
Holds = Callable[[Settled], bool | None]
"""Whether a point still holds; None where its search was stopped before it could tell."""


@dataclass(frozen=True)
class Tipping:
    """`last`: the last value at which it holds, `first`: the next one looked at, where it does not; both None where it
    holds nowhere, `first` None where it holds everywhere. `exact`: nothing lies between them that would differ.
    `monotone`: the rule itself says that what holds at a value holds at every looser one; else there may be other crossings.
    `settled`: every value that was looked at."""

    status: Literal["found", "always", "never", "undecided"]
    last: Value | None
    first: Value | None
    exact: bool
    monotone: bool
    settled: tuple[tuple[Value, Settled], ...]


def shares_between(problem: Problem, rule: str, low: Fraction, high: Fraction) -> tuple[Fraction, ...]:
    """Every share k/n within the bounds, and the bounds, of the sizes n that the panel may have; or its groups, where the
    rule speaks of them."""
    own = next(one for one in problem.rules if one.id == rule)
    of_groups = "group" in (getattr(own, "scope", None), getattr(own, "of", None))
    sizes = (
        {n for group in problem.groups for n in range(group.low, group.high + 1)}
        if of_groups
        else set(sizes_of(problem))
    )
    found = {Fraction(k, n) for n in sizes for k in range(n + 1)}
    return tuple(sorted({low, high, *(share for share in found if low <= share <= high)}))


def points_of(rule: str, field: str, values: Sequence[Value]) -> tuple[Point, ...]:
    """The points that `tipping` may look at, in the order of the values."""
    return tuple((RuleChange(rule, {field: str(v) if isinstance(v, Fraction) else v}),) for v in values)


def tipping(
    problem: Problem,
    rule: str,
    field: str,
    values: Sequence[Value],
    holds: Holds,
    *,
    exact: bool,
    known: Callable[[Plan], Mapping[int, Settled]] = lambda plan: {},
    watch: Callable[[int, Settled], None] = lambda at, settled: None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Tipping:
    """Bisects over `values`, from the loosest to the tightest. `exact`: no value between two neighbours could differ.
    `known(plan)`: values settled already, by their places, which `watch` is not told of.

    Raises Fault where a value does not fit the rule.
    """
    plan = planned(problem, points_of(rule, field, values))
    before = known(plan)
    chain = set(zip(range(len(values)), range(1, len(values)), strict=False))
    monotone = all(i in plan.before[j] or plan.problems[i] == plan.problems[j] for i, j in chain)
    done: dict[int, Settled] = {}
    kept = Kept()

    def asked(at: int) -> bool | None:
        if at not in done:
            report(Progress("tipping", done=len(done)))
            done[at] = before[at] if at in before else settle(plan, at, done, kept, cancelled)
            if at not in before and done[at].stopped_by != "cancelled":
                watch(at, done[at])
        return holds(done[at])

    def told(status: Literal["found", "always", "never", "undecided"], low: int, high: int) -> Tipping:
        looked = tuple((values[at], done[at]) for at in sorted(done))
        last = values[low] if 0 <= low < len(values) else None
        first = values[high] if 0 <= high < len(values) else None
        return Tipping(status, last, first, exact and high - low == 1, monotone, looked)

    low, high = 0, len(values) - 1
    ends = asked(low), asked(high)
    if ends[0] is None or ends[1] is None:
        return told("undecided", -1, len(values))
    if not ends[0]:
        return told("never", -1, low)
    if ends[1]:
        return told("always", high, len(values))
    while high - low > 1:
        middle = (low + high) // 2
        verdict = asked(middle)
        if verdict is None:
            return told("undecided", low, high)
        low, high = (middle, high) if verdict else (low, middle)
    return told("found", low, high)


def feasible(settled: Settled) -> bool | None:
    """Whether a point has a lawful panel."""
    return None if settled.status == "unknown" else settled.status != "infeasible"


def within(level: int, most: int) -> Holds:
    """Whether the panel of a point costs at most so much at a goal level."""

    def holds(settled: Settled) -> bool | None:
        if settled.status == "infeasible":
            return False
        goal = next((goal for goal in settled.goals if goal.level == level), None)
        if goal is None:
            return None
        return True if goal.value <= most else False if goal.bound > most else None

    return holds
