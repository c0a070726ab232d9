"""Panel problems made without files or a database."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from expert_pool.region import problems
from expert_pool.region.problem import eligible_range
from solver.assemble import assemble
from solver.document import problem_bytes, problem_sha256, read_problem
from solver.errors import Fault
from solver.facts import Ints
from solver.model import funnel
from solver.problem import Problem


def _first(experts: int, seed: int, *, scarce: bool = False) -> Problem:
    return next(problems(1, experts, seed, scarce=scarce))


def _eligible(problem: Problem) -> Ints:
    found: Ints = np.flatnonzero(funnel(problem).passes.any(axis=1))
    return found


def test_same_seed_gives_the_same_problems() -> None:
    """Each of several differs from the others, and another seed gives others."""
    hashes = [problem_sha256(p) for p in problems(2, 600, 3)]
    assert hashes == [problem_sha256(p) for p in problems(2, 600, 3)]
    assert len({*hashes, problem_sha256(_first(600, 4))}) == 3


def test_a_made_problem_survives_its_document() -> None:
    """Written and read it is the same, and marked as made."""
    problem = _first(800, 1)
    again = read_problem(problem_bytes(problem))
    assert problem_sha256(again) == problem_sha256(problem)
    assert again.made


@pytest.mark.parametrize("experts", [1_000, 10_000, 100_000])
def test_the_gates_leave_as_many_as_in_the_measured_requests(experts: int) -> None:
    """65-250 of 1,000, 110-610 of 10,000, 1,200-6,000 of 100,000."""
    low, high = eligible_range(experts)
    for seed in range(1 if experts == 100_000 else 4):
        problem = _first(experts, seed)
        assert len(problem.experts) == experts
        assert low <= len(_eligible(problem)) <= high


def test_the_request_has_the_shape_that_was_measured() -> None:
    """25 members and 8 alternates in 3 to 6 groups, 200 cases, private employers near a quarter."""
    for seed in range(4):
        problem = _first(10_000, seed)
        assert len(problem.cases.id) == 200
        assert 3 <= len(problem.groups) <= 6
        assert problem.low <= 25 <= problem.high
        assert sum(group.alternates for group in problem.groups) == 8
        assert set(problem.cases.group.tolist()) == set(range(len(problem.groups)))
        sector = problem.facts["sector"]
        share = (sector.values == sector.names.index("private")).mean()
        assert 0.22 <= share <= 0.28
        assert [len(p.members) >= 20 for p in problem.previous] == [True] * 3


def test_conflicts_among_experts_have_hubs() -> None:
    """A mean degree of 5 to 12, and a few experts with hundreds."""
    problem = _first(10_000, 2)
    ends = np.concatenate([problem.between.left, problem.between.right])
    degree = np.bincount(ends, minlength=10_000)
    assert 5 <= degree.mean() <= 12
    assert degree.max() > 100
    assert (problem.between.left != problem.between.right).all()


def test_applicants_employers_make_for_recusals() -> None:
    """Of the eligible some are recused from each of many cases, most by a common employer."""
    problem = _first(10_000, 1)
    eligible = set(_eligible(problem).tolist())
    touched = [len(recused & eligible) for recused in problem.recused]
    assert sum(n > 0 for n in touched) > 100
    kinds = {problem.conflict_kinds[k].kind for k in np.unique(problem.with_cases.kind).tolist()}
    assert {
        "same_employer",
        "former_employer",
        "co_author",
        "advisor",
        "recommender",
        "self",
        "stake",
    } <= kinds


def test_groups_and_scarcity_can_be_asked_for() -> None:
    """The number of groups, and fewer eligible experts."""
    four = next(problems(1, 5_000, 1, groups=(4, 4)))
    assert len(four.groups) == 4
    low, high = eligible_range(10_000)
    for seed in range(3):
        assert low <= len(_eligible(_first(10_000, seed, scarce=True))) <= (low + high) / 2


@pytest.mark.parametrize("experts", [1_000, 2_500])
def test_made_problems_have_a_panel(experts: int) -> None:
    """Some panel keeps all hard rules."""
    problem = _first(experts, 3)
    hard = tuple(rule for rule in problem.rules if rule.soft is None)
    answer, _ = assemble(replace(problem, rules=hard, goals=()))
    assert answer.status == "optimal", answer.why_not
    assert len(answer.members) == 25
    assert len(answer.alternates) == 8


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"experts": 10}, "region.too_few"),
        ({"seed": -1}, "region.seed_negative"),
        ({"groups": (0, 3)}, "region.groups"),
        ({"groups": (4, 3)}, "region.groups"),
        ({"groups": (3, 9)}, "region.groups"),
    ],
)
def test_bad_requests_are_refused(wrong: dict[str, int | tuple[int, int]], code: str) -> None:
    """By code, before anything is made."""
    with pytest.raises(Fault) as refused:
        next(problems(**({"count": 1, "experts": 500, "seed": 1} | wrong)))  # type: ignore[arg-type]
    assert refused.value.code == code
