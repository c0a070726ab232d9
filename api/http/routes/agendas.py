"""What committees meet about: agendas, their cases and applicants, meetings; and what a unit hands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from api.http.resources import Things, mount_things
from expert_pool.accounts.rights import Principal, Right
from expert_pool.registry import Case, Employer
from expert_pool.rows import Telling
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


def _own_cases(asks: Principal, viewer: Viewer, tells: Telling) -> Sequence[ColumnElement[bool]]:
    """A submitting unit sees the cases of its own employer."""
    return [] if asks.employer_id is None else [tells.table.employer_id == asks.employer_id]


def _own_employer(session: Session, asks: Principal, values: Mapping[str, Any]) -> None:
    """A submitting unit hands in for its own employer only."""
    if asks.employer_id is None or "employer" not in values:
        return
    own = session.scalar(select(Employer.code).where(Employer.id == asks.employer_id))
    if values["employer"] != own:
        raise Fault("access.denied", "employer", right=str(Right.APPLICATIONS_WRITE), actor=asks.actor)


def _applying_here(asks: Principal, viewer: Viewer, tells: Telling) -> Sequence[ColumnElement[bool]]:
    """Applicants with a case the viewer may see, or (just entered) with none at all."""
    if viewer.organisers is None and asks.employer_id is None:
        return []
    mine = exists().where(Case.applicant_id == tells.table.id, *visible(viewer, Case))
    if asks.employer_id is not None:
        mine = mine.where(Case.employer_id == asks.employer_id)
    return [or_(mine, ~exists().where(Case.applicant_id == tells.table.id))]


router = APIRouter()
for _things in (
    Things("agendas", orders=("season",), write=Right.APPLICATIONS_WRITE),
    Things("meetings", orders=("on",), write=Right.APPLICATIONS_WRITE),
    Things("cases", write=Right.APPLICATIONS_WRITE, only=_own_cases, guard=_own_employer),
    Things("applicants", orders=("name",), write=Right.APPLICATIONS_WRITE, only=_applying_here),
):
    _below = APIRouter(prefix=f"/{_things.sheet}", tags=["agendas"])
    mount_things(_below, _things)
    router.include_router(_below)
