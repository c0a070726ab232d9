"""Panels sealed against the owner of the host, asked for in the background."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from api.jobs.job import Job, Result
from api.jobs.work.asks import Code, PolicyAsk, Seconds, limits_of, overrides_of
from expert_pool.accounts.rights import Right
from expert_pool.policies.load import preset
from solver.progress import Progress

ACTION = "panel.requested_sealed"


class SealedPanelAsk(PolicyAsk):
    """A panel whose members only `needed` of the `supervisors` can open together."""

    committee: Code
    meeting: Code
    supervisors: list[Code] = Field(min_length=1, max_length=255, examples=[["S1", "S2", "S3"]])
    needed: int = Field(ge=1, le=255, examples=[2])
    seconds: Seconds | None = None


def request(job: Job) -> Result:
    """A sealed panel for a meeting, on record. Nothing of its goals is reported: values of goals tell of people."""
    from expert_pool import panels
    from expert_pool.privacy.sealing.panels import request_sealed, seal_of

    viewer = job.viewer(Right.PANELS_REQUEST)
    if (done := job.already(ACTION)) is not None:
        with job.store.reading() as session:
            return Result(_told(seal_of(session, viewer, done)))
    ask = SealedPanelAsk.model_validate(job.params["ask"])
    asked_on = date.fromisoformat(job.params["on"])
    policy = preset(ask.policy or panels.DEFAULT_POLICY, overrides_of(ask.overrides, viewer.actor, asked_on))
    state = request_sealed(
        job.store,
        viewer,
        committee=ask.committee,
        meeting=ask.meeting,
        holders=ask.supervisors,
        needed=ask.needed,
        policy=policy,
        limits=limits_of(ask.seconds),
        report=lambda event: job.report(Progress(event.phase)),
        cancelled=job.cancelled,
    )
    return Result(_told(state))


def _told(state: Any) -> dict[str, Any]:
    return {
        "panel": state.panel_code,
        "needed": state.needed,
        "supervisors": sorted(state.shares),
        "made_at": state.made_at.isoformat(),
    }
