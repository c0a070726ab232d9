"""Parameters of a policy as controls of the page, and their values in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from expert_pool.policies.settable import Settable, percent_of, settables
from expert_pool.policies.vocabulary import LEVELS
from expert_pool.words import cited, say, term
from expert_pool.words.sentence import percent


@dataclass(frozen=True, slots=True)
class Control:
    """A parameter as a control of the page: what it says now, what the policy says itself, and how far it goes.

    `steps` are the values with names of their own, as (value, name): the control is then a choice."""

    one: Settable
    name: str
    kind: str
    own: str
    value: str
    note: str
    basis: str
    rules: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]

    @property
    def changed(self) -> bool:
        return self.value != self.own


def controls(policy: str, level: str, settings: Mapping[str, Any], lang: str) -> Iterator[Control]:
    """The parameters of a preset for committees of a level, set as `settings` say (None: switched off). Raises Fault
    `policy.unknown`."""
    for one in settables(policy, level):
        parameter = one.parameter
        own = written(one, parameter.at(level))
        name = parameter.name
        value = own
        if name in settings:
            value = "off" if settings[name] is None else written(one, settings[name])
        yield Control(
            one=one,
            name=name,
            kind=parameter.type,
            own=own,
            value=value,
            note=parameter.note[lang],
            basis=cited(parameter.basis.text, lang),
            rules=one.rules,
            steps=tuple(_steps(one, lang)),
        )


def written(one: Settable, value: Any) -> str:
    """A value as its control shows it: shares in percent, nothing where no number is stated."""
    if value is None:
        return ""
    if one.parameter.type == "share":
        try:
            return f"{percent_of(value):g}"
        except (ValueError, ZeroDivisionError):
            return str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_words(policy: str, name: str, value: Any, lang: str) -> str:
    """What a parameter of a preset was set to, for people: the names of steps and windows, yes and no, shares in
    percent, numbers as they were given; what is switched off says so. Raises Fault `policy.unknown`."""
    if value is None:
        return say("page.builder.off", lang)
    if isinstance(value, bool):
        return term("words", value, lang)
    one = next((one for one in settables(policy, LEVELS[0]) if one.parameter.name == name), None)
    if one is not None and one.ladder and value in range(one.near[0], one.near[1] + 1):
        return term(one.ladder, value, lang)
    if one is not None and one.parameter.type == "window":
        if isinstance(value, int):
            return say("page.builder.window.years", lang, years=value)
        return say(f"page.builder.window.{value}", lang)
    return percent(value) if one is not None and one.parameter.type == "share" else str(value)


def _steps(one: Settable, lang: str) -> Iterator[tuple[str, str]]:
    if one.ladder:
        for n in range(one.near[0], one.near[1] + 1):
            name = term(one.ladder, n, lang)
            yield str(n), name[:1].upper() + name[1:]
