"""What all pages of what-if read with: who asks, a result's document, the words of its figures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from api.http.access import allowed
from api.http.problems import language_of
from api.http.service import Service
from expert_pool.accounts import Principal, Right
from expert_pool.documents.cycles_taken import cycles_said
from expert_pool.documents.marginal_prices import marginal_steps
from expert_pool.documents.parameter_naming import (
    facts_said,
    goal_name,
    parameter_in_full,
    parameter_name,
    rule_called,
    value_name,
)
from expert_pool.simulation import kept
from expert_pool.simulation.results import Simulation

Asker = Annotated[Principal, Depends(allowed(Right.SIMULATIONS_RUN))]


def document(service: Service, asks: Principal, code: str) -> Simulation:
    """A result, or what there is of it. Raises Fault `simulation.unknown`, `simulation.nothing_yet`."""
    with service.store.reading() as session:
        return kept.document_of(session, kept.find(session, asks.viewer(Right.SIMULATIONS_RUN), code))


def words(request: Request, found: Simulation | None = None) -> dict[str, Any]:
    """What templates say figures with: `goal` by its id as `found` calls it, parameters and their values, the goals of a point
    by level, facts of recruits."""
    lang = language_of(request)
    return {
        "goal": lambda id_: goal_name(id_, lang, found.goals if found else None),
        "dict_of": lambda point: {goal.level: goal for goal in point.goals},
        "facts_said": lambda facts: facts_said(facts, lang),
        "short": _short,
        "parameter": lambda name: parameter_name(found, name, lang) if found else name,
        "in_full": lambda name: parameter_in_full(found, name, lang) if found else name,
        "value_at": lambda name, value: value_name(found, name, value, lang) if found else value,
        "cycles": cycles_said(found, lang) if found else [],
        "steps": marginal_steps(found, lang) if found else [],
        "rules_called": lambda ids: [rule_called(found, id_, lang) if found else id_ for id_ in ids] or None,
        "group_name": lambda id_: found.groups.get(id_) if found else None,
    }


def _short(value: float) -> str:
    """A mean or a bound of one: whole above a hundred, else to three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
