"""What has happened since a panel was made, and the problem of changing it as little as the events allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Literal

import numpy as np

from solver.answer import Part
from solver.document import check_problem
from solver.errors import Fault
from solver.goals.base import Goal
from solver.goals.keep import Keep
from solver.panel import Panel
from solver.problem import Cases, ConflictKind, Effect, Exclusion, Lock, Pairs, Problem
from solver.rules.base import Basis, Rule
from solver.rules.locks import Locks
from solver.rules.same_size import SameSize


class Decision(Part):
    """A dated decision about a person or a case: `by` whom, `on` which day, `why`.

    `out`: neither sits nor waits; `in`: must sit (in `group`, or anywhere); `free`: an earlier decision that the
    person must sit no longer holds.
    """

    kind: Literal["out", "in", "free"]
    expert: str
    by: str
    on: date
    why: str
    group: str | None = None


VACANT = 12
"""What a seat counts that a group has fewer, or more, than before: a little more than somebody from outside."""
BASIS = Basis(text="", status="D")
MOST_COMPARED, MOST_NAMED = 5000, 20
"""Up to how many ids an unknown one is compared with, and up to how many are all named."""


@dataclass(frozen=True, slots=True)
class LateConflict:
    """A conflict that became known late: an expert with another expert, or with a case (ids), its effect and kind."""

    expert: str
    other: str
    effect: Effect = "pair"
    kind: str = "declared"
    why: str = ""


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case that came late: id, code of the sub-specialty, group id (None: the one group that judges it)."""

    id: str
    specialty: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """What has happened. Decisions about one person hold in their order; the last one counts."""

    decisions: tuple[Decision, ...] = ()
    conflicts: tuple[LateConflict, ...] = ()
    added: tuple[NewCase, ...] = ()
    withdrawn: tuple[str, ...] = ()


def changed(problem: Problem, panel: Panel, events: Events, rules: Sequence[Rule] = ()) -> Problem:
    """The problem of making `panel` lawful again with the least change: a problem file of its own.

    The events are in it. At level 1 stands what changes: the goal `keep`, which holds the panel, and VACANT for each
    seat that a group has fewer or more than it had. Everything else follows in its order (in a weighted problem,
    together at level 2). `rules` are added. Raises Fault for unknown people, groups or cases, somebody out whom an
    earlier decision says must sit, and a conflict that no rule of the problem acts on.
    """
    with_cases = _add_cases(_withdraw(problem, events.withdrawn), events.added)
    decided = _decide(_with_conflicts(with_cases, events.conflicts), events.decisions)
    goals, ruled = _shifted(decided)
    keep = Keep.of(replace(panel, problem=decided), id=_free_id("keep", [*goals, *ruled]))
    sizes = {group.id: len(panel.by_group[g]) for g, group in enumerate(problem.groups)}
    same = SameSize(
        id=_free_id("same_size", [*goals, *ruled]), basis=BASIS, soft=1, weight=VACANT, sizes=sizes
    )
    found = replace(decided, goals=(keep, *goals), rules=(*ruled, same, *rules), weighted=False)
    check_problem(found)
    return found


def _decide(problem: Problem, decisions: Sequence[Decision]) -> Problem:
    experts = {id_: e for e, id_ in enumerate(problem.experts)}
    groups = {group.id: g for g, group in enumerate(problem.groups)}
    locks = {lock.expert: lock for lock in problem.locks}
    out = {exclusion.expert: exclusion for exclusion in problem.exclusions}
    for decision in decisions:
        expert = _known(experts, decision.expert, "replace.expert_unknown")
        dated = f"{decision.on.isoformat()} {decision.why}".strip()
        if decision.kind == "free":
            locks.pop(expert, None)
        elif decision.kind == "out":
            if expert in locks:
                lock = locks[expert]
                raise Fault("replace.locked", decision.expert, by=lock.by, why=lock.why)
            out[expert] = Exclusion(expert, decision.by, dated)
        else:
            group = (
                None if decision.group is None else _known(groups, decision.group, "replace.group_unknown")
            )
            if expert in out:
                raise Fault("replace.excluded", decision.expert, by=out[expert].by, why=out[expert].why)
            locks[expert] = Lock(expert, group, decision.by, dated)
    rules = problem.rules
    if (locks or out) and not any(isinstance(rule, Locks) for rule in rules):
        rules = (*rules, Locks(id=_free_id("locks", [*rules, *problem.goals]), basis=BASIS))
    return replace(problem, locks=tuple(locks.values()), exclusions=tuple(out.values()), rules=rules)


