"""Rows that are wrong: each is named with sheet, row, column and a sentence, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expert_pool.imports import import_tables
from expert_pool.imports.checks import cycles
from expert_pool.store import Store
from expert_pool.viewer import Viewer

Wrong = Callable[..., list[tuple[str, int, str, str]]]
EXPERT = ["code", "name", "region", "born", "national_id"]
LINK = ["employer", "other", "kind", "holds_on", "until"]
RELATION = ["kind", "expert", "other_expert", "applicant", "employer", "case", "since", "until", "holds_on"]
DISCIPLINE = ["expert", "sanction", "holds_on", "until", "basis", "revokes"]
CASE = ["code", "agenda", "applicant", "specialty", "employer", "level"]
SPECIALTY = ["version", "code", "name", "depth", "parent", "since"]


def test_unknown_codes(wrong: Wrong) -> None:
    """An unknown expert, employer, specialty and series are named where they stand."""
    assert wrong(
        employments=[
            ["专家编码", "单位编码", "是否主要单位", "入职日期"],
            ["EX-001", "EMP-01", "是", "2020-01-01"],
            ["EX-999", "EMP-99", "是", "2020-01-01"],
        ],
        skills=[["expert", "specialty", "proficiency", "holds_on"], ["EX-001", "999999", 1, "2025-01-01"]],
        qualifications=[["expert", "series", "rank", "holds_on"], ["EX-001", "99", "正高级", "2025-01-01"]],
    ) == [
        ("qualifications", 2, "series", "import.unknown"),
        ("employments", 3, "专家编码", "import.unknown"),
        ("employments", 3, "单位编码", "import.unknown"),
        ("skills", 2, "specialty", "import.unknown"),
    ]


def test_codes_of_rows_that_are_themselves_wrong_are_not_unknown(wrong: Wrong) -> None:
    """One mistake gives one message."""
    assert wrong(
        experts=[["code", "name", "region"], ["EX-100", "", "省"]],
        credits=[["expert", "event", "points", "holds_on"], ["EX-100", "late", 1, "2025-01-01"]],
    ) == [("experts", 2, "name", "import.required")]


def test_a_sheet_without_its_code_column_hides_no_other_mistake(wrong: Wrong) -> None:
    assert wrong(
        experts=[["name", "region"], ["张", "省"]],
        credits=[["expert", "event", "points", "holds_on"], ["EX-100", "late", "x", "2025-01-01"]],
    ) == [
        ("experts", 1, "专家编码 / code", "import.column_missing"),
        ("credits", 2, "points", "import.integer"),
    ]


def test_an_employer_that_is_its_own_parent(wrong: Wrong) -> None:
    assert wrong(employer_links=[LINK, ["EMP-03", "EMP-03", "隶属", "2020-01-01", ""]]) == [
        ("employer_links", 2, "other", "import.employer_own_parent")
    ]


def test_an_employer_that_is_its_own_ancestor(wrong: Wrong) -> None:
    """Also through links that the registry holds already (EMP-06 is a part of EMP-01)."""
    rows = [["EMP-01", "EMP-04", "隶属", "2020-01-01", ""], ["EMP-04", "EMP-06", "part_of", "2021-01-01", ""]]
    assert wrong(employer_links=[LINK, *rows]) == [
        ("employer_links", 2, "other", "import.employer_cycle"),
        ("employer_links", 3, "other", "import.employer_cycle"),
    ]


def test_results_and_complaints_that_cannot_be(wrong: Wrong) -> None:
    """More passed than reviewed, a season ahead of its day, a row told twice, somebody else's committee."""
    results = ["committee", "season", "reviewed", "passed", "holds_on", "organiser"]
    complaints = ["committee", "reference", "season", "upheld", "holds_on"]
    theirs = ["COM-02", "另一评委会", "ORG-02", "POOL-01", "高级", "社会化评审", "08"]
    assert wrong(
        committees=[["code", "name", "organiser", "pool", "level", "form", "series"], theirs],
        review_results=[
            results,
            ["COM-01", 2024, 10, 11, "2025-01-10", ""],
            ["COM-01", 2027, 10, 5, "2026-01-10", ""],
            ["COM-99", 2024, 10, 5, "2025-01-10", ""],
            ["COM-02", 2024, 10, 5, "2025-01-10", "ORG-01"],
            ["COM-02", 2025, 10, 5, "2026-01-11", ""],
            ["COM-02", 2025, 10, 6, "2026-01-12", ""],
            ["COM-01", 2025, 121, 58, "2025-12-15", ""],
            ["COM-01", 2023, "many", -1, "2027-01-11", ""],
        ],
        complaints=[
            complaints,
            ["COM-01", "T-1", 2027, "perhaps", "2026-01-10"],
            ["COM-01", "", 2025, "yes", "2026-01-10"],
        ],
    ) == [
        ("review_results", 2, "passed", "import.more_passed"),
        ("review_results", 3, "season", "import.season_ahead"),
        ("review_results", 4, "committee", "import.unknown"),
        ("review_results", 5, "organiser", "import.committee_of_other"),
        ("review_results", 7, "committee", "import.twice"),
        ("review_results", 8, "reviewed", "import.changed"),
        ("review_results", 9, "reviewed", "import.integer"),
        ("review_results", 9, "passed", "import.range"),
        ("review_results", 9, "holds_on", "import.future"),
        ("complaints", 2, "upheld", "import.boolean"),
        ("complaints", 2, "season", "import.season_ahead"),
        ("complaints", 3, "reference", "import.required"),
    ]


