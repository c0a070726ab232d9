"""The questions of a scenario about one panel: tipping points and the frontier."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from expert_pool.simulation.bench import Bench
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.results import (
    FrontierPart,
    FrontierPointPart,
    LookedPart,
    Part,
    TippingPart,
    plain,
)
from expert_pool.simulation.scenario import CostDoc, TippingDoc
from expert_pool.simulation.spreading import MOST, changer, is_share, number
from solver.answer import GoalResult
from solver.document import problem_sha256
from solver.errors import Fault
from solver.problem import Problem
from solver.sweeping.frontier import Proven, frontier
from solver.sweeping.tipping import Value, feasible, points_of, shares_between, tipping, within


class ProvenPart(Part):
    """A question of a frontier and what it came to, in a file of its own: the columns that are not zero, None without any
    panel."""

    question: str
    goals: list[GoalResult]
    values: list[tuple[int, int]] | None


def tipped(bench: Bench, at: int) -> TippingPart:
    """One tipping point of a scenario. Raises Fault, with file and line, for what does not fit."""
    scenario, problem = bench.asked.scenario, bench.asked.problems[0]
    doc = scenario.doc.tipping[at]
    where = scenario.at("tipping", at, "parameter")
    changer(problem, doc.parameter, where)
    kind, rule, field_ = doc.parameter.split(".")
    if kind != "rules":
        raise Fault("scenario.tipping_rule", where, name=doc.parameter)
    values, exact = _steps(scenario, problem, doc, at, rule, field_)
    holds: Any = within(doc.holds.level, doc.holds.most) if isinstance(doc.holds, CostDoc) else feasible
    sha256 = problem_sha256(problem)
    names = [bench.name("tipping", sha256, plain(point)) for point in points_of(rule, field_, values)]
    try:
        found = tipping(
            problem,
            rule,
            field_,
            values,
            holds,
            exact=exact,
            known=lambda plan: bench.known(names, plan),
            watch=lambda place, settled: bench.put(names, place, settled, problem),
            report=bench.report,
            cancelled=bench.cancelled,
        )
    except Fault as fault:
        raise Fault(fault.code, f"{where}: {fault.where}", **fault.params) from None
    bench.gathering.complete = bench.gathering.complete and found.status != "undecided"
    last = next((one for value, one in found.settled if value == found.last), None)
    return TippingPart(
        parameter=doc.parameter,
        holds="feasible" if doc.holds == "feasible" else f"{doc.holds.level}<={doc.holds.most}",
        status=found.status,
        last=None if found.last is None else str(found.last),
        first=None if found.first is None else str(found.first),
        exact=found.exact,
        monotone=found.monotone,
        looked=[LookedPart(value=str(v), status=s.status, goals=list(s.goals)) for v, s in found.settled],
        panel=None if last is None else bench.gathering.keep(last.panel),
    )


def _steps(
    scenario: Scenario, problem: Problem, doc: TippingDoc, at: int, rule: str, field_: str
) -> tuple[list[Value], bool]:
    """The values to bisect over, and whether nothing between two of them could differ."""
    where = scenario.at("tipping", at)
    low, high = number(doc.from_, where), number(doc.to, where)
    whole = all(isinstance(v, int) for v in (doc.from_, doc.to))
    if doc.step is not None:
        step = abs(number(doc.step, where))
        if not step or abs(high - low) / step > MOST:
            raise Fault("scenario.axis_empty", where, name=doc.parameter)
        count = int(abs(high - low) / step)
        found: list[Value] = [low + (step if high > low else -step) * i for i in range(count + 1)]
        if found[-1] != high:
            found.append(high)
        if all(Fraction(v).denominator == 1 for v in found) and whole:
            return [int(v) for v in found], bool(step == 1)
        return found, False
    kind = next(r for r in problem.rules if r.id == rule)
    if is_share(kind.rule, field_):
        shares: list[Value] = list(shares_between(problem, rule, min(low, high), max(low, high)))
        return (shares if low <= high else shares[::-1]), True
    if whole:
        way = 1 if high >= low else -1
        return list(range(int(low), int(high) + way, way)), True
    raise Fault("scenario.step_missing", where, name=doc.parameter)


def trace(bench: Bench) -> FrontierPart:
    """The frontier a scenario asks for. Raises Fault, with file and line, for what does not fit."""
    asked, doc = bench.asked, bench.asked.scenario.doc.pareto
    assert doc is not None
    hangs = ["frontier", problem_sha256(asked.problems[0]), list(doc.goals)]

    def known(question: str) -> Proven | None:
        part = bench.recall(bench.name(*hangs, question), ProvenPart)
        if part is None or part.question != question:
            return None
        return Proven(question, tuple(part.goals), None if part.values is None else tuple(part.values))

    def keep(proven: Proven) -> None:
        values = None if proven.values is None else list(proven.values)
        part = ProvenPart(question=proven.question, goals=list(proven.goals), values=values)
        bench.keep(bench.name(*hangs, proven.question), part)

    try:
        found = frontier(
            asked.problems[0],
            doc.goals,
            seconds=doc.seconds,
            known=known,
            keep=keep,
            report=bench.report,
            cancelled=bench.cancelled,
        )
    except Fault as fault:
        raise Fault(fault.code, asked.scenario.at("pareto", "goals"), **fault.params) from None
    points = [
        FrontierPointPart(
            costs=list(point.costs),
            bound=point.bound,
            proven=point.proven,
            panel=bench.gathering.keep(point.panel) or "",
        )
        for point in found.points
    ]
    return FrontierPart(
        goals=list(found.goals),
        status=found.status,
        points=points,
        complete=found.complete,
        stopped_by=found.stopped_by,
        knee=found.knee,
    )
