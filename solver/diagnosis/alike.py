"""People who make no difference to whether a panel exists: of many who are alike, a few are enough.

Two people are *alike* when every rule in force sees the same in them, but for what can only harm: conflicts, recusals,
and an employer (or other capped category) that somebody shares. Someone is *clear* when nobody who may sit is in conflict
with them, no case recuses them, and no decision names them. Let M be the number of places. Where M clear people are alike,
of M different employers, nobody else alike is needed: in any panel such a person can be exchanged for one of the M who is
not in it and whose employer is not in it either, and no rule is the worse for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from solver.diagnosis.elements import named, same_people
from solver.facts import MISSING, Column, Ints, Mask
from solver.problem import CLOSE, Pairs, Previous, Problem, Skills
from solver.rules.alternates import Alternates
from solver.rules.apart import Apart
from solver.rules.base import Gate, Rule
from solver.rules.cap import Cap
from solver.rules.case_peers import CasePeers
from solver.rules.group_peers import GroupPeers
from solver.rules.group_size import GroupSize
from solver.rules.locks import Locks
from solver.rules.newcomers import Newcomers
from solver.rules.panel_size import PanelSize
from solver.rules.quorum import Quorum
from solver.rules.ratio import Ratio
from solver.rules.roles import Roles
from solver.rules.share import ShareRule


@dataclass
class _Seen:
    """What the rules see: `labels` must be equal, `harmed` may do worse than others of equal labels, `capped` are the
    categories that a cap counts."""

    labels: list[Ints]
    harmed: Mask
    capped: dict[str, Ints] = field(default_factory=dict)

    def masks(self, *masks: Mask) -> None:
        """Adds yes-or-no labels, many to a number."""
        for start in range(0, len(masks), 60):
            packed = np.zeros(len(self.harmed), dtype=np.int64)
            for bit, mask in enumerate(masks[start : start + 60]):
                packed |= mask.astype(np.int64) << bit
            self.labels.append(packed)


def needed(problem: Problem, passes: Mask) -> Mask:
    """Who of those who pass (`passes` of shape (experts, groups)) must be looked at to know whether a panel exists, and
    everybody whom a decision names. Everybody at all, where a rule is in force that is not known here."""
    somewhere = np.asarray(passes.any(axis=1))
    decided = named(problem)
    kept = somewhere.copy()
    seen = _Seen([], np.zeros(len(kept), dtype=bool))
    seen.masks(*passes.T)
    for rule in problem.rules:
        if not _look(rule, problem, somewhere, seen):
            return problem.everyone()
    seen.harmed[decided] = True
    places = sum(group.high + group.alternates for group in problem.groups)
    people = somewhere.nonzero()[0]
    widest = max(seen.capped, key=lambda fact: len(np.unique(seen.capped[fact][people])), default=None)
    kind = _kinds([*seen.labels, *(v for f, v in seen.capped.items() if f != widest)], people)
    clear = ~seen.harmed[people]
    if widest is not None:
        clear = _one_each(kind, seen.capped[widest][people], clear)
    enough = np.bincount(kind[clear], minlength=kind.max(initial=0) + 1) >= places
    order = np.lexsort((~clear, kind))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(kind[order], kind[order])
    kept[people[enough[kind] & (rank >= places)]] = False
    kept[decided] = True
    return kept


def _look(rule: Rule, problem: Problem, somewhere: Mask, seen: _Seen) -> bool:
    """Adds what one rule sees; False for a rule that is not known here."""
    match rule:
        case Gate() | GroupSize() | PanelSize() | Alternates() | Locks():
            pass
        case ShareRule():
            seen.masks(rule.holders(problem))
        case Ratio():
            seen.masks(*(part.holders(problem) for part in rule.parts))
        case Roles():
            seen.masks(*rule.may(problem))
        case Newcomers():
            sat = np.zeros(len(somewhere), dtype=bool)
            sat[list(rule.sat(problem))] = True
            seen.masks(sat)
        case GroupPeers():
            seen.masks(*(problem.grades == CLOSE).T)
        case Cap():
            seen.capped[rule.fact] = problem.facts[rule.fact].values
        case Apart():
            pairs = problem.between
            meet = somewhere[pairs.left] & somewhere[pairs.right] & (pairs.left != pairs.right)
            seen.harmed[pairs.left[meet]] = True
            seen.harmed[pairs.right[meet]] = True
        case Quorum():
            if not rule.recused_counts:
                seen.harmed[problem.with_cases.left] = True
        case CasePeers():
            seen.masks(*peers(problem, rule.grade))
            seen.harmed[problem.with_cases.left] = True
        case _:
            return False
    return True


def peers(problem: Problem, grade: str) -> Iterator[Mask]:
    """Who is a `grade` peer (close, broad) of each sub-specialty that a case lies in, in rising order."""
    field_of = np.unique(np.array(problem.specialties.broad, dtype=object), return_inverse=True)[1]
    for specialty in np.unique(problem.cases.specialty).tolist():
        held = problem.skills.specialty
        near = held == specialty if grade == "close" else field_of[held] == field_of[specialty]
        mask = np.zeros(len(problem.experts), dtype=bool)
        mask[problem.skills.expert[near]] = True
        yield mask


def _kinds(labels: list[Ints], people: Ints) -> Ints:
    """A number 0, 1, ... for each combination of labels."""
    kind = np.zeros(len(people), dtype=np.int64)
    for label in labels:
        own = np.unique(label[people], return_inverse=True)[1]
        kind = np.unique(kind * (own.max(initial=0) + 1) + own, return_inverse=True)[1]
    return kind


def _one_each(kind: Ints, values: Ints, clear: Mask) -> Mask:
    """Of the clear, the first of each kind and value; an unknown value is nobody else's."""
    own = clear.nonzero()[0]
    spread = np.where(values[own] == MISSING, MISSING - 1 - own, values[own])
    order = np.lexsort((spread, kind[own]))
    own, spread = own[order], spread[order]
    first = np.ones(len(own), dtype=bool)
    first[1:] = (np.diff(kind[own]) != 0) | (np.diff(spread) != 0)
    chosen = np.zeros(len(kind), dtype=bool)
    chosen[own[first]] = True
    return chosen


