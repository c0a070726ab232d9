"""The sheets and columns of a roster: how they are called, in Chinese and English, and what may stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a cell holds. MONTH is a date that may leave out the day; LIST are texts divided by 、 or ;."""

    TEXT = "text"
    CODE = "code"
    LIST = "list"
    MONTH = "month"
    INTEGER = "integer"
    YES = "yes"
    SECTOR = "sector"
    RANK = "rank"
    ROLE = "role"
    PLACE = "place"
    GENDER = "gender"
    STATE = "state"
    RELATION = "relation"


@dataclass(frozen=True, slots=True)
class Heading:
    """One column: `name` and `zh` are the headers we write, `also` others that are read as the same."""

    name: str
    zh: str
    kind: Kind = Kind.TEXT
    also: tuple[str, ...] = ()
    required: bool = False
    low: int = 0
    high: int = 0

    @property
    def shown(self) -> str:
        """The column as a message names it, to be found in either language."""
        return f"{self.zh} / {self.name}"


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. At least one column of each tuple in `one_of` must be there."""

    name: str
    zh: str
    headings: tuple[Heading, ...]
    also: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()

    def heading(self, name: str) -> Heading:
        return next(heading for heading in self.headings if heading.name == name)


def _count(name: str, zh: str, low: int, high: int, *also: str) -> Heading:
    return Heading(name, zh, Kind.INTEGER, also, low=low, high=high)


def _name(zh: str, *also: str, name: str = "name", required: bool = True) -> Heading:
    return Heading(name, zh, Kind.TEXT, also, required)


_EMPLOYER = Heading("employer", "工作单位", Kind.TEXT, ("单位", "单位名称", "所在单位", "现工作单位"))
_LEGAL = Heading("legal_person", "法人单位", Kind.TEXT, ("所属法人单位", "法人单位名称"))
_SPECIALTY = Heading(
    "specialty", "专业", Kind.LIST, ("从事专业", "现从事专业", "评审专业", "申报专业", "专业名称")
)
_SUB = Heading(
    "sub_specialty", "细分专业", Kind.LIST, ("子专业", "专业方向", "研究方向", "小同行专业", "三级专业")
)
_GROUP = Heading("group", "评议组", Kind.TEXT, ("组别", "学科组", "专业组", "评审组", "所在组", "分组"))
_CODE = Heading("code", "专家编码", Kind.CODE, ("专家编号",))

_PAGES = (
    Page(
        "people", "名单",
        (
            _name("姓名", "专家姓名", "委员姓名", "评委姓名"),
            _CODE,
            Heading("role", "角色", Kind.ROLE, ("评委会职务", "评审职务", "评委职务", "委员职务", "评委会角色")),
            Heading("seat", "委员类别", Kind.PLACE, ("正式/备选", "正选/备选", "正式或备选")),
            _GROUP,
            _count("order", "递补顺序", 1, 1000, "备选顺序", "候补顺序", "替补顺序"),
            _EMPLOYER,
            _LEGAL,
            Heading("sector", "单位性质", Kind.SECTOR, ("单位类别", "单位类型", "所有制", "单位属性")),
            Heading("region", "所在地区", Kind.TEXT, ("地区", "所在地", "所在市", "地市")),
            _SPECIALTY,
            _SUB,
            Heading("title", "职称", Kind.TEXT, ("专业技术职称", "专业技术资格", "专业技术职务", "现职称", "职称名称")),
            Heading("rank", "职称级别", Kind.RANK, ("职称等级", "职称层级", "职称档次")),
            Heading("rank_since", "职称取得时间", Kind.MONTH, ("取得职称时间", "职称取得日期", "任现职称时间", "资格取得时间")),
            _count("rank_years", "任职年限", 0, 80, "现职称任职年限"),
            Heading("born", "出生日期", Kind.MONTH, ("出生年月", "出生年月日", "出生时间")),
            _count("age", "年龄", 18, 120),
            Heading("gender", "性别", Kind.GENDER),
            Heading("in_pool", "是否在库", Kind.YES, ("在库", "是否入库")),
            Heading("state", "在库状态", Kind.STATE, ("专家状态",)),
            Heading("term_until", "聘期截止", Kind.MONTH, ("聘期至", "聘任期至", "聘期截止日期", "任期至", "聘期届满")),
            Heading("trained_until", "培训有效期至", Kind.MONTH, ("培训有效期", "培训合格有效期至", "培训有效至")),
            _count("credit", "信用分", -100_000, 100_000, "信用记分"),
            Heading("available", "能否到会", Kind.YES, ("可否到会", "是否到会", "可以到会")),
            _count("consecutive_terms", "已连续任职届数", 0, 100, "连续任职届数"),
            _count("years_since_served", "距上次任职年数", 0, 100),
            _count("seats_this_season", "本年度已任次数", 0, 1000, "本年度已任评委次数", "本季已任评委次数"),
            Heading("applicant", "本年度是否申报", Kind.YES, ("是否申报", "本人是否申报")),
        ),
        ("评委名单", "委员名单", "专家名单", "评委会名单", "评审专家名单", "roster", "panel", "members"),
        (("role", "seat"),),
    ),
    Page(
        "cases", "申报",
        (
            Heading("case", "申报编号", Kind.CODE, ("申报编码", "申报号", "受理编号")),
            _name("申报人", "申报人姓名", "姓名", name="applicant", required=False),
            _CODE,
            _EMPLOYER,
            _LEGAL,
            _SPECIALTY,
            _SUB,
            _GROUP,
        ),
        ("申报名单", "申报人", "申报人名单", "申报人员", "applications", "applicants"),
        (("case", "applicant"),),
    ),
    Page(
        "relations", "利害关系",
        (
            Heading("kind", "关系", Kind.RELATION, ("关系类型", "关系种类"), required=True),
            _name("评委姓名", "姓名", "专家姓名", "委员姓名", name="person", required=False),
            Heading("person_employer", "评委单位", Kind.TEXT, ("工作单位", "专家单位", "委员单位")),
            Heading("other", "对方姓名", Kind.TEXT, ("对方", "关系人", "申报人", "申报人姓名")),
            Heading("other_employer", "对方单位", Kind.TEXT, ("关系人单位", "申报人单位")),
            Heading("case", "申报编号", Kind.CODE, ("申报编码", "申报号", "受理编号")),
            Heading("since", "关系起始", Kind.MONTH, ("起始日期", "开始时间", "关系起始日期")),
            Heading("until", "关系截止", Kind.MONTH, ("截止日期", "结束时间", "关系截止日期")),
        ),
        ("关系", "回避关系", "利害关系名单"),
    ),
    Page(
        "previous", "往届",
        (
            Heading("panel", "届次", Kind.TEXT, ("年度", "往届名称")),
            Heading("on", "会议日期", Kind.MONTH, ("评审日期", "评审时间")),
            _name("姓名", "委员姓名", "专家姓名", "评委姓名"),
            _CODE,
            _EMPLOYER,
            _LEGAL,
        ),
        ("上届", "往届名单", "上届名单", "历届", "历届名单", "previous_panels"),
    ),
    Page(
        "groups", "评议组",
        (
            Heading("group", "评议组", Kind.TEXT, ("组别", "学科组", "专业组", "评审组", "名称"), required=True),
            _SUB,
            _count("low", "委员下限", 1, 1000, "最少人数"),
            _count("high", "委员上限", 1, 1000, "最多人数"),
            _count("alternates", "备选人数", 0, 1000, "候补人数"),
        ),
        ("分组", "学科组", "专业组"),
    ),
)  # fmt: skip

PAGES: Mapping[str, Page] = {page.name: page for page in _PAGES}
"""Every sheet by its name. Only `people` must be there."""

COLUMNS_OF: Mapping[str, tuple[str, ...]] = {
    "age": ("born", "age"),
    "rank": ("rank", "title"),
    "rank_years": ("rank_since", "rank_years"),
    "employer": ("employer", "legal_person"),
}
"""The columns that a fact is read from, where they are not the one that bears its name."""


def columns_for(fact: str) -> list[str]:
    """The columns to add so that a fact becomes known, as a message names them."""
    page = PAGES["people"]
    return [page.heading(name).shown for name in COLUMNS_OF.get(fact, (fact,))]
