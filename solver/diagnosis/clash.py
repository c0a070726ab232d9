"""Conditions that cannot hold together, none of them superfluous."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from solver.diagnosis.elements import Element, elements_of
from solver.diagnosis.possible import Trials, Verdict
from solver.progress import Progress, Reporter, silent

HEAVY = ("alternates", "roles", "apart", "case_peers", "quorum", "cap")
"""Kinds of rules that make panels hard to find: taken away first, so that the questions after it are easy."""


@dataclass(frozen=True)
class Clash:
    """Elements that cannot all hold. Without any one of them a panel exists, but for the `unsettled`, where a limit came
    before the answer."""

    elements: tuple[Element, ...]
    unsettled: tuple[Element, ...] = ()

    @property
    def minimal(self) -> bool:
        return not self.unsettled


@dataclass
class _Shrinking:
    trials: Trials
    left: set[Element]
    report: Reporter
    total: int
    trusting: bool
    settled: set[Element] = field(default_factory=set)
    unsettled: list[Element] = field(default_factory=list)

    def without(self, chunk: Sequence[Element]) -> None:
        """Takes the chunk away if what is left stays impossible; else tries its halves."""
        chunk = [element for element in chunk if element in self.left]
        if not chunk:
            return
        verdict = self.trials.ask(self.left - set(chunk), self.trials.left / 4)
        if verdict.status == "impossible":
            self.left &= verdict.core if self.trusting else self.left - set(chunk)
        elif len(chunk) > 1:
            half = len(chunk) // 2
            self.without(chunk[:half])
            self.without(chunk[half:])
        elif verdict.status == "undecided":
            self.unsettled.append(chunk[0])
        self.report(Progress("clash", done=self.total - len(self.left), total=self.total))


def shrink(trials: Trials, start: Collection[Element], report: Reporter = silent) -> Clash:
    """A minimal clash within `start`, whose elements are impossible together: rules are taken away first, then decisions
    about persons, then gates, those first that bar fewest. What proofs do not need is taken away at once; should that have
    been too much (a rule may shape the rows of another), all is done again one by one."""
    problem = trials.problem
    kinds = {rule.id: rule.rule for rule in problem.rules}
    own = [element for element in elements_of(problem) if element in start]
    rules = [element for element in own if element.kind == "rule"]
    heavy = sorted(
        (element for element in rules if kinds[element.id] in HEAVY),
        key=lambda element: HEAVY.index(kinds[element.id]),
    )
    gates = sorted((element for element in own if element.kind == "gate"), key=trials.barred)
    chunks = [heavy, [element for element in rules if element not in heavy]]
    chunks += [[element for element in own if element.kind == kind] for kind in ("exclusion", "lock")]
    for trusting in (True, False):
        work = _Shrinking(trials, set(own), report, len(own), trusting)
        for chunk in (*chunks, gates):
            work.without(chunk)
        again, work.unsettled = work.unsettled, []
        for element in again:
            work.without([element])
        if not trusting or trials.ask(work.left).status != "possible":
            break
    found = tuple(element for element in own if element in work.left)
    sizes, certain = _sizes(trials, found)
    unsettled = tuple(element for element in work.unsettled if element in work.left)
    return Clash((*found, *sizes), unsettled if certain else (*unsettled, *sizes))


def _sizes(trials: Trials, found: tuple[Element, ...]) -> tuple[tuple[Element, ...], bool]:
    """The sizes of the groups as an element, where the others can hold once groups may be of any size; whether that is
    certain."""
    rule = next(rule for rule in trials.problem.rules if rule.rule == "group_size")
    sizes = (Element("seats", rule.id),)
    usual = max(group.high for group in trials.problem.groups)
    for high in (0, usual, len(trials.problem.experts)):
        verdict = trials.ask(found, trials.left / 2, sizes=(0, high))
        if verdict.status == "possible":
            return sizes, True
    return ((), True) if verdict.status == "impossible" else (sizes, False)


def clashes(
    trials: Trials, verdict: Verdict, most: int, report: Reporter = silent
) -> tuple[list[Clash], bool]:
    """Up to `most` different minimal clashes of an impossible problem, and whether there are no others.

    A further one must do without some element of each found before; every way to choose those elements is asked about,
    but for ways that take away all of what was once seen to be enough for a panel.
    """
    every = elements_of(trials.problem)
    found = [shrink(trials, verdict.core or every, report)]
    enough: list[frozenset[Element]] = []
    certain = True
    while len(found) < most:
        for away in _ways(found, enough):
            answer = trials.ask(set(every) - away, trials.left / 4)
            if answer.status == "impossible":
                found.append(shrink(trials, answer.core, report))
                break
            if answer.status == "possible":
                enough.append(away)
            certain &= answer.status == "possible"
        else:
            return found, certain
    return found, False


def _ways(found: list[Clash], enough: list[frozenset[Element]]) -> Iterator[frozenset[Element]]:
    """Every smallest choice of one element from each clash, small ones first, unless all of it is known to be enough."""
    choices = [[e for e in clash.elements if e.kind != "seats"] for clash in found]
    ways = sorted(
        {frozenset(way) for way in product(*choices)}, key=lambda way: (len(way), sorted(map(repr, way)))
    )
    for i, way in enumerate(ways):
        smallest = not any(other < way for other in ways[:i])
        if smallest and not any(known <= way for known in enough):
            yield way
