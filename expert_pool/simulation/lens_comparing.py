"""Robustness, fairness and policies of two results side by side: only what differs, with how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Literal, TypeAlias

from expert_pool.simulation.lens_differences import (
    ChanceDifference,
    CountDifference,
    EffectDifference,
    FairnessCompared,
    FewestDifference,
    Gap,
    LoadDifference,
    PoliciesCompared,
    PolicyDifference,
    RobustnessCompared,
    SeatsDifference,
    ShareDifference,
)
from expert_pool.simulation.lens_results import (
    ChancePart,
    FairnessPart,
    GroupPart,
    HistoryPart,
    PoliciesPart,
    RobustPart,
)
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.years.figures import mean_interval
from solver.turnout import proportion

Meeting: TypeAlias = tuple[str, str, int]
"""Committee and meeting; of several that are called the same, the number."""
CHANCES = ("lawful", "quorum", "unreplaced_lawful", "unreplaced_quorum")


def compare_robustness(first: Simulation, second: Simulation) -> RobustnessCompared | None:
    """Meeting by meeting; None where one of the two did not ask."""
    if first.robustness is None or second.robustness is None:
        return None
    names = _meetings(first)
    ours = {names[one.base]: one for one in first.robustness.panels}
    theirs = {_meetings(second)[one.base]: one for one in second.robustness.panels}
    differences: list[ChanceDifference] = []
    fewest: list[FewestDifference] = []
    failing = [0.0, 0.0]
    meetings = same = 0
    for meeting, a in ours.items():
        b = theirs.get(meeting)
        if b is None or a.lawful is None or b.lawful is None:
            continue
        meetings += 1
        same += a.panel == b.panel
        failing[0] += 1 - a.lawful.chance
        failing[1] += 1 - b.lawful.chance
        differences += [
            ChanceDifference(committee=meeting[0], meeting=meeting[1], what=what, gap=gap)
            for what, gap in _chances(a, b)
            if gap.difference
        ]
        if a.fewest != b.fewest:
            fewest.append(
                FewestDifference(committee=meeting[0], meeting=meeting[1], first=a.fewest, second=b.fewest)
            )
    return RobustnessCompared(
        meetings=meetings,
        same_panels=same,
        failing_first=_round(failing[0]),
        failing_second=_round(failing[1]),
        differences=differences,
        fewest=fewest,
    )


def _chances(a: RobustPart, b: RobustPart) -> Iterator[tuple[str, Gap]]:
    for what in CHANCES:
        one, other = getattr(a, what), getattr(b, what)
        if isinstance(one, ChancePart) and isinstance(other, ChancePart):
            how: Literal["exact", "apart"] = "exact" if one.exact and other.exact else "apart"
            yield what, _gap(one.chance, other.chance, (one.low, one.high), (other.low, other.high), how)
    if a.seated is not None and b.seated is not None:
        yield "seated", _exact(a.seated, b.seated)


def compare_fairness(first: Simulation, second: Simulation, same_luck: bool) -> FairnessCompared | None:
    """Group by group; None where one of the two did not ask. Groups of several values told together are beside each other
    only where they are of as many values and people."""
    if first.fairness is None or second.fairness is None:
        return None
    ours, theirs = _groups(first.fairness), _groups(second.fairness)
    both = [(ours[key], theirs[key]) for key in ours if key in theirs]
    pairs = _pairs(both[0][0].draws, both[0][1].draws) if both else []
    return FairnessCompared(
        groups=len(both),
        same_luck=same_luck,
        draws=len(pairs),
        differences=[
            ShareDifference(by=a.by, of=a.of, values=a.values, what=what, gap=gap)
            for a, b in both
            for what, gap in _shares(a, b)
            if gap.difference or gap.low
        ],
        load=[
            LoadDifference(way=a.way, first=a.gini, second=b.gini)
            for a in first.fairness.load
            for b in second.fairness.load
            if a.way == b.way and a.gini != b.gini
        ],
        rules=_effects(first.fairness, second.fairness),
    )


def _groups(found: FairnessPart) -> dict[tuple[object, ...], GroupPart]:
    return {
        (part.by, part.of, *((part.values, part.pool) if part.of is None else ())): part
        for part in found.groups
    }


def _pairs(ours: Sequence[float | None], theirs: Sequence[float | None]) -> list[tuple[float, float]]:
    return [(a, b) for a, b in zip(ours, theirs, strict=False) if a is not None and b is not None]


def _shares(a: GroupPart, b: GroupPart) -> Iterator[tuple[Literal["even", "optimum", "near", "drawn"], Gap]]:
    yield "even", _exact(a.even.share, b.even.share)
    yield "optimum", _exact(a.optimum, b.optimum)
    if a.near is not None and b.near is not None:
        yield (
            "near",
            _gap(a.near.share, b.near.share, (a.near.low, a.near.high), (b.near.low, b.near.high), "range"),
        )
    if a.drawn is None or b.drawn is None:
        return
    pairs = _pairs(a.draws, b.draws)
    if len(pairs) > 1:
        low, high = mean_interval([b - a for a, b in pairs])
        one, other = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
        yield "drawn", _told(one, other, low, high, "paired")
    else:
        ends = (a.drawn.low, a.drawn.high), (b.drawn.low, b.drawn.high)
        yield "drawn", _gap(a.drawn.share, b.drawn.share, *ends, "apart")


def _effects(first: FairnessPart, second: FairnessPart) -> list[EffectDifference]:
    """Seats by rule and group, where both have settled what the rule does to every meeting."""
    theirs = {part.rule: part for part in second.rules if not part.open}
    found = []
    for part in first.rules:
        other = theirs.get(part.rule)
        if other is None or part.open:
            continue
        ours = {(effect.by, effect.of): effect.seats for effect in part.effects}
        its = {(effect.by, effect.of): effect.seats for effect in other.effects}
        found += [
            EffectDifference(
                rule=part.rule,
                kind=part.kind,
                by=by,
                of=of,
                first=ours.get((by, of), 0),
                second=its.get((by, of), 0),
            )
            for by, of in dict.fromkeys([*ours, *its])
            if ours.get((by, of), 0) != its.get((by, of), 0)
        ]
    return found


def compare_policies(first: Simulation, second: Simulation) -> PoliciesCompared | None:
    """Policy by policy, as they are called; None where one of the two did not ask."""
    if first.policies is None or second.policies is None:
        return None
    ours = [policy.name for policy in first.policies.policies]
    theirs = [policy.name for policy in second.policies.policies]
    shared = set(_meetings(first).values()) & set(_meetings(second).values())
    return PoliciesCompared(
        meetings=len(shared),
        policies=[
            _policy(first, ours.index(name), second, theirs.index(name), shared)
            for name in ours
            if name in theirs
        ],
        only_first=[name for name in ours if name not in theirs],
        only_second=[name for name in theirs if name not in ours],
    )


def _policy(
    first: Simulation, at: int, second: Simulation, other: int, shared: set[Meeting]
) -> PolicyDifference:
    ours, theirs = first.policies, second.policies
    assert ours is not None
    assert theirs is not None
    a, b = _judged(first, ours, at, shared), _judged(second, theirs, other, shared)
    pairs = [(a[key][0], b[key][0]) for key in a if key in b]
    same = len(shared) == len(first.bases) == len(second.bases)
    return PolicyDifference(
        name=ours.policies[at].name,
        panels_first=len(a),
        panels_second=len(b),
        unlawful=_unlawful(pairs, a, b, drawn=ours.history == "drawn"),
        paired=len(pairs),
        turned_unlawful=sum(was and not now for was, now in pairs),
        turned_lawful=sum(now and not was for was, now in pairs),
        rules=_counted(_broken(a), _broken(b), {**ours.rules, **theirs.rules}),
        without_panel_first=_unseated(first, ours, at, shared),
        without_panel_second=_unseated(second, theirs, other, shared),
        lost_first=_lost(first, ours, at, shared),
        lost_second=_lost(second, theirs, other, shared),
        seats=_seats(ours, at, theirs, other) if same and ours.by == theirs.by else [],
        costs=_counted(_costs(ours, at), _costs(theirs, other), {}) if same else [],
    )


Judged: TypeAlias = Mapping[tuple[object, ...], tuple[bool, frozenset[str]]]
"""Of each panel of a history: whether it is lawful, and the rules it breaks."""


def _judged(found: Simulation, part: PoliciesPart, policy: int, shared: set[Meeting]) -> Judged:
    """By meeting and the panel's code, or the number of its draw."""
    names = _meetings(found)

    def key(panel: HistoryPart) -> tuple[object, ...]:
        return (*names[panel.base], part.history, panel.code, panel.draw)

    return {
        key(panel): (
            panel.verdicts[policy].lawful,
            frozenset(broken.rule for broken in panel.verdicts[policy].broken),
        )
        for panel in part.panels
        if names[panel.base] in shared
    }