def only(problem: Problem, kept: Mask) -> Problem:
    """The problem with these people alone, in the same order; everybody a decision names must be kept."""
    people = kept.nonzero()[0]
    place = np.full(len(kept), -1, dtype=np.int64)
    place[people] = np.arange(len(people))
    own = kept[problem.skills.expert]
    smaller = same_people(
        problem,
        experts=tuple(problem.experts[i] for i in people.tolist()),
        facts={name: Column(c.type, c.values[people], c.names) for name, c in problem.facts.items()},
        skills=Skills(
            place[problem.skills.expert[own]], problem.skills.specialty[own], problem.skills.proficiency[own]
        ),
        between=_pairs(
            problem.between, kept[problem.between.left] & kept[problem.between.right], place, place
        ),
        with_cases=_pairs(
            problem.with_cases, kept[problem.with_cases.left], place, np.arange(len(problem.cases.id))
        ),
        previous=tuple(
            Previous(p.id, p.on, frozenset(int(place[e]) for e in p.members if kept[e]), p.size)
            for p in problem.previous
        ),
        locks=tuple(_moved(lock, place) for lock in problem.locks),
        exclusions=tuple(_moved(exclusion, place) for exclusion in problem.exclusions),
    )
    for name in ("held", "recused", "apart"):
        smaller.__dict__.pop(name, None)
    if "grades" in problem.__dict__:
        smaller.__dict__["grades"] = problem.grades[people]
    return smaller


def _pairs(pairs: Pairs, own: Mask, left: Ints, right: Ints) -> Pairs:
    why = tuple(pairs.why[i] for i in own.nonzero()[0].tolist())
    return Pairs(left[pairs.left[own]], right[pairs.right[own]], pairs.kind[own], why)


def _moved(decision: Any, place: Ints) -> Any:
    return replace(decision, expert=int(place[decision.expert]))
