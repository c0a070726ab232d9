"""Rules that are often too much for few people, and whether a panel exists with some recruits, by trying every one."""

from __future__ import annotations

from collections.abc import Sequence

from tiny_problems import every_panel, lawful, rule

from solver.kinds import Kind, with_people
from solver.problem import Problem
from solver.rules.base import Rule

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
RULES: tuple[Rule, ...] = (
    rule("gate", id="young", where={"fact": "age", "op": "lt", "value": 55}),
    rule("peer_grade", grade="close"),
    rule("share", id="private", where=[PRIVATE], least="2/3"),
    rule("share", id="few_private", where=[PRIVATE], most="1/2"),
    rule("share", id="both", where=[PRIVATE, {"fact": "age", "op": "ge", "value": 45}], least="1/2"),
    rule("cap", fact="sector", most=1),
    rule("newcomers", least="2/3"),
    rule("apart"),
    rule("group_peers", least=1),
    rule("case_peers", least=1),
    rule("quorum", least="1"),
    rule(
        "ratio",
        parts=[
            {"name": "p", "where": [PRIVATE], "weight": 1},
            {"name": "q", "where": [{"fact": "sector", "op": "eq", "value": "provincial"}], "weight": 1},
        ],
        tolerance=0,
    ),
)


def exists(problem: Problem, people: Sequence[Kind]) -> bool:
    """Whether some panel of the real people and these is lawful, by trying every one."""
    return any(lawful(panel) for panel in every_panel(with_people(problem, people)))
