"""Committees, the filings that give them force, and what is still to be filed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http.access import allowed
from api.http.resources import Records, Things, known_thing, mount_records, mount_things
from api.http.service import Served
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.filings import filings_missing
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import load
from expert_pool.registry import FilingKind

router = APIRouter(prefix="/committees", tags=["committees"])
mount_things(router, Things("committees", orders=("name",)))
mount_records(
    router, Records("filings", "committee", Right.ORGANISERS_READ, Right.ORGANISERS_WRITE, path="filings")
)


class FilingGap(BaseModel):
    """A filing that is missing on a day, and whether it keeps the committee from sitting."""

    model_config = ConfigDict(extra="forbid")

    kind: FilingKind
    lack: str = Field(examples=["expired"], description="absent, expired or not_yet")
    bars: bool
    season: int | None
    reference: str | None
    until: date | None
    basis: str = Field(description="The article that asks for it; may be empty.")


class FilingGaps(BaseModel):
    """What a committee has still to file."""

    model_config = ConfigDict(extra="forbid")

    committee: str
    on: date
    policy: str
    gaps: list[FilingGap]


@router.get(
    "/{code}/filing-gaps", response_model=FilingGaps, summary="尚缺的备案 · what is still to be filed"
)
def list_filing_gaps(
    code: str,
    asks: Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))],
    service: Served,
    on: Annotated[date | None, Query(description="The day (today).")] = None,
    policy: Annotated[
        str | None, Query(max_length=64, description="The policy that asks for filings.")
    ] = None,
) -> FilingGaps:
    """The filings that are missing on a day under a policy."""
    viewer, day = asks.viewer(Right.ORGANISERS_READ), on or clock.today()
    rules = load(policy or DEFAULT_POLICY)
    with service.store.reading() as session:
        committee = known_thing(session, viewer, "committees", code)
        gaps = filings_missing(
            session,
            viewer,
            committee_id=committee,
            on=day,
            policy=rules,
            season=day.year,
            known_at=clock.now(),
        )
    return FilingGaps(
        committee=code,
        on=day,
        policy=rules.id,
        gaps=[
            FilingGap(
                kind=gap.kind,
                lack=gap.lack,
                bars=gap.bars,
                season=gap.season,
                reference=gap.reference,
                until=gap.until,
                basis=gap.basis,
            )
            for gap in gaps
        ],
    )
