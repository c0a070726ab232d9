"""A panel problem: everything a lawful panel may depend on, as plain frozen data.

Experts, cases, groups and specialties are indices 0..n-1 here; their ids appear only in the arrays that
name them. `solver.document` reads and writes the same thing as `panel-problem/1`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from solver.errors import Fault
from solver.facts import Column, Ints, Mask, day

if TYPE_CHECKING:
    from solver.goals.base import Goal
    from solver.rules.base import Rule

Procedure = Literal["compose", "draw"]
Effect = Literal["pair", "group", "panel"]

CLOSE, BROAD, NONE = 2, 1, 0
"""Grades of a peer: same sub-specialty (小同行), same specialty, neither."""


@dataclass(frozen=True, slots=True)
class Specialties:
    """The catalogue as the problem needs it: sub-specialty codes and the specialty each belongs to."""

    code: tuple[str, ...]
    name: tuple[str, ...]
    broad: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skills:
    """Who holds which sub-specialty: three aligned int64 arrays; proficiency 1 (works in it) to 3 (leads it)."""

    expert: Ints
    specialty: Ints
    proficiency: Ints


@dataclass(frozen=True, slots=True)
class Cases:
    """The agenda: id, sub-specialty index and group index of every application."""

    id: tuple[str, ...]
    specialty: Ints
    group: Ints


@dataclass(frozen=True, slots=True)
class Group:
    """A review group (评议组): `low`..`high` members, the sub-specialties it judges, its number of alternates."""

    id: str
    name: str
    low: int
    high: int
    specialties: tuple[int, ...]
    alternates: int = 0


@dataclass(frozen=True, slots=True)
class ConflictKind:
    """Why two parties are in conflict and what follows.

    effect `pair`: the expert is recused from that case (between experts: they may not sit together);
    `group`: may not sit in the group that judges the case; `panel`: may not sit at all.
    """

    kind: str
    effect: Effect
    basis: str
    status: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Conflicts as aligned arrays: who (`left`, an expert), with whom (`right`, expert or case), `kind` index,
    and `why`, one opaque reference each to the relation and dates behind it."""

    left: Ints
    right: Ints
    kind: Ints
    why: tuple[str, ...]

    @staticmethod
    def none() -> Pairs:
        empty = np.empty(0, dtype=np.int64)
        return Pairs(empty, empty, empty, ())


@dataclass(frozen=True, slots=True)
class Previous:
    """A panel that sat before: newest first in `Problem.previous`; members are indices of experts in this problem.

    `size` counts all who sat, also those no longer in the problem.
    """

    id: str
    on: date
    members: frozenset[int]
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A dated decision that an expert must sit (in `group`, or anywhere when None), with its person and basis."""

    expert: int
    group: int | None
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A dated decision that an expert may not sit this time."""

    expert: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """How a step of the ladder changes one rule: some fields with other values, or None: the rule no longer holds."""

    rule: str
    fields: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder that a policy climbs where the pool is too thin: rules that change; `recruits`: people who are
    to be brought in from elsewhere; with neither it is advice, e.g. to delegate."""

    id: str
    changes: tuple[RuleChange, ...] = ()
    recruits: bool = False
    basis: str = ""
    status: str = "D"


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: wall seconds, relative gap 0..1, MB of memory for each engine; workers: with two, HiGHS races CP-SAT."""

    seconds: float = 120.0
    gap: float = 0.0
    workers: int = 1
    memory_mb: int | None = None

    def __post_init__(self) -> None:
        """Raises Fault for what is no number at all: it would pass every comparison, and never end the work."""
        for name, value in (("seconds", self.seconds), ("gap", self.gap)):
            if isnan(value):
                raise Fault("problem.limit_nan", f"limits.{name}")


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which policy made the rules: id, version, the sha256 of its text with overrides."""

    id: str
    version: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Skills by expert: those of expert e are the entries starts[e]..starts[e + 1]. Made into a dict when asked for, so
    that looking at a few people of a large pool costs little."""

    starts: Ints
    specialty: Ints
    proficiency: Ints

    def __getitem__(self, expert: int) -> dict[int, int]:
        """Sub-specialty index -> proficiency, the best where one is named twice."""
        own = slice(int(self.starts[expert]), int(self.starts[expert + 1]))
        pairs = zip(self.specialty[own].tolist(), self.proficiency[own].tolist(), strict=True)
        held: dict[int, int] = {}
        for specialty, proficiency in pairs:
            held[specialty] = max(proficiency, held.get(specialty, 0))
        return held


