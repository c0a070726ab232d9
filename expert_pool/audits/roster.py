"""A roster as it was read: people, and, where the file has them, cases, relations, panels before and group sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from expert_pool.audits.values import same_text
from expert_pool.imports.report import RowError
from solver.answer import Saying
from solver.errors import Fault
from solver.problem import Previous

Known = int | bool | str | date
"""What is known of a person: a fact of the policies' vocabulary."""


class RosterFaults(Fault):
    """A roster that cannot be read. `errors` are all that is wrong with it, by sheet and row."""

    def __init__(self, where: str, errors: Sequence[RowError]) -> None:
        super().__init__(
            "audit.roster_bad", where, count=len(errors), row=errors[0].row, sheet=errors[0].sheet
        )
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Unit:
    """An employer as written; `legal` when it is known to be a legal person, so that only its own name means it."""

    name: str
    legal: bool = False


class Who(NamedTuple):
    """What tells people apart."""

    name: str | None
    code: str | None
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class Subject:
    """A sub-specialty and the specialty it belongs to; None for the one that is not stated."""

    sub: str | None
    broad: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the roster. `label` names them in the report: the name, with the employer where two share it.

    `facts` are what is known, by the names of the policies' vocabulary; `sources` says of those that came from the
    registry which record is behind them. `subjects` is empty when no specialty is known.
    """

    row: int
    label: str
    name: str
    code: str | None
    role: str
    group: str | None
    order: int | None
    unit: Unit | None
    subjects: tuple[Subject, ...]
    facts: Mapping[str, Known]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def who(self) -> Who:
        return Who(self.name, self.code, self.unit)


@dataclass(frozen=True, slots=True)
class Application:
    """One case: how the report calls it, its applicant, and what is known of both."""

    row: int
    label: str
    applicant: str | None
    code: str | None
    unit: Unit | None
    subject: Subject | None
    group: str | None

    @property
    def who(self) -> Who:
        return Who(self.applicant, self.code, self.unit)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of a person (index) with another person, with cases, or with an employer."""

    row: int
    kind: str
    person: int | None
    other: int | None
    cases: tuple[int, ...]
    unit: Unit | None
    names_case: bool
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A panel before."""

    title: str
    on: date | None
    sat: tuple[Who, ...]


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """What the organiser's own plan says of a group; None where it says nothing."""

    name: str
    subs: tuple[str, ...]
    low: int | None
    high: int | None
    alternates: int | None


@dataclass(frozen=True)
class Roster:
    """A roster. None for a sheet that the file does not have; `columns` are those that it has, by sheet.

    `previous_known` are panels before as the registry knows them, over the indices of people, and `unplaced` the people
    whom it does not know. `legal` gives the legal person of an employer's name, as far as the registry knows it.
    """

    file: str
    sha256: str
    people: tuple[Person, ...]
    cases: tuple[Application, ...] | None
    relations: tuple[Relation, ...] | None
    previous: tuple[Earlier, ...] | None
    groups: tuple[PlannedGroup, ...] | None
    columns: Mapping[str, frozenset[str]]
    notes: tuple[Saying, ...] = ()
    previous_known: tuple[Previous, ...] | None = None
    unplaced: frozenset[int] = frozenset()
    legal: Mapping[str, str] = field(default_factory=dict)

    def has(self, page: str, column: str) -> bool:
        """Whether the file has a column."""
        return column in self.columns.get(page, frozenset())

    def meant(self, unit: Unit) -> Unit:
        """The legal person behind an employer's name where the registry knows it, else the employer as written."""
        known = None if unit.legal else self.legal.get(same_text(unit.name))
        return unit if known is None else Unit(known, legal=True)

    def who(self, one: Person | Application | Who) -> Who:
        """What tells somebody apart, the employer read as its legal person where that is known."""
        who = one if isinstance(one, Who) else one.who
        return who if who.unit is None else who._replace(unit=self.meant(who.unit))
