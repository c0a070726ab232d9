"""The specification of every sheet: its columns in Chinese and English, and what may stand in them.

The order of `SHEETS` is the order in which rows can be written: a sheet only refers to itself or to earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from expert_pool import registry as r
from expert_pool.registry.base import Recorded, Table


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    MOMENT = "moment"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    REFERENCE = "reference"
    SERIES = "series"
    NATIONAL_ID = "national_id"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` is the English header, `zh` the Chinese one, `field` where the value goes in the table.

    `choices` are the values of a CHOICE, `to` the sheet a REFERENCE points to; a `past` date may not lie after today.
    """

    name: str
    zh: str
    kind: Kind
    field: str
    required: bool = True
    choices: type[StrEnum] | None = None
    to: str = ""
    low: int | None = None
    high: int | None = None
    past: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its columns, its table, and the columns (`key`) by which a row is known again.

    A `loose` one of them may differ all the same: one official name begins on a day, however it is spelt.
    """

    name: str
    zh: str
    table: type[Table]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    loose: tuple[str, ...] = ()

    @property
    def recorded(self) -> bool:
        """Whether its rows are records, corrected by new rows, or things, changed in place."""
        return issubclass(self.table, Recorded)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def values(self) -> tuple[Column, ...]:
        """The columns that may differ between two tellings of the same row."""
        apart = {*self.key} - {*self.loose} | ({"organiser", "recorded_at"} if self.recorded else set())
        return tuple(column for column in self.columns if column.name not in apart)


def _text(name: str, zh: str, required: bool = True) -> Column:
    return Column(name, zh, Kind.TEXT, name, required)


def _code(name: str, zh: str, required: bool = True) -> Column:
    return Column(name, zh, Kind.CODE, name, required)


def _date(name: str, zh: str, required: bool = True, past: bool = False) -> Column:
    return Column(name, zh, Kind.DATE, name, required, past=past)


def _integer(name: str, zh: str, low: int, high: int) -> Column:
    return Column(name, zh, Kind.INTEGER, name, low=low, high=high)


def _yes(name: str, zh: str, required: bool = True) -> Column:
    return Column(name, zh, Kind.BOOLEAN, name, required)


def _choice(name: str, zh: str, choices: type[StrEnum], required: bool = True) -> Column:
    return Column(name, zh, Kind.CHOICE, name, required, choices=choices)


def _ref(name: str, zh: str, to: str, required: bool = True) -> Column:
    return Column(name, zh, Kind.REFERENCE, f"{name}_id", required, to=to)


def _series() -> Column:
    return Column("series", "系列编码", Kind.SERIES, "series", to="specialties")


def _holds(zh: str, past: bool = True) -> Column:
    return _date("holds_on", zh, past=past)


def _until(zh: str = "截止日期", required: bool = False) -> Column:
    return _date("until", zh, required)


def _expert() -> Column:
    return _ref("expert", "专家编码", "experts")


def _employer() -> Column:
    return _ref("employer", "单位编码", "employers")


_RECORD = (
    _ref("organiser", "登记单位编码", "organisers", required=False),
    Column("recorded_at", "登记时间", Kind.MOMENT, "recorded_at", required=False, past=True),
)


def _thing(
    name: str, zh: str, table: type[Table], *columns: Column, key: tuple[str, ...] = ("code",)
) -> Sheet:
    return Sheet(name, zh, table, columns, key)


def _record(
    name: str,
    zh: str,
    table: type[Table],
    *columns: Column,
    key: tuple[str, ...],
    loose: tuple[str, ...] = (),
) -> Sheet:
    return Sheet(name, zh, table, columns + _RECORD, key, loose)


_ALL = (
    _thing(
        "organisers", "组建单位", r.Organiser,
        _code("code", "组建单位编码"), _text("name", "名称"), _ref("parent", "上级单位编码", "organisers", False),
    ),
    _thing(
        "specialties", "专业目录", r.Specialty,
        _code("version", "目录版本"), _code("code", "专业编码"), _text("name", "名称"),
        _choice("depth", "目录级次", r.Depth), _ref("parent", "上级专业编码", "specialties", False),
        _date("since", "启用日期"), _until("停用日期"),
        key=("version", "code"),
    ),
    _thing(
        "specialty_mappings", "专业对照", r.SpecialtyMapping,
        _ref("old", "原专业编码", "specialties"), _ref("new", "新专业编码", "specialties"), _date("since", "启用日期"),
        key=("old", "new"),
    ),
    _thing(
        "pools", "评委库", r.Pool,
        _code("code", "评委库编码"), _text("name", "名称"), _ref("organiser", "组建单位编码", "organisers"),
    ),
    _thing(
        "committees", "评委会", r.Committee,
        _code("code", "评委会编码"), _text("name", "名称"), _ref("organiser", "组建单位编码", "organisers"),
        _ref("pool", "评委库编码", "pools"), _choice("level", "评审层级", r.Level),
        _choice("form", "组建形式", r.Form), _series(),
    ),
    _thing(
        "employers", "工作单位", r.Employer,
        _code("code", "单位编码"), _yes("legal_person", "是否法人"), _text("region", "所在地区"),
    ),
    _thing(
        "experts", "专家", r.Expert,
        _code("code", "专家编码"), _text("name", "姓名"), _choice("gender", "性别", r.Gender, False),
        _date("born", "出生日期", False, past=True), _text("region", "所在地区"),
        Column("national_id", "身份证号", Kind.NATIONAL_ID, "national_id", required=False),
        Column("phone", "手机号", Kind.PHONE, "phone", required=False),
    ),
    _thing(
        "applicants", "申报人", r.Applicant,
        _code("code", "申报人编码"), _text("name", "姓名"), _ref("expert", "专家编码", "experts", False),
    ),
    _thing(
        "agendas", "评审任务", r.Agenda,
        _code("code", "任务编码"), _ref("committee", "评委会编码", "committees"), _text("title", "标题"),
        _integer("season", "年度", 1900, 2200),
    ),
    _thing(
        "cases", "申报", r.Case,
        _code("code", "申报编码"), _ref("agenda", "任务编码", "agendas"), _ref("applicant", "申报人编码", "applicants"),
        _ref("specialty", "专业编码", "specialties"), _employer(), _choice("level", "申报层级", r.Level),
        _yes("directed", "是否定向", False),
    ),
    _thing(
        "meetings", "会议", r.Meeting,
        _code("code", "会议编码"), _ref("agenda", "任务编码", "agendas"), _date("on", "会议日期"),
        _text("place", "地点", False),
    ),
    _record(
        "filings", "备案", r.Filing,
        _ref("committee", "评委会编码", "committees"), _choice("kind", "备案类型", r.FilingKind),
        _text("reference", "备案文号"), _holds("备案日期"), _until("有效期至", True),
        key=("committee", "kind", "holds_on"),
    ),
    _record(
        "review_results", "评审结果", r.ReviewResult,
        _ref("committee", "评委会编码", "committees"), _integer("season", "年度", 1900, 2200),
        _integer("reviewed", "评审人数", 0, 10_000_000), _integer("passed", "通过人数", 0, 10_000_000),
        _text("reference", "公布文号", False), _holds("公布日期"),
        key=("committee", "season"),
    ),
    _record(
        "complaints", "投诉", r.Complaint,
        _ref("committee", "评委会编码", "committees"), _text("reference", "投诉文号"),
        _integer("season", "年度", 1900, 2200), _yes("upheld", "是否属实", False), _holds("收到日期"),
        key=("committee", "reference"),
    ),
    _record(
        "employer_names", "单位名称", r.EmployerName,
        _employer(), _choice("kind", "名称类型", r.NameKind), _text("name", "单位名称"),
        _holds("启用日期"), _until("停用日期"),
        key=("employer", "kind", "name", "holds_on"), loose=("name",),
    ),
    _record(
        "employer_sectors", "单位性质", r.EmployerSector,
        _employer(), _choice("sector", "单位性质", r.Sector), _holds("起始日期"),
        key=("employer", "holds_on"),
    ),
    _record(
        "employer_links", "单位关系", r.EmployerLink,
        _employer(), _ref("other", "关联单位编码", "employers"), _choice("kind", "关系类型", r.LinkKind),
        _holds("起始日期"), _until(),
        key=("employer", "kind", "holds_on"),
    ),
    _record(
        "qualifications", "职称", r.Qualification,
        _expert(), _series(), _choice("rank", "职称级别", r.Rank), _holds("取得日期"),
        key=("expert", "series", "holds_on"),
    ),
    _record(
        "employments", "任职", r.Employment,
        _expert(), _employer(), _yes("main", "是否主要单位"), _holds("入职日期"), _until("离职日期"),
        key=("expert", "employer", "holds_on"),
    ),
    _record(
        "skills", "专长", r.Skill,
        _expert(), _ref("specialty", "专业编码", "specialties"), _integer("proficiency", "熟练程度", 1, 3),
        _holds("起始日期"), _until(),
        key=("expert", "specialty", "holds_on"),
    ),
    _record(
        "memberships", "入库记录", r.Membership,
        _expert(), _ref("pool", "评委库编码", "pools"), _choice("step", "环节", r.Step), _holds("生效日期"),
        _until("有效期至"), _text("reason", "事由", False),
        key=("expert", "pool", "step", "holds_on"),
    ),
    _record(
        "trainings", "培训", r.Training,
        _expert(), _text("course", "课程"), _yes("passed", "是否合格"), _holds("完成日期"), _until("有效期至", True),
        key=("expert", "course", "holds_on"),
    ),
    _record(
        "credits", "信用记分", r.Credit,
        _expert(), _text("event", "事项"), _integer("points", "分值", -1000, 1000), _holds("发生日期"),
        key=("expert", "event", "holds_on"),
    ),
    _record(
        "disciplines", "处分", r.Discipline,
        _expert(), _choice("sanction", "处分种类", r.Sanction), _holds("生效日期"), _until(),
        _text("basis", "依据"),
        Column("revokes", "所撤销处分的生效日期", Kind.DATE, "revokes_id", required=False),
        key=("expert", "sanction", "holds_on"),
    ),
    _record(
        "services", "履职", r.Service,
        _expert(), _ref("committee", "评委会编码", "committees"), _integer("season", "年度", 1900, 2200),
        _text("panel", "评审批次"), _choice("role", "角色", r.Role), _choice("outcome", "履职结果", r.Outcome),
        _holds("履职日期"),
        key=("expert", "committee", "panel", "holds_on"),
    ),
    _record(
        "absences", "请假", r.Absence,
        _expert(), _holds("起始日期", past=False), _until(required=True), _text("reason", "事由", False),
        key=("expert", "holds_on"),
    ),
    _record(
        "relations", "利害关系", r.Relation,
        _choice("kind", "关系类型", r.RelationKind), _expert(), _ref("other_expert", "对方专家编码", "experts", False),
        _ref("applicant", "申报人编码", "applicants", False), _ref("employer", "单位编码", "employers", False),
        _ref("case", "申报编码", "cases", False), _date("since", "关系起始日期", False, past=True),
        _until("关系截止日期"), _text("source", "来源", False), _holds("认定日期"),
        key=("kind", "expert", "other_expert", "applicant", "employer", "case", "holds_on", "since"),
    ),
)  # fmt: skip

SHEETS: Mapping[str, Sheet] = {sheet.name: sheet for sheet in _ALL}
"""Every sheet by its name, in the order of writing."""

EXPLANATION = {"zh": "说明", "en": "Explanation"}
"""The title of the sheet that explains the others; it is never read."""

__all__ = ["EXPLANATION", "SHEETS", "Column", "Kind", "Sheet"]
