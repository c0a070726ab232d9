"""Why there is no panel: rules that cannot hold together, found by taking them away one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from solver.answer import Saying
from solver.engines.race import Cancelled, Effort, minimise
from solver.facts import Mask
from solver.model import Funnel, build, layout
from solver.problem import Problem
from solver.rules.base import Gate

SECONDS = 10.0
"""For the whole search; afterwards what is left is reported as not shown to be minimal."""


def why_not(problem: Problem, narrowed: Funnel, cancelled: Cancelled = lambda: False) -> list[Saying]:
    """What cannot hold together behind the gates, as sentences.

    Groups that the gates leave too few people for, and locked experts whom a gate bars, come first. Otherwise a set
    of rules: taking any one of them away makes a panel possible, as far as the time allowed to show
    (`why_not.together`; else `why_not.perhaps`). Group sizes stay: the other rules are written for them.
    """
    short = [
        Saying(
            code="why_not.group_short",
            params={
                "group": group.name,
                "eligible": int(narrowed.passes[:, g].sum()),
                "low": group.low + group.alternates,
            },
        )
        for g, group in enumerate(problem.groups)
        if int(narrowed.passes[:, g].sum()) < group.low + group.alternates
    ]
    barred = list(_barred_locks(problem, narrowed))
    if short or barred:
        return short + barred
    seats = layout(problem, narrowed.passes)
    ends = time.monotonic() + SECONDS
    needed = {rule.id for rule in problem.rules if rule.soft is None and not isinstance(rule, Gate)}
    every = frozenset(rule.id for rule in problem.rules if not isinstance(rule, Gate))
    sizes = {rule.id for rule in problem.rules if rule.rule == "group_size"}
    proven = True
    for rule in sorted(needed - sizes):
        left = needed - {rule}
        model = build(problem, seats, without=every - left)
        solved = minimise(model, None, Effort(min(3.0, ends - time.monotonic())), cancelled=cancelled)
        if solved.status == "infeasible":
            needed = left
        elif solved.status == "unknown":
            proven = False
    order = [rule.id for rule in problem.rules if rule.id in needed]
    return [Saying(code="why_not.together" if proven else "why_not.perhaps", params={"rules": order})]


def _barred_locks(problem: Problem, narrowed: Funnel) -> Iterator[Saying]:
    """Each locked expert who does not get past the gates, with the gates that bar them."""
    for lock in problem.locks:
        groups = range(len(problem.groups)) if lock.group is None else (lock.group,)
        if narrowed.passes[lock.expert, list(groups)].any():
            continue
        gates = [
            rule.id
            for rule in problem.rules
            if isinstance(rule, Gate)
            and rule.soft is None
            and not _open(rule.passes(problem), lock.expert, groups)
        ]
        yield Saying(
            code="why_not.lock_barred", params={"expert": problem.experts[lock.expert], "gates": gates}
        )


def _open(passes: Mask, expert: int, groups: Iterable[int]) -> bool:
    return bool(passes[expert]) if passes.ndim == 1 else bool(passes[expert, list(groups)].any())
