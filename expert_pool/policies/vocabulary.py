"""The names a policy may use: facts about experts, their values, kinds of conflict, levels."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from solver.facts import ColumnType

FACTS: dict[str, ColumnType] = {
    "state": "category",
    "in_pool": "boolean",
    "term_until": "date",
    "trained_until": "date",
    "credit": "integer",
    "rank": "integer",
    "rank_years": "integer",
    "age": "integer",
    "employer": "category",
    "sector": "category",
    "region": "category",
    "gender": "category",
    "available": "boolean",
    "consecutive_terms": "integer",
    "years_since_served": "integer",
    "seats_this_season": "integer",
    "applicant": "boolean",
}
"""Every fact the registry gives about an expert on a date, with its type."""

Kind = Literal[
    "self",
    "same_employer",
    "former_employer",
    "relative",
    "co_author",
    "advisor",
    "recommender",
    "objection",
    "same_case",
    "stake",
    "other",
]
KINDS: tuple[str, ...] = get_args(Kind)
"""Kinds of conflict. The first three are derived from applications and employments, the others from relations."""

DERIVED = frozenset({"self", "same_employer", "former_employer"})
Level = Literal["senior", "mid", "junior"]
LEVELS: tuple[Level, ...] = get_args(Level)


@cache
def values(fact: str) -> frozenset[str] | None:
    """The values a category fact may take; None where they are open (an employer, a region)."""
    if fact == "state":
        from expert_pool.lifecycle import State

        return frozenset(str(state) for state in State)
    if fact == "sector":
        from expert_pool.registry.employers import Sector

        return frozenset(str(sector) for sector in Sector)
    if fact == "gender":
        from expert_pool.registry.experts import Gender

        return frozenset(str(gender) for gender in Gender)
    return None
