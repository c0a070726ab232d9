"""Conflicts of the region's experts, derived from its relations as a policy would derive them."""

from __future__ import annotations

import numpy as np

from expert_pool.region.applications import Applications
from expert_pool.region.facts import employer_of
from expert_pool.region.network import KINDS, Ties
from expert_pool.region.world import Region
from expert_pool.registry import RelationKind
from solver.facts import Ints, Mask
from solver.problem import ConflictKind, Effect, Pairs

WINDOW_YEARS = 3
_WINDOW = WINDOW_YEARS * 365
_WINDOWED = (RelationKind.CO_AUTHOR, RelationKind.SAME_CASE)

_NAMES: tuple[tuple[str, Effect], ...] = (
    *((kind.value, "pair") for kind in KINDS),
    ("same_employer", "pair"),
    ("former_employer", "pair"),
    ("self", "panel"),
)
_SAME, _FORMER, _SELF = (len(KINDS) + i for i in range(3))


def kinds(basis: str) -> tuple[ConflictKind, ...]:
    """The kinds of conflict; one for each kind of relation, then those that follow from employments and applications."""
    return tuple(ConflictKind(name, effect, basis, "D") for name, effect in _NAMES)


def among_experts(region: Region) -> Pairs:
    """Who may not sit with whom: relatives, advisor and student, co-authors of the last years; unknown dates count."""
    ties = region.between
    return _pairs(ties.where(_in_force(ties, region.meeting)))


def with_cases(region: Region, made: Applications) -> Pairs:
    """Who is recused from which case."""
    people, employers = region.ground.people, region.ground.employers
    employer = employers.merged_into[made.employer]
    second = np.where(people.second >= 0, employers.merged_into[people.second], -1)
    recent = people.left_on >= region.meeting - _WINDOW
    former = np.where((people.former >= 0) & recent, employers.merged_into[people.former], -1)
    stakes = region.stakes
    held = np.full(len(people), -1, dtype=np.int64)
    held[stakes.left] = employers.merged_into[stakes.right]
    own = made.expert >= 0

    ties = _pairs(made.ties.where(_in_force(made.ties, region.meeting)))
    parts = [(ties.left, ties.right, ties.kind)]
    for by_expert, kind in (
        (employer_of(region), _SAME),
        (second, _SAME),
        (former, _FORMER),
        (held, KINDS.index(RelationKind.STAKE)),
    ):
        expert, case = _match(by_expert, employer, len(employers))
        parts.append((expert, case, np.full(len(expert), kind)))
    parts.append((made.expert[own], own.nonzero()[0], np.full(int(own.sum()), _SELF)))
    left, right, kind_of = (np.concatenate([part[i] for part in parts]) for i in range(3))
    why = (*ties.why, *(f"{_NAMES[k][0]}, made" for k in kind_of[len(ties.why) :].tolist()))
    return Pairs(left, right, kind_of, why)


def _in_force(ties: Ties, meeting: int) -> Mask:
    windowed = np.isin(ties.kind, [KINDS.index(k) for k in _WINDOWED])
    return ~windowed | ties.undated | (ties.until >= meeting - _WINDOW)


def _pairs(ties: Ties) -> Pairs:
    """`why` names the relation and the years it is known to span; equal ones are one and the same text."""
    first = ties.since.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    last = ties.until.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    last[ties.until == 0] = 0
    first[ties.undated], last[ties.undated] = 0, 0
    told, which = np.unique((ties.kind * 10_000 + first) * 10_000 + last, return_inverse=True)
    texts = [_why(c // 10**8, c // 10_000 % 10_000, c % 10_000) for c in told.tolist()]
    return Pairs(ties.left, ties.right, ties.kind, tuple(texts[i] for i in which.tolist()))


def _why(kind: int, first: int, last: int) -> str:
    span = f"{first or '?'}-{last or ''}" if first else "?"
    return f"{KINDS[kind].value}, {span}, made"


def _match(by_expert: Ints, by_case: Ints, employers: int) -> tuple[Ints, Ints]:
    """Every expert and case of the same employer; -1 is none."""
    order = np.argsort(by_expert, kind="stable")
    order = order[by_expert[order] >= 0]
    starts = np.searchsorted(by_expert[order], np.arange(employers + 1))
    counts = starts[by_case + 1] - starts[by_case]
    case = np.repeat(np.arange(len(by_case)), counts)
    within = np.arange(len(case)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.repeat(starts[by_case], counts) + within], case
