"""A simulated history, checked panel by panel: by the product's checker, and against the plain facts of the town."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from dead_pool import DeadPool

from expert_pool.simulation.asking import Asked
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from expert_pool.simulation.years.outcome import key_of
from expert_pool.simulation.years.results import LinePart, YearsPart
from expert_pool.simulation.years.running import problem_behind, setting_of
from solver.assemble import assemble
from solver.check import judge
from solver.document import check_problem
from solver.facts import day
from solver.problem import Problem
from solver.progress import Progress

YEARS = """
seasons: 3
replications: 2
growth: 0.1
declines: {share: 5%, per_seat: 10%}
promotion: {share: 20%, after: 3}
recruits:
  - {count: 4, from: 2027, specialty: "0102"}
  - {count: 2, from: 2028, every: 2, facts: {sector: private}}
specialties:
  - {code: "0103", name: new, like: "0101", year: 2028, share: 25%, learned: 30%}
"""


@pytest.fixture(scope="module")
def history(
    laid_years: Callable[..., Asked], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Asked, Simulation]:
    laid = laid_years(YEARS)
    return laid, simulate(laid, tmp_path_factory.mktemp("history"))


def ahead(history: tuple[Asked, Simulation]) -> YearsPart:
    assert history[1].years is not None
    return history[1].years


def everybody(line: LinePart) -> list[str]:
    outcome = line.outcome
    return [id_ for own in (*outcome.members.values(), *outcome.alternates.values()) for id_ in own]


def members(line: LinePart) -> set[str]:
    return {id_ for own in line.outcome.members.values() for id_ in own}


def test_every_committee_of_every_season_is_settled(history: tuple[Asked, Simulation]) -> None:
    part = ahead(history)
    assert part.complete
    assert len(part.panels) == 3 * 4 * 2 == part.proven
    assert sum(line.outcome.fate == "seated" for line in part.panels) > 18


def test_the_checker_finds_no_fault_with_any_panel(history: tuple[Asked, Simulation]) -> None:
    part, setting = ahead(history), setting_of(history[0].scenario, history[0].problems)
    for line in part.panels:
        problem = problem_behind(setting, part, line.number)
        check_problem(problem)
        assert key_of(problem, setting.ground.templates[line.committee].frame) == line.key
        panel = line.outcome.panel(problem)
        if line.outcome.fate == "seated":
            assert panel is not None
            assert not [finding for finding in judge(panel)[1] if finding.hard]


def test_each_panel_is_the_one_that_the_product_assembles(history: tuple[Asked, Simulation]) -> None:
    part, setting = ahead(history), setting_of(history[0].scenario, history[0].problems)
    for line in part.panels[::7]:
        answer, _ = assemble(problem_behind(setting, part, line.number))
        assert answer.status == line.outcome.status
        assert [g.value for g in answer.goals] == [g.value for g in line.outcome.goals]
        assert sorted(m.expert for m in answer.members) == sorted(members(line))


def test_nobody_sits_twice_on_a_day(history: tuple[Asked, Simulation]) -> None:
    taken: dict[tuple[int, int], list[str]] = defaultdict(list)
    for line in ahead(history).panels:
        if line.committee in (1, 2):
            taken[line.replication, line.year] += everybody(line)
    assert taken
    assert all(max(Counter(people).values(), default=0) <= 1 for people in taken.values())


def test_nobody_sits_too_old_or_before_entering(
    history: tuple[Asked, Simulation], town: list[Problem]
) -> None:
    ages = dict(zip(town[0].experts, town[0].facts["age"].values.tolist(), strict=True))
    recruits = set()
    for line in ahead(history).panels:
        for id_ in everybody(line):
            if id_.startswith("+"):
                recruits.add(id_)
                assert int(id_[1:5]) <= line.year
            else:
                assert ages[id_] + line.year - 2026 < 66
    assert recruits


def test_rotation_reads_the_panels_seated_before(
    history: tuple[Asked, Simulation], town: list[Problem]
) -> None:
    last: dict[tuple[int, int], set[str]] = {}
    rows: dict[tuple[int, int], Counter[str]] = {}
    for line in ahead(history).panels:
        at = (line.replication, line.committee)
        sat = last.get(at) or {
            town[line.committee].experts[e] for e in town[line.committee].previous[0].members
        }
        own = members(line)
        before = rows.get(at) or Counter(dict.fromkeys(sat, 1))
        if own:
            assert 3 * len(own - sat) >= len(own)
            assert all(before[id_] <= 1 for id_ in everybody(line))
            last[at] = own
        rows[at] = Counter({id_: before[id_] + 1 for id_ in own})


def test_nobody_sits_beyond_a_term_that_is_not_renewed_or_without_training(
    laid_years: Callable[..., Asked], town: list[Problem]
) -> None:
    """Read from the records of the town alone, by day, whatever the problems of the seasons say."""
    years = "seasons: 2\nterms: {renewed: 0%}\ntraining: {renewed: 0%}\ndeclines: {share: 0%}\naway: 0%"
    found = simulate(laid_years(years, committees=3)).years
    assert found is not None
    seated = 0
    for line in found.panels:
        problem = town[line.committee]
        on = day(problem.on.replace(year=line.year))
        for id_ in everybody(line):
            at = problem.experts.index(id_)
            assert problem.facts["term_until"].values[at] >= on
            assert problem.facts["trained_until"].values[at] >= on
            seated += line.year > 2026
    assert seated


def test_who_left_never_comes_back(history: tuple[Asked, Simulation]) -> None:
    setting = setting_of(history[0].scenario, history[0].problems)
    names = setting.ground.names
    for replication in range(2):
        course = setting.replication(replication).course
        for line in ahead(history).panels:
            if line.replication == replication:
                gone = {names[n] for n in course.gone[line.year - 2026].nonzero()[0].tolist()}
                assert not gone & set(everybody(line))
        there = ~course.gone
        entered = setting.ground.enters
        assert all((there[k] <= (there[k - 1] | (entered == k))).all() for k in range(1, 3))


def test_two_workers_give_the_same_document_and_so_do_dead_ones(
    laid_years: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = laid_years("seasons: 2\nreplications: 1")
    alone = simulate(laid)
    assert simulate(laid, workers=2) == alone
    monkeypatch.setattr("expert_pool.simulation.years.crew.ProcessPoolExecutor", DeadPool)
    assert simulate(laid, workers=2) == alone


def test_a_stopped_run_goes_on_where_it_was(history: tuple[Asked, Simulation], tmp_path: Path) -> None:
    asked_, whole = history
    told: list[Progress] = []
    part = simulate(asked_, tmp_path, report=told.append, cancelled=lambda: len(told) > 8)
    assert part.years is not None
    assert not part.complete
    assert 0 < len(part.years.panels) < 24
    kept = tmp_path / "years" / "panels.jsonl"
    with kept.open("ab") as file:
        file.write(b'{"key": "half a li')
    seen = len(kept.read_bytes().splitlines())
    assert simulate(asked_, tmp_path) == whole
    assert len(kept.read_bytes().splitlines()) == seen + 24 - len(part.years.panels)


def test_a_finished_run_searches_for_nothing_again(
    laid_years: Callable[..., Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = laid_years("seasons: 2\nreplications: 1", committees=1)
    first = simulate(laid, tmp_path)
    monkeypatch.setattr("expert_pool.simulation.years.seating.search", None)
    assert simulate(laid, tmp_path) == first


def test_who_leaves_by_the_scenario_is_gone_in_every_season(laid_years: Callable[..., Asked]) -> None:
    """A scenario's leaving is for good; an exclusion from today's meeting is not."""
    plain = laid_years("seasons: 3\nreplications: 1\nretire: {leave: 0%}", committees=1)
    seated = simulate(plain).years
    assert seated is not None
    gone = sorted(members(seated.panels[0]))[:3]
    assert {who for line in seated.panels for who in everybody(line)} >= set(gone)
    left = laid_years(
        "seasons: 3\nreplications: 1\nretire: {leave: 0%}", f"seed: 5\nchange: [{{leave: {gone}}}]\n", 1
    )
    after = simulate(left).years
    assert after is not None
    assert not {who for line in after.panels for who in everybody(line)} & set(gone)
    census = [setting_of(one.scenario, one.problems).replication(0).course.census for one in (plain, left)]
    assert census[1][0].in_pool == census[0][0].in_pool - 3
    assert [line.outcome.fate for line in after.panels].count("seated") >= 1
