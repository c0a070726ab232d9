"""Parameters of scenarios and their values in words: every field that can be varied has one, in each language."""

from __future__ import annotations

from pathlib import Path

import pytest

from expert_pool.documents.parameter_naming import (
    parameter_in_full,
    parameter_name,
    standing_at,
    value_name,
)
from expert_pool.simulation.naming import Names, named_in
from expert_pool.simulation.spreading import SEATS, parameters
from expert_pool.words import known, languages
from solver.document import read_problem
from solver.goals import GOALS
from solver.problem import Problem
from solver.rules import RULES

SMALL = Path(__file__).parents[3] / "fixtures" / "problems" / "small.json"
NEVER_VARIED = {
    "rule",
    "goal",
    "id",
    "basis",
    "where",
    "parts",
    "sizes",
    "people",
    "panels",
    "members",
    "deputies",
    "deputy",
    "chair",
}


@pytest.fixture(scope="module")
def problem() -> Problem:
    return read_problem(SMALL)


@pytest.mark.parametrize("lang", languages())
def test_every_field_that_can_be_varied_has_a_word(lang: str) -> None:
    fields = {name for kind in (*RULES.values(), *GOALS.values()) for name in kind.model_fields}
    wanted = (fields | set(SEATS)) - NEVER_VARIED
    assert sorted(name for name in wanted if not known(f"parameter.field.{name}", lang)) == []


@pytest.mark.parametrize("lang", languages())
def test_no_parameter_of_a_problem_is_called_by_the_name_scenarios_write(problem: Problem, lang: str) -> None:
    named = named_in([problem])
    for parameter in parameters(problem):
        name = parameter_name(named, parameter, lang)
        assert "." not in name
        assert "_" not in name
        assert parameter in parameter_in_full(named, parameter, lang)


def test_values_are_said_as_their_field_is_meant(problem: Problem) -> None:
    named = named_in([problem])
    said = [
        value_name(named, parameter, value, "zh")
        for parameter, value in (
            ("rules.private_share.least", "0"),
            ("rules.private_share.least", "1/5"),
            ("rules.private_share.least", "30%"),
            ("rules.quorum.of", "group"),
            ("rules.quorum.recused_counts", "True"),
            ("groups.*.low", "3"),
        )
    ]
    assert said == ["0%", "20%", "30%", "每个评议组", "是", "3"]


def test_a_point_says_where_it_stands_and_a_scenario_may_name_things_itself(problem: Problem) -> None:
    named = named_in([problem])
    axes = [
        {"parameter": "rules.quorum.least", "title": {"zh": "到会比例", "en": "share present"}},
        {
            "parameter": None,
            "title": {"zh": "专家库", "en": "pool"},
            "options": [{"name": "ten", "title": {"zh": "增补十人", "en": "ten recruits"}}],
        },
    ]
    own = Names(named.goals, named.rules, named.groups, {"sweep": {"axes": axes}})
    at = {"rules.quorum.least": "1/2", "pool": "ten"}
    assert standing_at(own, at, "zh") == "到会比例 = 50%；专家库 = 增补十人"
    assert standing_at(own, at, "en") == "share present = 50%; pool = ten recruits"
    assert parameter_in_full(own, "rules.quorum.least", "en") == "share present (rules.quorum.least)"
    assert parameter_in_full(own, "pool", "zh") == "专家库"
