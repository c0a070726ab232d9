"""What a point of a sweep changes in the problem it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
from pydantic import ValidationError

from solver.diagnosis.elements import same_people
from solver.errors import Fault
from solver.facts import MISSING, Column, Where, day
from solver.goals.base import Goal
from solver.ladder import changed as rule_changed
from solver.problem import Cases, Exclusion, Group, Pairs, Problem, RuleChange, Skills
from solver.rules.base import Rule
from solver.rules.locks import Locks
from solver.sweeping.people import (
    ConflictChange,
    Experts,
    FactMove,
    Learning,
    Merging,
    chosen,
    learned,
    merged,
    moved,
    without_conflict,
)

BY = "scenario"
FRAME = frozenset({"group_size", "locks", "alternates", "roles"})
"""Rules that a panel is made of: a scenario may change them, not leave them out."""


@dataclass(frozen=True, slots=True)
class GoalChange:
    """A goal with other values in some fields, or None: the goal counts no longer."""

    goal: str
    fields: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Seating:
    """Other sizes of a group (every group where None); what is None stays."""

    group: str | None
    low: int | None = None
    high: int | None = None
    alternates: int | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """Experts who neither sit nor wait."""

    experts: Experts


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact of some experts (of all where None) takes another value; None: unknown."""

    fact: str
    value: bool | int | str | None
    experts: Experts = None


@dataclass(frozen=True, slots=True)
class Recruit:
    """Somebody the pool does not have: newcomer, in conflict with nobody. `skills`: sub-specialty code -> proficiency 1..3.
    Facts that are not named are those of `like`, an expert of the pool, else unknown."""

    id: str
    skills: Mapping[str, int]
    facts: Mapping[str, bool | int | str | None] = field(default_factory=dict)
    like: str | None = None


@dataclass(frozen=True, slots=True)
class Joining:
    """People who join the pool."""

    people: tuple[Recruit, ...]


@dataclass(frozen=True, slots=True)
class Agenda:
    """Cases that fall away, and so many more of a sub-specialty in a group: (group id, code, number)."""

    without: tuple[str, ...] = ()
    more: tuple[tuple[str, str, int], ...] = ()


Change: TypeAlias = (
    RuleChange
    | GoalChange
    | Seating
    | Leaving
    | FactChange
    | FactMove
    | Joining
    | Agenda
    | Learning
    | ConflictChange
    | Merging
)


def applied(problem: Problem, changes: Sequence[Change]) -> Problem:
    """The problem after some changes, one after the other. What no change touches stays the same object.

    Raises Fault for a name that the problem does not have, with the nearest, and for values that do not fit.
    """
    for change in changes:
        problem = _one(problem, change)
    return problem


def _one(problem: Problem, change: Change) -> Problem:
    match change:
        case RuleChange():
            return _with_rule(problem, change)
        case GoalChange():
            return _with_goal(problem, change)
        case Seating():
            return _seated(problem, change)
        case Leaving():
            return _without(problem, change)
        case FactChange():
            return _with_fact(problem, change)
        case FactMove():
            return moved(problem, change)
        case Joining():
            return _joined(problem, change)
        case Agenda():
            return _with_agenda(problem, change)
        case Learning():
            return learned(problem, change)
        case ConflictChange():
            return without_conflict(problem, change)
        case Merging():
            return merged(problem, change)


def known(kind: str, name: str, names: Sequence[str], where: str = "") -> None:
    """Raises Fault `sweep.unknown` where a problem has no such thing, naming the nearest."""
    if name not in names:
        near = next(iter(get_close_matches(name, names, 1, 0.5)), None)
        few = ", ".join(names[:30]) if len(names) <= 30 else None
        raise Fault("sweep.unknown", where, kind=kind, name=name, nearest=near, known=few)


def _field_known(kind: str, model: Rule | Goal, fields: Mapping[str, Any]) -> None:
    free = sorted(set(type(model).model_fields) - {"id", "rule", "goal"})
    for name in fields:
        known("field", name, free, f"{kind} {model.id}")


def _with_rule(problem: Problem, change: RuleChange) -> Problem:
    known("rule", change.rule, [rule.id for rule in problem.rules])
    rules: list[Rule] = []
    for rule in problem.rules:
        if rule.id != change.rule:
            rules.append(rule)
        elif change.fields is not None:
            _field_known("rule", rule, change.fields)
            other = rule_changed(rule, change.fields, rule.id)
            other.check(problem)
            rules.append(rule if other == rule else other)
        elif rule.rule in FRAME:
            raise Fault("problem.ladder_needed", rule.id, rule=rule.id)
    return same_people(problem, rules=tuple(rules))


def _with_goal(problem: Problem, change: GoalChange) -> Problem:
    known("goal", change.goal, [goal.id for goal in problem.goals])
    goals: list[Goal] = []
    for goal in problem.goals:
        if goal.id != change.goal:
            goals.append(goal)
        elif change.fields is not None:
            _field_known("goal", goal, change.fields)
            try:
                other = type(goal).model_validate({**goal.model_dump(mode="json"), **change.fields})
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                reason = f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
                raise Fault("problem.ladder_fields", goal.id, rule=goal.id, reason=reason) from None
            other.check(problem)
            goals.append(goal if other == goal else other)
    return same_people(problem, goals=tuple(goals))


