"""Experts divided into groups by a fact, so that no group shown is too small to be shown."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.facts import MISSING, Ints
from solver.problem import Problem
from solver.sweeping.changes import known

SPECIALTY = "specialty"
FACTS = ("sector", "region", "gender", "age", "rank", "employer")
"""What experts are divided by unless somebody says otherwise, where the problem knows it."""
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Cell:
    """A group of people: the value they share, None for those of several values too small to be shown (`values` of
    them); `people`: how many there are in all."""

    name: str | None
    values: int
    people: int


@dataclass(frozen=True)
class Division:
    """Everybody in one cell. The last cell has no name where some values are too small."""

    by: str
    cells: tuple[Cell, ...]
    place: Mapping[str, int]
    edges: tuple[int, ...] | None

    def of(self, problem: Problem) -> Ints:
        """The cell of each expert of a problem, shape (experts,)."""
        last = len(self.cells) - 1
        return np.array(
            [self.place.get(name, last) for name in _names(problem, self.by, self.edges)], dtype=np.int64
        )


def divisions(
    problems: Sequence[Problem], by: Sequence[str] | None, bands: Mapping[str, Sequence[int]], smallest: int
) -> list[Division]:
    """The divisions asked for, over everybody in any of the problems. Raises Fault for a fact that one does not have."""
    facts = set.intersection(*(set(problem.facts) for problem in problems))
    wanted = [fact for fact in FACTS if fact in facts] + [SPECIALTY] if by is None else list(by)
    for name in wanted:
        known("fact", name, sorted(facts | {SPECIALTY}))
    return [
        division(problems, name, tuple(bands[name]) if name in bands else None, smallest) for name in wanted
    ]


def division(problems: Sequence[Problem], by: str, edges: tuple[int, ...] | None, smallest: int) -> Division:
    """Everybody by one fact. Values of fewer than `smallest` people are put together; where all of these are still too
    few, so are the smallest of the others until they are not, so that nobody can be reckoned by taking away."""
    value: dict[str, str] = {}
    for problem in problems:
        for id_, name in zip(problem.experts, _names(problem, by, edges), strict=True):
            value.setdefault(id_, name)
    people = Counter(value.values())
    ordered = sorted(people, key=lambda name: (-people[name], name))
    hidden = [name for name in ordered if people[name] < smallest]
    shown = ordered[: len(ordered) - len(hidden)]
    while hidden and shown and sum(people[name] for name in hidden) < smallest:
        hidden.insert(0, shown.pop())
    cells = [Cell(name, 1, people[name]) for name in _in_order(shown, edges)]
    place = {cell.name: i for i, cell in enumerate(cells) if cell.name is not None}
    if hidden:
        cells.append(Cell(None, len(hidden), sum(people[name] for name in hidden)))
    return Division(by, tuple(cells), place, edges)


def _in_order(shown: Sequence[str], edges: tuple[int, ...] | None) -> list[str]:
    """Bands from low to high, other values by number of people."""
    if edges is None:
        return list(shown)
    return [name for name in (*_bands(edges), UNKNOWN) if name in shown]


def _bands(edges: Sequence[int]) -> list[str]:
    ordered = sorted(edges)
    middle = [f"{low}–{high - 1}" for low, high in itertools.pairwise(ordered)]
    return [f"<{ordered[0]}", *middle, f"≥{ordered[-1]}"]


def _names(problem: Problem, by: str, edges: tuple[int, ...] | None) -> list[str]:
    """The value of each expert, as it is shown."""
    if by == SPECIALTY and by not in problem.facts:
        return _specialties(problem)
    column = problem.facts[by]
    if edges and column.type == "integer":
        names = _bands(edges)
        at = np.searchsorted(sorted(edges), column.values, side="right").tolist()
        return [
            UNKNOWN if value == MISSING else names[i]
            for value, i in zip(column.values.tolist(), at, strict=True)
        ]
    return [UNKNOWN if (value := column.show(e)) is None else str(value) for e in range(len(problem.experts))]


def _specialties(problem: Problem) -> list[str]:
    """The specialty each leads or knows best; of several as good, the first of the catalogue."""
    best: dict[int, tuple[int, int]] = {}
    skills = problem.skills
    triples = zip(skills.expert.tolist(), skills.specialty.tolist(), skills.proficiency.tolist(), strict=True)
    for expert, specialty, proficiency in triples:
        best[expert] = max(best.get(expert, (0, 0)), (proficiency, -specialty))
    return [
        problem.specialties.broad[-best[e][1]] if e in best else UNKNOWN for e in range(len(problem.experts))
    ]
