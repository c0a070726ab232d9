"""Robustness, fairness and policies of a scenario: against enumeration, by hand, stopped and gone on with."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from expert_pool.documents.lens_naming import share
from expert_pool.documents.simulation_charts import charts_of
from expert_pool.formats import schema_of
from expert_pool.packaged import fixture
from expert_pool.simulation.asking import Asked, asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.dividing import division, divisions
from expert_pool.simulation.histories import recalled
from expert_pool.simulation.lenses import NoticeDoc, OddsDoc
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation, panel_from
from expert_pool.simulation.robustness import odds_of, sharpened
from expert_pool.simulation.running import simulate
from expert_pool.words import say
from solver.check import judge
from solver.errors import Fault
from solver.facts import Column
from solver.panel import Panel
from solver.problem import Problem, RuleChange
from solver.search import search
from solver.sweeping.changes import applied

SMALL = fixture("problems", "small.json")
SCENARIOS = fixture("scenarios")
BASE = "format: scenario/1\nbase: {problem: SMALL}\n"


def laid(path: Path) -> Asked:
    read = load(path)
    return asked(read, problems_of(read))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Asked, Simulation, Path]]:
    """The three examples, settled."""
    found = {}
    for name in ("robust", "fairness", "policies"):
        over, folder = laid(SCENARIOS / f"{name}.yaml"), tmp_path_factory.mktemp(name)
        found[name] = over, simulate(over, folder), folder
    return found


def behind(found: Simulation, key: str | None, problem: Problem) -> Panel:
    """The panel that a figure names."""
    assert key is not None
    return panel_from(found.panels[key], problem)


def test_chances_of_the_best_panel_are_those_of_every_absence(
    done: dict[str, tuple[Asked, Simulation, Path]],
) -> None:
    over, found, _ = done["robust"]
    assert found.robustness is not None
    one, problem = found.robustness.panels[0], over.problems[0]
    panel = behind(found, one.panel, problem)
    rate = 1.5 * 0.1 / (0.9 + 0.15)
    lawful = quorum = 0.0
    worth = dict.fromkeys((a.expert for a in one.alternates), 0.0)
    people = panel.everybody
    smallest = len(people)
    for size in range(len(people) + 1):
        for absent in combinations(people, size):
            meeting = panel.after(absent)
            weight = rate**size * (1 - rate) ** (len(people) - size)
            quorum += weight * _attended(panel, meeting)
            if _lawful(meeting):
                lawful += weight
                for expert in worth:
                    if problem.experts.index(expert) in absent:
                        worth[expert] += weight / rate
            else:
                smallest = min(smallest, size)
    assert one.lawful is not None
    assert one.quorum is not None
    assert one.lawful.chance == pytest.approx(lawful, abs=1e-8)
    assert one.lawful.exact
    assert one.quorum.chance == pytest.approx(quorum, abs=1e-8)
    assert one.fewest == smallest
    for alternate in one.alternates:
        assert alternate.lawful == pytest.approx(lawful - worth[alternate.expert], abs=1e-8)
    for part in one.breaks:
        if part.meeting is not None and part.id not in ("attended", "presides"):
            broken = {
                finding.rule for finding in judge(behind(found, part.meeting, problem))[1] if finding.hard
            }
            assert part.id in broken
    assert one.rounds == 2
    assert one.invited is not None
    assert one.seated == one.invited.within[1]
    assert one.unreplaced_lawful is not None
    assert one.unreplaced_lawful.chance < one.lawful.chance


def _lawful(meeting: Panel) -> bool:
    kinds = {rule.id: rule.rule for rule in meeting.problem.rules}
    findings = [
        f for f in judge(meeting)[1] if f.hard and kinds[f.rule] not in ("alternates", "locks", "roles")
    ]
    return not findings and meeting.chair is not None


def _attended(panel: Panel, meeting: Panel) -> bool:
    needed = -(-2 * len(panel.members) // 3)
    there = set(meeting.members)
    return all(len(there - recused) >= needed for recused in [frozenset[int](), *panel.problem.recused])


def test_short_notice_multiplies_the_odds() -> None:
    notice = NoticeDoc(days=5, odds=(OddsDoc(within=14, times=2), OddsDoc(within=3, times=4)))
    assert odds_of(notice) == 2
    assert odds_of(notice.model_copy(update={"days": 3})) == 4
    assert odds_of(notice.model_copy(update={"days": 15})) == odds_of(None) == 1
    assert sharpened(np.array([0.0, 0.2, 1.0]), 2.0).tolist() == pytest.approx([0.0, 1 / 3, 1.0])


def test_shares_of_groups_are_counted_by_hand(done: dict[str, tuple[Asked, Simulation, Path]]) -> None:
    over, found, _ = done["fairness"]
    assert found.fairness is not None
    problem = over.problems[0]
    sector = problem.facts["sector"]
    best = behind(found, found.fairness.optimum[0], problem)
    drawn = (
        [behind(found, key, problem) for key in found.fairness.draws.panels[0]]
        if found.fairness.draws
        else []
    )
    near = [behind(found, key, problem) for key in found.fairness.near[0]]
    assert len(drawn) == 60
    assert all(not any(f.hard and f.rule != "alternates" for f in judge(panel)[1]) for panel in drawn)
    assert all(not any(f.hard for f in judge(panel)[1]) for panel in near)
    for part in (part for part in found.fairness.groups if part.by == "sector"):

        def held(panel: Panel, of: str | None = part.of) -> float:
            return sum(sector.show(e) == of for e in panel.members) / len(panel.members)

        shares = np.array([held(panel) for panel in drawn])
        half = 1.96 * shares.std(ddof=1) / np.sqrt(len(shares))
        assert part.optimum == pytest.approx(held(best))
        assert part.near is not None
        assert (part.near.low, part.near.high) == (min(map(held, near)), max(map(held, near)))
        assert part.drawn is not None
        assert part.drawn.share == pytest.approx(shares.mean(), abs=1e-6)
        assert (part.drawn.low, part.drawn.high) == pytest.approx(
            (shares.mean() - half, shares.mean() + half), abs=1e-6
        )
    for by in ("sector", "age", "specialty"):
        own = [part for part in found.fairness.groups if part.by == by]
        assert sum(part.optimum for part in own) == pytest.approx(1)
        assert sum(part.pool for part in own) == len(problem.experts)


def test_a_rule_left_out_is_solved_anew(done: dict[str, tuple[Asked, Simulation, Path]]) -> None:
    over, found, _ = done["fairness"]
    assert found.fairness is not None
    problem = over.problems[0]
    before = Counter(problem.facts["sector"].show(e) for e in _best(problem).members)
    for part in found.fairness.rules:
        after = Counter(
            problem.facts["sector"].show(e)
            for e in _best(applied(problem, [RuleChange(part.rule, None)])).members
        )
        effects = {e.of: e.seats for e in part.effects if e.by == "sector"}
        assert {of: after[of] - before[of] for of in before} == {of: effects.get(str(of), 0) for of in before}
    barred = next(part for part in found.fairness.rules if part.rule == "in_pool")
    assert [(e.of, e.eligible) for e in barred.effects if e.by == "sector" and e.eligible] == [("private", 1)]


def _best(problem: Problem) -> Panel:
    panel = search(problem).panel
    assert panel is not None
    return panel


def test_small_groups_are_shown_together_only() -> None:
    problem = load_small()
    sizes = ["a"] * 4 + ["b"] * 3 + ["c", "c"]
    problem = replace(problem, facts={**problem.facts, "kind": Column.categories(sizes)})
    cells = division([problem], "kind", None, 3).cells
    assert [(cell.name, cell.values, cell.people) for cell in cells] == [("a", 1, 4), (None, 2, 5)]
    assert [cell.name for cell in division([problem], "kind", None, 1).cells] == ["a", "b", "c"]
    assert [(cell.name, cell.people) for cell in division([problem], "kind", None, 9).cells] == [(None, 9)]
    bands = division([problem], "age", (50,), 1)
    assert [(cell.name, cell.people) for cell in bands.cells] == [("<50", 3), ("≥50", 5), ("?", 1)]
    with pytest.raises(Fault) as raised:
        divisions([problem], ["sectr"], {}, 2)
    assert raised.value.params["nearest"] == "sector"


def load_small() -> Problem:
    from solver.document import read_problem

    return read_problem(SMALL)


def test_each_panel_of_the_history_is_judged_as_by_hand(
    done: dict[str, tuple[Asked, Simulation, Path]],
) -> None:
    over, found, _ = done["policies"]
    assert found.policies is not None
    problem = over.problems[0]
    assert len(found.policies.panels) == 40
    least = (Fraction(1, 5), Fraction(3, 5), Fraction(2, 5))
    seen = set()
    for one in found.policies.panels:
        panel = behind(found, one.panel, problem)
        private = sum(problem.facts["sector"].show(e) == "private" for e in panel.members)
        for verdict, wanted in zip(one.verdicts, least, strict=True):
            assert verdict.lawful == (private >= wanted * len(panel.members))
            assert {part.rule for part in verdict.broken} == (set() if verdict.lawful else {"private_share"})
            seen.add((verdict.policy, verdict.lawful))
    assert seen == {(0, True), (1, True), (1, False), (2, True), (2, False)}


def test_what_a_policy_costs_is_the_difference_of_two_optima(
    done: dict[str, tuple[Asked, Simulation, Path]],
) -> None:
    over, found, _ = done["policies"]
    assert found.policies is not None
    stricter = applied(
        over.problems[0],
        [RuleChange("private_share", {"least": "60%"}), RuleChange("alternates", {"no_shows": False})],
    )
    first, other = search(over.problems[0]), search(stricter)
    ours, theirs = ({goal.level: goal.value for goal in outcome.goals} for outcome in (first, other))
    told = {cost.level: (cost.first, cost.other) for cost in found.policies.costs if cost.policy == 1}
    assert told == {level: (ours[level], theirs[level]) for level in (1, 2, 3)}
    assert [part.status for part in found.policies.assembled] == ["optimal", "optimal", "infeasible"]
    assert found.policies.assembled[2].why_not[0].code == "why_not.together"
    (lost,) = found.policies.lost[1]
    assert lost.seated < found.policies.peers <= lost.seated_first
    seats = {part.of: (part.first, part.seats) for part in found.policies.groups if part.policy == 1}
    assert seats == {"provincial": (3, 2), "private": (2, 3)}
    fields = [(d.rule, d.field, d.first, d.other) for d in found.policies.policies[1].differences]
    assert fields == [("private_share", "least", "1/5", "3/5"), ("alternates", "no_shows", "True", "False")]


@pytest.mark.parametrize("name", ["robust", "fairness", "policies"])
def test_the_same_inputs_give_the_same_document(
    done: dict[str, tuple[Asked, Simulation, Path]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept is read, nothing is searched or drawn again; every panel that a figure names is there."""
    over, found, folder = done[name]
    Draft202012Validator(schema_of("simulation")).validate(json.loads(found.model_dump_json()))
    assert found.complete
    monkeypatch.setattr("solver.sweeping.settled.search", None)
    monkeypatch.setattr("solver.screened_draw.ScreenedDraw.draw", None)
    monkeypatch.setattr("expert_pool.simulation.seatings.several", None)
    monkeypatch.setattr("solver.turnout.Turnout.kept", None)
    assert simulate(over, folder) == found
    named = set(_keys(found.model_dump(mode="json")[name if name != "robust" else "robustness"]))
    assert named <= set(found.panels)
    assert named


