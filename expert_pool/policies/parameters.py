"""Parameters: their values checked, overrides applied, references in the rest of a policy replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from expert_pool.policies.document import ParameterDoc, as_window
from expert_pool.policies.located import Located, Path, nearest
from expert_pool.policies.policy import Override, Parameter, Setting
from expert_pool.policies.vocabulary import LEVELS
from solver.errors import Fault
from solver.rules import Basis

SURENESS = ("V1", "V2", "M", "D")
_SHARE = re.compile(r"[-+]?\d+(\.\d+)?%?|[-+]?\d+/\d+")


def as_share(value: object, name: str, where: str) -> str:
    """A share as text such as 3/10, from 3/10, 0.3 or 30%. Raises Fault when it is none, or not within 0..1."""
    text = str(value).replace(" ", "")
    if isinstance(value, bool) or not _SHARE.fullmatch(text) or text.endswith("/0"):
        raise Fault("policy.share_malformed", where, name=name, value=str(value))
    share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise Fault("policy.share_outside", where, name=name, value=str(value))
    return str(share)


def checked(doc: ParameterDoc, value: object, name: str, where: str) -> Setting | dict[str, Setting]:
    """The value a parameter may take; raises Fault for a wrong type, or beyond its limits."""
    if isinstance(value, Mapping):
        for level in value:
            if level not in LEVELS:
                raise Fault("policy.level_unknown", where, level=level, known=", ".join(LEVELS))
        return {level: _one(doc, value.get(level), name, where) for level in LEVELS}
    return _one(doc, value, name, where)


def _one(doc: ParameterDoc, value: object, name: str, where: str) -> Setting:
    if value is None:
        return None
    if doc.type == "share":
        return as_share(value, name, where)
    if doc.type == "boolean" and isinstance(value, bool):
        return value
    if doc.type == "window":
        try:
            return as_window(value)
        except ValueError:
            pass
    if doc.type == "integer" and isinstance(value, int) and not isinstance(value, bool):
        if (doc.low is None or value >= doc.low) and (doc.high is None or value <= doc.high):
            return value
        raise Fault("policy.parameter_outside", where, name=name, value=value, low=doc.low, high=doc.high)
    raise Fault("policy.parameter_wrong", where, name=name, value=str(value), type=doc.type)


def overridden(parameter: Parameter, doc: ParameterDoc, override: Override, where: str) -> Parameter:
    """The parameter with the override's value; its basis is then that decision."""
    value = checked(doc, override.value, parameter.name, where)
    basis = Basis(text=f"override {override.on.isoformat()}", status="D")
    return replace(parameter, value=value, basis=basis, override=override)


@dataclass
class References:
    """Replaces every `{parameter: NAME, plus: N}` in a part of the file; notes what was used and what is unstated."""

    located: Located
    parameters: Mapping[str, Parameter]
    used: set[str] = field(default_factory=set)

    def settle(self, path: Path, data: Any, level: str | None) -> Part:
        """`data` (which stands at `path`) with values for references; `level` None where no level is known."""
        part = Part({}, {}, data)
        part.data = self._replace(path, data, level, part, path)
        self.used |= part.names
        return part

    def _replace(self, path: Path, data: Any, level: str | None, part: Part, root: Path) -> Any:
        if isinstance(data, list):
            return [self._replace((*path, i), item, level, part, root) for i, item in enumerate(data)]
        if not isinstance(data, dict):
            return data
        if "parameter" not in data:
            close = [key for key in data if len(data) <= 2 and nearest(key, ["parameter"])]
            if close:
                raise Fault(
                    "policy.field_unknown",
                    self.located.at((*path, close[0])),
                    field=close[0],
                    nearest="parameter",
                    known="parameter, plus",
                )
            return {key: self._replace((*path, key), item, level, part, root) for key, item in data.items()}
        return self._value(path, data, level, part, root)

    def _value(self, path: Path, data: dict[str, Any], level: str | None, part: Part, root: Path) -> Setting:
        where = self.located.at((*path, "parameter"))
        parameter = self.find(data["parameter"], where)
        plus = data.get("plus", 0)
        if data.keys() - {"parameter", "plus"}:
            wrong = sorted(data.keys() - {"parameter", "plus"})[0]
            raise Fault("policy.field_unknown", where, field=wrong, nearest=None, known="parameter, plus")
        if isinstance(parameter.value, Mapping) and level is None:
            raise Fault("policy.level_misplaced", where, name=parameter.name)
        value = parameter.at(level or "")
        part.at[path[len(root) :]] = parameter.name
        if value is None:
            part.lacking[path[len(root) :]] = parameter.name
            return None
        if not plus:
            return value
        if parameter.type != "integer" or not isinstance(plus, int) or not isinstance(value, int):
            raise Fault("policy.parameter_wrong", where, name=parameter.name, value=str(plus), type="integer")
        return value + plus

    def find(self, name: object, where: str) -> Parameter:
        """The parameter of that name; raises Fault naming the nearest when there is none."""
        if not isinstance(name, str) or name not in self.parameters:
            known = sorted(self.parameters)
            raise Fault(
                "policy.parameter_unknown",
                where,
                name=str(name),
                nearest=nearest(name, known),
                known=", ".join(known),
            )
        self.used.add(name)
        return self.parameters[name]


@dataclass
class Part:
    """A piece of the file with values in it. Paths are relative to the piece: `at` -> the parameter that stood there,
    `lacking` -> the one that has no value."""

    at: dict[Path, str]
    lacking: dict[Path, str]
    data: Any

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.at.values())

    def without(self, path: Path) -> bool:
        """Whether an unstated parameter stands at `path` or below the way to it."""
        return any(path[: len(lack)] == lack for lack in self.lacking)


def stood_on(basis: Basis, parameters: Mapping[str, Parameter], names: Iterable[str]) -> Basis:
    """The basis of a rule together with that of what was set in it; the least sure of its numbers tells the status."""
    text, status = basis.text, basis.status
    for name in sorted(names):
        parameter = parameters[name]
        if parameter.basis.text == basis.text:
            continue
        text += f"; {name}: {parameter.basis.text} ({parameter.basis.status})"
        if parameter.type != "boolean":
            status = max(status, parameter.basis.status, key=SURENESS.index)
    return Basis(text=text, status=status)
