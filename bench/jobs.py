"""The jobs that are timed, each run in a process of its own: `python -m bench.jobs JOB ARGUMENT...`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from bench import conduct, measurement
from bench.measure import Stopwatch
from solver.problem import Limits, Problem, RuleChange
from solver.rules.gate import FactGate


def made_problem(experts: str, seed: str, *, weighted: bool) -> Problem:
    """One problem of the made region: 25 members, 8 alternates, 200 cases."""
    from expert_pool.region import problems

    problem = next(iter(problems(1, experts=int(experts), seed=int(seed), cases=200)))
    return replace(problem, weighted=weighted, limits=Limits(seconds=300))


def warm_up(workers: int = 1) -> None:
    """What a worker of the service has behind it: everything imported, the engine processes running."""
    from solver.assemble import assemble as run

    small = made_problem("300", "1", weighted=True)
    run(replace(small, limits=Limits(seconds=20, workers=workers)))


def assemble(experts: str, seed: str, mode: str, workers: str = "1", start: str = "warm") -> None:
    """Our assembly, from the problem in memory to the checked answer; `start` is `warm` or `cold`."""
    from solver.assemble import assemble as run

    problem = made_problem(experts, seed, weighted=mode == "weighted")
    problem = replace(problem, limits=replace(problem.limits, workers=int(workers)))
    if start == "warm":
        warm_up(int(workers))
    watch = Stopwatch()
    answer, log = run(problem)
    watch.report(
        status=answer.status,
        objective=answer.objective,
        goals={goal.id: goal.value for goal in answer.goals},
        eligible=answer.funnel[-1].left,
        columns=log.columns,
        phases=log.phases,
        unique=log.unique,
    )


def impossible(experts: str, seed: str, kind: str) -> Problem:
    """The same problem made impossible: `caps`, at most two people of a region; `peers`, three close peers for every case
    as a rule that must hold, which specialties with few experts cannot give."""
    problem = made_problem(experts, seed, weighted=False)
    changes: dict[str, dict[str, object]] = {
        "caps": {"region": {"most": 2}},
        "peers": {"case_peers": {"soft": None, "relaxable": True}},
    }
    rules = tuple(
        rule.model_copy(update=changes[kind].get(rule.id, {}))
        for rule in problem.rules  # type: ignore[call-overload]
    )
    return replace(problem, rules=rules)


def clash(experts: str, seed: str, kind: str) -> None:
    """One minimal set of what cannot hold together, every element tried without."""
    from solver.diagnosis.clash import shrink
    from solver.diagnosis.elements import elements_of
    from solver.diagnosis.possible import Trials

    problem = impossible(experts, seed, kind)
    warm_up(2)
    watch = Stopwatch()
    trials = Trials(problem, 120.0, lambda: False)
    verdict = trials.ask(elements_of(problem))
    found = shrink(trials, verdict.core) if verdict.status == "impossible" else None
    watch.report(
        status=verdict.status,
        size=len(found.elements) if found else 0,
        settled=verdict.status == "possible" or bool(found and found.minimal),
    )


def relaxation(experts: str, seed: str, kind: str) -> None:
    """The cheapest way to give way, with its panel."""
    from solver.diagnosis.relaxations import relax

    problem = impossible(experts, seed, kind)
    warm_up(2)
    watch = Stopwatch()
    ways = relax(problem, 1, seconds=60.0)
    watch.report(
        status=ways.status,
        found=len(ways.found),
        settled=ways.status != "undecided" and all(way.proven for way in ways.found),
    )


def rival(name: str, experts: str, seed: str, seconds: str) -> None:
    """The same weighted problem by a rival of `bench.rivals`."""
    from bench import rivals

    problem = made_problem(experts, seed, weighted=True)
    warm_up(2)
    watch = Stopwatch()
    if name == "draw":
        reached = rivals.draw(problem, 1000, float(seconds))
    else:
        reached = getattr(rivals, name)(problem, float(seconds))
    watch.report(status=reached.status, objective=reached.value, columns=reached.columns, rows=reached.rows)


def generate(experts: str, seed: str, out: str) -> None:
    """The made region as import files."""
    from expert_pool.region import generate as run

    watch = Stopwatch()
    files = run(Path(out), experts=int(experts), committees=1, seed=int(seed))
    watch.report(files=str(files.folder))


def load(folder: str, database: str) -> None:
    """The import of such files into a new database."""
    from expert_pool.imports import import_tables
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    watch = Stopwatch()
    report = import_tables(open_store(f"sqlite:///{database}"), Viewer.system("bench"), Path(folder))
    if report.errors:
        raise SystemExit(f"{len(report.errors)} errors, the first: {report.errors[0]}")
    watch.report(rows=sum(sheet.new for sheet in report.sheets))


def facts(database: str, on: str) -> None:
    """Facts and gates of the whole pool on a past date, as known then."""
    from sqlalchemy import select

    from expert_pool.facts import facts_on
    from expert_pool.policies.load import load as load_policy
    from expert_pool.registry import Committee
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    store = open_store(f"sqlite:///{database}", upgrade=False)
    policy = load_policy("cn-title-jilin-2013")
    with store.reading() as session:
        committee = session.scalars(select(Committee.id).order_by(Committee.code)).first()
        assert committee is not None
        watch = Stopwatch()
        pool = facts_on(
            session, Viewer.system("bench"), committee_id=committee, on=date.fromisoformat(on), policy=policy
        )
        day = (date.fromisoformat(on) - date(1970, 1, 1)).days
        passing = [
            int(rule.where.mask(pool.facts, day).sum())
            for rule in policy.rules(level="senior")
            if isinstance(rule, FactGate) and rule.where.fact in pool.facts
        ]
        watch.report(experts=len(pool.codes), gates=len(passing))


def snapshot(database: str) -> None:
    """The problem of the first meeting, from the registry to the frozen problem."""
    from sqlalchemy import select

    from expert_pool.policies.load import load as load_policy
    from expert_pool.registry import Agenda, Committee, Meeting
    from expert_pool.snapshots import snapshot as run
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    store = open_store(f"sqlite:///{database}", upgrade=False)
    policy = load_policy("cn-title-jilin-2013")
    with store.reading() as session:
        first = session.execute(
            select(Committee.code, Meeting.code)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Meeting, Meeting.agenda_id == Agenda.id)
            .order_by(Meeting.code)
        ).first()
        assert first is not None
        watch = Stopwatch()
        problem = run(
            session, Viewer.system("bench"), committee=first[0], meeting=first[1], policy=policy, seed=1
        )
        watch.report(experts=len(problem.experts), conflicts=len(problem.between.left))


def grid(experts: str, seed: str, mode: str) -> tuple[Problem, list[tuple[RuleChange, ...]]]:
    """Ten private shares of 0 to 60% by five shares of newcomers of 0 to 60%."""
    points = [
        (
            RuleChange("newcomers", {"least": f"{15 * new}/100"}),
            RuleChange("private", {"least": f"{60 * private}/900"}),
        )
        for new in range(5)
        for private in range(10)
    ]
    return made_problem(experts, seed, weighted=mode == "weighted"), points


def sweep_cold(experts: str, seed: str, mode: str) -> None:
    """Fifty searches, each from nothing but warm engine processes."""
    from solver.search import search
    from solver.sweeping.sweep import planned

    problem, points = grid(experts, seed, mode)
    warm_up()
    watch = Stopwatch()
    found = [search(one, distinct=True) for one in planned(problem, points).problems]
    watch.report(
        costs=[[goal.value for goal in one.goals] for one in found], unique=[o.unique for o in found]
    )


def sweep_warm(experts: str, seed: str, mode: str, workers: str = "1") -> None:
    """The same points as one sweep."""
    from solver.sweeping.crew import Task, sweep_all

    problem, points = grid(experts, seed, mode)
    warm_up()
    watch = Stopwatch()
    (found,) = sweep_all([Task(problem, tuple(points))], workers=int(workers))
    watch.report(
        costs=[list(found[at].costs) for at in range(len(points))],
        unique=[found[at].unique for at in range(len(points))],
        searched=sum(one.how == "solved" for one in found.values()),
    )


def trace(experts: str, seed: str, first: str, second: str) -> None:
    """The exact frontier of two goals."""
    from solver.sweeping.frontier import frontier

    problem = made_problem(experts, seed, weighted=False)
    warm_up()
    watch = Stopwatch()
    found = frontier(problem, (first, second))
    watch.report(points=len(found.points), complete=found.complete, solves=found.solves)


def years(experts: str, committees: str, seasons: str, seconds: str, workers: str) -> None:
    """One replication of years ahead over a made region, every panel assembled; engines and helpers start within it."""
    from collections import Counter

    from expert_pool.region.season import season_problems
    from expert_pool.simulation.years.crew import Setting, run_all
    from expert_pool.simulation.years.document import YearsDoc
    from expert_pool.simulation.years.ground import ground_of
    from expert_pool.simulation.years.kept import Shelf

    problems = list(season_problems(int(experts), int(committees), 1))
    block = YearsDoc.model_validate({"seasons": int(seasons), "replications": 1})
    watch = Stopwatch()
    setting = Setting(ground_of(problems), block, 1, float(seconds))
    (ran,) = run_all(setting, [0], Shelf(None, ""), workers=int(workers))
    outcomes = [ran.settled[node] for node in sorted(ran.settled)]
    watch.report(
        panels=len(outcomes),
        fates=Counter(one.fated.fate for one in outcomes),
        proven=sum(one.fated.settled for one in outcomes),
        keys=digest_of([one.key for one in outcomes]),
    )


def digest_of(keys: list[str]) -> str:
    """One name for many."""
    from hashlib import sha256

    return sha256("".join(keys).encode()).hexdigest()[:16]


JOBS: dict[str, Callable[..., None]] = {
    "assemble": assemble,
    "rival": rival,
    "clash": clash,
    "relaxation": relaxation,
    "generate": generate,
    "load": load,
    "facts": facts,
    "snapshot": snapshot,
    "sweep_cold": sweep_cold,
    "sweep_warm": sweep_warm,
    "trace": trace,
    "years": years,
    "measure": measurement.measure_job,
    "joint": measurement.naive_job,
    "scores_fill": measurement.fill_job,
    "scores_bring": measurement.bring_job,
    "scores_load": measurement.load_job,
    "conduct_fill": conduct.fill_job,
    "conduct": conduct.appraise_job,
}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
