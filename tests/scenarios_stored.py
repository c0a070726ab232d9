"""Texts of scenarios about the one meeting of the small registry."""

from __future__ import annotations

from typing import Any

from tiny_registry import SMALL

FITTING = """change:
  - {group: "*", set: {low: 3, high: 3, alternates: 1}}
  - {rule: panel_size, set: {low: 3, high: 3}}
  - {rule: roles, set: {deputies_low: 1, deputies_high: 1}}
"""
"""What makes a preset fit twelve experts."""


def text(values: str = "[1/3, 1/2, 1]", more: str = "", base: str = "committee: C1, meeting: M1") -> str:
    """A sweep over the quorum."""
    return (
        "format: scenario/1\ntitle: {zh: 出席比例, en: Quorum}\n"
        f"base: {{{base}, policy: cn-title-jilin-2013}}\nseconds: 600\n{FITTING}"
        f"sweep:\n  axes:\n    - {{parameter: rules.quorum.least, values: {values}}}\n{more}"
    )


def policy_text(**values: Any) -> str:
    """A policy as a file that fits twelve experts, with some numbers otherwise."""
    lines = [
        f"  - {{parameter: {name}, value: {value}, by: head, on: 2026-01-01, why: small}}\n"
        for name, value in (SMALL | values).items()
    ]
    return "format: policy/1\npreset: cn-title-jilin-2013\noverrides:\n" + "".join(lines)
