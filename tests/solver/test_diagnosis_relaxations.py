"""The cheapest way to give way, against exhaustive enumeration; what may not give way is never touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import every_panel, goal, locked, problems, rule

from solver.check import judge
from solver.diagnosis.relaxations import Relaxation, improve, relax
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Rule

MODEST = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}


def may(name: str, cost: int, **fields: object) -> Rule:
    """A rule that may give way at this cost."""
    return rule(name, relaxable=True, cost=cost, **fields)


RULES: tuple[Rule, ...] = (
    may("gate", 3, id="young", where={"fact": "age", "op": "lt", "value": 55}),
    may("peer_grade", 2, grade="close"),
    may("barred", 4),
    may("share", 3, id="private", where=[PRIVATE], least="2/3"),
    may("share", 2, id="few_private", where=[PRIVATE], most="1/3", scope="group"),
    may("cap", 1, fact="employer", most=1),
    may("newcomers", 2, least="2/3"),
    may("apart", 2),
    may("group_peers", 1, least=2),
    may("quorum", 1, least="1"),
    may("panel_size", 5, low=4, high=4),
    rule("gate", id="old_enough", where={"fact": "age", "op": "ge", "value": 35, "unknown": "passes"}),
    rule("cap", id="one_region", fact="sector", most=2),
    rule("case_peers", least=1, grade="broad"),
)


def shortfall(rule_: Rule, panel: Panel) -> int:
    """How many units a rule falls short in a panel, by its measures."""
    return sum(max(0, -measure.margin) for measure in rule_.measures(panel))


def cheapest(problem: Problem, kept: Iterable[str] = ()) -> int | None:
    """The least price of all panels that keep every rule which may not give way, or is to be kept."""
    firm = [r for r in problem.rules if r.soft is None and (not r.relaxable or r.id in set(kept))]
    loose = [r for r in problem.rules if r.soft is None and r not in firm]
    return min(
        (
            sum(r.cost * shortfall(r, panel) for r in loose)
            for panel in every_panel(problem)
            if not any(True for r in firm for _ in r.findings(panel))
        ),
        default=None,
    )


@st.composite
def tight(draw: st.DrawFn) -> Problem:
    own = draw(st.lists(st.sampled_from(RULES), min_size=2, max_size=6, unique_by=lambda r: r.id))
    ranges = draw(st.booleans())
    return draw(problems(experts=(3, 5), ranges=ranges, rules=tuple(own), goals=(goal("peer_match"),)))


def holds(problem: Problem, way: Relaxation) -> None:
    """What a way claims is what its panel shows, and no rule that may not give way is touched."""
    results, findings = judge(way.panel)
    assert not [f for f in findings if f.hard]
    firm = {r.id for r in problem.rules if not r.relaxable}
    assert not way.rules & (firm | set(way.kept))
    rules = {r.id: r for r in problem.rules}
    for given_ in way.concessions:
        assert given_.units == shortfall(rules[given_.rule.id], replace(way.panel, problem=problem))
    assert sum(c.cost for c in way.concessions) == way.value
    assert {r.id for r in results if not r.holds} == way.rules


@MODEST
@given(tight())
def test_the_first_way_is_the_cheapest_there_is(problem: Problem) -> None:
    best = cheapest(problem)
    found = relax(problem, 1, seconds=600)
    if not any(r.relaxable for r in problem.rules):
        assert found.status == "nothing_may"
    elif best is None:
        assert found.status == "not_enough"
    else:
        (way,) = found.found
        assert (found.status, way.value, way.bound) == ("found", best, best)
        holds(problem, way)


@MODEST
@given(tight())
def test_other_ways_are_the_cheapest_that_keep_what_they_say(problem: Problem) -> None:
    """Each is as cheap as can be without the rules it leaves alone; none costs less than the one before, nor touches all the
    rules that a cheaper one does."""
    found = relax(problem, 4, seconds=600).found
    for way in found:
        holds(problem, way)
        assert way.value == way.bound == cheapest(problem, way.kept)
    assert [w.value for w in found] == sorted(w.value for w in found)
    for cheaper, dearer in combinations(found, 2):
        assert not cheaper.rules <= dearer.rules


@MODEST
@given(tight())
def test_a_better_panel_asks_for_no_more(problem: Problem) -> None:
    """The panel is made good by the goals without a higher price or another rule."""
    for way in relax(problem, 1, seconds=600).found:
        better, outcome = improve(problem, way, seconds=600)
        assert outcome.status == "optimal"
        assert better.value == way.value
        assert sum(c.cost for c in better.concessions) <= way.value
        assert better.rules <= way.rules
        assert not [f for f in judge(better.panel)[1] if f.hard]
        match = problem.goals[0]
        assert match.value(better.panel) <= match.value(way.panel)


PROMISED: tuple[Rule, ...] = (
    may("share", 3, id="private", where=[PRIVATE], least="1/2"),
    may("newcomers", 2, least="1/2"),
    may("group_peers", 1, least=1),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_a_rule_falls_back_to_holds_after_no_shows(data: st.DataObject) -> None:
    """The price counts the worst no-shows; giving up the promise about them has its own price, and the cheaper is taken."""
    chosen = data.draw(st.lists(st.sampled_from(PROMISED), min_size=1, max_size=2, unique_by=lambda r: r.id))
    price = data.draw(st.sampled_from([None, 1, 4]))
    promise = rule("alternates") if price is None else may("alternates", price)
    problem = data.draw(problems(experts=(4, 5), alternates=True, rules=(*chosen, promise)))
    bare = rule("alternates", no_shows=False)

    def worst(rule_: Rule, panel: Panel) -> int:
        options = [(None, *members) for members in panel.by_group]
        keys: dict[object, int] = {}
        for absent in product(*options):
            after = panel.after([e for e in absent if e is not None])
            for measure in rule_.measures(after):
                key = (measure.code, measure.group)
                keys[key] = max(keys.get(key, 0), -measure.margin)
        return sum(keys.values())

    full = [panel for panel in every_panel(problem) if not list(bare.findings(panel))]
    kept = min((sum(r.cost * worst(r, panel) for r in chosen) for panel in full), default=None)
    plain = min((sum(r.cost * shortfall(r, panel) for r in chosen) for panel in full), default=None)
    best = kept if price is None or kept is None or plain is None else min(kept, plain + price)
    found = relax(problem, 1, seconds=600)
    if best is None:
        return
    assert found.found[0].value <= best
    if price is None:
        assert found.found[0].value == best


def test_a_rule_nobody_may_relax_is_left_alone(complete: Problem) -> None:
    """Nothing is relaxable in this problem."""
    assert relax(locked(complete, 1, 2), seconds=600).status == "nothing_may"
