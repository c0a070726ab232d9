"""What a rule is called by itself: its title, or its kind and what it tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expert_pool.words import condition, known, say


def rule_title(id_: str, kind: str, fields: Mapping[str, Any], lang: str) -> str:
    """A rule by its title; without one by its kind and what it tests: `fields` as the problem's document has them."""
    if known(f"title.{id_}", lang):
        return say(f"title.{id_}", lang)
    tests = fields.get("where")
    tests = [tests] if isinstance(tests, Mapping) else tests or []
    joint = say("documents.comma", lang)
    what = joint.join(condition(t["fact"], t["op"], t["value"], lang) for t in tests) or None
    first = tests[0] if tests else {}
    fact = fields.get("fact") or first.get("fact")
    params = {**fields, "what": what, "fact": fact, "op": first.get("op"), "than": first.get("value")}
    params.pop("lang", None)
    return say(f"name.{kind}", lang, **params)