def _with_conflicts(problem: Problem, late: Sequence[LateConflict]) -> Problem:
    experts = {id_: e for e, id_ in enumerate(problem.experts)}
    cases = {id_: c for c, id_ in enumerate(problem.cases.id)}
    kinds = list(problem.conflict_kinds)
    there = {rule.rule for rule in problem.rules if rule.soft is None}
    between: list[tuple[int, int, int, str]] = []
    with_cases: list[tuple[int, int, int, str]] = []
    for conflict in late:
        expert = _known(experts, conflict.expert, "replace.expert_unknown")
        people = conflict.other in experts
        other = experts[conflict.other] if people else _known(cases, conflict.other, "replace.party_unknown")
        needed = "apart" if people else "barred" if conflict.effect != "pair" else None
        if needed is not None and needed not in there:
            raise Fault("replace.conflict_idle", f"{conflict.expert}:{conflict.other}", rule=needed)
        kind = ConflictKind(conflict.kind, "pair" if people else conflict.effect, "", "D")
        if kind not in kinds:
            kinds.append(kind)
        (between if people else with_cases).append((expert, other, kinds.index(kind), conflict.why))
    return replace(
        problem,
        conflict_kinds=tuple(kinds),
        between=_joined(problem.between, between),
        with_cases=_joined(problem.with_cases, with_cases),
    )


def _joined(pairs: Pairs, more: Sequence[tuple[int, int, int, str]]) -> Pairs:
    left, right, kind = np.array([row[:3] for row in more], dtype=np.int64).reshape(-1, 3).T
    return Pairs(
        np.append(pairs.left, left),
        np.append(pairs.right, right),
        np.append(pairs.kind, kind),
        (*pairs.why, *(row[3] for row in more)),
    )


def _withdraw(problem: Problem, withdrawn: Sequence[str]) -> Problem:
    cases = {id_: c for c, id_ in enumerate(problem.cases.id)}
    stays = np.ones(len(cases), dtype=bool)
    for id_ in withdrawn:
        stays[_known(cases, id_, "replace.case_unknown")] = False
    now = np.cumsum(stays) - 1
    pairs = problem.with_cases
    kept = stays[pairs.right]
    return replace(
        problem,
        cases=Cases(
            tuple(id_ for id_, there in zip(problem.cases.id, stays.tolist(), strict=True) if there),
            problem.cases.specialty[stays],
            problem.cases.group[stays],
        ),
        with_cases=Pairs(
            pairs.left[kept],
            now[pairs.right[kept]],
            pairs.kind[kept],
            tuple(why for why, there in zip(pairs.why, kept.tolist(), strict=True) if there),
        ),
    )


def _add_cases(problem: Problem, added: Sequence[NewCase]) -> Problem:
    codes = {code: s for s, code in enumerate(problem.specialties.code)}
    groups = {group.id: g for g, group in enumerate(problem.groups)}
    cases = problem.cases
    for case in added:
        specialty = _known(codes, case.specialty, "replace.specialty_unknown")
        if case.group is not None:
            group = _known(groups, case.group, "replace.group_unknown")
        else:
            judging = [g for g, own in enumerate(problem.groups) if specialty in own.specialties]
            if len(judging) != 1:
                may = [problem.groups[g].id for g in judging] or list(groups)
                raise Fault("replace.case_group", case.id, specialty=case.specialty, groups=may)
            group = judging[0]
        if case.id in cases.id:
            raise Fault("replace.case_twice", case.id)
        cases = Cases(
            (*cases.id, case.id), np.append(cases.specialty, specialty), np.append(cases.group, group)
        )
    return replace(problem, cases=cases)


def _shifted(problem: Problem) -> tuple[list[Goal], list[Rule]]:
    """Goals and rules with their levels numbered from 2 on, without what an earlier replacement kept."""
    goals = [goal for goal in problem.goals if not isinstance(goal, Keep)]
    soft = {r.soft for r in problem.rules if r.soft is not None and not isinstance(r, SameSize)}
    levels = {goal.level for goal in goals} | soft
    place = {level: 2 if problem.weighted else i for i, level in enumerate(sorted(levels), start=2)}
    if len(set(place.values())) > 98:
        raise Fault("replace.levels", "goals", levels=len(levels))
    return (
        [goal.model_copy(update={"level": place[goal.level]}) for goal in goals],
        [
            rule if rule.soft is None else rule.model_copy(update={"soft": place[rule.soft]})
            for rule in problem.rules
            if not isinstance(rule, SameSize)
        ],
    )


def _free_id(wanted: str, taken: Iterable[Goal | Rule]) -> str:
    there = {one.id for one in taken}
    return next(id_ for id_ in (wanted, *(f"{wanted}_{n}" for n in range(2, 999))) if id_ not in there)


def _known(index: Mapping[str, int], id_: str, code: str) -> int:
    """The index of an id. Raises Fault `code` with the nearest id there is."""
    if id_ not in index:
        near = get_close_matches(id_, index, 1) if len(index) <= MOST_COMPARED else []
        known = ", ".join(index) if len(index) <= MOST_NAMED else None
        raise Fault(code, id_, given=id_, near=near[0] if near else None, known=known)
    return index[id_]
