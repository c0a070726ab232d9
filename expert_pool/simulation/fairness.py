"""Who is seated: groups of experts under the optimum, near it, and under today's draw; and what each rule does to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from expert_pool.reevaluation.health.figures import concentration, even_chance, gini, top_share
from expert_pool.simulation.bench import Bench
from expert_pool.simulation.dividing import Division, divisions
from expert_pool.simulation.lens_results import (
    DrawsPart,
    EffectPart,
    FairnessPart,
    GroupPart,
    LoadPart,
    RuleEffectPart,
    SharePart,
)
from expert_pool.simulation.lenses import DrawDoc, FairnessDoc
from expert_pool.simulation.results import panel_from
from expert_pool.simulation.seatings import Batch, draws, near_panels
from solver.facts import Ints, Mask
from solver.model import funnel
from solver.panel import Panel
from solver.problem import Problem, RuleChange
from solver.progress import Progress
from solver.rules.base import Gate
from solver.sweeping.changes import FRAME, known
from solver.sweeping.settled import Settled

EVEN = 2_000
"""Draws that tell how far even chance goes."""


@dataclass(frozen=True)
class Seen:
    """One base: its problem, who passes its gates, its best panel, and the panels of each way of seating."""

    problem: Problem
    passes: Mask
    best: Panel
    near: tuple[Panel, ...]
    drawn: tuple[Panel | None, ...]


def fairness(bench: Bench) -> FairnessPart:
    """Every base that has a panel, taken together. Raises Fault for facts and rules that a problem does not have."""
    doc = bench.asked.scenario.doc.fairness
    assert doc is not None
    problems = bench.asked.problems
    chosen = divisions(problems, doc.by, doc.bands, doc.smallest)
    rules = _rules(problems, doc.rules)
    settled = bench.settle(problems)
    complete = all(0 in one and one[0].proven for one in settled)
    seen: list[Seen] = []
    batches: list[Batch] = []
    for base, problem in enumerate(problems):
        bench.report(Progress("fairness", done=base, total=len(problems)))
        best = settled[base][0].panel if 0 in settled[base] else None
        if best is None or bench.cancelled():
            complete = complete and not bench.cancelled()
            continue
        near = near_panels(bench, problem, doc.near) if doc.near else ()
        batch = (
            draws(bench, problem, [len(g) for g in best.by_group], doc.draw, doc.draw.panels)
            if doc.draw
            else None
        )
        batches += [batch] if batch else []
        drawn = tuple(None if p is None else panel_from(p, problem) for p in (batch.panels if batch else ()))
        seen.append(Seen(problem, _open(problem), best, near, drawn))
    parts, stopped = _effects(bench, doc, problems, settled, chosen, rules)
    keep = bench.gathering.keep
    return FairnessPart(
        smallest=doc.smallest,
        groups=[part for division in chosen for part in _groups(seen, division, problems[0].seed)],
        load=_loads(seen, problems[0].seed),
        rules=parts,
        optimum=[keep(one.best) or "" for one in seen],
        near=[[keep(panel) or "" for panel in one.near] for one in seen],
        near_within=str(doc.near.within) if doc.near else None,
        draws=_draws(doc.draw, seen, batches, keep) if doc.draw else None,
        complete=complete and not stopped and not bench.cancelled(),
    )


def _open(problem: Problem) -> Mask:
    """Who may sit in which group: past the gates, not excluded by a decision."""
    passes = funnel(problem).passes.copy()
    passes[[exclusion.expert for exclusion in problem.exclusions]] = False
    return passes


def _groups(seen: Sequence[Seen], division: Division, seed: int) -> list[GroupPart]:
    """Shares of all seats that each cell of a division holds, by way of seating."""
    count = len(division.cells)
    seats = sum(len(one.best.members) for one in seen)
    if not seats:
        return []
    held = np.sum([_held(division, one.problem, one.best) for one in seen], axis=0)
    near = _whole(_rounds(division, [(one.problem, one.near) for one in seen]), count)
    each = _rounds(division, [(one.problem, one.drawn) for one in seen])
    drawn = _whole(each, count)
    even = _even(seen, division, seed)
    parts = []
    for cell in range(count):
        shown = division.cells[cell]
        parts.append(
            GroupPart(
                by=division.by,
                of=shown.name,
                values=shown.values,
                pool=shown.people,
                eligible=len(
                    {
                        one.problem.experts[e]
                        for one in seen
                        for e in np.flatnonzero((division.of(one.problem) == cell) & one.passes.any(axis=1))
                    }
                ),
                seats=int(held[cell]),
                even=even[cell],
                optimum=_round(held[cell] / seats),
                near=_range(near[:, cell] / seats) if len(near) else None,
                drawn=_mean(drawn[:, cell] / seats) if len(drawn) > 1 else None,
                draws=[None if held is None else _round(held[cell] / seats) for held in each],
            )
        )
    return parts


def _held(division: Division, problem: Problem, panel: Panel) -> Ints:
    """Members of a panel in each cell."""
    cells = division.of(problem)[sorted(panel.members)]
    found: Ints = np.bincount(cells, minlength=len(division.cells))
    return found


def _rounds(division: Division, ways: Sequence[tuple[Problem, Sequence[Panel | None]]]) -> list[Ints | None]:
    """Seats of each cell over all bases in the n-th panels of every base; None where one of them has none."""
    rows: list[Ints | None] = []
    for panels in zip(*(panels for _, panels in ways), strict=False):
        held = [
            _held(division, problem, panel)
            for (problem, _), panel in zip(ways, panels, strict=True)
            if panel is not None
        ]
        rows.append(np.sum(held, axis=0) if len(held) == len(panels) else None)
    return rows


def _whole(rounds: Sequence[Ints | None], cells: int) -> Ints:
    """The rounds in which every base has a panel; shape (rounds, cells)."""
    rows = [held for held in rounds if held is not None]
    return np.array(rows, dtype=np.int64).reshape(len(rows), cells)


def _even(seen: Sequence[Seen], division: Division, seed: int) -> list[SharePart]:
    """What even chance among the eligible of each review group gives; groups by themselves, hypergeometric."""
    rng = np.random.default_rng([seed, 0])
    count = len(division.cells)
    mean, drawn, seats = np.zeros(count), np.zeros((EVEN, count)), 0
    for one in seen:
        cells = division.of(one.problem)
        for g, members in enumerate(one.best.by_group):
            eligible = np.bincount(cells[one.passes[:, g]], minlength=count)
            size = min(len(members), int(eligible.sum()))
            if size:
                mean += size * eligible / eligible.sum()
                drawn += rng.multivariate_hypergeometric(eligible, size, EVEN)
            seats += size
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [
        SharePart(
            share=_round(mean[c] / max(seats, 1)),
            low=_round(low[c] / max(seats, 1)),
            high=_round(high[c] / max(seats, 1)),
        )
        for c in range(count)
    ]


def _range(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> SharePart:
    """Mean, least and most."""
    return SharePart(share=_round(shares.mean()), low=_round(shares.min()), high=_round(shares.max()))


def _mean(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> SharePart:
    """Mean with its 95% interval by the normal law, the panel being the unit."""
    middle, half = float(shares.mean()), 1.96 * float(shares.std(ddof=1)) / sqrt(len(shares))
    return SharePart(
        share=_round(middle), low=_round(max(0.0, middle - half)), high=_round(min(1.0, middle + half))
    )


def _loads(seen: Sequence[Seen], seed: int) -> list[LoadPart]:
    """How evenly seats fall to those who are eligible for some panel; of several panels of one base, their sum."""
    if not seen:
        return []
    people = {
        one.problem.experts[e]: None for one in seen for e in np.flatnonzero(one.passes.any(axis=1)).tolist()
    }
    place = {id_: i for i, id_ in enumerate(people)}
    parts = []
    ways: tuple[tuple[str, list[list[Panel]]], ...] = (
        ("optimum", [[one.best] for one in seen]),
        ("near", [list(one.near) for one in seen]),
        ("drawn", [[panel for panel in one.drawn if panel is not None] for one in seen]),
    )
    for way, panels in ways:
        rounds = min(map(len, panels))
        if not rounds:
            continue
        counts = np.zeros(len(place), dtype=np.int64)
        for one, own in zip(seen, panels, strict=True):
            for panel in own[:rounds]:
                counts[
                    [place[one.problem.experts[e]] for e in panel.members if one.problem.experts[e] in place]
                ] += 1
        index = concentration(counts)
        even = even_chance(len(place), int(counts.sum()), seed=seed)
        parts.append(
            LoadPart(
                way=way,  # type: ignore[arg-type]
                panels=rounds * len(seen),
                people=len(place),
                seated=int((counts > 0).sum()),
                gini=_rounded(gini(counts)),
                top_tenth=_rounded(top_share(counts)),
                hhi=None if index is None else _round(index[0]),
                even_low=None if even is None else _round(even.low),
                even_high=None if even is None else _round(even.high),
            )
        )
    return parts


def _rules(problems: Sequence[Problem], asked: Sequence[str] | None) -> list[str]:
    """The hard rules left out one by one. Raises Fault for one that no problem has."""
    free = {
        rule.id: None
        for problem in problems
        for rule in problem.rules
        if rule.soft is None and rule.rule not in FRAME
    }
    for id_ in asked or ():
        known("rule", id_, list(free))
    return list(free) if asked is None else list(asked)


def _effects(
    bench: Bench,
    doc: FairnessDoc,
    problems: Sequence[Problem],
    settled: Sequence[Mapping[int, Settled]],
    chosen: Sequence[Division],
    rules: Sequence[str],
) -> tuple[list[RuleEffectPart], bool]:
    """Each rule left out, exactly; and whether anything was left unfinished."""
    parts: list[RuleEffectPart] = []
    stopped = False
    for rule in rules:
        there = [base for base, problem in enumerate(problems) if any(r.id == rule for r in problem.rules)]
        if bench.cancelled():
            return parts, True
        done = bench.settle([problems[base] for base in there], [(RuleChange(rule, None),)])
        eligible: Counter[tuple[str, int]] = Counter()
        seats: Counter[tuple[str, int]] = Counter()
        panels, unchanged, open_ = [], 0, 0
        for base, own in zip(there, done, strict=True):
            before, after = settled[base].get(0), own.get(0)
            if before is None or after is None or not (before.proven and after.proven):
                open_ += 1
                continue
            problem = problems[base]
            for division in chosen:
                more = _gained(problem, rule)
                for cell, count in enumerate(
                    np.bincount(division.of(problem)[more], minlength=len(division.cells))
                ):
                    eligible[division.by, cell] += int(count)
            if after.panel is None:
                unchanged += 1
                continue
            panels.append(bench.gathering.keep(after.panel) or "")
            unchanged += before.panel is not None and before.panel.members == after.panel.members
            for division in chosen:
                new = _held(division, problem, after.panel)
                old = _held(division, problem, before.panel) if before.panel else np.zeros_like(new)
                for cell in range(len(new)):
                    seats[division.by, cell] += int(new[cell] - old[cell])
        stopped = stopped or open_ > 0
        parts.append(
            RuleEffectPart(
                rule=rule,
                kind=next(r.rule for problem in problems for r in problem.rules if r.id == rule),
                panels=panels,
                unchanged=unchanged,
                open=open_,
                effects=[
                    EffectPart(
                        by=division.by,
                        of=cell.name,
                        eligible=eligible[division.by, c],
                        seats=seats[division.by, c],
                    )
                    for division in chosen
                    for c, cell in enumerate(division.cells)
                    if eligible[division.by, c] or seats[division.by, c]
                ],
            )
        )
    return parts, stopped


def _gained(problem: Problem, rule: str) -> Ints:
    """Who would pass the gates if this one were not there."""
    if not any(isinstance(r, Gate) and r.id == rule for r in problem.rules):
        return np.empty(0, dtype=np.int64)
    without = replace(problem, rules=tuple(r for r in problem.rules if r.id != rule))
    gained: Ints = np.flatnonzero(_open(without).any(axis=1) & ~_open(problem).any(axis=1))
    return gained


def _draws(doc: DrawDoc, seen: Sequence[Seen], batches: Sequence[Batch], keep: object) -> DrawsPart:
    starts = [n for batch in batches for n in batch.starts]
    exchanges = [n for batch in batches for n in batch.exchanges]
    return DrawsPart(
        procedure=doc.procedure,
        panels=[[keep(panel) or "" for panel in one.drawn if panel is not None] for one in seen],  # type: ignore[operator]
        starts=_round(sum(starts) / max(len(starts), 1)),
        exchanges=_round(sum(exchanges) / max(len(exchanges), 1)),
        failed=sum(panel is None for one in seen for panel in one.drawn),
    )


def _round(value: float) -> float:
    return round(float(value), 6) + 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else _round(value)
