"""The smallest recruitment: how many more experts, and of which profile, a problem needs for a panel to exist.

Imagined experts are put beside the real ones: they pass every gate, are in conflict with nobody, sat on no panel before and
hold one sub-specialty each. As few of them as possible are seated; then, of as few, those of whom least is asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solver.answer import Saying
from solver.blocks import Block, Linear, Row
from solver.diagnosis.alike import needed, only
from solver.diagnosis.elements import same_people
from solver.diagnosis.settle import limited, settle
from solver.engines.race import Cancelled
from solver.facts import Ints
from solver.goals.base import Goal
from solver.kinds import Kind, kinds_of, with_people
from solver.model import funnel
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.rules.base import Rule
from solver.seats import PRESENT, Seats

FIRST_PART = 0.7
"""The part of the time for how many; the rest is for what is asked of them."""

MOST_PEOPLE = 4000
"""With more imagined experts than this nobody asks what the least is that can be asked of them."""


@dataclass(frozen=True)
class Recruits:
    """So many recruits of a kind in a group (index)."""

    count: int
    kind: Kind
    group: int


@dataclass(frozen=True)
class Recruitment:
    """`status`: `none_needed`; `found`; `no_number_helps` (proven); `undecided` when a limit came first. No fewer than
    `bound` recruits will do. `modest`: it is proven that of so many recruits no less can be asked."""

    status: Literal["none_needed", "found", "no_number_helps", "undecided"]
    count: int | None = None
    bound: int = 0
    recruits: tuple[Recruits, ...] = ()
    modest: bool = False

    @property
    def proven(self) -> bool:
        return self.status in ("none_needed", "no_number_helps") or self.count == self.bound

    def sayings(self, problem: Problem) -> list[Saying]:
        """In words."""
        names, codes = problem.specialties.name, problem.specialties.code
        bound = None if self.proven else self.bound
        head = Saying(code=f"recruit.{self.status}", params={"count": self.count, "bound": bound})
        return [head] + [
            Saying(
                code="recruit.profile",
                params={
                    "count": own.count,
                    "group": problem.groups[own.group].name,
                    "specialty": names[own.kind.specialty],
                    "code": codes[own.kind.specialty],
                    "rules": list(own.kind.counts_for) or None,
                },
            )
            for own in self.recruits
        ]


def recruit(
    problem: Problem,
    *,
    seconds: float = 30.0,
    modest: bool = True,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Recruitment:
    """The fewest recruits with whom a panel keeps every hard rule of the problem, and (`modest`) of so many those of whom
    least is asked."""
    ends = time.monotonic() + seconds
    report(Progress("recruit"))
    asked = smaller(problem)
    real = len(asked.experts)
    kinds, complete = kinds_of(asked, best_only=True)
    places = sum(group.high + group.alternates for group in asked.groups)
    people = [kind for kind in kinds for _ in range(places)]
    first = _Price(id="recruits", level=1, first=real, prices=(1,) * len(people))
    larger = replace(with_people(asked, people), goals=(first,))
    part = FIRST_PART if modest else 1.0
    outcome = settle(limited(larger, part * (ends - time.monotonic())), None, report, cancelled)
    if outcome.status == "infeasible":
        return Recruitment("no_number_helps" if complete else "undecided")
    bound = outcome.goals[0].bound if outcome.goals and complete else 0
    if outcome.panel is None:
        return Recruitment("undecided", bound=max(0, bound))
    count = first.value(outcome.panel)
    if count == 0:
        return Recruitment("none_needed", 0)
    found = _seated(outcome.panel, real, people)
    every = kinds_of(asked, best_only=False)[0] if modest else []
    settled = False
    if modest and len(every) * count <= MOST_PEOPLE:
        people = [kind for kind in every for _ in range(count)]
        fewest = _AtMost(id="recruits_at_most", first=real, most=count)
        goal = _Price(id="asked", level=1, first=real, prices=tuple(kind.asked for kind in people))
        larger = replace(with_people(asked, people), rules=(*asked.rules, fewest), goals=(goal,))
        outcome = settle(limited(larger, ends - time.monotonic()), None, report, cancelled)
        if outcome.panel is not None:
            found = _seated(outcome.panel, real, people)
            settled = outcome.status == "optimal"
    return Recruitment("found", count, bound, found, settled)


def smaller(problem: Problem) -> Problem:
    """The problem with its hard rules only, and with those people alone who make a difference."""
    rules = tuple(rule for rule in problem.rules if rule.soft is None)
    asked = same_people(problem, rules=rules, goals=(), ladder=(), weighted=False)
    return only(asked, needed(asked, funnel(asked).passes))


def _seated(panel: Panel, first: int, people: Sequence[Kind]) -> tuple[Recruits, ...]:
    """The imagined experts of a panel, by kind and group."""
    placed = [*panel.members.items()]
    placed += [(e, g) for g, called in enumerate(panel.alternates) for e in called]
    tally = Counter((people[e - first], g) for e, g in placed if e >= first)
    order = sorted(tally.items(), key=lambda item: (item[0][1], -item[1], repr(item[0][0])))
    return tuple(Recruits(count, kind, group) for (kind, group), count in order)


class _Price(Goal):
    """What the imagined experts of a panel cost; the i-th of them is expert `first` + i."""

    goal: Literal["recruits"] = "recruits"
    first: int
    prices: tuple[int, ...]

    def cost(self, seats: Seats) -> Linear:
        columns = _imagined(seats, self.first)
        return Linear(columns, np.array(self.prices, dtype=np.int64)[seats.expert[columns] - self.first])

    def value(self, panel: Panel) -> int:
        return sum(self.prices[e - self.first] for e in panel.everybody if e >= self.first)


class _AtMost(Rule):
    """At most so many imagined experts are present."""

    rule: Literal["recruits_at_most"] = "recruits_at_most"
    first: int
    most: int

    def blocks(self, seats: Seats) -> Iterator[Block]:
        yield Block.of(self, [Row(Linear.total(_imagined(seats, self.first)), upper=self.most)])

    def measures(self, panel: Panel) -> Iterator[Measure]:
        yield Measure("recruit.found", sum(e >= self.first for e in panel.everybody), high=self.most)


def _imagined(seats: Seats, first: int) -> Ints:
    columns = np.concatenate([seats.columns(place) for place in PRESENT])
    own: Ints = columns[seats.expert[columns] >= first]
    return own
