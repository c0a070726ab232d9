"""A finished panel as plain sets: what the checker and the reasons look at. No engine, no arrays of a model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from solver.problem import Problem


@dataclass(frozen=True)
class Panel:
    """Who sits where. Experts and groups are indices into the problem.

    members: expert -> group. alternates: per group, experts in the order in which they are called. deputies: in the
    order in which they take the chair; where nobody said otherwise, that of the experts in the problem.
    """

    problem: Problem
    members: dict[int, int]
    chair: int | None = None
    deputies: tuple[int, ...] = ()
    alternates: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def by_group(self) -> tuple[tuple[int, ...], ...]:
        """Members of each group, in expert order."""
        groups: list[list[int]] = [[] for _ in self.problem.groups]
        for expert, group in sorted(self.members.items()):
            groups[group].append(expert)
        return tuple(tuple(g) for g in groups)

    @property
    def everybody(self) -> list[int]:
        """Members, then alternates."""
        return [*sorted(self.members), *(a for group in self.alternates for a in group)]

    def fact(self, name: str, expert: int) -> int | bool | str | None:
        return self.problem.facts[name].show(expert)

    def after(self, absent: Collection[int]) -> Panel:
        """The panel that meets when `absent` do not come.

        Each absent member is replaced by the first alternate of the same group who is there and not called yet; an
        absent chair by the first deputy who is there (Order 40, art. 20: the chair or a deputy presides), or by nobody.
        """
        members = {e: g for e, g in self.members.items() if e not in absent}
        left: list[tuple[int, ...]] = []
        for g, waiting in enumerate(self.alternates):
            missing = sum(1 for e in absent if self.members.get(e) == g)
            called = [a for a in waiting if a not in absent][:missing]
            members.update(dict.fromkeys(called, g))
            left.append(tuple(a for a in waiting if a not in called and a not in absent))
        present = tuple(d for d in self.deputies if d not in absent)
        chair, deputies = self.chair, present
        if chair in absent:
            chair, deputies = (present[0], present[1:]) if present else (None, ())
        return Panel(self.problem, members, chair, deputies, tuple(left))


@dataclass(frozen=True, slots=True)
class Measure:
    """One number a rule looks at in a panel, with the bounds it must keep.

    `code` is the message id, completed by `params`; `experts` and `cases` are the ones it speaks of (indices);
    `group` the group it belongs to, None for the whole panel.
    """

    code: str
    value: int
    low: int | None = None
    high: int | None = None
    group: int | None = None
    experts: tuple[int, ...] = ()
    cases: tuple[int, ...] = ()
    params: tuple[tuple[str, Any], ...] = ()

    @property
    def margin(self) -> int:
        """How far from breaking: negative by as much as it is broken."""
        room = [self.value - self.low] if self.low is not None else []
        room += [self.high - self.value] if self.high is not None else []
        return min(room, default=0)

    @property
    def holds(self) -> bool:
        return self.margin >= 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a panel breaks, and where."""

    rule: str
    measure: Measure
