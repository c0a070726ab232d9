"""Who comes on the day, by chance: how likely the panel that meets is lawful, and how few absences can break it.

Everybody named, members and alternates, stays away with a chance of their own, independently; alternates are called in
order (`Panel.after`). What can break is an *event*: a hard rule, nobody presiding, too few attending. An event sees
people only as kinds (`Rule.sees`), so that how many more or fewer of each kind meet than were named decides it.

Exact: per group and kind the number of absent is Poisson-binomial; kinds, alternates and groups are put together by
convolution over those differences, each with its chance and the fewest absences that lead to it. Where there would be
more than MOST_STATES of them, `chance_of` takes the sets of few absences one by one, which is exact too, and draws only
the rest: the interval is then of the drawn part alone (Clopper and Pearson 1934), as wide as that part is likely.
`fewest_of` is exact by the same convolution with absences counted, cut off at the size looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from solver.breaking import Event, together
from solver.facts import Floats
from solver.panel import Panel

MOST_STATES = 4_000
"""More differences than this are not put together; chances are then partly drawn."""
NEGLIGIBLE = 1e-12
"""Events that only absences less likely than this can break are taken as kept."""
MOST_SETS = 6_000
"""So many sets of few absences are taken one by one."""

Difference = frozenset[tuple[Hashable, int]]


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability 0..1; `low` and `high` bound it with 95% confidence where it was partly drawn."""

    value: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Fewest:
    """The smallest absence that breaks an event (nobody, where it is broken as it stands): who, or None where none does. `proven`: no smaller one does; of a search
    that had to stop, no absence of up to `looked` people."""

    absent: tuple[int, ...] | None
    looked: int
    proven: bool


@dataclass(frozen=True, slots=True)
class _State:
    """How likely a difference is, and the fewest people whose absence makes it."""

    chance: float
    absent: tuple[int, ...]


States = dict[Difference, _State]


class _TooMany(Exception):
    """More differences than are put together."""


def _add(states: States, key: Difference, chance: float, absent: tuple[int, ...]) -> None:
    old = states.get(key)
    if old is None:
        if len(states) >= MOST_STATES:
            raise _TooMany
        states[key] = _State(chance, absent)
    else:
        states[key] = _State(old.chance + chance, min(old.absent, absent, key=len))


def _sum(*parts: Difference) -> Difference:
    if sum(map(bool, parts)) == 1:
        return next(part for part in parts if part)
    total: Counter[Hashable] = Counter()
    for part in parts:
        for kind, count in part:
            total[kind] += count
    return frozenset((kind, count) for kind, count in total.items() if count)


def binomials(chances: Sequence[float]) -> Floats:
    """How likely 0, 1, ... of independent events are: Poisson-binomial, by convolution."""
    found = np.ones(1)
    for chance in chances:
        found = np.convolve(found, [1 - chance, chance])
    return found


def _of_group(event: Event, panel: Panel, group: int, chances: Mapping[int, float], most: int) -> States:
    """Every difference that absences in one group may make, of at most so many people."""
    gone: dict[tuple[int, Difference], _State] = {(0, frozenset()): _State(1.0, ())}
    kinds: dict[Hashable, list[int]] = {}
    for expert in panel.by_group[group]:
        kinds.setdefault(event.sees[expert], []).append(expert)
    for kind, people in kinds.items():
        by_chance = sorted(people, key=lambda e: (-chances[e], e))
        weights = binomials([chances[e] for e in people])
        wider: dict[tuple[int, Difference], _State] = {}
        for (missing, difference), state in gone.items():
            for count, weight in enumerate(weights.tolist()):
                if len(state.absent) + count > most or not weight:
                    continue
                own: Difference = frozenset([(kind, -count)]) if count else frozenset()
                absent = (*state.absent, *by_chance[:count])
                wider[missing + count, difference | own] = _State(state.chance * weight, absent)
                if len(wider) > MOST_STATES:
                    raise _TooMany
        gone = wider
    waiting = panel.alternates[group] if group < len(panel.alternates) else ()
    found: States = {}
    called: dict[int, States] = {}
    for (missing, difference), state in gone.items():
        if missing not in called:
            called[missing] = _called(event, waiting, missing, chances)
        for more, other in called[missing].items():
            absent = (*state.absent, *other.absent)
            if len(absent) <= most and other.chance:
                _add(found, _sum(difference, more), state.chance * other.chance, absent)
    return found


