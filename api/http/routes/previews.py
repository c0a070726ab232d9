"""A request for a panel looked at before it is made: counts, gates, floors of the cost, and the exact cost as a run.

Nothing is recorded and nobody is named: whom a gate bars is told by pseudonym, with the fact that the gate asks about.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Model, Runs, Work, answers
from api.http.access import allowed
from api.http.service import Served
from api.jobs.work.asks import Code, PanelAsk, overrides_of
from expert_pool import clock, panels, previewing
from expert_pool.accounts.rights import Principal, Right
from expert_pool.policies.load import preset
from expert_pool.previewing import Preparations
from expert_pool.snapshots import find_sitting
from expert_pool.viewer import Viewer
from solver.answer import GateResult, GoalResult, Saying
from solver.floors import Floor

router = APIRouter(prefix="/previews", tags=["panels"])

Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]


class GroupPreviewed(Model):
    """A review group: its seats, how many may sit in it, and how many of those are close peers."""

    id: str
    name: str
    low: int
    high: int
    alternates: int
    eligible: int
    close: int


class HeldUp(Model):
    """Somebody locked in (by code) who may not sit, and the gates that bar them."""

    expert: str
    gates: list[str]


class FloorTold(Model):
    """No panel costs less at this level."""

    id: str
    level: int
    floor: int


class PreviewAsk(PanelAsk):
    """A request for a panel, to be looked at only. `bounded`: with what a panel costs at least."""

    bounded: bool = True


class Previewed(Model):
    """What a request would work with, as known at a moment. `impossible`: it is proven that no panel keeps the hard rules;
    null where that was not asked. `eligible` are open to some group; gates stand in the order in which they narrow."""

    known_at: datetime
    on: date
    procedure: Literal["compose", "draw"]
    considered: int
    eligible: int
    gates: list[GateResult]
    groups: list[GroupPreviewed]
    impossible: bool | None
    floors: list[FloorTold]
    held_up: list[HeldUp]
    notes: list[Saying]


class BarredAsk(PanelAsk):
    """A request for a panel, and one of its gates (null: whom no gate bars)."""

    gate: Code | None = None
    after: Code | None = Field(default=None, description="Go on after this pseudonym.")
    limit: int = Field(default=100, ge=1, le=500)


class BarredOne(Model):
    """Somebody by pseudonym; `alone`: no other gate bars them. `facts` are those the gate asks about."""

    expert: str
    alone: bool
    facts: dict[str, int | bool | str | None]


class BarredTold(Model):
    """Whom a gate bars, in the order of the pseudonyms; `next`: where to go on."""

    total: int
    items: list[BarredOne]
    next: str | None


class CostTold(Model):
    """What the best panel costs; who would sit is told nowhere."""

    status: Literal["optimal", "feasible", "infeasible", "unknown"]
    stopped_by: str | None
    goals: list[GoalResult]
    why_not: list[Saying]
    seconds: float


@router.post("", response_model=Previewed)
def preview_panel(sent: PreviewAsk, asks: Office, service: Served, request: Request) -> Previewed:
    """Who is eligible for a panel and what it costs at least. Nothing is recorded."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    kept = preparations(request)
    return told(kept.preview(service.store, viewer, asked(sent, viewer), bounded=sent.bounded))


@router.post("/barred", response_model=BarredTold)
def list_barred(sent: BarredAsk, asks: Office, service: Served, request: Request) -> BarredTold:
    """Whom one gate of a request bars, or whom none does."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    found = preparations(request).barred(service.store, viewer, asked(sent, viewer), sent.gate)
    left = [one for one in found if sent.after is None or one.pseudonym > sent.after]
    items = [BarredOne(expert=one.pseudonym, alone=one.alone, facts=one.facts) for one in left[: sent.limit]]
    return BarredTold(
        total=len(found), items=items, next=items[-1].expert if len(left) > len(items) else None
    )


@router.post("/costs", **answers(CostTold))
def cost_panel(sent: PanelAsk, asks: Office, runs: Runs) -> Response:
    """What the best panel of a request costs exactly, found in the background. Nobody is named, no panel is recorded."""
    viewer = asks.viewer(Right.PANELS_REQUEST)

    def work(session: Session) -> Work:
        sitting = find_sitting(session, viewer, sent.committee, sent.meeting)
        viewer.require(sitting.organiser_id, sitting.committee_id)
        params: dict[str, Any] = {"ask": sent.model_dump(mode="json"), "on": clock.today().isoformat()}
        return Work("panel.preview", params, organiser_id=sitting.organiser_id)

    return runs.take(asks, work)


def preparations(request: Request) -> Preparations:
    """The meetings this application keeps prepared."""
    kept: Preparations = request.app.state._state.setdefault("preparations", Preparations())
    return kept


def asked(sent: PanelAsk, viewer: Viewer) -> previewing.Request:
    """What was sent, as it is looked at. Raises Fault for overrides that the policy does not take."""
    overrides = overrides_of(sent.overrides, viewer.actor, clock.today())
    return previewing.Request(
        sent.committee,
        sent.meeting,
        preset(sent.policy or panels.DEFAULT_POLICY, overrides),
        tuple(choice.choice() for choice in sent.locks),
        tuple(choice.choice() for choice in sent.exclusions),
    )


def told(found: previewing.Preview) -> Previewed:
    """A preview as it is told."""
    floors: list[Floor] = [] if found.floors is None else list(found.floors.levels)
    return Previewed(
        known_at=found.known_at,
        on=found.problem.on,
        procedure=found.problem.procedure,
        considered=found.considered,
        eligible=found.eligible,
        gates=list(found.gates),
        groups=[
            GroupPreviewed(**{name: getattr(group, name) for name in GroupPreviewed.model_fields})
            for group in found.groups
        ],
        impossible=None if found.floors is None else found.impossible,
        floors=[FloorTold(id=one.id, level=one.level, floor=one.floor) for one in floors],
        held_up=[HeldUp(expert=one.expert, gates=list(one.gates)) for one in found.held_up],
        notes=[*found.notes, *(gap.says() for gap in found.missing)],
    )
