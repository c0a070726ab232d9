"""simulate: a scenario in, a folder of results out; resumed, opened, compared; exit codes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from patience import until
from pydantic import BaseModel

from api.cli.main import run
from expert_pool.documents.policy_brief import brief_of
from expert_pool.documents.simulation_charts import charts_of
from expert_pool.packaged import fixture
from expert_pool.simulation import bench, running
from expert_pool.simulation.bench import Bench
from expert_pool.simulation.results import Simulation

SHARES = fixture("scenarios", "shares.yaml")


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
        ([str(SHARES), "-o", "/proc/nothing"], 2),
    ],
)
def test_bad_arguments_are_refused_in_words(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", *arguments, "--lang", "zh"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_keeps_what_was_settled_and_the_next_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at its third point."""
    simulate, stored = running.simulate, bench.stored
    asked, done = [], []

    def simulated(*given: Any, cancelled: Any, **more: Any) -> Any:
        asked.append(cancelled)
        return simulate(*given, cancelled=cancelled, **more)

    def counted(*given: Any) -> Any:
        done.append(1)
        if len(done) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            until(asked[0])
        return stored(*given)

    monkeypatch.setattr(running, "simulate", simulated)
    monkeypatch.setattr(bench, "stored", counted)
    path = tmp_path / "s.yaml"
    values = ", ".join(str(n) for n in range(1, 41))
    path.write_text(
        "format: scenario/1\n"
        f"base: {{problem: {fixture('problems', 'small.json')}}}\n"
        "sweep:\n  axes:\n"
        f"    - {{parameter: goals.peer_match.weight, values: [{values}]}}\n",
        encoding="utf-8",
    )
    assert run(["simulate", str(path), "-o", str(tmp_path / "out"), "--lang", "en"]) == 130
    assert "again" in capsys.readouterr().out
    points = tmp_path / "out" / "points"
    kept = len(list(points.glob("*.json")))
    assert 2 <= kept < 40
    half = json.loads((tmp_path / "out" / "simulation.json").read_text(encoding="utf-8"))
    assert not half["complete"]
    assert len(half["points"]) == kept


@pytest.mark.parametrize(("name", "after"), [("robust", 1), ("fairness", 2), ("policies", 1)])
def test_ctrl_c_within_a_lens_keeps_what_there_is_and_says_so(
    name: str, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal comes when so many pieces are kept: a moment that the work reaches by itself. Pictures are left out."""
    kept: list[str] = []
    keep = Bench.keep

    def interrupted(bench: Bench, piece: str, part: BaseModel) -> None:
        keep(bench, piece, part)
        kept.append(piece)
        if len(kept) == after:
            os.kill(os.getpid(), signal.SIGINT)
            until(bench.cancelled)

    def unwritten(found: Simulation, folder: Path, lang: str = "en") -> list[Path]:
        charts_of(found, lang)
        for other in range(1, len(found.policies.policies) if found.policies else 0):
            assert found.policies is not None
            brief_of(found, found.policies, other, lang)
        return []

    monkeypatch.setattr("expert_pool.documents.simulation_charts.write_charts", unwritten)
    monkeypatch.setattr("expert_pool.documents.policy_brief.write_briefs", unwritten)
    path, out = str(fixture("scenarios", f"{name}.yaml")), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "keep", interrupted)
        assert run(["simulate", path, "-o", str(out), "--lang", "en"]) == 130
    said = capsys.readouterr().out
    assert "Stopped." in said
    assert "seats as they are" not in said
    half = json.loads((out / "simulation.json").read_text(encoding="utf-8"))
    assert half["stopped"]
    assert not half["complete"]
    assert run(["simulate", path, "-o", str(out)]) == 0
    assert run(["simulate", path, "-o", str(tmp_path / "whole")]) == 0
    ours, whole = (folder / "simulation.json" for folder in (out, tmp_path / "whole"))
    assert ours.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")


def test_results_of_different_kinds_are_compared_in_what_both_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("goals", "robust"):
        path = str(fixture("scenarios", f"{name}.yaml"))
        assert run(["simulate", path, "-o", str(tmp_path / name), "--lang", "en"]) == 0
    assert "Preference (years since last service)" in capsys.readouterr().out
    assert (
        run(["simulate", "--compare", str(tmp_path / "goals"), str(tmp_path / "robust"), "--lang", "en"]) == 0
    )
    said = capsys.readouterr().out
    assert "Only the first asks about goals against each other" in said
    assert "Only the second asks about absences" in said


def test_where_nobody_can_be_seated_there_is_nobody_to_compare() -> None:
    from types import SimpleNamespace

    from api.cli.commands.lens_text import _fair
    from expert_pool.simulation.lens_results import FairnessPart
    from expert_pool.words import say

    part = FairnessPart(
        smallest=5,
        groups=[],
        load=[],
        rules=[],
        optimum=[],
        near=[],
        near_within=None,
        draws=None,
        complete=True,
    )
    face: Any = SimpleNamespace(lang="en", say=lambda code, **params: say(code, "en", **params))
    assert _fair(face, part) == ["No meeting has a lawful panel: there is nobody seated to compare."]
    assert _fair(face, part.model_copy(update={"complete": False})) == []
