"""One seat changed by hand: what becomes of the panel, whether it is lawful, what it costs, and who else could sit there.

Somebody new for a member; or two people of the panel change places (two members of different groups, or a member with one
who waits). Whoever takes the place of chair or deputy takes the role too, where the rules let them hold it, else the first
member who may. Lawful is what `solver.check` says of the panel after it: the same `judge`, no rows and no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.answer import FindingResult, RuleResult
from solver.check import judge
from solver.errors import Fault
from solver.explanation.standing import Costs, Rung, column, columns_at, costs_of, rungs, spots
from solver.explanation.swaps import Swaps
from solver.known import Known
from solver.model import Model, build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.roles import Roles

LOOKED_AT = 40
"""So many of the cheapest candidates for a seat are judged in full at most, until there are enough lawful ones."""


@dataclass(frozen=True, slots=True)
class Swap:
    """`into` takes the place of `out` (indices of experts); who is in the panel already changes places with them."""

    out: int
    into: int


@dataclass(frozen=True)
class Judged:
    """A panel after some swaps: every rule, the findings, the cost of each rung. `lawful`: no hard rule is broken."""

    panel: Panel
    lawful: bool
    rungs: tuple[Rung, ...]
    costs: Costs
    rules: list[RuleResult]
    findings: list[FindingResult]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could sit instead: what the panel then costs, and the hard rules it would break (none: lawful).
    `waits`: they are among the alternates, and would change places."""

    expert: int
    waits: bool
    costs: Costs
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Candidates:
    """Candidates for a seat, the lawful first and of these the cheapest. `open` is how many the gates let sit in the group;
    the others were not looked at, or their rows are broken."""

    group: int
    open: int
    costs: Costs
    found: tuple[Candidate, ...]


def swapped(panel: Panel, swap: Swap) -> Panel:
    """The panel after one swap. Raises Fault `hand.not_seated`, `hand.same_person`."""
    problem = panel.problem
    if swap.out not in panel.members:
        raise Fault("hand.not_seated", problem.experts[swap.out])
    if swap.out == swap.into:
        raise Fault("hand.same_person", problem.experts[swap.out])
    group = panel.members[swap.out]
    heirs = {swap.out: swap.into}
    if swap.into in panel.members or any(swap.into in waiting for waiting in panel.alternates):
        heirs[swap.into] = swap.out
    members = {heirs.get(expert, expert): own for expert, own in panel.members.items()}
    members[swap.into] = group
    alternates = tuple(tuple(heirs.get(e, e) for e in waiting) for waiting in panel.alternates)
    after = Panel(problem, members, panel.chair, panel.deputies, alternates)
    return _roles(after, panel, swap)


def _roles(after: Panel, before: Panel, swap: Swap) -> Panel:
    """The roles after a swap: who left the panel gives theirs up."""
    if swap.out in after.members:
        return after
    rule = next((rule for rule in after.problem.rules if isinstance(rule, Roles)), None)
    chair, deputies = before.chair, tuple(d for d in before.deputies if d != swap.out)
    if rule is None or (swap.out != chair and swap.out not in before.deputies):
        return replace(after, chair=chair, deputies=deputies)
    may_chair, may_deputise = rule.may(after.problem)
    may = may_chair if swap.out == chair else may_deputise
    kept = None if swap.out == chair else chair
    free = [e for e in (swap.into, *sorted(after.members)) if e != kept and e not in deputies]
    heir = next((e for e in free if bool(may[e])), None)
    if swap.out == chair:
        return replace(after, chair=heir, deputies=deputies)
    return replace(after, chair=chair, deputies=tuple(sorted((*deputies, *([] if heir is None else [heir])))))


def judged(panel: Panel, swaps: Sequence[Swap] = ()) -> Judged:
    """The panel after some swaps, one after the other, and the checker's verdict. Raises Fault as `swapped` does."""
    for swap in swaps:
        panel = swapped(panel, swap)
    rules, findings = judge(panel)
    return Judged(
        panel,
        not any(finding.hard for finding in findings),
        rungs(panel.problem),
        costs_of(panel),
        rules,
        findings,
    )


def candidates(panel: Panel, out: int, *, most: int = 20, known: Known | None = None) -> Candidates:
    """Who could sit in the place of `out`, best first, at most `most`.

    Thousands are told apart by the rows of the model at once; the cheapest are then judged in full. Raises Fault
    `hand.not_seated`.
    """
    problem = panel.problem
    if out not in panel.members:
        raise Fault("hand.not_seated", problem.experts[out])
    group = panel.members[out]
    passed = funnel(problem) if known is None else known.funnel(problem)
    model = build(problem, layout(problem, passed.passes)) if known is None else known.model(problem, passed)
    waiting = tuple(panel.alternates[group]) if group < len(panel.alternates) else ()
    there = np.flatnonzero(passed.passes[:, group])
    found: list[Candidate] = []
    for expert in (*waiting, *_ranked(problem, panel, model, out, group)):
        if len(found) == max(most, LOOKED_AT) or sum(not one.breaks for one in found) == most:
            break
        after = judged(panel, [Swap(out, expert)])
        breaks = tuple(dict.fromkeys(finding.rule for finding in after.findings if finding.hard))
        found.append(Candidate(expert, expert in waiting, after.costs, breaks))
    found.sort(key=lambda one: (bool(one.breaks), len(one.breaks), one.costs, one.expert))
    return Candidates(
        group,
        int((~np.isin(there, panel.everybody)).sum()) + len(waiting),
        costs_of(panel),
        tuple(found[:most]),
    )


def _ranked(problem: Problem, panel: Panel, model: Model, out: int, group: int) -> list[int]:
    """Strangers for a seat by what the rows say, the cheapest first; where they say nothing, those who match best."""
    seats = model.seats
    own = column(seats, *spots(panel)[out], out)
    among = columns_at(seats, group, 0)
    among = among[~np.isin(seats.expert[among], panel.everybody)]
    try:
        values = seats.encode(panel)
    except KeyError:
        own = None
    if own is not None:
        fitting = Swaps(model, values).into([own], [], among)
        order = np.lexsort((fitting.columns, *fitting.costs.T[::-1]))
        if len(order):
            return [int(expert) for expert in seats.expert[fitting.columns[order]]]
    experts = seats.expert[among]
    return [int(e) for e in experts[np.argsort(-problem.grades[experts, group], kind="stable")]]
