"""What a change costs at least, by prices alone: one LP a level serves every question about the same rows.

Any integer row prices prove a bound (see solver.reduce). So those found for the problem as it is are turned on the
changed one: an expert's columns closed, one of them opened by force, or a rule's rows gone. The bound of a level
holds for panels that are no worse than the present one at the levels before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solver.blocks import Linear
from solver.explanation.standing import Costs, Rung
from solver.facts import Ints
from solver.model import Level, Model
from solver.reduce import SCALE, Prices, certify, prices

Least = list[int | None]
"""For each rung how much a panel must cost more than the present one, as long as no rung before differs; None where
nothing is proven."""


@dataclass(frozen=True)
class Step:
    """One rung: the model with the rungs before kept where they stand, and the row prices found for it."""

    model: Model
    cost: Linear
    row: Ints


class Bounds:
    """Bounds around the costs of the present panel."""

    def __init__(
        self,
        model: Model,
        levels: Sequence[Rung],
        costs: Costs,
        *,
        claimed: Least | None = None,
        like: Bounds | None = None,
    ) -> None:
        """`claimed`: what is proven already of every panel asked about. `like`: bounds of the problem that this one
        was changed from; its prices are used where its rows are these, instead of an LP."""
        self.levels, self.costs, self.like = levels, costs, like
        self.claimed: Least = claimed or [None] * len(levels)
        self._steps: list[Step] = []
        self._model = model
        self._cost = [_cost(model, rung) for rung in levels]

    def step(self, rung: int) -> Step:
        """The prices of a rung; an LP the first time it is asked for."""
        while len(self._steps) <= rung:
            at = len(self._steps)
            if at:
                before = self.levels[at - 1]
                kept = Level(before.level, (before.id,), self._cost[at - 1])
                self._model = self._model.keeping(kept, self.costs[at - 1] + before.tolerance)
            cost = self._cost[at]
            row = self._borrowed(at)
            self._steps.append(Step(self._model, cost, prices(self._model, cost).row if row is None else row))
        return self._steps[rung]

    def _borrowed(self, rung: int) -> Ints | None:
        """The prices of the same rows in the problem that this one was changed from, where rows match by tag."""
        if self.like is None or self.like.levels[: rung + 1] != self.levels[: rung + 1]:
            return None
        theirs, mine = self.like.step(rung), self._model
        there = set(mine.rule_of)
        kept = [i for i, tag in enumerate(theirs.model.rule_of) if tag in there]
        if tuple(theirs.model.rule_of[i] for i in kept) != mine.rule_of:
            return None
        return theirs.row[kept]

    def plain(self) -> Least:
        """Of any panel at all."""
        return self._walk(lambda step: certify(step.model, step.cost, step.row).floor)

    def without(self, columns: Ints) -> Least:
        """Of panels that use none of these columns."""

        def floor(step: Step) -> int:
            upper = step.model.column_upper.copy()
            upper[columns] = 0
            return certify(step.model.within(step.model.column_lower, upper), step.cost, step.row).floor

        return self._walk(floor)

    def using(self, columns: Ints) -> Least:
        """Of panels that use one of these columns."""

        def floor(step: Step) -> int:
            proven: Prices = certify(step.model, step.cost, step.row)
            open_ = columns[step.model.column_upper[columns] > 0]
            dearest = int(proven.reduced[open_].min()) if len(open_) else 0
            return -(-(proven.bound + dearest) // SCALE)

        return self._walk(floor)

    def _walk(self, floor: Callable[[Step], int]) -> Least:
        """Rung by rung, as far as panels may still be equal to the present one."""
        least: Least = [None] * len(self.levels)
        for rung, cost in enumerate(self.costs):
            bound, claimed = floor(self.step(rung)) - cost, self.claimed[rung]
            least[rung] = bound = bound if claimed is None else max(bound, claimed)
            if bound != 0:
                break
        return least


def _cost(model: Model, rung: Rung) -> Linear:
    """The cost of a rung; of all levels together in a weighted problem."""
    total = Linear.of([])
    for level in model.levels:
        if level.level == rung.level or model.seats.problem.weighted:
            total += level.cost
    return total.merged()
