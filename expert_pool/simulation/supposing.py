"""The policy that a scenario asks under: a preset or a file, with what the scenario supposes of its parameters and of how
far back its conflicts count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

from expert_pool import policies
from expert_pool.policies.document import ParameterDoc, as_window
from expert_pool.policies.load import SUFFIX, load, load_text, presets
from expert_pool.policies.located import nearest, read
from expert_pool.policies.parameters import checked
from expert_pool.policies.policy import Policy
from expert_pool.simulation.edits import Supposed
from expert_pool.simulation.reading import Scenario
from solver.errors import Fault

INSTRUMENT = "scenario"
SUPPOSED = {"zh": "情景假设", "en": "supposed by the scenario"}
"""What a number stands on that a scenario supposes."""
WINDOW = ("conflicts", "window")
BASE = ("base", "overrides")
Layer: TypeAlias = tuple[Mapping[str, Supposed], tuple[str | int, ...]]
"""Overrides, and where the scenario says them."""


def base_policy(scenario: Scenario) -> Policy:
    """The policy that the meetings are asked under. Raises Fault as `supposed`."""
    base = scenario.doc.base
    return supposed(scenario, policy_name(scenario), ((base.overrides, BASE),))


def policy_name(scenario: Scenario) -> str:
    """The policy that the meetings are asked under, by name or file."""
    from expert_pool.panels import DEFAULT_POLICY

    return scenario.doc.base.policy or DEFAULT_POLICY


def supposed(scenario: Scenario, name: str, layers: Sequence[Layer]) -> Policy:
    """A preset, or a policy file beside the scenario, in which some numbers are others: parameters of the policy by their
    names, windows as `conflicts.KIND.window`. It is what the policy file would be with these values written into it; their
    basis says that they are supposed. Of two layers the later one goes before the earlier.

    Raises Fault `policy.unknown`; and at the line of the override `scenario.override_unknown`, with the nearest name,
    `scenario.window`, `scenario.twice`, and as a policy's parameters do for values that do not fit.
    """
    beside = scenario.folder / name
    own = beside if scenario.folder.is_dir() and beside.is_file() else None
    layers = [layer for layer in layers if layer[0]]
    if not layers:
        return load(own or name)
    located = _written(own, name)
    if not isinstance(located, dict):
        return load(own or name)
    data, overlay = _whole(located)
    done: set[str] = set()
    for overrides, path in layers:
        done |= _written_into(data, scenario, overrides, path)
    data["instruments"] = {**data["instruments"], INSTRUMENT: SUPPOSED}
    text = json.dumps(data, ensure_ascii=False, default=str).encode()
    try:
        return load_text(text, name, [o for o in overlay if o["parameter"] not in done])
    except Fault as fault:
        raise Fault(fault.code, scenario.at(*layers[-1][1]), **fault.params) from None


def _written_into(
    data: dict[str, Any], scenario: Scenario, overrides: Mapping[str, Supposed], path: tuple[str | int, ...]
) -> set[str]:
    """The parameters that one layer of overrides sets in a policy's data."""
    done: dict[str, str] = {}
    for key, value in overrides.items():
        where = scenario.at(*path, key)
        parameter = _parameter_of(data, key, value, where)
        if parameter is None:
            continue
        if parameter in done:
            raise Fault("scenario.twice", where, name=f"{done[parameter]}, {key}")
        done[parameter] = key
        told = data["parameters"][parameter]
        told["value"] = checked(ParameterDoc.model_validate(told), value, key, where)
        told["basis"] = {"instrument": INSTRUMENT, "status": "D"}
    return set(done)


def windows(policy: Policy) -> dict[str, str]:
    """How far back each kind of conflict counts: whole years, `always`, `current`, `cycle`."""
    return {kind: str(conflict.window) for kind, conflict in policy.conflicts.items()}


def _written(own: Path | None, name: str) -> Any:
    """What a policy file says; None where there is none, for `load` to say so."""
    if own is not None:
        return read(own.read_bytes(), name).data
    if name not in presets():
        return None
    return read(files(policies).joinpath(name + SUFFIX).read_bytes(), name).data


def _whole(data: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A policy in full, with the overrides of the file that names it as its preset."""
    if "preset" not in data:
        return deepcopy(data), []
    return _written(None, str(data["preset"])), list(data.get("overrides") or [])


def _parameter_of(data: dict[str, Any], key: str, value: Supposed, where: str) -> str | None:
    """The parameter that an override is about. A window that the policy states outright is written here: then None."""
    kinds, parameters = data.get("conflicts") or {}, data["parameters"]
    section, _, rest = key.partition(".")
    kind, _, field = rest.rpartition(".")
    if (section, field) != WINDOW or kind not in kinds:
        if key in parameters:
            return key
        known = [*sorted(parameters), *(f"conflicts.{one}.window" for one in kinds)]
        raise Fault(
            "scenario.override_unknown",
            where,
            name=key,
            nearest=nearest(key, known),
            known=", ".join(known[len(parameters) :] if section == WINDOW[0] else known[: len(parameters)]),
        )
    if isinstance(kinds[kind]["window"], dict):
        return str(kinds[kind]["window"]["parameter"])
    try:
        kinds[kind]["window"] = as_window(value)
    except ValueError:
        raise Fault("scenario.window", where, name=key, value=str(value)) from None
    kinds[kind]["basis"] = {"instrument": INSTRUMENT, "status": "D"}
    return None
