"""The parts of a problem that may be taken away one by one: hard rules, gates, locks, exclusions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from solver.problem import Problem
from solver.rules.base import Gate, Rule

Kind = Literal["rule", "gate", "lock", "exclusion", "seats"]


@dataclass(frozen=True, slots=True)
class Element:
    """One condition. `id` is that of the rule (of the rule `locks` for decisions about persons); `at` tells several
    locks or exclusions apart.

    `seats` stands for the sizes of the groups. The seats themselves are the frame: that nobody holds two of them is no
    condition but what a panel is, and group sizes are in force wherever they are not expressly set free.
    """

    kind: Kind
    id: str
    at: int = 0


def elements_of(problem: Problem) -> tuple[Element, ...]:
    """Everything that may be taken away, in the order of the rules; the frame is not among them."""
    found: list[Element] = []
    for rule in problem.rules:
        if rule.soft is not None or is_frame(rule):
            continue
        if rule.rule == "locks":
            found += [Element("lock", rule.id, i) for i in range(len(problem.locks))]
            found += [Element("exclusion", rule.id, i) for i in range(len(problem.exclusions))]
        else:
            found.append(Element("gate" if isinstance(rule, Gate) else "rule", rule.id))
    return tuple(found)


def is_frame(rule: Rule) -> bool:
    return rule.rule == "group_size"


def with_only(
    problem: Problem, elements: Collection[Element], sizes: tuple[int, int] | None = None
) -> Problem:
    """The problem with only these hard conditions in force, and nothing soft. `sizes`: low and high of every group,
    where the sizes of the groups are set free."""
    ids = {element.id for element in elements}
    rules = tuple(rule for rule in problem.rules if rule.soft is None and (is_frame(rule) or rule.id in ids))
    waiting = any(rule.rule == "alternates" for rule in rules)
    groups = tuple(
        replace(
            group,
            low=group.low if sizes is None else sizes[0],
            high=group.high if sizes is None else sizes[1],
            alternates=group.alternates if waiting else 0,
        )
        for group in problem.groups
    )
    return same_people(
        problem,
        rules=rules,
        goals=(),
        groups=groups,
        locks=_at(problem.locks, (e.at for e in elements if e.kind == "lock")),
        exclusions=_at(problem.exclusions, (e.at for e in elements if e.kind == "exclusion")),
    )


def same_people(problem: Problem, **changes: Any) -> Problem:
    """The problem with other rules, goals, decisions or group sizes; what is known of its people and cases stays known."""
    changed = replace(problem, **changes)
    for name in ("grades", "held", "recused", "apart"):
        if name in problem.__dict__:
            changed.__dict__[name] = problem.__dict__[name]
    return changed


def person(problem: Problem, element: Element) -> int | None:
    """The expert whom a lock or an exclusion names."""
    if element.kind == "lock":
        return problem.locks[element.at].expert
    return problem.exclusions[element.at].expert if element.kind == "exclusion" else None


def named(problem: Problem) -> list[int]:
    """The experts whom a decision locks in or excludes."""
    return [lock.expert for lock in problem.locks] + [out.expert for out in problem.exclusions]


def _at(decisions: tuple[Any, ...], places: Iterable[int]) -> tuple[Any, ...]:
    return tuple(decisions[i] for i in sorted(places))
