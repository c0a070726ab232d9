"""What absences may break: rules, the chair, the quorum, as events that see the people of a panel only as kinds.

Two people of one kind may stay away for each other: the event cannot tell the meetings apart. Other than for the
no-shows of `solver.no_shows`, seats may stay empty here, so that the rules about sizes can break and the quorum rule
sees every recusal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from solver.attendance import BEFOREHAND
from solver.panel import Panel
from solver.problem import BROAD, CLOSE, Cases, Pairs, Problem
from solver.rules.base import Rule
from solver.rules.case_peers import CasePeers
from solver.rules.group_peers import GroupPeers
from solver.rules.group_size import GroupSize
from solver.rules.panel_size import PanelSize
from solver.rules.peer_grade import grade_for
from solver.rules.quorum import Quorum
from solver.rules.roles import Roles
from solver.rules.same_size import SameSize
from solver.rules.share import seats_for

ALL, ATTENDED, PRESIDES = "all", "attended", "presides"

Kinds = Mapping[int, Hashable]
"""The kind of everybody named in a panel, by expert."""


@dataclass(frozen=True)
class Event:
    """Something that absences may break. `sees`: the kinds it tells apart; `local`: each group is judged by itself;
    `broken` says it of a panel that meets. `parts`: events of fewer kinds, one of which breaks whenever it does."""

    id: str
    local: bool
    sees: Kinds
    broken: Callable[[Panel], bool]
    parts: tuple[Event, ...] = ()


def events_of(panel: Panel) -> tuple[Event, ...]:
    """What absences may break in a lawful panel: each hard rule about the meeting, and that somebody presides where the
    rules want a chair; together what `solver.attendance.on_the_day` asks."""
    rules = [rule for rule in panel.problem.rules if rule.soft is None and not isinstance(rule, BEFOREHAND)]
    found = [event for rule in rules if (event := _of_rule(rule, panel)) is not None]
    if any(isinstance(rule, Roles) for rule in panel.problem.rules):
        holders = {panel.chair, *panel.deputies}
        sees = {e: e if e in holders else None for e in panel.everybody}
        found.append(Event(PRESIDES, False, sees, lambda meeting: meeting.chair is None))
    return tuple(found)


def attendance(panel: Panel, least: Fraction) -> Event:
    """Whether those who come are at least this part of the seats: of the panel, or of each group where a quorum rule says
    so; and where there is such a rule, for every case without those recused, unless they count."""
    problem = panel.problem
    rule = next((r for r in problem.rules if isinstance(r, Quorum)), None)
    by_group = rule is not None and rule.of == "group"
    named = [len(group) for group in panel.by_group]
    scopes = [frozenset([g]) for g in range(len(named))] if by_group else [frozenset(range(len(named)))]
    needed = [seats_for(least, sum(named[g] for g in scope)) for scope in scopes]
    people = frozenset(panel.everybody)
    cases = {
        (int(problem.cases.group[c]) if by_group else 0, recused & people)
        for c, recused in enumerate(problem.recused)
        if rule is not None and not rule.recused_counts and recused & people
    }
    ordered = sorted(cases, key=lambda case: (case[0], sorted(case[1])))

    def short(asked: Sequence[tuple[int, frozenset[int]]]) -> Callable[[Panel], bool]:
        def broken(meeting: Panel) -> bool:
            there = [{e for e, g in meeting.members.items() if g in scope} for scope in scopes]
            return any(len(there[at] - recused) < needed[at] for at, recused in asked)

        return broken

    everyone: list[tuple[int, frozenset[int]]] = [(at, frozenset()) for at in range(len(scopes))]
    sees = {e: tuple(i for i, (_, recused) in enumerate(ordered) if e in recused) for e in people}
    parts = [Event(f"{ATTENDED}.", by_group, dict.fromkeys(people), short(everyone))]
    parts += [
        Event(f"{ATTENDED}.{i}", by_group, {e: e in case[1] for e in people}, short([case]))
        for i, case in enumerate(ordered)
    ]
    return Event(ATTENDED, by_group, sees, short([*everyone, *ordered]), tuple(parts))


def together(events: Sequence[Event], panel: Panel, id_: str = ALL) -> Event:
    """All events as one, which is broken as soon as one of them is."""
    groups = _groups(panel)
    sees = {
        e: tuple((groups[e], event.sees[e]) if event.local else event.sees[e] for event in events)
        for e in panel.everybody
    }
    return Event(
        id_,
        all(event.local for event in events),
        sees,
        lambda meeting: any(event.broken(meeting) for event in events),
    )


def _groups(panel: Panel) -> Mapping[int, int]:
    """The group of everybody named."""
    waiting = {e: g for g, called in enumerate(panel.alternates) for e in called}
    return {**panel.members, **waiting}


def _of_rule(rule: Rule, panel: Panel) -> Event | None:
    """A rule as an event; None where people who stay away cannot break it."""

    def broken(meeting: Panel) -> bool:
        return any(rule.findings(meeting))

    if isinstance(rule, (GroupSize, PanelSize, SameSize)):
        return Event(rule.id, isinstance(rule, GroupSize), _groups(panel), broken)
    if rule.survival == "none":
        return None
    if isinstance(rule, Quorum):
        return _recusals(rule, panel)
    if isinstance(rule, CasePeers):
        return _peers(rule, panel)
    if isinstance(rule, GroupPeers):
        problem, groups = panel.problem, _groups(panel)
        sees = {e: grade_for(problem, e, problem.groups[groups[e]].specialties) for e in panel.everybody}
        return Event(rule.id, rule.local, sees, broken)
    return Event(rule.id, rule.local, {e: rule.sees(panel, e) for e in panel.everybody}, broken)


def _recusals(rule: Quorum, panel: Panel) -> Event | None:
    """The quorum rule, which asks after no more than who is there and who of them is recused. None where recusals count
    as present: then it always holds."""
    if rule.recused_counts:
        return None
    people = frozenset(panel.everybody)
    alike: dict[tuple[int | None, frozenset[int]], None] = {}
    for c, recused in enumerate(panel.problem.recused):
        group = None if rule.of == "panel" else int(panel.problem.cases.group[c])
        if recused & people:
            alike[group, recused & people] = None

    def of(cases: Sequence[tuple[int | None, frozenset[int]]]) -> Callable[[Panel], bool]:
        def broken(meeting: Panel) -> bool:
            for group, recused in cases:
                there = meeting.members.keys() if group is None else set(meeting.by_group[group])
                if len(there - recused) < seats_for(rule.least, len(there)):
                    return True
            return False

        return broken

    cases = list(alike)
    sees = {e: tuple(i for i, (_, away) in enumerate(cases) if e in away) for e in people}
    parts = [
        Event(f"{rule.id}.{i}", rule.local, {e: e in case[1] for e in people}, of([case]))
        for i, case in enumerate(cases)
    ]
    return Event(rule.id, rule.local, sees, of(cases), tuple(parts))


def _peers(rule: CasePeers, panel: Panel) -> Event:
    """The rule of peers for each case, told apart by who may judge which of the cases."""
    problem, groups = panel.problem, _groups(panel)
    grades: dict[tuple[int, int], int] = {}
    alike: dict[tuple[int, frozenset[int]], int] = {}
    for c, recused in enumerate(problem.recused):
        group, specialty = int(problem.cases.group[c]), int(problem.cases.specialty[c])
        own = [e for e in panel.everybody if groups[e] == group and e not in recused]
        for e in own:
            if (e, specialty) not in grades:
                grades[e, specialty] = grade_for(problem, e, (specialty,))
        wanted = CLOSE if rule.grade == "close" else BROAD
        alike.setdefault((group, frozenset(e for e in own if grades[e, specialty] >= wanted)), c)
    cases = list(alike)
    parts = [
        Event(
            f"{rule.id}.{c}",
            rule.local,
            {e: e in near for e in panel.everybody},
            _broken_for(rule, problem, c),
        )
        for (_, near), c in alike.items()
    ]
    sees = {e: tuple(i for i, (_, near) in enumerate(cases) if e in near) for e in panel.everybody}

    def broken(meeting: Panel) -> bool:
        return any(part.broken(meeting) for part in parts)

    return Event(rule.id, rule.local, sees, broken, tuple(parts))


def _broken_for(rule: Rule, problem: Problem, case: int) -> Callable[[Panel], bool]:
    """Whether the rule is broken for one case."""
    cases, ties = problem.cases, problem.with_cases
    own = ties.right == case
    count = int(own.sum())
    only = replace(
        problem,
        cases=Cases((cases.id[case],), cases.specialty[[case]], cases.group[[case]]),
        with_cases=Pairs(ties.left[own], np.zeros(count, dtype=np.int64), ties.kind[own], ("",) * count),
    )
    return lambda meeting: any(rule.findings(replace(meeting, problem=only)))
