"""What one point of a sweep leaves for the next: rows, costs, the layout of the seats, and the prices of a proof.

Rows and costs are taken over only where everything they were made from is the same, so that the model is exactly the one
that would be made anew. Prices need no such care: weak duality holds for any, they only prove more or less.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from solver.blocks import Block, Linear
from solver.cover import Branch
from solver.facts import Ints
from solver.goals.base import Goal
from solver.model import Funnel, Level, Model, build, cost_of, funnel, layout, rows_of
from solver.no_shows import asked, ordered_places
from solver.problem import Problem
from solver.rules.base import Gate, Rule
from solver.rules.panel_size import sizes_of
from solver.search import Outcome
from solver.seats import Seats

Made = TypeVar("Made")
PRICED = 64
"""A proof of more branches than this is not carried over: its prices cost more than they save."""


@dataclass(frozen=True)
class LevelPrices:
    """The branches of a proof at one level, for another problem: rows by the rule they belong to and their place in it."""

    columns: tuple[int, bytes]
    """How many columns, and a digest of what they are."""
    branches: tuple[tuple[tuple[tuple[int, int, int], ...], dict[str, Ints], bool], ...]


Prices = dict[int, LevelPrices]
"""By the number of the level."""


class Kept:
    """Known to the search of one point: what earlier points made, and the prices of the one it starts from."""

    def __init__(self) -> None:
        self.prices: Prices = {}
        self._made: dict[str, tuple[Any, Any]] = {}
        self._columns: tuple[int, bytes] = (0, b"")

    def funnel(self, problem: Problem) -> Funnel:
        """How the gates narrow the pool."""
        gates = tuple(rule for rule in problem.rules if isinstance(rule, Gate) and rule.soft is None)
        key = (*_people(problem), gates, tuple(group.specialties for group in problem.groups))
        return self._once("funnel", key, problem, lambda: funnel(problem))

    def model(self, problem: Problem, passed: Funnel) -> Model:
        """The model, as `build` makes it, rules and goals that are the same taken over."""
        roles = tuple(rule for rule in problem.rules if rule.rule == "roles")
        waiting = tuple(group.alternates for group in problem.groups)
        key = (id(passed), roles, waiting, ordered_places(problem), problem.experts)
        laid = self._once("seats", key, passed, lambda: layout(problem, passed.passes))
        seats = laid if laid.problem is problem else replace(laid, problem=problem)
        frame = (id(laid), *_people(problem), problem.groups, sizes_of(problem), asked(problem))
        shape: list[tuple[str, int]] = []

        def rows(rule: Rule, seats: Seats, no_shows: bool) -> Sequence[Block]:
            own: Hashable = (problem.locks, problem.exclusions) if rule.rule == "locks" else None
            made = self._once(
                f"rule.{rule.id}", (frame, own, rule, no_shows), laid, lambda: rows_of(rule, seats, no_shows)
            )
            shape.append((rule.id, sum(len(block.aux_lower) for block in made)))
            return made

        def cost(goal: Goal, seats: Seats) -> Linear:
            return self._once(
                f"goal.{goal.id}", (frame, problem.seed, goal), laid, lambda: cost_of(goal, seats)
            )

        model = build(problem, seats, rows=rows, cost=cost)
        aux = slice(seats.width, None)
        bounds = model.column_lower[aux].tobytes() + model.column_upper[aux].tobytes()
        who = seats.expert.tobytes() + seats.group.tobytes() + seats.place.tobytes() + seats.order.tobytes()
        self._columns = (model.width, _digest(repr(shape).encode(), bounds, who))
        return model

    def suggested(self, model: Model, level: Level) -> Sequence[Branch]:
        """The carried branches, where the columns are the same."""
        carried = self.prices.get(level.level)
        if carried is None or carried.columns != self._columns:
            return ()
        places = _places(model.rule_of)
        found: list[Branch] = []
        for bounds, prices, empty in carried.branches:
            row = np.zeros(len(model.rule_of), dtype=np.int64)
            for rule, own in prices.items():
                at = places.get(rule)
                if at is not None and len(at) == len(own):
                    row[at] = own
            found.append((bounds, row, empty))
        return found

    def proven(self, outcome: Outcome) -> Prices:
        """The prices of the outcome just searched, for the points after it."""
        found: Prices = {}
        for stage in outcome.stages:
            cover = stage.cover
            if cover is None or len(cover.leaves) > PRICED:
                continue
            branches = []
            for leaf in cover.leaves:
                places = _places(leaf.model.rule_of)
                own = {rule: leaf.prices.row[at] for rule, at in places.items() if leaf.prices.row[at].any()}
                branches.append((leaf.bounds, own, leaf.prices.impossible))
            found[stage.level.level] = LevelPrices(self._columns, tuple(branches))
        return found

    def _once(self, name: str, key: Any, alive: Any, make: Callable[[], Made]) -> Made:
        """What was made under a name if its key is still the same; `alive` keeps alive what the key names by its id."""
        known = self._made.get(name)
        if known is not None and known[0] == key:
            found: Made = known[1]
            return found
        made = make()
        self._made[name] = (key, made)
        self._made[f"{name}.alive"] = (None, alive)
        return made


def _people(problem: Problem) -> tuple[Any, ...]:
    """What rows, gates and costs know of people and cases."""
    parts = (problem.facts, problem.specialties, problem.skills, problem.cases, problem.between)
    return (
        *map(id, (*parts, problem.with_cases, problem.conflict_kinds)),
        problem.previous,
        problem.on,
    )


def _places(rule_of: tuple[str, ...]) -> dict[str, Ints]:
    """Where the rows of each rule stand."""
    names = np.array(rule_of, dtype=object)
    found: dict[str, list[int]] = {}
    for at, name in enumerate(names.tolist()):
        found.setdefault(name, []).append(at)
    return {name: np.array(at, dtype=np.int64) for name, at in found.items()}


def _digest(*parts: bytes) -> bytes:
    from hashlib import sha256

    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
