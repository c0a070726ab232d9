"""simulate: a scenario in, a folder of results out; resumed, opened, compared; exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.cli.main import run
from expert_pool.packaged import fixture

SHARES = fixture("scenarios", "shares.yaml")
ROOT = Path(__file__).parents[2]


def test_a_scenario_is_settled_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(["simulate", str(SHARES), "-o", str(out), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "15 of 15 points are settled" in said
    assert "it holds at 20% and no longer at 40%" in said
    assert "{" not in said
    assert sorted(p.name for p in out.iterdir()) == [
        "heat.csv",
        "heat.png",
        "heat.svg",
        "heat.vl.json",
        "points",
        "simulation.json",
    ]
    assert run(["simulate", "--compare", str(out), str(out / "simulation.json"), "--lang", "zh"]) == 0
    assert "0 个不同" in capsys.readouterr().out
    assert run(["simulate", str(SHARES), "-o", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "simulation.json").read_text(encoding="utf-8"))


def test_the_problem_behind_a_point_is_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, panel = tmp_path / "point.json", tmp_path / "panel.json"
    assert run(["simulate", str(SHARES), "--point", "4", "-o", str(problem)]) == 0
    assert run(["assemble", str(problem), "-o", str(panel), "--json"]) == 0
    assert run(["check", str(problem), str(panel)]) == 0
    capsys.readouterr()
    assert run(["simulate", str(SHARES), "--point", "99", "-o", str(problem), "--lang", "en"]) == 2
    assert "no point 99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        ([str(SHARES), "--compare", "a", "b"], 2),
        (["nowhere.yaml"], 2),
        (["--compare", "nowhere", "nowhere"], 2),
    ],
)
def test_bad_arguments_are_refused_in_words(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", *arguments, "--lang", "zh"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_keeps_what_was_settled_and_the_next_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    values = ", ".join(str(n) for n in range(1, 41))
    path.write_text(
        "format: scenario/1\n"
        f"base: {{problem: {fixture('problems', 'small.json')}}}\n"
        "sweep:\n  axes:\n"
        f"    - {{parameter: goals.peer_match.weight, values: [{values}]}}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "api.cli.main", "simulate", str(path), "-o", str(tmp_path / "out")]
    child = subprocess.Popen([*command, "--lang", "en"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    points = tmp_path / "out" / "points"
    ends = time.monotonic() + 60
    while time.monotonic() < ends and not (points.is_dir() and len(list(points.iterdir())) >= 2):
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "again" in said
    kept = len(list(points.glob("*.json")))
    assert 2 <= kept < 40
    half = json.loads((tmp_path / "out" / "simulation.json").read_text(encoding="utf-8"))
    assert not half["complete"]
    assert len(half["points"]) == kept
