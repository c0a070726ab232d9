"""The questions of a scenario about one panel: tipping points and the frontier."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from expert_pool.simulation.asking import Asked, Gathering
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.results import FrontierPart, FrontierPointPart, LookedPart, TippingPart
from expert_pool.simulation.scenario import CostDoc, TippingDoc
from expert_pool.simulation.spreading import MOST, changer, number
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.problem import Problem
from solver.progress import Reporter
from solver.sweeping.frontier import frontier
from solver.sweeping.tipping import Value, feasible, shares_between, tipping, within


def tipped(
    asked: Asked, at: int, gathering: Gathering, report: Reporter, cancelled: Cancelled
) -> TippingPart:
    """One tipping point of a scenario. Raises Fault, with file and line, for what does not fit."""
    scenario, problem = asked.scenario, asked.problems[0]
    doc = scenario.doc.tipping[at]
    where = scenario.at("tipping", at, "parameter")
    changer(problem, doc.parameter, where)
    kind, rule, field_ = doc.parameter.split(".")
    if kind != "rules":
        raise Fault("scenario.tipping_rule", where, name=doc.parameter)
    values, exact = _steps(scenario, problem, doc, at, rule, field_)
    holds: Any = within(doc.holds.level, doc.holds.most) if isinstance(doc.holds, CostDoc) else feasible
    try:
        found = tipping(problem, rule, field_, values, holds, exact=exact, report=report, cancelled=cancelled)
    except Fault as fault:
        raise Fault(fault.code, f"{where}: {fault.where}", **fault.params) from None
    gathering.complete = gathering.complete and found.status != "undecided"
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
        panel=None if last is None else gathering.keep(last.panel),
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
    if _is_share(type(kind), field_):
        shares: list[Value] = list(shares_between(problem, rule, min(low, high), max(low, high)))
        return (shares if low <= high else shares[::-1]), True
    if whole:
        way = 1 if high >= low else -1
        return list(range(int(low), int(high) + way, way)), True
    raise Fault("scenario.step_missing", where, name=doc.parameter)


def _is_share(kind: type[Any], name: str) -> bool:
    """Whether a field of a rule is a share of seats."""
    entry = kind.model_fields[name]
    return "Fraction" in repr(entry.annotation)


def trace(asked: Asked, gathering: Gathering, report: Reporter, cancelled: Cancelled) -> FrontierPart:
    """The frontier a scenario asks for. Raises Fault, with file and line, for what does not fit."""
    doc = asked.scenario.doc.pareto
    assert doc is not None
    try:
        found = frontier(
            asked.problems[0], doc.goals, seconds=doc.seconds, report=report, cancelled=cancelled
        )
    except Fault as fault:
        raise Fault(fault.code, asked.scenario.at("pareto", "goals"), **fault.params) from None
    points = [
        FrontierPointPart(
            costs=list(point.costs),
            bound=point.bound,
            proven=point.proven,
            panel=gathering.keep(point.panel) or "",
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
