"""The thin-pool ladder of a policy: what the presets say, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

import expert_pool.policies
from expert_pool.policies.load import load, presets
from expert_pool.words import known, languages
from solver.errors import Fault
from solver.problem import RuleChange

JILIN = "cn-title-jilin-2013"
TEXT = (Path(expert_pool.policies.__file__).parent / f"{JILIN}.yaml").read_text(encoding="utf-8")
LINE = TEXT[: TEXT.index("\nladder:\n")].count("\n") + 2


def fault_of(text: str, tmp_path: Path) -> Fault:
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Fault) as caught:
        load(tmp_path / "own.yaml")
    return caught.value


def test_jilin_climbs_from_broader_peers_to_delegation() -> None:
    steps = load(JILIN).ladder("senior")
    assert [step.id for step in steps] == ["broader_peers", "other_pools", "fast_vetting", "delegation"]
    assert steps[0].changes == (RuleChange("group_peers", None),)
    assert [step.recruits for step in steps] == [False, True, True, False]
    assert all(step.basis and step.status == "D" for step in steps)


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", presets())
def test_every_step_of_a_preset_has_a_name(name: str, lang: str) -> None:
    assert [step.id for step in load(name).ladder() if not known(f"step.{step.id}", lang)] == []


def test_a_step_with_a_parameter_takes_its_value(tmp_path: Path) -> None:
    change = "{rule: group_peers, fields: {least: {parameter: case_close_peers}}}"
    (tmp_path / "own.yaml").write_text(
        TEXT.replace("{rule: group_peers, fields: null}", change), encoding="utf-8"
    )
    assert load(tmp_path / "own.yaml").ladder()[0].changes == (RuleChange("group_peers", {"least": 1}),)


def test_a_change_to_a_number_nobody_gives_is_left_out(tmp_path: Path) -> None:
    change = "{rule: group_peers, fields: {least: {parameter: employer_cap}}}"
    (tmp_path / "own.yaml").write_text(
        TEXT.replace("{rule: group_peers, fields: null}", change), encoding="utf-8"
    )
    assert load(tmp_path / "own.yaml").ladder()[0].changes == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "below"),
    [
        ("{rule: group_peers, fields: null}", "{rule: group_pears, fields: null}", "policy.ladder_rule", 3),
        (
            "{rule: group_peers, fields: null}",
            "{rule: group_peers, fields: {least: many}}",
            "policy.ladder_fields",
            3,
        ),
        ("{rule: group_peers, fields: null}", "{rule: group_size, fields: null}", "problem.ladder_needed", 3),
        ("{rule: group_peers, fields: null}", "{rule: group_peers}", "policy.field_missing", 3),
        ("- id: delegation", "- id: broader_peers", "policy.rule_twice", 0),
        (
            "recruits: true\n    basis: {instrument: bidding26",
            "recruit: true\n    basis: {instrument: bidding26",
            "policy.field_unknown",
            0,
        ),
        ("{instrument: bidding26, at:", "{instrument: bidding, at:", "policy.instrument_unknown", 0),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, code: str, below: int, tmp_path: Path) -> None:
    text = TEXT.replace(old, new)
    assert text != TEXT
    fault = fault_of(text, tmp_path)
    line = int(fault.where.rpartition(":")[2])
    assert fault.code == code
    assert line == LINE + below if below else line > LINE


def test_an_unknown_rule_in_a_step_is_answered_with_the_nearest(tmp_path: Path) -> None:
    fault = fault_of(
        TEXT.replace("{rule: group_peers, fields: null}", "{rule: group_pears, fields: null}"), tmp_path
    )
    assert fault.params["nearest"] == "group_peers"


def test_the_ladder_is_part_of_the_hash(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(TEXT[: TEXT.index("\nladder:\n")] + "\n", encoding="utf-8")
    assert load(tmp_path / "own.yaml").sha256 != load(JILIN).sha256
    assert load(tmp_path / "own.yaml").ladder() == ()