def _seated(problem: Problem, change: Seating) -> Problem:
    if change.group is not None:
        known("group", change.group, [group.id for group in problem.groups])
    groups: list[Group] = []
    for g, group in enumerate(problem.groups):
        if change.group in (None, group.id):
            low = group.low if change.low is None else change.low
            high = group.high if change.high is None else change.high
            waiting = group.alternates if change.alternates is None else change.alternates
            if not 1 <= low <= high or waiting < 0:
                raise Fault("problem.range_crossed", f"groups.{g}", low=low, high=high)
            group = replace(group, low=low, high=high, alternates=waiting)
        groups.append(group)
    return same_people(problem, groups=tuple(groups))


def _places(problem: Problem, ids: Sequence[str]) -> list[int]:
    index = {id_: e for e, id_ in enumerate(problem.experts)}
    for id_ in ids:
        if id_ not in index:
            known("expert", id_, problem.experts)
    return [index[id_] for id_ in ids]


def _without(problem: Problem, change: Leaving) -> Problem:
    there = {exclusion.expert for exclusion in problem.exclusions}
    out = [e for e in chosen(problem, change.experts).nonzero()[0].tolist() if e not in there]
    exclusions = (*problem.exclusions, *(Exclusion(e, BY, BY) for e in out))
    rules = problem.rules
    if exclusions and not any(rule.rule == "locks" for rule in rules):
        rules = (*rules, Locks(id="locks"))
    return same_people(problem, exclusions=exclusions, rules=rules)


def in_column(column: Column, name: str, value: bool | int | str | None) -> tuple[int, tuple[str, ...]]:
    """A value as the column holds it, and the names of the column with it."""
    if value is None:
        return MISSING, column.names
    if column.type == "category" and isinstance(value, str):
        names = column.names if value in column.names else (*column.names, value)
        return names.index(value), names
    fits = (
        isinstance(value, bool)
        if column.type == "boolean"
        else (column.type == "integer" and isinstance(value, int) and not isinstance(value, bool))
    )
    if column.type == "date" and isinstance(value, str):
        Where(fact=name, op="ge", value=value).check({name: column}, name)
        from datetime import date

        return day(date.fromisoformat(value)), column.names
    if not fits:
        raise Fault("problem.fact_compared", name, fact=name, type=column.type, op="=", value=str(value))
    return int(value), column.names


def _with_fact(problem: Problem, change: FactChange) -> Problem:
    known("fact", change.fact, sorted(problem.facts))
    column = problem.facts[change.fact]
    value, names = in_column(column, change.fact, change.value)
    values = column.values.copy()
    values[chosen(problem, change.experts)] = value
    return same_people(
        problem, facts={**problem.facts, change.fact: replace(column, values=values, names=names)}
    )


def _joined(problem: Problem, change: Joining) -> Problem:
    facts = {}
    like = [None if r.like is None else _places(problem, [r.like])[0] for r in change.people]
    for recruit in change.people:
        for name in recruit.facts:
            known("fact", name, sorted(problem.facts), recruit.id)
        for code in recruit.skills:
            known("specialty", code, problem.specialties.code, recruit.id)
    for name, column in problem.facts.items():
        more = []
        for recruit, other in zip(change.people, like, strict=True):
            if name in recruit.facts:
                held, names = in_column(column, name, recruit.facts[name])
                column = replace(column, names=names)
            else:
                held = MISSING if other is None else int(column.values[other])
            more.append(held)
        facts[name] = replace(column, values=np.append(column.values, np.array(more, dtype=np.int64)))
    first, skills = len(problem.experts), problem.skills
    own = [(first + i, c, p) for i, r in enumerate(change.people) for c, p in r.skills.items()]
    codes = {code: s for s, code in enumerate(problem.specialties.code)}
    taken = set(problem.experts) & {recruit.id for recruit in change.people}
    if taken or len({r.id for r in change.people}) < len(change.people):
        raise Fault("problem.twice", "experts.id", value=min(taken, default=change.people[0].id))
    return replace(
        problem,
        experts=(*problem.experts, *(recruit.id for recruit in change.people)),
        facts=facts,
        skills=Skills(
            np.append(skills.expert, np.array([e for e, _, _ in own], dtype=np.int64)),
            np.append(skills.specialty, np.array([codes[c] for _, c, _ in own], dtype=np.int64)),
            np.append(skills.proficiency, np.array([p for _, _, p in own], dtype=np.int64)),
        ),
    )


def _with_agenda(problem: Problem, change: Agenda) -> Problem:
    cases = problem.cases
    for id_ in change.without:
        known("case", id_, cases.id)
    kept = ~np.isin(np.array(cases.id, dtype=object), change.without)
    place = np.cumsum(kept) - 1
    groups, codes = [group.id for group in problem.groups], problem.specialties.code
    ids, specialties, of = list(np.array(cases.id, dtype=object)[kept]), [], []
    for group, code, number in change.more:
        known("group", group, groups)
        known("specialty", code, codes)
        for i in range(number):
            ids.append(f"+{group}-{code}-{i + 1}")
            specialties.append(codes.index(code))
            of.append(groups.index(group))
    ties = problem.with_cases
    own = kept[ties.right]
    return replace(
        problem,
        cases=Cases(
            tuple(ids),
            np.append(cases.specialty[kept], np.array(specialties, dtype=np.int64)),
            np.append(cases.group[kept], np.array(of, dtype=np.int64)),
        ),
        with_cases=Pairs(
            ties.left[own],
            place[ties.right[own]],
            ties.kind[own],
            tuple(why for why, there in zip(ties.why, own.tolist(), strict=True) if there),
        ),
    )
