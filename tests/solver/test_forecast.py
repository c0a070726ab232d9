"""The forecast of invitation rounds: against every order and answer written out, and against simulation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations, product

import numpy as np
import pytest
from refused import refused

from solver.assemble import assemble
from solver.facts import Column
from solver.forecast import Rates, _Group, _together, forecast, rates_of
from solver.invitations import Heard, next_round
from solver.problem import Problem

PENDING, POOL = np.array([0.5, 0.2]), np.array([0.1, 0.6, 1.0])
UNKNOWN = Rates(np.zeros(0), 0, "decline_rate", 20)


def rounds_of(pending: list[bool], pool: list[bool]) -> int | None:
    """How many rounds it takes when these decline (True), the pool asked in its order; None: it runs dry."""
    vacant, rounds = sum(pending), 1
    while vacant:
        asked, pool = pool[:vacant], pool[vacant:]
        if len(asked) < vacant:
            return None
        vacant, rounds = sum(asked), rounds + 1
    return rounds


def written_out() -> dict[int | None, float]:
    """The chance of each number of rounds: every answer of everybody, every order of the pool."""
    found: dict[int | None, float] = {}
    orders = list(permutations(range(len(POOL))))
    for answers in product([False, True], repeat=len(PENDING) + len(POOL)):
        now, later = list(answers[: len(PENDING)]), answers[len(PENDING) :]
        chance = float(
            np.prod(np.where(now, PENDING, 1 - PENDING)) * np.prod(np.where(later, POOL, 1 - POOL))
        )
        for order in orders:
            rounds = rounds_of(now, [later[i] for i in order])
            found[rounds] = found.get(rounds, 0.0) + chance / len(orders)
    return found


def test_the_formula_is_every_case_written_out() -> None:
    """Chances, risk and expectation, to rounding."""
    truth = written_out()
    group = _Group("G", PENDING, POOL)
    reached = np.cumsum([truth.get(r, 0.0) for r in range(1, 7)])
    assert group.within(6) == pytest.approx(reached)
    assert group.dry == pytest.approx(truth[None])
    seated = {r: p for r, p in truth.items() if r is not None}
    expected = sum(r * p for r, p in seated.items()) / sum(seated.values())
    both = _together([group], UNKNOWN)
    assert both.rounds == pytest.approx(expected, abs=0.01)
    assert both.within == pytest.approx(reached, abs=1e-8)


def test_the_formula_agrees_with_simulation() -> None:
    """Two groups of different rates, one with a thin pool; 10,000 meetings played."""
    draw = np.random.default_rng(5)
    groups = [
        _Group("A", draw.uniform(0, 0.5, 6), draw.uniform(0, 0.9, 9)),
        _Group("B", draw.uniform(0, 0.5, 8), draw.uniform(0, 0.9, 200)),
    ]
    played = 10_000
    outcomes = []
    for _ in range(played):
        own = [
            rounds_of(
                list(draw.random(len(g.pending)) < g.pending),
                list(draw.permutation(draw.random(len(g.pool)) < g.pool)),
            )
            for g in groups
        ]
        outcomes.append(None if None in own else max(r for r in own if r is not None))
    said = _together(groups, UNKNOWN)
    seen = [sum(r is not None and r <= limit for r in outcomes) / played for limit in range(1, 7)]
    assert said.within == pytest.approx(seen, abs=4 * 0.5 / played**0.5)
    assert said.dry == pytest.approx(outcomes.count(None) / played, abs=4 * 0.5 / played**0.5)
    mean = float(np.mean([r for r in outcomes if r is not None]))
    assert said.rounds == pytest.approx(mean, abs=0.05)


def test_equal_rates_are_the_closed_formula() -> None:
    """With one rate p for all and a pool without end: (1 - p^r)^places."""
    group = _Group("G", np.full(10, 0.3), np.full(5000, 0.3))
    assert group.within(6) == pytest.approx([(1 - 0.3**r) ** 10 for r in range(1, 7)], rel=1e-9)
    assert group.dry == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("pending", "pool", "within", "dry", "rounds"),
    [
        ([], [], [1.0, 1.0], 0.0, 0.0),
        ([0.0], [], [1.0, 1.0], 0.0, 1.0),
        ([1.0], [], [0.0, 0.0], 1.0, None),
        ([1.0], [0.0], [0.0, 1.0], 0.0, 2.0),
        ([0.5], [], [0.5, 0.5], 0.5, 1.0),
        ([1.0, 1.0], [0.0], [0.0, 0.0], 1.0, None),
    ],
)
def test_certain_answers(
    pending: list[float], pool: list[float], within: list[float], dry: float, rounds: float | None
) -> None:
    """Nobody open, everybody sure, nobody left to ask."""
    said = _together([_Group("G", np.array(pending), np.array(pool))], UNKNOWN)
    assert (said.within[:2], said.dry, said.rounds) == (within, dry, rounds)


def test_a_large_pool_takes_no_time() -> None:
    """Thirty places and 20,000 people of many rates."""
    draw = np.random.default_rng(1)
    rates = draw.integers(0, 60, 20_000) / 100
    said = _together([_Group("G", rates[:30], rates[30:])], UNKNOWN)
    assert said.rounds is not None
    assert 3 < said.rounds < 5


def test_rates_come_from_the_fact_and_else_from_the_default(complete: Problem) -> None:
    """In percent; unknown ones take the default."""
    n = len(complete.experts)
    told = Column.integers([None if e % 2 else 40 for e in range(n)])
    problem = replace(complete, facts={**complete.facts, "decline_rate": told})
    rates = rates_of(problem, default=10)
    assert rates.chance[:4].tolist() == [0.4, 0.1, 0.4, 0.1]
    assert rates.known == n // 2
    assert rates_of(complete).chance.tolist() == [0.2] * n
    with refused("problem.fact_unknown"):
        rates_of(complete, fact="refusals")
    with refused("problem.fact_not_integer"):
        rates_of(complete, fact="sector")
    with refused("forecast.rate", value=101):
        rates_of(complete, default=101)
    wrong = replace(complete, facts={**complete.facts, "decline_rate": Column.integers([140] * n)})
    with refused("forecast.rate", value=140):
        rates_of(wrong)


def test_the_forecast_of_a_panel_knows_who_has_answered(complete: Problem) -> None:
    """Every place is open at first; whoever accepted is sure, and whoever was asked is no longer in the pool."""
    answer, _ = assemble(complete)
    rates = rates_of(complete)
    first = forecast(complete, answer, rates)
    assert sum(g.open for g in first.groups) == len(answer.members) + len(answer.alternates)
    assert first.groups[0].mean == 0.2
    accepted = [Heard(m.expert, True) for m in answer.members]
    step = next_round(complete, answer, None, accepted, on=date(2026, 4, 1), by="office")
    later = forecast(complete, step.answer, rates, step.state)
    assert sum(g.open for g in later.groups) == len(answer.alternates)
    assert later.within[0] > first.within[0]
    assert [g.pool for g in later.groups] == [g.pool for g in first.groups]