def test_links_that_turn_round_one_after_the_other_are_no_cycle(
    filled: Store, files: Any, system: Viewer
) -> None:
    rows = [
        ["EMP-03", "EMP-04", "隶属", "2010-01-01", "2014-12-31"],
        ["EMP-04", "EMP-03", "隶属", "2015-01-01", ""],
    ]
    assert import_tables(filled, system, files(employer_links=[LINK, *rows])).ok


def test_cycles_are_found_on_the_day_they_close() -> None:
    from datetime import date

    a, b = date(2020, 1, 1), date(2021, 1, 1)
    assert list(cycles([(1, 2, a, None), (2, 3, a, None), (3, 1, b, None), (4, 1, a, None)])) == [0, 1, 2]
    assert list(cycles([(1, 2, a, date(2020, 12, 31)), (2, 1, b, None)])) == []
    assert list(cycles([(1, 2, a, b), (2, 1, b, None)])) == [0, 1]
    assert list(cycles([])) == []


def test_a_case_without_a_specialty(wrong: Wrong) -> None:
    assert wrong(cases=[CASE, ["CASE-9", "AG-2026-01", "APP-01", "", "EMP-02", "高级"]]) == [
        ("cases", 2, "specialty", "import.required")
    ]


def test_a_case_in_a_whole_series(wrong: Wrong) -> None:
    assert wrong(cases=[CASE, ["CASE-9", "AG-2026-01", "APP-01", "08", "EMP-02", "高级"]]) == [
        ("cases", 2, "specialty", "import.specialty_too_wide")
    ]


def test_an_expert_twice_in_a_file(wrong: Wrong) -> None:
    rows = [["EX-100", "张", "省", "", ""], ["EX-101", "李", "省", "", ""], ["EX-100", "张", "省", "", ""]]
    assert wrong(experts=[EXPERT, *rows]) == [("experts", 4, "code", "import.twice")]


def test_one_national_id_under_two_codes(wrong: Wrong) -> None:
    """Within the file, and against the registry (EX-001 has the second one)."""
    rows = [
        ["EX-100", "张", "省", "", "11010519491231002X"],
        ["EX-101", "张", "省", "", "11010519491231002x"],
        ["EX-102", "赵", "省", "", "990000196201011010"],
    ]
    assert wrong(experts=[EXPERT, *rows]) == [
        ("experts", 3, "national_id", "import.national_id_twice"),
        ("experts", 4, "national_id", "import.national_id_twice"),
    ]


