"""Conflicts in a roster under a policy: those that follow from what is written, and those that may be there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from expert_pool.audits.identity import Same, same_person, same_unit
from expert_pool.audits.roster import Relation, Roster
from expert_pool.policies.policy import Conflict, Policy
from expert_pool.relations.windows import reach
from solver.facts import day
from solver.problem import ConflictKind, Pairs

_Row = tuple[int, int, int, str]
"""A person, a person or case, a kind (indices), and where it is written."""


@dataclass(frozen=True)
class Conflicts:
    """`between` and `with_cases` are sure; `may_between` and `may_with_cases` hold these and those that may be there."""

    kinds: tuple[ConflictKind, ...]
    between: Pairs
    with_cases: Pairs
    may_with_cases: Pairs


def conflicts_of(roster: Roster, policy: Policy, on: date) -> Conflicts:
    """The conflicts of the people of a roster with one another and with its cases on a day.

    Same employer and own application are derived, by the employer's legal person where it is known; the others stand in
    the sheet of relations, where an end that is not stated is one that has not come.
    """
    deriving = _Deriving(roster, policy, on)
    sure, may = deriving.with_cases()
    kinds = tuple(
        ConflictKind(c.kind, c.effect, c.basis.text, c.basis.status) for c in policy.conflicts.values()
    )
    return Conflicts(kinds, _pairs(deriving.between()), _pairs(sure), _pairs([*sure, *may]))


class _Deriving:
    def __init__(self, roster: Roster, policy: Policy, on: date) -> None:
        self.roster, self.on = roster, on
        self.conflicts = list(policy.conflicts.values())
        self.index = {conflict.kind: number for number, conflict in enumerate(self.conflicts)}
        self.units = [p.unit and roster.meant(p.unit) for p in roster.people]
        self.of_cases = [case.unit and roster.meant(case.unit) for case in roster.cases or ()]

    def with_cases(self) -> tuple[list[_Row], list[_Row]]:
        """Sure conflicts with cases, and further ones that may be there."""
        sure: list[_Row] = []
        may: list[_Row] = []
        for person, case, kind, same in [*self.selves(), *self.employed()]:
            if same is not Same.NO:
                rows = sure if same is Same.YES else may
                rows.append((person, case, kind, f"row {self.roster.people[person].row}"))
        for same, row in self.related():
            (sure if same is Same.YES else may).append(row)
        return sure, may

    def selves(self) -> Iterator[tuple[int, int, int, Same]]:
        if "self" not in self.index:
            return
        applicants = [self.roster.who(case) for case in self.roster.cases or ()]
        for p, person in enumerate(map(self.roster.who, self.roster.people)):
            for c, applicant in enumerate(applicants):
                if applicant.name is not None or applicant.code is not None:
                    yield p, c, self.index["self"], same_person(person, applicant)

    def employed(self) -> Iterator[tuple[int, int, int, Same]]:
        if "same_employer" not in self.index:
            return
        for p, mine in enumerate(self.units):
            for c, theirs in enumerate(self.of_cases):
                yield p, c, self.index["same_employer"], same_unit(mine, theirs)

    def related(self) -> Iterator[tuple[Same, _Row]]:
        """Relations with the applicant, the case, or its employer."""
        named: dict[tuple[int, int], set[int]] = defaultdict(set)
        for relation in self.roster.relations or ():
            conflict = self.counting(relation)
            if conflict is None or relation.person is None:
                continue
            kind = self.index[conflict.kind]
            for case, same in self.cases_of(relation):
                told = named[kind, case]
                if conflict.most is None or len(told | {relation.person}) <= conflict.most:
                    told.add(relation.person)
                    yield same, (relation.person, case, kind, f"row {relation.row}")

    def between(self) -> list[_Row]:
        """Relations of two people of the roster, of the kinds that count between members."""
        rows: list[_Row] = []
        for relation in self.roster.relations or ():
            conflict = self.counting(relation)
            if conflict is None or not conflict.members or relation.person is None or relation.other is None:
                continue
            if relation.person != relation.other:
                left, right = sorted((relation.person, relation.other))
                rows.append((left, right, self.index[conflict.kind], f"row {relation.row}"))
        return rows

    def counting(self, relation: Relation) -> Conflict | None:
        """The policy's word on a relation, where it still counts on the day."""
        if relation.kind not in self.index:
            return None
        conflict = self.conflicts[self.index[relation.kind]]
        began = relation.since is None or relation.since <= self.on
        lasts = relation.until is None or day(relation.until) >= reach(conflict.window, self.on)
        cyclic = conflict.window == "cycle" and relation.names_case
        return conflict if cyclic or (began and lasts) else None

    def cases_of(self, relation: Relation) -> Iterator[tuple[int, Same]]:
        """The cases a relation is about: those it names or whose applicant it names, and those of an employer."""
        yield from ((case, Same.YES) for case in relation.cases)
        if relation.unit is not None:
            meant = self.roster.meant(relation.unit)
            found = ((c, same_unit(unit, meant)) for c, unit in enumerate(self.of_cases))
            yield from ((c, same) for c, same in found if same is not Same.NO)


def _pairs(rows: list[_Row]) -> Pairs:
    """One pair for each (left, right, kind), with the first place where it is written."""
    first: dict[tuple[int, int, int], str] = {}
    for left, right, kind, why in rows:
        first.setdefault((left, right, kind), why)
    ordered = sorted(first)
    columns = np.array(ordered, dtype=np.int64).reshape(-1, 3)
    return Pairs(columns[:, 0], columns[:, 1], columns[:, 2], tuple(first[key] for key in ordered))
