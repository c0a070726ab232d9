"""No-shows on the day of the meeting: rows that make a panel survive them, and the enumeration that proves it did.

The scenario: in every group that has alternates, at most one member does not come and the group's first alternate
takes the seat. Sizes stay, so a row a.x >= L changes by (a_first - a_absent) in each group, and its worst case is the
sum of the worst cases of the groups. That makes the `loss` form exact row by row; the `count` form, for upper bounds
only, counts first alternates as if they sat and may forbid more than the sentence does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice, product
from math import prod

import numpy as np

from solver.blocks import FREE, Block, Linear, Row
from solver.panel import Panel
from solver.rules.base import Rule
from solver.seats import Place, Seats

MOST_SCENARIOS = 200_000
"""Beyond this many combinations the enumeration stops and says how many it tried."""


def surviving_rows(rule: Rule, block: Block, seats: Seats) -> Block | None:
    """The rows of a hard rule's block, kept after no-shows too; None where nothing needs adding.

    Its auxiliaries are the block's own, followed by the losses.
    """
    rows: list[Row] = []
    aux: list[tuple[int, int]] = list(zip(block.aux_lower.tolist(), block.aux_upper.tolist(), strict=True))
    known = len(aux)
    for i in range(len(block)):
        row = block.row(i)
        if row.unit == 0:
            rows.append(row)
            continue
        members = row.expression.cols < seats.width
        plain = (
            rule.survival == "count"
            and row.lower == -FREE
            and bool((row.expression.vals[members] >= 0).all())
        )
        if plain:
            rows.append(_counting_firsts(row, seats))
            continue
        if row.lower != -FREE:
            rows += _with_losses(row.expression, row.lower, seats, aux)
        if row.upper != FREE:
            rows += _with_losses(-row.expression, -row.upper, seats, aux)
    if len(aux) == known and rule.survival == "loss":
        return None
    return Block.of(rule, rows, aux) if rows else None


def _counting_firsts(row: Row, seats: Seats) -> Row:
    columns, values = row.expression.cols, row.expression.vals
    covered = np.array([g.alternates > 0 for g in seats.problem.groups], dtype=bool)
    inside = columns < seats.width
    member = inside.copy()
    member[inside] = (seats.place[columns[inside]] == Place.MEMBER) & covered[seats.group[columns[inside]]]
    firsts = Linear(seats.first_of(columns[member]), values[member])
    return Row(row.expression + firsts, upper=row.upper, unit=row.unit, weight=row.weight)


def _with_losses(expression: Linear, lower: int, seats: Seats, aux: list[tuple[int, int]]) -> Iterator[Row]:
    """expression - losses >= lower, where the loss of a group is what its worst no-show costs."""
    coefficient = np.zeros(seats.width, dtype=np.int64)
    inside = expression.cols < seats.width
    coefficient[expression.cols[inside]] = expression.vals[inside]
    losses: list[tuple[int, int]] = []
    for g, group in enumerate(seats.problem.groups):
        members = seats.columns(Place.MEMBER, g)
        if not group.alternates or not len(members):
            continue
        levels = np.unique(coefficient[members])
        if len(levels) == 1:
            continue
        worst = Linear.of([], int(levels[0]))
        for below, level in zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True):
            someone = _new(aux, seats, 1)
            reach = members[coefficient[members] >= level]
            yield Row(Linear.total(reach) - Linear.of([(someone, group.high)]), upper=0, unit=0)
            worst += Linear.of([(someone, level - below)])
        loss = _new(aux, seats, int(levels[-1] - levels[0]))
        first = Linear(seats.first_of(members), coefficient[members])
        yield Row(Linear.of([(loss, 1)]) + first - worst, lower=0, unit=0)
        losses.append((loss, 1))
    if losses:
        yield Row(expression - Linear.of(losses), lower=lower)


def _new(aux: list[tuple[int, int]], seats: Seats, upper: int) -> int:
    aux.append((0, upper))
    return seats.width + len(aux) - 1


def broken_after_no_shows(panel: Panel) -> tuple[str | None, tuple[int, ...], int]:
    """The first hard rule that some no-shows break: (its id, who is absent, scenarios tried).

    Every combination of at most one no-show in each group with alternates is tried, by the rule's own findings,
    but for those the rule cannot tell apart. (None, (), tried) when every one is survived.
    """
    tried = 0
    for rule in panel.problem.rules:
        if rule.soft is not None or rule.survival == "none":
            continue
        options = [_absentees(rule, panel, g) for g in range(len(panel.problem.groups))]
        scenarios: Iterator[tuple[int | None, ...]]
        if rule.local:
            alone = [
                tuple(expert if g == h else None for h in range(len(options)))
                for g, absentees in enumerate(options)
                for expert in absentees
            ]
            scenarios = iter(alone)
        else:
            scenarios = islice(product(*options), min(MOST_SCENARIOS, prod(map(len, options))))
        for scenario in scenarios:
            absent = tuple(e for e in scenario if e is not None)
            if absent:
                tried += 1
                if any(rule.findings(panel.after(absent))):
                    return rule.id, absent, tried
    return None, (), tried


def _absentees(rule: Rule, panel: Panel, group: int) -> list[int | None]:
    """Nobody, or one member of each kind that the rule tells apart."""
    if group >= len(panel.alternates) or not panel.alternates[group]:
        return [None]
    kinds: dict[Hashable, int] = {}
    for expert in panel.by_group[group]:
        kinds.setdefault(rule.sees(panel, expert), expert)
    return [None, *kinds.values()]
