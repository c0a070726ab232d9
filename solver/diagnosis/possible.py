"""Whether a panel exists under some of a problem's conditions: linear prices first, then few columns, then all."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solver.blocks import Linear
from solver.diagnosis.alike import needed, only
from solver.diagnosis.elements import Element, with_only
from solver.engines.race import Cancelled, Effort, minimise
from solver.facts import Mask
from solver.model import Model, build, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.reduce import prices, restrict
from solver.rules.base import Gate
from solver.seats import PRESENT

WORKERS = 2
"""Both engines race for every question of a diagnosis."""

FEW = 900
"""How many seat columns the first look for a panel keeps, where there are more than twice as many."""

FIRST_LOOK = 4.0
"""Seconds for that look."""

SHAPING = ("panel_size", "alternates")
"""Kinds of rules that shape the rows of others: part of a proof even where none of their own rows is."""


@dataclass(frozen=True)
class Verdict:
    """`possible`: a panel was found (in the indices of the problem asked about). `impossible`: proven; `core` are the
    elements that the proof needed. `undecided`: a limit came first."""

    status: Literal["possible", "impossible", "undecided"]
    core: frozenset[Element] = frozenset()
    panel: Panel | None = None


class Trials:
    """Asks about one problem again and again, with other conditions in force."""

    def __init__(self, problem: Problem, seconds: float, cancelled: Cancelled = lambda: False) -> None:
        self.problem = problem
        self.cancelled = cancelled
        self.ends = time.monotonic() + seconds
        self.count = 0
        self._passes: dict[str, Mask] = {}
        self._seen: list[tuple[frozenset[Element], Panel]] = []

    @property
    def left(self) -> float:
        """Seconds left; 0 when cancelled."""
        return 0.0 if self.cancelled() else max(0.0, self.ends - time.monotonic())

    def barred(self, gate: Element) -> int:
        """How many places in groups a gate bars people from."""
        return -int(self.passes([gate]).sum())

    def passes(self, elements: Collection[Element]) -> Mask:
        """Who passes the gates among these, shape (experts, groups)."""
        ids = {element.id for element in elements if element.kind == "gate"}
        shape = (len(self.problem.experts), len(self.problem.groups))
        found = np.ones(shape, dtype=bool)
        for rule in self.problem.rules:
            if rule.id in ids and isinstance(rule, Gate):
                if rule.id not in self._passes:
                    self._passes[rule.id] = rule.passes(self.problem)
                own = self._passes[rule.id]
                found &= own if own.ndim == 2 else own[:, None]
        return found

    def ask(
        self, elements: Collection[Element], seconds: float = np.inf, sizes: tuple[int, int] | None = None
    ) -> Verdict:
        """Whether a panel exists when only these elements (and the frame) are in force."""
        known = next((panel for held, panel in self._seen if held.issuperset(elements)), None)
        if known is not None and sizes is None:
            return Verdict("possible", panel=known)
        self.count += 1
        ends = time.monotonic() + min(seconds, self.left)
        asked = with_only(self.problem, elements, sizes)
        passes = self.passes(elements)
        kept = needed(asked, passes)
        small = only(asked, kept)
        seats = layout(small, passes[kept])
        model = build(small, seats)
        broken = contradiction(model)
        if broken is not None:
            shaping = broken | {rule.id for rule in asked.rules if rule.rule in SHAPING}
            core = frozenset(e for e in elements if e.kind == "gate" or e.id in shaping)
            return Verdict("impossible", core)
        large = seats.width > 2 * FEW
        first = [(restrict(model, _promising(model, FEW)), FIRST_LOOK)] if large else []
        for looked_at, most in (*first, (model, np.inf)):
            left = min(most, ends - time.monotonic())
            effort = Effort(left, 0.0, WORKERS, self.problem.limits.memory_mb, self.problem.seed)
            solved = minimise(looked_at, None, effort, cancelled=self.cancelled)
            if solved.values is not None:
                panel = self._home(seats.decode(solved.values), kept)
                if sizes is None:
                    self._seen.append((self._kept_by(panel, elements), panel))
                return Verdict("possible", panel=panel)
        if solved.status == "infeasible":
            return Verdict("impossible", frozenset(elements))
        return Verdict("undecided")

    def _kept_by(self, panel: Panel, elements: Collection[Element]) -> frozenset[Element]:
        """The elements a panel was made under, and all gates that it happens to keep."""
        placed = [*panel.members.items()]
        placed += [(e, g) for g, called in enumerate(panel.alternates) for e in called]
        people, groups = (np.array(column, dtype=np.int64) for column in zip(*placed, strict=True))
        gates = (Element("gate", rule.id) for rule in self.problem.rules if isinstance(rule, Gate))
        return frozenset(elements).union(
            gate for gate in gates if bool(self.passes([gate])[people, groups].all())
        )

    def _home(self, small: Panel, kept: Mask) -> Panel:
        """The panel in the indices of the problem asked about."""
        people = kept.nonzero()[0].tolist()
        return Panel(
            self.problem,
            {people[e]: g for e, g in small.members.items()},
            None if small.chair is None else people[small.chair],
            tuple(people[e] for e in small.deputies),
            tuple(tuple(people[e] for e in called) for called in small.alternates),
        )


def contradiction(model: Model) -> frozenset[str] | None:
    """Rules whose rows alone no point can satisfy, not even in fractions, as prices show that are checked in integers (see
    solver.reduce); None where the linear relaxation shows nothing."""
    shown = prices(model, Linear.of([]))
    return (
        frozenset(model.rule_of[row] for row in shown.row.nonzero()[0].tolist()) if shown.impossible else None
    )


def _promising(model: Model, count: int) -> Mask:
    """In each group and place the seat columns with which a panel is most likely: cheapest for the linear relaxation that
    minds only how many rows a person touches, so that people without conflicts come first. Roles and auxiliaries stay."""
    seats = model.seats
    touched = np.bincount(model.cols, minlength=model.width)[: seats.width]
    reduced = prices(model, Linear(np.arange(seats.width), touched)).reduced[: seats.width]
    kept: Mask = np.ones(model.width, dtype=bool)
    spans = [span for (place, _), span in seats.spans.items() if place in PRESENT]
    for start, stop in spans:
        order = np.lexsort((touched[start:stop], reduced[start:stop]))
        kept[start + order[count // len(spans) :]] = False
    return kept
