"""Who came, who left and who moved between two panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from solver.answer import Answer, Part
from solver.panel import Panel

Role = Literal["chair", "deputy", "member", "alternate"]


class Stand(Part):
    """Where somebody stands in a panel: the group, the role, and for an alternate the place in the calling order."""

    group: str
    role: Role
    order: int | None = None


class Seated(Part):
    expert: str
    at: Stand


class Moved(Part):
    expert: str
    was: Stand
    now: Stand


class Moves(Part):
    """What turns one panel into another; `stayed` counts those who stand where they stood."""

    came: list[Seated]
    left: list[Seated]
    moved: list[Moved]
    stayed: int


def stands_in(answer: Answer) -> dict[str, Stand]:
    """Where everybody of an answer stands: members, then alternates in calling order."""
    found = {m.expert: Stand(group=m.group, role=m.role) for m in answer.members}
    found.update({a.expert: Stand(group=a.group, role="alternate", order=a.order) for a in answer.alternates})
    return found


def stands_of(panel: Panel) -> dict[str, Stand]:
    """The same of a panel in the problem's own numbers, by group."""
    problem = panel.problem
    found: dict[str, Stand] = {}
    for g, group in enumerate(problem.groups):
        for expert in panel.by_group[g]:
            role: Role = (
                "chair" if expert == panel.chair else "deputy" if expert in panel.deputies else "member"
            )
            found[problem.experts[expert]] = Stand(group=group.id, role=role)
    for group, called in zip(problem.groups, panel.alternates, strict=False):
        for order, expert in enumerate(called, start=1):
            found[problem.experts[expert]] = Stand(group=group.id, role="alternate", order=order)
    return found


def moves(was: Mapping[str, Stand], now: Mapping[str, Stand]) -> Moves:
    """The moves from one panel to another."""
    both = [expert for expert in now if expert in was]
    moved = [Moved(expert=e, was=was[e], now=now[e]) for e in both if was[e] != now[e]]
    return Moves(
        came=[Seated(expert=e, at=at) for e, at in now.items() if e not in was],
        left=[Seated(expert=e, at=at) for e, at in was.items() if e not in now],
        moved=moved,
        stayed=len(both) - len(moved),
    )
