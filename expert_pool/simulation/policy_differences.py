"""What a policy states otherwise than the first one it is compared with: rules, field by field, and kinds of conflict."""

from __future__ import annotations

from collections.abc import Sequence

from expert_pool.simulation.histories import Histories
from expert_pool.simulation.lens_results import CONFLICT, RuleDifferencePart
from solver.problem import Problem
from solver.rules.base import SAID_ONLY, Rule

SHOWN = frozenset({"id", "rule", "basis"})


def differences(over: Histories, at: int) -> list[RuleDifferencePart]:
    """What policy `at` states otherwise than the first."""
    return [*_of_rules(over.problems[0], over.problems[at]), *_of_conflicts(over, at)]


def _of_rules(first: Sequence[Problem], other: Sequence[Problem]) -> list[RuleDifferencePart]:
    """Rules stated otherwise in any meeting, each difference once."""
    found: dict[tuple[object, ...], RuleDifferencePart] = {}
    for a, b in zip(first, other, strict=True):
        ours, theirs = {r.id: r for r in a.rules}, {r.id: r for r in b.rules}
        for id_ in dict.fromkeys([*ours, *theirs]):
            for part in _of_rule(ours.get(id_), theirs.get(id_)):
                found.setdefault((part.rule, part.field, part.first, part.other), part)
    return list(found.values())


def _of_conflicts(over: Histories, at: int) -> list[RuleDifferencePart]:
    """Kinds of conflict that count otherwise than under the first policy: how far back, and what follows."""
    first, other = over.windows.get(0, {}), over.windows.get(at, {})
    effects: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for found, problems in zip(effects, (over.problems[0], over.problems[at]), strict=True):
        found.update({kind.kind: kind.effect for problem in problems for kind in problem.conflict_kinds})
    return [
        RuleDifferencePart(rule=kind, kind=CONFLICT, field=name, first=before[kind], other=after[kind])
        for name, before, after in (("window", first, other), ("effect", *effects))
        for kind in before
        if kind in after and before[kind] != after[kind]
    ] + [
        RuleDifferencePart(
            rule=kind, kind=CONFLICT, field="window", first=first.get(kind), other=other.get(kind)
        )
        for kind in sorted(first.keys() ^ other.keys())
    ]


def _of_rule(one: Rule | None, other: Rule | None) -> list[RuleDifferencePart]:
    known = one or other
    assert known is not None
    if one is None or other is None or type(one) is not type(other):
        said = (None, known.rule) if one is None else (known.rule, None if other is None else other.rule)
        return [RuleDifferencePart(rule=known.id, kind=known.rule, field=None, first=said[0], other=said[1])]
    before, after = one.model_dump(mode="json"), other.model_dump(mode="json")
    return [
        RuleDifferencePart(
            rule=one.id, kind=one.rule, field=name, first=_text(before[name]), other=_text(after[name])
        )
        for name in before
        if name not in SHOWN and before[name] != after[name] and (name not in SAID_ONLY or name == "soft")
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