def test_a_national_id_of_another_birth_date(wrong: Wrong) -> None:
    assert wrong(experts=[EXPERT, ["EX-100", "张", "省", "1950-01-01", "11010519491231002X"]]) == [
        ("experts", 2, "national_id", "import.national_id_born")
    ]


def test_dates_in_the_future(wrong: Wrong) -> None:
    """The day a record holds, the moment it was recorded, a birth; not the day a meeting or an absence begins."""
    assert wrong(
        credits=[
            ["expert", "event", "points", "holds_on", "recorded_at"],
            ["EX-001", "late", 1, "2026-06-02", ""],
            ["EX-001", "late", 1, "2026-06-01", "2026-06-01T12:00:01+08:00"],
        ],
        experts=[EXPERT, ["EX-100", "张", "省", "2026-06-02", ""]],
        absences=[["expert", "holds_on", "until"], ["EX-001", "2026-09-01", "2026-09-30"]],
    ) == [
        ("experts", 2, "born", "import.future"),
        ("credits", 2, "holds_on", "import.future"),
        ("credits", 3, "recorded_at", "import.future"),
    ]


def test_an_end_before_the_beginning(wrong: Wrong) -> None:
    assert wrong(
        absences=[["expert", "holds_on", "until"], ["EX-001", "2026-09-01", "2026-08-31"]],
        relations=[
            RELATION,
            ["亲属", "EX-001", "EX-002", "", "", "", "2020-01-01", "2019-01-01", "2025-01-01"],
        ],
    ) == [("absences", 2, "until", "import.until_before"), ("relations", 2, "until", "import.until_before")]


def test_a_relation_has_exactly_one_other_party(wrong: Wrong) -> None:
    rows = [
        ["亲属", "EX-001", "", "", "", "", "", "", "2025-01-01"],
        ["亲属", "EX-001", "EX-002", "APP-01", "", "", "", "", "2025-01-01"],
        ["亲属", "EX-001", "EX-001", "", "", "", "", "", "2025-01-01"],
    ]
    assert wrong(relations=[RELATION, *rows]) == [
        ("relations", 2, "other_expert", "import.relation_without_party"),
        ("relations", 3, "applicant", "import.relation_with_parties"),
        ("relations", 4, "other_expert", "import.relation_to_self"),
    ]


def test_a_relation_told_from_both_ends_is_one(wrong: Wrong) -> None:
    """For kinds that say the same from either end; an advisor is not advised by the advisee."""
    rows = [
        [kind, *pair, "", "", "", "", "", "2025-01-01"]
        for kind in ("亲属", "导师")
        for pair in (("EX-001", "EX-002"), ("EX-002", "EX-001"))
    ]
    assert wrong(relations=[RELATION, *rows]) == [("relations", 3, "kind", "import.twice")]


def test_revocations_name_what_they_revoke(wrong: Wrong) -> None:
    rows = [
        ["EX-015", "撤销处分", "2026-01-01", "", "依据", ""],
        ["EX-014", "撤销处分", "2026-01-01", "", "依据", "2025-11-01"],
        ["EX-015", "撤销处分", "2025-10-01", "", "依据", "2025-11-01"],
        ["EX-013", "警告", "2025-10-01", "", "依据", "2025-11-01"],
    ]
    assert wrong(disciplines=[DISCIPLINE, *rows]) == [
        ("disciplines", 2, "revokes", "import.revocation_of_nothing"),
        ("disciplines", 3, "revokes", "import.revokes_unknown"),
        ("disciplines", 4, "holds_on", "import.revoked_before"),
        ("disciplines", 5, "revokes", "import.revokes_without_revocation"),
    ]


