"""A roster laid into a panel problem, twice: as kindly as what is unknown allows, and as harshly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from expert_pool.agendas import seats_by_cases
from expert_pool.audits.conflicts import conflicts_of
from expert_pool.audits.identity import Same, same_person
from expert_pool.audits.roster import Person, Roster, Subject, Unit
from expert_pool.audits.subjects import Catalogue
from expert_pool.audits.values import ALTERNATE
from expert_pool.policies.policy import Policy, Seating
from expert_pool.policies.vocabulary import FACTS
from solver.facts import Column
from solver.panel import Panel
from solver.problem import Cases, Group, Previous, Problem
from solver.rules.locks import Locks

UNDATED = date(1900, 1, 1)
"""Stands for the day of an earlier panel that is not stated; only the order of panels matters."""


@dataclass(frozen=True)
class Laid:
    """The panel of a roster in both problems. They differ in what people may hold, which conflicts there may be, and
    who may have sat before; facts are the same in both, unknown where unknown.

    `subjects` says what each group judges. `stated_groups`: the roster tells who sits in which group.
    """

    roster: Roster
    policy: Policy
    level: str
    seating: Seating | None
    catalogue: Catalogue
    subjects: tuple[tuple[Subject | None, ...], ...]
    stated_groups: bool
    kind: Panel
    harsh: Panel

    def unit(self, expert: int) -> Unit | None:
        """The legal person that somebody works for where it is known, else the employer as written."""
        written = self.roster.people[expert].unit
        return written and self.roster.meant(written)

    @cached_property
    def perhaps_applicants(self) -> frozenset[int]:
        """People who may be one of the applicants, which what is written leaves open."""
        applicants = [self.roster.who(case) for case in self.roster.cases or () if case.applicant is not None]
        people = [self.roster.who(person) for person in self.roster.people]
        return frozenset(
            number
            for number, person in enumerate(people)
            if any(same_person(person, applicant) is Same.MAYBE for applicant in applicants)
        )


def lay(roster: Roster, policy: Policy, level: str, on: date) -> Laid:
    """The problem that a roster is a panel of, under a policy for committees of a level. The rule that keeps our own
    decisions about persons (locks) has nothing to say of somebody else's panel, and is left out."""
    seating = policy.by_level[level].seating
    names = _group_names(roster)
    subjects = _subjects(roster, names)
    catalogue = Catalogue(
        [
            *(subject for person in roster.people for subject in person.subjects),
            *(case.subject for case in roster.cases or () if case.subject),
            *(subject for own in subjects for subject in own if subject),
        ]
    )
    groups = _groups(roster, names, subjects, catalogue, seating)
    conflicts = conflicts_of(roster, policy, on)
    facts = _facts(roster)
    sure, may = _previous(roster)
    cases = roster.cases or ()
    held = [person.subjects for person in roster.people]

    def panel(kindly: bool) -> Panel:
        problem = Problem(
            title=roster.file,
            committee="",
            meeting="",
            on=on,
            procedure=policy.procedure,
            policy=policy.ref,
            seed=0,
            experts=tuple(person.label for person in roster.people),
            facts=facts,
            specialties=catalogue.specialties,
            skills=catalogue.skills(held, kindly=kindly),
            cases=Cases(
                tuple(case.label for case in cases),
                np.array([catalogue.place(case.subject) for case in cases], dtype=np.int64),
                np.array([_place(case.group, names) for case in cases], dtype=np.int64),
            ),
            groups=groups,
            conflict_kinds=conflicts.kinds,
            between=conflicts.between,
            with_cases=conflicts.with_cases if kindly else conflicts.may_with_cases,
            previous=sure if kindly else may,
            rules=tuple(rule for rule in policy.rules(level) if not isinstance(rule, Locks)),
        )
        return _panel(problem, roster, names)

    return Laid(
        roster,
        policy,
        level,
        seating,
        catalogue,
        subjects,
        roster.has("people", "group") or (roster.groups is not None and len(names) == 1),
        panel(True),
        panel(False),
    )


def _group_names(roster: Roster) -> tuple[str, ...]:
    """The groups in the order of the plan, else of the list; one without a name where nothing speaks of groups."""
    named = [group.name for group in roster.groups or ()]
    named += [person.group for person in roster.people if person.group is not None]
    return tuple(dict.fromkeys(named)) or ("",)


def _place(group: str | None, names: Sequence[str]) -> int:
    return names.index(group) if group in names else 0


def _subjects(roster: Roster, names: Sequence[str]) -> tuple[tuple[Subject | None, ...], ...]:
    """What each group judges: by the plan, else what its cases are about, else what is not stated."""
    planned = {group.name: group.subs for group in roster.groups or ()}
    found: list[tuple[Subject | None, ...]] = []
    for name in names:
        subs: list[Subject | None] = [_subject(sub) for sub in planned.get(name, ())]
        if not subs:
            own = [case for case in roster.cases or () if len(names) == 1 or case.group == name]
            subs = list(dict.fromkeys(case.subject for case in own))
        found.append(tuple(subs) or (None,))
    return tuple(found)


