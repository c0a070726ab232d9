"""Years ahead of a registry's year."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from scenarios_stored import policy_text
from tiny_registry import Tiny

from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.reading import load
from expert_pool.simulation.running import simulate
from expert_pool.simulation.years.running import problem_behind, setting_of
from expert_pool.viewer import Viewer
from solver.check import judge


def test_a_year_of_the_registry_goes_on(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    path = tmp_path / "s.yaml"
    path.write_text(
        "format: scenario/1\nbase: {year: 2026, policy: policy.yaml}\nseconds: 600\n"
        "years: {seasons: 3, replications: 1, retire: {age: 70}}\n",
        encoding="utf-8",
    )
    read = load(path)
    laid = asked(read, problems_of(read, sqlite_tiny.store, system))
    part = simulate(laid).years
    assert part is not None
    assert part.complete
    assert part.panels[0].outcome.fate == "seated"
    setting = setting_of(read, laid.problems)
    for line in part.panels:
        problem = problem_behind(setting, part, line.number)
        panel = line.outcome.panel(problem)
        assert (panel is None) == (line.outcome.fate in ("dry", "open"))
        if panel is not None and line.outcome.fate == "seated":
            assert not [finding for finding in judge(panel)[1] if finding.hard]
