"""The main job: a panel problem in, a checked panel with proof and reasons out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from solver.answer import Answer, GateResult, GoalResult, ProblemRef, RunLog, Saying
from solver.check import judge
from solver.diagnosis.why_not import why_not
from solver.document import problem_sha256
from solver.engines.processes import cpu_seconds as engines_cpu
from solver.engines.race import Cancelled, engines_for
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.reasons import alternates_of, cases_of, members_of
from solver.search import Outcome, search


class BrokenPanel(AssertionError):
    """The checker found fault with a panel the engine made: a fault of ours, never shown as a result."""


def assemble(
    problem: Problem, *, report: Reporter = silent, cancelled: Cancelled = lambda: False
) -> tuple[Answer, RunLog]:
    """The best panel of a problem.

    Levels are settled in order, each kept within its tolerance while the next is looked at; in a weighted problem
    all costs are added. The answer is `optimal` only if every level was proven. It has passed the checker: otherwise
    BrokenPanel is raised. `cancelled` is asked often; the best panel so far is returned then, `stopped_by` says so.
    """
    answer, run, _ = assembled(problem, report=report, cancelled=cancelled)
    return answer, run


def assembled(
    problem: Problem, *, report: Reporter = silent, cancelled: Cancelled = lambda: False
) -> tuple[Answer, RunLog, Outcome]:
    """The same with the outcome of the search, from which a proof can be written."""
    wall, cpu = time.monotonic(), time.process_time() + engines_cpu()
    outcome = search(problem, distinct=True, report=report, cancelled=cancelled)
    searched = time.monotonic()
    report(Progress("check"))
    answer = answer_of(outcome, report=report, cancelled=cancelled)
    run = RunLog(
        engine=_engine(problem.limits.workers),
        workers=problem.limits.workers,
        columns=outcome.model.width,
        rows=len(outcome.model.lower),
        entries=len(outcome.model.cols),
        wall_seconds=round(time.monotonic() - wall, 3),
        cpu_seconds=round(time.process_time() + engines_cpu() - cpu, 3),
        phases={**outcome.phases, "check": round(time.monotonic() - searched, 3)},
        unique=outcome.unique,
        note=_note(outcome),
    )
    return answer, run, outcome


def _engine(workers: int) -> str:
    return " + ".join(
        f"{_ENGINES[name][0]} ({_ENGINES[name][1]} {_version(_ENGINES[name][1])})"
        for name in engines_for(workers)
    )


_ENGINES = {"cp_sat": ("CP-SAT", "ortools"), "highs": ("HiGHS", "highspy")}


def _note(outcome: Outcome) -> str:
    """Why another run may give another panel; empty when it cannot."""
    if outcome.status != "optimal" or outcome.unique:
        return ""
    if outcome.unique is None:
        return "not settled whether another panel is as good: another run may give that one"
    return "another panel is exactly as good at every level, the seeded tie-break included: another run may give that one"


def answer_of(outcome: Outcome, *, report: Reporter = silent, cancelled: Cancelled = lambda: False) -> Answer:
    """The document of an outcome, its panel judged by the checker. Raises BrokenPanel where that finds fault."""
    problem, panel, results = outcome.problem, outcome.panel, outcome.goals
    rules, findings = judge(panel) if panel is not None else ([], [])
    broken = [finding for finding in findings if finding.hard]
    if broken:
        raise BrokenPanel(f"{problem_sha256(problem)}: {[f.says for f in broken]}")
    last = results[-1] if results and problem.weighted else None
    bases = {rule.id: rule.basis for rule in problem.rules}
    return Answer(
        status=outcome.status,
        stopped_by=outcome.stopped_by,
        fileable=panel is not None and problem.procedure == "compose",
        problem=reference(problem),
        versions={"expert-pool": _version("expert-pool"), "ortools": _version("ortools")},
        mode="weighted" if problem.weighted else "lexicographic",
        goals=list(results),
        objective=last.value if last else None,
        bound=last.bound if last else None,
        gap=_gap(results) if panel is not None else None,
        members=members_of(panel) if panel else [],
        alternates=alternates_of(panel) if panel else [],
        rules=rules,
        findings=findings,
        cases=cases_of(panel) if panel else [],
        considered=len(problem.experts),
        funnel=[
            GateResult(id=id_, bars=bars, left=left, basis=bases[id_].text, basis_status=bases[id_].status)
            for id_, bars, left in outcome.narrowed.gates
        ],
        why_not=_why_not(outcome, report, cancelled),
    )


def _why_not(outcome: Outcome, report: Reporter, cancelled: Cancelled) -> list[Saying]:
    if outcome.status == "infeasible":
        report(Progress("why_not"))
        return why_not(outcome.problem, outcome.narrowed, cancelled)
    if outcome.status == "unknown":
        return [Saying(code="why_not.stopped", params={"stopped_by": outcome.stopped_by})]
    return []


def _gap(results: Sequence[GoalResult]) -> float:
    """The widest relative gap of a level: (value - bound) / max(1, |value|)."""
    return round(max(((r.value - r.bound) / max(1, abs(r.value)) for r in results), default=0.0), 6)


def reference(problem: Problem) -> ProblemRef:
    """What an answer says of the problem it answers."""
    return ProblemRef(
        sha256=problem_sha256(problem),
        title=problem.title,
        committee=problem.committee,
        meeting=problem.meeting,
        on=problem.on.isoformat(),
        procedure=problem.procedure,
        policy=problem.policy.id,
        policy_version=problem.policy.version,
        seed=problem.seed,
        made=problem.made,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "checkout"
