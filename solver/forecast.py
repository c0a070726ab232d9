"""How many rounds of invitations it may take until every place of a panel is accepted, and where people may run out.

The model, for each group by itself. Everybody whose answer is open declines with a chance of their own, independently
(no answer counts as declining). Each place that falls vacant is offered in the next round to somebody of the group's
pool: who passes its gates, holds no place and was not asked before; in random order, since who will be chosen is not
known today. Then, with D the decliners of this round, M the decliners among the n people of the pool, both sums of
independent yes-or-no events, and c(m, d, x) the number of ways in which d vacancies meet x decliners in all, fewer than
m each, before somebody accepts (the coefficient of z^x in (1 + z + ... + z^(m-1))^d):

    P(seated within r rounds) = sum over d, x, M of  P(D=d) P(M) c(r-1, d, x) (M)_x (n-M)_d / (n)_(x+d)
    P(the pool runs dry)      = sum over d, M of     P(D=d) P(M) [n - M < d]

with (a)_k the falling factorial. This is exact for the model. The model is hopeful: rules beyond the gates (shares,
conflicts between people) may bar some of the pool, and one who passes for two groups is counted in both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solver.answer import Answer, Part
from solver.check import panel_of
from solver.errors import Fault
from solver.facts import MISSING, Floats
from solver.invitations import Invitations
from solver.model import funnel
from solver.panel import Panel
from solver.problem import Problem

FACT = "decline_rate"
"""The integer fact, in percent, that says how often an expert declined so far."""
DEFAULT = 20
"""In percent, for experts of whom nothing is known. Our own guess: replace it by your committee's figure."""
SHOWN = 6
"""For how many rounds the chance to be seated is said."""
HORIZONS = (8, 16, 32, 64)
"""So many rounds are looked at, more only while what lies beyond matters."""
NEGLIGIBLE = 1e-9


class GroupForecast(Part):
    """One group: how many answers are `open`, how many people are left in its `pool`, the `mean` chance that one of them
    declines, the chance `dry` that they are not enough, and of being seated `within` 1, 2, ... rounds."""

    group: str
    open: int
    pool: int
    mean: float
    dry: float
    within: list[float]


class Forecast(Part):
    """`forecast/1`.

    `within`: the chance that every place is accepted within 1, 2, ... rounds, the one now open being the first.
    `dry`: that some group's pool is not enough. `rounds`: how many are expected if nothing runs dry; None where that
    cannot be, or where more than 64 rounds would matter. `known` experts have a rate of their own, the others `default`.
    """

    format: Literal["forecast/1"] = "forecast/1"
    fact: str
    default: int
    known: int
    within: list[float]
    dry: float
    rounds: float | None
    groups: list[GroupForecast]


@dataclass(frozen=True, slots=True)
class Rates:
    """Chances of declining, shape (experts,), and of how many experts they are known."""

    chance: Floats
    known: int
    fact: str
    default: int


def rates_of(problem: Problem, *, fact: str = FACT, default: int = DEFAULT) -> Rates:
    """The decline rates of a problem's experts; the default where the fact, or the expert's value, is missing.

    Raises Fault where a rate is no percentage.
    """
    if not 0 <= default <= 100:
        raise Fault("forecast.rate", "default", value=default)
    column = problem.facts.get(fact)
    if column is None:
        if fact != FACT:
            raise Fault("problem.fact_unknown", fact, fact=fact, known=", ".join(sorted(problem.facts)))
        return Rates(np.full(len(problem.experts), default / 100), 0, fact, default)
    if column.type != "integer":
        raise Fault("problem.fact_not_integer", fact, fact=fact, type=column.type)
    there = column.values != MISSING
    wrong = np.flatnonzero(there & ((column.values < 0) | (column.values > 100)))
    if len(wrong):
        expert = int(wrong[0])
        raise Fault("forecast.rate", problem.experts[expert], value=int(column.values[expert]))
    return Rates(np.where(there, column.values, default) / 100, int(there.sum()), fact, default)


def forecast(problem: Problem, answer: Answer, rates: Rates, state: Invitations | None = None) -> Forecast:
    """What to expect of the invitations of a panel, from its first round or from where they stand."""
    return forecast_of(panel_of(problem, answer), rates, state)


def forecast_of(panel: Panel, rates: Rates, state: Invitations | None = None) -> Forecast:
    """The same of a panel as plain sets."""
    problem = panel.problem
    passes = funnel(problem).passes
    accepted = state.who("accepted") if state else frozenset()
    asked = {invited.expert for invited in state.people} if state else set()
    gone = {e for e, id_ in enumerate(problem.experts) if id_ in asked} | set(panel.everybody)
    gone |= {exclusion.expert for exclusion in problem.exclusions}
    free = np.ones(len(problem.experts), dtype=bool)
    free[list(gone)] = False
    groups = []
    for g, group in enumerate(problem.groups):
        waiting = panel.alternates[g] if g < len(panel.alternates) else ()
        pending = [e for e in (*panel.by_group[g], *waiting) if problem.experts[e] not in accepted]
        groups.append(_Group(group.id, rates.chance[pending], rates.chance[free & passes[:, g]]))
    return _together(groups, rates)


