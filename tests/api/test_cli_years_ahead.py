"""simulate with years: told and drawn, opened panel by panel, compared, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli.main import run
from expert_pool.packaged import fixture

SMALL = fixture("problems", "small.json")
TEXT = """format: scenario/1
base: {problem: SMALL}
seed: 3
years:
  seasons: 2
  replications: 2
  retire: {leave: 0%}
  declines: {share: 0%}
  away: 0%
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("ahead")
    path, out = folder / "s.yaml", folder / "out"
    path.write_text(TEXT.replace("SMALL", str(SMALL)), encoding="utf-8")
    assert run(["simulate", str(path), "-o", str(out), "--lang", "en"]) == 0
    return path, out


def test_years_are_told_and_drawn(result: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    path, out = result
    for lang, words in (("en", "4 panels are settled: 2 years"), ("zh", "已结算 4 个评审组：2 年")):
        assert run(["simulate", str(path), "-o", str(out), "--lang", lang]) == 0
        said = capsys.readouterr().out
        assert words in said
        assert "{" not in said
    assert (out / "years-pool.svg").exists()
    assert (out / "years" / "panels.jsonl").exists()


def test_a_panel_opens_into_its_problem(
    result: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = result
    assert run(["simulate", str(path), "-o", str(out), "--point", "0"]) == 0
    problem, panel = out / "panel-0.json", out / "seated.json"
    assert run(["assemble", str(problem), "-o", str(panel), "--json"]) == 0
    assert run(["check", str(problem), str(panel)]) == 0
    line = json.loads((out / "simulation.json").read_text(encoding="utf-8"))["years"]["panels"][0]
    seated = json.loads(panel.read_text(encoding="utf-8"))["members"]
    named = {id_ for own in line["outcome"]["members"].values() for id_ in own}
    assert {one["expert"] for one in seated} == named
    capsys.readouterr()
    assert run(["simulate", str(path), "-o", str(out), "--point", "9", "--lang", "en"]) == 2
    assert run(["simulate", str(path), "--point", "0", "--lang", "en"]) == 2
    assert "-o" in capsys.readouterr().err


def test_two_futures_are_compared(result: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    path, out = result
    other = path.with_name("other.yaml")
    other.write_text(
        "extends: s.yaml\nchange:\n  - {rule: private_share, set: {least: 3/5}}\n", encoding="utf-8"
    )
    there = path.parent / "there"
    assert run(["simulate", str(other), "-o", str(there)]) in (0, 4)
    capsys.readouterr()
    assert run(["simulate", "--compare", str(out), str(there), "--lang", "en"]) == 0
    assert "2 replications paired one by one, with the same luck" in capsys.readouterr().out
    assert run(["simulate", str(other), "-o", str(out), "--point", "0", "--lang", "en"]) == 2
    assert "not of this scenario" in capsys.readouterr().err


def test_a_made_region_is_a_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "format: scenario/1\nbase: {region: {experts: 300, committees: 1, seed: 2}, policy: x}\nyears: {seasons: 1}\n",
        encoding="utf-8",
    )
    assert run(["simulate", str(path), "--lang", "en"]) == 2
    assert "s.yaml:2" in capsys.readouterr().err
