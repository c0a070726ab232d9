"""What a change of the problem does to its best panel: found by a swap or a search, bounded by prices or by proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.answer import Answer, Stopped
from solver.assemble import BrokenPanel
from solver.check import judge
from solver.document import problem_sha256
from solver.engines.race import Cancelled
from solver.explanation.bounds import Bounds, Least
from solver.explanation.document import Change, FoundBy, LevelChange
from solver.explanation.questions import asking
from solver.explanation.standing import Costs, Rung, allowed, costs_of, panel_in, rungs
from solver.explanation.substitutes import Found, Substitutes
from solver.model import Funnel, Model, build, funnel, layout
from solver.moves import moves, stands_of
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Gate, Rule
from solver.search import Outcome, search
from solver.seats import Place

SHAPING = frozenset({"group_size", "panel_size", "roles", "alternates"})
"""Rules that the columns, or the rows of other rules, are written by."""


@dataclass
class Budget:
    """Wall time for a number of questions still to come: each may use its share of what is left."""

    ends: float
    questions: int
    cancelled: Cancelled

    def asked(self) -> Stopped | None:
        """Counts a question; says why it can no longer be answered."""
        self.questions -= 1
        if self.cancelled():
            return "cancelled"
        return "time" if time.monotonic() >= self.ends else None

    def share(self) -> float:
        """Seconds for the question that was asked last."""
        return (self.ends - time.monotonic()) / (max(0, self.questions) + 1)


@dataclass(frozen=True)
class _Known:
    """What is known of the answer to one question: the best panel found, what is proven, and whether there is none."""

    found: Found | None
    found_by: FoundBy | None
    least: Least
    impossible: bool = False
    stopped_by: Stopped | None = None


class Inquiry:
    """A problem with its present panel, to be asked what would be if.

    `exact` searches for the best panel of every changed problem; otherwise single swaps say what a change costs at
    most, and prices what it costs at least. An answer that claims proven levels is believed as far as it goes.
    """

    def __init__(self, answer: Answer, panel: Panel, budget: Budget, lawful: bool, exact: bool) -> None:
        self.problem, self.panel = panel.problem, panel
        self.budget, self.exact = budget, exact
        self.narrowed = funnel(self.problem)
        self.model = build(self.problem, layout(self.problem, self.narrowed.passes))
        self.levels = rungs(self.problem)
        self.actual = costs_of(panel)
        self.costs = _settled(answer, self.levels, self.actual)
        self.claimed = _claimed(answer, self.levels, self.costs, lawful)
        self.bounds = Bounds(self.model, self.levels, self.costs, claimed=self.claimed)
        self.substitutes = Substitutes(self.problem, self.model, panel)

    def without(self, expert: int) -> Change:
        """The best panel in which the expert neither sits nor waits."""
        if stopped := self.budget.asked():
            return self._open(stopped)
        if self._locked(expert):
            return self._said(
                _Known(None, None, [None] * len(self.levels), impossible=True), self.levels, self.costs
            )
        columns = (self.model.seats.expert == expert).nonzero()[0]
        known = _Known(self.substitutes.instead_of(expert), "swap", self.bounds.without(columns))
        return self._change(known, asking(self.problem, expert, sits=False))

    def seating(self, expert: int) -> Change:
        """The best panel in which the expert sits."""
        if stopped := self.budget.asked():
            return self._open(stopped)
        seats = self.model.seats
        columns = ((seats.expert == expert) & (seats.place == Place.MEMBER)).nonzero()[0]
        known = _Known(self.substitutes.with_(expert), "swap", self.bounds.using(columns))
        return self._change(known, asking(self.problem, expert, sits=True))

    def under(self, problem: Problem, *, dropped: Rule | None = None) -> Change:
        """The best panel once the rules are these; the present one, where it keeps them and none is better. `dropped`:
        the only rule that differs, and is not there."""
        if stopped := self.budget.asked():
            return self._open(stopped)
        panel, levels = panel_in(problem, self.panel), rungs(problem)
        costs = costs_of(panel)
        if (levels, costs) == (self.levels, self.actual):
            costs = self.costs
        narrowed = self.narrowed if _gates(problem) == _gates(self.problem) else funnel(problem)
        if dropped is not None and _leaves_the_rest(dropped):
            model = _without(self.model, dropped.id)
        else:
            model = build(problem, layout(problem, narrowed.passes))
        claimed = self.claimed if self._nothing_but_idle_gates(problem, narrowed) else None
        bounds = Bounds(model, levels, costs, claimed=claimed, like=self.bounds)
        still = Found(costs, panel) if allowed(model, panel) else None
        known = _Known(still, "present", bounds.plain())
        if still is None or not _settles(known.least, costs, costs):
            better = Substitutes(problem, model, panel).any(below=costs)
            known = known if better is None else replace(known, found=better, found_by="swap")
        return self._change(known, problem, levels, costs)

    def _locked(self, expert: int) -> bool:
        hard = any(rule.rule == "locks" and rule.soft is None for rule in self.problem.rules)
        return hard and any(lock.expert == expert for lock in self.problem.locks)

    def _nothing_but_idle_gates(self, problem: Problem, narrowed: Funnel) -> bool:
        """Whether a changed problem differs only by gates that bar nobody: then it has the same panels."""
        ours, theirs = (
            [rule for rule in p.rules if not isinstance(rule, Gate) or rule.soft is not None]
            for p in (self.problem, problem)
        )
        same_groups = problem.groups == self.problem.groups
        return ours == theirs and same_groups and bool((narrowed.passes == self.narrowed.passes).all())

    def _change(
        self,
        known: _Known,
        problem: Problem,
        levels: Sequence[Rung] | None = None,
        costs: Costs | None = None,
    ) -> Change:
        levels = self.levels if levels is None else levels
        costs = self.costs if costs is None else costs
        if self.exact and not (known.found and _settles(known.least, known.found.costs, costs)):
            known = self._searched(known, problem, levels, costs)
        return self._said(known, levels, costs)

    def _searched(self, known: _Known, problem: Problem, levels: Sequence[Rung], costs: Costs) -> _Known:
        """A search for the best panel, from the best known so far. Raises BrokenPanel where the checker finds fault with
        what it returns: a fault of ours."""
        limits = replace(problem.limits, seconds=max(0.01, self.budget.share()), gap=0.0)
        start = known.found.panel if known.found else self.panel
        outcome = search(
            replace(problem, limits=limits),
            start=panel_in(problem, start),
            cancelled=self.budget.cancelled,
        )
        if outcome.status == "infeasible":
            return _Known(None, None, [None] * len(levels), impossible=True)
        least = max(known.least, _proven(outcome, levels, costs), key=_order)
        if outcome.panel is None:
            return replace(known, least=least, stopped_by=outcome.stopped_by)
        if any(finding.hard for finding in judge(replace(outcome.panel, problem=problem))[1]):
            raise BrokenPanel(problem_sha256(self.problem))
        values = {goal.level: goal.value for goal in outcome.goals}
        found = Found(tuple(values.get(rung.level, 0) for rung in levels), outcome.panel)
        if known.found is not None and known.found.costs <= found.costs:
            return replace(known, least=least, stopped_by=outcome.stopped_by)
        return _Known(found, "search", least, stopped_by=outcome.stopped_by)

    def _said(self, known: _Known, levels: Sequence[Rung], costs: Costs) -> Change:
        found = known.found
        most: Sequence[int | None] = found.costs if found else [None] * len(levels)
        changes = [
            LevelChange(
                id=rung.id,
                level=rung.level,
                unit=rung.unit,
                most=None if cost is None else (cost - now) // rung.unit,
                least=None if least is None else -(-least // rung.unit),
            )
            for rung, cost, least, now in zip(levels, most, known.least, costs, strict=True)
        ]
        return Change(
            outcome="impossible" if known.impossible else "found" if found else "open",
            proven=known.impossible or proven(changes),
            found_by=known.found_by if found else None,
            stopped_by=known.stopped_by,
            levels=changes,
            people=None if found is None else moves(stands_of(self.panel), stands_of(found.panel)),
        )

    def _open(self, stopped: Stopped) -> Change:
        nothing: Least = [None] * len(self.levels)
        return self._said(_Known(None, None, nothing, stopped_by=stopped), self.levels, self.costs)


def _leaves_the_rest(rule: Rule) -> bool:
    """Whether the model without the rule is the model without its rows: nothing else is priced or laid out by it."""
    return rule.soft is None and not isinstance(rule, Gate) and rule.rule not in SHAPING


def _without(model: Model, rule: str) -> Model:
    rows = np.array([i for i, tag in enumerate(model.rule_of) if tag != rule], dtype=np.int64)
    cols, vals, start = model.some(rows)
    return replace(
        model,
        start=start,
        cols=cols,
        vals=vals,
        lower=model.lower[rows],
        upper=model.upper[rows],
        rule_of=tuple(tag for tag in model.rule_of if tag != rule),
    )


def _gates(problem: Problem) -> list[Rule]:
    return [rule for rule in problem.rules if isinstance(rule, Gate) and rule.soft is None]


def proven(levels: Sequence[LevelChange]) -> bool:
    """Whether the first level that differs is known exactly, or it is known that none does."""
    for level in levels:
        if level.most is None or level.most != level.least:
            return False
        if level.most != 0:
            return True
    return True


def _settled(answer: Answer, levels: Sequence[Rung], costs: Costs) -> Costs:
    """What the panel costs; within the tolerance of a level, the optimum that the answer names for it, since that is
    what other panels are held against."""
    named = {goal.level: goal.value for goal in answer.goals}
    return tuple(
        named[rung.level] if cost - rung.tolerance <= named.get(rung.level, cost + 1) <= cost else cost
        for rung, cost in zip(levels, costs, strict=True)
    )


def _claimed(answer: Answer, levels: Sequence[Rung], costs: Costs, lawful: bool) -> Least:
    """What the answer claims to be proven of all panels of its problem, against the present one. A lawful panel cannot
    lie below a bound, so a claim that says so is cut down."""
    goals = {goal.level: goal for goal in answer.goals}
    claimed: Least = [None] * len(levels)
    for i, (rung, cost) in enumerate(zip(levels, costs, strict=True)):
        goal = goals.get(rung.level)
        if goal is None:
            continue
        claimed[i] = min(0, goal.bound - cost) if lawful else goal.bound - cost
        if goal.bound != cost:
            break
    return claimed


def _proven(outcome: Outcome, levels: Sequence[Rung], costs: Costs) -> Least:
    """What a search has proven of all panels, level by level as far as each is settled."""
    goals = {goal.level: goal for goal in outcome.goals}
    least: Least = [None] * len(levels)
    for i, (rung, cost) in enumerate(zip(levels, costs, strict=True)):
        goal = goals.get(rung.level)
        least[i] = (0 if goal is None else goal.bound) - cost
        if goal is not None and not goal.proven:
            break
    return least


def _settles(least: Least, found: Costs, costs: Costs) -> bool:
    """Whether a bound on all levels meets what was found."""
    return tuple(least) == tuple(a - b for a, b in zip(found, costs, strict=True))


def _order(least: Least) -> list[float]:
    return [float("-inf") if bound is None else bound for bound in least]
