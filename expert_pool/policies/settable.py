"""Which parameters of a preset an office may set, how far each goes, and which rules stand on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from expert_pool.policies.document import ParameterType
from expert_pool.policies.load import SUFFIX, preset
from expert_pool.policies.located import read
from expert_pool.policies.policy import Parameter
from solver.rules import RULES, Gate

Field = Literal["seats", "gates", "composition", "peers", "times"]
FIELDS: tuple[Field, ...] = ("seats", "gates", "composition", "peers", "times")
"""In the order in which an office thinks of them."""

_SEATS = frozenset({"panel_size", "group_size", "roles", "alternates", "same_size"})
_PEERS = frozenset({"group_peers", "case_peers", "peer_grade", "quorum"})
LADDERS = frozenset({"rank"})
"""Facts that count steps with names of their own."""
WIDE = 200
"""A range of more whole numbers than this is too long for a slider: it then ends where values are of use."""


@dataclass(frozen=True, slots=True)
class Settable:
    """A parameter as a control: `low`..`high` is what its own schema allows (None: no bound), `near` how far a slider
    goes, in steps of 1 (shares: whole percents), and `rests` where it stands while no number is stated: where the rule asks
    least. `rules` stand on it; `optional`: it may be switched off."""

    parameter: Parameter
    field: Field
    rules: tuple[str, ...]
    low: int | None
    high: int | None
    near: tuple[int, int]
    rests: int
    optional: bool
    needed_by: tuple[str, ...] = ()
    """Rules that are left out once it is switched off."""
    ladder: str | None = None
    """The fact whose steps it counts, where they have names (`rank.3` in the catalogues) and are no amounts."""


@cache
def settables(policy: str, level: str) -> tuple[Settable, ...]:
    """The parameters of a preset for committees of a level, field by field. Raises Fault `policy.unknown`."""
    settled = preset(policy)
    data = read(files(__package__).joinpath(policy + SUFFIX).read_bytes(), policy).data
    stands: dict[str, list[tuple[str, str | None, str, str]]] = {}
    parts: dict[str, list[tuple[Any, str]]] = {}
    for section, kind, id_, part in _parts(data):
        for name, at in _named(part):
            stands.setdefault(name, []).append((section, kind, id_, at))
            parts.setdefault(name, []).append((part, at))
    needed: dict[str, list[str]] = {}
    for rule in data.get("rules", []):
        for name in rule.get("needs", []):
            needed.setdefault(name, []).append(rule["id"])
    found = []
    for name, parameter in settled.parameters.items():
        own, doc = stands.get(name, []), data["parameters"][name]
        limits = [_bound(rule, at) for _, rule, _, at in own]
        downward = any(_downward(part, at) for part, at in parts.get(name, []))
        low = _tightest(max, [doc.get("low"), *(one[0] for one in limits)])
        high = _tightest(min, [doc.get("high"), *(one[1] for one in limits)])
        near = _near(parameter, level, low, high)
        found.append(
            Settable(
                parameter=parameter,
                field=_field([(section, rule) for section, rule, _, _ in own]),
                rules=tuple(dict.fromkeys(id_ for section, _, id_, _ in own if section == "rules")),
                low=low,
                high=high,
                near=near,
                rests=near[1] if downward else near[0],
                optional=name in needed or not any(section == "seats" for section, _, _, _ in own),
                needed_by=tuple(needed.get(name, ())),
                ladder=next(
                    (f for part, _ in parts.get(name, []) for f in _compared(part, name) if f in LADDERS),
                    None,
                ),
            )
        )
    return tuple(sorted(found, key=lambda one: FIELDS.index(one.field)))


def percent_of(value: Any) -> float | None:
    """A share as percent; None where it is none."""
    if value is None or isinstance(value, bool):
        return None
    text = str(value)
    share = Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)
    return round(float(share * 100), 2)


def read_setting(kind: ParameterType, text: str) -> Any:
    """What somebody typed as a value of a parameter: empty is None; whatever is no such value stays text, for the policy's
    own reader to refuse."""
    text = text.strip()
    if text in ("", "off"):
        return None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "share":
        return _share(text)
    try:
        return int(text)
    except ValueError:
        return text


def _share(text: str) -> str:
    """A share as typed, plain numbers in percent: 33.33 is a third, as shares have denominators of at most 1000."""
    if "/" in text or text.endswith("%") or text.isdigit():
        return f"{text}%" if text.isdigit() else text
    try:
        return str((Fraction(text) / 100).limit_denominator(1000))
    except (ValueError, ZeroDivisionError):
        return text


def _parts(data: dict[str, Any]) -> Iterator[tuple[str, str | None, str, Any]]:
    """Every piece of a policy that may speak of parameters: its section, rule (where it is one), id, and the piece."""
    yield "seats", None, "seats", data.get("seats", {})
    for kind, part in data.get("conflicts", {}).items():
        yield "times", None, kind, part
    yield "times", None, "terms", data.get("terms", {})
    for rule in data.get("rules", []):
        yield "rules", rule["rule"], rule["id"], rule
    for goal in data.get("goals", []):
        yield "goals", None, goal["id"], goal


def _named(part: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """The parameters a piece names, each with the field it stands in."""
    if isinstance(part, dict):
        if isinstance(part.get("parameter"), str):
            yield part["parameter"], at
            return
        for key, inner in part.items():
            yield from _named(inner, str(key))
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner, at)


def _compared(part: Any, name: str) -> Iterator[str]:
    """The facts that a piece compares with a parameter."""
    if isinstance(part, dict):
        if part.get("value") == {"parameter": name}:
            yield str(part.get("fact"))
        for inner in part.values():
            yield from _compared(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _compared(inner, name)


def _bound(rule: str | None, field: str) -> tuple[int | None, int | None]:
    """The least and the most that a field of a rule takes by the rule's own schema."""
    if rule is None or rule not in RULES:
        return None, None
    told = RULES[rule].model_json_schema().get("properties", {}).get(field, {})
    for one in (told, *told.get("anyOf", [])):
        if one.get("type") == "integer":
            return one.get("minimum"), one.get("maximum")
    return None, None


def _downward(part: dict[str, Any], at: str) -> bool:
    """Whether a piece asks the more the smaller the number is."""
    where = part.get("where")
    return at in ("most", "high") or (isinstance(where, dict) and where.get("op") in ("le", "lt"))


def _tightest(choose: Any, bounds: list[int | None]) -> int | None:
    known = [bound for bound in bounds if bound is not None]
    return choose(known) if known else None


def _field(own: list[tuple[str, str | None]]) -> Field:
    if any(section == "seats" or rule in _SEATS for section, rule in own):
        return "seats"
    if any(rule in RULES and issubclass(RULES[rule], Gate) for _, rule in own if rule):
        return "gates"
    if any(rule in _PEERS for _, rule in own):
        return "peers"
    return "times" if all(section in ("times", "goals") for section, _ in own) else "composition"


def _near(parameter: Parameter, level: str, low: int | None, high: int | None) -> tuple[int, int]:
    if parameter.type == "share":
        return 0, 100
    value = parameter.at(level)
    known = value if isinstance(value, int) and not isinstance(value, bool) else 0
    start = 0 if low is None else low
    if high is not None and high - start <= WIDE:
        return start, high
    far = start + (20 if low is not None else 100)
    return start, min(high or 10**9, max(2 * known, known + 20, far))
