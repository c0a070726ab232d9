"""What-if in the background: a stored scenario settled point by point, and the problem behind a point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from api.jobs.job import Job, Result
from expert_pool.accounts.rights import Right
from expert_pool.registry import ScenarioRecord, SimulationRecord
from expert_pool.runs import Attachment
from expert_pool.simulation import kept, stored
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.results import Simulation
from expert_pool.viewer import Viewer


def sweep(job: Job) -> Result:
    """A simulation settled as far as time allows; a run that takes over goes on from the points there are."""
    from expert_pool.simulation.asking import affordable, asked
    from expert_pool.simulation.bases import problems_of
    from expert_pool.simulation.histories import recalled
    from expert_pool.simulation.running import simulate

    code = job.params["simulation"] or job.code
    with job.store.reading() as session:
        made, scenario, viewer = _opened(session, job, code)
        if job.already("simulation.settled") is not None:
            return Result(_brief(made.code, kept.document_of(session, made)))
    with TemporaryDirectory(prefix="simulation-") as name:
        folder = Path(name)
        with job.store.reading() as session:
            kept.restore(session, made.id, folder)
        problems = problems_of(scenario, job.store, viewer)
        laid = asked(scenario, problems, recalled(scenario, job.store, viewer))
        affordable(laid, job.params["accept_cost"])
        with kept.Mirror(job.store, made.id, folder) as mirror:
            mirror.put(kept.PLAN, kept.lay_out(laid).model_dump_json())
            found = simulate(
                laid,
                folder,
                workers=min(job.params["workers"], job.settings.solves),
                report=job.report,
                cancelled=job.cancelled,
            )
    with job.store.session() as session:
        kept.finish(session, viewer, kept.find(session, viewer, code), found)
    return Result(_brief(code, found))


def point(job: Job) -> Result:
    """The problem behind a point, as a file: whoever solves it again has the point's panel."""
    from expert_pool.simulation.asking import asked, at_point
    from expert_pool.simulation.bases import problems_of
    from expert_pool.simulation.histories import recalled
    from solver.document import problem_bytes

    number = job.params["point"]
    with job.store.reading() as session:
        made, scenario, viewer = _opened(session, job, job.params["simulation"])
    aside = dict.fromkeys(("years", "robustness", "fairness", "policies"))
    swept = replace(scenario, doc=scenario.doc.model_copy(update=aside))
    problems = problems_of(swept, job.store, viewer)
    problem = at_point(asked(swept, problems, recalled(swept, job.store, viewer)), number)
    file = Attachment(f"{made.code}.{number}.problem.json", problem_bytes(problem), "application/json")
    return Result({"simulation": made.code, "point": number, "file": file.name}, [file])


def _opened(session: Session, job: Job, code: str) -> tuple[SimulationRecord, Scenario, Viewer]:
    """A simulation, its scenario as pinned, and the viewer it reads the registry as."""
    viewer = job.viewer(Right.SIMULATIONS_RUN)
    made = kept.find(session, viewer, code)
    row = session.get_one(ScenarioRecord, made.scenario_id)
    scenario = stored.scenario_of(session, row, made.known_at)
    if job.principal is not None:
        for right in stored.rights_for(scenario):
            job.principal.require(right)
    if made.committee_id is None:
        viewer = stored.below(session, viewer, made.organiser_id)
    return made, scenario, viewer


def _brief(code: str, found: Simulation) -> dict[str, object]:
    return {
        "simulation": code,
        "inputs_sha256": found.inputs_sha256,
        "asked": found.asked,
        "points": len(found.points),
        "without_panel": sum(point.status == "infeasible" for point in found.points),
        "complete": found.complete,
    }
