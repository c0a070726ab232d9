"""Policies: which there are, what one says in words, its numbers tried otherwise, two beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import yaml
from fastapi import Depends, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of, sentence
from api.jobs.work.asks import Level
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.policy_words import demand, plain, title
from api.page.rendering import render
from expert_pool import clock
from expert_pool.accounts import Principal, Right
from expert_pool.policies.load import preset, presets
from expert_pool.policies.policy import Override, Policy
from expert_pool.policies.told import Difference, PolicyComparison, brief, compare, told
from expert_pool.words import cited, known, say
from solver.errors import Fault
from solver.rules import Basis

router = pages()
_Reader = Annotated[Principal, Depends(allowed(Right.POLICIES_READ))]
_Name = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
LEVELS = ("senior", "mid", "junior")
SET = "set."
"""What a parameter of the address begins with that names a number to try."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that differs: what it is called, and what each side says."""

    part: str
    name: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What numbers tried come to: the differences and a text of the policy, or the fault and the parameter it is about."""

    overrides: tuple[Override, ...]
    lines: tuple[Line, ...] = ()
    text: str = ""
    fault: str = ""
    parameter: str = ""


@router.get("/policies")
def policies_page(request: Request, asks: _Reader) -> Response:
    """The policies there are."""
    return render(request, "policies.html", asks, policies=[brief(preset(name)) for name in presets()])


@router.get("/policies/comparison")
def comparison_page(
    request: Request, asks: _Reader, first: _Name = None, second: _Name = None, level: Level = "senior"
) -> Response:
    """Two policies side by side: only what they say differently."""
    names, lang = presets(), language_of(request)
    one, other = first or names[0], second or names[-1]
    found = compare(preset(one), preset(other), level)
    shown: dict[str, Any] = {
        "lines": _lines(found, lang),
        "found": found,
        "first": one,
        "second": other,
        "level": level,
    }
    policies = [(name, preset(name).title[lang]) for name in names]
    return render(request, "policy_comparison.html", asks, policies=policies, levels=LEVELS, **shown)


@router.get("/policies/{policy}")
def policy_page(request: Request, policy: str, asks: _Reader, level: Level = "senior") -> Response:
    """Every rule in words, every number with its basis and a field to try another one. Numbers tried stand in the address
    as `set.<parameter>`; nothing is kept of them."""
    lang = language_of(request)
    read = preset(policy)
    wanted = {
        name.removeprefix(SET): value.strip()
        for name, value in request.query_params.items()
        if name.startswith(SET) and value.strip()
    }
    tried = _tried(read, wanted, request.query_params.get("why") or "", asks, level, lang)
    if "hx-request" in request.headers:
        return render(request, "_policy_tried.html", asks, tried=tried, level=level, policy=brief(read))
    return render(
        request,
        "policy.html",
        asks,
        policy=told(read, level),
        level=level,
        levels=LEVELS,
        types={name: parameter.type for name, parameter in read.parameters.items()},
        title=lambda rule: title(rule, lang),
        demand=lambda rule: demand(rule, lang),
        basis=lambda given: _basis(given, lang),
        procedure=say(f"cli.procedure.{read.procedure}", lang),
        wanted=wanted,
        tried=tried,
    )


def _tried(
    read: Policy, wanted: Mapping[str, str], why: str, asks: Principal, level: Level, lang: str
) -> Tried | None:
    """What numbers tried come to; None where none is."""
    if not wanted:
        return None
    today = clock.today()
    made = []
    for name, text in wanted.items():
        override = Override(name, setting(text), asks.actor, today, why or say("page.policies.trial", lang))
        try:
            preset(read.id, (override,)).rules(level)
        except Fault as fault:
            return Tried((), fault=sentence(fault, lang), parameter=name)
        made.append(override)
    try:
        found = compare(read, preset(read.id, tuple(made)), level)
    except Fault as fault:
        return Tried((), fault=sentence(fault, lang))
    return Tried(tuple(made), _lines(found, lang), text=_text(read, made))


def setting(text: str) -> int | str | bool | None:
    """What somebody typed for a parameter: a number, yes or no, a share or word; `none` switches it off."""
    match text.lower():
        case "none":
            return None
        case "true" | "false" as word:
            return word == "true"
    return int(text) if text.lstrip("-").isdecimal() else text


def _text(read: Policy, made: Sequence[Override]) -> str:
    """The policy with its overrides as a file that the command line and `/policies/validations` read."""
    overrides = [
        {"parameter": o.parameter, "value": o.value, "by": o.by, "on": o.on, "why": o.why} for o in made
    ]
    return str(
        yaml.safe_dump(
            {"format": "policy/1", "preset": read.id, "overrides": overrides},
            allow_unicode=True,
            sort_keys=False,
        )
    )


def _basis(given: Any, lang: str) -> str:
    basis = given if isinstance(given, Basis) else Basis(**given)
    said = cited(basis.text, lang)
    return (
        f"{said}（{say(f'basis.{basis.status}', lang)}）"
        if basis.status and lang == "zh"
        else (f"{said} ({say(f'basis.{basis.status}', lang)})" if basis.status else said)
    )


def _lines(found: PolicyComparison, lang: str) -> tuple[Line, ...]:
    parts = ("parameters", "rules", "goals", "conflicts", "filings")
    return tuple(_line(part, each, lang) for part in parts for each in getattr(found, part))


def _line(part: str, found: Difference, lang: str) -> Line:
    codes = {"conflicts": "kind", "filings": "filing", "parameters": "parameter"}
    wanted = (f"{codes.get(part, 'title')}.{found.name}", f"title.{found.name}")
    name = next((say(code, lang) for code in wanted if known(code, lang)), found.name)
    return Line(part, name, plain(found.first, lang), plain(found.second, lang))
