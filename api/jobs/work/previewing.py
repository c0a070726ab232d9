"""What the best panel of a request costs, for an office that still weighs its rules."""

from __future__ import annotations

from datetime import date

from api.jobs.job import Job, Result
from api.jobs.work.asks import PanelAsk, overrides_of
from api.jobs.work.telling import steady
from expert_pool import panels
from expert_pool.accounts.rights import Right
from expert_pool.policies.load import preset
from expert_pool.snapshots import snapshot


def cost(job: Job) -> Result:
    """Status and goals of the best panel; nobody is named and nothing is put on record."""
    from solver.assemble import assemble
    from solver.document import check_problem

    viewer = job.viewer(Right.PANELS_REQUEST)
    ask = PanelAsk.model_validate(job.params["ask"])
    asked_on = date.fromisoformat(job.params["on"])
    policy = preset(ask.policy or panels.DEFAULT_POLICY, overrides_of(ask.overrides, viewer.actor, asked_on))
    with job.store.reading() as session:
        problem = snapshot(
            session,
            viewer,
            committee=ask.committee,
            meeting=ask.meeting,
            policy=policy,
            seed=ask.seed,
            limits=ask.limits(),
            locks=[choice.choice() for choice in ask.locks],
            exclusions=[choice.choice() for choice in ask.exclusions],
        )
    check_problem(problem)
    answer, log = assemble(problem, report=steady(job.report), cancelled=job.cancelled)
    return Result(
        {
            "status": answer.status,
            "stopped_by": answer.stopped_by,
            "goals": [goal.model_dump(mode="json") for goal in answer.goals],
            "why_not": [saying.model_dump(mode="json") for saying in answer.why_not],
            "seconds": log.wall_seconds,
        }
    )
