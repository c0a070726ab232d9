"""The made request: rules and goals with numbers of its own, for problems that no policy stands behind."""

from __future__ import annotations

from typing import Any

from solver.goals import GOALS, Goal
from solver.problem import PolicyRef, RuleChange, Step
from solver.rules import RULES, Rule

BASIS = "生成的示例要求，无文件依据 (a made request: no text stands behind it)"
POLICY = PolicyRef("made-request", "1")
PANEL = 25
ALTERNATES = 8
LEAST_OF_A_GROUP = 3


def _gate(id_: str, fact: str, op: str, value: object) -> dict[str, Any]:
    return {"rule": "gate", "id": id_, "where": {"fact": fact, "op": op, "value": value}}


_RULES: tuple[dict[str, Any], ...] = (
    _gate("in_pool", "in_pool", "eq", True),
    _gate("standing", "state", "in", ["active", "restricted"]),
    _gate("in_term", "term_until", "ge", "@meeting"),
    _gate("trained", "trained_until", "ge", "@meeting") | {"relaxable": True, "cost": 5},
    _gate("rank", "rank", "ge", 3),
    _gate("rank_years", "rank_years", "ge", 3) | {"relaxable": True},
    _gate("age", "age", "lt", 66) | {"relaxable": True},
    _gate("credit", "credit", "ge", 90) | {"relaxable": True},
    _gate("terms", "consecutive_terms", "le", 1) | {"relaxable": True},
    _gate("not_applicant", "applicant", "eq", False),
    _gate("available", "available", "eq", True),
    {"rule": "barred", "id": "barred"},
    {"rule": "peer_grade", "id": "peer_grade", "grade": "broad"},
    {"rule": "panel_size", "id": "panel_size", "low": PANEL, "high": PANEL, "odd": True},
    {"rule": "group_size", "id": "group_size"},
    {
        "rule": "roles", "id": "roles", "deputies_low": 1, "deputies_high": 1,
        "chair": [{"fact": "rank", "op": "ge", "value": 4}],
        "deputy": [{"fact": "rank", "op": "ge", "value": 4}],
    },
    {
        "rule": "share", "id": "private", "least": "3/10", "relaxable": True, "cost": 3,
        "where": [{"fact": "sector", "op": "eq", "value": "private"}],
    },
    {
        "rule": "share", "id": "women", "least": "1/5", "relaxable": True,
        "where": [{"fact": "gender", "op": "eq", "value": "female"}],
    },
    {
        "rule": "share", "id": "full_senior", "least": "1/2", "relaxable": True,
        "where": [{"fact": "rank", "op": "ge", "value": 4}],
    },
    {"rule": "newcomers", "id": "newcomers", "least": "1/3", "back": 1, "relaxable": True, "cost": 2},
    {"rule": "cap", "id": "employer", "fact": "employer", "most": 2, "relaxable": True},
    {"rule": "cap", "id": "region", "fact": "region", "most": PANEL * 2 // 5, "relaxable": True},
    {"rule": "apart", "id": "apart", "relaxable": True, "cost": 2},
    {"rule": "quorum", "id": "quorum", "least": "2/3", "of": "panel"},
    {"rule": "case_peers", "id": "case_peers", "least": 3, "grade": "close", "soft": 1, "weight": 1_000_000},
    {"rule": "alternates", "id": "alternates", "relaxable": True},
    {"rule": "locks", "id": "locks"},
)  # fmt: skip

_GOALS: tuple[dict[str, Any], ...] = (
    {"goal": "peer_match", "id": "peer_match", "level": 2, "weight": 1000},
    {
        "goal": "prefer", "id": "least_recently_served", "level": 3, "weight": 100,
        "fact": "years_since_served", "best": 4, "worst": 0, "unknown": 0,
    },
    {
        "goal": "prefer", "id": "load", "level": 4, "weight": 100,
        "fact": "seats_this_season", "best": 0, "worst": 3,
    },
    {"goal": "tie_break", "id": "tie_break", "level": 5},
)  # fmt: skip


def rules() -> tuple[Rule, ...]:
    """The rules of the made request."""
    return tuple(
        RULES[r["rule"]].model_validate({**r, "basis": {"text": BASIS, "status": "D"}}) for r in _RULES
    )


def goals() -> tuple[Goal, ...]:
    """Its goals: coverage of the cases first (the soft rule), then match, rotation, load, and the seeded order."""
    return tuple(GOALS[g["goal"]].model_validate(g) for g in _GOALS)


def ladder() -> tuple[Step, ...]:
    """What to try when the pool is too thin: other pools, candidates who are vetted fast, another committee."""
    vetted = (
        RuleChange("in_pool", None),
        RuleChange("standing", {"where": _CANDIDATES}),
        RuleChange(
            "in_term", {"where": {"fact": "term_until", "op": "ge", "value": "@meeting", "unknown": "passes"}}
        ),
    )
    return (
        Step("other_pools", recruits=True, basis=BASIS),
        Step("fast_vetting", vetted, recruits=True, basis=BASIS),
        Step("delegation", basis=BASIS),
    )


_CANDIDATES = {"fact": "state", "op": "in", "value": ["active", "restricted", "candidate"]}
