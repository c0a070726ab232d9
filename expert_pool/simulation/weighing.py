"""What a stored scenario asks and may cost, looked at in a moment: its names against the policy and the agenda, without
reading anybody of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import prod
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.agendas import Application, fields_on, form_groups
from expert_pool.registry import Agenda, Case, Committee, Meeting
from expert_pool.simulation.asking import ASK, EACH
from expert_pool.simulation.bases import meetings_of, moment_of
from expert_pool.simulation.reading import Scenario, cycles_named, edits_of
from expert_pool.simulation.results import Part
from expert_pool.simulation.scenario import AxisDoc, GoalEdit, GroupEdit, RuleEdit
from expert_pool.simulation.spreading import MOST, axes_of, changer, count_of, number
from expert_pool.simulation.supposing import base_policy, policy_name
from expert_pool.snapshots import Sitting, find_sitting
from expert_pool.specialties import Held, as_columns, catalogue_on
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.facts import Ints
from solver.problem import Cases, Problem
from solver.sweeping.changes import known

KEPT = 100_000
"""So many points are kept in a registry at most."""


class AxisWeighed(Part):
    """An axis and how many values it has."""

    name: str
    values: int


class Weighed(Part):
    """What a scenario asks: of how many meetings, at how many points, what else; and how long it takes at worst, in hours.
    `panels`: so many are assembled in the years ahead, over all `seasons` and replications. `costly`: it is only settled when somebody says yes to that."""

    title: dict[str, str] | None
    policy: str
    committee: str | None
    meeting: str | None
    year: int | None
    meetings: int
    axes: list[AxisWeighed]
    points: int
    tipping: int
    pareto: list[str]
    seasons: int
    panels: int
    hours: float
    costly: bool


def weigh(session: Session, viewer: Viewer, scenario: Scenario) -> Weighed:
    """What a scenario comes to. Raises Fault, with file and line, for names and values that its meeting's policy and
    agenda do not have; what it says of single experts and facts is looked at when it runs."""
    doc = scenario.doc
    moment_of(scenario)
    pairs = meetings_of(session, viewer, scenario)
    problem = frame(session, viewer, scenario, find_sitting(session, viewer, *pairs[0]))
    _edits_known(scenario, problem)
    _cycles_known(session, viewer, scenario)
    sizes: list[AxisWeighed] = []
    points = 0
    if doc.sweep is not None:
        _sized(scenario, len(pairs))
        axes = axes_of(scenario, problem)
        sizes = [AxisWeighed(name=axis.name, values=len(axis.values)) for axis in axes]
        points = count_of(scenario, axes) * len(pairs)
        if points > KEPT:
            raise _too_many(scenario, points)
    for at, tip in enumerate(doc.tipping):
        changer(problem, tip.parameter, scenario.at("tipping", at, "parameter"))
    goals = () if doc.pareto is None else doc.pareto.goals
    for goal in goals:
        _known("goal", goal, [one.id for one in problem.goals], scenario.at("pareto", "goals"))
    seasons = 0 if doc.years is None else doc.years.seasons
    panels = 0
    if doc.years is not None:
        panels = seasons * doc.years.replications * min(len(pairs), doc.years.sample or len(pairs))
    return Weighed(
        title=None if doc.title is None else doc.title.model_dump(),
        policy=policy_name(scenario),
        committee=doc.base.committee,
        meeting=doc.base.meeting,
        year=doc.base.year,
        meetings=len(pairs),
        axes=sizes,
        points=points,
        tipping=len(doc.tipping),
        pareto=list(goals),
        seasons=seasons,
        panels=panels,
        hours=round((points + panels) * EACH / 3600, 2),
        costly=points + panels > ASK,
    )


def _sized(scenario: Scenario, meetings: int) -> None:
    """Raises Fault before a grid is laid out that nobody could settle."""
    sweep = scenario.doc.sweep
    assert sweep is not None
    sizes = [_size(axis, scenario.at("sweep", "axes", i, "parameter")) for i, axis in enumerate(sweep.axes)]
    count = (sweep.draws or 0) if sweep.by == "latin" else prod(sizes) if sweep.by == "grid" else max(sizes)
    if count * meetings > KEPT or max(sizes) > MOST:
        raise _too_many(scenario, max(count * meetings, max(sizes)))


def _size(axis: AxisDoc, where: str) -> int:
    if axis.options is not None:
        return len(axis.options)
    if axis.values is not None:
        return len(axis.values)
    if axis.count is not None:
        return axis.count
    if axis.from_ is None or axis.to is None or axis.step is None:
        return 0
    step = number(axis.step, where)
    return int((number(axis.to, where) - number(axis.from_, where)) / step) + 1 if step else 0


def _too_many(scenario: Scenario, count: int) -> Fault:
    hours = round(count * EACH / 3600)
    return Fault("scenario.too_many", scenario.at("sweep"), count=count, most=KEPT, hours=hours)


def _known(kind: str, name: str, names: Sequence[str], where: str) -> None:
    try:
        known(kind, name, names)
    except Fault as fault:
        raise Fault(fault.code, where, **fault.params) from None


def _edits_known(scenario: Scenario, problem: Problem) -> None:
    """Raises Fault for a rule, goal, field or group that an edit names and the problem does not have."""
    rules = {rule.id: rule for rule in problem.rules}
    goals = {goal.id: goal for goal in problem.goals}
    for path, edits in edits_of(scenario):
        if path[0] == "policies":
            continue  # under its own policy, which may have other rules
        for i, edit in enumerate(edits):
            where = scenario.at(*path, i)
            if isinstance(edit, RuleEdit):
                _known("rule", edit.rule, list(rules), where)
                _fields_known(rules[edit.rule], edit.set, where)
            elif isinstance(edit, GoalEdit):
                _known("goal", edit.goal, list(goals), where)
                _fields_known(goals[edit.goal], edit.set, where)
            elif isinstance(edit, GroupEdit) and edit.group != "*":
                _known("group", edit.group, [group.id for group in problem.groups], where)


def _cycles_known(session: Session, viewer: Viewer, scenario: Scenario) -> None:
    """Raises Fault for a cycle that is not there or has nothing to say."""
    named = cycles_named(scenario)
    if named:
        from expert_pool.simulation.cycles import usable

        for code, where in named.items():
            usable(session, viewer, code, where)


def _fields_known(model: Any, fields: dict[str, Any], where: str) -> None:
    free = sorted(set(type(model).model_fields) - {"id", "rule", "goal"})
    for name in fields:
        _known("field", name, free, where)


def frame(session: Session, viewer: Viewer, scenario: Scenario, sitting: Sitting) -> Problem:
    """The problem of a sitting with nobody in it: its rules, goals and groups."""
    policy = base_policy(scenario)
    columns = (Case.id, Case.code, Case.specialty_id, Case.directed)
    cases = session.execute(
        select(*columns).where(Case.agenda_id == sitting.agenda_id).order_by(Case.code)
    ).all()
    catalogue = catalogue_on(session, sitting.on)
    none: Ints = np.empty(0, dtype=np.int64)
    entries = [catalogue.one(case.specialty_id) for case in cases]
    specialties, skills, index = as_columns(
        catalogue, Held(none, none, none), [entry.id for entry in entries]
    )
    applications = [
        Application(case.code, index[entry.id], case.directed)
        for case, entry in zip(cases, entries, strict=True)
    ]
    grouping = form_groups(
        policy, applications, specialties, fields_on(session, sitting.on), level=sitting.level
    )
    return Problem(
        title=sitting.name,
        committee=sitting.committee,
        meeting=sitting.meeting,
        on=sitting.on,
        procedure=policy.procedure,
        policy=policy.ref,
        seed=0,
        experts=(),
        facts={},
        specialties=specialties,
        skills=skills,
        cases=Cases(
            tuple(a.code for a in applications),
            np.array([a.specialty for a in applications], dtype=np.int64),
            grouping.of_case,
        ),
        groups=grouping.groups,
        rules=policy.rules(sitting.level),
        goals=policy.goals(sitting.level),
    )


@dataclass(frozen=True, slots=True)
class MeetingThere:
    """A meeting that a question may be about."""

    committee: str
    name: str
    meeting: str
    on: date


def meetings_for(session: Session, viewer: Viewer, most: int) -> list[MeetingThere]:
    """The meetings a viewer may ask about, the latest first."""
    rows = session.execute(
        select(Committee.code, Committee.name, Meeting.code, Meeting.on)
        .join(Agenda, Agenda.committee_id == Committee.id)
        .join(Meeting, Meeting.agenda_id == Agenda.id)
        .where(*visible(viewer, Committee))
        .order_by(Meeting.on.desc(), Meeting.code)
        .limit(most)
    )
    return [MeetingThere(*row) for row in rows]
