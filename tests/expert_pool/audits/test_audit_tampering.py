"""A lawful roster has nothing broken; whatever is spoiled in it is found, by the right rule with the right basis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from audit_rosters import Book, book_of, policy_of, sample, verdicts

from expert_pool.audits import Audit
from expert_pool.packaged import fixture
from expert_pool.policies.load import load
from expert_pool.policies.policy import Override, Policy
from solver.assemble import assemble
from solver.check import panel_of
from solver.document import read_problem

ON = date(2026, 4, 18)


def jilin(**settings: object) -> Policy:
    """The preset, with numbers for rules that it leaves out."""
    made = [Override(n, v, "审计", ON, "口径") for n, v in settings.items()]  # type: ignore[arg-type]
    return load("cn-title-jilin-2013", made)


@pytest.fixture(scope="module")
def lenient() -> Policy:
    """Every rule that the preset can hold, with numbers that the sample keeps."""
    return jilin(employer_cap=5, private_share="1/25", renewal_share="1/3", age_max=70, consecutive_max=3)


@pytest.fixture
def lawful() -> Book:
    """The sample without its planted faults."""
    return sample()


def broken(done: Audit) -> set[str]:
    return {rule.id for rule in done.rules if rule.verdict == "broken" and rule.hard}


def test_a_panel_of_ours_has_no_broken_rule(tmp_path: Path) -> None:
    problem = read_problem(fixture("problems", "small.json"))
    answer, _ = assemble(problem)
    done = book_of(panel_of(problem, answer)).audited(tmp_path, policy_of(problem), problem.on)
    assert done.counts.broken == done.counts.not_judged == 0
    assert done.counts.kept == sum(rule.rule != "locks" for rule in problem.rules) - done.counts.short


def test_the_mended_sample_has_no_broken_rule(lawful: Book, lenient: Policy, tmp_path: Path) -> None:
    done = lawful.audited(tmp_path, lenient, ON)
    assert done.counts.broken == 0
    assert {r.id for r in done.rules if r.verdict == "not_judged"} == {"consecutive"}
    assert done.findings
    assert not any(finding.hard for finding in done.findings)


def spoil_training(book: Book) -> None:
    book.people[3]["培训有效期至"] = date(2026, 4, 17)


def spoil_rank(book: Book) -> None:
    book.people[3]["职称级别"] = "中级"


def spoil_employers(book: Book) -> None:
    for row in book.people[:6]:
        row["工作单位"] = "同一家研究院（虚构）"


def spoil_sector(book: Book) -> None:
    for row in book.people:
        row["单位性质"] = "省直" if row["单位性质"] == "民营" else row["单位性质"]


def spoil_rotation(book: Book) -> None:
    seated = [row for row in book.people if row["角色"] != "备选委员"][:17]
    book.sheets["往届"] = [
        {"届次": "2025", "会议日期": date(2025, 4, 18), "姓名": row["姓名"], "工作单位": row["工作单位"]}
        for row in seated
    ]


def spoil_applicant(book: Book) -> None:
    book.sheets["申报"][0]["申报人"] = book.people[0]["姓名"]
    book.sheets["申报"][0]["工作单位"] = book.people[0]["工作单位"]


def spoil_relatives(book: Book) -> None:
    book.relate("亲属", book.people[1]["姓名"], 对方姓名=book.people[2]["姓名"])


def spoil_quorum(book: Book) -> None:
    for row in book.people[:9]:
        book.relate("合作者", row["姓名"], 申报编号=book.sheets["申报"][0]["申报编号"])


def spoil_colleagues(book: Book) -> None:
    """The applicant of one case works where nine members work."""
    for row in book.people[:9]:
        row["法人单位"] = "同一家研究院（虚构）"
    book.sheets["申报"][0]["法人单位"] = "同一家研究院（虚构）"


def spoil_chair(book: Book) -> None:
    next(row for row in book.people if row["角色"] == "主任委员")["角色"] = "委员"


def spoil_size(book: Book) -> None:
    del book.people[next(i for i, row in enumerate(book.people) if row["角色"] == "委员")]


def spoil_age(book: Book) -> None:
    book.people[2]["出生年月"] = "1950-01"


def spoil_peers(book: Book) -> None:
    book.people[2]["细分专业"] = "外语/翻译"


def spoil_alternates(book: Book) -> None:
    book.people.remove(next(row for row in book.people if row["角色"] == "备选委员"))


@pytest.mark.parametrize(
    ("spoil", "rule", "basis", "status"),
    [
        (spoil_training, "trained", "河北省职称评审实施意见（2023）", "V1"),
        (spoil_rank, "reviewed_rank", "人社部令第40号", "V2"),
        (spoil_employers, "employer_cap", "override 2026-04-18", "D"),
        (spoil_sector, "private_share", "override 2026-04-18", "D"),
        (spoil_rotation, "renewal", "override 2026-04-18", "D"),
        (spoil_applicant, "not_applicant", "本系统设计", "D"),
        (spoil_applicant, "barred", "人社部令第40号第27条", "M"),
        (spoil_relatives, "apart", "本系统设计", "D"),
        (spoil_quorum, "quorum", "人社部令第40号第21条", "M"),
        (spoil_colleagues, "quorum", "人社部令第40号第21条", "M"),
        (spoil_chair, "roles", "某省评委会规定（2011年副本）第10条", "D"),
        (spoil_size, "panel_size", "吉林省职称评审规定（2013）第25条", "V2"),
        (spoil_age, "age", "某省评委会规定（2011年副本）第14条", "D"),
        (spoil_peers, "peer_grade", "人社部令第40号", "V2"),
        (spoil_alternates, "alternates", "吉林省职称评审规定（2013）第23条", "D"),
    ],
)
def test_what_is_spoiled_is_found_with_its_basis(
    spoil: Callable[[Book], None],
    rule: str,
    basis: str,
    status: str,
    lawful: Book,
    lenient: Policy,
    tmp_path: Path,
) -> None:
    spoil(lawful)
    done = lawful.audited(tmp_path, lenient, ON)
    assert rule in broken(done)
    found = [finding for finding in done.findings if finding.rule == rule]
    assert found
    for finding in found:
        assert basis in finding.basis
        assert finding.basis_status == status
        assert finding.margin < 0
    of_rule = next(r for r in done.rules if r.id == rule)
    assert of_rule.margin == min(finding.margin for finding in found)


def test_a_finding_names_the_people(lawful: Book, lenient: Policy, tmp_path: Path) -> None:
    spoil_employers(lawful)
    spoil_training(lawful)
    done = lawful.audited(tmp_path, lenient, ON)
    by_rule = {finding.rule: finding for finding in done.findings}
    names = [row["姓名"] for row in lawful.people]
    assert by_rule["trained"].people == [names[3]]
    assert set(by_rule["employer_cap"].people) >= set(names[:6]) - {
        row["姓名"] for row in lawful.people if row["角色"] == "备选委员"
    }


def test_a_colleague_of_the_applicant_is_recused_and_no_more(
    lawful: Book, lenient: Policy, tmp_path: Path
) -> None:
    """One colleague breaks nothing; the case counts one present less."""
    case = next(row for row in lawful.sheets["申报"] if row["申报编号"] == "2026-0042")
    before = lawful.audited(tmp_path, lenient, ON)
    case["工作单位"] = "另一家（虚构）"
    for row in lawful.people[:3]:
        row["法人单位"] = "另一家（虚构）"
    after = lawful.audited(tmp_path, lenient, ON)
    assert verdicts(after)["quorum"] == verdicts(before)["quorum"] == "kept"


def test_a_wish_that_is_not_met_is_short_and_not_broken(
    lawful: Book, lenient: Policy, tmp_path: Path
) -> None:
    for row in lawful.people:
        row["单位性质"] = "省直"
    done = lawful.audited(tmp_path, jilin(), ON)
    assert verdicts(done)["sector_ratio"] == "broken"
    assert "sector_ratio" not in broken(done)
    assert done.counts.broken == 0
    assert done.counts.short == 3
