"""The short answer to why there is no panel, for the panel document itself."""

from __future__ import annotations

from solver.answer import Saying
from solver.diagnosis.clash import shrink
from solver.diagnosis.elements import elements_of
from solver.diagnosis.numbers import overlaps, told
from solver.diagnosis.possible import Trials
from solver.engines.race import Cancelled
from solver.model import Funnel
from solver.problem import Problem

SECONDS = 10.0
"""For the whole of it; what is left then is reported as not shown to be minimal."""


def why_not(problem: Problem, narrowed: Funnel, cancelled: Cancelled = lambda: False) -> list[Saying]:
    """One minimal set of rules, gates and decisions about persons of a problem that is known to have no panel: what they
    are, then each with what it asks for and what there is.

    `why_not.together`: without any one of them a panel exists. `why_not.perhaps`: as far as the time allowed to show.
    """
    trials = Trials(problem, SECONDS, cancelled)
    every = elements_of(problem)
    verdict = trials.ask(every, SECONDS / 5)
    clash = shrink(trials, verdict.core if verdict.status == "impossible" else every)
    ids = list(dict.fromkeys(element.id for element in clash.elements))
    code = "why_not.together" if clash.minimal else "why_not.perhaps"
    return [
        Saying(code=code, params={"rules": ids}),
        *told(trials, clash.elements),
        *overlaps(trials, clash.elements),
    ]
