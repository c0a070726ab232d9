"""The report in every form: opened again by the libraries that others open it with, in both languages."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from audit_rosters import Book, sample
from docx import Document
from openpyxl import load_workbook
from refused import refused
from rich.console import Console

from expert_pool.audits import Audit, audit, read_roster, write_template
from expert_pool.audits.layout import PAGES
from expert_pool.audits.report import RegistryUsed, Unmatched
from expert_pool.documents.audit_contents import AuditView, conclusion, finding_rows, rule_rows
from expert_pool.documents.audit_document import MOST_OF_ONE_RULE, audit_document
from expert_pool.documents.audit_text import audit_text
from expert_pool.documents.audit_workbook import audit_workbook
from expert_pool.packaged import fixture
from expert_pool.policies.load import load
from expert_pool.policies.policy import Override
from solver.answer import Saying

ON = date(2026, 4, 18)
LANGS = pytest.mark.parametrize("lang", ["zh", "en"])
BARE = re.compile(r"\b(audit|rule|title|name|test|fact|words|documents)\.[a-z_]{3,}")


@pytest.fixture(scope="module")
def done() -> Audit:
    """The sample as it is, with its planted faults, and a registry that knows nearly everybody."""
    overrides = [
        Override("employer_cap", 2, "审计", ON, "口径"),
        Override("private_share", "30%", "审计", ON, "口径"),
    ]
    used = RegistryUsed(
        committee="C001",
        known_at="2026-04-18T00:00:00+00:00",
        matched=32,
        unmatched=[Unmatched(label="蒋莎琦（虚构）", says=Saying(code="audit.registry.unknown"))],
    )
    roster = read_roster(fixture("audits", "roster.xlsx"), ON)
    return audit(roster, load("cn-title-jilin-2013", overrides), ON, registry=used)


def paper(done: Audit, lang: str, folder: Path) -> tuple[str, Document]:  # type: ignore[valid-type]
    report = Document(str(audit_document(done, lang, folder / "audit.docx")))
    cells = [cell.text for table in report.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in report.paragraphs), *cells]), report


@LANGS
def test_the_report_says_everything_in_its_language(done: Audit, lang: str, tmp_path: Path) -> None:
    text, report = paper(done, lang, tmp_path)
    view = AuditView(done, lang)
    assert conclusion(view) in text
    for row in rule_rows(view):
        assert row.title in text
        assert row.basis in text
    for finding in finding_rows(view):
        assert finding.says in text
        assert finding.who in text
    assert all(person.label in text for person in done.people)
    assert "C001" in text
    assert ("虚构数据" if lang == "zh" else "made up") in text
    assert not BARE.search(text)
    assert report.tables[1].cell(0, 0).text == conclusion(view)


@LANGS
def test_the_workbook_has_its_sheets(done: Audit, lang: str, tmp_path: Path) -> None:
    book = load_workbook(audit_workbook(done, lang, tmp_path / "audit.xlsx"))
    view = AuditView(done, lang)
    names = ("summary", "findings", "all_rules", "people", "sources", "notes")
    assert book.sheetnames == [view.word(name) for name in names]
    text = "\n".join(str(c.value) for sheet in book for line in sheet.iter_rows() for c in line if c.value)
    assert not BARE.search(text)
    assert len(list(book[view.word("findings")].iter_rows())) == 1 + len(done.findings)
    assert len(list(book[view.word("all_rules")].iter_rows())) == 1 + len(done.rules)
    assert len(list(book[view.word("people")].iter_rows())) == 1 + len(done.people)


@LANGS
def test_the_terminal_says_what_is_broken_and_what_is_missing(done: Audit, lang: str) -> None:
    console = Console(width=400, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(audit_text(done, lang))
    text = console.export_text()
    view = AuditView(done, lang)
    assert conclusion(view) in text
    assert "许明涛（虚构）" in text
    assert view.word("undecided") in text
    assert not BARE.search(text)


def test_the_numbers_of_the_summary_are_those_of_the_rules(done: Audit) -> None:
    verdicts = [(rule.verdict, rule.hard) for rule in done.rules]
    assert done.counts.broken == verdicts.count(("broken", True)) == 5
    assert done.counts.short == verdicts.count(("broken", False)) == 2
    assert done.counts.not_judged == sum(v == "not_judged" for v, _ in verdicts) == 1
    assert done.counts.kept == sum(v == "kept" for v, _ in verdicts)
    assert {f.rule for f in done.findings} == {r.id for r in done.rules if r.verdict == "broken"}


def test_the_json_is_whole(done: Audit) -> None:
    text = done.model_dump_json()
    assert Audit.model_validate_json(text) == done
    assert json.loads(text)["format"] == "audit/1"


def test_what_is_unknown_is_taken_in_the_panels_favour_and_said_so(done: Audit) -> None:
    (finding,) = [f for f in finding_rows(AuditView(done)) if f.rule == "private_share"]
    assert finding.value == "2–3"
    assert "未知的按有利一方计；实为 2 至 3" in finding.says
    assert "陈永广（虚构）" not in finding.who


def test_long_lists_of_one_rule_are_cut_on_paper_only(tmp_path: Path) -> None:
    book = sample()
    for case in book.sheets["申报"]:
        case["细分专业"] = "外语/翻译"
    done = book.audited(tmp_path, load("cn-title-jilin-2013"), ON)
    of_rule = [f for f in done.findings if f.rule == "case_peers"]
    assert len(of_rule) == 26
    text, _ = paper(done, "zh", tmp_path)
    assert f"同类问题另有 {26 - MOST_OF_ONE_RULE} 项" in text
    sheet = load_workbook(audit_workbook(done, "zh", tmp_path / "a.xlsx"))["发现的问题"]
    assert sum(1 for row in sheet.iter_rows() if "每份申报的同行" in str(row[0].value)) == 26


def test_nobodys_name_becomes_a_formula(tmp_path: Path) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(1)"]
    rows = [{"姓名": f"'{name}", "角色": "委员", "工作单位": f"'{name}"} for name in evil]
    done = Book({"名单": rows}).audited(tmp_path, load("cn-title-jilin-2013"), ON)
    book = load_workbook(audit_workbook(done, "en", tmp_path / "a.xlsx"))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert all(cell.quotePrefix for cell in cells if str(cell.value) in evil)


@LANGS
def test_the_template_is_read_back(lang: str, tmp_path: Path) -> None:
    """Filled in with the first word offered for each closed column."""
    path = write_template(tmp_path / "t.xlsx", lang)
    book = load_workbook(path)
    titles = [page.zh if lang == "zh" else page.name for page in PAGES.values()]
    assert book.sheetnames[:5] == titles
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    offers = {
        next(iter(v.sqref.ranges)).min_col: v.formula1.strip('"').split(",")[0]
        for v in sheet.data_validations.dataValidation
    }
    sheet.append([offers.get(number) for number in range(1, len(heads) + 1)])
    sheet.cell(2, 1, "王伟")
    sheet.cell(2, heads.index("评议组" if lang == "zh" else "group") + 1, "一组")
    sheet.cell(2, heads.index("年龄" if lang == "zh" else "age") + 1, 50)
    book.save(path)
    roster = read_roster(path, ON)
    assert roster.people[0].facts["age"] == 50
    assert len(roster.people[0].facts) > 5
    assert (roster.cases, roster.relations, roster.previous, roster.groups) == (None, None, None, None)
    assert "{" not in str([[c.value for c in line] for line in book.worksheets[5].iter_rows()])


def test_reports_that_cannot_be_written_are_refused(done: Audit, tmp_path: Path) -> None:
    with refused("documents.cannot_write"):
        audit_document(done, "zh", tmp_path / "none" / "a.docx")
    with refused("documents.cannot_write"):
        audit_workbook(done, "zh", tmp_path / "none" / "a.xlsx")
    with refused("import.unknown_kind_of_file"):
        write_template(tmp_path / "t.csv")
