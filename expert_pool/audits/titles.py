"""Which rank a title stands for. Only titles whose rank the national catalogues fix are here; any other is unknown."""

from __future__ import annotations

from collections.abc import Mapping

from expert_pool.registry import Rank

_NAMES: Mapping[Rank, str] = {
    Rank.FULL_SENIOR: (
        "教授 研究员 正高级工程师 教授级高级工程师 主任医师 主任药师 主任护师 主任技师 正高级会计师 正高级经济师 "
        "正高级统计师 正高级审计师 正高级教师 正高级讲师 正高级农艺师 正高级畜牧师 正高级兽医师 农业技术推广研究员 编审 "
        "译审 研究馆员 正高级实验师 高级编辑 高级记者 professor"
    ),
    Rank.DEPUTY_SENIOR: (
        "副教授 副研究员 高级工程师 副主任医师 副主任药师 副主任护师 副主任技师 高级会计师 高级经济师 高级统计师 高级审计师 "
        "高级教师 高级讲师 高级农艺师 高级畜牧师 高级兽医师 副编审 副研究馆员 高级实验师 主任编辑 主任记者 associate_professor "
        "senior_engineer"
    ),
    Rank.MID: (
        "讲师 助理研究员 工程师 主治医师 主管药师 主管护师 主管技师 会计师 经济师 统计师 审计师 一级教师 农艺师 馆员 实验师 "
        "lecturer engineer"
    ),
    Rank.JUNIOR: (
        "助教 研究实习员 助理工程师 助理会计师 助理经济师 助理农艺师 助理馆员 助理实验师 二级教师 assistant_engineer"
    ),
}

_RANKS: Mapping[str, Rank] = {name: rank for rank, names in _NAMES.items() for name in names.split()}


def rank_of(title: str) -> Rank | None:
    """The rank of a title, e.g. 副教授; None where the title alone does not say."""
    return _RANKS.get("_".join(title.casefold().split()))