def _unlawful(pairs: Sequence[tuple[bool, bool]], a: Judged, b: Judged, *, drawn: bool) -> Gap | None:
    """The share of unlawful panels: exact of recorded and of best panels, which are all there are; of drawn ones with what
    their number leaves open."""
    if not a or not b:
        return None
    if pairs and len(pairs) == len(a) == len(b):
        count = len(pairs)
        worse = sum(was and not now for was, now in pairs)
        better = sum(now and not was for was, now in pairs)
        one, other = (sum(not lawful for lawful in side) / count for side in zip(*pairs, strict=True))
        if not drawn:
            return _exact(one, other)
        (low, high), (under, over) = proportion(worse, count), proportion(better, count)
        return _told(one, other, low - over, high - under, "apart")
    counts = [(sum(not lawful for lawful, _ in side.values()), len(side)) for side in (a, b)]
    ends = [proportion(*count) for count in counts]
    one, other = (bad / of for bad, of in counts)
    return _gap(one, other, ends[0], ends[1], "apart") if drawn else _exact(one, other)


def _broken(judged: Judged) -> Counter[str]:
    return Counter(rule for _, rules in judged.values() for rule in rules)


def _counted(
    ours: Mapping[str, int], theirs: Mapping[str, int], kinds: Mapping[str, str]
) -> list[CountDifference]:
    return [
        CountDifference(
            name=name, kind=kinds.get(name, ""), first=ours.get(name, 0), second=theirs.get(name, 0)
        )
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name, 0) != theirs.get(name, 0)
    ]


