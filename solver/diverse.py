"""Several good panels: within a tolerance of the optimum, each as unlike those before it as can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from solver.answer import Answer, GoalResult, Part, Saying, Status
from solver.assemble import answer_of
from solver.errors import Fault
from solver.events import BASIS
from solver.explanation.standing import costs_of, rungs
from solver.goals.base import Goal
from solver.goals.tie_break import TieBreak
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.rules.base import Rule
from solver.rules.unlike import Unlike
from solver.search import Outcome, search

UNLIKE = "unlike"


class Alternative(Part):
    """One of the panels; `answer` is a panel of the problem itself.

    `left_out`: of every panel before it, at least so many members do not sit in it; no panel within the tolerance
    leaves out more than `left_out_bound` (`proven`: nor more than this one). `came` and `left`: members against the
    first panel. The first has None and nobody.
    """

    answer: Answer
    left_out: int | None
    left_out_bound: int | None
    proven: bool
    came: list[str]
    left: list[str]


class Several(Part):
    """`panels/1`.

    `level` (0: the sum of a weighted problem; None: no goal) may be up to `within` units above its optimum; levels
    before it stay as good as in the first panel, those after it are settled last. `shared`: members in common, panel by
    panel. `fewer` says why there are fewer panels than `asked`; `why_not`, why there is none at all.
    """

    format: Literal["panels/1"] = "panels/1"
    asked: int
    level: int | None
    within: int
    panels: list[Alternative]
    shared: list[list[int]]
    fewer: Saying | None
    why_not: list[Saying]


def several(
    problem: Problem,
    k: int,
    within: Fraction | int,
    *,
    level: int | None = None,
    seconds: float | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Several:
    """The best panel, and up to k - 1 others whose cost at `level` is `within` of it: units, or a share of the optimum.

    Each leaves out as many members of every panel before it as can be: where all panels are of one size, its greatest
    overlap with them is the least. A further panel leaves out somebody of each. `level`: by default the first with a
    goal; a weighted problem has only its sum. Raises Fault for a level without goals or a tolerance below 0.
    """
    if k < 1 or within < 0:
        raise Fault("several.number", "k" if k < 1 else "within", value=str(k if k < 1 else within))
    ends = time.monotonic() + (problem.limits.seconds if seconds is None else seconds)
    chosen = _level(problem, level, within)
    report(Progress("alternatives", done=0, total=k))
    first = search(_timed(problem, ends), report=report, cancelled=cancelled)
    best = answer_of(first, report=report, cancelled=cancelled)
    if first.panel is None:
        return Several(
            asked=k, level=chosen, within=0, panels=[], shared=[], fewer=None, why_not=best.why_not
        )
    optimum = next((result.value for result in first.goals if result.level == chosen), 0)
    room = within if isinstance(within, int) else int(within * optimum)
    panels = [first.panel]
    found = [Alternative(answer=best, left_out=None, left_out_bound=None, proven=True, came=[], left=[])]
    fewer: Saying | None = None
    while len(found) < k and fewer is None:
        report(Progress("alternatives", done=len(found), total=k))
        if first.stopped_by not in (None, "gap"):
            fewer = Saying(code="several.stopped", params={"stopped_by": first.stopped_by})
            break
        asked = _unlike(_timed(problem, ends), panels, chosen, room)
        outcome = search(asked, start=panels[0], report=report, cancelled=cancelled)
        panel = outcome.panel and replace(outcome.panel, problem=problem)
        new = [] if panel is None else _left_out(panel, panels)
        if panel is None or not _near(first, panel, chosen, room):
            fewer = Saying(code="several.stopped", params={"stopped_by": outcome.stopped_by or "time"})
        elif not min(new):
            only = _result(outcome).proven
            code = "several.only" if only else "several.stopped"
            fewer = Saying(code=code, params={} if only else {"stopped_by": outcome.stopped_by or "gap"})
        else:
            panels.append(panel)
            found.append(_alternative(first, panels, outcome))
    shared = [[len(a.members.keys() & b.members.keys()) for b in panels] for a in panels]
    return Several(asked=k, level=chosen, within=room, panels=found, shared=shared, fewer=fewer, why_not=[])


def _level(problem: Problem, level: int | None, within: Fraction | int) -> int | None:
    """The level at which there is room. Raises Fault where no goal stands there that could give way."""
    levels = sorted({goal.level for goal in problem.goals if not isinstance(goal, TieBreak)})
    if problem.weighted:
        if level is not None:
            raise Fault("several.weighted", str(level))
        chosen = 0 if problem.goals or any(rule.soft is not None for rule in problem.rules) else None
        levels = [0] if problem.goals else []
    else:
        chosen = level if level is not None else levels[0] if levels else None
        levels = [goal.level for goal in problem.goals]
    if chosen not in levels and (level is not None or (within and chosen is not None)):
        raise Fault("several.level", str(chosen), known=", ".join(map(str, sorted(set(levels)))) or None)
    return chosen


def _unlike(problem: Problem, panels: Sequence[Panel], level: int | None, room: int) -> Problem:
    """The problem of leaving out most of these panels, behind the level that has room."""
    numbers = {goal.level for goal in problem.goals}
    numbers |= {rule.soft for rule in problem.rules if rule.soft is not None}
    if problem.weighted:
        place = dict.fromkeys(numbers, 1)
        own = 2
    else:
        before = sorted(n for n in numbers if level is None or n <= level)
        after = sorted(numbers - set(before))
        own = len(before) + 1
        place = {n: i for i, n in enumerate(before, start=1)} | {
            n: i for i, n in enumerate(after, start=own + 1)
        }
    if own + len(numbers) > 99:
        raise Fault("replace.levels", "goals", levels=len(numbers))

    def goal_at(goal: Goal) -> Goal:
        wide = room if problem.weighted or goal.level == level else goal.tolerance
        return goal.model_copy(update={"level": place[goal.level], "tolerance": wide})

    def rule_at(rule: Rule) -> Rule:
        return rule if rule.soft is None else rule.model_copy(update={"soft": place[rule.soft]})

    members = tuple(tuple(problem.experts[e] for e in sorted(panel.members)) for panel in panels)
    unlike = Unlike(
        id=UNLIKE, basis=BASIS, soft=own, panels=members, out=max(len(panel) for panel in members)
    )
    return replace(
        problem,
        weighted=False,
        goals=tuple(map(goal_at, problem.goals)),
        rules=(*map(rule_at, problem.rules), unlike),
    )


def _timed(problem: Problem, ends: float) -> Problem:
    return replace(problem, limits=replace(problem.limits, seconds=max(0.0, ends - time.monotonic())))


def _left_out(panel: Panel, before: Sequence[Panel]) -> list[int]:
    """Of each panel before, how many members do not sit in this one."""
    return [len(other.members.keys() - panel.members.keys()) for other in before]


def _near(first: Outcome, panel: Panel, level: int | None, room: int) -> bool:
    """Whether a panel keeps to the tolerance: a search cut short may not."""
    costs = _costs(panel)
    tolerance = {goal.level: 0 for goal in first.problem.goals}
    for goal in first.problem.goals:
        tolerance[goal.level] = max(tolerance[goal.level], goal.tolerance)
    return all(
        costs[result.level]
        <= result.value + (room if result.level == level else tolerance.get(result.level, 0))
        for result in first.goals
        if level is None or result.level <= level
    )


def _costs(panel: Panel) -> dict[int, int]:
    return {rung.level: cost for rung, cost in zip(rungs(panel.problem), costs_of(panel), strict=True)}


def _result(outcome: Outcome) -> GoalResult:
    return next(result for result in outcome.goals if result.id == UNLIKE)


def _alternative(first: Outcome, panels: Sequence[Panel], outcome: Outcome) -> Alternative:
    """The last of the panels, as an answer to the problem itself: what it costs, against bounds that hold for it."""
    panel, before = panels[-1], panels[:-1]
    costs, goals, worse = _costs(panel), [], False
    levels = {level.level: level.cost for level in first.model.levels}
    for result in first.goals:
        value = costs[result.level]
        floor = result.bound if not worse else first.model.least(levels[result.level])
        bound = min(value, floor)
        goals.append(result.model_copy(update={"value": value, "bound": bound, "proven": value == bound}))
        worse = worse or value > result.value
    status: Status = "optimal" if all(goal.proven for goal in goals) else "feasible"
    told = replace(
        first,
        status=status,
        stopped_by=None if status == "optimal" else "gap",
        goals=tuple(goals),
        panel=panel,
    )
    unlike = _result(outcome)
    largest = max(len(other.members) for other in before)
    names = first.problem.experts
    start = panels[0].members.keys()
    return Alternative(
        answer=answer_of(told),
        left_out=min(_left_out(panel, before)),
        left_out_bound=largest - unlike.bound,
        proven=unlike.proven,
        came=[names[e] for e in sorted(panel.members.keys() - start)],
        left=[names[e] for e in sorted(start - panel.members.keys())],
    )
