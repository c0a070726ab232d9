"""Robustness, fairness and policies of two results side by side: by hand, from the panels behind the figures."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev

import pytest

from expert_pool.packaged import fixture
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.comparing import compare, read_simulation
from expert_pool.simulation.histories import recalled
from expert_pool.simulation.lens_differences import Gap
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate
from solver.document import read_problem
from solver.errors import Fault

SMALL = fixture("problems", "small.json")
HEAD = f"format: scenario/1\nbase: {{problem: {SMALL}}}\n"
STRICTER = "change: [{rule: private_share, set: {least: 60%}}, {rule: alternates, set: {no_shows: false}}]\n"
ROBUST = "robustness: {no_shows: {fact: no_show_rate, default: RATE}}\n"
FAIR = "fairness: {by: [sector], smallest: 2, near: null, rules: [], draw: {panels: 12}}\n"
POLICIES = """policies:
  compare:
    - name: {zh: 现行, en: today}
    - name: {zh: 加严, en: stricter}
      change: [{rule: private_share, set: {least: LEAST}}]
  history: {panels: drawn, count: 12}
  smallest: 2
"""


def run(folder: Path, text: str) -> Simulation:
    path = folder / "s.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    read = load(path)
    return simulate(asked(read, problems_of(read), recalled(read)))


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Simulation, Simulation]:
    folder = tmp_path_factory.mktemp("fair")
    return run(folder, FAIR), run(folder, FAIR + STRICTER)


def test_chances_differ_exactly_where_both_are_exact(tmp_path: Path) -> None:
    first, second = (run(tmp_path, ROBUST.replace("RATE", rate)) for rate in ("5", "15"))
    found = compare(first, second).robustness
    assert found is not None
    assert (found.meetings, found.same_panels) == (1, 1)
    by_what = {one.what: one.gap for one in found.differences}
    (ours,), (theirs,) = (one.robustness.panels for one in (first, second) if one.robustness)
    assert ours.lawful is not None
    assert theirs.lawful is not None
    gap = by_what["lawful"]
    assert gap.how == "exact"
    assert gap.sure
    assert gap.difference == pytest.approx(theirs.lawful.chance - ours.lawful.chance)
    assert found.failing_second - found.failing_first == pytest.approx(-gap.difference)
    assert not found.fewest


def test_drawn_shares_are_paired_draw_by_draw(fair: tuple[Simulation, Simulation]) -> None:
    found = compare(*fair).fairness
    assert found is not None
    assert found.same_luck
    assert found.draws == 12
    sector = read_problem(SMALL).facts["sector"]
    experts = read_problem(SMALL).experts

    def private(one: Simulation) -> list[float]:
        assert one.fairness is not None
        assert one.fairness.draws is not None
        return [
            fmean(sector.show(experts.index(m.expert)) == "private" for m in one.panels[key].members)
            for key in one.fairness.draws.panels[0]
        ]

    gaps = [b - a for a, b in zip(private(fair[0]), private(fair[1]), strict=True)]
    gap = next(one.gap for one in found.differences if (one.of, one.what) == ("private", "drawn"))
    half = 2.2009851600 * stdev(gaps) / 12**0.5  # Student's t, 11 degrees of freedom, 0.975
    assert gap.how == "paired"
    assert gap.difference == pytest.approx(fmean(gaps), abs=1e-6)
    assert (gap.low, gap.high) == pytest.approx((fmean(gaps) - half, fmean(gaps) + half), abs=1e-5)
    best = next(one.gap for one in found.differences if (one.of, one.what) == ("private", "optimum"))
    assert (best.how, best.difference) == ("exact", pytest.approx(0.2))


def test_figures_of_two_draws_that_cannot_be_paired_are_told_apart(
    fair: tuple[Simulation, Simulation],
) -> None:
    first, second = fair
    assert first.fairness is not None
    groups = [part.model_copy(update={"draws": []}) for part in first.fairness.groups]
    older = first.model_copy(update={"fairness": first.fairness.model_copy(update={"groups": groups})})
    found = compare(older, second).fairness
    assert found is not None
    gap = next(one.gap for one in found.differences if (one.of, one.what) == ("private", "drawn"))
    ours, theirs = (
        next(part.drawn for part in one.fairness.groups if part.of == "private")
        for one in fair
        if one.fairness
    )
    assert ours is not None
    assert theirs is not None
    assert gap.how == "apart"
    assert (gap.low, gap.high) == pytest.approx((theirs.low - ours.high, theirs.high - ours.low))


def test_the_same_panels_under_two_policies_are_counted_one_by_one(tmp_path: Path) -> None:
    first, second = (run(tmp_path, POLICIES.replace("LEAST", least)) for least in ("40%", "60%"))
    found = compare(first, second).policies
    assert found is not None
    today, stricter = found.policies
    assert (today.paired, today.turned_unlawful, today.turned_lawful, today.rules) == (12, 0, 0, [])
    assert first.policies is not None
    assert second.policies is not None
    flips = sum(
        a.verdicts[1].lawful and not b.verdicts[1].lawful
        for a, b in zip(first.policies.panels, second.policies.panels, strict=True)
    )
    assert flips
    assert (stricter.turned_unlawful, stricter.turned_lawful) == (flips, 0)
    assert isinstance(stricter.unlawful, Gap)
    assert stricter.unlawful.difference == pytest.approx(flips / 12)
    assert stricter.unlawful.low is not None
    assert stricter.unlawful.high is not None
    assert stricter.unlawful.low <= flips / 12 <= stricter.unlawful.high
    assert [(rule.name, rule.second - rule.first) for rule in stricter.rules] == [("private_share", flips)]
    other = second.model_copy(
        update={
            "policies": second.policies.model_copy(
                update={
                    "policies": [
                        policy.model_copy(update={"name": {"zh": "别的", "en": "another"}} if at else {})
                        for at, policy in enumerate(second.policies.policies)
                    ]
                }
            )
        }
    )
    renamed = compare(first, other).policies
    assert renamed is not None
    assert renamed.only_first == [{"zh": "加严", "en": "stricter"}]
    assert renamed.only_second == [{"zh": "别的", "en": "another"}]


def test_what_only_one_of_two_asks_is_said(fair: tuple[Simulation, Simulation], tmp_path: Path) -> None:
    other = run(tmp_path, ROBUST.replace("RATE", "5"))
    found = compare(fair[0], other)
    assert (found.asked_first, found.asked_second) == (["fairness"], ["robustness"])
    assert found.fairness is None
    assert found.robustness is None


def test_a_result_that_names_a_panel_it_does_not_have_is_no_result(
    fair: tuple[Simulation, Simulation], tmp_path: Path
) -> None:
    edited = fair[0].model_copy(update={"panels": {}})
    (tmp_path / "simulation.json").write_text(edited.model_dump_json(), encoding="utf-8")
    with pytest.raises(Fault) as raised:
        read_simulation(tmp_path)
    assert raised.value.code == "scenario.result_torn"
