"""assemble, check and schema: files in, files out, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.cli.main import run

SMALL = Path(__file__).parents[2] / "fixtures" / "problems" / "small.json"


@pytest.fixture
def problem() -> dict[str, Any]:
    """The small example as plain data, to be spoiled."""
    plain: dict[str, Any] = json.loads(SMALL.read_text(encoding="utf-8"))
    return plain


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """Its panel."""
    path = tmp_path / "panel.json"
    assert run(["assemble", str(SMALL), "-o", str(path), "--json"]) == 0
    return path


def put(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_assemble_writes_panel_and_run_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The printed document is the written one, and stderr is silent with --json."""
    out, log = tmp_path / "panel.json", tmp_path / "run.json"
    assert run(["assemble", str(SMALL), "--output", str(out), "--run-log", str(log), "--json"]) == 0
    printed, err = capsys.readouterr()
    assert json.loads(printed) == json.loads(out.read_text(encoding="utf-8"))
    assert err == ""
    assert json.loads(log.read_text(encoding="utf-8"))["format"] == "panel-run/1"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_assemble_prints_for_people(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every member's pseudonym is there, and no bare message id."""
    assert run(["assemble", str(SMALL), "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert run(["assemble", str(SMALL), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert all(member["expert"] in said for member in answer["members"])
    assert "rule." not in said


def test_a_limit_on_workers_does_not_change_the_hash(panel: Path, tmp_path: Path) -> None:
    """Limits are no part of a problem, so the checker takes the panel as the file's own."""
    other = tmp_path / "other.json"
    assert run(["assemble", str(SMALL), "-o", str(other), "--workers", "2", "--seconds", "30", "--json"]) == 0
    hashes = {json.loads(p.read_text(encoding="utf-8"))["problem"]["sha256"] for p in (panel, other)}
    assert len(hashes) == 1


def test_an_impossible_panel_is_exit_3(
    problem: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what cannot hold together."""
    for group in problem["groups"]:
        group["low"] = group["high"] = len(problem["experts"]["id"])
    for rule in problem["rules"]:
        if rule["rule"] == "panel_size":
            rule["low"] = 1
            rule["high"] = 999
    bad = put(tmp_path / "bad.json", problem)
    out = tmp_path / "panel.json"
    assert run(["assemble", str(bad), "-o", str(out), "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "infeasible"
    assert answer["why_not"]
    assert out.exists()


def test_a_time_limit_is_exit_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too short to prove anything; the answer says so."""
    assert run(["assemble", str(SMALL), "--seconds", "0.01", "--json"]) in (0, 4)
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] in ("optimal", "feasible", "unknown")


def test_check_holds_on_our_own_panel(panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, nothing broken."""
    capsys.readouterr()
    assert run(["check", str(SMALL), str(panel), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True


def test_check_finds_a_removed_member(panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 5; each finding has its sentence."""
    document = json.loads(panel.read_text(encoding="utf-8"))
    del document["members"][0]
    put(panel, document)
    capsys.readouterr()
    assert run(["check", str(SMALL), str(panel), "--json", "--lang", "en"]) == 5
    found = json.loads(capsys.readouterr().out)
    assert found["holds"] is False
    assert all(f["message"] and not f["message"].startswith("rule.") for f in found["findings"])


def test_check_notices_a_panel_of_another_problem(panel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hash in the panel is not that of the file."""
    document = json.loads(panel.read_text(encoding="utf-8"))
    document["problem"]["sha256"] = "0" * 64
    put(panel, document)
    capsys.readouterr()
    assert run(["check", str(SMALL), str(panel), "--json"]) == 5
    assert json.loads(capsys.readouterr().out)["same_problem"] is False


def spoil_share(problem: dict[str, Any]) -> None:
    problem["rules"].append(
        {
            "rule": "share",
            "id": "odd",
            "where": [{"fact": "sector", "op": "eq", "value": "x"}],
            "least": "130%",
        }
    )


def spoil_rule(problem: dict[str, Any]) -> None:
    problem["rules"].append({"rule": "shares", "id": "odd"})


def spoil_index(problem: dict[str, Any]) -> None:
    problem["cases"]["specialty"][0] = 10_000


def spoil_twice(problem: dict[str, Any]) -> None:
    problem["experts"]["id"][1] = problem["experts"]["id"][0]


@pytest.mark.parametrize("spoil", [spoil_share, spoil_rule, spoil_index, spoil_twice])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_bad_problem_is_one_message(
    spoil: Any, lang: str, problem: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one line that names the place, no output file."""
    spoil(problem)
    bad = put(tmp_path / "bad.json", problem)
    out = tmp_path / "panel.json"
    assert run(["assemble", str(bad), "-o", str(out), "--lang", lang]) == 2
    printed, err = capsys.readouterr()
    assert printed == ""
    assert len(err.splitlines()) == 1
    assert "problem." not in err
    assert not out.exists()


def test_a_problem_cut_off_in_the_middle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Says that the file ends too early."""
    cut = tmp_path / "cut.json"
    cut.write_bytes(SMALL.read_bytes()[:2000])
    assert run(["assemble", str(cut), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "problem.cut_off"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["assemble", "missing.json"], "problem.unreadable"),
        (["assemble", str(SMALL), "-o", "no/such/folder/p.json"], "cli.no_folder"),
        (["assemble", str(SMALL), "-o", "."], "cli.unwritable"),
        (["check", str(SMALL), "missing.json"], "cli.unreadable"),
        (["check", str(SMALL), str(SMALL)], "panel.schema"),
    ],
)
def test_files_that_cannot_be_used(
    words: list[str], code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    """Found before any work is done."""
    monkeypatch.chdir(tmp_path)
    assert run([*words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


@pytest.mark.parametrize("name", ["panel-problem", "panel", "panel-run", "policy"])
def test_schemas_are_schemas(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the example and its panel keep to them."""
    assert run(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    if name == "panel-problem":
        Draft202012Validator(schema).validate(json.loads(SMALL.read_text(encoding="utf-8")))
    if name == "panel":
        assert run(["assemble", str(SMALL), "--json"]) == 0
        Draft202012Validator(schema).validate(json.loads(capsys.readouterr().out))


def test_ctrl_c_keeps_the_best_panel() -> None:
    """Exit 130 soon after SIGINT, and the answer on stdout says that it was stopped."""
    slow = (
        "import sys, time\n"
        "import solver.assemble as s\n"
        "real = s.assembled\n"
        "def slow(problem, *, report, cancelled):\n"
        "    print('ready', file=sys.stderr, flush=True)\n"
        "    while not cancelled(): time.sleep(0.02)\n"
        "    answer, run, outcome = real(problem)\n"
        "    stopped = answer.model_copy(update={'stopped_by': 'cancelled', 'status': 'feasible'})\n"
        "    return stopped, run, outcome\n"
        "s.assembled = slow\n"
        "from api.cli.main import main\n"
        f"sys.argv = ['expert-pool', 'assemble', {str(SMALL)!r}, '--json']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SMALL.parents[2],
    )
    assert process.stderr is not None
    assert process.stderr.readline().strip() == "ready"
    os.kill(process.pid, signal.SIGINT)
    printed, err = process.communicate()
    assert process.returncode == 130, err
    assert json.loads(printed)["stopped_by"] == "cancelled"
