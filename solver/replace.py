"""Replacing members: the least change to a panel that is legal again, and who else could have taken each seat."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from solver.answer import Answer, GoalResult, Part, Saying, Stopped
from solver.assemble import BrokenPanel, answer_of
from solver.check import judge, panel_of
from solver.events import VACANT, Decision, Events, changed
from solver.goals.keep import change, holdings
from solver.moves import Stand, stands_of
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.rules.base import Basis, Rule
from solver.rules.unlike import Unlike
from solver.search import Outcome, search

SUBSTITUTES = 3
"""How many other people are named for each seat unless asked otherwise."""


class Change(Part):
    """What changes for one person: where they stood and stand, what it counts (see `solver.goals.keep`), in words."""

    expert: str
    was: Stand | None
    now: Stand | None
    cost: int
    says: Saying


class SizeChange(Part):
    """A group that has more or fewer members than before, and what that counts."""

    group: str
    was: int
    now: int
    cost: int


class Substitute(Part):
    """The best panel in which none of those ranked before takes the seat.

    `rank` 1 is who fills it in the answer; `expert` None: nobody new is needed then. `goals` are the levels of that
    panel, least change first; `changes` lead from the given panel to it. `proven`: no such panel is better.
    """

    rank: int
    expert: str | None
    goals: list[GoalResult]
    proven: bool
    changes: list[Change]
    sizes: list[SizeChange]


Ended = Literal["enough", "nobody"] | Stopped
"""Why no more substitutes are named: so many were asked for, nobody else can, or a limit."""


class SeatFilled(Part):
    """A seat that somebody new takes, or (`waits`) an alternate's place, and who else could, best first."""

    group: str
    waits: bool
    substitutes: list[Substitute]
    ended: Ended


class Replacement(Part):
    """`replacement/1`.

    `replaces` is the hash of the problem of the panel that was given. `least` is level 1 of the answer: what changes,
    with its proven lower bound; None without a panel. It is the sum of the costs of `changes` and `sizes`.
    """

    format: Literal["replacement/1"] = "replacement/1"
    replaces: str
    decisions: list[Decision]
    answer: Answer
    least: GoalResult | None
    changes: list[Change]
    sizes: list[SizeChange]
    seats: list[SeatFilled]


@dataclass(frozen=True)
class Replaced:
    """The problem that was solved (a problem file of its own), its outcome, and the document."""

    problem: Problem
    outcome: Outcome
    document: Replacement


