"""Marginal prices in words: by percentage point for shares, by one for numbers; luck has no price."""

from __future__ import annotations

from pathlib import Path

from expert_pool.documents.marginal_prices import marginal_steps
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import MarginalPart, PointPart
from expert_pool.simulation.running import laid_out
from solver.answer import GoalResult

SHARES = Path(__file__).parents[3] / "fixtures" / "scenarios" / "shares.yaml"


def test_a_step_is_priced_in_the_unit_of_its_parameter() -> None:
    read = load(SHARES)
    found, points = laid_out(asked(read, problems_of(read)))
    goals = [GoalResult(level=n, id=id_, value=1, bound=1, proven=True)
             for n, id_ in enumerate(("peer_match", "tie_break"))]  # fmt: skip
    number, base, values, sha256 = points[0]
    point = PointPart(number=number, base=base, values=values, status="optimal", stopped_by=None, goals=goals,
                      unique=None, how="solved", source=None, panel=None, sha256=sha256)  # fmt: skip

    def step(axis: str, level: int, per_unit: str | None) -> MarginalPart:
        return MarginalPart(base=0, axis=axis, low="0", high="1/5", at={"rules.quorum.least": "1/2"},
                            level=level, difference=12_000, per_unit=per_unit)  # fmt: skip

    steps = [
        step("rules.private_share.least", 0, "60000"),
        step("groups.*.low", 0, "60000"),
        step("rules.private_share.least", 1, "60000"),
        step("rules.private_share.least", 0, None),
    ]
    found = found.model_copy(update={"points": [point], "marginal": steps})
    told = [one.told("zh") for one in marginal_steps(found, "zh")]
    assert told == [
        "民营单位比例：至少 0% → 20%（回避后的法定人数：至少 = 50%）：同行匹配 +12,000，每个百分点 +600",
        "每组：人数下限 0 → 20%（回避后的法定人数：至少 = 50%）：同行匹配 +12,000，每增 1 为 +60,000",
    ]
    second = found.bases[0].model_copy(update={"number": 1, "meeting": "M2"})
    several = found.model_copy(update={"bases": [*found.bases, second]})
    meeting = found.bases[0].meeting
    assert [one.told("zh") for one in marginal_steps(several, "zh")] == [f"{meeting}：{one}" for one in told]
