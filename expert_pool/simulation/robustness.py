"""How a panel stands people who decline or stay away: chances, what each alternate is worth, the smallest absence."""

from __future__ import annotations

from math import prod

import numpy as np

from expert_pool.simulation.bench import Bench, answered
from expert_pool.simulation.lens_results import (
    AlternatePart,
    BreakPart,
    ChancePart,
    RobustnessPart,
    RobustPart,
)
from expert_pool.simulation.lenses import NoticeDoc, RateDoc, RobustnessDoc
from solver.answer import Saying
from solver.breaking import Event, attendance, events_of
from solver.check import judge
from solver.document import problem_sha256
from solver.facts import Floats
from solver.forecast import Forecast, Rates, forecast_of, rates_of
from solver.problem import Problem
from solver.progress import Progress
from solver.sweeping.settled import Settled
from solver.turnout import Chance, Turnout

PLACES = 9
"""Digits of a probability."""


def robustness(bench: Bench) -> RobustnessPart:
    """Every base's best panel. Raises Fault where a rate is no percentage."""
    doc = bench.asked.scenario.doc.robustness
    assert doc is not None
    problems = bench.asked.problems
    for problem in problems:
        chances_of(problem, doc)
    found: list[RobustPart] = []
    complete = True
    for base, (problem, settled) in enumerate(zip(problems, bench.settle(problems), strict=True)):
        bench.report(Progress("robustness", done=base, total=len(problems)))
        if bench.cancelled() or 0 not in settled:
            complete = False
            continue
        complete = complete and answered(settled[0])
        found.append(_of_panel(bench, doc, base, problem, settled[0]))
    seated = [one.lawful.chance for one in found if one.lawful is not None]
    return RobustnessPart(
        panels=found,
        failing=_round(sum(1 - chance for chance in seated)) if seated else None,
        all_lawful=_round(prod(seated)) if seated else None,
        complete=complete,
    )


def chances_of(problem: Problem, doc: RobustnessDoc) -> tuple[Rates, Floats]:
    """How likely each expert declines (before they are asked), and stays away on the day, shape (experts,)."""
    odds = odds_of(doc.notice)
    declines, absences = (_rates(problem, rate) for rate in (doc.declines, doc.no_shows))
    return declines, sharpened(absences.chance, odds)


def _rates(problem: Problem, rate: RateDoc) -> Rates:
    if rate.fact in problem.facts:
        return rates_of(problem, fact=rate.fact, default=rate.default)
    return Rates(np.full(len(problem.experts), rate.default / 100), 0, rate.fact, rate.default)


def odds_of(notice: NoticeDoc | None) -> float:
    """By how much short notice multiplies the odds of staying away."""
    lines = sorted(notice.odds, key=lambda line: line.within) if notice else []
    return next((line.times for line in lines if notice is not None and notice.days <= line.within), 1.0)


def sharpened(chances: Floats, times: float) -> Floats:
    """Chances with their odds multiplied: p/(1-p) becomes times p/(1-p)."""
    found: Floats = times * chances / (1 - chances + times * chances)
    return found


