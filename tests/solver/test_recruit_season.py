"""The smallest recruitment for several problems together, against every way to imagine experts for tiny ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations_with_replacement, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import SECTORS, problems
from tiny_recruits import RULES, exists

from solver.kinds import Kind, with_people
from solver.model import funnel
from solver.problem import Problem
from solver.profiles import profiles_of, with_all_specialties
from solver.recruit_season import recruit_season
from solver.recruit_together import Together, handed_out


@st.composite
def seasons(draw: st.DrawFn) -> list[Problem]:
    """Two committees with few people, few seats and rules that are often too much for them, on one day or on two."""
    apart = draw(st.booleans())
    found = []
    for number in range(2):
        own = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=2, unique_by=lambda r: r.id))
        problem = draw(problems(experts=(2, 3), rules=tuple(own)))
        first = replace(problem.groups[0], low=1, high=1)
        day = date(2026, 4, 18) + timedelta(days=number * apart)
        found.append(replace(problem, groups=(first, *problem.groups[1:]), on=day))
    return found


def everybody() -> Iterator[Kind]:
    """Anybody who could be imagined: every sub-specialty, sector and age on each side of what the rules ask."""
    for specialty, sector, age in product(range(3), (None, *SECTORS), (None, 40, 50, 60)):
        yield Kind(specialty, (("age", age), ("sector", sector)), (), 0)


def enough(season: Sequence[Problem], people: Sequence[Kind]) -> bool:
    """Whether these recruits serve all problems: on one day, each of them only one."""
    able = [[k for k in people if funnel(with_people(p, [k])).passes[len(p.experts) :].any()] for p in season]
    if len({problem.on for problem in season}) == len(season):
        return all(exists(problem, own) for problem, own in zip(season, able, strict=True))
    for split in product(range(len(season)), repeat=len(people)):
        shares = [
            [k for k, n in zip(people, split, strict=True) if n == i and k in able[i]]
            for i in range(len(season))
        ]
        if all(exists(problem, own) for problem, own in zip(season, shares, strict=True)):
            return True
    return False


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seasons())
def test_no_fewer_recruits_would_serve_the_season(season: list[Problem]) -> None:
    found = recruit_season(season, seconds=600)
    assert found.status != "undecided"
    if found.status == "none_needed":
        assert all(exists(problem, []) for problem in season)
        return
    if found.status == "no_number_helps":
        return
    people = [
        Kind(
            season[0].specialties.code.index(own.profile.code),
            own.profile.facts,
            (),
            0,
        )
        for own in found.recruits
        for _ in range(own.count)
    ]
    assert found.proven
    assert found.count == len(people)
    assert enough(season, people)
    assert (
        max(own.count or 0 for own in found.alone)
        <= found.count
        <= sum(own.count or 0 for own in found.alone)
    )
    if found.count <= 2:
        fewer = combinations_with_replacement(list(everybody()), found.count - 1)
        assert not any(enough(season, others) for others in fewer)


def test_one_recruit_serves_two_committees_on_two_days_and_not_on_one(complete: Problem) -> None:
    """The same need twice asks for as many people as once where the days differ, and for twice as many on one day."""
    column = complete.facts["sector"]
    private = column.names.index("private")
    values = column.values.copy()
    values[values == private] = (private + 1) % len(column.names)
    rules = tuple(r for r in complete.rules if r.id != "ratio")
    problem = replace(
        complete, facts={**complete.facts, "sector": replace(column, values=values)}, rules=rules
    )
    once = recruit_season([problem], seconds=600)
    assert once.status == "found"
    assert once.proven
    later = replace(problem, on=problem.on + timedelta(days=7))
    assert recruit_season([problem, later], seconds=600).count == once.count
    assert once.count is not None
    same_day = recruit_season([problem, problem], seconds=600)
    assert (same_day.count, same_day.proven) == (2 * once.count, True)


def test_profiles_that_no_committee_tells_apart_are_one(complete: Problem) -> None:
    twice = with_all_specialties([complete, complete])
    one, _ = profiles_of([complete], best_only=True)
    two, _ = profiles_of(twice, best_only=True)
    assert len(one) == len(two)


def test_fields_that_share_nobody_are_settled_apart(complete: Problem) -> None:
    """And together they need what each needs alone; cut off, what is proven of both is told."""
    column = complete.facts["sector"]
    private = column.names.index("private")
    values = column.values.copy()
    values[values == private] = (private + 1) % len(column.names)
    rules = tuple(r for r in complete.rules if r.id != "ratio")
    one = replace(complete, facts={**complete.facts, "sector": replace(column, values=values)}, rules=rules)
    named = one.specialties
    other = replace(
        one,
        on=one.on + timedelta(days=7),
        specialties=replace(
            named, code=tuple(f"X{c}" for c in named.code), broad=tuple(f"X{c}" for c in named.broad)
        ),
    )
    gate = [r for r in one.rules if r.id == "peer_grade"]
    alone = recruit_season([one], seconds=600)
    both = recruit_season([one, other], seconds=600)
    assert both.proven
    assert both.gap == 0
    assert alone.count is not None
    assert both.count == (2 if gate else 1) * alone.count


def test_recruits_are_handed_out_so_that_nobody_sits_twice_a_day() -> None:
    """On every day the first are seated first; each problem gets as many as the model gave it."""
    found = Together({0: 3, 4: 1}, ({0: 2}, {0: 1, 4: 1}, {0: 3}), 4)
    days = [7, 7, 8]
    told = handed_out(found, days)
    assert sum(told.values()) == found.count
    for _, serves in told:
        assert len({days[i] for i in serves}) == len(serves)
    for i, used in enumerate(found.used):
        for j, number in used.items():
            assert sum(n for (k, serves), n in told.items() if k == j and i in serves) == number


def test_without_time_nothing_is_claimed_of_a_season(complete: Problem) -> None:
    found = recruit_season([complete, complete], seconds=0.0)
    assert (found.status, found.count, found.proven) == ("undecided", None, False)
