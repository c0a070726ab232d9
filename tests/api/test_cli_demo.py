"""The demo, and every command on the registry it leaves behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import run

pytestmark = pytest.mark.xdist_group("demo")

DAY = "2026-04-18"
POLICY = "cn-title-jilin-2013"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo wrote."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    assert run(["demo", "--out", str(folder), "--json"]) == 0
    return folder


@pytest.fixture
def ask(out: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command on the demo's registry with --json: its exit code and its document."""

    def asked(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run([*words, "--json", "--database", f"sqlite:///{out / 'registry.db'}", "--as", "tester"])
        return code, json.loads(capsys.readouterr().out)

    return asked


def rows(out: Path, sheet: str) -> list[dict[str, str]]:
    """An import sheet of the demo."""
    with (out / "import" / f"{sheet}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_demo_writes_everything(out: Path) -> None:
    """Problem, panel, run log, database with its key, papers in both languages, pictures."""
    papers = {f"panel.{lang}.{kind}" for lang in ("zh", "en") for kind in ("xlsx", "docx")}
    files = {
        "problem.json",
        "panel.json",
        "run.json",
        "registry.db",
        "registry.db.key",
        "panel.svg",
        "panel.png",
    }
    assert files | papers <= {path.name for path in out.iterdir()}
    answer = json.loads((out / "panel.json").read_text(encoding="utf-8"))
    assert (answer["status"], len(answer["members"]), answer["fileable"]) == ("optimal", 25, True)
    assert [m["role"] for m in answer["members"]].count("chair") == 1
    assert not list(out.parent.glob(".out-*"))


def test_the_problem_file_replays_to_the_same_panel(out: Path, tmp_path: Path) -> None:
    """The file alone is enough, and the checker agrees."""
    panel = tmp_path / "panel.json"
    assert run(["assemble", str(out / "problem.json"), "-o", str(panel), "--json"]) == 0
    assert json.loads(panel.read_text("utf-8")) == json.loads((out / "panel.json").read_text("utf-8"))
    assert run(["check", str(out / "problem.json"), str(panel), "--json"]) == 0


def test_the_ledger_is_whole_and_notices_a_change(out: Path, ask: Any, tmp_path: Path) -> None:
    """One changed name in a copy of the database is found."""
    import shutil
    import sqlite3

    code, found = ask("ledger", "verify")
    assert (code, found["holds"]) == (0, True)
    for name in ("registry.db", "registry.db.key"):
        shutil.copy(out / name, tmp_path / name)
    with sqlite3.connect(tmp_path / "registry.db") as database:
        database.execute("update credit set points = points + 1 where id = 1")
    database.close()
    assert run(["ledger", "verify", "--database", str(tmp_path / "registry.db")]) == 5


def test_an_anchor_of_before_still_stands(ask: Any) -> None:
    """And one never published does not."""
    _, found = ask("ledger", "verify")
    assert ask("ledger", "verify", "--anchor", found["anchor"])[0] == 0
    assert ask("ledger", "verify", "--anchor", "0" * 64)[0] == 5


def test_a_panel_is_requested_shown_approved_and_documented(out: Path, ask: Any, tmp_path: Path) -> None:
    """The office's main job, step by step; a second approval is refused."""
    meeting = rows(out, "meetings")[0]["code"]
    code, requested = ask("panel", "request", "C001", meeting, "--policy", POLICY, "--seed", "1")
    assert code == 0
    panel = requested["panel"]
    code, shown = ask("panel", "show", panel)
    assert (code, shown["answer"]) == (0, requested["answer"])
    assert ask("panel", "approve", panel)[1]["state"] == "approved"
    code, refused = ask("panel", "approve", panel)
    assert (code, refused["error"]["code"]) == (2, "panels.approved_already")
    code, papers = ask("panel", "document", panel, "--out", str(tmp_path))
    assert code == 0
    assert all(Path(path).stat().st_size > 1000 for path in papers["files"])


def test_an_override_changes_the_panel_and_needs_a_reason(out: Path, ask: Any) -> None:
    """A larger panel by a dated decision."""
    words = ["panel", "request", "C001", rows(out, "meetings")[0]["code"], "--policy", POLICY]
    change = ["--override", "panel_low=27", "--override", "panel_high=27"]
    assert ask(*words, *change)[0] == 2
    code, requested = ask(*words, *change, "--why", "many cases")
    assert (code, len(requested["answer"]["members"])) == (0, 27)


def test_under_draw_the_panel_is_a_proposal(out: Path, ask: Any) -> None:
    """The national order demands a draw, so nothing may be filed or approved."""
    code, requested = ask("panel", "request", "C001", rows(out, "meetings")[0]["code"], "--seconds", "600")
    assert code in (0, 3, 4)
    assert requested["fileable"] is False
    assert ask("panel", "approve", requested["panel"])[1]["error"]["code"] == "panels.not_fileable"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["panel", "request", "C999", "M001-2026"], "panels.committee_unknown"),
        (["panel", "request", "C001", "M999"], "panels.meeting_unknown"),
        (["panel", "show", "P999"], "panels.panel_unknown"),
        (["expert", "show", "E999999"], "standing.expert_unknown"),
        (["standing", "E999999", "--committee", "C001"], "standing.expert_unknown"),
        (["standing", "E000001", "--committee", "C999"], "standing.committee_unknown"),
        (["conflicts", "why", "E000001", "nobody"], "relations.party_unknown"),
        (["standing", "E000001", "--committee", "C001", "--policy", "cn-nfsc"], "policy.unknown"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_is_not_there_is_named(words: list[str], code: str, lang: str, ask: Any) -> None:
    """Exit 2 with a sentence, not a code."""
    ended, refused = ask(*words, "--lang", lang)
    assert (ended, refused["error"]["code"]) == (2, code)
    assert code not in refused["error"]["message"]


def test_an_expert_is_shown_with_records_and_without_secrets(out: Path, ask: Any) -> None:
    """National ID and phone are said to be held, never told; nor is the pseudonym."""
    raw = rows(out, "experts")[9]
    code, shown = ask("expert", "show", raw["code"], "--on", DAY)
    assert (code, shown["name"], shown["national_id_held"]) == (0, raw["name"], True)
    text = json.dumps(shown)
    assert raw["national_id"] not in text
    assert raw["phone"] not in text
    assert "pseudonym" not in text
    _, listed = ask("expert", "record", raw["code"])
    recorded = [r for r in rows(out, "qualifications") if r["expert"] == raw["code"]]
    assert len([r for r in listed["records"] if r["table"] == "qualification"]) == len(recorded)


def test_standing_gives_every_reason(out: Path, ask: Any) -> None:
    """Each with its sentence, and the verdict follows from them."""
    for expert in ("E000001", "E000002", "E000003"):
        code, found = ask("standing", expert, "--on", DAY, "--committee", "C001", "--policy", POLICY)
        assert code == 0
        assert found["may_sit"] == (not any(reason["bars"] for reason in found["reasons"]))
        assert all(reason["message"] for reason in found["reasons"])


def test_standing_as_known_before_anything_was_recorded(ask: Any) -> None:
    """At that moment nobody was known to be in the pool."""
    code, found = ask("standing", "E000001", "--on", DAY, "--committee", "C001", "--known-at", "1990-01-01")
    assert (code, found["state"], found["may_sit"]) == (0, "outside", False)


def test_conflicts_name_the_relation(out: Path, ask: Any) -> None:
    """Two relatives of the import sheets."""
    tie = next(r for r in rows(out, "relations") if r["kind"] == "relative" and r["other_expert"])
    code, found = ask("conflicts", "why", tie["expert"], tie["other_expert"], "--on", DAY, "--policy", POLICY)
    assert (code, found["conflict"]) == (0, True)
    assert "relative" in [reason["kind"] for reason in found["reasons"] if reason["counts"]]


def test_people_see_sentences(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json no message id shows."""
    tie = next(r for r in rows(out, "relations") if r["kind"] == "relative" and r["other_expert"])
    commands = [
        ["expert", "show", "E000001"],
        ["expert", "record", "E000001"],
        ["standing", "E000001", "--on", DAY, "--committee", "C001"],
        ["conflicts", "why", tie["expert"], tie["other_expert"], "--on", DAY],
        ["panel", "show", f"{rows(out, 'meetings')[0]['code']}-P1", "--reasons"],
        ["policy", "list"],
        ["policy", "show", POLICY],
        ["ledger", "verify"],
    ]
    for words in commands:
        for lang in ("zh", "en"):
            capsys.readouterr()
            assert run([*words, "--lang", lang, "--database", f"sqlite:///{out / 'registry.db'}"]) == 0, words
            said = capsys.readouterr().out
            assert said.strip()
            for head in ("cli.", "standing.", "reason.", "rule.", "name.", "filing_gap."):
                assert f" {head}" not in f" {said}", (words, lang)


def test_importing_the_sheets_again_changes_nothing(out: Path, ask: Any) -> None:
    """Every row is already there."""
    code, done = ask("import", str(out / "import"))
    assert code == 0
    assert sum(s["new"] + s["corrected"] for s in done["sheets"].values()) == 0


def test_a_demo_replaces_an_earlier_one_and_keeps_what_others_put_there(out: Path) -> None:
    """Files of ours are replaced; a note of the user stays."""
    note = out / "note.txt"
    note.write_text("mine", encoding="utf-8")
    before = (out / "panel.json").read_bytes()
    (out / "panel.json").write_text("{}", encoding="utf-8")
    assert run(["demo", "--out", str(out), "--json"]) == 0
    assert note.read_text(encoding="utf-8") == "mine"
    assert (out / "panel.json").read_bytes() == before


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_demo_never_replaces_what_is_not_its_own(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with other things in it, or a file, is refused and left alone."""
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    else:
        out.write_text("years of work", encoding="utf-8")
    assert run(["demo", "--out", str(out), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"].startswith("cli.demo.")
    assert (out / "thesis.txt" if kind == "folder" else out).read_text(encoding="utf-8") == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_region_too_small_leaves_no_trace(tmp_path: Path) -> None:
    """Refused before anything stands in the folder."""
    assert run(["demo", "--out", str(tmp_path / "out"), "--experts", "10", "--json"]) == 2
    assert not list(tmp_path.iterdir())
