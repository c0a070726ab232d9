"""Parameters as controls, and ways to give way as overrides."""

from __future__ import annotations

from typing import Any

import pytest

from expert_pool.policies.load import preset, presets
from expert_pool.policies.settable import FIELDS, percent_of, read_setting, settables

JILIN = "cn-title-jilin-2013"


@pytest.mark.parametrize("policy", presets())
def test_every_parameter_is_a_control_within_its_own_bounds(policy: str) -> None:
    found = settables(policy, "senior")
    assert {one.parameter.name for one in found} == set(preset(policy).parameters)
    assert [FIELDS.index(one.field) for one in found] == sorted(FIELDS.index(one.field) for one in found)
    for one in found:
        low, high = one.near
        assert low < high
        assert low <= one.rests <= high
        assert one.low is None or low >= one.low
        assert one.high is None or high <= one.high
        value = one.parameter.at("senior")
        if one.parameter.type == "integer" and value is not None:
            assert low <= value <= high


def test_bounds_come_from_the_parameter_or_from_the_rules_that_stand_on_it() -> None:
    found = {one.parameter.name: one for one in settables(JILIN, "senior")}
    assert (found["age_max"].low, found["age_max"].high, found["age_max"].rests) == (18, 120, 120)
    assert (found["employer_cap"].low, found["employer_cap"].high) == (1, 1000)
    assert found["deputies_high"].high == 20
    assert found["private_share"].near == (0, 100)
    assert found["panel_low"].rules == ("panel_size",)
    assert found["alternates"].needed_by == ("alternates",)
    assert not found["panel_low"].optional
    assert found["quorum"].optional
    assert {name for name, one in found.items() if one.ladder} == {"reviewed_rank", "chair_rank"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "11", 11),
        ("integer", "", None),
        ("integer", "off", None),
        ("integer", "x", "x"),
        ("share", "30", "30%"),
        ("share", "66.67", "2/3"),
        ("share", "33.33", "1/3"),
        ("share", "12.5", "1/8"),
        ("share", "x", "x"),
        ("share", "2/3", "2/3"),
        ("boolean", "true", True),
        ("window", "always", "always"),
        ("window", "3", 3),
    ],
)
def test_what_is_typed_becomes_a_value(kind: Any, text: str, value: Any) -> None:
    assert read_setting(kind, text) == value


def test_a_share_is_told_in_percent() -> None:
    assert [percent_of(value) for value in ("2/3", "30%", "0.3", None, True)] == [66.67, 30, 30, None, None]
