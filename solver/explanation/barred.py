"""Which gates keep somebody out, with what is on record, what is required, and the reference where there is one."""

from __future__ import annotations

from typing import cast

import numpy as np

from solver.answer import Saying
from solver.explanation.document import Conflict, GateBar
from solver.model import Funnel
from solver.panel import Panel
from solver.problem import Pairs, Problem
from solver.rules.barred import Barred
from solver.rules.base import Gate, Status
from solver.rules.gate import FactGate
from solver.rules.peer_grade import PeerGrade


def gates_against(problem: Problem, expert: int) -> list[GateBar]:
    """Every hard gate that closes some group to the expert, in the order of the rules."""
    found = []
    for gate in hard_gates(problem):
        passes = gate.passes(problem)
        open_ = np.broadcast_to(passes[expert], len(problem.groups))
        closed = [g for g in range(len(problem.groups)) if not open_[g]]
        if closed:
            found.append(
                GateBar(
                    id=gate.id,
                    rule=gate.rule,
                    groups=[problem.groups[g].id for g in closed],
                    everywhere=len(closed) == len(problem.groups),
                    says=_says(problem, gate, expert),
                    conflicts=_behind(problem, expert, closed) if isinstance(gate, Barred) else [],
                    basis=gate.basis.text,
                    basis_status=gate.basis.status,
                )
            )
    return found


def hard_gates(problem: Problem) -> list[Gate]:
    return [rule for rule in problem.rules if isinstance(rule, Gate) and rule.soft is None]


def barred_by_alone(problem: Problem, narrowed: Funnel) -> dict[str, int]:
    """For each hard gate how many experts it alone keeps out of every group."""
    masks = [(gate.id, gate.passes(problem)) for gate in hard_gates(problem)]
    wide = [(id_, mask if mask.ndim == 2 else mask[:, None]) for id_, mask in masks]
    out = ~narrowed.passes.any(axis=1)
    closed = np.zeros(narrowed.passes.shape, dtype=np.int64)
    for _, mask in wide:
        closed += ~mask
    return {id_: int((out & ((closed - ~mask) == 0).any(axis=1)).sum()) for id_, mask in wide}


def conflicts_with(panel: Panel, expert: int) -> list[Conflict]:
    """The conflicts of an expert with people of the panel."""
    problem, pairs = panel.problem, panel.problem.between
    seated = np.zeros(len(problem.experts), dtype=bool)
    seated[panel.everybody] = True
    found = []
    for mine, theirs in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        rows = ((mine == expert) & seated[theirs]).nonzero()[0].tolist()
        found += [_conflict(problem, pairs, i, other=int(theirs[i])) for i in rows]
    return found


def _behind(problem: Problem, expert: int, groups: list[int]) -> list[Conflict]:
    """The conflicts with cases that close these groups."""
    pairs = problem.with_cases
    found = []
    for i in (pairs.left == expert).nonzero()[0].tolist():
        case = int(pairs.right[i])
        effect = problem.conflict_kinds[int(pairs.kind[i])].effect
        if effect == "panel" or (effect == "group" and int(problem.cases.group[case]) in groups):
            found.append(_conflict(problem, pairs, i, case=case))
    return found


def _conflict(
    problem: Problem, pairs: Pairs, row: int, *, other: int | None = None, case: int | None = None
) -> Conflict:
    kind = problem.conflict_kinds[int(pairs.kind[row])]
    return Conflict(
        kind=kind.kind,
        effect=kind.effect,
        expert=None if other is None else problem.experts[other],
        case=None if case is None else problem.cases.id[case],
        why=pairs.why[row],
        basis=kind.basis,
        basis_status=cast(Status, kind.status),
    )


def _says(problem: Problem, gate: Gate, expert: int) -> Saying:
    match gate:
        case FactGate(where=where):
            value = problem.facts[where.fact].show(expert)
            test = {"fact": where.fact, "op": where.op, "than": where.value}
            if value is None:
                return Saying(code="explain.gate.unknown", params=test)
            return Saying(code="explain.gate.fact", params={**test, "value": value})
        case PeerGrade(grade=grade):
            held = [problem.specialties.name[s] for s in sorted(problem.held[expert])]
            return Saying(code="explain.gate.peers", params={"grade": grade, "held": held or None})
        case Barred():
            return Saying(code="explain.gate.conflict")
    return Saying(code="explain.gate.other", params={"rule": gate.id})
