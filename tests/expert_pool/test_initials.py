"""Initials in pinyin: as clerks type them, surnames read as surnames."""

from __future__ import annotations

import pytest

from expert_pool.initials import as_initials, initials


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("李建国", "ljg"),
        ("单田芳", "stf"),
        ("曾国藩", "zgf"),
        ("尉迟恭", "ycg"),
        ("专家1（虚构）", "zj1"),
        ("Zhang San", "zs"),
        ("买买提·艾力", "mmtal"),
        ("", ""),
    ],
)
def test_a_name_is_found_by_its_syllables_first_letters(name: str, said: str) -> None:
    assert initials(name) == said


def test_only_letters_may_be_initials() -> None:
    assert as_initials("LJG") == "ljg"
    assert [as_initials(typed) for typed in ("李", "E01", "", "l j")] == [None] * 4
