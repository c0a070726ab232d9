"""Reading a scenario: inheritance, and every mistake named with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from expert_pool.policies.located import Located, Path, nearest, read
from expert_pool.simulation.scenario import EDITS, CycleEdit, ScenarioDoc
from solver.errors import Fault, reason

if TYPE_CHECKING:
    from expert_pool.simulation.cycles import Taken

DEEPEST = 8
"""Scenarios may stand on one another so many times."""


@dataclass(frozen=True)
class Scenario:
    """A scenario, and where each part of it was written."""

    doc: ScenarioDoc
    folder: File
    """Where the scenario lies: its problem file is looked for from there."""
    located: Located
    origin: Mapping[str, Located]
    """Of each field at the top, the file that says it."""
    cycles: Mapping[str, Taken] = field(default_factory=dict)
    """The cycles of re-evaluation that edits name, by code, once they were read."""

    def at(self, *path: str | int) -> str:
        """`file:line` of a part."""
        located = self.origin.get(str(path[0]), self.located) if path else self.located
        return located.at(path)


def load(path: File) -> Scenario:
    """The scenario in a file. Raises Fault, naming file and line, for anything that cannot be used."""
    data, origin, located = _inherited(path, ())
    return understood(data, origin, located, _base_folder(origin, path))


def understood(
    data: Mapping[str, Any], origin: Mapping[str, Located], located: Located, folder: File
) -> Scenario:
    """The scenario that merged data say; `origin` as in `Scenario`. Raises Fault as `load`."""
    try:
        doc = ScenarioDoc.model_validate(data)
    except ValidationError as error:
        raise _misfit(error, data, origin, located) from None
    scenario = Scenario(doc, folder, located, origin)
    _consistent(scenario)
    return scenario


def _base_folder(origin: Mapping[str, Located], path: File) -> File:
    """A problem file lies beside the scenario that names it."""
    return File(origin["base"].file).parent if "base" in origin else path.parent


def _inherited(path: File, above: tuple[File, ...]) -> tuple[dict[str, Any], dict[str, Located], Located]:
    if path.resolve() in above or len(above) >= DEEPEST:
        raise Fault("scenario.circle", str(above[-1] if above else path), name=path.name)
    try:
        located = read(path.read_bytes(), str(path))
    except OSError as error:
        where = str(above[-1]) if above else str(path)
        raise Fault(
            "scenario.unreadable", where, name=str(path), reason=error.strerror or type(error).__name__
        ) from None
    if not isinstance(located.data, dict):
        raise Fault("scenario.none", located.file)
    own = dict(located.data)
    origin = dict.fromkeys(own, located)
    parent = own.get("extends")
    if parent is None:
        return own, origin, located
    if not isinstance(parent, str):
        raise Fault(
            "scenario.field_wrong", located.at(("extends",)), field="extends", value=str(parent), why="text"
        )
    theirs, places, _ = _inherited(path.parent / parent, (*above, path.resolve()))
    theirs.pop("extends", None)
    return {**theirs, **own}, {**places, **origin}, located


def _misfit(
    error: ValidationError, data: Mapping[str, Any], origin: Mapping[str, Located], located: Located
) -> Fault:
    found = next(
        (e for e in error.errors(include_url=False) if e["type"] != "missing"),
        error.errors(include_url=False)[0],
    )
    steps: Path = tuple(found["loc"])
    place = origin.get(str(steps[0]), located) if steps else located
    where, field = place.at(steps), str(next((step for step in reversed(steps) if isinstance(step, str)), ""))
    if found["type"] == "extra_forbidden":
        there = _fields(steps[:-1], data)
        near = nearest(field, there)
        return Fault("scenario.field_unknown", where, field=field, nearest=near, known=", ".join(there))
    if found["type"] == "missing":
        return Fault("scenario.field_missing", where, field=field)
    if found["type"] == "edit_kind" and isinstance(found["input"], dict):
        given = next(iter(found["input"]), "")
        near = nearest(given, EDITS)
        return Fault("scenario.field_unknown", where, field=given, nearest=near, known=", ".join(EDITS))
    value = str(found["input"])[:80]
    return Fault("scenario.field_wrong", where, field=field, value=value, why=reason(found))


def _fields(path: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that may stand at a path; an edit's own where the path leads into one."""
    for i, step in enumerate(path):
        if step == "change" and len(path) > i + 1:
            here: Any = data
            for part in path[: i + 2]:
                here = here[part]
            kinds = [kind for key, kind in EDITS.items() if isinstance(here, dict) and key in here]
            return _fields_of(kinds[0], path[i + 2 :]) if kinds else tuple(EDITS)
    return _fields_of(ScenarioDoc, path)


