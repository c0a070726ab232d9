"""Where an expert stands on a day, as known at a moment, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.http.access import allowed
from api.http.problems import language_of
from api.http.service import Served, Service
from api.http.versions import Written, written
from expert_pool import clock, directory
from expert_pool.accounts.rights import Principal, Right
from expert_pool.glances import glance
from expert_pool.lifecycle import Event, State
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import load
from expert_pool.standing import Reason, Record, standing
from expert_pool.words import say

router = APIRouter(prefix="/experts", tags=["standing"])


class BehindIt(BaseModel):
    """A record behind a reason."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(examples=["membership"])
    id: int
    holds_on: date | None
    recorded_at: AwareDatetime | None


class StandingReason(BaseModel):
    """Why somebody may or may not sit, or is in a state. `withheld` counts records that are not the caller's to see."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["standing.passes"])
    params: dict[str, Any]
    message: str = Field(description="The sentence in the caller's language.")
    records: list[BehindIt]
    withheld: int
    gate: str | None = Field(description="The rule that judged.", examples=["trained"])
    bars: bool
    basis: str
    basis_status: str | None


class StandingChange(BaseModel):
    """A step of the life cycle."""

    model_config = ConfigDict(extra="forbid")

    on: date
    event: Event
    before: State
    after: State
    record: BehindIt


class ExpertStanding(BaseModel):
    """The answer for one expert, one committee, one day, as known at one moment."""

    model_config = ConfigDict(extra="forbid")

    expert: str = Field(examples=["E01"])
    committee: str = Field(examples=["C1"])
    policy: str
    on: date
    known_at: AwareDatetime
    state: State
    may_sit: bool
    reasons: list[StandingReason]
    history: list[StandingChange]
    facts: dict[str, int | bool | str | None]


@router.get("/{code}/standing", response_model=ExpertStanding, summary="专家状态 · where an expert stands")
def get_standing(
    code: str,
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))],
    service: Served,
    on: Annotated[date | None, Query(description="The day (today).")] = None,
    known_at: Annotated[AwareDatetime | None, Query(description="As known at this moment (now).")] = None,
    committee: Annotated[
        str | None, Query(max_length=64, description="Needed where several draw on the expert's pools.")
    ] = None,
    policy: Annotated[str | None, Query(max_length=64, description="The policy that judges.")] = None,
) -> Any:
    """The state of the life cycle, whether the gates let the expert sit, and every reason with its records."""
    given: dict[str, Any] = {"on": on, "known_at": known_at, "committee": committee, "policy": policy}
    return expert_standing(service, asks, lang=language_of(request), code=code, **given).response()


def expert_standing(
    service: Service,
    asks: Principal,
    *,
    lang: str,
    code: str,
    on: date | None = None,
    known_at: datetime | None = None,
    committee: str | None = None,
    policy: str | None = None,
) -> Written:
    """Where an expert stands (an `ExpertStanding`), in a language. Raises Fault as `standing`, `policies.load` and
    `directory.expert_id`."""
    viewer, rules = asks.viewer(Right.EXPERTS_READ), load(policy or DEFAULT_POLICY)
    with glance(service.store) as session:
        known = directory.expert_id(session, viewer, code)
        found = standing(
            session,
            viewer,
            code,
            on=on or clock.today(),
            known_at=known_at,
            committee=committee,
            policy=rules,
            expert_id=known,
        )
    return written(
        {
            "expert": found.expert,
            "committee": found.committee,
            "policy": found.policy,
            "on": found.on,
            "known_at": found.known_at,
            "state": found.state,
            "may_sit": found.may_sit,
            "reasons": [_reason(reason, lang) for reason in found.reasons],
            "history": [
                {
                    "on": step.on,
                    "event": step.event,
                    "before": step.before,
                    "after": step.after,
                    "record": _record(step.record),
                }
                for step in found.history
            ],
            "facts": dict(found.facts),
        }
    )


def _reason(reason: Reason, lang: str) -> dict[str, Any]:
    """A `StandingReason`."""
    return {
        "code": reason.code,
        "params": dict(reason.params),
        "message": _sentence(reason.code, lang, reason.params),
        "records": [_record(record) for record in reason.records],
        "withheld": reason.withheld,
        "gate": reason.gate,
        "bars": reason.bars,
        "basis": reason.basis,
        "basis_status": reason.basis_status,
    }


def _sentence(code: str, lang: str, params: Mapping[str, Any]) -> str:
    if any(isinstance(value, list) for value in params.values()):
        return say(code, lang, **params)
    return _said(code, lang, tuple((name, type(value), value) for name, value in params.items()))


@lru_cache(4096)
def _said(code: str, lang: str, params: tuple[tuple[str, type, Any], ...]) -> str:
    """The sentences about facts are few; the types are there to tell 1 from true."""
    return say(code, lang, **{name: value for name, _, value in params})


def _record(record: Record) -> dict[str, Any]:
    """A `BehindIt`."""
    return {
        "table": record.table,
        "id": record.id,
        "holds_on": record.holds_on,
        "recorded_at": record.recorded_at,
    }
