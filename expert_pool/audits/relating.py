"""The sheet of relations: between whom each row stands, and what it is about."""

from __future__ import annotations

from collections.abc import Sequence

from expert_pool.audits.identity import Same, same_unit
from expert_pool.audits.roster import Application, Person, Relation, Unit
from expert_pool.audits.tables import Faults, Table
from expert_pool.audits.values import NOTHING, same_text
from expert_pool.relations.deriving import MUTUAL


def read_relations(
    table: Table, people: Sequence[Person], cases: Sequence[Application], errors: Faults
) -> tuple[tuple[Relation, ...], int]:
    """The relations of people in the roster, and how many rows speak of nobody in it. A row `none` (无) says that there
    are no others.

    Whoever is named is looked for by name, and by employer where one is given. A name that fits several is an error.
    """
    reading = _Reading(table, people, cases, errors)
    rows = [row for row in range(len(table)) if table.get("kind", row) != NOTHING]
    found = [relation for row in rows if (relation := reading.row(row)) is not None]
    return tuple(found), len(rows) - len(found)


class _Reading:
    def __init__(
        self, table: Table, people: Sequence[Person], cases: Sequence[Application], errors: Faults
    ) -> None:
        self.table, self.people, self.cases, self.errors = table, people, cases, errors
        self.by_case = {case.label: i for i, case in enumerate(cases)}

    def row(self, row: int) -> Relation | None:
        get = self.table.get
        kind, case = get("kind", row), get("case", row)
        if get("person", row) is None:
            self.table.wrong(self.errors, row, "person", "import.required")
            return None
        if kind is None:
            return None
        person = self.person(row, "person", "person_employer")
        other = self.person(row, "other", "other_employer")
        about = self.applications(row, "other", "other_employer")
        if other is not None and about and get("other_employer", row) is None and case is None:
            self.apart(row, other, about)
        unit = None
        if case is not None:
            if not self.cases:
                return None
            if case not in self.by_case:
                self.table.wrong(self.errors, row, "case", "audit.case_unknown", case=case)
                return None
            about, other = (self.by_case[case],), None
        elif get("other", row) is None:
            employer = get("other_employer", row)
            if employer is None:
                self.table.wrong(self.errors, row, "other", "audit.relation_without_other")
                return None
            unit = Unit(employer)
        if person is None and other is not None and kind in MUTUAL:
            person, other = other, None
            about = self.applications(row, "person", "person_employer")
        if person is None or (other is None and not about and unit is None):
            return None
        since, until = get("since", row), get("until", row)
        return Relation(
            self.table.numbers[row],
            kind,
            person,
            other,
            about,
            unit,
            case is not None,
            since[0] if since else None,
            until[1] if until else None,
        )

    def apart(self, row: int, other: int, about: tuple[int, ...]) -> None:
        """An error where a name is both that of a person and that of an applicant who may be somebody else."""
        if same_unit(self.people[other].unit, self.cases[about[0]].unit) is not Same.YES:
            named = self.table.get("other", row)
            self.table.wrong(self.errors, row, "other", "audit.relation_unclear", name=named)

    def person(self, row: int, name: str, employer: str) -> int | None:
        """The person of the roster that a row names."""
        return self.one(row, name, employer, [(p.name, p.unit) for p in self.people])

    def applications(self, row: int, name: str, employer: str) -> tuple[int, ...]:
        """The cases of the applicant that a row names."""
        parties = [(case.applicant, case.unit) for case in self.cases]
        first = self.one(row, name, employer, parties)
        if first is None:
            return ()
        own = parties[first]
        return tuple(
            i
            for i, (applicant, unit) in enumerate(parties)
            if applicant is not None
            and same_text(applicant) == same_text(str(own[0]))
            and same_unit(unit, own[1]) is not Same.NO
        )

    def one(
        self, row: int, name: str, employer: str, parties: Sequence[tuple[str | None, Unit | None]]
    ) -> int | None:
        """The first of some parties, each (name, employer), that a row names; an error where they are several."""
        named, unit = self.table.get(name, row), self.table.get(employer, row)
        if named is None:
            return None
        wanted = Unit(unit) if unit else None
        fitting = [
            i
            for i, (other, own) in enumerate(parties)
            if other is not None
            and same_text(other) == same_text(named)
            and (wanted is None or same_unit(own, wanted) is not Same.NO)
        ]
        exact = [i for i in fitting if wanted is not None and same_unit(parties[i][1], wanted) is Same.YES]
        fitting = exact or fitting
        apart = {i for i in fitting[1:] if same_unit(parties[i][1], parties[fitting[0]][1]) is not Same.YES}
        if apart:
            self.table.wrong(self.errors, row, name, "audit.relation_unclear", name=named)
        return fitting[0] if fitting else None