def _unseated(found: Simulation, part: PoliciesPart, policy: int, shared: set[Meeting]) -> int:
    names = _meetings(found)
    return sum(
        one.policy == policy and one.panel is None and names[one.base] in shared for one in part.assembled
    )


def _lost(found: Simulation, part: PoliciesPart, policy: int, shared: set[Meeting]) -> int:
    names = _meetings(found)
    return sum(names[case.base] in shared for case in part.lost[policy])


def _seats(ours: PoliciesPart, at: int, theirs: PoliciesPart, other: int) -> list[SeatsDifference]:
    its = {(part.of, part.values): part for part in theirs.groups if part.policy == other}
    return [
        SeatsDifference(
            of=part.of,
            values=part.values,
            first=part.seats,
            second=own.seats,
            eligible_first=part.eligible,
            eligible_second=own.eligible,
        )
        for part in ours.groups
        if part.policy == at
        and (own := its.get((part.of, part.values))) is not None
        and (part.seats, part.eligible) != (own.seats, own.eligible)
    ]


def _costs(part: PoliciesPart, policy: int) -> dict[str, int]:
    return {cost.goal: cost.other for cost in part.costs if cost.policy == policy}


def _meetings(found: Simulation) -> dict[int, Meeting]:
    """What names each base in another result too."""
    seen: Counter[tuple[str, str]] = Counter()
    names = {}
    for base in found.bases:
        key = (base.committee, base.meeting)
        names[base.number] = (*key, seen[key])
        seen[key] += 1
    return names


def _exact(first: float, second: float) -> Gap:
    gap = second - first
    return _told(first, second, gap, gap, "exact")


def _gap(
    first: float,
    second: float,
    ours: tuple[float, float],
    theirs: tuple[float, float],
    how: Literal["exact", "apart", "range"],
) -> Gap:
    if how == "exact":
        return _exact(first, second)
    return _told(first, second, theirs[0] - ours[1], theirs[1] - ours[0], how)


def _told(
    first: float,
    second: float,
    low: float | None,
    high: float | None,
    how: Literal["exact", "paired", "apart", "range"],
) -> Gap:
    return Gap(
        first=_round(first),
        second=_round(second),
        difference=_round(second - first),
        low=None if low is None else _round(low),
        high=None if high is None else _round(high),
        how=how,
        sure=low is not None and high is not None and not low <= 0 <= high,
    )


def _round(value: float) -> float:
    return round(value, 9) + 0.0
