"""What an office would have to decide so that a panel is lawful: a way to give way, as overrides of parameters.

A rule stands on parameters; the smallest change of one of them under which the rule finds nothing wrong with the panel is
the override. It is found by asking the rule itself, so it never allows less than the panel needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from expert_pool.policies.load import preset
from expert_pool.policies.policy import Override
from expert_pool.policies.settable import Settable, percent_of, settables
from solver.errors import Fault
from solver.panel import Finding, Panel

MOST = 12
"""So many numbers are tried for one parameter."""


def concessions(
    policy: str, overrides: Sequence[Override], level: str, panel: Panel, rules: Sequence[str]
) -> dict[str, Any] | None:
    """Values for parameters of a preset (with the overrides it has already) under which none of `rules` finds fault with the
    panel; None where the policy has no parameters that do it."""
    given: dict[str, Any] = {}
    for id_ in rules:
        if _holds(policy, overrides, given, level, panel, id_):
            continue
        found = None
        for one in settables(policy, level):
            if id_ in (*one.rules, *one.needed_by):
                found = _moved(policy, overrides, given, level, panel, id_, one)
                if found:
                    break
        if not found:
            return None
        given |= found
    return given if all(_holds(policy, overrides, given, level, panel, id_) for id_ in rules) else None


def _moved(
    policy: str,
    overrides: Sequence[Override],
    given: dict[str, Any],
    level: str,
    panel: Panel,
    rule: str,
    one: Settable,
) -> dict[str, Any] | None:
    name = one.parameter.name
    at = next((o.value for o in overrides if o.parameter == name), None)
    value = given.get(name, at if at is not None and not isinstance(at, dict) else one.parameter.at(level))
    found = _found(policy, overrides, given, level, panel, rule) if rule in one.rules else []
    for other in _nearby(one, value, found, panel):
        if _holds(policy, overrides, {**given, name: other}, level, panel, rule):
            return {name: other}
    return None


def _nearby(one: Settable, value: Any, found: Sequence[Finding], panel: Panel) -> Iterator[Any]:
    """Values that might do, the nearest first: what the panel has where the rule looks; switched off at last."""
    if value is not None and one.parameter.type in ("share", "integer"):
        numbers = {finding.measure.value for finding in found}
        for finding in found:
            fact = dict(finding.measure.params).get("fact")
            if finding.measure.experts and isinstance(fact, str) and fact in panel.problem.facts:
                shown = [panel.fact(fact, e) for e in finding.measure.experts]
                numbers |= {n for n in shown if isinstance(n, int) and not isinstance(n, bool)}
        if one.parameter.type == "share":
            now = Fraction(percent_of(value) or 0) / 100
            size = max(1, len(panel.members))
            shares = {Fraction(n, size) for n in numbers if 0 <= n <= size} - {now}
            yield from (str(share) for share in sorted(shares, key=lambda share: abs(share - now)))
        else:
            whole = {n + more for n in numbers for more in (-1, 0, 1)} - {value}
            inside = [n for n in whole if one.low is None or n >= one.low]
            inside = [n for n in inside if one.high is None or n <= one.high]
            yield from sorted(inside, key=lambda n: (abs(n - value), n))[:MOST]
    if one.optional and value is not None:
        yield None


def _found(
    policy: str,
    overrides: Sequence[Override],
    given: dict[str, Any],
    level: str,
    panel: Panel,
    rule: str,
) -> list[Finding]:
    """What the rule, as the policy now has it, finds wrong with the panel. Raises Fault where the values do not fit it."""
    changed = preset(policy, _joined(overrides, given))
    own = next((r for r in changed.rules(level) if r.id == rule), None)
    if own is None:
        return []
    return list(own.findings(replace(panel, problem=replace(panel.problem, rules=changed.rules(level)))))


def _holds(
    policy: str,
    overrides: Sequence[Override],
    given: dict[str, Any],
    level: str,
    panel: Panel,
    rule: str,
) -> bool:
    try:
        return not _found(policy, overrides, given, level, panel, rule)
    except Fault:
        return False


def _joined(overrides: Sequence[Override], given: dict[str, Any]) -> list[Override]:
    kept = [override for override in overrides if override.parameter not in given]
    return kept + [Override(name, value, "-", date(2000, 1, 1), "-") for name, value in given.items()]