def replace_members(
    problem: Problem,
    answer: Answer,
    events: Events,
    *,
    rules: Sequence[Rule] = (),
    substitutes: int = SUBSTITUTES,
    seconds: float | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Replaced:
    """The panel of `answer`, legal again after `events` with the least change; alternates are filled up again.

    `seconds` (else the problem's limit) is for everything; substitutes are looked for in what is left of it. `rules`
    hold besides those of the problem. Raises Fault as `solver.events.changed` and `solver.check.panel_of` do.
    """
    given = panel_of(problem, answer)
    patience = replace(problem.limits, seconds=problem.limits.seconds if seconds is None else seconds)
    asked = replace(changed(problem, given, events, rules), limits=patience)
    ends = time.monotonic() + patience.seconds
    was = replace(given, problem=asked)
    outcome = search(asked, start=was, report=report, cancelled=cancelled)
    report(Progress("check"))
    document = Replacement(
        replaces=answer.problem.sha256,
        decisions=list(events.decisions),
        answer=answer_of(outcome, report=report, cancelled=cancelled),
        least=outcome.goals[0] if outcome.panel is not None else None,
        changes=[] if outcome.panel is None else changes_between(was, outcome.panel),
        sizes=[] if outcome.panel is None else sizes_between(was, outcome.panel),
        seats=list(_seats(was, outcome, substitutes, ends, report, cancelled)),
    )
    return Replaced(asked, outcome, document)


def changes_between(was: Panel, now: Panel) -> list[Change]:
    """Who goes, who comes and who moves, in this order; the costs add up to the goal `keep`."""
    experts = was.problem.experts
    held, holds = holdings(was), holdings(now)
    stood, stands = stands_of(was), stands_of(now)
    found = []
    for expert in sorted(held.keys() | holds.keys(), key=lambda e: experts[e]):
        id_ = experts[expert]
        before, after = stood.get(id_), stands.get(id_)
        if before != after:
            cost = change(held.get(expert), holds.get(expert))
            says = _said(id_, before, after, {group.id: group.name for group in was.problem.groups})
            found.append(Change(expert=id_, was=before, now=after, cost=cost, says=says))
    return sorted(found, key=lambda one: ORDER.index(one.says.code))


def sizes_between(was: Panel, now: Panel) -> list[SizeChange]:
    """The groups that have more or fewer members than before."""
    return [
        SizeChange(
            group=group.id, was=len(before), now=len(after), cost=VACANT * abs(len(after) - len(before))
        )
        for group, before, after in zip(was.problem.groups, was.by_group, now.by_group, strict=True)
        if len(before) != len(after)
    ]


ORDER = tuple(
    f"replace.{kind}"
    for kind in ("goes", "comes", "called", "moves", "steps_back", "role", "dismissed", "waits", "order")
)
"""The ways to change, in the order in which they are told."""


def _said(expert: str, was: Stand | None, now: Stand | None, names: Mapping[str, str]) -> Saying:
    def seated(stand: Stand | None) -> bool:
        return stand is not None and stand.role != "alternate"

    if now is None:
        kind = "goes" if seated(was) else "dismissed"
    elif was is None:
        kind = "comes" if seated(now) else "waits"
    elif seated(now) and not seated(was):
        kind = "called"
    elif seated(was) and not seated(now):
        kind = "steps_back"
    elif was.group != now.group:
        kind = "moves"
    else:
        kind = "role" if seated(now) else "order"
    params: dict[str, str | int | None] = {"expert": expert}
    for side, stand in (("was", was), ("now", now)):
        if stand is not None:
            params[f"{side}_group"] = names[stand.group]
            params[f"{side}_role"] = stand.role
            params[f"{side}_order"] = stand.order
    return Saying(code=f"replace.{kind}", params=params)


def _seats(
    was: Panel, outcome: Outcome, count: int, ends: float, report: Reporter, cancelled: Callable[[], bool]
) -> Iterator[SeatFilled]:
    """Every place somebody new takes, with its substitutes."""
    if outcome.panel is None or not count:
        return
    problem, best = outcome.problem, holdings(outcome.panel)
    fillers = [e for e in sorted(best) if _is_new(e, was, waiting=best[e].call is not None)]
    fillers.sort(key=lambda e: best[e].call is not None)
    done = 0
    for filler in fillers:
        waiting, group = best[filler].call is not None, best[filler].group
        listed = [_substitute(1, filler, was, outcome)]
        over = [filler]
        ended: Ended = "enough"
        for rank in range(2, count + 2):
            report(Progress("substitutes", done=done, total=count * len(fillers)))
            done += 1
            other = _without(outcome, over, waiting, ends, report, cancelled)
            if other.panel is None:
                ended = "nobody" if other.status == "infeasible" else other.stopped_by or "time"
                break
            there = holdings(other.panel)
            new = [e for e in sorted(there) if e not in best or (not waiting and best[e].call is not None)]
            new = [e for e in new if _is_new(e, was, waiting=waiting) and (waiting or there[e].call is None)]
            new.sort(key=lambda e: there[e].group != group)
            listed.append(_substitute(rank, new[0] if new else None, was, other))
            if not new:
                ended = "nobody"
                break
            over.append(new[0])
        yield SeatFilled(group=problem.groups[group].id, waits=waiting, substitutes=listed, ended=ended)


def _is_new(expert: int, was: Panel, *, waiting: bool) -> bool:
    """Whether somebody did not hold what they hold now: a seat, or (`waiting`) any place at all."""
    return expert not in (was.everybody if waiting else was.members)


def _without(
    outcome: Outcome,
    over: Sequence[int],
    waiting: bool,
    ends: float,
    report: Reporter,
    cancelled: Callable[[], bool],
) -> Outcome:
    """The best panel in which none of these people takes a seat (nor waits); checked like every panel."""
    problem = outcome.problem
    names = tuple(problem.experts[e] for e in over)
    passed = Unlike(id="passed_over", basis=Basis(text=""), panels=(names,), out=len(names), waiting=waiting)
    limits = replace(problem.limits, seconds=max(0.0, ends - time.monotonic()))
    asked = replace(problem, rules=(*problem.rules, passed), limits=limits)
    found = search(asked, start=outcome.panel, report=report, cancelled=cancelled)
    if found.panel is not None and any(finding.hard for finding in judge(found.panel)[1]):
        raise BrokenPanel(f"without {names}")
    return found


def _substitute(rank: int, expert: int | None, was: Panel, outcome: Outcome) -> Substitute:
    assert outcome.panel is not None
    return Substitute(
        rank=rank,
        expert=None if expert is None else was.problem.experts[expert],
        goals=list(outcome.goals),
        proven=outcome.status == "optimal",
        changes=changes_between(was, outcome.panel),
        sizes=sizes_between(was, outcome.panel),
    )
