"""The smallest recruitment for a season: the fewest new experts with whom every one of several problems has a panel.

Problems that need nobody new are out. The others fall into parts that no imagined expert could serve together (other fields,
other levels); each part is a season of its own. In a part the problems are first served one after the other, each with the
fewest besides those taken in before: that is a plan. A bound is the busiest day, for nobody sits on two panels a day. Where
plan and bound do not meet, one model of the whole part settles it, as far as the time goes. Members who are there already
are looked at problem by problem, as `recruit` does: who of them sits where in a season is for the season's own search.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from solver.diagnosis.possible import WORKERS
from solver.engines.processes import warm
from solver.engines.race import Cancelled, engines_for
from solver.kinds import Kind
from solver.problem import Problem
from solver.profiles import Profile, profiles_of, with_all_specialties
from solver.progress import Progress, Reporter, silent
from solver.recruit import MOST_PEOPLE, Recruitment, recruit, smaller
from solver.recruit_together import Together, handed_out, places, together

ALONE = 0.5
"""The part of the time for the problems one by one; the rest is for all together."""
PLAN = 0.4
"""Of what is left for a part, the time for a first plan."""
FEWEST = 0.8
"""Of what is left then, the time for how many; the rest is for what is asked of them."""


@dataclass(frozen=True)
class Recruited:
    """So many recruits of a profile, and the problems (indices) in whose panels they are seated."""

    count: int
    profile: Profile
    problems: tuple[int, ...]


@dataclass(frozen=True)
class SeasonRecruitment:
    """`alone`: what each problem needs by itself. `count` recruits serve all problems that any number can help; no fewer
    than `bound` will do. `status` as in `Recruitment`: `no_number_helps` where that is so of some problem, and the plan is
    for the others; `undecided` where a limit came first: a plan, if there is one, is for the problems that were settled."""

    status: Literal["none_needed", "found", "no_number_helps", "undecided"]
    alone: tuple[Recruitment, ...]
    count: int | None = None
    bound: int = 0
    recruits: tuple[Recruited, ...] = ()

    @property
    def proven(self) -> bool:
        return self.status != "undecided" and self.count is not None and self.count == self.bound

    @property
    def gap(self) -> int | None:
        """How many recruits fewer there might be at most; None without a plan."""
        return None if self.count is None else self.count - self.bound


def recruit_season(
    problems: Sequence[Problem],
    *,
    seconds: float = 60.0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> SeasonRecruitment:
    """The fewest recruits with whom a panel keeps every hard rule of each problem, and who they are. After `seconds`
    (or once `cancelled`) the best plan so far, with what is proven of it."""
    begun = time.monotonic()
    alone = []
    for number, problem in enumerate(problems):
        report(Progress("recruit", number, len(problems)))
        left = begun + ALONE * seconds - time.monotonic()
        share = max(left / (len(problems) - number), 0.0)
        alone.append(recruit(problem, seconds=share, modest=False, cancelled=cancelled))
    needy = [i for i, own in enumerate(alone) if own.status == "found"]
    open_ = any(own.status == "undecided" for own in alone)
    hopeless = any(own.status == "no_number_helps" for own in alone)
    least = max((own.bound for own in alone), default=0)
    if not needy:
        if open_:
            return SeasonRecruitment("undecided", tuple(alone), bound=least)
        return SeasonRecruitment("no_number_helps" if hopeless else "none_needed", tuple(alone), 0, 0)
    season = _Season(problems, alone, needy, begun + seconds, cancelled)
    found = season.settled(report)
    bound = max(least, sum(part.bound for part in found))
    if open_ or any(part.plan is None for part in found):
        plans = [part for part in found if part.plan is not None]
        whole = len(plans) == len(found)
        count = sum(part.plan.count for part in plans if part.plan) if whole else None
        recruits = season.recruits(plans) if whole else ()
        return SeasonRecruitment("undecided", tuple(alone), count, bound, recruits)
    count = sum(part.plan.count for part in found if part.plan)
    status: Literal["found", "no_number_helps"] = "no_number_helps" if hopeless else "found"
    return SeasonRecruitment(status, tuple(alone), count, bound, season.recruits(found))


@dataclass
class _Part:
    """Problems (places among the needy ones) that some profile could serve together. `profiles` are those of `plan`."""

    problems: list[int]
    bound: int
    plan: Together | None = None
    profiles: Sequence[Profile] = ()


class _Season:
    """The needy problems of a season, the profiles that could be taken in for them, and the time there is."""

    def __init__(
        self,
        problems: Sequence[Problem],
        alone: Sequence[Recruitment],
        needy: Sequence[int],
        ends: float,
        cancelled: Cancelled,
    ) -> None:
        self.numbers, self.ends, self.cancelled = needy, ends, cancelled
        self.asked = with_all_specialties([smaller(problems[i]) for i in needy])
        self.profiles, self.complete = profiles_of(self.asked, best_only=True)
        self.least = [alone[i].bound for i in needy]
        self.most = [alone[i].count or 0 for i in needy]

    def settled(self, report: Reporter) -> list[_Part]:
        """All parts, each with the best plan and bound there was time for."""
        parts = [_Part(own, self._busiest(own)) for own in self._parts()]
        parts.sort(key=lambda part: (sum(places(self.asked[i]) for i in part.problems), part.problems))
        warm(engines_for(WORKERS))
        for number, part in enumerate(parts):
            report(Progress("recruit", number, len(parts), goal="season"))
            room = (self.ends - time.monotonic()) / (len(parts) - number)
            part.plan, part.profiles = self._one_by_one(part, time.monotonic() + PLAN * room), self.profiles
        for number, part in enumerate(parts):
            report(Progress("recruit", number, len(parts), goal="season"))
            room = (self.ends - time.monotonic()) / (len(parts) - number)
            self._better(part, time.monotonic() + room)
        return parts

    def recruits(self, parts: Iterable[_Part]) -> tuple[Recruited, ...]:
        """Who is taken in, by profile and the problems that seat them."""
        tally: Counter[tuple[Profile, tuple[int, ...]]] = Counter()
        for part in parts:
            assert part.plan is not None
            days = [self.asked[i].day for i in part.problems]
            for (j, own), count in handed_out(part.plan, days).items():
                tally[part.profiles[j], tuple(self.numbers[part.problems[i]] for i in own)] += count
        order = sorted(tally.items(), key=lambda item: (-item[1], item[0][0].code, repr(item[0])))
        return tuple(Recruited(count, profile, serves) for (profile, serves), count in order)

    def _parts(self) -> Iterator[list[int]]:
        """Problems joined by the profiles that more than one of them could seat."""
        part = list(range(len(self.asked)))
        for profile in self.profiles:
            may = [i for i, kind in enumerate(profile.kinds) if kind is not None]
            joined = {part[i] for i in may}
            part = [min(joined) if own in joined else own for own in part]
        return ([i for i, own in enumerate(part) if own == one] for one in sorted(set(part)))

    def _busiest(self, own: Sequence[int]) -> int:
        """Nobody sits on two panels a day."""
        on: Counter[int] = Counter()
        for i in own:
            on[self.asked[i].day] += self.least[i]
        return max(on.values())

    def _one_by_one(self, part: _Part, ends: float) -> Together | None:
        """The problems one after the other, those that need most first, each with the fewest besides those taken in."""
        taken: Counter[int] = Counter()
        used: dict[int, Counter[int]] = {}
        for i in sorted(part.problems, key=lambda i: (-self.most[i], i)):
            busy: Counter[int] = Counter()
            for other, seated in used.items():
                if self.asked[other].day == self.asked[i].day:
                    busy.update(seated)
            free = {j: n - busy[j] for j, n in taken.items() if n > busy[j]}
            found = self._together([i], self.profiles, self.most[i], ends, there=free)
            if found is None:
                return None
            taken.update(found.taken)
            used[i] = Counter(found.used[0])
        return Together(dict(taken), tuple(used[i] for i in part.problems), part.bound)

    def _better(self, part: _Part, ends: float) -> None:
        """One model for the part: first how many, then, of so many, those of whom least is asked."""
        plan = part.plan
        if plan is None or plan.count > part.bound:
            most = sum(self.most[i] for i in part.problems) if plan is None else plan.count
            until = time.monotonic() + FEWEST * (ends - time.monotonic())
            found = self._together(part.problems, self.profiles, most, until)
            if found is not None:
                part.bound = max(part.bound, found.bound if self.complete else 0)
                if plan is None or found.count < plan.count:
                    part.plan = plan = found
        if plan is None:
            return
        every, _ = profiles_of([self.asked[i] for i in part.problems], best_only=False)
        if len(every) * plan.count <= MOST_PEOPLE:
            kinds = [[profile.kinds[at] for profile in every] for at in range(len(part.problems))]
            modest = self._together(part.problems, every, plan.count, ends, kinds=kinds, at_most=plan.count)
            if modest is not None:
                part.plan, part.profiles = modest, every

    def _together(
        self,
        own: Sequence[int],
        profiles: Sequence[Profile],
        most: int,
        ends: float,
        *,
        kinds: Sequence[Sequence[Kind | None]] | None = None,
        there: dict[int, int] | None = None,
        at_most: int | None = None,
    ) -> Together | None:
        left = ends - time.monotonic()
        if left <= 0 or self.cancelled():
            return None
        return together(
            [self.asked[i] for i in own],
            profiles,
            kinds or [[profile.kinds[i] for profile in profiles] for i in own],
            most=most,
            there=[] if there is None else [there],
            at_most=at_most,
            seconds=left,
            cancelled=self.cancelled,
        )
