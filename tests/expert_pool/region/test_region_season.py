"""A season of the made region: a problem for each committee, the same for the same seed."""

from __future__ import annotations

import pytest

from expert_pool.region.season import season_problems
from solver.document import check_problem, problem_sha256
from solver.errors import Fault
from solver.facts import MISSING


def test_each_committee_has_its_problem_on_its_day() -> None:
    made = list(season_problems(600, 3, 4, cases=40))
    assert [p.committee for p in made] == ["C001", "C002", "C003"]
    assert len({p.meeting for p in made}) == 3
    assert [p.on for p in made] == sorted(p.on for p in made)
    for problem in made:
        check_problem(problem)
        assert problem.made
        assert len(problem.cases.id) == 40
        assert (problem.facts["rank"].values != MISSING).all()
        assert 0 < len(problem.experts) < 600
    again = season_problems(600, 3, 4, cases=40)
    assert [problem_sha256(p) for p in again] == [problem_sha256(p) for p in made]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(Fault, match="seed_negative"):
        next(season_problems(600, 1, -1))
