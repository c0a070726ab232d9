"""Single swaps judged over the rows of a model: thousands of candidates for one seat at once, without a search.

A row that speaks of seats alone, or of seats and a slack of its own, tells exactly what a swap does to it. The few
others (no-shows with their losses, sizes to choose from) are dark here: they are left to whoever looks at the best swaps
in turn, and two columns that they hold alike are of one `kind`, so that only the better one need be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solver.blocks import FREE
from solver.explanation.standing import Costs, rungs
from solver.facts import Ints, Mask
from solver.model import Model
from solver.seats import PRESENT, Place


@dataclass(frozen=True, slots=True)
class Fitting:
    """Columns that may be set, and what the whole panel costs with each, shape (columns, rungs)."""

    columns: Ints
    costs: Ints

    def ranked(self, kind: Ints) -> list[tuple[Costs, int]]:
        """The cheapest of each kind in the order of the rungs, cheapest first; equal ones by column."""
        order = np.lexsort((self.columns, *self.costs.T[::-1]))
        first = np.unique(kind[self.columns[order]], return_index=True)[1]
        return [(tuple(self.costs[i].tolist()), int(self.columns[i])) for i in order[np.sort(first)]]


class Swaps:
    """The rows of one model around a panel: `values` of its seat columns, 0 and 1."""

    def __init__(self, model: Model, values: Ints) -> None:
        self.model, self.values = model, values
        width, owner, count = model.seats.width, model.owner, len(model.lower)
        prices = _prices(model)
        slack = _slacks(model, prices)
        telling = np.concatenate([np.isin(model.seats.place, PRESENT), slack[width:]])
        dark = np.bincount(owner, weights=~telling[model.cols], minlength=count) > 0
        self.lower = np.where(dark, -FREE, model.lower)
        self.upper = np.where(dark, FREE, model.upper)
        bends = slack[model.cols]
        self.unit = np.zeros(count, dtype=np.int64)
        self.unit[owner[bends]] = model.vals[bends]
        self.price = np.zeros((len(prices), count), dtype=np.int64)
        self.price[:, owner[bends]] = prices[:, model.cols[bends]]
        self.seat_price = prices[:, :width]
        self.kind = _kinds(model, dark & ~_about_roles(model))
        seated = model.entries_of(values.nonzero()[0])
        self.activity = np.zeros(count, dtype=np.int64)
        np.add.at(self.activity, owner[seated], model.vals[seated])
        every = np.arange(count)
        self.broken = self._broken(every, self.activity)
        self.missed = self._missed(every, self.activity)
        self.costs = _constants(model) + self.seat_price @ values + self.price @ self.missed

    def into(self, out: Sequence[int], moved: Sequence[int], among: Ints) -> Fitting:
        """Which of the columns `among` may be set once `out` are cleared and `moved` are set, and what that costs."""
        model, owner = self.model, self.model.owner
        among = among[(model.column_upper[among] > 0) & (self.values[among] == 0)]
        activity, broken, missed = self.activity.copy(), self.broken.copy(), self.missed.copy()
        left, taken = model.entries_of(_ints(out)), model.entries_of(_ints(moved))
        np.subtract.at(activity, owner[left], model.vals[left])
        np.add.at(activity, owner[taken], model.vals[taken])
        touched = np.unique(owner[np.concatenate([left, taken])])
        broken[touched] = self._broken(touched, activity[touched])
        missed[touched] = self._missed(touched, activity[touched])
        standing = self.costs + self.price[:, touched] @ (missed[touched] - self.missed[touched])
        standing += self.seat_price[:, moved].sum(axis=1) - self.seat_price[:, out].sum(axis=1)
        entries = model.entries_of(among)
        whose = np.repeat(np.arange(len(among)), np.diff(model.by_column[1])[among])
        row, now = owner[entries], activity[owner[entries]] + model.vals[entries]
        breaks = self._broken(row, now)
        broken_by = np.bincount(whose[breaks], minlength=len(among))
        mended_by = np.bincount(whose[broken[row] & ~breaks], minlength=len(among))
        fits = (broken_by == 0) & (mended_by == int(broken.sum()))
        more = self._missed(row, now) - missed[row]
        costs = standing[:, None] + self.seat_price[:, among]
        for rung in range(len(costs)):
            np.add.at(costs[rung], whose, self.price[rung, row] * more)
        return Fitting(among[fits], costs[:, fits].T)

    def _broken(self, row: Ints, activity: Ints) -> Mask:
        """Which of some rows do not bend and are broken at some activities."""
        outside: Mask = (activity < self.lower[row]) | (activity > self.upper[row])
        stiff: Mask = self.unit[row] == 0
        return outside & stiff

    def _missed(self, row: Ints, activity: Ints) -> Ints:
        """By how many units some rows are missed at some activities; 0 for a row that does not bend."""
        unit = self.unit[row]
        short = np.where(unit > 0, self.lower[row] - activity, activity - self.upper[row])
        missed: Ints = np.where(unit == 0, 0, np.maximum(0, -(-short // np.maximum(1, np.abs(unit)))))
        return missed


def _ints(columns: Sequence[int]) -> Ints:
    return np.array(columns, dtype=np.int64)


def _slacks(model: Model, prices: Ints) -> Mask:
    """Auxiliaries that occur in one row only and that some level prices."""
    often = np.bincount(model.cols, minlength=model.width)
    slack: Mask = (often == 1) & (prices > 0).any(axis=0) & (model.column_lower == 0)
    slack[: model.seats.width] = False
    return slack


def _about_roles(model: Model) -> Mask:
    """Rows that speak of chair or deputies: who may hold a role is part of a kind, that they must be members is not."""
    role = np.zeros(model.width, dtype=bool)
    role[: model.seats.width] = ~np.isin(model.seats.place, PRESENT)
    about: Mask = np.bincount(model.owner, weights=role[model.cols], minlength=len(model.lower)) > 0
    return about


def _kinds(model: Model, dark: Mask) -> Ints:
    """A number for each seat column: equal where the dark rows hold two columns alike and the same roles are open to
    both experts. Rows are summed with fixed random weights, so that unlike columns get unlike sums."""
    seats = model.seats
    weight = np.random.default_rng(0).integers(1, 2**62, len(model.lower))
    entries = (dark[model.owner] & (model.cols < seats.width)).nonzero()[0]
    look = np.zeros((seats.width, 2), dtype=np.int64)
    np.add.at(look[:, 0], model.cols[entries], weight[model.owner[entries]] * model.vals[entries])
    for bit, place in ((1, Place.CHAIR), (2, Place.DEPUTY)):
        held = np.zeros(len(seats.problem.experts), dtype=bool)
        held[seats.expert[seats.columns(place)]] = True
        look[:, 1] += bit * held[seats.expert]
    kinds: Ints = np.unique(look, axis=0, return_inverse=True)[1].reshape(-1)
    return kinds


def _prices(model: Model) -> Ints:
    """What a unit of each column costs on each rung, shape (rungs, columns)."""
    problem = model.seats.problem
    ladder = {rung.level: i for i, rung in enumerate(rungs(problem))}
    prices = np.zeros((len(ladder), model.width), dtype=np.int64)
    for level in model.levels:
        np.add.at(prices[0 if problem.weighted else ladder[level.level]], level.cost.cols, level.cost.vals)
    return prices


def _constants(model: Model) -> Ints:
    problem = model.seats.problem
    ladder = {rung.level: i for i, rung in enumerate(rungs(problem))}
    constants = np.zeros(len(ladder), dtype=np.int64)
    for level in model.levels:
        constants[0 if problem.weighted else ladder[level.level]] += level.cost.constant
    return constants
