"""What is not stated is neither fine nor a finding: the rule is not judged, unless it does not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from audit_rosters import Book, sample, verdicts
from tiny_problems import rule

from expert_pool.audits import Audit
from expert_pool.audits.gaps import NEEDS
from expert_pool.audits.judging import with_unknown
from expert_pool.policies.load import load, presets
from expert_pool.policies.policy import Conflict, Override, Policy
from expert_pool.policies.vocabulary import LEVELS
from solver.facts import Where
from solver.rules import Basis, Rule

ON = date(2026, 4, 18)


@pytest.fixture
def book() -> Book:
    return sample()


@pytest.fixture(scope="module")
def policy() -> Policy:
    settings = {"employer_cap": 5, "private_share": "1/25", "renewal_share": "1/3", "age_max": 70}
    return load("cn-title-jilin-2013", [Override(n, v, "审计", ON, "口径") for n, v in settings.items()])


def missing(done: Audit, rule_id: str) -> set[str]:
    """The codes of what a rule that is not judged lacks."""
    found = next(r for r in done.rules if r.id == rule_id)
    assert found.verdict == "not_judged"
    assert found.margin is None
    assert found.missing
    return {gap.says.code.removeprefix("audit.gap.") for gap in found.missing}


def without(sheet: str, *columns: str) -> Callable[[Book], None]:
    def spoil(book: Book) -> None:
        for column in columns:
            book.drop(sheet, column)

    return spoil


def no_sheet(name: str) -> Callable[[Book], None]:
    return lambda book: book.sheets.pop(name, None) and None


@pytest.mark.parametrize(
    ("spoil", "rule_id", "gap"),
    [
        (without("名单", "培训有效期至"), "trained", "fact_of_all"),
        (without("名单", "职称级别"), "reviewed_rank", "fact_of_all"),
        (without("名单", "职称级别"), "roles", "fact_of_all"),
        (without("名单", "单位性质"), "sector_ratio", "fact_of_all"),
        (without("名单", "单位性质"), "private_share", "fact_of_all"),
        (without("名单", "出生年月"), "age", "fact_of_all"),
        (without("名单", "工作单位"), "employer_cap", "fact_of_all"),
        (without("名单", "工作单位"), "quorum", "fact_of_all"),
        (without("名单", "评议组"), "group_size", "column"),
        (without("名单", "评议组"), "peer_grade", "column"),
        (without("名单", "评议组"), "alternates", "column"),
        (without("名单", "细分专业"), "group_peers", "specialty_of_all"),
        (without("名单", "细分专业"), "case_peers", "specialty_of_all"),
        (no_sheet("申报"), "quorum", "sheet"),
        (no_sheet("申报"), "barred", "sheet"),
        (no_sheet("申报"), "not_applicant", "fact_of_all"),
        (no_sheet("申报"), "peer_grade", "group_subjects"),
        (no_sheet("利害关系"), "apart", "sheet"),
        (no_sheet("利害关系"), "quorum", "sheet"),
        (no_sheet("往届"), "renewal", "sheet"),
        (without("申报", "申报人"), "barred", "cases"),
        (without("申报", "工作单位"), "quorum", "cases"),
        (without("申报", "细分专业"), "case_close_peers", "cases"),
        (without("申报", "评议组"), "case_peers", "cases"),
    ],
)
def test_a_rule_without_its_data_is_not_judged(
    spoil: Callable[[Book], None], rule_id: str, gap: str, book: Book, policy: Policy, tmp_path: Path
) -> None:
    spoil(book)
    done = book.audited(tmp_path, policy, ON)
    assert gap in missing(done, rule_id)
    assert not [finding for finding in done.findings if finding.rule == rule_id]
    assert done.counts.broken == 0


def test_names_alone_leave_rotation_open_where_it_matters(book: Book, policy: Policy, tmp_path: Path) -> None:
    """Seventeen of 25 bear the names of earlier members: without employers nobody knows whether they are the same."""
    seated = [row for row in book.people if row["角色"] != "备选委员"][:17]
    book.sheets["往届"] = [{"届次": "2025", "姓名": row["姓名"]} for row in seated]
    done = book.audited(tmp_path, policy, ON)
    assert missing(done, "renewal") == {"sat_before"}
    found = next(r for r in done.rules if r.id == "renewal")
    assert (found.value_low, found.value_high) == (8, 25)
    book.sheets["往届"] = book.sheets["往届"][:5]
    assert verdicts(book.audited(tmp_path, policy, ON))["renewal"] == "kept"


def test_few_unknown_cells_do_not_matter_where_the_margin_is_wide(
    book: Book, policy: Policy, tmp_path: Path
) -> None:
    member = next(row for row in book.people if row["角色"] == "委员" and row["单位性质"] == "省直")
    member["单位性质"] = None
    done = book.audited(tmp_path, policy, ON)
    assert verdicts(done)["private_share"] == "kept"
    assert missing(done, "sector_ratio") == {"fact"}
    gap = next(r for r in done.rules if r.id == "sector_ratio").missing[0]
    assert gap.people == [member["姓名"]]
    assert gap.says.params["count"] == 1


def test_a_sure_breach_is_found_among_unknown_ones(book: Book, policy: Policy, tmp_path: Path) -> None:
    book.people[0]["培训有效期至"] = date(2020, 1, 1)
    book.people[1]["培训有效期至"] = None
    done = book.audited(tmp_path, policy, ON)
    (finding,) = [f for f in done.findings if f.rule == "trained"]
    assert finding.people == [book.people[0]["姓名"]]
    assert (finding.value_low, finding.value_high, finding.margin) == (1, 2, -1)
    trained = next(r for r in done.rules if r.id == "trained")
    assert trained.verdict == "broken"
    assert [gap.people for gap in trained.missing] == [[book.people[1]["姓名"]]]


def test_employers_with_names_alike_may_be_one_until_the_legal_person_is_given(
    book: Book, tmp_path: Path
) -> None:
    capped = load("cn-title-jilin-2013", [Override("employer_cap", 5, "审计", ON, "口径")])
    for number, row in enumerate(book.people[:6]):
        row["工作单位"] = "某某理工大学" + ("机械学院" if number % 2 else "")
    assert missing(book.audited(tmp_path, capped, ON), "employer_cap") == {"employers_alike"}
    for number, row in enumerate(book.people):
        row["法人单位"] = row["工作单位"] if number >= 6 else f"某某理工大学{number}分校"
    assert verdicts(book.audited(tmp_path, capped, ON))["employer_cap"] == "kept"
    for number, row in enumerate(book.people):
        row["法人单位"], row["工作单位"] = None, "某某理工大学机械学院" if number < 6 else row["工作单位"]
    book.people[6]["工作单位"] = "某某理工大学"
    assert verdicts(book.audited(tmp_path, capped, ON))["employer_cap"] == "broken"
    for row in book.people[:6]:
        row["法人单位"] = "某某理工大学"
    assert verdicts(book.audited(tmp_path, capped, ON))["employer_cap"] == "broken"


def test_an_applicant_of_the_same_name_is_nobody_until_the_employer_is_given(
    book: Book, policy: Policy, tmp_path: Path
) -> None:
    case = book.sheets["申报"][0]
    case["申报人"], case["工作单位"] = book.people[0]["姓名"], None
    done = book.audited(tmp_path, policy, ON)
    assert missing(done, "barred") == {"applies"}
    assert missing(done, "not_applicant") == {"fact"}
    case["工作单位"] = "别处（虚构）"
    assert verdicts(book.audited(tmp_path, policy, ON))["barred"] == "kept"


def test_no_relations_are_known_only_where_the_sheet_says_so(
    book: Book, policy: Policy, tmp_path: Path
) -> None:
    book.sheets["利害关系"] = [{"关系": "无", "评委姓名": None}]
    assert verdicts(book.audited(tmp_path, policy, ON))["apart"] == "kept"
    book.sheets["利害关系"] = [{"关系": None, "评委姓名": None}]
    assert verdicts(book.audited(tmp_path, policy, ON))["apart"] == "not_judged"


def test_a_relation_counts_within_the_window_of_its_kind(book: Book, policy: Policy, tmp_path: Path) -> None:
    """A former employer counts for three years; nine of them break the quorum of a case."""
    for until, verdict in ((date(2023, 4, 18), "kept"), (date(2023, 4, 19), "broken"), (None, "broken")):
        spoiled = Book({**book.sheets, "利害关系": list(book.sheets["利害关系"])})
        for row in book.people[:9]:
            spoiled.relate("曾在申报人单位任职", row["姓名"], 申报编号="2026-0042", 关系截止=until)
        assert verdicts(spoiled.audited(tmp_path, policy, ON))["quorum"] == verdict


def test_without_alternates_no_shows_are_not_judged(book: Book, policy: Policy, tmp_path: Path) -> None:
    book.sheets["名单"] = [row for row in book.people if row["角色"] != "备选委员"]
    assert missing(book.audited(tmp_path, policy, ON), "alternates") == {"no_alternates"}


def test_survival_is_not_judged_where_a_rule_is_not(book: Book, policy: Policy, tmp_path: Path) -> None:
    book.drop("名单", "工作单位")
    assert "rules" in missing(book.audited(tmp_path, policy, ON), "alternates")


def test_no_shows_too_many_to_try_are_no_proof(
    book: Book, policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.no_shows.MOST_SCENARIOS", 1)
    assert missing(book.audited(tmp_path, policy, ON), "alternates") == {"untried"}


def test_survival_is_kept_where_what_is_unknown_does_not_matter(
    book: Book, policy: Policy, tmp_path: Path
) -> None:
    """One sector unknown leaves the private share above its least, whoever stays away."""
    next(row for row in book.people if row["单位性质"] == "省直")["单位性质"] = None
    verdict = verdicts(book.audited(tmp_path, policy, ON))
    assert (verdict["private_share"], verdict["alternates"]) == ("kept", "kept")


def test_the_drawing_of_a_panel_cannot_be_seen_in_a_roster(book: Book, tmp_path: Path) -> None:
    done = book.audited(tmp_path, load("cn-title-national"), ON)
    assert "audit.note.draw" in {note.code for note in done.notes}


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("level", LEVELS)
def test_every_rule_of_the_presets_is_known_to_the_audit(preset: str, level: str) -> None:
    used = {rule_.rule for rule_ in load(preset).rules(level)}
    assert used - {"locks"} <= NEEDS.keys()


def test_a_rule_of_an_unknown_kind_is_not_judged(
    book: Book, policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(NEEDS, "panel_size")  # type: ignore[arg-type]
    assert missing(book.audited(tmp_path, policy, ON), "panel_size") == {"rule_unknown"}


def test_every_test_inside_a_rule_is_opened() -> None:
    """Whatever a rule holds its tests in."""

    def tests(model: Rule | Where) -> list[str]:
        return str(model.model_dump()).split("'unknown': ")[1:]

    for made in (
        rule("gate", where={"fact": "age", "op": "lt", "value": 70}),
        rule("share", where=[{"fact": "age", "op": "lt", "value": 55}], least="1/2"),
        rule("roles", chair=[{"fact": "rank", "op": "ge", "value": 4}]),
    ):
        opened = with_unknown(made, "passes")
        assert len(tests(opened)) == len(tests(made)) > 0
        assert all(line.startswith("'passes'") for line in tests(opened))
        assert with_unknown(opened, "fails") == made


def test_objections_beyond_the_number_allowed_do_not_count(book: Book, tmp_path: Path) -> None:
    """One applicant may name so many experts; who comes after them is not recused."""
    barring = Conflict("objection", "cycle", "panel", False, 1, Basis(text="t", status="D"))
    policy = replace(load("cn-title-jilin-2013"), conflicts={"objection": barring})
    for row in book.people[:2]:
        book.relate("异议", row["姓名"], 申报编号="2026-0042")
    done = book.audited(tmp_path, policy, ON)
    (finding,) = [f for f in done.findings if f.rule == "barred"]
    assert finding.people == [book.people[0]["姓名"]]