def _keys(part: Any) -> list[str]:
    """Everything that looks like the key of a panel, wherever it stands."""
    if isinstance(part, dict):
        return [key for value in part.values() for key in _keys(value)]
    if isinstance(part, list):
        return [key for value in part for key in _keys(value)]
    return (
        [part] if isinstance(part, str) and len(part) == 16 and set(part) <= set("0123456789abcdef") else []
    )


def test_a_run_that_was_stopped_goes_on_to_the_same_end(
    done: dict[str, tuple[Asked, Simulation, Path]], tmp_path: Path
) -> None:
    over, found, _ = done["fairness"]
    stopped = simulate(
        over,
        tmp_path,
        cancelled=lambda: (tmp_path / "points").is_dir() and len(list((tmp_path / "points").iterdir())) > 2,
    )
    assert not stopped.complete
    assert simulate(over, tmp_path) == found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_row_of_a_chart_leads_to_its_panels(
    done: dict[str, tuple[Asked, Simulation, Path]], lang: str
) -> None:
    for _, found, _ in done.values():
        for chart in charts_of(found, lang):
            assert chart.rows
            if chart.name != "load":
                assert any(_keys(str(value).split()) for row in chart.rows for value in row.values()), (
                    chart.name
                )


def test_chances_that_are_nearly_sure_do_not_look_sure() -> None:
    assert [share(v) for v in (0.0, 1.0, 0.5, 0.99999, 0.00001)] == [
        "0.0%",
        "100.0%",
        "50.0%",
        ">99.9%",
        "<0.1%",
    ]


