"""Clashes, relaxations and recruitments as the parts of `diagnosis/1`."""

from __future__ import annotations

from typing import Any

import numpy as np

from solver.answer import Answer, Saying
from solver.check import says
from solver.diagnosis.clash import Clash
from solver.diagnosis.concessions import Concession
from solver.diagnosis.document import (
    ConcessionResult,
    ElementResult,
    ProfileResult,
    RecruitmentResult,
    RelaxationResult,
    SetResult,
)
from solver.diagnosis.elements import person
from solver.diagnosis.numbers import overlaps, told
from solver.diagnosis.possible import Trials
from solver.diagnosis.relaxations import Relaxation
from solver.facts import Column
from solver.kinds import Value
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.recruit import Recruitment
from solver.rules.base import Gate, Rule


def set_result(trials: Trials, clash: Clash) -> SetResult:
    """One clash, every condition with its numbers."""
    problem = trials.problem
    rules = {rule.id: rule for rule in problem.rules}
    own = [rules[element.id] for element in clash.elements]
    elements = []
    for element, rule, saying in zip(clash.elements, own, told(trials, clash.elements), strict=True):
        expert = person(problem, element)
        elements.append(
            ElementResult(
                kind=element.kind,
                id=element.id,
                rule=rule.rule,
                expert=None if expert is None else problem.experts[expert],
                relaxable=rule.relaxable,
                settled=element not in clash.unsettled,
                says=saying,
                basis=rule.basis.text,
                basis_status=rule.basis.status,
            )
        )
    return SetResult(
        elements=elements,
        minimal=clash.minimal,
        exact=not any(rule.sufficient for rule in own),
        notes=overlaps(trials, clash.elements),
    )


def relaxation_result(way: Relaxation, panel: Answer) -> RelaxationResult:
    """One way to give way, with its panel as a document."""
    return RelaxationResult(
        value=way.value,
        bound=way.bound,
        gap=round((way.value - way.bound) / max(1, way.value), 6),
        proven=way.proven,
        kept=list(way.kept),
        concessions=[_concession(way.panel, concession) for concession in way.concessions],
        panel=panel,
    )


def _concession(panel: Panel, given: Concession) -> ConcessionResult:
    problem, measures = panel.problem, (*given.seated, *given.after)
    said = [_said(panel, given.rule, measure, after=False) for measure in given.seated]
    said += [_said(panel, given.rule, measure, after=True) for measure in given.after]
    said += [Saying(code="concession.promise", params={"rule": given.rule.id})] if given.promise else []
    out = {e for measure in given.seated for e in measure.experts if _outside(given.rule, measure)}
    return ConcessionResult(
        rule=given.rule.id,
        units=given.units,
        cost=given.cost,
        says=said,
        experts=[problem.experts[e] for e in sorted(out)],
        cases=[problem.cases.id[c] for c in sorted({c for measure in measures for c in measure.cases})],
        basis=given.rule.basis.text,
        basis_status=given.rule.basis.status,
    )


def _outside(rule: Rule, measure: Measure) -> bool:
    """Whether the people a measure names are those for whom the rule gives way, not those who keep it."""
    return isinstance(rule, Gate) or measure.code in (
        "rule.apart.pair",
        "rule.locks.locked",
        "rule.locks.excluded",
    )


def _said(panel: Panel, rule: Rule, measure: Measure, *, after: bool) -> Saying:
    problem = panel.problem
    params: dict[str, Any] = {**says(panel, measure).params, "rule": rule.id}
    params["experts"] = [problem.experts[e] for e in measure.experts] if _outside(rule, measure) else None
    params["after"] = after
    if isinstance(rule, Gate):
        code = "concession.gate" if measure.code == "rule.gate" else "concession.other_gate"
        return Saying(code=code, params=params)
    if measure.code == "rule.apart.pair":
        return Saying(code="concession.apart", params=params)
    if measure.low is not None and measure.value < measure.low:
        return Saying(code="concession.fewer", params=params)
    return Saying(code="concession.more", params=params)


def recruitment_result(problem: Problem, found: Recruitment) -> RecruitmentResult:
    """A recruitment, every profile with its words."""
    head, *sayings = found.sayings(problem)
    profiles = [
        ProfileResult(
            count=own.count,
            group=problem.groups[own.group].id,
            specialty=problem.specialties.code[own.kind.specialty],
            facts={
                name: _shown(problem.facts[name], value)
                for name, value in own.kind.facts
                if value is not None
            },
            counts_for=list(own.kind.counts_for),
            says=saying,
        )
        for own, saying in zip(found.recruits, sayings, strict=True)
    ]
    return RecruitmentResult(
        status=found.status,
        count=found.count,
        bound=found.bound,
        proven=found.proven,
        modest=found.modest,
        says=head,
        profiles=profiles,
    )


def _shown(column: Column, value: Value) -> int | bool | str | None:
    """A fact as a person reads it."""
    if isinstance(value, str) or value is None:
        return value
    return Column(column.type, np.array([value], dtype=np.int64)).show(0)
