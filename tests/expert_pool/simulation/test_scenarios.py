"""Scenario files: read strictly, every mistake named with file and line; settled, resumed, compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from expert_pool.documents.simulation_charts import charts_of, write_charts
from expert_pool.formats import schema_of
from expert_pool.packaged import fixture
from expert_pool.simulation.asking import Asked, affordable, asked, at_point
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.comparing import compare
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from expert_pool.words import say
from solver.document import check_problem
from solver.errors import Fault
from solver.search import search

SMALL = fixture("problems", "small.json")
SCENARIOS = sorted(fixture("scenarios").glob("*.yaml"))


def scenario(folder: Path, text: str, name: str = "s.yaml") -> Path:
    """A scenario over the small problem."""
    path = folder / name
    path.write_text(text.replace("SMALL", str(SMALL)), encoding="utf-8")
    return path


def laid(path: Path) -> Asked:
    read = load(path)
    return asked(read, problems_of(read))


GRID = """format: scenario/1
base: {problem: SMALL}
sweep:
  axes:
    - parameter: rules.private_share.least
      values: [0%, 20%, 40%]
    - parameter: rules.quorum.least
      values: [1/2, 2/3]
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Simulation]:
    folder = tmp_path_factory.mktemp("grid")
    path = scenario(folder, GRID)
    return path, simulate(laid(path), folder / "out")


def test_every_point_is_the_cold_optimum(grid: tuple[Path, Simulation]) -> None:
    path, found = grid
    over = laid(path)
    assert found.complete
    assert len(found.points) == found.asked == 6
    for point in found.points:
        problem = at_point(over, point.number)
        check_problem(problem)
        cold = search(problem, distinct=True)
        assert point.status == cold.status
        assert point.goals == list(cold.goals)
        assert (point.panel is None) == (cold.panel is None)
        if point.panel is not None and cold.unique:
            assert cold.panel is not None
            seated = {problem.experts[e] for e in cold.panel.members}
            assert {m.expert for m in found.panels[point.panel].members} == seated
    assert {p.how for p in found.points} == {"solved", "panel", "infeasible"}


def test_the_document_follows_its_schema(grid: tuple[Path, Simulation]) -> None:
    document = json.loads(grid[1].model_dump_json())
    Draft202012Validator(schema_of("simulation")).validate(document)
    Draft202012Validator.check_schema(schema_of("scenario"))


