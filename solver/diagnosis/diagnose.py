"""The whole diagnosis of a problem: what cannot hold together, what may give way, whom to recruit, which step to climb."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version

from solver.answer import Answer, Saying, Stopped
from solver.assemble import answer_of, reference
from solver.diagnosis.clash import clashes, shrink
from solver.diagnosis.document import (
    Diagnosis,
    RecruitmentResult,
    RelaxationResult,
    SetResult,
    StepResult,
)
from solver.diagnosis.elements import elements_of
from solver.diagnosis.possible import Trials
from solver.diagnosis.relaxations import Relaxation, Relaxations, improve, may_give_way, relax
from solver.diagnosis.settle import limited, settle
from solver.diagnosis.telling import recruitment_result, relaxation_result, set_result
from solver.engines.race import Cancelled
from solver.ladder import climbed
from solver.problem import Problem, Step
from solver.progress import Progress, Reporter, silent
from solver.recruit import recruit
from solver.search import Outcome

SECONDS = 60.0
POLISH = 6.0
"""Seconds at most to make the panel of one way to give way, or of a step, as good as the goals ask."""


def diagnose(
    problem: Problem,
    *,
    sets: int = 1,
    relaxations: int = 3,
    seconds: float = SECONDS,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Diagnosis:
    """Why a problem has no panel and what would help; of a problem that has one, that nothing need be mended.

    Up to `sets` minimal sets and `relaxations` ways to give way, within `seconds` of wall time in all. Whatever a limit left
    undecided is said so in its place.
    """
    return _Diagnosing(problem, seconds, report, cancelled).run(sets, relaxations)


class _Diagnosing:
    def __init__(self, problem: Problem, seconds: float, report: Reporter, cancelled: Cancelled) -> None:
        self.problem, self.report, self.cancelled = problem, report, cancelled
        self.ends = time.monotonic() + seconds

    def left(self, part: float = 1.0) -> float:
        """A part of the seconds that are left."""
        return 0.0 if self.cancelled() else part * max(0.0, self.ends - time.monotonic())

    def run(self, sets: int, relaxations: int) -> Diagnosis:
        self.report(Progress("clash"))
        trials = Trials(self.problem, self.left(0.4), self.cancelled)
        verdict = trials.ask(elements_of(self.problem))
        if verdict.status == "possible":
            return self._document("feasible", True)
        if verdict.status == "undecided":
            return self._document("unknown", False)
        found, complete = clashes(trials, verdict, sets, self.report)
        clashing = [set_result(trials, clash) for clash in found]
        ways = self._relax(relaxations)
        given = [self._improved(way) for way in ways.found] if ways is not None else []
        stuck = self._stuck() if ways is not None and ways.status == "not_enough" else None
        recruits = self._recruit(self.problem, 0.5)
        ladder = self._climb(recruits)
        decided = (
            all(clash.minimal for clash in found)
            and (ways is None or ways.status != "undecided")
            and all(way.proven for way in given)
            and recruits.proven
            and all(step.outcome != "undecided" for step in ladder)
        )
        document = self._document("infeasible", decided)
        return document.model_copy(
            update={
                "sets": clashing,
                "all_sets": complete,
                "giving_way": None if ways is None else ways.status,
                "stuck": stuck,
                "relaxations": given,
                "recruitment": recruits,
                "ladder": ladder,
            }
        )

    def _document(self, status: str, decided: bool) -> Diagnosis:
        stopped: Stopped | None = None if decided else "cancelled" if self.cancelled() else "time"
        return Diagnosis.model_validate(
            {
                "status": status,
                "stopped_by": stopped,
                "problem": reference(self.problem),
                "versions": {name: _version(name) for name in ("expert-pool", "ortools", "highspy")},
                "says": Saying(code=f"diagnosis.{status}"),
            }
        )

    def _relax(self, most: int) -> Relaxations | None:
        if not most:
            return None
        self.report(Progress("relax"))
        return relax(self.problem, most, seconds=self.left(0.5), report=self.report, cancelled=self.cancelled)

    def _improved(self, way: Relaxation) -> RelaxationResult:
        """One way with the best panel that the time allows."""
        seconds = min(POLISH, self.left(0.2))
        better, outcome = improve(
            self.problem, way, seconds=seconds, report=self.report, cancelled=self.cancelled
        )
        return relaxation_result(better, self._panel(outcome))

    def _stuck(self) -> SetResult | None:
        """A minimal set of rules none of which may give way."""
        may = {rule.id for rule in may_give_way(self.problem)}
        firm = [element for element in elements_of(self.problem) if element.id not in may]
        trials = Trials(self.problem, self.left(0.3), self.cancelled)
        verdict = trials.ask(firm)
        return set_result(trials, shrink(trials, verdict.core)) if verdict.status == "impossible" else None

    def _recruit(self, problem: Problem, part: float) -> RecruitmentResult:
        self.report(Progress("recruit"))
        found = recruit(problem, seconds=self.left(part), report=self.report, cancelled=self.cancelled)
        return recruitment_result(problem, found)

    def _climb(self, recruits: RecruitmentResult) -> list[StepResult]:
        """Every step after those before it, up to the first that gives a panel."""
        results: list[StepResult] = []
        problem = self.problem
        for step in self.problem.ladder:
            self.report(Progress("ladder", done=len(results), total=len(self.problem.ladder)))
            there = {rule.id for rule in problem.rules}
            changed = [change.rule for change in step.changes if change.rule in there]
            panel = None
            outcome = "advice" if not step.changes and not step.recruits else "no_panel"
            if changed:
                problem = climbed(problem, step)
                outcome, panel = self._try(problem)
            known: RecruitmentResult | None = None
            if step.recruits and panel is None:
                known = recruits = self._recruit(problem, 0.5) if changed else recruits
                if known.status == "found":
                    outcome = "with_recruits"
                elif known.status == "undecided":
                    outcome = "undecided"
            results.append(_step(step, outcome, changed, known, panel))
            if panel is not None:
                break
        return results

    def _try(self, problem: Problem) -> tuple[str, Answer | None]:
        trials = Trials(problem, self.left(0.4), self.cancelled)
        verdict = trials.ask(elements_of(problem))
        if verdict.status != "possible":
            return ("no_panel" if verdict.status == "impossible" else "undecided"), None
        asked = limited(problem, min(POLISH, self.left(0.5)))
        outcome = settle(asked, verdict.panel, self.report, self.cancelled)
        if outcome.panel is None:
            return "undecided", None
        return "panel", self._panel(outcome)

    def _panel(self, outcome: Outcome) -> Answer:
        """The panel as a document, under the rules it keeps; no face may take it for one that can be filed."""
        answer = answer_of(outcome)
        return answer.model_copy(update={"fileable": False, "problem": reference(self.problem)})


def _step(
    step: Step, outcome: str, rules: list[str], recruits: RecruitmentResult | None, panel: Answer | None
) -> StepResult:
    said = {"step": step.id, "count": recruits.count if recruits is not None else None}
    return StepResult.model_validate(
        {
            "id": step.id,
            "outcome": outcome,
            "rules": rules,
            "recruitment": recruits,
            "panel": panel,
            "says": Saying(code=f"ladder.{outcome}", params=said),
            "basis": step.basis,
            "basis_status": step.status,
        }
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "checkout"
