"""Scenarios of what-if: texts that are kept in versions, looked at before they run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.accepting import Model
from api.http.access import allowed
from api.http.once import Answer, Repeatable
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from api.jobs.work.asks import Code
from expert_pool import ledger
from expert_pool.accounts.rights import Principal, Right
from expert_pool.policies.located import LIMIT
from expert_pool.registry import Committee, Organiser, ScenarioRecord
from expert_pool.simulation import stored
from expert_pool.simulation.weighing import Weighed, weigh
from expert_pool.viewer import Viewer

router = APIRouter(prefix="/scenarios", tags=["what-if"])

Asker = Annotated[Principal, Depends(allowed(Right.SIMULATIONS_RUN))]
ScenarioCode = Annotated[str, Path(max_length=200, examples=["SQ4M7ZK5T"])]

EXAMPLE = """format: scenario/1
title: {zh: 民营比例, en: Private share}
base: {committee: C001, meeting: M001-2026}
sweep:
  axes:
    - {parameter: rules.private.least, from: 0%, to: 60%, count: 7}
"""


class ScenarioText(Model):
    """A scenario as its author writes it (YAML, `scenario/1`). It may name meetings, presets and, under `extends`, other
    stored scenarios (CODE, or CODE@VERSION), never files. `organiser`: whose it is, where it asks about a whole year."""

    text: str = Field(max_length=LIMIT, examples=[EXAMPLE])
    organiser: Code | None = None


class ScenarioTitle(Model):
    zh: str
    en: str


class ScenarioTold(Model):
    """A version of a scenario. `extends`: what it stands on, as CODE@VERSION."""

    code: str
    version: int
    title: ScenarioTitle
    organiser: str
    committee: str | None
    extends: str | None
    sha256: str
    made_at: datetime
    made_by: str


class ScenarioDocument(ScenarioTold):
    """A version of a scenario with its text."""

    text: str


class Scenarios(Model):
    """The latest versions, the newest first."""

    items: list[ScenarioTold]


@router.get("", response_model=Scenarios)
def list_scenarios(
    asks: Asker, service: Served, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Scenarios:
    """The scenarios there are."""
    with service.store.reading() as session:
        found = stored.list_(session, asks.viewer(Right.SIMULATIONS_RUN), most=limit)
        return Scenarios(items=[brief(session, row) for row in found])


@router.post("/validations", response_model=Weighed)
def validate_scenario(sent: ScenarioText, asks: Asker, service: Served) -> Weighed:
    """What a text asks and may cost, if it is a scenario; else the first mistake with its line. Nothing is kept."""
    with service.store.reading() as session:
        return weighed_text(session, asks.viewer(Right.SIMULATIONS_RUN), sent.text, sent.organiser)


@router.post("", response_model=ScenarioDocument, status_code=201)
def store_scenario(sent: ScenarioText, asks: Asker, service: Served, once: Repeatable) -> Response:
    """Keep a scenario. What `extends` names is pinned to its version of now."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)

    def work(session: Session) -> Answer:
        weighed_text(session, viewer, sent.text, sent.organiser)
        row = stored.store(session, viewer, sent.text, organiser=sent.organiser)
        return _answer(session, row, 201)

    return once.write(service, asks, work)


@router.get("/{scenario}", response_model=ScenarioDocument)
def show_scenario(
    scenario: ScenarioCode,
    asks: Asker,
    service: Served,
    response: Response,
    version: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> ScenarioDocument:
    """A scenario with its text: the latest version, or another."""
    with service.store.reading() as session:
        row = stored.find(session, asks.viewer(Right.SIMULATIONS_RUN), scenario, version)
        found = document(session, row)
    put_etag(response, found)
    return found


@router.put("/{scenario}", response_model=ScenarioDocument, responses=openapi.CHANGES)
def store_scenario_version(
    scenario: ScenarioCode,
    sent: ScenarioText,
    asks: Asker,
    service: Served,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """Keep the next version of a scenario. What ran with the versions before stays as it is."""
    viewer = asks.viewer(Right.SIMULATIONS_RUN)

    def work(session: Session) -> Answer:
        before = stored.find(session, viewer, scenario)
        ledger.hold(session, before.organiser_id)
        require_match(if_match, etag_of(document(session, stored.find(session, viewer, scenario))))
        owner = sent.organiser or session.get_one(Organiser, before.organiser_id).code
        weighed_text(session, viewer, sent.text, owner)
        row = stored.store(session, viewer, sent.text, organiser=owner, code=scenario)
        return _answer(session, row, 200)

    return once.write(service, asks, work)


def weighed_text(session: Session, viewer: Viewer, text: str, organiser: str | None) -> Weighed:
    """What a text comes to, for whoever it will belong to. Raises Fault as `stored.store` and `weigh`."""
    scenario = stored.read_text(session, viewer, text)
    owner, committee = stored.owner_of(session, viewer, scenario, organiser)
    seen = viewer if committee is not None else stored.below(session, viewer, owner)
    return weigh(session, seen, scenario)


def document(session: Session, row: ScenarioRecord) -> ScenarioDocument:
    """A version with its text."""
    return ScenarioDocument(**brief(session, row).model_dump(), text=row.text)


def brief(session: Session, row: ScenarioRecord) -> ScenarioTold:
    """A version as lists tell it."""
    above = None if row.parent_id is None else session.get_one(ScenarioRecord, row.parent_id)
    committee = None if row.committee_id is None else session.get_one(Committee, row.committee_id)
    return ScenarioTold(
        code=row.code,
        version=row.version,
        title=ScenarioTitle(zh=row.title_zh, en=row.title_en),
        organiser=session.get_one(Organiser, row.organiser_id).code,
        committee=None if committee is None else committee.code,
        extends=None if above is None else f"{above.code}@{above.version}",
        sha256=row.sha256,
        made_at=row.made_at,
        made_by=row.made_by,
    )


def _answer(session: Session, row: ScenarioRecord, status: int) -> Answer:
    found = document(session, row)
    return Answer(found, status, {"ETag": etag_of(found), "Location": f"/api/v1/scenarios/{row.code}"})
