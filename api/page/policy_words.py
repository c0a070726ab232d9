"""What a rule of a policy demands, in one line of words: its numbers and tests beside its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expert_pool.words import condition, known, say

_OWN = {"panel_size", "roles", "group_peers", "case_peers", "ratio", "quorum", "cap", "share", "newcomers"}


def title(said: Mapping[str, Any], lang: str) -> str:
    """What a rule or goal is called."""
    id_, kind = str(said["id"]), str(said.get("rule") or said.get("goal"))
    for code in (f"title.{id_}", f"goal.{id_}", f"name.{kind}", f"goal.{kind}"):
        if known(code, lang):
            return say(code, lang, fact=said.get("fact"), grade=said.get("grade"), what=None)
    return id_


def demand(rule: Mapping[str, Any], lang: str) -> str:
    """What a rule demands; empty where its title says it all."""
    kind = rule["rule"]
    if kind == "gate":
        return _test(rule["where"], lang)
    if kind not in _OWN:
        return ""
    params: dict[str, Any] = {name: one for name, one in rule.items() if isinstance(one, int | str)}
    if kind == "roles":
        params["chair"] = _tests(rule["chair"], lang)
    if kind == "ratio":
        params["parts"] = ("；" if lang == "zh" else "; ").join(
            say("page.rule.part", lang, weight=part["weight"], who=_tests(part["where"], lang))
            for part in rule["parts"]
        )
    if kind == "share":
        params["who"] = _tests(rule["where"], lang)
    bounds = {name: rule.get(name) for name in ("low", "high", "least", "most")}
    params["tolerance"] = params.get("tolerance") or None
    return say(f"page.rule.{kind}", lang, **bounds | params)


def plain(value: Any, lang: str) -> str:
    """A difference between two policies, as far as it is no sentence of its own."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say(f"words.{str(value).lower()}", lang)
    if isinstance(value, Mapping):
        if "rule" in value:
            return demand(value, lang) or title(value, lang)
        said = (f"{name} {plain(one, lang)}" for name, one in value.items() if one not in (None, [], {}, ""))
        return ("，" if lang == "zh" else ", ").join(said)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ("、" if lang == "zh" else ", ").join(plain(one, lang) for one in value)
    return str(value)


def _tests(tests: Sequence[Mapping[str, Any]], lang: str) -> str:
    return ("且" if lang == "zh" else " and ").join(_test(test, lang) for test in tests)


def _test(test: Mapping[str, Any], lang: str) -> str:
    than = test["value"]
    if than == "@meeting":
        than = say("page.rule.meeting_day", lang)
    return condition(test["fact"], test["op"], than, lang)