def test_a_ban_for_life_is_not_shortened_by_a_correction(wrong: Wrong) -> None:
    rows = [
        ["EX-015", "禁入", "2025-11-01", "2026-05-01", "虚构规〔2025〕7号第八条", ""],
        ["EX-011", "禁入", "2024-05-01", "", "另一依据", ""],
    ]
    assert wrong(correct=True, disciplines=[DISCIPLINE, *rows]) == [
        ("disciplines", 2, "until", "import.ban_stands"),
        ("disciplines", 3, "until", "import.ban_revoked"),
    ]


def test_the_catalogue_is_a_tree_within_a_version(wrong: Wrong) -> None:
    rows = [
        ["2024", "09", "系列", "系列", "08", "2024-01-01"],
        ["2024", "0901", "专业", "专业", "", "2024-01-01"],
        ["2024", "090101", "细分", "细分专业", "08", "2024-01-01"],
        ["2024", "090102", "细分", "细分专业", "2019/0801", "2024-01-01"],
        ["2024", "090103", "细分", "细分专业", "9999", "2024-01-01"],
        ["2024", "080104", "细分", "细分专业", "0801", "2024-01-01"],
        ["20/24", "09", "系列", "系列", "", "2024-01-01"],
    ]
    assert wrong(specialties=[SPECIALTY, *rows]) == [
        ("specialties", 2, "parent", "import.series_with_parent"),
        ("specialties", 3, "parent", "import.specialty_without_parent"),
        ("specialties", 4, "parent", "import.specialty_parent"),
        ("specialties", 5, "parent", "import.specialty_parent"),
        ("specialties", 6, "parent", "import.unknown"),
        ("specialties", 8, "version", "import.code_address"),
    ]


def test_mappings_name_versions(wrong: Wrong) -> None:
    rows = [["080101", "2024/080101", "2024-01-01"], ["2024/080101", "2024/080101", "2024-01-01"]]
    assert wrong(specialty_mappings=[["old", "new", "since"], *rows]) == [
        ("specialty_mappings", 2, "old", "import.version_missing"),
        ("specialty_mappings", 3, "new", "import.mapping_to_itself"),
    ]


def test_organisers_are_no_ring(wrong: Wrong) -> None:
    rows = [["A", "a", "C"], ["B", "b", "A"], ["C", "c", "B"], ["D", "d", "C"]]
    found = wrong(organisers=[["code", "name", "parent"], *rows])
    assert found == [("organisers", row, "parent", "import.organiser_cycle") for row in (2, 3, 4)]


def test_one_meeting_a_day_for_an_agenda(wrong: Wrong) -> None:
    rows = [
        ["M-1", "AG-2026-01", "2026-07-15"],
        ["M-2", "AG-2026-01", "2026-08-15"],
        ["M-3", "AG-2026-01", "2026-08-15"],
    ]
    assert wrong(meetings=[["code", "agenda", "on"], *rows]) == [
        ("meetings", 2, "on", "import.meeting_twice"),
        ("meetings", 4, "on", "import.meeting_twice"),
    ]


def test_rows_that_say_otherwise_than_the_registry(
    filled: Store, files: Any, system: Viewer, wrong: Wrong
) -> None:
    """Field, old and new are named; a sealed field is not shown."""
    tables = {
        "credits": [["expert", "event", "points", "holds_on"], ["EX-005", "迟到", -30, "2025-09-12"]],
        "employer_links": [LINK, ["EMP-06", "EMP-03", "隶属", "1990-09-01", ""]],
        "experts": [
            EXPERT,
            ["EX-002", "钱思齐（虚构）", "示例县", "1964-06-08", "11010519640608002X"[:17] + "7"],
        ],
        "disciplines": [DISCIPLINE, ["EX-010", "警告", "2025-10-01", "", "虚构规〔2025〕3号第五条", ""]],
    }
    done = import_tables(filled, system, files(**tables))
    assert [(e.sheet, e.row, e.column, e.code) for e in done.errors if e.column != "national_id"] == [
        ("experts", 2, "region", "import.changed"),
        ("employer_links", 2, "other", "import.changed"),
        ("credits", 2, "points", "import.changed"),
        ("disciplines", 2, "until", "import.changed"),
    ]
    shown = {e.column: (e.params["old"], e.params["new"]) for e in done.errors if e.code == "import.changed"}
    assert shown == {
        "region": ("示例市", "示例县"),
        "other": ("EMP-01", "EMP-03"),
        "points": ("-10", "-30"),
        "until": ("2026-09-30", ""),
    }