@dataclass(frozen=True)
class Problem:
    """One panel to be assembled. See docs/formats.md for each field's meaning and limits."""

    title: str
    committee: str
    meeting: str
    on: date
    procedure: Procedure
    policy: PolicyRef
    seed: int
    experts: tuple[str, ...]
    facts: Mapping[str, Column]
    specialties: Specialties
    skills: Skills
    cases: Cases
    groups: tuple[Group, ...]
    conflict_kinds: tuple[ConflictKind, ...] = ()
    between: Pairs = field(default_factory=Pairs.none)
    with_cases: Pairs = field(default_factory=Pairs.none)
    previous: tuple[Previous, ...] = ()
    locks: tuple[Lock, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    rules: tuple[Rule, ...] = ()
    goals: tuple[Goal, ...] = ()
    weighted: bool = False
    limits: Limits = field(default_factory=Limits)
    ladder: tuple[Step, ...] = ()
    made: bool = False
    """True when the people are made up (the made region), so that no face shows them as real."""

    @property
    def day(self) -> int:
        return day(self.on)

    @cached_property
    def grades(self) -> Ints:
        """Shape (experts, groups): CLOSE, BROAD or NONE, the best grade an expert has for a group."""
        grades = np.zeros((len(self.experts), len(self.groups)), dtype=np.int64)
        for g, group in enumerate(self.groups):
            near = np.zeros(len(self.specialties.code), dtype=bool)
            near[list(group.specialties)] = True
            fields = {self.specialties.broad[s] for s in group.specialties}
            wide = np.array([b in fields for b in self.specialties.broad], dtype=bool)
            grades[self.skills.expert[wide[self.skills.specialty]], g] = BROAD
            grades[self.skills.expert[near[self.skills.specialty]], g] = CLOSE
        return grades

    @cached_property
    def held(self) -> Held:
        """Per expert: sub-specialty index -> proficiency."""
        order = np.argsort(self.skills.expert, kind="stable")
        starts = np.searchsorted(self.skills.expert[order], np.arange(len(self.experts) + 1))
        return Held(starts, self.skills.specialty[order], self.skills.proficiency[order])

    @cached_property
    def recused(self) -> tuple[frozenset[int], ...]:
        """Per case: the experts who may not judge it, whatever the effect of the conflict."""
        order = np.argsort(self.with_cases.right, kind="stable")
        starts = np.searchsorted(self.with_cases.right[order], np.arange(len(self.cases.id) + 1))
        experts = self.with_cases.left[order].tolist()
        return tuple(frozenset(experts[a:b]) for a, b in pairwise(starts.tolist()))

    @cached_property
    def apart(self) -> frozenset[tuple[int, int]]:
        """Pairs (smaller, larger) of experts who may not sit together."""
        return self._apart(slice(None))

    def apart_among(self, people: Collection[int]) -> frozenset[tuple[int, int]]:
        """The same pairs among a few people."""
        there = np.zeros(len(self.experts), dtype=bool)
        there[list(people)] = True
        return self._apart(there[self.between.left] & there[self.between.right])

    def _apart(self, which: Mask | slice) -> frozenset[tuple[int, int]]:
        pairs = zip(self.between.left[which].tolist(), self.between.right[which].tolist(), strict=True)
        return frozenset((min(a, b), max(a, b)) for a, b in pairs if a != b)

    @property
    def low(self) -> int:
        return sum(group.low for group in self.groups)

    @property
    def high(self) -> int:
        return sum(group.high for group in self.groups)

    def everyone(self) -> Mask:
        return np.ones(len(self.experts), dtype=bool)