def _called(event: Event, waiting: Sequence[int], missing: int, chances: Mapping[int, float]) -> States:
    """Who of the alternates takes a seat when so many are missing, by kinds."""
    open_: dict[tuple[int, Difference], _State] = {(0, frozenset()): _State(1.0, ())}
    found: States = {}
    for expert in waiting:
        wider: dict[tuple[int, Difference], _State] = {}
        for (seated, difference), state in open_.items():
            if seated == missing:
                _add(found, difference, state.chance, state.absent)
                continue
            one: Difference = frozenset([(event.sees[expert], 1)])
            steps = (
                (seated + 1, _sum(difference, one), 1 - chances[expert], state.absent),
                (seated, difference, chances[expert], (*state.absent, expert)),
            )
            for number, key, chance, absent in steps:
                if chance:
                    old = wider.get((number, key), _State(0.0, absent))
                    fewest = min(old.absent, absent, key=len)
                    wider[number, key] = _State(old.chance + state.chance * chance, fewest)
        open_ = wider
    for (_, difference), state in open_.items():
        _add(found, difference, state.chance, state.absent)
    return found


def _differences(event: Event, panel: Panel, chances: Mapping[int, float], most: int) -> list[States]:
    """Of each group where the event is local, of the whole panel where it is not. Raises _TooMany."""
    groups = [_of_group(event, panel, g, chances, most) for g in range(len(panel.problem.groups))]
    if event.local:
        return groups
    found: States = {frozenset(): _State(1.0, ())}
    for own in groups:
        wider: States = {}
        for difference, state in found.items():
            for more, other in own.items():
                if len(state.absent) + len(other.absent) <= most:
                    key = _sum(difference, more)
                    _add(wider, key, state.chance * other.chance, (*state.absent, *other.absent))
        found = wider
    return [found]


