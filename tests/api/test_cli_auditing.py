"""`audit`: exit codes, reports, and what a bad roster is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from docx import Document
from jsonschema import Draft202012Validator
from openpyxl import Workbook, load_workbook

from api.cli.main import run
from expert_pool.audits import Audit
from expert_pool.packaged import fixture

ROSTER = str(fixture("audits", "roster.xlsx"))
POLICY = ["--policy", "cn-title-jilin-2013", "--on", "2026-04-18"]


@pytest.fixture
def mended(tmp_path: Path) -> str:
    """The sample without the faults that break a rule."""
    book = load_workbook(ROSTER)
    people, relations = book["名单"], book["利害关系"]
    column = next(cell.column for cell in people[2] if cell.value == "培训有效期至")
    people.cell(6, column).value = people.cell(7, column).value
    relations.delete_rows(relations.max_row)
    path = tmp_path / "名单.xlsx"
    book.save(path)
    return str(path)


def roster_of(path: Path, *rows: list[object]) -> str:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return str(path)


def test_a_broken_rule_is_exit_5(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", ROSTER, *POLICY, "--json"]) == 5
    printed, err = capsys.readouterr()
    assert err == ""
    document = json.loads(printed)
    Draft202012Validator(Audit.model_json_schema()).validate(document)
    assert document["format"] == "audit/1"
    assert {f["rule"] for f in document["findings"] if f["hard"]} == {"trained", "apart"}
    trained = next(f for f in document["findings"] if f["rule"] == "trained")
    assert trained["people"] == ["许明涛（虚构）"]
    assert trained["basis_status"] == "V1"


def test_nothing_broken_is_exit_0(mended: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Although some of it could not be judged."""
    assert run(["audit", mended, *POLICY, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts["broken"] == 0
    assert counts["not_judged"] == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_reports_are_written_in_the_language_asked_for(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [tmp_path / f"report.{suffix}" for suffix in ("docx", "xlsx", "json")]
    arguments = [word for path in out for word in ("-o", str(path))]
    assert run(["audit", ROSTER, *POLICY, *arguments, "--lang", lang]) == 5
    said = capsys.readouterr().out
    assert ("违反" if lang == "zh" else "Broken") in said
    assert all(str(path) in said.replace("\n", "") for path in out)
    title = "评审委员会名单审核报告" if lang == "zh" else "Audit of a review panel"
    assert title in [p.text for p in Document(str(out[0])).paragraphs]
    assert load_workbook(out[1]).sheetnames[0] == ("概要" if lang == "zh" else "Summary")
    assert json.loads(out[2].read_text(encoding="utf-8"))["format"] == "audit/1"


def test_an_override_sets_a_number_that_no_text_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", ROSTER, *POLICY, "--override", "private_share=30%", "--why", "要求", "--json"]) == 5
    document = json.loads(capsys.readouterr().out)
    assert "private_share" in {f["rule"] for f in document["findings"]}
    assert document["policy"]["overrides"][0]["why"] == "要求"
    assert "private_share" not in {out["parameter"] for out in document["left_out"]}


def test_a_bad_roster_is_exit_2_with_all_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = roster_of(
        tmp_path / "bad.xlsx", ["姓名", "角色", "单位性质"], ["甲", "委员", "半官方"], ["乙", "顾问", "省直"]
    )
    assert run(["audit", path, *POLICY, "--json"]) == 2
    errors = json.loads(capsys.readouterr().out)["errors"]
    assert [(e["row"], e["column"], e["code"]) for e in errors] == [
        (2, "单位性质", "import.choice"),
        (3, "角色", "import.choice"),
    ]
    assert run(["audit", path, *POLICY, "--lang", "en"]) == 2
    said = capsys.readouterr().out
    assert "“半官方” is not one of the allowed values" in said
    assert "2 faults" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([ROSTER], "cli.parameter_missing"),
        (POLICY, "cli.parameter_missing"),
        ([ROSTER, "--policy", "cn-title-jlin-2013"], "policy.unknown"),
        ([ROSTER, *POLICY, "--level", "top"], "policy.level_unknown"),
        ([ROSTER, "--policy", "cn-nsfc", "--on", "yesterday"], "cli.date_bad"),
        ([ROSTER, *POLICY, "-o", "report.pdf"], "audit.output_unknown"),
        ([ROSTER, *POLICY, "-o", "none/report.docx"], "cli.no_folder"),
        (["none.xlsx", *POLICY], "import.no_such_file"),
        ([ROSTER, *POLICY, "--registry", "C001"], "cli.database_missing"),
    ],
)
def test_misuse_is_exit_2(
    arguments: list[str],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["audit", *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_the_template_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.xlsx"
    assert run(["audit", "--template", str(path), "--lang", "en"]) == 0
    assert str(path) in capsys.readouterr().out
    assert load_workbook(path).sheetnames[0] == "people"


def test_the_registry_completes_a_bare_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the small registry of the fixtures, by code."""
    database = f"sqlite:///{tmp_path / 'registry.db'}"
    assert run(["import", str(fixture("registry-small")), "--database", database, "--json"]) == 0
    capsys.readouterr()
    rows = [["赵明远（虚构）", "委员", "EX-001"], ["外人", "委员", "EX-999"]]
    path = roster_of(tmp_path / "r.xlsx", ["姓名", "角色", "专家编码"], *rows)
    arguments = ["audit", path, *POLICY, "--registry", "COM-01", "--database", database, "--json"]
    assert run(arguments) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "privacy.purpose_missing"
    assert run([*arguments, "--purpose", "监督检查"]) == 5
    document = json.loads(capsys.readouterr().out)
    assert document["registry"]["matched"] == 1
    assert document["registry"]["unmatched"][0]["says"]["code"] == "audit.registry.code_unknown"
    known = document["people"][0]["facts"]
    assert known["rank"]["source"] == "registry"
    assert run(["ledger", "verify", "--database", database, "--json"]) == 0
