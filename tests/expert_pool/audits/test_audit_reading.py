"""A roster as other people write it is read; what cannot be read is named, all of it at once, with its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from audit_rosters import Book, sample
from refused import refused

from expert_pool.audits import RosterFaults, read_roster
from expert_pool.audits.layout import PAGES, Kind
from expert_pool.audits.roster import Roster, Subject, Unit
from expert_pool.audits.titles import rank_of
from expert_pool.audits.values import read_cells, settled, words_of, years_between
from expert_pool.packaged import fixture
from expert_pool.words import known

ON = date(2026, 4, 18)


def read(sheets: dict[str, list[dict[str, Any]]], folder: Path) -> Roster:
    return read_roster(Book(sheets).save(folder / "名单.xlsx"), ON)


def person(name: str = "王伟", role: str = "委员", **cells: Any) -> dict[str, Any]:
    return {"姓名": name, "角色": role, **cells}


def test_the_sample_is_read_below_its_title_row() -> None:
    roster = read_roster(fixture("audits", "roster.xlsx"), ON)
    assert len(roster.people) == 33
    assert roster.people[0].row == 3
    assert roster.people[0].facts["sector"] == "central"
    assert roster.people[0].facts["age"] == 62
    assert len(roster.cases or ()) == 26
    assert roster.relations
    assert [len(panel.sat) for panel in roster.previous or ()] == [26]
    assert roster.groups is None


@pytest.mark.parametrize(
    "heads",
    [("姓名", "角色", "工作单位"), ("委员姓名", "评委会职务", "所在单位"), ("name", "role", "employer")],
)
def test_headers_may_be_chinese_english_or_usual(heads: tuple[str, ...], tmp_path: Path) -> None:
    row = dict(zip(heads, ("王伟", "委员", "某大学"), strict=True))
    (one,) = read({"委员名单": [row]}, tmp_path).people
    assert (one.name, one.role, one.unit) == ("王伟", "member", Unit("某大学"))


def test_words_months_and_titles_are_read(tmp_path: Path) -> None:
    row = person(
        "李 明", "主任", 单位性质="民企", 职称="副教授", 出生年月="1975年6月", 性别="女", 培训有效期="2027-12",
        取得职称时间=datetime(2015, 7, 1), 在库="是", 在库状态="正常", 专业="机械；材料", 细分专业="机械/焊接",
    )  # fmt: skip
    (one,) = read({"名单": [row]}, tmp_path).people
    assert one.role == "chair"
    assert one.facts == {
        "sector": "private", "rank": 3, "age": 50, "gender": "female", "trained_until": date(2027, 12, 31),
        "rank_years": 10, "in_pool": True, "state": "active",
    }  # fmt: skip
    assert one.subjects == (Subject("焊接", "机械"), Subject(None, "材料"))


def test_alternates_may_have_a_column_of_their_own(tmp_path: Path) -> None:
    rows = [{"姓名": "甲", "委员类别": "正式"}, {"姓名": "乙", "委员类别": "备选", "递补顺序": 1}]
    assert [p.role for p in read({"名单": rows}, tmp_path).people] == ["member", "alternate"]


def test_the_list_of_people_alone_may_be_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text("姓名,角色,单位\n王伟,委员,某大学\n", encoding="gb18030")
    assert [p.name for p in read_roster(path, ON).people] == ["王伟"]


def test_what_is_not_read_is_noted(tmp_path: Path) -> None:
    roster = read({"名单": [person(手机="1390000", 职称="特级厨师")], "附注": [{"x": 1}]}, tmp_path)
    notes = {note.code: note.params for note in roster.notes}
    assert notes["audit.note.columns_unread"]["columns"] == ["手机"]
    assert notes["audit.note.sheets_unread"]["sheets"] == ["附注"]
    assert notes["audit.note.titles_unknown"]["titles"] == ["特级厨师"]
    assert "rank" not in roster.people[0].facts


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    rows = [
        person("甲", 单位性质="半官方", 培训有效期至="明年"),
        person("", 评议组=None),
        person("乙", "主任委员", 评议组="一组", 年龄=300),
        person("丙", "主任委员", 评议组="一组", 出生年月="1975.1"),
    ]
    rows[0]["评议组"] = "一组"
    with pytest.raises(RosterFaults) as caught:
        read({"名单": rows}, tmp_path)
    found = {(e.sheet, e.row, e.column, e.code) for e in caught.value.errors}
    assert found == {
        ("名单", 2, "单位性质", "import.choice"),
        ("名单", 2, "培训有效期至", "import.date"),
        ("名单", 3, "姓名", "import.required"),
        ("名单", 4, "年龄", "import.range"),
        ("名单", 3, "评议组", "audit.group_empty"),
        ("名单", 5, "出生年月", "audit.month"),
        ("名单", 5, "角色", "audit.two_chairs"),
    }
    for error in caught.value.errors:
        for lang in ("zh", "en"):
            assert known(error.code, lang)
            assert "{" not in error.said(lang)


def with_row(sheet: str, row: dict[str, Any]) -> Callable[[Book], None]:
    return lambda book: book.sheets[sheet].append(row)


def twin(**cells: Any) -> Callable[[Book], None]:
    """The first person once more."""
    return lambda book: book.people.append({**book.people[0], **cells})


@pytest.mark.parametrize(
    ("spoil", "sheet", "row", "column", "code"),
    [
        (lambda b: b.drop("名单", "姓名"), "名单", 1, "姓名 / name", "audit.column_missing"),
        (lambda b: b.drop("名单", "角色"), "名单", 1, "角色 / role", "audit.columns_missing"),
        (twin(), "名单", 35, "姓名", "audit.person_twice"),
        (twin(工作单位=None), "名单", 35, "姓名", "audit.person_unclear"),
        (lambda b: b.people[4].update(评议组=None), "名单", 6, "评议组", "audit.group_empty"),
        (lambda b: b.people[4].update(角色="主任委员"), "名单", 19, "角色", "audit.two_chairs"),
        (lambda b: b.people[4].update(角色="顾问"), "名单", 6, "角色", "import.choice"),
        (lambda b: b.people[4].update(角色=None), "名单", 6, "角色", "import.required"),
        (lambda b: b.people[4].update(职称="教授", 职称级别="副高级"), "名单", 6, "职称级别", "audit.rank_contradicts"),
        (lambda b: b.people[4].update(出生年月="2027-01"), "名单", 6, "出生年月", "audit.after_the_day"),
        (lambda b: b.people[4].update(细分专业="机械/"), "名单", 6, "细分专业", "audit.sub_malformed"),
        (lambda b: b.sheets["申报"][3].update(评议组="无此组"), "申报", 5, "评议组", "audit.group_unknown"),
        (lambda b: b.sheets["申报"][3].update(申报编号="2026-0001"), "申报", 5, "申报编号", "audit.case_twice"),
        (lambda b: b.sheets["申报"][3].update(细分专业="机械/焊接；机械/铸造"), "申报", 5, "细分专业", "audit.case_subjects"),
        (with_row("利害关系", {"关系": "亲属", "评委姓名": "x", "申报编号": "无"}), "利害关系", 17, "申报编号", "audit.case_unknown"),
        (with_row("利害关系", {"关系": "亲属", "评委姓名": "x"}), "利害关系", 17, "对方姓名", "audit.relation_without_other"),
        (with_row("利害关系", {"关系": "邻居", "评委姓名": "x", "对方姓名": "y"}), "利害关系", 17, "关系", "import.choice"),
        (with_row("利害关系", {"关系": "亲属", "对方姓名": "y"}), "利害关系", 17, "评委姓名", "import.required"),
        (with_row("往届", {"届次": "2024", "姓名": "x"}), "往届", 1, "会议日期", "audit.previous_undated"),
        (with_row("往届", {"届次": "2025", "会议日期": date(2025, 1, 1), "姓名": "x"}), "往届", 28, "会议日期", "audit.previous_days"),
        (lambda b: b.sheets.update(评议组=[{"评议组": "一组"}]), "名单", 2, "评议组", "audit.group_unknown"),
        (lambda b: b.sheets.update(评议组=[{"评议组": "一组", "委员下限": 3, "委员上限": 2}]), "评议组", 2, "委员上限", "audit.bounds_crossed"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(
    spoil: Callable[[Book], None], sheet: str, row: int, column: str, code: str, tmp_path: Path
) -> None:
    """Row numbers are those of the file, where the header is row 1."""
    book = sample()
    spoil(book)
    path = book.save(tmp_path / "名单.xlsx")
    with pytest.raises(RosterFaults) as caught:
        read_roster(path, ON)
    assert (sheet, row, column, code) in {(e.sheet, e.row, e.column, e.code) for e in caught.value.errors}


def test_a_name_that_fits_several_is_refused_until_the_employer_is_given(tmp_path: Path) -> None:
    people = [
        person("王伟", 工作单位="甲大学"),
        person("王伟", 工作单位="乙医院"),
        person("李明", 工作单位="丙厂"),
    ]
    row = {"关系": "亲属", "评委姓名": "李明", "对方姓名": "王伟"}
    with pytest.raises(RosterFaults) as caught:
        read({"名单": people, "利害关系": [row]}, tmp_path)
    assert [e.code for e in caught.value.errors] == ["audit.relation_unclear"]
    roster = read({"名单": people, "利害关系": [row | {"对方单位": "乙医院"}]}, tmp_path)
    assert roster.relations
    assert (roster.relations[0].person, roster.relations[0].other) == (2, 1)
    assert [p.label for p in roster.people[:2]] == ["王伟（甲大学）", "王伟（乙医院）"]


def test_a_member_and_an_applicant_of_one_name_are_not_confused(tmp_path: Path) -> None:
    people = [person("王伟", 工作单位="甲大学"), person("李明", 工作单位="丙厂")]
    sheets = {
        "名单": people,
        "申报": [{"申报人": "王伟", "工作单位": "乙医院"}],
        "利害关系": [{"关系": "合作者", "评委姓名": "李明", "对方姓名": "王伟", "对方单位": "乙医院"}],
    }
    roster = read(sheets, tmp_path)
    assert roster.relations
    assert (roster.relations[0].other, roster.relations[0].cases) == (None, (0,))
    del sheets["利害关系"][0]["对方单位"]
    with pytest.raises(RosterFaults):
        read(sheets, tmp_path)


def test_files_that_are_no_roster_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "名单.txt"
    text.write_text("x")
    torn = tmp_path / "名单.xlsx"
    torn.write_bytes(fixture("audits", "roster.xlsx").read_bytes()[:4000])
    for path, code in (
        (text, "import.unknown_kind_of_file"),
        (torn, "import.damaged"),
        (tmp_path / "none.xlsx", "import.no_such_file"),
        (tmp_path, "audit.not_a_file"),
    ):
        with refused(code):
            read_roster(path, ON)


def test_a_workbook_without_a_list_of_people_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(RosterFaults) as caught:
        read({"附注": [{"x": 1}], "申报": [{"申报人": "甲"}]}, tmp_path)
    assert [e.code for e in caught.value.errors] == ["audit.no_people"]


def test_a_month_tells_full_years_unless_it_is_the_month_of_the_day() -> None:
    june = (date(1975, 6, 1), date(1975, 6, 30))
    april = (date(1975, 4, 1), date(1975, 4, 30))
    assert years_between(june, ON) == 50
    assert years_between(april, ON) is None
    assert settled((date(2026, 4, 1), date(2026, 4, 30)), ON) is None
    assert settled((date(2026, 5, 1), date(2026, 5, 31)), ON) == date(2026, 5, 31)


def test_every_closed_kind_reads_the_words_it_offers() -> None:
    for page in PAGES.values():
        for heading in page.headings:
            words = words_of(heading.kind)
            values, troubles = read_cells(heading, list(words))
            assert values == list(words.values())
            assert not troubles
            assert known(f"audit.kind.{'word' if words else heading.kind.value}")
    assert words_of(Kind.TEXT) == {}


def test_no_header_means_two_columns() -> None:
    for page in PAGES.values():
        spelt = [name for h in page.headings for name in {h.name, h.zh, *h.also}]
        assert len(spelt) == len(set(spelt)), page.name


def test_a_title_that_does_not_tell_its_rank_stays_unknown() -> None:
    assert rank_of("教授") == "full_senior"
    assert rank_of("Associate Professor") == "deputy_senior"
    assert rank_of("技师") is None
