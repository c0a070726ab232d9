"""The smallest recruitment, against every way to imagine experts for tiny problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, product

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import SECTORS, problems
from tiny_recruits import RULES, exists

from solver.kinds import Kind, kinds_of, with_people
from solver.model import funnel
from solver.problem import Lock, Problem
from solver.recruit import recruit


@st.composite
def thin(draw: st.DrawFn) -> Problem:
    """Few people, few seats, and rules that are often too much for them."""
    own = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique_by=lambda r: r.id))
    problem = draw(problems(experts=(2, 3), rules=tuple(own)))
    return replace(
        problem, groups=tuple(replace(g, low=1, high=g.high) for g in problem.groups[:1]) + problem.groups[1:]
    )


def everybody(problem: Problem) -> Iterator[Kind]:
    """Anybody who could be imagined: every sub-specialty, sector and age on each side of what the rules ask."""
    for specialty, sector, age in product(range(3), (None, *SECTORS), (None, 40, 50, 60)):
        kind = Kind(specialty, (("age", age), ("sector", sector)), (), 0)
        if funnel(with_people(problem, [kind])).passes[len(problem.experts) :].any():
            yield kind


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(thin())
def test_no_fewer_recruits_would_do(problem: Problem) -> None:
    found = recruit(problem, seconds=600)
    people = [own.kind for own in found.recruits for _ in range(own.count)]
    if found.status == "none_needed":
        assert exists(problem, [])
        return
    if found.status == "no_number_helps":
        assert not any(exists(problem, two) for two in combinations_with_replacement(everybody(problem), 2))
        return
    assert (found.status, found.proven, found.modest) == ("found", True, True)
    assert found.count == len(people)
    assert exists(problem, people)
    if len(people) <= 2:
        fewer = combinations_with_replacement(everybody(problem), len(people) - 1)
        assert not any(exists(problem, others) for others in fewer)
        kinds, complete = kinds_of(problem, best_only=False)
        assert complete
        asked = sum(kind.asked for kind in people)
        for others in combinations_with_replacement(kinds, len(people)):
            assert sum(kind.asked for kind in others) >= asked or not exists(problem, others)


def test_no_number_of_recruits_seats_two_people_in_conflict(complete: Problem) -> None:
    """Two locked people in conflict stay in conflict."""
    pairs = complete.between
    a, b = int(pairs.left[0]), int(pairs.right[0])
    problem = replace(complete, locks=(Lock(a, None, "me", "test"), Lock(b, None, "me", "test")))
    found = recruit(problem, seconds=600)
    assert (found.status, found.proven) == ("no_number_helps", True)
    assert [said.code for said in found.sayings(problem)] == ["recruit.no_number_helps"]


def test_recruits_are_named_by_the_rules_they_count_for(complete: Problem) -> None:
    """Without any private expert the share asks for private recruits, and says in which group and specialty."""
    column = complete.facts["sector"]
    private = column.names.index("private")
    poor = replace(column, values=np.where(column.values == private, 0, column.values))
    rules = tuple(r for r in complete.rules if r.id != "ratio")
    problem = replace(complete, facts={**complete.facts, "sector": poor}, rules=rules)
    found = recruit(problem, seconds=600)
    assert found.status == "found"
    assert all("share" in own.kind.counts_for for own in found.recruits)
    head, *profiles = found.sayings(problem)
    assert head.code == "recruit.found"
    assert head.params["count"] == sum(said.params["count"] for said in profiles)
    assert all(said.params["rules"] == ["share"] for said in profiles)


def test_without_time_nothing_is_claimed(complete: Problem) -> None:
    found = recruit(complete, seconds=0.0)
    assert (found.status, found.count, found.proven) == ("undecided", None, False)
