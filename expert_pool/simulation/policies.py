"""Policies on the same history: which panels would not have been lawful, which cases lose their peers, who gains seats,
what it costs when every meeting is assembled anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from expert_pool.simulation.bench import Bench
from expert_pool.simulation.dividing import Division, division
from expert_pool.simulation.histories import Histories
from expert_pool.simulation.lens_results import (
    AssembledPart,
    BrokenPart,
    CasePart,
    CostPart,
    HistoryPart,
    PoliciesPart,
    PolicyGroupPart,
    PolicyPart,
    VerdictPart,
)
from expert_pool.simulation.lenses import PoliciesDoc
from expert_pool.simulation.policy_differences import differences
from expert_pool.simulation.results import panel_from
from expert_pool.simulation.seatings import draws
from solver.answer import Saying
from solver.check import judge
from solver.diagnosis.why_not import why_not
from solver.explanation.standing import costs_of, rungs
from solver.goals.tie_break import TieBreak
from solver.model import funnel
from solver.panel import Panel
from solver.problem import CLOSE, Problem
from solver.progress import Progress
from solver.rules.case_peers import CasePeers
from solver.rules.peer_grade import grade_for
from solver.sweeping.settled import Settled, lawful


def policies(bench: Bench) -> PoliciesPart:
    """Every meeting under every policy. Raises Fault where a group has too few people to be drawn from."""
    doc, over = bench.asked.scenario.doc.policies, bench.asked.histories
    assert doc is not None
    assert over is not None
    settled = [bench.settle(problems) for problems in over.problems]
    best = [[one.get(0) for one in own] for own in settled]
    unsettled = sum(1 for own in best for one in own if one is None or not one.proven)
    peers = doc.peers or _asked_peers(over.problems[0])
    panels = list(_history(bench, doc, over, best[0]))
    divided = division(list(chain(*over.problems)), doc.by, None, doc.smallest)
    count = len(over.problems[0])
    return PoliciesPart(
        policies=_described(doc, over),
        rules={rule.id: rule.rule for problem in chain(*over.problems) for rule in problem.rules},
        by=doc.by,
        smallest=doc.smallest,
        peers=peers,
        history=doc.history.panels,
        cases=sum(len(problem.cases.id) for problem in over.problems[0]),
        meetings=count,
        panels=panels,
        assembled=[
            _assembled(bench, policy, base, over, best[policy][base], best[0][base])
            for policy in range(len(over.problems))
            for base in range(count)
            if best[policy][base] is not None
        ],
        lost=[_lost(over, best, policy, peers) for policy in range(len(over.problems))],
        groups=[
            part for policy in range(len(over.problems)) for part in _groups(over, best, policy, divided)
        ],
        costs=[part for policy in range(1, len(over.problems)) for part in _costs(over, best, policy)],
        unsettled=unsettled,
        sealed=over.sealed,
        complete=not unsettled and not bench.cancelled(),
    )


def _asked_peers(problems: Sequence[Problem]) -> int:
    """How many close peers a policy asks for a case; 1 where it asks for none."""
    asked = [r.least for p in problems for r in p.rules if isinstance(r, CasePeers) and r.grade == "close"]
    return max(asked, default=1)


def _described(doc: PoliciesDoc, over: Histories) -> list[PolicyPart]:
    return [
        PolicyPart(
            name=one.name.model_dump(),
            policy=one.policy,
            sha256=over.sha256[at],
            differences=differences(over, at),
        )
        for at, one in enumerate(doc.compare)
    ]


def _history(
    bench: Bench, doc: PoliciesDoc, over: Histories, best: Sequence[Settled | None]
) -> list[HistoryPart]:
    """The panels of the history with every policy's verdict."""
    found: list[HistoryPart] = []
    for base, problem in enumerate(over.problems[0]):
        bench.report(Progress("policies", done=base, total=len(over.problems[0])))
        settled = best[base]
        own: list[tuple[Panel, str | None, int | None]] = []
        if doc.history.panels == "past":
            own = [(past.panel, past.code, None) for past in over.past if past.base == base]
        elif settled is not None and settled.panel is not None:
            if doc.history.panels == "optimum":
                own = [(settled.panel, None, None)]
            else:
                sizes = [len(group) for group in settled.panel.by_group]
                batch = draws(bench, problem, sizes, doc.history.draw, doc.history.count)
                own = [
                    (panel_from(part, problem), None, number)
                    for number, part in enumerate(batch.panels)
                    if part is not None
                ]
        waiting = doc.history.panels != "drawn"
        found += [
            HistoryPart(
                base=base,
                panel=bench.gathering.keep(panel) or "",
                code=code,
                draw=number,
                verdicts=[
                    verdict(at, panel, problems[base], waiting) for at, problems in enumerate(over.problems)
                ],
            )
            for panel, code, number in own
        ]
    return found


