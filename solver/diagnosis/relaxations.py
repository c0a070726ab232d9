"""The cheapest ways for rules to give way, by the costs the policy sets, each with the panel it allows."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from solver.diagnosis.concessions import Concession, conceding, concessions
from solver.diagnosis.elements import elements_of, is_frame, same_people
from solver.diagnosis.giving_way import GivingWay, Promise
from solver.diagnosis.possible import Trials, Verdict
from solver.diagnosis.settle import limited, settle
from solver.engines.race import Cancelled
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.rules.alternates import Alternates
from solver.rules.base import Rule
from solver.search import Outcome, search

FIRST_PART = 0.6
"""The part of the time for ways that give up what is promised after no-shows."""


@dataclass(frozen=True)
class Relaxation:
    """A panel that exists once some rules give way, at a price of `value`; no way that leaves the rules `kept` alone costs
    less than `bound`. The panel belongs to a problem in which the rules that give way are soft."""

    value: int
    bound: int
    kept: tuple[str, ...]
    concessions: tuple[Concession, ...]
    panel: Panel

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(concession.rule.id for concession in self.concessions)

    @property
    def proven(self) -> bool:
        return self.bound >= self.value


@dataclass(frozen=True)
class Relaxations:
    """`found` by rising cost, with different sets of rules. `status`: `found`; `nothing_may` when no rule may give way;
    `not_enough` when all that may would not do (proven); `undecided` when a limit came first."""

    status: Literal["found", "nothing_may", "not_enough", "undecided"]
    found: tuple[Relaxation, ...] = ()


def may_give_way(problem: Problem) -> tuple[Rule, ...]:
    """The hard rules that the policy lets give way."""
    return tuple(rule for rule in problem.rules if rule.soft is None and rule.relaxable)


def relax(
    problem: Problem,
    most: int = 3,
    *,
    seconds: float = 30.0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Relaxations:
    """Up to `most` ways to give way, the cheapest first, each with another set of rules.

    After the cheapest way each rule in it is kept in turn: the cheapest way then left is another candidate, and so on, always
    going on from the cheapest known. A way whose rules include all those of a cheaper one is passed over.
    """
    ends = time.monotonic() + seconds
    if not may_give_way(problem):
        return Relaxations("nothing_may")
    seed = _without_all(problem, seconds / 4, cancelled)
    if seed is None:
        return Relaxations("not_enough")
    first = _cheapest(problem, frozenset(), seed, ends - time.monotonic(), report, cancelled)
    if not isinstance(first, Relaxation):
        return Relaxations("not_enough" if first == "infeasible" else "undecided")
    number = count()
    waiting = [(first.value, next(number), first)]
    asked = {frozenset(first.kept)}
    found: list[Relaxation] = []
    while waiting and len(found) < most:
        way = heapq.heappop(waiting)[2]
        if not any(cheaper.rules <= way.rules for cheaper in found):
            wider = [one for one in found if way.rules < one.rules and way.value == one.value]
            if wider:
                way = replace(way, kept=wider[0].kept, bound=wider[0].bound)
            found = [*(one for one in found if one not in wider), way]
            report(Progress("relax", done=len(found), total=most))
        for rule in sorted(way.rules):
            kept = frozenset({*way.kept, rule})
            left = ends - time.monotonic()
            if kept in asked or left <= 0 or len(found) == most or cancelled():
                continue
            asked.add(kept)
            other = _cheapest(problem, kept, None, left / 2, report, cancelled)
            if isinstance(other, Relaxation):
                heapq.heappush(waiting, (other.value, next(number), other))
    return Relaxations("found", tuple(found))


def _without_all(problem: Problem, seconds: float, cancelled: Cancelled) -> Verdict | None:
    """Whether a panel exists without all the rules that may give way; None where that is shown to be impossible."""
    may = {rule.id for rule in may_give_way(problem)}
    firm = [element for element in elements_of(problem) if element.id not in may]
    verdict = Trials(problem, seconds, cancelled).ask(firm)
    return None if verdict.status == "impossible" else verdict


def _cheapest(
    problem: Problem,
    kept: frozenset[str],
    seed: Verdict | None,
    seconds: float,
    report: Reporter,
    cancelled: Cancelled,
) -> Relaxation | Literal["infeasible", "unknown"]:
    """The cheapest way that leaves the rules `kept` alone, beginning from a panel if one is known.

    Where the promise about no-shows may be given up, that is looked at first, as it is soon done; what it costs without the
    price of the promise bounds every other way from below, and only ways that are cheaper than it are looked at after.
    """
    ends = time.monotonic() + seconds
    parts = tuple(rule for rule in may_give_way(problem) if rule.id not in kept)
    promise = _promise(problem)
    best: Relaxation | None = None
    if seed is not None and seed.panel is not None:
        best = _way(problem, parts, promise in parts, seed.panel, kept)
    bounds: list[int] = []
    least = 0
    for given_up in (True, False) if promise in parts else (False,):
        price = promise.cost if given_up and promise is not None else 0
        budget = None if best is None else best.value - 1 - price
        left = ends - time.monotonic()
        if best is not None and (left <= 0 or best.value <= least + price):
            bounds.append(least + price)
            continue
        asked = _giving_way(problem, parts, given_up, budget, goals=False)
        asked = limited(asked, left * FIRST_PART if given_up else left)
        outcome = settle(asked, None if best is None else best.panel, report, cancelled)
        if outcome.status == "infeasible":
            if budget is None and (given_up or promise not in parts):
                return "infeasible"
            least = least if budget is None else max(least, budget + 1)
            bounds += [] if budget is None else [least + price]
            continue
        cost = outcome.goals[0] if outcome.goals else None
        least = max(least, cost.bound if cost else 0)
        bounds.append(least + price)
        if outcome.panel is not None:
            way = _way(problem, parts, given_up, outcome.panel, kept)
            best = way if best is None or way.value < best.value else best
    if best is None:
        return "unknown" if bounds else "infeasible"
    exact = not any(rule.sufficient for rule in problem.rules if rule.soft is None)
    return replace(best, bound=min([best.value, *bounds]) if exact else 0)


def _way(
    problem: Problem, parts: tuple[Rule, ...], given_up: bool, panel: Panel, kept: Iterable[str]
) -> Relaxation:
    """What a panel asks the parts to give, counted by their own sentences."""
    given = tuple(concessions(replace(panel, problem=problem), parts, given_up))
    judged = replace(panel, problem=conceding(problem, given))
    return Relaxation(sum(c.cost for c in given), 0, tuple(sorted(kept)), given, judged)


def _giving_way(
    problem: Problem, parts: tuple[Rule, ...], given_up: bool, budget: int | None, *, goals: bool
) -> Problem:
    """The problem with these rules giving way within a budget: with all its goals, or only to make the price small.
    `given_up`: nothing is promised about no-shows."""
    ids = {part.id for part in parts}
    promise = _promise(problem)
    rules: list[Rule] = []
    for rule in problem.rules:
        if rule is promise and given_up != (rule.id in ids):
            rules.append(promise.model_copy(update={"no_shows": False}) if given_up else Promise.of(promise))
        elif (rule.id not in ids or is_frame(rule)) and (goals or rule.soft is None):
            rules.append(rule)
    whole = GivingWay(
        id="giving_way",
        soft=None if goals else 1,
        parts=parts,
        budget=budget,
        sizes=tuple((group.low, group.high) for group in problem.groups),
    )
    people = len(problem.experts)
    wide = any(is_frame(part) for part in parts)
    groups = tuple(replace(group, low=0, high=people) if wide else group for group in problem.groups)
    return same_people(problem, rules=(*rules, whole), groups=groups, goals=problem.goals if goals else ())


def improve(
    problem: Problem,
    way: Relaxation,
    *,
    seconds: float,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> tuple[Relaxation, Outcome]:
    """The best panel by the problem's goals that asks no more of the same rules, and the search behind it."""
    given_up = next((c.rule for c in way.concessions if c.promise), None)
    price = given_up.cost if given_up is not None else 0
    parts = tuple(c.rule for c in way.concessions if c.seated or c.after)
    asked = _giving_way(problem, parts, given_up is not None, way.value - price, goals=True)
    outcome = search(limited(asked, seconds), start=way.panel, report=report, cancelled=cancelled)
    panel = way.panel if outcome.panel is None else outcome.panel
    own = tuple(c.rule for c in way.concessions)
    better = _way(problem, own, given_up is not None, panel, way.kept)
    better = replace(better, bound=min(way.bound, better.value))
    status = outcome.status if outcome.panel is not None else "feasible"
    return better, replace(outcome, problem=better.panel.problem, panel=better.panel, status=status)


def _promise(problem: Problem) -> Alternates | None:
    """The hard rule that promises what holds after no-shows."""
    hard = (rule for rule in problem.rules if isinstance(rule, Alternates) and rule.soft is None)
    return next((rule for rule in hard if rule.no_shows), None)
