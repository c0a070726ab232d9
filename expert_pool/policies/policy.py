"""A policy with its numbers settled: what the rest of the house asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from expert_pool.policies.document import FilingName, GroupBy, ParameterType, Window
from solver.errors import Fault
from solver.goals import Goal
from solver.problem import Effect, PolicyRef, Procedure, Step
from solver.rules import Basis, Rule

Setting = int | str | bool | None
"""A parameter's value; a share is text such as 3/10."""


@dataclass(frozen=True, slots=True)
class Override:
    """A dated decision to set `parameter` to `value`; None switches off what stands on it."""

    parameter: str
    value: Setting | Mapping[str, Setting]
    by: str
    on: date
    why: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that rules speak of. `value` None: no text gives one; a mapping has one value a committee level."""

    name: str
    type: ParameterType
    value: Setting | Mapping[str, Setting]
    basis: Basis
    note: Mapping[str, str]
    override: Override | None = None

    def at(self, level: str) -> Setting:
        """The value for a committee of that level."""
        return self.value.get(level) if isinstance(self.value, Mapping) else self.value


@dataclass(frozen=True, slots=True)
class Unstated:
    """A parameter without a number (at these `levels`; all when empty), and the ids of the rules and kinds of conflict
    that are left out for it. `note` says what follows, per language."""

    parameter: str
    levels: tuple[str, ...]
    leaves_out: tuple[str, ...]
    note: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """How a kind of relation counts: for how long, with what effect, also between members, at most how many of one
    applicant (objections)."""

    kind: str
    window: Window
    effect: Effect
    members: bool
    most: int | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Seating:
    """How many sit and how they are grouped. `low`..`high` members, each group at least `group_low`; `alternates` in
    all; `directed_apart`: directed cases have a group of their own."""

    low: int
    high: int
    group_by: GroupBy
    group_low: int
    alternates: int
    directed_apart: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Times and bases, in years and points; None where nothing is stated.

    training_years: how long a training counts at most (None: until its own date). credit_years: how far back credit
    records count (None: all).
    """

    term_years: int | None = None
    filing_years: int | None = None
    training_years: int | None = None
    credit_base: int | None = None
    credit_years: int | None = None


@dataclass(frozen=True)
class Settled:
    """What depends on the committee's level. `seating` None: the policy does not say how many sit."""

    rules: tuple[Rule, ...]
    goals: tuple[Goal, ...]
    seating: Seating | None
    lacks: str = ""
    ladder: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Policy:
    """One policy, overrides applied. `sha256` covers the file's data and the overrides.

    `weighted`: goals are added with their weights instead of settled level by level. `locks_most`: how many experts
    may be locked in (None: no limit). `filings`: which filings a committee needs, with their basis.
    """

    id: str
    version: str
    title: Mapping[str, str]
    procedure: Procedure
    sha256: str
    weighted: bool
    locks_most: int | None
    parameters: Mapping[str, Parameter]
    overrides: tuple[Override, ...]
    conflicts: Mapping[str, Conflict]
    terms: Terms
    filings: Mapping[FilingName, Basis]
    unstated: tuple[Unstated, ...]
    by_level: Mapping[str, Settled] = field(repr=False)

    @property
    def ref(self) -> PolicyRef:
        return PolicyRef(self.id, self.version, self.sha256)

    def rules(self, level: str = "senior") -> tuple[Rule, ...]:
        """The rules for a committee of that level; those that stand on an unstated parameter are left out."""
        return self._settled(level).rules

    def goals(self, level: str = "senior") -> tuple[Goal, ...]:
        """The goals for a committee of that level."""
        return self._settled(level).goals

    def seats(self, level: str = "senior") -> Seating:
        """How many sit. Raises Fault when no text says so and no override does."""
        settled = self._settled(level)
        if settled.seating is None:
            raise Fault("policy.number_needed", self.id, parameter=settled.lacks, level=level)
        return settled.seating

    def ladder(self, level: str = "senior") -> tuple[Step, ...]:
        """What an office may try, step by step, when its pool is too thin."""
        return self._settled(level).ladder

    def _settled(self, level: str) -> Settled:
        if level not in self.by_level:
            raise Fault("policy.level_unknown", self.id, level=level, known=", ".join(self.by_level))
        return self.by_level[level]