def verdict(policy: int, panel: Panel, problem: Problem, waiting: bool = True) -> VerdictPart:
    """What the checker says of a panel under a policy's problem. Groups are those of the policy that judge most of the
    same cases. Without `waiting` nothing is asked of alternates: the panel was drawn without any. A member whom the
    policy's problem does not know is left out and counted."""
    laid, missing = relaid(panel, problem)
    kinds = {rule.id: rule.rule for rule in problem.rules}
    findings = [
        finding
        for finding in judge(laid)[1]
        if finding.hard and (waiting or kinds[finding.rule] != "alternates")
    ]
    return VerdictPart(
        policy=policy,
        lawful=not findings and not missing,
        broken=[
            BrokenPart(
                rule=finding.rule,
                kind=kinds[finding.rule],
                says=finding.says,
                experts=finding.experts,
                cases=finding.cases,
                basis=finding.basis,
            )
            for finding in findings
        ],
        absent=missing,
    )


def relaid(panel: Panel, problem: Problem) -> tuple[Panel, int]:
    """A panel in the numbers of another problem of the same meeting, and how many members that does not know."""
    index = {id_: e for e, id_ in enumerate(problem.experts)}
    groups = _same_groups(panel.problem, problem)

    def here(expert: int) -> int | None:
        return index.get(panel.problem.experts[expert])

    members = {e: groups[g] for m, g in panel.members.items() if (e := here(m)) is not None}
    waiting: list[list[int]] = [[] for _ in problem.groups]
    for g, called in enumerate(panel.alternates):
        waiting[groups[g]] += [e for a in called if (e := here(a)) is not None]
    deputies = tuple(e for d in panel.deputies if (e := here(d)) is not None)
    chair = None if panel.chair is None else here(panel.chair)
    laid = Panel(problem, members, chair, deputies, tuple(tuple(own) for own in waiting))
    return laid, len(panel.members) - len(members)


def _same_groups(one: Problem, other: Problem) -> list[int]:
    """For each group the one of the other problem that judges most of its cases; of several, the first by id, then order."""
    if [group.id for group in one.groups] == [group.id for group in other.groups]:
        return list(range(len(one.groups)))
    of = dict(zip(other.cases.id, other.cases.group.tolist(), strict=True))
    found = []
    for g, group in enumerate(one.groups):
        ids = [id_ for id_, own in zip(one.cases.id, one.cases.group.tolist(), strict=True) if own == g]
        shared = Counter(of[id_] for id_ in ids if id_ in of)
        named = [h for h, theirs in enumerate(other.groups) if theirs.id == group.id]
        found.append(max(range(len(other.groups)), key=lambda h: (shared[h], h in named, -h)))
    return found


def _assembled(
    bench: Bench, policy: int, base: int, over: Histories, settled: Settled | None, first: Settled | None
) -> AssembledPart:
    assert settled is not None
    problem = over.problems[policy][base]
    costs: dict[int, int] = {}
    lawful_first = None
    kept = None
    if settled.panel is not None:
        laid, missing = relaid(settled.panel, over.problems[0][base])
        if not missing:
            costs = _first_costs(laid)
            lawful_first = lawful(laid)
        if first is not None and first.panel is not None:
            seated = {first.panel.problem.experts[e] for e in first.panel.members}
            kept = sum(problem.experts[e] in seated for e in settled.panel.members)
    says: list[Saying] = []
    if settled.status == "infeasible" and not bench.cancelled():
        says = why_not(problem, funnel(problem), bench.cancelled)
    return AssembledPart(
        policy=policy,
        base=base,
        status=settled.status,
        panel=bench.gathering.keep(settled.panel),
        goals=list(settled.goals),
        first_costs=costs,
        first_lawful=lawful_first,
        kept=kept,
        why_not=says,
    )


def _first_costs(panel: Panel) -> dict[int, int]:
    return {rung.level: cost for rung, cost in zip(rungs(panel.problem), costs_of(panel), strict=True)}


