"""Robustness, fairness and policies of a scenario, as far as it asks for them."""

from __future__ import annotations

from typing import Any

from expert_pool.simulation.bench import Bench
from expert_pool.simulation.fairness import fairness
from expert_pool.simulation.policies import policies
from expert_pool.simulation.robustness import robustness


def through_lenses(bench: Bench) -> dict[str, Any]:
    """The parts of the result by name, None where nothing was asked or a stop came first. What is not whole is said to be
    so in what is gathered. Raises Fault, with file and line, for what does not fit."""
    doc, found = bench.asked.scenario.doc, dict[str, Any]()
    for name, asked, lens in (
        ("robustness", doc.robustness, robustness),
        ("fairness", doc.fairness, fairness),
        ("policies", doc.policies, policies),
    ):
        found[name] = None if asked is None or bench.cancelled() else _located(bench, name, lens)
        if asked is not None and (found[name] is None or not found[name].complete):
            bench.gathering.complete = False
    return found


def _located(bench: Bench, name: str, lens: Any) -> Any:
    from solver.errors import Fault

    try:
        return lens(bench)
    except Fault as fault:
        where = bench.asked.scenario.at(name)
        raise Fault(fault.code, f"{where}: {fault.where}" if fault.where else where, **fault.params) from None