class _Group:
    """One group's chances; `pending` and `pool` are chances of declining."""

    def __init__(self, id_: str, pending: Floats, pool: Floats) -> None:
        self.id, self.pending, self.pool = id_, pending, pool
        self.first, now = _decliners(pending)
        self.now = now
        self.low, self.among = _decliners(pool)
        declining = self.low + np.arange(len(self.among))
        vacant = self.first + np.arange(len(now))
        short = (len(pool) - declining)[:, None] < vacant[None, :]
        self.dry = float(self.among @ short @ now)

    def within(self, rounds: int) -> Floats:
        """The chance to be seated within 1, 2, ... `rounds` rounds."""
        n, highest = len(self.pool), self.first + len(self.now) - 1
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
        chances = {
            d: self.now[d - self.first] * self._patterns(logs, d, min(n - d, d * (rounds - 2)))
            for d in range(max(1, self.first), min(n, highest) + 1)
        }
        found = np.full(rounds, self.now[0] if self.first == 0 else 0.0)
        for r in range(2, rounds + 1):
            ways = np.ones(1)
            for d in range(1, min(n, highest) + 1):
                ways = np.convolve(ways, np.ones(r - 1))
                if d in chances:
                    counted = min(len(ways), len(chances[d]))
                    found[r - 1] += float(ways[:counted] @ chances[d][:counted])
        return found

    def _patterns(self, logs: Floats, d: int, most: int) -> Floats:
        """For x = 0..most: how likely one given order of x declining and d accepting people of the pool is."""
        n = len(self.pool)
        m = self.low + np.arange(len(self.among))
        x = np.arange(most + 1)[:, None]
        possible = (x <= m) & (d <= n - m)
        inside = np.where(possible, m, 0), np.where(possible, m - x, 0), np.where(possible, n - m - d, 0)
        log = logs[inside[0]] - logs[inside[1]] + logs[n - inside[0]] - logs[inside[2]]
        log += logs[n - x - d] - logs[n]
        found: Floats = np.where(possible, np.exp(log), 0.0) @ self.among
        return found


def _decliners(chances: Floats) -> tuple[int, Floats]:
    """How many of independent people decline: the least number that is not negligible, and the chances from it on."""
    low, found = 0, np.ones(1)
    for chance, count in zip(*np.unique(chances, return_counts=True), strict=True):
        if chance in (0.0, 1.0):
            low += int(count) if chance else 0
            continue
        k = np.arange(count + 1)
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
        own = np.exp(
            logs[-1] - logs[k] - logs[count - k] + k * np.log(chance) + (count - k) * np.log1p(-chance)
        )
        found = np.convolve(found, own)
        kept = np.flatnonzero(found > 1e-18)
        low += int(kept[0])
        found = found[kept[0] : kept[-1] + 1]
    return low, found


def _together(groups: Sequence[_Group], rates: Rates) -> Forecast:
    open_ = sum(len(group.pending) for group in groups)
    eventually = float(np.prod([1 - group.dry for group in groups]))
    expected: float | None = None
    for horizon in HORIZONS:
        each = [group.within(horizon) for group in groups]
        all_ = np.prod(each, axis=0)
        if eventually > NEGLIGIBLE and eventually - all_[-1] < 1e-6 * eventually:
            expected = float((1 - all_ / eventually).sum()) + (1 if open_ else 0)
            break
        if eventually <= NEGLIGIBLE:
            break
    return Forecast(
        fact=rates.fact,
        default=rates.default,
        known=rates.known,
        within=_rounded(all_[:SHOWN]),
        dry=_rounded([1 - eventually])[0],
        rounds=None if expected is None else round(expected, 2),
        groups=[
            GroupForecast(
                group=group.id,
                open=len(group.pending),
                pool=len(group.pool),
                mean=round(float(group.pool.mean()) if len(group.pool) else 0.0, 4),
                dry=_rounded([group.dry])[0],
                within=_rounded(own[:SHOWN]),
            )
            for group, own in zip(groups, each, strict=True)
        ],
    )


def _rounded(chances: Collection[float] | Floats) -> list[float]:
    """To nine places; never below 0 or above 1 for a rounding error."""
    return [round(min(1.0, max(0.0, float(chance))), 9) for chance in chances]