class Turnout:
    """The chances of one panel. `chances`: of staying away, 0..1, shape (experts,) of its problem.

    Verdicts are remembered, so that asking again with other chances (`absent`: people who surely stay away) costs little.
    """

    def __init__(self, panel: Panel, chances: Floats, *, samples: int = 4_000, seed: int = 0) -> None:
        self.panel, self.samples, self.seed = panel, samples, seed
        self.chances = {e: float(chances[e]) for e in panel.everybody}
        self._verdicts: dict[tuple[str, int, Difference], bool] = {}
        self._safe: dict[str, int] = {}
        """Of events looked at: absences of up to so many people do not break them."""

    def kept(self, events: Sequence[Event], absent: Sequence[int] = ()) -> Chance:
        """How likely all of some events are kept, where `absent` surely stay away."""
        chances = {**self.chances, **dict.fromkeys(absent, 1.0)}
        more = np.cumsum(binomials(list(chances.values()))[::-1])[::-1]
        events = [e for e in events if more[min(self._safe.get(e.id, -1) + 1, len(more) - 1)] > NEGLIGIBLE]
        if not events:
            return Chance(1.0, 1.0, 1.0)
        event = (
            events[0] if len(events) == 1 else together(events, self.panel, "+".join(e.id for e in events))
        )
        try:
            found = self._exactly(event, chances)
        except _TooMany:
            return self._in_part(events, chances)
        return Chance(found, found, found)

    def called(self, expert: int) -> float:
        """How likely an alternate comes and takes a seat: fewer alternates before them come than members are missing."""
        group = next(g for g, waiting in enumerate(self.panel.alternates) if expert in waiting)
        waiting = self.panel.alternates[group]
        before = waiting[: waiting.index(expert)]
        missing = binomials([self.chances[e] for e in self.panel.by_group[group]])
        there = binomials([1 - self.chances[e] for e in before])
        more = np.append(np.cumsum(missing[::-1])[::-1], 0.0)
        needed = [more[min(n + 1, len(more) - 1)] for n in range(len(there))]
        return (1 - self.chances[expert]) * float(there @ np.array(needed))

    def fewest(self, event: Event, most: int | None = None) -> Fewest:
        """The smallest absence that breaks an event, of at most so many people; whoever may be absent at all, at whatever
        chance."""
        best, looked, proven = None, len(self.panel.everybody) if most is None else most, True
        for part in event.parts or (event,):
            found = self._fewest(part, looked)
            best = best if found.absent is None else found.absent
            looked = min(looked, found.looked)
            proven = proven and found.proven
        self._safe[event.id] = looked - 1 if best is not None and len(best) == looked else looked
        return Fewest(best, looked, proven)

    def _fewest(self, event: Event, most: int) -> Fewest:
        even = dict.fromkeys(self.panel.everybody, 0.5)
        for size in range(most + 1):
            try:
                groups = _differences(event, self.panel, even, size)
            except _TooMany:
                return Fewest(None, size - 1, proven=False)
            own = [
                state.absent
                for g, states in enumerate(groups)
                for key, state in states.items()
                if len(state.absent) == size and self._broken(event, g, key, state.absent)
            ]
            if own:
                return Fewest(min(own), size, proven=True)
        return Fewest(None, most, proven=True)

    def _exactly(self, event: Event, chances: Mapping[int, float]) -> float:
        kept = 1.0
        for g, states in enumerate(_differences(event, self.panel, chances, len(self.panel.everybody))):
            kept *= sum(
                state.chance for key, state in states.items() if not self._broken(event, g, key, state.absent)
            )
        return min(1.0, kept)

    def _broken(self, event: Event, group: int, difference: Difference, absent: Sequence[int]) -> bool:
        name = (event.id, group if event.local else -1, difference)
        if name not in self._verdicts:
            self._verdicts[name] = event.broken(self.panel.after(absent))
        return self._verdicts[name]

    def _any_broken(self, events: Sequence[Event], absent: tuple[int, ...]) -> bool:
        """Whether an absence breaks one of the events; what is alike to an event is judged once."""
        meeting, away = self.panel.after(absent), frozenset(absent)
        changed: dict[int, list[tuple[int, int]]] = {}
        for g, group in enumerate(self.panel.by_group):
            gone = [(e, -1) for e in group if e in away]
            if gone:
                waiting = self.panel.alternates[g] if g < len(self.panel.alternates) else ()
                changed[g] = [*gone, *((e, 1) for e in waiting if e in meeting.members)]
        for event in events:
            if len(absent) <= self._safe.get(event.id, -1):
                continue
            parts = changed.items() if event.local else [(-1, [c for own in changed.values() for c in own])]
            for g, own in parts:
                difference = _sum(*(frozenset([(event.sees[e], count)]) for e, count in own))
                if self._broken(event, g, difference, absent):
                    return True
        return False

    def without(self, events: Sequence[Event], people: Sequence[int]) -> dict[int, Chance]:
        """How likely all of some events are kept without each of some people, the others as they are. One pass over the
        absences serves all of them, where it is not exact anyway: who is absent is not there."""
        tallied = [e for e in people if 0 < self.chances[e] < 1]
        try:
            self._exactly(together(events, self.panel, "+".join(e.id for e in events)), self.chances)
        except _TooMany:
            whole = self._tallies(events, self.chances)
            found = {e: whole.given(e, self.chances[e]) for e in tallied}
            return {e: found[e] if e in found else self.kept(events, [e]) for e in people}
        return {e: self.kept(events, [e]) for e in people}

    def _in_part(self, events: Sequence[Event], chances: Mapping[int, float]) -> Chance:
        return self._tallies(events, chances).given(None, 1.0)

    def _tallies(self, events: Sequence[Event], chances: Mapping[int, float]) -> _Tallies:
        """Sets of few absences one by one, the others drawn."""
        sure = tuple(e for e, chance in chances.items() if chance == 1)
        people = [e for e, chance in chances.items() if 0 < chance < 1]
        odds = np.array([chances[e] / (1 - chances[e]) for e in people])
        nobody = float(np.prod([1 - chances[e] for e in people]))
        size, taken = 0, 1
        while size < len(people) and taken + comb(len(people), size + 1) <= MOST_SETS:
            size += 1
            taken += comb(len(people), size)
        found = _Tallies(0.0, defaultdict(float), 0.0, 0, Counter(), self.samples)
        for count in range(size + 1):
            for own in combinations(range(len(people)), count):
                if not self._any_broken(events, (*sure, *(people[i] for i in own))):
                    weight = nobody * float(np.prod(odds[list(own)]))
                    found.kept += weight
                    for i in own:
                        found.kept_without[people[i]] += weight
        found.rest = float(binomials([chances[e] for e in people])[size + 1 :].sum())
        if found.rest > NEGLIGIBLE:
            self._drawn(found, events, sure, people, np.array([chances[e] for e in people]), size)
        return found

    def _drawn(
        self,
        found: _Tallies,
        events: Sequence[Event],
        sure: tuple[int, ...],
        people: Sequence[int],
        chances: Floats,
        size: int,
    ) -> None:
        """Absences of more than `size` people, drawn by their chances: those that break nothing are counted."""
        rng = np.random.default_rng(self.seed)
        counts: Counter[bytes] = Counter()
        while counts.total() < self.samples:
            drawn = rng.random((4 * self.samples, len(people))) < chances
            for row in drawn[drawn.sum(axis=1) > size][: self.samples - counts.total()]:
                counts[row.tobytes()] += 1
        for row, times in counts.items():
            away = [people[i] for i in np.flatnonzero(np.frombuffer(row, dtype=bool)).tolist()]
            if not self._any_broken(events, (*sure, *away)):
                found.good += times
                for e in away:
                    found.good_without[e] += times


