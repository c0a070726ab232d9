"""The day of the meeting: alternates are called in their order, nothing is searched for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from solver.answer import Answer, FindingResult, Part
from solver.check import judge, panel_of
from solver.errors import Fault
from solver.moves import Seated, stands_of
from solver.problem import Problem
from solver.rules.alternates import Alternates
from solver.rules.locks import Locks
from solver.rules.roles import Roles
from solver.rules.stays import Stays

BEFOREHAND = (Alternates, Locks, Roles, Stays)
"""Rules about the time before the meeting; absence on the day does not break them while somebody presides."""


class Attendance(Part):
    """`attendance/1`: who meets when `absent` do not come. `called` are the alternates who take a seat; `presides` is the
    chair, or the first deputy who is there; `empty` counts the seats of a group that nobody could take. `findings` are
    the rules that the panel that meets breaks; `holds`: no hard one, and somebody presides where the rules want a chair.
    """

    format: Literal["attendance/1"] = "attendance/1"
    absent: list[str]
    called: list[Seated]
    presides: str | None
    members: list[Seated]
    empty: dict[str, int]
    holds: bool
    findings: list[FindingResult]


def on_the_day(problem: Problem, answer: Answer, absent: Sequence[str]) -> Attendance:
    """The panel that meets without those who are absent. Raises Fault for somebody who neither sits nor waits."""
    panel = panel_of(problem, answer)
    index = {problem.experts[e]: e for e in panel.everybody}
    for expert in absent:
        if expert not in index:
            raise Fault("attendance.not_in_panel", expert)
    meets = panel.after([index[expert] for expert in absent])
    stands = stands_of(meets)
    rules = {rule.id: rule for rule in problem.rules}
    found = [finding for finding in judge(meets)[1] if not isinstance(rules[finding.rule], BEFOREHAND)]
    led = any(isinstance(rule, Roles) for rule in problem.rules)
    members = [Seated(expert=e, at=at) for e, at in stands.items() if at.role != "alternate"]
    return Attendance(
        absent=sorted(set(absent)),
        called=[seated for seated in members if index[seated.expert] not in panel.members],
        presides=None if meets.chair is None else problem.experts[meets.chair],
        members=members,
        empty={
            group.id: len(before) - len(after)
            for group, before, after in zip(problem.groups, panel.by_group, meets.by_group, strict=True)
            if len(after) < len(before)
        },
        holds=not any(finding.hard for finding in found) and (meets.chair is not None or not led),
        findings=found,
    )