def _of_panel(bench: Bench, doc: RobustnessDoc, base: int, problem: Problem, settled: Settled) -> RobustPart:
    if settled.panel is None:
        return RobustPart(
            base=base,
            status=settled.status,
            panel=None,
            people=0,
            mean_rate=0.0,
            lawful=None,
            quorum=None,
            unreplaced_lawful=None,
            unreplaced_quorum=None,
            invited=None,
            rounds=None,
            seated=None,
            breaks=[],
            alternates=[],
            fewest=None,
            weakest=None,
        )
    panel = settled.panel
    key = bench.gathering.keep(panel)
    hangs = [problem_sha256(problem), key, doc.model_dump(mode="json")]
    name = bench.name("robustness", base, *hangs)
    kept = bench.recall(name, RobustPart)
    if kept is not None and kept.panel == key:
        for one in kept.breaks:
            index = {id_: e for e, id_ in enumerate(problem.experts)}
            if one.meeting is not None:
                bench.gathering.keep(panel.after([index[expert] for expert in one.absent]))
        return kept
    declines, absences = chances_of(problem, doc)
    seed = problem.seed
    day = Turnout(panel, absences, samples=doc.samples, seed=seed)
    both = 1 - (1 - absences) * (1 - sharpened(declines.chance, odds_of(doc.notice)))
    events, quorum = events_of(panel), attendance(panel, doc.quorum)
    breaks = [_break(bench, day, event, doc.smallest) for event in (quorum, *events)]
    lawful, attended = day.kept(events), day.kept([quorum])
    waiting_all = [expert for waiting in panel.alternates for expert in waiting]
    without, fewer = day.without(events, waiting_all), day.without([quorum], waiting_all)
    late = Turnout(panel, both, samples=doc.samples, seed=seed)
    people = sorted(panel.everybody)
    known = [one for one in breaks if one.fewest is not None]
    weakest = min(breaks, key=lambda one: (one.kept.chance, one.id), default=None)
    invited = forecast_of(panel, declines)
    rounds = None if doc.notice is None else doc.notice.days // doc.notice.round
    found = RobustPart(
        base=base,
        status=settled.status,
        panel=key,
        people=len(people),
        mean_rate=_round(float(absences[people].mean())),
        lawful=_chance(lawful),
        quorum=_chance(attended),
        unreplaced_lawful=_chance(late.kept(events)),
        unreplaced_quorum=_chance(late.kept([quorum])),
        invited=invited,
        rounds=rounds,
        seated=None if rounds is None else _seated(invited, rounds),
        breaks=breaks,
        alternates=[
            _alternate(day, g, order, expert, (lawful, without[expert]), (attended, fewer[expert]))
            for g, waiting in enumerate(panel.alternates)
            for order, expert in enumerate(waiting, start=1)
        ],
        fewest=min((one.fewest for one in known if one.fewest is not None), default=None),
        weakest=None if weakest is None or weakest.kept.chance == 1.0 else weakest.id,
    )
    if not bench.cancelled():
        bench.keep(name, found)
    return found


def _break(bench: Bench, day: Turnout, event: Event, most: int) -> BreakPart:
    smallest = day.fewest(event, most)
    meeting = None if smallest.absent is None else day.panel.after(smallest.absent)
    says: list[Saying] = []
    if meeting is not None:
        says = [finding.says for finding in judge(meeting)[1] if finding.hard and finding.rule == event.id]
    return BreakPart(
        id=event.id,
        kind=next((rule.rule for rule in day.panel.problem.rules if rule.id == event.id), ""),
        kept=_chance(day.kept([event])),
        fewest=None if smallest.absent is None else len(smallest.absent),
        looked=smallest.looked,
        proven=smallest.proven,
        absent=[day.panel.problem.experts[e] for e in sorted(smallest.absent or ())],
        meeting=bench.gathering.keep(meeting),
        says=says[:3],
    )


def _alternate(
    day: Turnout,
    group: int,
    order: int,
    expert: int,
    lawful: tuple[Chance, Chance],
    quorum: tuple[Chance, Chance],
) -> AlternatePart:
    """What an alternate is worth; of each pair of chances the first is with them, the second without. Drawn figures are kept to
    what is certain: a meeting to which they are not called is the same without them."""
    problem = day.panel.problem
    called = day.called(expert)

    def worth(value: float) -> float:
        return _round(min(called, max(-called, value)))

    return AlternatePart(
        expert=problem.experts[expert],
        group=problem.groups[group].id,
        order=order,
        called=_round(called),
        lawful=worth(lawful[0].value - lawful[1].value),
        low=worth(lawful[0].low - lawful[1].high),
        high=worth(lawful[0].high - lawful[1].low),
        quorum=worth(quorum[0].value - quorum[1].value),
    )


def _seated(invited: Forecast, rounds: int) -> float:
    """The chance that everybody has accepted after so many rounds; of more rounds than are said, as after the last."""
    return 0.0 if rounds == 0 else invited.within[min(rounds, len(invited.within)) - 1]


def _chance(chance: Chance) -> ChancePart:
    low, high = _round(chance.low), _round(chance.high)
    return ChancePart(chance=_round(chance.value), low=low, high=high, exact=chance.exact)


def _round(value: float) -> float:
    return round(value, PLACES) + 0.0
