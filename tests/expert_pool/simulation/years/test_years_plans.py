"""The smallest recruitment: enough, nobody too many, and reproducible by hand; and scenarios that contradict themselves."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from jsonschema import Draft202012Validator

from expert_pool.formats import schema_of
from expert_pool.simulation.asking import Asked
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from expert_pool.simulation.years.document import RecruitsDoc
from expert_pool.words import say
from solver.errors import Fault

YEARS = "seasons: 3\nreplications: 2\nretire: {age: 58, leave: 5%}\nterms: {renewed: 15%}\n"


@pytest.fixture(scope="module")
def thin(laid_years: Callable[..., Asked]) -> Simulation:
    return simulate(laid_years(YEARS + "plan: {most: 40}", committees=1))


def with_lines(laid_years: Callable[..., Asked], lines: list[RecruitsDoc]) -> Simulation:
    texts = [line.model_dump_json(by_alias=True) for line in lines]
    return simulate(laid_years(YEARS + f"recruits: [{', '.join(texts)}]", committees=1))


def missing(found: Simulation) -> int:
    assert found.years is not None
    return sum(line.outcome.fate == "dry" for line in found.years.panels)


def test_the_pool_runs_dry_and_says_where_and_what_it_lacks(thin: Simulation) -> None:
    assert thin.years is not None
    assert missing(thin) > 0
    for one in thin.years.dry:
        assert one.low <= one.chance <= one.high
        assert one.missing is not None
        assert sum(lack.count for lack in one.lacks) >= one.missing[0] > 0
        line = thin.years.panels[one.panel]
        assert (line.year, line.committee, line.outcome.fate) == (one.year, one.committee, "dry")


def test_the_document_is_read_back_as_it_was_written(thin: Simulation) -> None:
    assert Simulation.model_validate_json(json.dumps(thin.model_dump(mode="json"))) == thin
    assert Draft202012Validator(schema_of("simulation")).is_valid(thin.model_dump(mode="json"))


def test_a_plan_copied_into_the_scenario_is_enough(
    thin: Simulation, laid_years: Callable[..., Asked]
) -> None:
    assert thin.years is not None
    plan = thin.years.plan
    assert plan is not None
    assert (plan.status, plan.minimal) == ("found", True)
    assert plan.count == sum(line.count for line in plan.recruits) > 0
    assert missing(with_lines(laid_years, plan.recruits)) == plan.dry_with == 0


def test_without_any_one_recruit_a_panel_is_missing(
    thin: Simulation, laid_years: Callable[..., Asked]
) -> None:
    assert thin.years is not None
    assert thin.years.plan is not None
    lines = thin.years.plan.recruits
    for at, line in enumerate(lines):
        fewer = [line.model_copy(update={"count": line.count - 1})] if line.count > 1 else []
        assert missing(with_lines(laid_years, [*lines[:at], *fewer, *lines[at + 1 :]])) > 0


def test_a_pool_that_never_runs_dry_needs_nobody(laid_years: Callable[..., Asked]) -> None:
    found = simulate(laid_years("seasons: 2\nreplications: 1\nplan: {}", committees=1)).years
    assert found is not None
    assert found.plan is not None
    assert (found.plan.status, found.plan.count) == ("none_needed", 0)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("seasons: 3\nrecruits: [{count: 1, from: 2026}]", "years.year_outside"),
        ("seasons: 9\nrecruits: [{count: 1, from: 2030, to: 2028}]", "years.crossed"),
        ("seasons: 3\nrecruits: [{count: 1, ages: {low: 50, high: 40}}]", "years.crossed"),
        (
            "seasons: 3\nspecialties: [{code: '9', name: x, like: '77', year: 2027, share: 5%}]",
            "years.like_unknown",
        ),
        (
            "seasons: 3\nspecialties: [{code: '0102', name: x, like: '0101', year: 2027, share: 5%}]",
            "years.code_taken",
        ),
        (
            "seasons: 3\nspecialties: [{code: '9', name: x, like: '0101', year: 2027, share: 5%},"
            " {code: '8', name: y, like: '9', year: 2028, share: 5%}]",
            "years.like_new",
        ),
        (
            "seasons: 3\nspecialties: [{code: '9', name: x, like: '0101', year: 2040, share: 5%}]",
            "years.specialty_late",
        ),
        ("seasons: 3\nsample: 2\nplan: {}", "years.plan_sampled"),
        ("seasons: 40\nreplications: 2000", "years.too_many"),
        ("seasons: 0", "scenario.field_wrong"),
        ("seasons: 3\nretire: {age: 60, leaves: 1%}", "scenario.field_unknown"),
        ("seasons: 3\nterms: {renewed: 130%}", "scenario.field_wrong"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_line(
    laid_years: Callable[..., Asked], block: str, code: str
) -> None:
    with pytest.raises(Fault) as caught:
        laid_years(block)
    assert caught.value.code == code
    assert "s.yaml:" in caught.value.where
    for lang in ("zh", "en"):
        assert "{" not in say(caught.value.code, lang, **caught.value.params)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{count: 1, specialty: '99'}", "years.specialty_unknown"),
        ("{count: 1, committee: T9}", "years.committee_unknown"),
        ("{count: 1, facts: {sectr: private}}", "years.fact_unknown"),
    ],
)
def test_recruits_that_nobody_knows_are_refused(
    laid_years: Callable[..., Asked], line: str, code: str
) -> None:
    with pytest.raises(Fault) as caught:
        simulate(laid_years(f"seasons: 3\nrecruits: [{line}]"))
    assert caught.value.code == code
    assert "s.yaml:" in caught.value.where
