"""Why each person sits: what they serve, in message ids and parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from solver.answer import AlternateResult, CaseResult, MemberResult, RoleName, Saying
from solver.panel import Panel
from solver.problem import BROAD, CLOSE
from solver.rules.base import Rule
from solver.rules.peer_grade import grade_for
from solver.rules.quorum import Quorum
from solver.rules.share import seats_for


def members_of(panel: Panel) -> list[MemberResult]:
    """Every member with role and reasons, by group, the chair and deputies of a group first."""
    serves = _served(panel)
    results = []
    for g, group in enumerate(panel.problem.groups):
        ranked = sorted(
            panel.by_group[g], key=lambda e: (_ROLES.index(_role(panel, e)), panel.problem.experts[e])
        )
        for expert in ranked:
            reasons = [
                *_role_reasons(panel, expert),
                *_peer_reasons(panel, expert, g),
                *serves.get(expert, []),
            ]
            results.append(
                MemberResult(
                    expert=panel.problem.experts[expert],
                    group=group.id,
                    role=_role(panel, expert),
                    reasons=reasons,
                )
            )
    return results


def alternates_of(panel: Panel) -> list[AlternateResult]:
    """Alternates in calling order, each with whom they stand in for."""
    return [
        AlternateResult(
            expert=panel.problem.experts[expert],
            group=panel.problem.groups[g].id,
            order=order,
            reasons=[
                Saying(code="reason.covers", params={"group": panel.problem.groups[g].name, "order": order}),
                *_peer_reasons(panel, expert, g),
            ],
        )
        for g, called in enumerate(panel.alternates)
        for order, expert in enumerate(called, start=1)
    ]


def cases_of(panel: Panel) -> list[CaseResult]:
    """Every case: peers in its group who may judge it, who is recused and why, the quorum it needs and has."""
    problem = panel.problem
    quorum = next((rule for rule in problem.rules if isinstance(rule, Quorum)), None)
    kinds: dict[int, dict[int, list[str]]] = {}
    seated = np.zeros(len(problem.experts), dtype=bool)
    seated[list(panel.members)] = True
    pairs = (problem.with_cases.left, problem.with_cases.right, problem.with_cases.kind)
    own = seated[problem.with_cases.left]
    for e, c, k in zip(*(part[own].tolist() for part in pairs), strict=True):
        kinds.setdefault(c, {}).setdefault(e, []).append(problem.conflict_kinds[k].kind)
    results = []
    for c, (specialty, group) in enumerate(
        zip(problem.cases.specialty.tolist(), problem.cases.group.tolist(), strict=True)
    ):
        away = kinds.get(c, {})
        may = [e for e in panel.by_group[group] if e not in away]
        grades = {e: grade_for(problem, e, (specialty,)) for e in may}
        counted = panel.members if quorum is None or quorum.of == "panel" else panel.by_group[group]
        gone = 0 if quorum is not None and quorum.recused_counts else sum(1 for e in counted if e in away)
        results.append(
            CaseResult(
                case=problem.cases.id[c],
                group=problem.groups[group].id,
                specialty=problem.specialties.code[specialty],
                close=[problem.experts[e] for e in may if grades[e] == CLOSE],
                broad=[problem.experts[e] for e in may if grades[e] == BROAD],
                recused={problem.experts[e]: sorted(set(names)) for e, names in sorted(away.items())},
                quorum=None if quorum is None else seats_for(quorum.least, len(counted)),
                present=len(counted) - gone,
            )
        )
    return results


_ROLES: tuple[RoleName, ...] = ("chair", "deputy", "member")


def _role(panel: Panel, expert: int) -> RoleName:
    return "chair" if expert == panel.chair else "deputy" if expert in panel.deputies else "member"


def _role_reasons(panel: Panel, expert: int) -> list[Saying]:
    role = _role(panel, expert)
    said = [Saying(code="reason.chair")] if role == "chair" else []
    if role == "deputy":
        params = {"order": panel.deputies.index(expert) + 1, "of": len(panel.deputies)}
        said = [Saying(code="reason.deputy", params=params)]
    said += [
        Saying(code="reason.locked", params={"by": lock.by, "why": lock.why})
        for lock in panel.problem.locks
        if lock.expert == expert
    ]
    return said


def _peer_reasons(panel: Panel, expert: int, group: int) -> list[Saying]:
    problem = panel.problem
    own = Counter(problem.cases.specialty[problem.cases.group == group].tolist())
    held = problem.held[expert]
    close = [(n, s) for s, n in own.items() if s in held]
    if close:
        names = [problem.specialties.name[s] for _, s in sorted(close, reverse=True)]
        params = {"cases": sum(n for n, _ in close), "specialties": names}
        return [Saying(code="reason.close_peer", params=params)]
    if grade_for(problem, expert, problem.groups[group].specialties) == BROAD:
        return [Saying(code="reason.broad_peer", params={"group": problem.groups[group].name})]
    return []


def _served(panel: Panel) -> Mapping[int, list[Saying]]:
    """Rules with a lower bound that a member counts towards; `tight` where one less would break it."""
    said: dict[int, list[Saying]] = {}
    for rule in panel.problem.rules:
        if not _counts_people(rule):
            continue
        for measure in rule.measures(panel):
            if measure.low:
                tight = measure.value <= measure.low
                saying = Saying(code="reason.tight" if tight else "reason.counts", params={"rule": rule.id})
                for expert in measure.experts:
                    said.setdefault(expert, []).append(saying)
    return said


def _counts_people(rule: Rule) -> bool:
    return rule.rule in ("share", "ratio", "newcomers")
