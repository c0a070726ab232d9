"""What a sweep changes about people all at once: those of whom something is so, what they learn, conflicts, the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from solver.diagnosis.elements import same_people
from solver.errors import Fault
from solver.facts import Column, Mask
from solver.problem import Effect, Pairs, Problem, Skills

Experts: TypeAlias = tuple[str, ...] | Mapping[str, bool | int | str] | None
"""Experts by their ids, or all of whom facts are as said; None: everybody."""


@dataclass(frozen=True, slots=True)
class Learning:
    """Experts hold these sub-specialties at least so well: code -> proficiency 1..3."""

    skills: Mapping[str, int]
    experts: Experts = None


@dataclass(frozen=True, slots=True)
class ConflictChange:
    """Conflicts of a kind have another effect, or None: they count no longer."""

    kind: str
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Merging:
    """Sub-specialties become another: whoever held one, and every case in it, belongs to that: code -> code."""

    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FactMove:
    """A fact of single experts takes another value where it is one of `over` (whatever it is where None), in some `meetings`
    (committee and meeting). Experts whom a problem does not have are passed over: a decision about people names them for
    every pool alike."""

    fact: str
    value: bool | str
    experts: tuple[str, ...]
    over: tuple[str, ...] | None
    meetings: tuple[tuple[str, str], ...]


def chosen(problem: Problem, experts: Experts) -> Mask:
    """Who is meant, shape (experts,). Raises Fault for unknown experts or facts, and where facts fit nobody."""
    from solver.sweeping.changes import known

    there = np.ones(len(problem.experts), dtype=bool)
    if isinstance(experts, Mapping):
        for fact, value in experts.items():
            known("fact", fact, sorted(problem.facts))
            there &= _so(problem.facts[fact], value)
        if not there.any():
            said = ", ".join(f"{fact}: {value}" for fact, value in experts.items())
            raise Fault("sweep.nobody", said, facts=said)
    elif experts is not None:
        index = {id_: e for e, id_ in enumerate(problem.experts)}
        there[:] = False
        for id_ in experts:
            if id_ not in index:
                known("expert", id_, problem.experts)
            there[index[id_]] = True
    return there


def _so(column: Column, value: bool | int | str) -> Mask:
    if column.type == "category":
        return np.asarray(
            column.values == (column.names.index(value) if value in column.names else -1), dtype=bool
        )
    if (
        column.type == "date"
        or isinstance(value, str)
        or (column.type == "boolean") != isinstance(value, bool)
    ):
        return np.zeros(len(column.values), dtype=bool)
    return np.asarray(column.values == int(value), dtype=bool)


def moved(problem: Problem, change: FactMove) -> Problem:
    """The problem in which the fact is so. Raises Fault `sweep.unknown` where it does not have the fact."""
    from solver.sweeping.changes import in_column, known

    if (problem.committee, problem.meeting) not in change.meetings:
        return problem
    known("fact", change.fact, sorted(problem.facts))
    column = problem.facts[change.fact]
    value, names = in_column(column, change.fact, change.value)
    who = np.isin(np.array(problem.experts, dtype=object), change.experts)
    if change.over is not None:
        who &= np.isin(column.values, [at for at, name in enumerate(column.names) if name in change.over])
    if not who.any():
        return problem
    there = replace(column, values=np.where(who, value, column.values), names=names)
    return same_people(problem, facts={**problem.facts, change.fact: there})


def learned(problem: Problem, change: Learning) -> Problem:
    """The problem in which they hold the sub-specialties."""
    numbers = _numbers(problem, change.skills)
    who = chosen(problem, change.experts).nonzero()[0]
    skills = problem.skills
    return replace(
        problem,
        skills=Skills(
            np.concatenate([skills.expert, *(who for _ in numbers)]),
            np.concatenate([skills.specialty, *(np.full(len(who), numbers[code]) for code in numbers)]),
            np.concatenate([skills.proficiency, *(np.full(len(who), change.skills[c]) for c in numbers)]),
        ),
    )


def without_conflict(problem: Problem, change: ConflictChange) -> Problem:
    """The problem in which conflicts of a kind weigh otherwise."""
    from solver.sweeping.changes import known

    kinds = [kind.kind for kind in problem.conflict_kinds]
    known("conflict", change.kind, kinds)
    at = kinds.index(change.kind)
    if change.effect is None:
        return replace(problem, between=_left(problem.between, at), with_cases=_left(problem.with_cases, at))
    own = replace(problem.conflict_kinds[at], effect=change.effect)
    return replace(
        problem, conflict_kinds=(*problem.conflict_kinds[:at], own, *problem.conflict_kinds[at + 1 :])
    )


def merged(problem: Problem, change: Merging) -> Problem:
    """The problem under a catalogue in which some sub-specialties are one. Raises Fault for a code that the catalogue does not
    have, and where one becomes another that goes itself."""
    old, new = _numbers(problem, change.codes), _numbers(problem, dict.fromkeys(change.codes.values()))
    for code, into in change.codes.items():
        if into in change.codes:
            raise Fault("sweep.merged_away", code, gone=code, into=into)
    place = np.arange(len(problem.specialties.code))
    for code, into in change.codes.items():
        place[old[code]] = new[into]
    return replace(
        problem,
        skills=replace(problem.skills, specialty=place[problem.skills.specialty]),
        cases=replace(problem.cases, specialty=place[problem.cases.specialty]),
        groups=tuple(
            replace(group, specialties=tuple(dict.fromkeys(int(place[s]) for s in group.specialties)))
            for group in problem.groups
        ),
    )


def _numbers(problem: Problem, codes: Mapping[str, Any]) -> dict[str, int]:
    from solver.sweeping.changes import known

    for code in codes:
        known("specialty", code, problem.specialties.code)
    return {code: problem.specialties.code.index(code) for code in codes}


def _left(pairs: Pairs, kind: int) -> Pairs:
    kept = pairs.kind != kind
    return Pairs(
        pairs.left[kept],
        pairs.right[kept],
        pairs.kind[kept],
        tuple(why for why, there in zip(pairs.why, kept.tolist(), strict=True) if there),
    )
