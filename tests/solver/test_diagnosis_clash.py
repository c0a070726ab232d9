"""Minimal clashing sets, against exhaustive enumeration: impossible together, possible without any one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import every_panel, problems, rule

from solver.diagnosis.clash import clashes, shrink
from solver.diagnosis.elements import Element, elements_of
from solver.diagnosis.possible import Trials
from solver.problem import Exclusion, Lock, Problem
from solver.rules.base import Rule

MODEST = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
RULES: tuple[Rule, ...] = (
    rule("gate", id="young", where={"fact": "age", "op": "lt", "value": 60}),
    rule("gate", id="not_provincial", where={"fact": "sector", "op": "not_in", "value": ["provincial"]}),
    rule("peer_grade", grade="broad"),
    rule("barred"),
    rule("share", id="private", where=[PRIVATE], least="1/2"),
    rule("cap", fact="employer", most=1),
    rule("newcomers", least="1/2"),
    rule("apart"),
    rule("group_peers", least=1),
    rule("quorum", least="2/3"),
    rule("panel_size", low=3, high=5, odd=True),
)


@st.composite
def tight(draw: st.DrawFn) -> Problem:
    """A tiny problem with several of these rules, often a lock or two and an exclusion, sometimes alternates."""
    waiting = draw(st.booleans())
    own = draw(st.lists(st.sampled_from(RULES), min_size=2, max_size=6, unique_by=lambda r: r.id))
    problem = draw(problems(experts=(3, 5), alternates=waiting, ranges=not waiting, rules=tuple(own)))
    experts = st.integers(0, len(problem.experts) - 1)
    locks = draw(st.lists(st.tuples(experts, st.sampled_from([None, 0])), max_size=2))
    out = draw(st.lists(experts, max_size=1))
    more = (rule("locks"),) if locks or out else ()
    more += (rule("alternates", no_shows=False),) if waiting else ()
    return replace(
        problem,
        rules=(*problem.rules, *more),
        locks=tuple(Lock(e, g, "me", "test") for e, g in locks),
        exclusions=tuple(Exclusion(e, "me", "test") for e in out),
    )


def exists(problem: Problem, elements: Collection[Element]) -> bool:
    """Whether some panel keeps these elements, by trying every one; group sizes hold unless `seats` is missing."""
    ids = {element.id for element in elements}
    sized = any(element.kind == "seats" for element in elements)
    people = len(problem.experts)
    waiting = "alternates" in ids
    asked = replace(
        problem,
        groups=tuple(
            replace(
                g,
                low=g.low if sized else 0,
                high=g.high if sized else people,
                alternates=g.alternates if waiting else 0,
            )
            for g in problem.groups
        ),
        rules=tuple(r for r in problem.rules if r.id in ids),
        locks=tuple(x for i, x in enumerate(problem.locks) if Element("lock", "locks", i) in elements),
        exclusions=tuple(
            x for i, x in enumerate(problem.exclusions) if Element("exclusion", "locks", i) in elements
        ),
    )
    return any(not any(True for r in asked.rules for _ in r.findings(panel)) for panel in every_panel(asked))


FRAME = Element("seats", "group_size")


@MODEST
@given(tight())
def test_a_clash_is_impossible_and_without_any_element_possible(problem: Problem) -> None:
    trials = Trials(problem, 60)
    every = elements_of(problem)
    verdict = trials.ask(every)
    assert (verdict.status == "possible") == exists(problem, (*every, FRAME))
    if verdict.status == "possible":
        return
    clash = shrink(trials, verdict.core)
    assert clash.minimal
    assert not exists(problem, clash.elements)
    for element in clash.elements:
        assert exists(problem, set(clash.elements) - {element})
        if element != FRAME:
            assert exists(problem, {*clash.elements, FRAME} - {element})


@MODEST
@given(tight())
def test_several_clashes_are_all_there_are(problem: Problem) -> None:
    """Every minimal set of elements, found by trying all subsets, is among them and the other way round."""
    trials = Trials(problem, 60)
    every = elements_of(problem)
    verdict = trials.ask(every)
    if verdict.status == "possible" or len(every) > 7:
        return
    found, complete = clashes(trials, verdict, 50)
    assert complete
    wanted: list[frozenset[Element]] = []
    for size in range(len(every) + 1):
        for chosen in combinations(every, size):
            known = any(smaller <= set(chosen) for smaller in wanted)
            if not known and not exists(problem, (*chosen, FRAME)):
                wanted.append(frozenset(chosen))
    got = [frozenset(clash.elements) - {FRAME} for clash in found]
    assert len(got) == len(set(got))
    assert set(got) == set(wanted)
