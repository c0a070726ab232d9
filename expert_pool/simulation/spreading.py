"""From axes to points: grids, lists, Latin hypercubes; each point the values it stands at and the changes they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from expert_pool.policies.located import nearest
from expert_pool.simulation.edits import ConflictEdit, LearnEdit, MergeEdit
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.scenario import (
    AxisDoc,
    CasesEdit,
    CycleEdit,
    FactEdit,
    GoalEdit,
    GroupEdit,
    JoinEdit,
    LeaveEdit,
    RuleEdit,
    Scalar,
)
from solver.errors import Fault
from solver.problem import Problem, RuleChange
from solver.rules import RULES
from solver.rules.base import exact
from solver.sweeping.changes import (
    Agenda,
    Change,
    FactChange,
    GoalChange,
    Joining,
    Leaving,
    Recruit,
    Seating,
)
from solver.sweeping.people import ConflictChange, Learning, Merging

if TYPE_CHECKING:
    from expert_pool.simulation.cycles import Taken

MOST = 1_000_000
"""More points than this are not even laid out."""
SEATS = ("low", "high", "alternates")


@dataclass(frozen=True)
class Axis:
    """What varies: its name, and each value with the changes it stands for. `order`: the numbers of the values as they were
    listed, in which a list may come back to one."""

    name: str
    values: tuple[str, ...]
    changes: tuple[tuple[Change, ...], ...]
    order: tuple[int, ...]


def axes_of(scenario: Scenario, problem: Problem) -> tuple[Axis, ...]:
    """The axes of the sweep. Raises Fault with file and line for parameters and values that do not fit."""
    assert scenario.doc.sweep is not None
    return tuple(
        _axis(scenario, problem, ("sweep", "axes", i), axis) for i, axis in enumerate(scenario.doc.sweep.axes)
    )


def _axis(scenario: Scenario, problem: Problem, path: tuple[str | int, ...], axis: AxisDoc) -> Axis:
    where = scenario.at(*path)
    if (axis.parameter is None) == (axis.options is None):
        raise Fault("scenario.axis", where)
    if axis.options is not None:
        if not axis.options:
            raise Fault("scenario.axis_empty", where, name=None)
        names = tuple(option.name for option in axis.options)
        if len(set(names)) < len(names):
            raise Fault("scenario.twice", where, name=next(n for n in names if names.count(n) > 1))
        name = str(path[-1]) if axis.title is None else axis.title.en
        made = tuple(changes_of(option.change, scenario.cycles) for option in axis.options)
        return Axis(name, names, made, tuple(range(len(names))))
    assert axis.parameter is not None
    given = values_of(scenario, path, axis)
    same = [_sameness(value) for value in given]
    first = {own: at for at, own in reversed(list(enumerate(same)))}
    listed = scenario.doc.sweep is not None and scenario.doc.sweep.by == "list"
    if len(first) < len(given) and not listed:
        raise Fault("scenario.twice", where, name=axis.parameter)
    values = [given[at] for at in sorted(first.values())]
    place = {own: at for at, own in enumerate(dict.fromkeys(same))}
    change = changer(problem, axis.parameter, scenario.at(*path, "parameter"))
    return Axis(
        axis.parameter,
        tuple(map(str, values)),
        tuple((change(value),) for value in values),
        tuple(place[own] for own in same),
    )


def is_share(kind: str, field: str) -> bool:
    """Whether a field of rules of this kind is a share of seats."""
    entry = RULES[kind].model_fields.get(field) if kind in RULES else None
    return entry is not None and "Fraction" in repr(entry.annotation)


def _sameness(value: Scalar) -> Fraction | str:
    """Equal for two ways to write one value: 1/2, 0.5, 50%."""
    try:
        return number(value, "")
    except Fault:
        return str(value)


def values_of(scenario: Scenario, path: tuple[str | int, ...], axis: AxisDoc) -> list[Scalar]:
    """The values of an axis, given one by one or as a range."""
    where, name = scenario.at(*path), axis.parameter
    ranged = axis.from_ is not None or axis.to is not None
    if ranged == (axis.values is not None):
        raise Fault("scenario.axis_values", where, name=name)
    if axis.values is not None:
        if not axis.values:
            raise Fault("scenario.axis_empty", where, name=name)
        return list(axis.values)
    if axis.from_ is None or axis.to is None or (axis.count is None) == (axis.step is None):
        raise Fault("scenario.axis_range", where, name=name)
    low, high = number(axis.from_, where), number(axis.to, where)
    if axis.step is not None:
        step = number(axis.step, where)
        if not step or (high - low) / step < 0:
            raise Fault("scenario.axis_empty", where, name=name)
        count = int((high - low) / step) + 1
        if count > MOST:
            raise Fault("scenario.too_many", where, count=count, most=MOST, hours=None)
    else:
        count = axis.count or 1
        step = (high - low) / (count - 1) if count > 1 else Fraction(0)
    whole = all(isinstance(v, int) for v in (axis.from_, axis.to)) and step.denominator == 1
    found = [low + step * i for i in range(count)]
    return [int(value) if whole else str(value) for value in found]


def number(value: Scalar, where: str) -> Fraction:
    """An exact number as it was written: 3, 0.3, 3/10, 30%. Raises Fault where it is none."""
    text = str(value).strip()
    try:
        if isinstance(value, bool):
            raise ValueError
        return exact(text)
    except (ValueError, ZeroDivisionError):
        raise Fault("scenario.number", where, value=text) from None


def changer(problem: Problem, parameter: str, where: str) -> Any:
    """From a value to the change it makes. Raises Fault naming the nearest parameter there is."""
    known = parameters(problem)
    if parameter not in known:
        raise Fault("scenario.parameter_unknown", where, name=parameter, **_near(parameter, known))
    kind, name, field = parameter.split(".")
    if kind == "rules":
        return lambda value: RuleChange(name, {field: value})
    if kind == "goals":
        return lambda value: GoalChange(name, {field: value})
    return lambda value: Seating(None if name == "*" else name, **{field: _seats(value, where)})


def _near(parameter: str, known: Collection[str]) -> dict[str, str | None]:
    """The parameter that a misspelt one most likely means, and what there is at the place of its mistake: fields of a rule
    that is there, rules of the policy, else nothing."""
    kind, _, rest = parameter.partition(".")
    id_, _, field = rest.rpartition(".")
    own = [name for name in known if name.startswith(f"{kind}.{id_}.")]
    if own:
        return {"nearest": nearest(parameter, own), "known": ", ".join(name.split(".")[2] for name in own)}
    ids = list(dict.fromkeys(name.split(".")[1] for name in known if name.startswith(f"{kind}.")))
    if not ids:
        return {"nearest": nearest(parameter, known), "known": None}
    meant = f"{kind}.{nearest(id_, ids)}.{field}"
    return {"nearest": meant if meant in known else None, "known": ", ".join(ids)}


def _seats(value: Scalar, where: str) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise Fault("scenario.number", where, value=str(value))
    return int(value)


def parameters(problem: Problem) -> dict[str, Any]:
    """Every parameter of a problem by the name a scenario gives it, with its value; structured ones are left to edits."""
    found: dict[str, Any] = {}
    for rule in problem.rules:
        for name, value in rule.model_dump(mode="json").items():
            if name not in ("rule", "id", "basis") and not isinstance(value, list | dict):
                found[f"rules.{rule.id}.{name}"] = value
    for goal in problem.goals:
        for name, value in goal.model_dump(mode="json").items():
            if name not in ("goal", "id") and not isinstance(value, list | dict):
                found[f"goals.{goal.id}.{name}"] = value
    for group in problem.groups:
        found |= {f"groups.{group.id}.{name}": getattr(group, name) for name in SEATS}
    return found | {f"groups.*.{name}": None for name in SEATS}


def changes_of(edits: Sequence[Any], cycles: Mapping[str, Taken]) -> tuple[Change, ...]:
    """Edits as changes of a problem; people who join are numbered through. `cycles`: those that edits name, as read; one
    that was not read changes nothing."""
    found: list[Change] = []
    joined = 0
    for edit in edits:
        match edit:
            case RuleEdit():
                found.append(RuleChange(edit.rule, None if edit.drop else edit.set))
            case GoalEdit():
                found.append(GoalChange(edit.goal, None if edit.drop else edit.set))
            case GroupEdit():
                group = None if edit.group == "*" else edit.group
                found.append(Seating(group, edit.set.low, edit.set.high, edit.set.alternates))
            case LeaveEdit():
                found.append(Leaving(edit.leave))
            case CycleEdit():
                if edit.cycle in cycles:
                    found += cycles[edit.cycle].changes(edit.measures)
            case FactEdit():
                found.append(FactChange(edit.fact, edit.value, edit.experts))
            case LearnEdit():
                found.append(Learning(edit.learn, edit.experts))
            case ConflictEdit():
                found.append(ConflictChange(edit.conflict, edit.set.effect if edit.set else None))
            case MergeEdit():
                found.append(Merging(edit.merge))
            case JoinEdit():
                people = []
                for kind in edit.join:
                    for _ in range(kind.count):
                        joined += 1
                        people.append(Recruit(f"+{joined}", kind.skills, kind.facts, kind.like))
                found.append(Joining(tuple(people)))
            case CasesEdit():
                more = tuple((m.group, m.specialty, m.count) for m in edit.more_cases)
                found.append(Agenda(edit.without_cases, more))
    return tuple(found)


def count_of(scenario: Scenario, axes: Sequence[Axis]) -> int:
    """How many points a sweep has, before any is laid out."""
    sweep = scenario.doc.sweep
    assert sweep is not None
    if sweep.by == "latin":
        return sweep.draws or 0
    if sweep.by == "grid":
        return prod(len(axis.values) for axis in axes)
    sizes = [len(axis.order) for axis in axes]
    if len(set(sizes)) > 1:
        raise Fault("scenario.list_uneven", scenario.at("sweep", "axes"), sizes=", ".join(map(str, sizes)))
    points = list(zip(*(axis.order for axis in axes), strict=True))
    if len(set(points)) < len(points):
        again = Counter(points).most_common(1)[0][0]
        name = ", ".join(f"{axis.name}={axis.values[i]}" for axis, i in zip(axes, again, strict=True))
        raise Fault("scenario.twice", scenario.at("sweep", "axes"), name=name)
    return sizes[0]


def places_of(scenario: Scenario, axes: Sequence[Axis]) -> list[tuple[int, ...]]:
    """The points: for each axis the number of its value. A Latin hypercube may meet a point twice; it is kept once."""
    sweep = scenario.doc.sweep
    assert sweep is not None
    sizes = [len(axis.values) for axis in axes]
    if sweep.by == "grid":
        return list(product(*map(range, sizes)))
    if sweep.by == "list":
        return list(zip(*(axis.order for axis in axes), strict=True))
    draws = sweep.draws or 1
    rng = np.random.default_rng(scenario.doc.seed or 0)
    columns = [rng.permutation(draws) * size // draws for size in sizes]
    return list(dict.fromkeys(tuple(int(c) for c in row) for row in zip(*columns, strict=True)))


def changes_at(axes: Sequence[Axis], place: Sequence[int]) -> tuple[Change, ...]:
    """The changes of a point."""
    return tuple(change for axis, i in zip(axes, place, strict=True) for change in axis.changes[i])


def values_at(axes: Sequence[Axis], place: Sequence[int]) -> Mapping[str, str]:
    """The values of a point, by the name of the axis."""
    return {axis.name: axis.values[i] for axis, i in zip(axes, place, strict=True)}
