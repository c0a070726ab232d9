"""Employers as a dated tree: their names, sectors and links, and what counts on a day."""

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
from expert_pool.employer_tree import placed
from expert_pool.registry import Sector

router = APIRouter(prefix="/employers", tags=["employers"])
mount_things(router, Things("employers", orders=("region",)))
for _path in ("names", "sectors", "links"):
    mount_records(
        router,
        Records(f"employer_{_path}", "employer", Right.ORGANISERS_READ, Right.ORGANISERS_WRITE, path=_path),
    )


class Unit(BaseModel):
    """An employer by its code, and the official name it bears on the day."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["U"])
    name: str | None = Field(examples=["省理工大学（虚构）"])


class EmployerPlace(BaseModel):
    """Where an employer stands in the tree on a day."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["UD"])
    on: date
    name: str | None
    legal_persons: list[Unit] = Field(
        description="What it counts as: one, or several where it has two parents."
    )
    sector: Sector | None = Field(description="Of the first legal person.")
    above: list[Unit] = Field(description="What it is a part of, or was merged into.")
    below: list[Unit] = Field(description="What is a part of it, or was merged into it; the first 500.")


@router.get("/{code}/tree", response_model=EmployerPlace, summary="隶属关系 · its place in the tree")
def get_employer_tree(
    code: str,
    asks: Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))],
    service: Served,
    on: Annotated[date | None, Query(description="The day (today).")] = None,
) -> EmployerPlace:
    """What an employer is a part of, what is a part of it, and what it counts as on a day."""
    viewer, day = asks.viewer(Right.ORGANISERS_READ), on or clock.today()
    with service.store.reading() as session:
        unit = known_thing(session, viewer, "employers", code)
        found = placed(session, viewer, unit, on=day)
    return EmployerPlace(
        code=code,
        on=day,
        name=found.names.get(unit),
        sector=found.sector,
        legal_persons=[Unit(code=found.codes[i], name=found.names.get(i)) for i in found.persons],
        above=[Unit(code=found.codes[i], name=found.names.get(i)) for i in found.above],
        below=[Unit(code=found.codes[i], name=found.names.get(i)) for i in found.below],
    )