@pytest.mark.parametrize(
    ("text", "code", "line", "params"),
    [
        ("robustness: {no_show: {}}\n", "scenario.field_unknown", 3, {"nearest": "no_shows"}),
        ("robustness: {no_shows: {fact: age, default: 200}}\n", "scenario.field_wrong", 3, {}),
        ("robustness: {no_shows: {fact: sector, default: 5}}\n", "problem.fact_not_integer", 3, {}),
        ("fairness: {by: [sectr]}\n", "sweep.unknown", 3, {"nearest": "sector"}),
        ("fairness: {rules: [private_shar]}\n", "sweep.unknown", 3, {"nearest": "private_share"}),
        ("fairness: {near: {panels: 1}}\n", "scenario.field_wrong", 3, {}),
        ("policies: {compare: [{name: {zh: a, en: a}}]}\n", "scenario.field_wrong", 3, {}),
        ("policies:\n  compare:\n    - {name: {zh: a, en: a}}\n    - name: {zh: b, en: b}\n"
         "      change: [{rule: quorums, set: {}}]\n", "sweep.unknown", 6, {"nearest": "quorum"}),
        ("policies:\n  compare:\n    - {name: {zh: a, en: a}}\n    - {name: {zh: b, en: b}, policy: cn-nsfc}\n",
         "policies.no_registry", 6, {}),
        ("policies:\n  history: {panels: past}\n  compare:\n    - {name: {zh: a, en: a}}\n"
         "    - {name: {zh: b, en: b}}\n", "policies.no_registry", 4, {}),
    ],
)  # fmt: skip
def test_a_mistake_in_a_lens_is_named_with_file_and_line(
    tmp_path: Path, text: str, code: str, line: int, params: dict[str, Any]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text((BASE + text).replace("SMALL", str(SMALL)), encoding="utf-8")
    with pytest.raises(Fault) as raised:
        run(path)
    fault = raised.value
    assert fault.code == code
    assert fault.where.removeprefix(str(path)).split(": ")[0] == f":{line}"
    assert params.items() <= fault.params.items()
    for lang in ("zh", "en"):
        assert say(fault.code, lang, **fault.params) != fault.code


def run(path: Path) -> Simulation:
    read = load(path)
    return simulate(asked(read, problems_of(read), recalled(read)))
