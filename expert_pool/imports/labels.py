"""The words a sheet may use for a value, beside the English value itself. The first one is what we write."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from expert_pool.registry import (
    Depth,
    FilingKind,
    Form,
    Gender,
    Level,
    LinkKind,
    NameKind,
    Outcome,
    Rank,
    RatingSource,
    RelationKind,
    Role,
    Sanction,
    Sector,
    Step,
)

LABELS: Mapping[type[StrEnum], Mapping[StrEnum, tuple[str, ...]]] = {
    Depth: {
        Depth.SERIES: ("系列",),
        Depth.SPECIALTY: ("专业",),
        Depth.SUB_SPECIALTY: ("细分专业", "子专业"),
    },
    Sector: {
        Sector.CENTRAL: ("中直", "中直单位"),
        Sector.PROVINCIAL: ("省直", "省直单位"),
        Sector.MUNICIPAL: ("市直", "市直单位"),
        Sector.GRASSROOTS: ("基层", "基层单位"),
        Sector.STATE_OWNED: ("国有", "国有企业"),
        Sector.PRIVATE: ("民营", "民营企业"),
        Sector.FOREIGN: ("外资", "外资企业"),
        Sector.SOCIAL: ("社会组织",),
        Sector.STATE_ORGAN: ("机关", "国家机关"),
    },
    LinkKind: {
        LinkKind.PART_OF: ("隶属",),
        LinkKind.MERGED_INTO: ("并入",),
    },
    NameKind: {
        NameKind.OFFICIAL: ("正式名称", "正式"),
        NameKind.ALIAS: ("别名", "简称"),
    },
    Gender: {
        Gender.FEMALE: ("女",),
        Gender.MALE: ("男",),
    },
    Rank: {
        Rank.JUNIOR: ("初级",),
        Rank.MID: ("中级",),
        Rank.DEPUTY_SENIOR: ("副高级", "副高"),
        Rank.FULL_SENIOR: ("正高级", "正高"),
    },
    Step: {
        Step.CANDIDATE: ("候选",),
        Step.ADMITTED: ("入库",),
        Step.LEFT: ("出库",),
    },
    Sanction: {
        Sanction.WARNING: ("警告",),
        Sanction.RESTRICTION: ("限制抽取", "限制"),
        Sanction.RETRAINING: ("再培训",),
        Sanction.SUSPENSION: ("暂停",),
        Sanction.BAN: ("禁入",),
        Sanction.REVOCATION: ("撤销处分", "撤销"),
    },
    Outcome: {
        Outcome.ATTENDED: ("出席",),
        Outcome.LATE: ("迟到",),
        Outcome.ABSENT: ("缺席",),
        Outcome.DECLINED: ("谢绝",),
        Outcome.WITHDREW: ("中途退出",),
    },
    Role: {
        Role.CHAIR: ("主任委员", "主任"),
        Role.DEPUTY: ("副主任委员", "副主任"),
        Role.MEMBER: ("委员", "执行委员", "执行评委"),
        Role.ALTERNATE: ("备选委员", "候补"),
    },
    RelationKind: {
        RelationKind.RELATIVE: ("亲属",),
        RelationKind.CO_AUTHOR: ("合作者", "合著"),
        RelationKind.ADVISOR: ("导师",),
        RelationKind.RECOMMENDER: ("推荐人",),
        RelationKind.OBJECTION: ("异议",),
        RelationKind.SAME_CASE: ("同案",),
        RelationKind.STAKE: ("利益关系",),
        RelationKind.OTHER: ("其他",),
    },
    Level: {
        Level.SENIOR: ("高级",),
        Level.MID: ("中级",),
        Level.JUNIOR: ("初级",),
    },
    Form: {
        Form.SELF_REVIEW: ("自主评审",),
        Form.SOCIAL: ("社会化评审",),
        Form.REVIEW_AND_HIRE: ("评聘结合",),
        Form.ALLIANCE: ("联盟评审",),
        Form.DELEGATED: ("委托评审",),
        Form.DIRECTED: ("定向评价",),
    },
    RatingSource: {
        RatingSource.OPINION: ("书面意见", "评议意见"),
        RatingSource.SCORE_SHEET: ("评分表",),
    },
    FilingKind: {
        FilingKind.POOL: ("评委库备案", "评委库"),
        FilingKind.COMMITTEE: ("评委会备案", "评委会"),
        FilingKind.RESULTS: ("评审结果备案", "评审结果"),
    },
}

YES: tuple[str, ...] = ("是", "true", "yes", "y", "1")
NO: tuple[str, ...] = ("否", "false", "no", "n", "0")


def spoken(value: StrEnum, lang: str) -> str:
    """How a sheet in `lang` writes `value`."""
    return LABELS[type(value)][value][0] if lang == "zh" else value.value


def allowed(choices: type[StrEnum]) -> dict[str, str]:
    """Every value of an enumeration, for a message or an explanation: `allowed` with the Chinese words beside, `values`
    alone."""
    both = ", ".join(f"{value.value}（{LABELS[choices][value][0]}）" for value in choices)
    return {"allowed": both, "values": ", ".join(choices)}
