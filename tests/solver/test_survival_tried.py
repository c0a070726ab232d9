"""The checker's proof of survival: every absence tried, those that a rule cannot tell apart once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_absences import SCENARIOS, absences
from tiny_problems import every_panel, problems, rule

import solver.no_shows
from solver.no_shows import asked, broken_after
from solver.problem import Problem

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
RULES = (
    rule("share", id="private", where=[PRIVATE], least="1/3"),
    rule("share", id="not_all_private", where=[PRIVATE], most="2/3", scope="group"),
    rule("group_peers", least=1),
    rule("case_peers", least=1, grade="broad"),
    rule("newcomers", least="1/3"),
    rule("cap", fact="employer", most=2),
    rule("quorum", least="1/2"),
    rule("roles", deputies_low=0, deputies_high=2),
)
MODEST = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def waiting(data: st.DataObject, scenario: dict[str, Any]) -> Problem:
    """A tiny problem with alternates in every group, and a few rules."""
    chosen = tuple(data.draw(st.sets(st.sampled_from(RULES), min_size=1, max_size=3)))
    problem = data.draw(
        problems(experts=(4, 5), alternates=True, rules=(*chosen, rule("alternates", **scenario)))
    )
    least = scenario.get("absent", 1)
    return replace(
        problem, groups=tuple(replace(g, alternates=max(g.alternates, least)) for g in problem.groups)
    )


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_panel_has_the_finding_just_when_some_absence_breaks_a_rule(scenario: dict[str, Any]) -> None:
    """Against every absence tried with no shortcut; the absence that is named does break the rule that is named."""

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        problem = waiting(data, scenario)
        others = [r for r in problem.rules if r.survival != "none"]
        own = problem.rules[-1]
        for panel in list(every_panel(problem))[:80]:
            broken = any(
                True
                for away in absences(panel, **scenario)
                if away
                for r in others
                for _ in r.findings_after(panel.after(away))
            )
            assert (
                any(m for m in own.measures(panel) if m.code == "rule.alternates.no_shows" and not m.holds)
                == broken
            )
            found = broken_after(panel, asked(problem)[0])
            if found.rule is not None:
                named = next(r for r in others if r.id == found.rule)
                assert found.absent in {tuple(away) for away in absences(panel, **scenario)}
                assert any(named.findings_after(panel.after(found.absent)))
            else:
                assert found.all

    compare()


@given(
    problems(
        experts=(5, 6), alternates=True, rules=(rule("cap", fact="employer", most=5), rule("alternates"))
    )
)
@settings(MODEST, max_examples=5)
def test_an_enumeration_cut_short_says_so(problem: Problem) -> None:
    """With room for no scenario at all, the measure says that it did not try them; it does not claim survival."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver.no_shows, "MOST_SCENARIOS", 0)
        for panel in every_panel(problem):
            [measure] = [m for m in problem.rules[-1].measures(panel) if m.code == "rule.alternates.no_shows"]
            found = broken_after(panel, asked(problem)[0])
            assert (found.rule, found.tried) == (None, 0)
            assert dict(measure.params)["untried"] == (None if found.all else True)
            assert found.all == (not solver.no_shows.absences(problem.rules[1], panel, asked(problem)[0]))