@dataclass
class _Tallies:
    """What one pass over absences came to: how likely nothing is broken among the sets of few absences, and of those with
    somebody absent; how likely the rest is, and how many of its draws break nothing."""

    kept: float
    kept_without: dict[int, float]
    rest: float
    good: int
    good_without: Counter[int]
    drawn: int

    def given(self, expert: int | None, chance: float) -> Chance:
        """How likely nothing is broken, where somebody is absent who is so with `chance`; nobody named: as things are."""
        kept = self.kept if expert is None else self.kept_without[expert]
        if self.rest <= NEGLIGIBLE:
            return Chance(min(1.0, kept / chance), *[min(1.0, kept / chance)] * 2)
        good = self.good if expert is None else self.good_without[expert]
        parts = (good / self.drawn, *proportion(good, self.drawn))
        return Chance(*(min(1.0, (kept + self.rest * part) / chance) for part in parts))


def proportion(good: int, of: int) -> tuple[float, float]:
    """The 95% interval of a proportion by Clopper and Pearson: never too narrow. By bisection of binomial tails."""
    if not 0 <= good <= of or of < 1:
        raise ValueError(f"{good} of {of}")
    k = np.arange(of + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, of + 1)))])
    ways = logs[of] - logs[k] - logs[of - k]

    def tail(p: float, upper: bool) -> float:
        own = np.exp(ways + k * np.log(p) + (of - k) * np.log1p(-p))
        return float(own[good:].sum() if upper else own[: good + 1].sum())

    def edge(upper: bool) -> float:
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            if (tail(middle, upper) < 0.025) == upper:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    return 0.0 if good == 0 else edge(True), 1.0 if good == of else edge(False)
