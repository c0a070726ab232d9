"""What a result says of cycles taken as in force, and of kinds of conflict that two policies count differently."""

from __future__ import annotations

import pytest

from expert_pool.documents.cycles_taken import cycles_said
from expert_pool.documents.lens_naming import rule_name
from expert_pool.documents.parameter_naming import field_value
from expert_pool.packaged import fixture
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.lens_results import CONFLICT
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import CyclePart
from expert_pool.simulation.running import laid_out

SAID = {
    "zh": [
        "评价周期 P1-20260831（截至 2026年8月31日，已评价）按已生效计：降低抽取频次 2 人、出库 1 人；其中 1 人已决定，其余为建议。",
        "评价周期 P1-20260831（截至 2026年8月31日，已评价）不涉及任何人，推演与现状相同。",
    ],
    "en": [
        "Re-evaluation cycle P1-20260831 (as of 31 August 2026, computed) counts as in force: "
        "draw less often 2, leave the pool 1; 1 of these decided, the others proposed.",
        "Re-evaluation cycle P1-20260831 (as of 31 August 2026, computed) concerns nobody: nothing changes by it.",
    ],
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_cycle_is_told_with_whom_it_touches(lang: str) -> None:
    read = load(fixture("scenarios", "shares.yaml"))
    found, _ = laid_out(asked(read, problems_of(read)))
    one = CyclePart(
        code="P1-20260831", pool="P1", as_of="2026-08-31", state="computed", sha256="x",
        counts={"lower": 2, "exit": 1}, decided=1,
    )  # fmt: skip
    nobody = one.model_copy(update={"counts": {}, "decided": 0})
    assert cycles_said(found.model_copy(update={"cycles": [one, nobody]}), lang) == SAID[lang]
    assert cycles_said(found, lang) == []


def test_a_window_is_told_in_words() -> None:
    assert rule_name("co_author", CONFLICT, "en") == "conflict “co-author”"
    told = [field_value("window", value, "en") for value in ("always", "current", "cycle", "1", "3", None)]
    assert told == ["always", "only while it lasts", "this cycle", "1 year back", "3 years back", "(none)"]
    assert field_value("effect", "pair", "zh") == "对该案回避，或不同坐"
