"""What each condition of a clash asks for, and what the people who pass its gates can offer: message ids with numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from solver.answer import Saying
from solver.diagnosis.alike import peers
from solver.diagnosis.elements import Element, with_only
from solver.diagnosis.possible import Trials
from solver.facts import MISSING, Mask
from solver.problem import CLOSE, Problem
from solver.rules.alternates import Alternates
from solver.rules.apart import Apart
from solver.rules.base import Gate, Rule
from solver.rules.cap import Cap
from solver.rules.case_peers import CasePeers
from solver.rules.gate import FactGate
from solver.rules.group_peers import GroupPeers
from solver.rules.group_size import GroupSize
from solver.rules.newcomers import Newcomers
from solver.rules.panel_size import PanelSize, sizes_of
from solver.rules.peer_grade import PeerGrade
from solver.rules.quorum import Quorum
from solver.rules.ratio import Ratio
from solver.rules.roles import Roles
from solver.rules.share import ShareRule, seats_for, seats_within


@dataclass(frozen=True)
class _Pool:
    """A problem under the elements of one clash: who passes its gates (experts x groups, and anywhere), and the panel
    sizes that are left."""

    problem: Problem
    passes: Mask
    people: Mask
    sizes: tuple[int, ...]

    def of(self, group: int | None) -> Mask:
        if group is None:
            return self.people
        own: Mask = self.passes[:, group]
        return own

    def filled(self, group: int | None) -> tuple[int, ...]:
        """How many may sit, in a group or in all."""
        if group is None:
            return self.sizes
        return tuple(range(self.problem.groups[group].low, self.problem.groups[group].high + 1))

    def room(self, people: Mask) -> int:
        """How many of some people may sit at once, as far as the sizes of the groups tell."""
        high = [group.high for group in self.problem.groups]
        open_to = (self.passes & people[:, None]).sum(axis=0)
        return min(int(people.sum()), int(np.minimum(open_to, high).sum()))

    def name(self, group: int | None) -> str | None:
        return None if group is None else self.problem.groups[group].name


def told(trials: Trials, elements: Collection[Element]) -> list[Saying]:
    """One saying for each element, in their order."""
    pool = _pool(trials, elements)
    rules = {rule.id: rule for rule in trials.problem.rules}
    return [_told(trials, pool, elements, element, rules[element.id]) for element in elements]


def overlaps(trials: Trials, elements: Collection[Element]) -> list[Saying]:
    """Pairs of lower shares that so few people satisfy at once that both cannot be kept."""
    pool = _pool(trials, elements)
    size = pool.sizes[0]
    found = []
    asked = [(rule, *need) for rule in pool.problem.rules if (need := _least(rule, pool))]
    for (a, share, own), (b, other, also) in combinations(asked, 2):
        needs = seats_for(share, size) + seats_for(other, size) - size
        both = own & also & pool.people
        if pool.room(both) < needs:
            counts = {"needs": needs, "have": int(both.sum()), "room": pool.room(both), "of": size}
            found.append(Saying(code="clash.overlap", params={"rules": [a.id, b.id], **counts}))
    return found


def _least(rule: Rule, pool: _Pool) -> tuple[Fraction, Mask] | None:
    if isinstance(rule, ShareRule) and rule.least and rule.scope == "panel":
        return rule.least, rule.holders(pool.problem)
    if isinstance(rule, Newcomers):
        return rule.least, _new(rule, pool)
    return None


def _pool(trials: Trials, elements: Collection[Element]) -> _Pool:
    problem = with_only(trials.problem, elements)
    passes = trials.passes(elements)
    return _Pool(problem, passes, np.asarray(passes.any(axis=1)), sizes_of(problem))


def _told(trials: Trials, pool: _Pool, elements: Collection[Element], element: Element, rule: Rule) -> Saying:
    problem = trials.problem
    if element.kind == "lock":
        lock = problem.locks[element.at]
        where = {"expert": problem.experts[lock.expert], "group": pool.name(lock.group)}
        return Saying(code="need.lock", params={**where, "by": lock.by, "why": lock.why})
    if element.kind == "exclusion":
        out = problem.exclusions[element.at]
        params = {"expert": problem.experts[out.expert], "by": out.by, "why": out.why}
        return Saying(code="need.exclusion", params=params)
    if isinstance(rule, Gate):
        others = trials.passes([other for other in elements if other != element]).any(axis=1)
        counts = {"left": int(pool.people.sum()), "without": int(others.sum())}
        if isinstance(rule, FactGate):
            test = {"fact": rule.where.fact, "op": rule.where.op, "than": rule.where.value}
            return Saying(code="need.gate", params={**test, **counts})
        if isinstance(rule, PeerGrade):
            return Saying(code="need.peer_grade", params={"grade": rule.grade, **counts})
        code = "need.barred" if rule.rule == "barred" else "need.other_gate"
        return Saying(code=code, params={"rule": rule.id, **counts})
    teller = _TELLERS.get(type(rule))
    if teller is None:
        return Saying(code="need.other", params={"rule": rule.id})
    return teller(rule, pool)


def _scopes(pool: _Pool, scope: str) -> list[int | None]:
    return [None] if scope == "panel" else list(range(len(pool.problem.groups)))


def _bounded(code: str, needs: list[tuple[int, int, dict[str, Any]]]) -> Saying:
    """The saying of the tightest of some needs (how many, how many there are, what else to say)."""
    needed, have, params = min(needs, key=lambda need: need[1] - need[0])
    return Saying(code=code, params={"needs": needed, "have": have, **params})


def _share(rule: ShareRule, pool: _Pool) -> Saying:
    holders = rule.holders(pool.problem)
    found = []
    for group in _scopes(pool, rule.scope):
        sizes = pool.filled(group)
        if rule.least is not None:
            needs = seats_for(rule.least, sizes[0])
            said = {"share": str(rule.least), "of": sizes[0]}
            found.append(_those(rule, pool, group, holders, needs, said))
        if rule.most is not None:
            needs = sizes[-1] - seats_within(rule.most, sizes[-1])
            said = {"most": str(rule.most), "of": sizes[-1]}
            found.append(_those(rule, pool, group, ~holders, needs, said))
    saying = _bounded("need.share", found)
    return saying if "share" in saying.params else Saying(code="need.share_most", params=saying.params)


def _those(
    rule: Rule, pool: _Pool, group: int | None, which: Mask, needs: int, said: dict[str, Any]
) -> tuple[int, int, dict[str, Any]]:
    """How many of some people are needed and there are, in a group or in all; for how many of them the groups have room,
    and how many are in conflict with each other, where that is told."""
    mine = pool.of(group) & which
    room = pool.room(mine) if group is None else int(mine.sum())
    told = {"rule": rule.id, "group": pool.name(group), "apart": _in_conflict(pool, mine)}
    return needs, int(mine.sum()), {**said, **told, "room": room if room < needs <= mine.sum() else None}


def _in_conflict(pool: _Pool, people: Mask) -> int | None:
    """How many of these are in conflict with another of them, where the clash has a rule about that."""
    if not any(isinstance(rule, Apart) for rule in pool.problem.rules):
        return None
    pairs = pool.problem.between
    meet = people[pairs.left] & people[pairs.right] & (pairs.left != pairs.right)
    return len(np.unique(np.concatenate([pairs.left[meet], pairs.right[meet]]))) or None


def _ratio(rule: Ratio, pool: _Pool) -> Saying:
    size = pool.sizes[0]
    found = []
    for part, target in zip(rule.parts, rule.targets(size), strict=True):
        have = int((part.holders(pool.problem) & pool.people).sum())
        found.append((max(0, target - rule.tolerance), have, {"part": part.name, "of": size}))
    return _bounded("need.ratio", found)


def _new(rule: Newcomers, pool: _Pool) -> Mask:
    new = pool.problem.everyone()
    new[list(rule.sat(pool.problem))] = False
    return new


def _newcomers(rule: Newcomers, pool: _Pool) -> Saying:
    size = pool.sizes[0]
    said = {"of": size, "share": str(rule.least), "back": rule.back}
    return _bounded(
        "need.newcomers", [_those(rule, pool, None, _new(rule, pool), seats_for(rule.least, size), said)]
    )


def _cap(rule: Cap, pool: _Pool) -> Saying:
    values = pool.problem.facts[rule.fact].values
    found = []
    for group in _scopes(pool, rule.scope):
        own = values[pool.of(group)]
        known, counts = np.unique(own[own != MISSING], return_counts=True)
        room = int(np.minimum(counts, rule.most).sum()) + int((own == MISSING).sum())
        said = {"fact": rule.fact, "most": rule.most, "people": len(own), "values": len(known)}
        found.append((pool.filled(group)[0], room, {**said, "group": pool.name(group)}))
    return _bounded("need.cap", found)


def _group_peers(rule: GroupPeers, pool: _Pool) -> Saying:
    near = (pool.problem.grades == CLOSE) & pool.passes
    return _bounded(
        "need.group_peers",
        [
            (rule.least, int(near[:, g].sum()), {"group": pool.name(g)})
            for g in range(len(pool.problem.groups))
        ],
    )


def _case_peers(rule: CasePeers, pool: _Pool) -> Saying:
    problem = pool.problem
    near = dict(zip(np.unique(problem.cases.specialty).tolist(), peers(problem, rule.grade), strict=True))
    found = []
    for case, recused in enumerate(problem.recused):
        may = near[int(problem.cases.specialty[case])] & pool.of(int(problem.cases.group[case]))
        may[list(recused)] = False
        found.append((rule.least, int(may.sum()), {"case": problem.cases.id[case], "grade": rule.grade}))
    return _bounded("need.case_peers", found or [(0, 0, {"case": None, "grade": rule.grade})])


def _quorum(rule: Quorum, pool: _Pool) -> Saying:
    found = []
    for case, recused in enumerate(pool.problem.recused):
        group = None if rule.of == "panel" else int(pool.problem.cases.group[case])
        there, size = pool.of(group), pool.filled(group)[-1]
        people, away = int(there.sum()), int(there[list(recused)].sum())
        said = {"case": pool.problem.cases.id[case], "recused": away, "people": people, "of": size}
        found.append((seats_for(rule.least, size), people - away, {**said, "share": str(rule.least)}))
    return _bounded("need.quorum", found or [(0, 0, {"share": str(rule.least)})])


def _apart(rule: Apart, pool: _Pool) -> Saying:
    pairs = pool.problem.between
    meet = pool.people[pairs.left] & pool.people[pairs.right] & (pairs.left != pairs.right)
    tied = len(np.unique(np.concatenate([pairs.left[meet], pairs.right[meet]])))
    different = {
        (min(a, b), max(a, b))
        for a, b in zip(pairs.left[meet].tolist(), pairs.right[meet].tolist(), strict=True)
    }
    params = {"people": int(pool.people.sum()), "tied": tied, "pairs": len(different)}
    return Saying(code="need.apart", params=params)


def _roles(rule: Roles, pool: _Pool) -> Saying:
    chairs, deputies = (int((mask & pool.people).sum()) for mask in rule.may(pool.problem))
    params = {"chairs": chairs, "deputies": deputies, "needs": rule.deputies_low}
    return Saying(code="need.roles", params=params)


def _panel_size(rule: PanelSize, pool: _Pool) -> Saying:
    params = {"low": rule.low, "high": rule.high, "odd": rule.odd, "not_multiple_of": rule.not_multiple_of}
    return Saying(code="need.panel_size", params={**params, "people": int(pool.people.sum())})


def _group_size(rule: GroupSize, pool: _Pool) -> Saying:
    groups = pool.problem.groups
    short = [
        (
            g.low + g.alternates,
            int(pool.passes[:, i].sum()),
            {"group": g.name, "low": g.low, "high": g.high, "alternates": g.alternates or None},
        )
        for i, g in enumerate(groups)
    ]
    total = {"groups": len(groups), "total_low": pool.problem.low, "total_high": pool.problem.high}
    saying = _bounded("need.group_size", short)
    return Saying(code=saying.code, params={**saying.params, **total, "people": int(pool.people.sum())})


def _alternates(rule: Alternates, pool: _Pool) -> Saying:
    waiting = sum(group.alternates for group in pool.problem.groups)
    return Saying(code="need.alternates", params={"needs": waiting, "no_shows": rule.no_shows})


_TELLERS: dict[type[Rule], Callable[[Any, _Pool], Saying]] = {
    ShareRule: _share,
    Ratio: _ratio,
    Newcomers: _newcomers,
    Cap: _cap,
    GroupPeers: _group_peers,
    CasePeers: _case_peers,
    Quorum: _quorum,
    Apart: _apart,
    Roles: _roles,
    PanelSize: _panel_size,
    GroupSize: _group_size,
    Alternates: _alternates,
}
