"""A proof holds as written, and nothing in it can be changed unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from solver.answer import Answer
from solver.assemble import assembled
from solver.errors import Fault
from solver.problem import Problem
from solver.proof import Proof, proof_of, read_proof, sealed, verify

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def proven(complete: Problem) -> tuple[Problem, Answer, Proof]:
    answer, _, outcome = assembled(complete)
    assert answer.status == "optimal"
    return complete, answer, proof_of(outcome)


def test_a_proof_holds_level_by_level(proven: tuple[Problem, Answer, Proof]) -> None:
    problem, answer, proof = proven
    stages = verify(problem, answer, read_proof(proof.model_dump_json().encode()))
    assert [(s.id, s.value) for s in stages] == [(g.id, g.value) for g in answer.goals]
    assert all(s.by_prices or (s.engine and s.open) for s in stages)


def _raise_a_price(plain: dict[str, Any]) -> None:
    leaf = next(leaf for stage in plain["stages"] for leaf in stage["leaves"] if leaf["rows"])
    leaf["rows"][0][1] += 1 << 20


def _name_another_row(plain: dict[str, Any]) -> None:
    leaf = next(leaf for stage in plain["stages"] for leaf in stage["leaves"] if leaf["rows"])
    leaf["rows"][0][0] = plain["rows"] + 5


def _claim_more(plain: dict[str, Any]) -> None:
    stage = next(stage for stage in plain["stages"] if stage["leaves"])
    stage["floor"] += 1


def _claim_a_better_value(plain: dict[str, Any]) -> None:
    plain["stages"][0]["value"] -= 1
    plain["stages"][0]["allowed"] -= 1


def _lose_a_branch(plain: dict[str, Any]) -> None:
    leaf = next(stage for stage in plain["stages"] if stage["leaves"])["leaves"][0]
    leaf["bounds"] = [[0, 0, 0]]


def _hide_the_engine(plain: dict[str, Any]) -> None:
    for stage in plain["stages"]:
        stage["engine"] = None
        if stage["floor"] < stage["value"]:
            return
    pytest.skip("every level is proven by prices here")


def _huge_price(plain: dict[str, Any]) -> None:
    leaf = next(leaf for stage in plain["stages"] for leaf in stage["leaves"] if leaf["rows"])
    leaf["rows"][0][1] = 2**61


CHANGES: tuple[Change, ...] = (
    _raise_a_price,
    _name_another_row,
    _claim_more,
    _claim_a_better_value,
    _lose_a_branch,
    _hide_the_engine,
    _huge_price,
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_number_is_found_even_when_sealed_anew(
    proven: tuple[Problem, Answer, Proof], change: Change
) -> None:
    problem, answer, proof = proven
    plain = json.loads(proof.model_dump_json())
    change(plain)
    with pytest.raises(Fault, match=r"proof\."):
        verify(problem, answer, sealed(Proof.model_validate(plain)))


def test_a_changed_file_is_found_by_its_seal(proven: tuple[Problem, Answer, Proof]) -> None:
    plain = json.loads(proven[2].model_dump_json())
    plain["columns"] += 1
    with pytest.raises(Fault, match=r"proof\.changed"):
        read_proof(json.dumps(plain).encode())


def test_a_proof_belongs_to_one_problem(proven: tuple[Problem, Answer, Proof]) -> None:
    problem, answer, proof = proven
    with pytest.raises(Fault, match=r"proof\.other_problem"):
        verify(replace(problem, seed=problem.seed + 1), answer, proof)