def _fields_of(kind: Any, path: Path) -> tuple[str, ...]:
    """The names of the fields where a path leads into a model, as they are written."""
    for step in path:
        models = [
            one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        if isinstance(step, int):
            kind = next((one for one in get_args(kind) if one not in (type(None), Ellipsis)), None)
        elif models:
            entries = [entry for name, entry in models[0].model_fields.items() if name.rstrip("_") == step]
            kind = entries[0].annotation if entries else None
        kinds = [one for one in get_args(kind) if one is not type(None)]
        if len(kinds) == 1 and type(None) in get_args(kind):
            kind = kinds[0]
    return tuple(name.rstrip("_") for name in getattr(kind, "model_fields", {}))


def _consistent(scenario: Scenario) -> None:
    """Raises Fault for a scenario that contradicts itself, or asks nothing."""
    doc, base = scenario.doc, scenario.doc.base
    kinds = [
        name
        for name, there in (
            ("problem", base.problem is not None),
            ("meeting", base.committee is not None or base.meeting is not None),
            ("year", base.year is not None),
            ("region", base.region is not None),
        )
        if there
    ]
    if len(kinds) != 1:
        raise Fault("scenario.base", scenario.at("base"), given=", ".join(kinds) or None)
    if kinds == ["meeting"] and (base.committee is None or base.meeting is None):
        raise Fault("scenario.meeting", scenario.at("base"))
    if kinds[0] in ("problem", "region") and (base.policy is not None or base.known_at is not None):
        raise Fault("scenario.of_registry", scenario.at("base", "policy" if base.policy else "known_at"))
    if kinds[0] in ("problem", "region"):
        _without_registry(scenario)
    lenses = (doc.robustness, doc.fairness, doc.policies)
    nothing = doc.sweep is None and not doc.tipping and doc.pareto is None and doc.years is None
    if nothing and not any(lens is not None for lens in lenses):
        raise Fault("scenario.asks_nothing", scenario.located.file)
    if (base.year is not None or base.region is not None) and (doc.tipping or doc.pareto is not None):
        raise Fault("scenario.one_panel", scenario.at("pareto" if doc.pareto else "tipping"))
    for path, edits in edits_of(scenario):
        seen: dict[str, Any] = {}
        for i, edit in enumerate(edits):
            where = scenario.at(*path, i)
            if getattr(edit, "drop", False) and edit.set:
                raise Fault(
                    "scenario.set_and_drop", where, name=edit.rule if hasattr(edit, "rule") else edit.goal
                )
            for name in (
                getattr(edit, "set", None) or {} if isinstance(getattr(edit, "set", None), dict) else {}
            ):
                key = f"{getattr(edit, 'rule', getattr(edit, 'goal', ''))}.{name}"
                if key in seen and seen[key] != edit.set[name]:
                    raise Fault("scenario.twice", where, name=key)
                seen[key] = edit.set[name]
    if doc.sweep is not None:
        parameters = [axis.parameter for axis in doc.sweep.axes if axis.parameter is not None]
        dropped = {
            f"{kind}.{getattr(edit, one)}"
            for edit in doc.change
            for kind, one in (("rules", "rule"), ("goals", "goal"))
            if getattr(edit, "drop", False) and hasattr(edit, one)
        }
        for i, name in enumerate(parameters):
            where = scenario.at("sweep", "axes", i)
            if name in parameters[:i]:
                raise Fault("scenario.twice", scenario.at("sweep", "axes"), name=name)
            if name.rpartition(".")[0] in dropped:
                raise Fault("scenario.dropped", where, name=name)
        if (doc.sweep.by == "latin") != (doc.sweep.draws is not None):
            raise Fault("scenario.draws", scenario.at("sweep"), by=doc.sweep.by)


def _without_registry(scenario: Scenario) -> None:
    """Raises Fault for what only a registry knows, where a scenario is about a file or a made region."""
    if scenario.doc.base.overrides:
        raise Fault("scenario.overrides_of_registry", scenario.at("base", "overrides"))
    for where in cycles_named(scenario).values():
        raise Fault("scenario.cycle_of_registry", where)


def cycles_named(scenario: Scenario) -> dict[str, str]:
    """The cycles of re-evaluation that a scenario names, by code, and where it names each first."""
    found: dict[str, str] = {}
    for path, edits in edits_of(scenario):
        for i, edit in enumerate(edits):
            if isinstance(edit, CycleEdit):
                found.setdefault(edit.cycle, scenario.at(*path, i))
    return found


def edits_of(scenario: Scenario) -> list[tuple[tuple[str | int, ...], tuple[Any, ...]]]:
    """Every list of edits, with the path to it."""
    doc = scenario.doc
    found: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [(("change",), doc.change)]
    for a, axis in enumerate(doc.sweep.axes if doc.sweep else ()):
        for o, option in enumerate(axis.options or ()):
            found.append((("sweep", "axes", a, "options", o, "change"), option.change))
    for p, policy in enumerate(doc.policies.compare if doc.policies else ()):
        found.append((("policies", "compare", p, "change"), policy.change))
    return found
