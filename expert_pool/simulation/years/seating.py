"""Seating one committee in a season: assembled as the product does; where that cannot be, the ladder, then what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from expert_pool.simulation.years.outcome import Fated, LackPart, NeedPart, panel_fields
from solver.answer import Saying
from solver.assemble import BrokenPanel
from solver.diagnosis.why_not import why_not
from solver.engines.race import Cancelled
from solver.ladder import climbed
from solver.problem import Problem
from solver.recruit import Recruitment, recruit
from solver.search import Outcome, search
from solver.sweeping.settled import lawful

Asked = Callable[[Problem], Problem]
"""From a problem to the same over those whom its gates let in."""
LONGER = 5
"""A panel for which its seconds found nothing at all is tried once more with so many times as much."""
STILL = 0.5
"""The part of a panel's seconds that finding out what is missing may take."""


def fated(whole: Problem, asked: Asked, *, cancelled: Cancelled = lambda: False) -> Fated | None:
    """What becomes of a committee whose problem is `whole`; None where it was cancelled."""
    first = asked(whole)
    outcome = _tried(first, cancelled)
    if outcome.status == "unknown" and outcome.stopped_by == "time":
        patient = replace(first.limits, seconds=LONGER * first.limits.seconds)
        outcome = _tried(replace(first, limits=patient), cancelled)
    if outcome.stopped_by == "cancelled":
        return None
    if outcome.panel is not None:
        return _seated(outcome, None, first.limits.seconds)
    decided = outcome.status == "infeasible"
    problem = whole
    for step in whole.ladder:
        there = {rule.id for rule in problem.rules}
        if not any(change.rule in there for change in step.changes):
            continue
        problem = climbed(problem, step)
        again = _tried(asked(problem), cancelled)
        if again.stopped_by == "cancelled":
            return None
        if again.panel is not None:
            return _seated(again, step.id, first.limits.seconds)
        decided = decided and again.status == "infeasible"
    need, why = None, _why(outcome, cancelled)
    if decided:
        need = needed(recruit(first, seconds=STILL * first.limits.seconds, cancelled=cancelled), first)
        if cancelled():
            return None
    return Fated(
        fate="dry" if decided else "open",
        status=outcome.status,
        stopped_by=outcome.stopped_by,
        seconds=first.limits.seconds,
        need=need,
        why=why,
    )


def _tried(problem: Problem, cancelled: Cancelled) -> Outcome:
    """As the product assembles, but for the reasons that an answer gives of each person and case. Raises BrokenPanel where the
    checker finds fault."""
    outcome = search(problem, distinct=True, cancelled=cancelled)
    if outcome.panel is not None and not lawful(outcome.panel):
        raise BrokenPanel(f"{problem.meeting}: a season's panel")
    return outcome


def _why(outcome: Outcome, cancelled: Cancelled) -> list[Saying]:
    if outcome.status == "infeasible":
        return why_not(outcome.problem, outcome.narrowed, cancelled)
    return [Saying(code="why_not.stopped", params={"stopped_by": outcome.stopped_by})]


def _seated(outcome: Outcome, step: str | None, seconds: float) -> Fated:
    assert outcome.panel is not None
    return Fated.model_validate(
        {
            "fate": "seated" if step is None else "climbed",
            "status": outcome.status,
            "stopped_by": outcome.stopped_by,
            "seconds": seconds,
            "goals": outcome.goals,
            "step": step,
            **panel_fields(outcome.panel),
        }
    )


def needed(found: Recruitment, problem: Problem) -> NeedPart:
    """The fewest people missing, as a document says it."""
    codes = problem.specialties.code
    known = found.status in ("found", "no_number_helps")
    return NeedPart(
        status="found" if found.status == "found" else "no_number_helps" if known else "undecided",
        missing=found.count,
        bound=found.bound,
        lacks=[
            LackPart(
                count=own.count,
                group=problem.groups[own.group].id,
                specialty=codes[own.kind.specialty],
                facts=dict(own.kind.facts),
                rules=list(own.kind.counts_for),
            )
            for own in found.recruits
        ],
    )