def test_a_second_run_reads_what_was_kept_and_says_the_same(
    grid: tuple[Path, Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, found = grid
    monkeypatch.setattr("solver.sweeping.settled.search", None)
    again = simulate(laid(path), path.parent / "out")
    assert again == found
    assert not compare(found, again).differing


def test_a_run_that_was_stopped_goes_on(grid: tuple[Path, Simulation], tmp_path: Path) -> None:
    path, whole = grid
    points = tmp_path / "out" / "points"
    half = simulate(
        laid(path),
        tmp_path / "out",
        cancelled=lambda: points.is_dir() and len(list(points.glob("*.json"))) >= 2,
    )
    assert not half.complete
    assert 2 <= len(half.points) < 6
    kept = sorted(points.iterdir())
    kept[0].write_text("{")  # half a file is settled anew
    again = simulate(laid(path), tmp_path / "out")
    assert [(p.status, p.goals, p.panel) for p in again.points] == [
        (p.status, p.goals, p.panel) for p in whole.points
    ]
    assert again.inputs_sha256 == whole.inputs_sha256


def test_two_results_are_compared_point_by_point(grid: tuple[Path, Simulation], tmp_path: Path) -> None:
    other = GRID + "change:\n  - {goal: peer_match, set: {weight: 2}}\n"
    second = simulate(laid(scenario(tmp_path, other)))
    found = compare(grid[1], second)
    assert not found.same_inputs
    assert found.points == 6
    assert found.differing
    assert all(one.differences[2] > 0 for one in found.differing if one.differences)


def test_marginal_prices_are_exact_quotients(tmp_path: Path) -> None:
    text = GRID.replace("[0%, 20%, 40%]", "[20%, 40%]").replace("[1/2, 2/3]", "[1/2]")
    text = text.replace(
        "base:",
        "change:\n  - {rule: private_share, set: {where: [{fact: sector, op: not_in, value: [x]}]}}\nbase:",
    )
    found = simulate(laid(scenario(tmp_path, text)))
    for step in found.marginal:
        assert step.axis == "rules.private_share.least"
        assert step.per_unit == str(step.difference * 5)


def test_a_latin_hypercube_meets_every_part_of_every_axis(tmp_path: Path) -> None:
    text = """format: scenario/1
base: {problem: SMALL}
seed: 4
sweep:
  by: latin
  draws: 4
  axes:
    - {parameter: rules.private_share.least, from: 0%, to: 30%, count: 4}
    - {parameter: rules.case_peers.weight, from: 1, to: 4, step: 1}
"""
    found = simulate(laid(scenario(tmp_path, text)))
    for axis, values in found.axes.items():
        assert sorted(point.values[axis] for point in found.points) == sorted(values)
    again = simulate(laid(scenario(tmp_path, text)))
    assert again == found


def test_tipping_points_are_exact_to_the_seat(tmp_path: Path) -> None:
    text = """format: scenario/1
base: {problem: SMALL}
tipping:
  - {parameter: rules.private_share.least, from: 0%, to: 100%}
  - {parameter: rules.private_share.least, from: 0%, to: 1%, step: 1/200}
  - {parameter: rules.panel_size.low, from: 5, to: 3}
  - {parameter: rules.private_share.least, from: 100%, to: 100%, step: 1/10}
"""
    exact, always, size, never = simulate(laid(scenario(tmp_path, text))).tipping
    assert (exact.status, exact.last, exact.first) == ("found", "1/5", "2/5")
    assert exact.exact
    assert exact.monotone
    assert always.status == "always"
    assert size.status == "always"
    assert not size.monotone
    assert never.status == "never"


def test_tipping_points_and_frontiers_are_kept_as_points_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle, gone on with, and read again without any search; a piece changed by hand is settled anew."""
    path = scenario(
        tmp_path,
        BASE + "tipping:\n  - {parameter: rules.private_share.least, from: 0%, to: 100%}\n"
        "pareto: {goals: [peer_match, least_served]}\n",
    )
    whole, points = simulate(laid(path)), tmp_path / "out" / "points"
    for most in (2, 5):
        half = simulate(
            laid(path),
            tmp_path / "out",
            cancelled=lambda most=most: points.is_dir() and len(list(points.iterdir())) >= most,
        )
        assert half.stopped
        assert len(list(points.iterdir())) == most
    assert simulate(laid(path), tmp_path / "out") == whole
    with monkeypatch.context() as patch:
        patch.setattr("solver.sweeping.settled.search", None)
        patch.setattr("solver.sweeping.frontier.settled", None)
        assert simulate(laid(path), tmp_path / "out") == whole
    for file in points.iterdir():
        piece = json.loads(file.read_text(encoding="utf-8"))
        if piece.get("panel"):
            piece["goals"][1]["value"] += 1
        elif piece.get("values"):
            piece["values"].pop()
        file.write_text(json.dumps(piece), encoding="utf-8")
    assert simulate(laid(path), tmp_path / "out") == whole


def test_a_child_stands_on_its_parent(tmp_path: Path) -> None:
    scenario(tmp_path, GRID, "parent.yaml")
    child = scenario(tmp_path, "format: scenario/1\nextends: parent.yaml\nseed: 9\n", "child.yaml")
    read = load(child)
    assert read.doc.seed == 9
    assert read.doc.sweep is not None
    assert read.at("sweep", "axes", 1).endswith("parent.yaml:7")
    assert problems_of(read)[0].seed == 9


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda p: p.stem)
def test_the_examples_run_and_draw(path: Path, tmp_path: Path) -> None:
    found = simulate(laid(path))
    assert found.complete
    for lang in ("zh", "en"):
        charts = charts_of(found, lang)
        assert charts
        for chart in charts:
            assert chart.rows
            assert chart.csv().startswith(b"\xef\xbb\xbf")
            assert "rules." not in chart.spec["title"]["text"]
    written = write_charts(found, tmp_path, "zh")
    assert {file.suffix for file in written} == {".json", ".svg", ".png", ".csv"}


BASE = "format: scenario/1\nbase: {problem: SMALL}\n"
AXIS = BASE + "sweep:\n  axes:\n    - "


@pytest.mark.parametrize(
    ("text", "code", "line", "params"),
    [
        (AXIS + "parameter: rules.privat_share.least\n      values: [0]\n", "scenario.parameter_unknown", 5,
         {"nearest": "rules.private_share.least"}),
        (AXIS + "parameter: rules.private_share.leest\n      values: [0]\n", "scenario.parameter_unknown", 5,
         {"nearest": "rules.private_share.least"}),
        (AXIS + "parameter: rules.zzz.least\n      values: [0]\n", "scenario.parameter_unknown", 5, {"nearest": None}),
        (AXIS + "{parameter: rules.private_share.least, values: []}\n", "scenario.axis_empty", 5, {}),
        (AXIS + "{parameter: rules.private_share.least, from: 0, to: 1, step: -1/10}\n", "scenario.axis_empty", 5, {}),
        (AXIS + "{parameter: rules.private_share.least, from: 0, to: 1}\n", "scenario.axis_range", 5, {}),
        (AXIS + "{parameter: rules.private_share.least}\n", "scenario.axis_values", 5, {}),
        (AXIS + "{parameter: rules.private_share.least, values: [10%, 10%]}\n", "scenario.twice", 5, {}),
        (AXIS + "{parameter: rules.private_share.least, values: [140%]}\n", "problem.ladder_fields", 3, {}),
        (AXIS + "{parameter: rules.private_share.least, from: a, to: 1, count: 3}\n", "scenario.number", 5, {}),
        (AXIS + "{parametr: rules.private_share.least}\n", "scenario.field_unknown", 5, {"nearest": "parameter"}),
        (AXIS + "{values: [1]}\n", "scenario.axis", 5, {}),
        (BASE, "scenario.asks_nothing", 0, {}),
        ("format: scenario/1\nbase: {}\npareto: {goals: [peer_match, least_served]}\n", "scenario.base", 2, {}),
        ("format: scenario/1\nbase: {committee: C}\npareto: {goals: [a, b]}\n", "scenario.meeting", 2, {}),
        ("format: scenario/1\nbase: {problem: SMALL, policy: x}\npareto: {goals: [a, b]}\n",
         "scenario.of_registry", 2, {}),
        ("format: scenario/1\nbase: {year: 2026}\npareto: {goals: [a, b]}\n", "scenario.one_panel", 3, {}),
        ("format: scenario/1\nbase: {committee: C, meeting: M}\npareto: {goals: [a, b]}\n",
         "scenario.no_registry", 2, {}),
        (BASE + "pareto: {goals: [peer_match, least_servd]}\n", "sweep.unknown", 3, {"nearest": "least_served"}),
        (BASE + "change:\n  - {rule: aparts, set: {}}\ntipping: []\npareto: {goals: [a, b]}\n", "sweep.unknown", 3,
         {"nearest": "apart"}),
        (BASE + "change:\n  - {rule: apart, drop: true, set: {id: x}}\npareto: {goals: [a, b]}\n",
         "scenario.set_and_drop", 4, {}),
        (BASE + "change:\n  - {rule: quorum, set: {least: 1/2}}\n  - {rule: quorum, set: {least: 2/3}}\n"
         "pareto: {goals: [a, b]}\n", "scenario.twice", 5, {}),
        (BASE + "change:\n  - {rool: quorum}\npareto: {goals: [a, b]}\n", "scenario.field_unknown", 4, {"nearest": "rule"}),
        (BASE + "change:\n  - {rule: quorum, sett: {}}\npareto: {goals: [a, b]}\n", "scenario.field_unknown", 4,
         {"nearest": "set"}),
        (BASE + "tipping:\n  - {parameter: goals.peer_match.weight, from: 1, to: 2}\n", "scenario.tipping_rule", 4, {}),
        (BASE + "tipping:\n  - {parameter: rules.alternates.form, from: 0.5, to: 2}\n", "scenario.step_missing", 4, {}),
        (BASE + "sweep: {by: latin, axes: [{parameter: rules.quorum.least, values: [1/2]}]}\n", "scenario.draws", 3, {}),
        (BASE + "sweep:\n  by: list\n  axes:\n    - {parameter: rules.quorum.least, values: [1/2]}\n"
         "    - {parameter: rules.private_share.least, values: [0, 1/5]}\n", "scenario.list_uneven", 5, {}),
        (AXIS + "{parameter: rules.quorum.least, values: [1/2, 0.5, 50%]}\n", "scenario.twice", 5, {}),
        (BASE + "sweep:\n  by: list\n  axes:\n    - {parameter: rules.quorum.least, values: [1/2, 2/3, 1/2]}\n"
         "    - {parameter: rules.private_share.least, values: [0, 1/5, 0%]}\n", "scenario.twice", 5,
         {"name": "rules.quorum.least=1/2, rules.private_share.least=0"}),
        (BASE + "change: [{rule: quorum, drop: true}]\nsweep:\n  axes:\n"
         "    - {parameter: rules.quorum.least, values: [1/2]}\n", "scenario.dropped", 6, {}),
        (BASE + "seed: -1\npareto: {goals: [a, b]}\n", "scenario.field_wrong", 3,
         {"why": {"code": "invalid.greater_than_equal", "ge": 0}}),
        ("- 1\n", "scenario.none", 0, {}),
        ("format: scenario/1\nextends: nowhere.yaml\n", "scenario.unreadable", 0, {}),
        ("format: scenario/1\nextends: s.yaml\n", "scenario.circle", 0, {}),
        ("format: scenario/1\nbase: {problem: SMALL}\nbase: {year: 2020}\n", "policy.key_twice", 3, {}),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, text: str, code: str, line: int, params: dict[str, Any]
) -> None:
    path = scenario(tmp_path, text)
    with pytest.raises(Fault) as raised:
        simulate(laid(path))
    fault = raised.value
    assert fault.code == code
    assert fault.where.startswith(str(path))
    if line:
        assert fault.where.removeprefix(str(path)).split(": ")[0] == f":{line}"
    assert params.items() <= fault.params.items()
    for lang in ("zh", "en"):
        assert "{" not in say(fault.code, lang, **fault.params)


def test_a_list_may_come_back_to_a_value(tmp_path: Path) -> None:
    text = "sweep:\n  by: list\n  axes:\n    - {parameter: rules.quorum.least, values: [1/2, 1/2, 2/3]}\n"
    path = scenario(
        tmp_path, BASE + text + "    - {parameter: rules.private_share.least, values: [0, 1/5, 0]}\n"
    )
    found = simulate(laid(path))
    assert [tuple(point.values.values()) for point in found.points] == [
        ("1/2", "0"),
        ("1/2", "1/5"),
        ("2/3", "0"),
    ]
    assert found.axes == {"rules.quorum.least": ["1/2", "2/3"], "rules.private_share.least": ["0", "1/5"]}


def test_ten_million_points_are_refused_with_their_cost(tmp_path: Path) -> None:
    axes = "".join(
        f"    - {{parameter: {name}, from: 1, to: {count}, step: 1}}\n"
        for name, count in (
            ("rules.case_peers.weight", 1000),
            ("goals.peer_match.weight", 100),
            ("goals.least_served.weight", 100),
        )
    )
    path = scenario(tmp_path, BASE + "sweep:\n  axes:\n" + axes)
    with pytest.raises(Fault) as raised:
        laid(path)
    assert raised.value.code == "scenario.too_many"
    assert raised.value.params["count"] == 10_000_000
    assert raised.value.params["hours"] == 2778
    assert "10,000,000" in say(raised.value.code, "en", **raised.value.params)


def test_a_costly_sweep_asks_first(tmp_path: Path) -> None:
    path = scenario(
        tmp_path,
        BASE + "sweep:\n  axes:\n    - {parameter: goals.peer_match.weight, from: 1, to: 3000, step: 1}\n",
    )
    with pytest.raises(Fault) as raised:
        affordable(laid(path), yes=False)
    assert raised.value.code == "scenario.costly"
    affordable(laid(path), yes=True)
