"""Of an optimiser's progress every incumbent becomes an event, and of its bounds one in a while."""

from __future__ import annotations

from api.jobs.work.telling import PAUSE, steady
from solver.progress import Progress


def test_incumbents_pass_at_once_and_bounds_in_a_while() -> None:
    told: list[Progress] = []
    now = 0.0
    report = steady(told.append, lambda: now)

    def say(incumbent: int | None, bound: int | None, goal: str = "peer") -> bool:
        before = len(told)
        report(Progress("solve", goal=goal, incumbent=incumbent, bound=bound))
        return len(told) > before

    assert say(None, 3)
    assert say(90, 3)
    assert not say(90, 4)
    assert say(80, 4)
    assert not say(80, 5)
    now += PAUSE
    assert say(80, 6)
    assert not say(80, 7)
    assert say(80, 80)
    assert say(80, 0, goal="credit")
