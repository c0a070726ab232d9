"""Shares of the seats: private enterprise, outside the organiser, grass-roots, under 55, women, one region."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from solver.blocks import Block, Row
from solver.errors import Fault
from solver.facts import Mask, Where, passes, passing
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Share, Survival, Tightening
from solver.rules.panel_size import sizes_in
from solver.seats import Place, Seats


def share_rows(
    seats: Seats, group: int | None, holders: Mask, least: Fraction | None, most: Fraction | None
) -> Iterator[Row]:
    """Rows that keep the share of `holders` among the members (of a group) within least..most.

    In whole seats where every size allowed asks for the same number; else q * holders - p * members >= 0, which is
    right for every size.
    """
    sizes = sizes_in(seats.problem, group)
    held = seats.count(Place.MEMBER, group, holders)
    lowest = None if least is None else {seats_for(least, n) for n in sizes}
    highest = None if most is None else {seats_within(most, n) for n in sizes}
    if lowest is not None and len(lowest) == 1:
        yield Row(held, lower=min(lowest))
    elif least is not None:
        members = seats.count(Place.MEMBER, group)
        yield Row(least.denominator * held - least.numerator * members, lower=0, unit=least.denominator)
    if highest is not None and len(highest) == 1:
        yield Row(held, upper=max(highest))
    elif most is not None:
        members = seats.count(Place.MEMBER, group)
        yield Row(most.denominator * held - most.numerator * members, upper=0, unit=most.denominator)


def seats_for(share: Fraction, filled: int) -> int:
    """The fewest whole seats that make at least `share` of `filled`."""
    return -(-share.numerator * filled // share.denominator)


def seats_within(share: Fraction, filled: int) -> int:
    """The most whole seats that make at most `share` of `filled`."""
    return share.numerator * filled // share.denominator


class ShareRule(Rule):
    """Of the seats filled (in the panel, or in each group), at least `least` and at most `most` are held by experts
    who pass every test in `where`."""

    rule: Literal["share"] = "share"
    where: tuple[Where, ...] = Field(min_length=1)
    least: Share | None = None
    most: Share | None = None
    scope: Literal["panel", "group"] = "panel"
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"least": "up", "most": "down"}

    @property
    def local(self) -> bool:
        return self.scope == "group"

    def sees(self, panel: Panel, expert: int) -> Hashable:
        problem = panel.problem
        return passes(self.where, problem.facts, problem.day, expert)

    def holders(self, problem: Problem) -> Mask:
        return passing(self.where, problem.facts, problem.day, len(problem.experts))

    def blocks(self, seats: Seats) -> Iterator[Block]:
        holders = self.holders(seats.problem)
        scopes = [None] if self.scope == "panel" else range(len(seats.problem.groups))
        yield Block.of(
            self, [row for g in scopes for row in share_rows(seats, g, holders, self.least, self.most)]
        )

    def measures(self, panel: Panel) -> Iterator[Measure]:
        problem = panel.problem
        parts: list[tuple[int | None, list[int]]] = (
            [(None, sorted(panel.members))]
            if self.scope == "panel"
            else [(g, list(members)) for g, members in enumerate(panel.by_group)]
        )
        for group, members in parts:
            held = tuple(e for e in members if passes(self.where, problem.facts, problem.day, e))
            yield Measure(
                "rule.share",
                len(held),
                None if self.least is None else seats_for(self.least, len(members)),
                None if self.most is None else seats_within(self.most, len(members)),
                group=group,
                experts=held,
                params=(("of", len(members)), ("least", _said(self.least)), ("most", _said(self.most))),
            )

    def check(self, problem: Problem) -> None:
        for i, test in enumerate(self.where):
            test.check(problem.facts, f"rules.{self.id}.where.{i}")
        if self.least is None and self.most is None:
            raise Fault("problem.share_empty", f"rules.{self.id}")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise Fault(
                "problem.share_crossed", f"rules.{self.id}", least=str(self.least), most=str(self.most)
            )


def _said(share: Fraction | None) -> str | None:
    return None if share is None else f"{float(share) * 100:.3g}%"