def _lost(
    over: Histories, best: Sequence[Sequence[Settled | None]], policy: int, peers: int
) -> list[CasePart]:
    """Cases with `peers` close peers seated under the first policy's best panel and fewer under this one's, or the same of
    those who are eligible."""
    found = []
    for base, problem in enumerate(over.problems[policy]):
        first = over.problems[0][base]
        now, before = _peers(problem, best[policy][base]), _peers(first, best[0][base])
        for case, (specialty, seated, eligible) in now.items():
            if case not in before:
                continue
            _, seated_first, eligible_first = before[case]
            known = seated is not None and seated_first is not None
            fewer = known and (seated or 0) < peers <= (seated_first or 0)
            if fewer or eligible < peers <= eligible_first:
                found.append(
                    CasePart(
                        base=base,
                        case=case,
                        specialty=specialty,
                        seated=seated or 0,
                        seated_first=seated_first or 0,
                        eligible=eligible,
                        eligible_first=eligible_first,
                    )
                )
    return found


def _peers(problem: Problem, settled: Settled | None) -> dict[str, tuple[str, int | None, int]]:
    """Of each case: its specialty, and how many close peers who may judge it sit in its group and are eligible for it."""
    passes = funnel(problem).passes
    panel = None if settled is None else settled.panel
    found = {}
    for c, case in enumerate(problem.cases.id):
        specialty, group = int(problem.cases.specialty[c]), int(problem.cases.group[c])
        holders = np.unique(problem.skills.expert[problem.skills.specialty == specialty]).tolist()
        may = [e for e in holders if passes[e, group] and e not in problem.recused[c]]
        seated = None
        if panel is not None:
            seated = sum(
                grade_for(problem, e, (specialty,)) == CLOSE and e not in problem.recused[c]
                for e in panel.by_group[group]
            )
        found[case] = (problem.specialties.code[specialty], seated, len(may))
    return found


def _groups(
    over: Histories, best: Sequence[Sequence[Settled | None]], policy: int, divided: Division
) -> list[PolicyGroupPart]:
    count = len(divided.cells)
    eligible: list[set[str]] = [set() for _ in range(count)]
    seats, before, meetings = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), 0
    for base, problem in enumerate(over.problems[policy]):
        cells = divided.of(problem)
        for e in np.flatnonzero(funnel(problem).passes.any(axis=1)).tolist():
            eligible[cells[e]].add(problem.experts[e])
        ours, first = best[policy][base], best[0][base]
        if ours is None or first is None or ours.panel is None or first.panel is None:
            continue
        meetings += 1
        seats += np.bincount(cells[sorted(ours.panel.members)], minlength=count)
        theirs = divided.of(first.panel.problem)[sorted(first.panel.members)]
        before += np.bincount(theirs, minlength=count)
    return [
        PolicyGroupPart(
            policy=policy,
            of=cell.name,
            values=cell.values,
            pool=cell.people,
            eligible=len(eligible[c]),
            seats=int(seats[c]),
            first=int(before[c]),
            meetings=meetings,
        )
        for c, cell in enumerate(divided.cells)
    ]


def _costs(over: Histories, best: Sequence[Sequence[Settled | None]], policy: int) -> list[CostPart]:
    """What the panels of a policy cost by the first policy's goals, against the first policy's own panels; levels that only break ties at random are left out."""
    totals: dict[int, list[int]] = {}
    drawn = {g.level for p in over.problems[0] for g in p.goals if isinstance(g, TieBreak)}
    names: dict[int, str] = {}
    for base, problem in enumerate(over.problems[0]):
        ours, theirs = best[0][base], best[policy][base]
        if ours is None or theirs is None or ours.panel is None or theirs.panel is None:
            continue
        laid, missing = relaid(theirs.panel, problem)
        if missing:
            continue
        names |= {rung.level: rung.id for rung in rungs(problem)}
        first, other = _first_costs(ours.panel), _first_costs(laid)
        for level, cost in first.items():
            if level in drawn and not over.problems[0][base].weighted:
                continue
            own = totals.setdefault(level, [0, 0, 0, 0])
            own[0] += cost
            own[1] += other[level]
            own[2] += 1
            own[3] += other[level] > cost
    return [
        CostPart(policy=policy, level=level, goal=names[level], first=a, other=b, meetings=n, rises=rises)
        for level, (a, b, n, rises) in sorted(totals.items())
    ]