def test_a_changed_national_id_is_not_shown(filled: Store, files: Any, system: Viewer) -> None:
    done = import_tables(
        filled,
        system,
        files(
            experts=[
                ["code", "name", "region", "national_id"],
                ["EX-002", "钱思齐（虚构）", "示例市", "11010519491231002X"],
            ]
        ),
    )
    (error,) = [e for e in done.errors if e.code == "import.changed_sealed"]
    assert (error.row, error.column, dict(error.params)) == (2, "national_id", {})


def test_the_organiser_must_be_clear(filled: Store, store: Store, files: Any, system: Viewer) -> None:
    credit = files(credits=[["expert", "event", "points", "holds_on"], ["EX-001", "x", 1, "2025-01-01"]])
    assert [e.code for e in import_tables(filled, system, credit, organiser="ORG-99").errors] == [
        "import.organiser_unknown"
    ]
    assert [e.code for e in import_tables(store, system, credit).errors] == [
        "import.organiser_none",
        "import.unknown",
    ]
    two = files(organisers=[["code", "name"], ["A", "a"], ["B", "b"]])
    assert [e.code for e in import_tables(store, system, two).errors] == ["import.organiser_unclear"]
    assert import_tables(store, system, two, organiser="A").ok


def test_a_viewer_writes_only_for_their_organisers(filled: Store, files: Callable[..., Path]) -> None:
    """Whoever belongs to ORG-02 neither keeps records for ORG-01 nor changes or uses what is ORG-01's."""
    tables = {
        "organisers": [["code", "name"], ["ORG-03", "新单位"]],
        "pools": [
            ["code", "name", "organiser"],
            ["POOL-01", "改名", "ORG-02"],
            ["POOL-02", "新库", "ORG-02"],
        ],
        "agendas": [["code", "committee", "title", "season"], ["AG-9", "COM-01", "评审", 2026]],
        "credits": [
            ["expert", "event", "points", "holds_on", "organiser"],
            ["EX-001", "x", 1, "2026-01-01", "ORG-01"],
            ["EX-001", "x", 1, "2026-01-01", ""],
        ],
    }
    done = import_tables(filled, Viewer("clerk", frozenset({2})), files(**tables))
    assert [(e.sheet, e.row, e.column, e.code) for e in done.errors] == [
        ("organisers", 2, "code", "import.not_yours"),
        ("pools", 2, "code", "import.not_yours"),
        ("agendas", 2, "committee", "import.unknown"),
        ("credits", 2, "organiser", "import.unknown"),
    ]


@pytest.mark.parametrize("name", ["experts", "relations", "specialties"])
def test_a_sheet_of_headers_alone_is_nothing_to_import(
    filled: Store, files: Any, system: Viewer, name: str
) -> None:
    from expert_pool.imports.sheets import SHEETS
    from solver.errors import Fault

    with pytest.raises(Fault) as caught:
        import_tables(filled, system, files(**{name: [[c.name for c in SHEETS[name].columns]]}))
    assert caught.value.code == "import.no_rows"


def test_all_errors_come_at_once_in_the_order_of_the_sheets(wrong: Wrong) -> None:
    rows = [["", "x", "", "soon"] for _ in range(300)]
    found = wrong(credits=[["expert", "event", "points", "holds_on"], *rows])
    assert len(found) == 900
    assert [row for _, row, _, _ in found] == sorted(row for _, row, _, _ in found)
