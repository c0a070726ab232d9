"""Seals against the owner of the host: supervisors' public keys, boxes and shares. Private keys never come here."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Prefer, Run, RunResult, Work, accept
from api.http.access import allowed
from api.http.once import Answer, Repeatable
from api.http.openapi import CHANGES
from api.http.service import Served
from api.jobs.work.sealing import SealedPanelAsk
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.privacy.sealing import panels, supervisors
from expert_pool.registry import Organiser, Supervisor
from expert_pool.snapshots import find_sitting
from expert_pool.viewer import visible
from solver.errors import Fault

router = APIRouter(tags=["seals"])

_Opener = Annotated[Principal, Depends(allowed(Right.PANELS_UNSEAL))]
_Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]
_Keeper = Annotated[Principal, Depends(allowed(Right.ACCOUNTS_MANAGE))]
_NAME = r"^[^\x00-\x1f\x7f]+$"
_Code = Annotated[str, InPath(min_length=1, max_length=129, pattern=_NAME)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SupervisorAsk(Model):
    """A supervisor's public key, as `expert-pool seal key` printed it."""

    code: str = Field(min_length=1, max_length=64, pattern=_NAME, examples=["S1"])
    organiser: str = Field(min_length=1, max_length=129, pattern=_NAME, examples=["HR"])
    public_key: str = Field(
        min_length=44, max_length=44, examples=["t0BtJoz7C5XrhCsHxXqxj0TP9nhBGxuCt5eBpHTDnmY="]
    )


class SupervisorTold(Model):
    """A supervisor seals are made for."""

    code: str
    public_key: str
    registered_at: AwareDatetime
    registered_by: str
    retired_at: AwareDatetime | None


class Supervisors(Model):
    items: list[SupervisorTold]


class SealTold(Model):
    """How a panel's seal stands; `shares`: by supervisor, whether it was handed in."""

    panel_code: str
    needed: int
    released: int
    shares: dict[str, bool]
    made_at: AwareDatetime
    opened_at: AwareDatetime | None


class SealMade(Model):
    """A panel that was sealed. It names nobody."""

    panel: str = Field(examples=["M1-P1"])
    needed: int
    supervisors: list[str]
    made_at: AwareDatetime


class BoxTold(Model):
    """A supervisor's share in its box: `seal-box/1`, for `expert-pool seal share` where the private key is."""

    format: str = "seal-box/1"
    panel: str
    supervisor: str
    number: int
    share_sha256: str
    box: str


class ShareAsk(Model):
    """A share that `expert-pool seal share` took out of its box: `seal-share/1`."""

    supervisor: str = Field(min_length=1, max_length=64, pattern=_NAME)
    share: str = Field(min_length=1, max_length=200, description="base64")


@router.get("/supervisors", response_model=Supervisors, summary="监督人 · supervisors")
def list_supervisors(asks: _Opener, service: Served) -> Supervisors:
    """Everybody whom seals are, or were, made for."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    with service.store.reading() as session:
        return Supervisors(items=[_told(row) for row in supervisors.supervisors(session, viewer)])


@router.post(
    "/supervisors",
    response_model=SupervisorTold,
    status_code=201,
    responses=CHANGES,
    summary="登记监督人 · register",
)
def register_supervisor(asks: _Keeper, service: Served, once: Repeatable, body: SupervisorAsk) -> Response:
    """Let seals be made for a supervisor's public key."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)

    def work(session: Session) -> Answer:
        known = select(Organiser.id).where(Organiser.code == body.organiser, *visible(viewer, Organiser))
        owner = session.scalar(known)
        if owner is None:
            raise Fault("seal.organiser_unknown", body.organiser)
        row = supervisors.register(session, viewer, body.code, body.public_key, organiser_id=owner)
        return Answer(_told(row), 201)

    return once.write(service, asks, work)


@router.post(
    "/supervisors/{code}/retirement",
    response_model=SupervisorTold,
    responses=CHANGES,
    summary="停用 · retire",
)
def retire_supervisor(code: _Code, asks: _Keeper, service: Served, once: Repeatable) -> Response:
    """Make no more seals for a supervisor; those made before still count their share."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    return once.write(service, asks, lambda session: Answer(_told(supervisors.retire(session, viewer, code))))


@router.post(
    "/sealed-panels",
    status_code=202,
    response_model=Run,
    responses={
        200: {"model": RunResult[SealMade], "description": "The result, where it came in time."},
        409: CHANGES[409],
    },
    summary="密封组建 · request a sealed panel",
)
def request_sealed_panel(
    sent: SealedPanelAsk, asks: _Office, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Ask for a panel whose members even the owner of the host cannot read until supervisors open the seal."""
    viewer = asks.viewer(Right.PANELS_REQUEST)

    def work(session: Session) -> Work:
        sitting = find_sitting(session, viewer, sent.committee, sent.meeting)
        viewer.require(sitting.organiser_id, sitting.committee_id)
        params = {"ask": sent.model_dump(mode="json"), "on": clock.today().isoformat()}
        return Work("panel.request_sealed", params, organiser_id=sitting.organiser_id)

    return accept(service, once, asks, work, prefer=prefer)


@router.get("/sealed-panels/{panel}/seal", response_model=SealTold, summary="密封状态 · how a seal stands")
def get_seal(panel: _Code, asks: _Opener, service: Served) -> SealTold:
    """How many shares are in, and whose."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    with service.store.reading() as session:
        return _state(panels.seal_of(session, viewer, panel))


@router.get("/sealed-panels/{panel}/seal/boxes/{supervisor}", response_model=BoxTold, summary="封套 · a box")
def get_box(panel: _Code, supervisor: _Code, asks: _Opener, service: Served) -> BoxTold:
    """A supervisor's box. Nobody else's private key opens it."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    with service.store.reading() as session:
        box = panels.box_for(session, viewer, panel, supervisor)
    return BoxTold(
        panel=panel,
        supervisor=supervisor,
        number=box.number,
        share_sha256=box.share_sha256,
        box=base64.b64encode(box.box).decode("ascii"),
    )


@router.post(
    "/sealed-panels/{panel}/seal/shares",
    response_model=SealTold,
    responses=CHANGES,
    summary="交份额 · release",
)
def release_share(panel: _Code, asks: _Opener, service: Served, body: ShareAsk) -> SealTold:
    """Hand in a share; that of another box is refused. Handing it in twice changes nothing."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    try:
        share = base64.b64decode(body.share, validate=True)
    except (binascii.Error, ValueError):
        raise Fault("seal.share_wrong", body.supervisor) from None
    with service.store.session() as session:
        return _state(panels.release(session, viewer, panel, body.supervisor, share))


@router.post(
    "/sealed-panels/{panel}/seal/opening", response_model=SealTold, responses=CHANGES, summary="打开 · open"
)
def open_host_seal(panel: _Code, asks: _Opener, service: Served) -> SealTold:
    """Open the seal with the shares that are in. The names stay sealed for accounts until their day."""
    viewer = asks.viewer(Right.PANELS_UNSEAL)
    with service.store.session() as session:
        return _state(panels.open_seal(session, viewer, panel))


def _told(row: Supervisor) -> SupervisorTold:
    return SupervisorTold(
        code=row.code,
        public_key=row.public_key,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        retired_at=row.retired_at,
    )


def _state(found: panels.SealState) -> SealTold:
    return SealTold(
        panel_code=found.panel_code,
        needed=found.needed,
        released=found.released,
        shares=dict(found.shares),
        made_at=found.made_at,
        opened_at=found.opened_at,
    )