def _subject(text: str) -> Subject:
    broad, slash, sub = text.partition("/")
    return Subject(sub.strip(), broad.strip()) if slash else Subject(text, None)


def _groups(
    roster: Roster,
    names: Sequence[str],
    subjects: Sequence[Sequence[Subject | None]],
    catalogue: Catalogue,
    seating: Seating | None,
) -> tuple[Group, ...]:
    """Sizes by the organiser's plan; where it says nothing the policy's least, and no most but the whole panel."""
    planned = {group.name: group for group in roster.groups or ()}
    members = [p for p in roster.people if p.role != ALTERNATE]
    whole = max(len(members), seating.high if seating else 1, 1)
    least = seating.group_low if seating else 1
    alternates = _alternates(roster, names, seating)
    groups = []
    for number, name in enumerate(names):
        plan = planned.get(name)
        low = least if plan is None or plan.low is None else plan.low
        high = max(whole, low) if plan is None or plan.high is None else plan.high
        judged = tuple(dict.fromkeys(catalogue.place(subject) for subject in subjects[number]))
        groups.append(Group(name or "all", name, min(low, high), high, judged, alternates[number]))
    return tuple(groups)


def _alternates(roster: Roster, names: Sequence[str], seating: Seating | None) -> list[int]:
    """How many alternates each group should have: by the plan; else as many as it has, where all together are at least
    as many as the policy asks for; else the policy's number by largest remainder over the members."""
    waiting = [_place(p.group, names) for p in roster.people if p.role == ALTERNATE]
    seated = [_place(p.group, names) for p in roster.people if p.role != ALTERNATE]
    asked = seating.alternates if seating else 0
    shared: Sequence[int] = [waiting.count(g) for g in range(len(names))]
    if len(waiting) < asked:
        sizes = [max(seated.count(g), 1) for g in range(len(names))]
        shared = seats_by_cases(asked, sizes, int(asked >= len(names)))
    planned = {group.name: group.alternates for group in roster.groups or ()}
    return [shared[g] if (own := planned.get(name)) is None else own for g, name in enumerate(names)]


def _facts(roster: Roster) -> Mapping[str, Column]:
    """Every fact of the vocabulary; MISSING where the roster does not say it."""
    columns: dict[str, Column] = {}
    for name, kind in FACTS.items():
        values: list[Any] = [person.facts.get(name) for person in roster.people]
        if name == "employer":
            values = [p.unit and roster.meant(p.unit).name for p in roster.people]
        elif name == "applicant":
            values = [
                _applies(roster, person) if value is None else value
                for person, value in zip(roster.people, values, strict=True)
            ]
        make: Any = {
            "integer": Column.integers,
            "boolean": Column.booleans,
            "date": Column.dates,
            "category": Column.categories,
        }[kind]
        columns[name] = make(values)
    return columns


def _applies(roster: Roster, person: Person) -> bool | None:
    """Whether somebody is one of the applicants; None where that cannot be told."""
    if roster.cases is None:
        return None
    same = max(same_person(roster.who(person), roster.who(case)) for case in roster.cases)
    return None if same is Same.MAYBE else same is Same.YES


def _previous(roster: Roster) -> tuple[tuple[Previous, ...], tuple[Previous, ...]]:
    """The panels before with those who surely sat in them, and with all who may have."""
    if roster.previous is None:
        known = roster.previous_known or ()
        may = tuple(Previous(p.id, p.on, p.members | roster.unplaced, p.size) for p in known)
        return tuple(known), may
    both: tuple[list[Previous], list[Previous]] = ([], [])
    for number, panel in enumerate(roster.previous):
        sat = {
            p: max(same_person(roster.who(person), roster.who(who), moved=True) for who in panel.sat)
            for p, person in enumerate(roster.people)
        }
        for found, least in zip(both, (Same.YES, Same.MAYBE), strict=True):
            members = frozenset(p for p, same in sat.items() if same >= least)
            found.append(
                Previous(panel.title or str(number + 1), panel.on or UNDATED, members, len(panel.sat))
            )
    return tuple(both[0]), tuple(both[1])


def _panel(problem: Problem, roster: Roster, names: Sequence[str]) -> Panel:
    people = list(enumerate(roster.people))
    waiting: list[list[tuple[int, int]]] = [[] for _ in names]
    for number, person in people:
        if person.role == ALTERNATE:
            order = number if person.order is None else person.order
            waiting[_place(person.group, names)].append((order, number))
    return Panel(
        problem,
        {number: _place(p.group, names) for number, p in people if p.role != ALTERNATE},
        next((number for number, p in people if p.role == "chair"), None),
        tuple(number for number, p in people if p.role == "deputy"),
        tuple(tuple(number for _, number in sorted(group)) for group in waiting),
    )
