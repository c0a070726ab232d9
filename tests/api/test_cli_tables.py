"""import, export, template and generate: files in and out of the registry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import run

SHEETS = Path(__file__).parents[2] / "fixtures" / "registry-small"


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with --json in an empty folder: its exit code and its document."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EXPERT_POOL_DATABASE", raising=False)

    def asked(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


def test_import_makes_the_database_in_the_current_folder(ask: Any, tmp_path: Path) -> None:
    """A dry run keeps nothing, the first import everything, the second changes nothing."""
    code, dry = ask("import", str(SHEETS), "--dry-run")
    assert (code, dry["dry_run"]) == (0, True)
    code, first = ask("import", str(SHEETS))
    assert code == 0
    assert first["sheets"] == dry["sheets"]
    assert first["sheets"]["experts"]["new"] > 0
    _, second = ask("import", str(SHEETS))
    assert {s["new"] for s in second["sheets"].values()} == {0}
    assert (tmp_path / "expert-pool.db").exists()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_row_errors_are_listed_and_nothing_is_imported(ask: Any, tmp_path: Path, lang: str) -> None:
    """Exit 2; every error names sheet, row and column, in words."""
    bad = tmp_path / "bad"
    shutil.copytree(SHEETS, bad)
    skills = bad / "skills.csv"
    lines = skills.read_text(encoding="utf-8-sig").splitlines()
    fields = lines[1].split(",")
    fields[1] = "999999"
    skills.write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]), encoding="utf-8")
    code, done = ask("import", str(bad), "--lang", lang)
    assert (code, done["ok"], done["sheets"]) == (2, False, {})
    error = done["errors"][0]
    assert (error["sheet"], error["row"]) == ("skills", 2)
    assert error["code"] not in error["message"]
    assert ask("import", str(SHEETS))[1]["sheets"]["experts"]["new"] > 0


def test_row_errors_for_people(tmp_path: Path, ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A table on stdout that ends with the count."""
    bad = tmp_path / "experts.csv"
    bad.write_text("code,name,region\nE1,Li,R\nE1,Wang,R\n", encoding="utf-8")
    assert run(["import", str(bad), "--lang", "en"]) == 2
    said = capsys.readouterr().out
    assert "nothing was imported" in said


def test_exported_sheets_can_be_imported(ask: Any, tmp_path: Path) -> None:
    """As csv and as a workbook, into the same registry: nothing changes, and no ID leaves in the clear."""
    ask("import", str(SHEETS))
    assert ask("export", "sheets", "--purpose", "annual check")[0] == 0
    assert ask("export", "book.xlsx", "--form", "xlsx", "--purpose", "annual check")[0] == 0
    ids = [line.split(",")[5] for line in (SHEETS / "experts.csv").read_text("utf-8-sig").splitlines()[1:]]
    exported = "".join(path.read_text("utf-8-sig") for path in (tmp_path / "sheets").glob("experts*.csv"))
    assert not [i for i in ids if i and i in exported]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_template_is_a_workbook(ask: Any, tmp_path: Path, lang: str) -> None:
    """With a header row in every sheet."""
    import openpyxl

    assert ask("template", "t.xlsx", "--lang", lang)[0] == 0
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert len(book.sheetnames) >= 25


def test_generated_files_import_and_solve(ask: Any, tmp_path: Path) -> None:
    """Sheets for the importer, problems for the solver; the same seed makes the same bytes."""
    words = [
        "generate",
        "--experts",
        "400",
        "--committees",
        "1",
        "--seed",
        "3",
        "--problems",
        "1",
        "--cases",
        "20",
    ]
    code, made = ask(*words, "--out", "one")
    assert (code, made["rows"] > 0) == (0, True)
    ask(*words, "--out", "two")
    problem = Path("one/problems/problem-001.json")
    assert problem.read_bytes() == Path("two", *problem.parts[1:]).read_bytes()
    assert ask("import", "one", "--dry-run")[0] == 0
    assert ask("assemble", str(problem))[0] in (0, 3)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["import", "nowhere.csv"], "import.no_such_file"),
        (["export", "sheets", "--purpose", "annual check"], "cli.database_missing"),
        (["template", "no/folder/t.xlsx"], "cli.no_folder"),
        (["generate", "--out", "r", "--experts", "5"], "region.too_few"),
        (["generate", "--out", "r", "--seed", "-1"], "cli.value_bad"),
        (["db", "downgrade", "base"], "cli.database_missing"),
        (["expert", "show", "E1", "--database", "mysql://host/x"], "store.url_backend"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_bad_input_is_one_message(words: list[str], code: str, lang: str, ask: Any) -> None:
    """Exit 2 and a sentence."""
    ended, refused = ask(*words, "--lang", lang)
    assert (ended, refused["error"]["code"]) == (2, code)
    assert code not in refused["error"]["message"]


def test_tables_go_down_and_up(ask: Any) -> None:
    """An unknown revision is refused; after base and head the registry is empty and usable."""
    ask("import", str(SHEETS))
    assert ask("db", "downgrade", "0999")[1]["error"]["code"] == "store.revision"
    assert ask("db", "downgrade", "base")[0] == 0
    assert ask("db", "upgrade")[0] == 0
    assert ask("import", str(SHEETS))[1]["sheets"]["experts"]["new"] > 0
