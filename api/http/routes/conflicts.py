"""Why two parties are, or are not, in conflict."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.http.access import allowed
from api.http.service import Served
from expert_pool import clock, relations
from expert_pool.accounts.rights import Principal, Right
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import load
from expert_pool.relations import Reason

router = APIRouter(prefix="/conflicts", tags=["conflicts"])
_Party = Annotated[
    str,
    Query(min_length=1, max_length=64, description="An expert, case, applicant or employer, by its code."),
]


class Station(BaseModel):
    """A station of the way between the two."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(examples=["expert"])
    code: str = Field(examples=["E01"])


class ConflictRule(BaseModel):
    """What the policy says of this kind of conflict."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(examples=["same_employer"])
    effect: str = Field(examples=["panel"])
    window: str
    basis: str
    basis_status: str


class ConflictReason(BaseModel):
    """One thing between the two. Dates, way and record are withheld where another organiser recorded it."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(examples=["same_employer"])
    counts: bool = Field(description="It is a conflict under the policy on the day.")
    path: list[Station]
    since: date | None
    until: date | None
    record: str | None = Field(examples=["relation:12"])
    rule: ConflictRule | None


class ConflictAnswer(BaseModel):
    """What lies between two parties, and whether any of it counts."""

    model_config = ConfigDict(extra="forbid")

    a: str = Field(examples=["E01"])
    b: str = Field(examples=["E02"])
    on: date
    policy: str
    conflict: bool
    reasons: list[ConflictReason]


@router.get("", response_model=ConflictAnswer, summary="为何回避 · why two are in conflict")
def explain_conflict(
    a: _Party,
    b: _Party,
    asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))],
    service: Served,
    on: Annotated[date | None, Query(description="The day (today).")] = None,
    known_at: Annotated[AwareDatetime | None, Query(description="As known at this moment (now).")] = None,
    policy: Annotated[str | None, Query(max_length=64, description="The policy that judges.")] = None,
) -> ConflictAnswer:
    """Every record between two parties, the way it takes, and the rule it meets."""
    viewer, day = asks.viewer(Right.EXPERTS_READ), on or clock.today()
    rules = load(policy or DEFAULT_POLICY)
    with service.store.reading() as session:
        found = relations.why(session, viewer, rules, a, b, day, known_at)
    return ConflictAnswer(
        a=a,
        b=b,
        on=day,
        policy=rules.id,
        conflict=any(reason.counts for reason in found),
        reasons=[_shown(reason) for reason in found],
    )


def _shown(reason: Reason) -> ConflictReason:
    rule = reason.rule
    return ConflictReason(
        kind=reason.kind,
        counts=reason.counts,
        path=[Station(what=place.what, code=place.code) for place in reason.path],
        since=reason.since,
        until=reason.until,
        record=reason.record,
        rule=None
        if rule is None
        else ConflictRule(
            kind=rule.kind,
            effect=str(rule.effect),
            window=str(rule.window),
            basis=rule.basis.text,
            basis_status=str(rule.basis.status),
        ),
    )
