"""diagnose: a problem file in, reasons and remedies out, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.cli.main import run

SMALL = Path(__file__).parents[2] / "fixtures" / "problems" / "small.json"


@pytest.fixture
def tight(tmp_path: Path) -> Path:
    """The small example with a share that nobody can keep, and a ladder."""
    plain: dict[str, Any] = json.loads(SMALL.read_text(encoding="utf-8"))
    share = next(r for r in plain["rules"] if r["rule"] == "share")
    share["least"] = "1"
    share["relaxable"], share["cost"] = True, 3
    plain["ladder"] = [
        {"id": "other_pools", "recruits": True},
        {"id": "fewer", "changes": [{"rule": share["id"], "fields": {"least": "1/10"}}]},
        {"id": "delegation"},
    ]
    path = tmp_path / "tight.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_problem_with_a_panel_is_exit_0(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", str(SMALL), "--lang", lang]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_problem_without_one_is_told_in_words(
    lang: str, tight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3; no bare message id, no unknown."""
    assert run(["diagnose", str(tight), "--lang", lang, "--sets", "2"]) == 3
    said = capsys.readouterr().out
    for bare in ("need.", "diagnosis.", "recruit.", "ladder.", "concession.", "step.", "—", "{"):
        assert bare not in said.replace("3.", "").replace("2.", "")


def test_the_document_is_printed_and_written(
    tight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same in both places, by its own schema."""
    out = tmp_path / "diagnosis.json"
    assert run(["diagnose", str(tight), "-o", str(out), "--json", "--relaxations", "1"]) == 3
    printed, err = capsys.readouterr()
    document = json.loads(printed)
    assert document == json.loads(out.read_text(encoding="utf-8"))
    assert err == ""
    assert document["status"] == "infeasible"
    assert document["sets"][0]["minimal"]
    assert document["relaxations"][0]["proven"]
    assert [step["id"] for step in document["ladder"]] == ["other_pools", "fewer"]
    assert run(["schema", "diagnosis"]) == 0
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(document)


def test_nothing_relaxable_says_that_nothing_may_give_way(
    tight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(tight.read_text(encoding="utf-8"))
    for rule in plain["rules"]:
        rule["relaxable"] = False
    tight.write_text(json.dumps(plain), encoding="utf-8")
    assert run(["diagnose", str(tight), "--lang", "en"]) == 3
    assert "Nothing may give way" in capsys.readouterr().out


def test_a_limit_before_anything_is_known_is_exit_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", str(SMALL), "--seconds", "0.01", "--json"]) in (0, 4)
    document = json.loads(capsys.readouterr().out)
    assert document["status"] in ("feasible", "unknown")


def test_no_time_at_all_is_exit_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the machine: with no second left nothing is claimed."""
    import solver.diagnosis.diagnose as module

    real = module.diagnose
    monkeypatch.setattr(
        module, "diagnose", lambda problem, **words: real(problem, **{**words, "seconds": 0.0})
    )
    assert run(["diagnose", str(SMALL), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["status"] == "unknown"


@pytest.mark.parametrize(
    "words",
    [
        ["--sets", "0"],
        ["--relaxations", "-1"],
        ["--seconds", "0"],
        ["--seconds", "soon"],
        ["-o", "no/such/folder/d.json"],
    ],
)
def test_nonsense_is_refused_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["diagnose", str(SMALL), *words]) == 2
    printed, err = capsys.readouterr()
    assert printed == ""
    assert len(err.splitlines()) == 1


def test_a_ladder_that_makes_no_sense_is_named(tight: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = json.loads(tight.read_text(encoding="utf-8"))
    plain["ladder"][1]["changes"][0]["fields"] = {"least": "130%"}
    tight.write_text(json.dumps(plain), encoding="utf-8")
    assert run(["diagnose", str(tight), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "problem.ladder_fields"
