"""The family of rules: every module in this folder that defines a `Rule` joins it; nothing else need be edited."""

from __future__ import annotations

from typing import Any

from solver.family import gather, reader
from solver.rules.base import Basis, Gate, Rule

RULES: dict[str, type[Rule]] = gather(__name__, __path__, Rule, "rule")  # type: ignore[type-abstract]
"""Every rule by its name, e.g. `share`."""

AnyRule: Any = reader(RULES.values(), "rule")

__all__ = ["RULES", "AnyRule", "Basis", "Gate", "Rule"]
