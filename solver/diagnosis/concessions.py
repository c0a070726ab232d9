"""What a panel asks its rules to give: for each rule how far it falls short, as seated and after no-shows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import Any

from solver.diagnosis.giving_way import Promise
from solver.no_shows import NoShows, asked
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.alternates import Alternates
from solver.rules.base import Rule

MOST_SCENARIOS = 50_000
"""So many combinations of no-shows are tried for one rule."""


@dataclass(frozen=True)
class Concession:
    """A rule that gives way by `units`: the measures that show it in the panel as seated, and those that get worse after
    no-shows. `promise`: the rule gives up what it promises after no-shows, which counts one unit."""

    rule: Rule
    units: int
    seated: tuple[Measure, ...] = ()
    after: tuple[Measure, ...] = ()
    promise: bool = False

    @property
    def cost(self) -> int:
        return self.units * self.rule.cost


def concessions(panel: Panel, rules: Iterable[Rule], given_up: bool) -> list[Concession]:
    """What each of these rules concedes in a panel; `given_up`: nothing is promised about no-shows."""
    scenarios = () if given_up else asked(panel.problem)
    found = []
    for rule in rules:
        promises = isinstance(rule, Alternates) and rule.no_shows
        plain = rule.model_copy(update={"no_shows": False}) if promises else rule
        seated = {_key(measure): measure for measure in plain.measures(panel) if not measure.holds}
        worst = dict(seated)
        for scenario in scenarios if rule.survival != "none" else ():
            for absent in islice(_absences(rule, panel, scenario), MOST_SCENARIOS):
                for finding in rule.findings_after(panel.after(absent)):
                    known = worst.get(_key(finding.measure))
                    if known is None or finding.measure.margin < known.margin:
                        worst[_key(finding.measure)] = finding.measure
        promise = given_up and promises
        units = sum(-measure.margin for measure in worst.values()) + promise
        if units:
            after = tuple(measure for key, measure in worst.items() if seated.get(key) is not measure)
            found.append(Concession(rule, units, tuple(seated.values()), after, promise))
    return found


def conceding(problem: Problem, given: Iterable[Concession]) -> Problem:
    """The problem as a panel that asks for these concessions is judged: the rules that give way are wishes, no more; what
    alternates promise stays, unless it is given up itself."""
    conceded = {concession.rule.id: concession for concession in given}
    rules: list[Rule] = []
    for rule in problem.rules:
        own = conceded.get(rule.id)
        if own is None:
            rules.append(rule)
            continue
        fields: dict[str, Any] = {"no_shows": False} if own.promise else {}
        if own.seated or own.after:
            fields |= {"soft": 1, "weight": rule.cost}
            if isinstance(rule, Alternates) and rule.no_shows and not own.promise:
                rules.append(Promise.of(rule))
        rules.append(rule.model_copy(update=fields))
    return replace(problem, rules=tuple(rules))


def _key(measure: Measure) -> Hashable:
    params = dict(measure.params)
    pair = measure.experts if measure.code == "rule.apart.pair" else ()
    return measure.code, measure.group, measure.cases, params.get("same"), params.get("part"), pair


def _absences(rule: Rule, panel: Panel, scenario: NoShows) -> Iterator[tuple[int, ...]]:
    """Who may stay away, somebody at least: of people whom the rule sees alike always the first ones."""
    options: list[list[tuple[int, ...]]] = []
    for group, members in enumerate(panel.by_group):
        waiting = panel.alternates[group] if group < len(panel.alternates) else ()
        ways: dict[Hashable, tuple[int, ...]] = {}
        for size in range(scenario.within(len(waiting)) + 1):
            for absent in combinations(members, size):
                ways.setdefault(tuple(sorted(repr(rule.sees(panel, e)) for e in absent)), absent)
        options.append(list(ways.values()))
    most = scenario.absent if scenario.anywhere else len(panel.members)
    for chosen in product(*options):
        together = tuple(expert for absent in chosen for expert in absent)
        if 0 < len(together) <= most:
            yield together
