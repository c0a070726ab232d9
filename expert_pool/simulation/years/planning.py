"""The smallest recruitment that keeps every season from running dry: built season by season, then thinned out, each step shown
by simulating every replication again under the same luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from expert_pool.simulation.years.crew import Ran, Setting
from expert_pool.simulation.years.document import PlanDoc, RecruitsDoc
from expert_pool.simulation.years.entering import Naming, lines_of, with_recruits
from expert_pool.simulation.years.history import Node
from expert_pool.simulation.years.outcome import Fated, LackPart
from expert_pool.simulation.years.results import PlanPart
from solver.kinds import tests_of
from solver.problem import Problem

LASTING = frozenset({"sector", "gender", "region", "rank"})
"""Facts that may be asked of a recruit and stay with them."""
Value = bool | int | str | None
Enough = Callable[[Node, Fated], bool]
Again = Callable[[Setting, Enough], "list[Ran] | None"]
Line = tuple[int, str, str, tuple[tuple[str, Value], ...]]
"""Season, committee, sub-specialty, facts."""


@dataclass(frozen=True)
class Planned:
    """The plan and the replications with it; None where none was found."""

    part: PlanPart
    setting: Setting | None
    runs: list[Ran] | None


def settled_setting(bare: Setting, lines: Sequence[RecruitsDoc], where: Callable[[int], str]) -> Setting:
    """The setting with the recruits of these lines in its pool. Raises Fault for a line that does not fit, at `where`."""
    years = bare.years
    naming = Naming(bare.ground, bare.seed)
    people = [
        recruit
        for season, line, at in lines_of(lines, bare.ground, years.seasons)
        for recruit in naming.recruits(line, season, where(at))
    ]
    ground = with_recruits(bare.ground, people, years.terms.years, years.training.years)
    return replace(bare, ground=ground)


def planned(
    bare: Setting,
    given: Sequence[RecruitsDoc],
    runs: Sequence[Ran],
    doc: PlanDoc,
    again: Again,
) -> Planned:
    """Plans beside the recruits `given`; `runs` are the replications with those alone. `again` simulates a setting, until an
    outcome is enough; None when it was cancelled."""
    search = _Planning(bare, given, doc, again)
    return search.run(list(runs))


class _Planning:
    def __init__(
        self,
        bare: Setting,
        given: Sequence[RecruitsDoc],
        doc: PlanDoc,
        again: Again,
    ) -> None:
        self.bare, self.given, self.doc, self.again = bare, given, doc, again
        self.lines: Counter[Line] = Counter()
        self.rounds = 0
        self.hopeless = 0
        self.without = 0

    def run(self, runs: list[Ran]) -> Planned:
        self.without = sum(len(_dry(ran, 0)) for ran in runs)
        setting: Setting | None = None
        while True:
            self.hopeless = sum(
                one.fated.fate == "dry" and not _helped(node, ran)
                for ran in runs
                for node, one in ran.settled.items()
            )
            lacking = self._lacking(runs)
            if lacking is None:
                return self._ended("undecided", runs)
            if not lacking:
                break
            if self.rounds >= self.doc.rounds or sum((self.lines + lacking).values()) > self.doc.most:
                return self._ended("too_many", runs)
            self.lines += lacking
            self.rounds += 1
            setting = self._setting(self.lines)
            found = self.again(setting, lambda node, fated: False)
            if found is None:
                return self._ended("stopped", runs)
            runs = found
        if setting is None:
            return self._ended("none_needed", runs)
        return self._thinned(setting, runs)

    def _lacking(self, runs: Sequence[Ran]) -> Counter[Line] | None:
        """Who is missing in the earliest dry season; of every profile the most that any replication asks for. None where
        that is not known."""
        dry = [(node, ran) for ran in runs for node in _dry(ran, 1) if _helped(node, ran)]
        if not dry:
            return Counter()
        season = min(node[0] for node, _ in dry)
        asked: Counter[Line] = Counter()
        for ran in runs:
            own: Counter[Line] = Counter()
            for node in _dry(ran, 1):
                if node[0] != season or not _helped(node, ran):
                    continue
                need = ran.settled[node].fated.need
                if need is None or need.missing is None:
                    return None
                for lack in need.lacks:
                    own[self._line(node, lack)] += lack.count
            asked |= own
        return asked

    def _line(self, node: Node, lack: LackPart) -> Line:
        problem = self.bare.ground.templates[node[1]].problem
        asked = facts_asked(problem, lack.rules)
        facts = tuple((name, value) for name, value in sorted(lack.facts.items()) if name in asked)
        return node[0], problem.committee, lack.specialty, tuple(f for f in facts if f[1] is not None)

    def _thinned(self, setting: Setting, runs: list[Ran]) -> Planned:
        """Leaves out whoever is not needed, the last to enter first."""
        for line in sorted(self.lines, key=repr, reverse=True):
            while self.lines[line]:
                fewer = self.lines - Counter({line: 1})
                smaller = self._setting(fewer)
                found = self.again(smaller, _still_dry)
                if found is None:
                    return self._ended("stopped", runs)
                outcomes = (item for ran in found for item in ran.history.done.items())
                if any(_still_dry(node, fated) for node, fated in outcomes):
                    break
                self.lines, setting, runs = fewer, smaller, found
        status = "found" if self.lines else "none_needed"
        return Planned(self._part(status, runs, minimal=True), setting, runs)

    def _setting(self, lines: Counter[Line]) -> Setting:
        docs = [*self.given, *self._docs(lines)]
        return settled_setting(self.bare, docs, lambda at: f"recruits.{at}")

    def _docs(self, lines: Counter[Line]) -> list[RecruitsDoc]:
        return [
            RecruitsDoc.model_validate(
                {
                    "count": count,
                    "from": self.bare.ground.year + season,
                    "to": self.bare.ground.year + season,
                    "specialty": specialty,
                    "committee": committee,
                    "facts": dict(facts),
                }
            )
            for (season, committee, specialty, facts), count in sorted(lines.items(), key=repr)
        ]

    def _ended(self, status: str, runs: Sequence[Ran]) -> Planned:
        return Planned(self._part(status, runs, minimal=False), None, None)

    def _part(self, status: str, runs: Sequence[Ran], *, minimal: bool) -> PlanPart:
        return PlanPart.model_validate(
            {
                "status": status,
                "count": sum(self.lines.values()),
                "recruits": self._docs(self.lines),
                "minimal": minimal,
                "rounds": self.rounds,
                "hopeless": self.hopeless,
                "dry_without": self.without,
                "dry_with": sum(len(_dry(ran, 0)) for ran in runs),
            }
        )


def facts_asked(problem: Problem, rules: Iterable[str]) -> set[str]:
    """The lasting facts that some rules count people by."""
    own = set(rules)
    tested = {
        w.fact for rule in problem.rules if rule.id in own for test in tests_of(rule) for w in test.where
    }
    return tested & LASTING


def _dry(ran: Ran, first: int) -> list[Node]:
    """The nodes without a panel, from a season on."""
    return [node for node, one in ran.settled.items() if one.fated.fate == "dry" and node[0] >= first]


def _helped(node: Node, ran: Ran) -> bool:
    """Whether recruits could help there: a later season, and it is not shown that no number does."""
    return _still_dry(node, ran.settled[node].fated)


def _still_dry(node: Node, fated: Fated) -> bool:
    """Whether a panel is missing that recruits could help."""
    need = fated.need
    return fated.fate == "dry" and node[0] > 0 and (need is None or need.status != "no_number_helps")
