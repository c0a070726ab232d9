"""Applications: what a submitting unit handed in, and how each of them stands."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field

from api.http.accepting import Model
from api.http.access import allowed
from api.http.paging import USUAL, Cursor, Limit, Page, orders, page_of
from api.http.service import Served
from expert_pool.accounts.rights import Principal, Right
from expert_pool.applications import ApplicationState, application, applications, state_of
from expert_pool.registry import Agenda, Case, Level

router = APIRouter(prefix="/applications", tags=["applications"])

Reader = Annotated[Principal, Depends(allowed(Right.APPLICATIONS_READ))]
Code = Annotated[str | None, Query(min_length=1, max_length=200)]

ORDERS = orders(code=(Case.code, Case.id), season=(Agenda.season, Case.id))


class Application(Model):
    """One application (申报): on which agenda it is, and how far. Nothing is told of who reviews it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "K1",
                    "applicant": "AP1",
                    "applicant_name": "张一（虚构）",
                    "employer": "U",
                    "specialty": "2024/0101",
                    "level": "senior",
                    "directed": False,
                    "agenda": "A1",
                    "agenda_title": "2026 年度评审",
                    "season": 2026,
                    "committee": "C1",
                    "committee_name": "工程系列高级评委会",
                    "state": "scheduled",
                    "meets_on": "2026-09-20",
                    "reviewed_on": None,
                }
            ]
        },
    )
    code: str
    applicant: str
    applicant_name: str
    employer: str
    specialty: str
    level: Level
    directed: bool
    agenda: str
    agenda_title: str
    season: int
    committee: str
    committee_name: str
    state: ApplicationState = Field(
        description="entered: on the agenda; scheduled: a day is set; reviewed: the panel has met."
    )
    meets_on: date | None = Field(description="The next day it is to be reviewed on.")
    reviewed_on: date | None = Field(description="The last day it was reviewed on.")


@router.get("", response_model=Page[Application], summary="申报进度 · applications and how they stand")
def list_applications(
    asks: Reader,
    service: Served,
    agenda: Code = None,
    committee: Code = None,
    season: Annotated[int | None, Query(ge=1900, le=2999)] = None,
    state: Annotated[ApplicationState | None, Query()] = None,
    sort: Annotated[Literal["code", "-code", "season", "-season"], Query()] = "code",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[Application]:
    """The applications of the caller's employer; for an office those to its committees."""
    filters: dict[str, Any] = {"agenda": agenda, "committee": committee, "season": season, "state": state}
    statement = applications(asks.viewer(Right.APPLICATIONS_READ), asks.employer_id, **filters)
    by_code = sort.endswith("code")
    with service.store.reading() as session:
        page: Page[Application] = page_of(
            session,
            statement,
            ORDERS[sort],
            _told,
            limit=limit,
            cursor=cursor,
            filters=filters | {"sort": sort, "of": "applications"},
            keys=lambda row: (row.code if by_code else row.season, row.id),
        )
    return page


@router.get("/{code}", response_model=Application, summary="一件申报 · one application")
def get_application(
    code: Annotated[str, Path(max_length=200, examples=["K1"])], asks: Reader, service: Served
) -> Application:
    """One application of the caller's employer; another one's is not there."""
    with service.store.reading() as session:
        return _told(application(session, asks.viewer(Right.APPLICATIONS_READ), asks.employer_id, code))


def _told(row: Any) -> Application:
    return Application(
        code=row.code,
        applicant=row.applicant,
        applicant_name=row.applicant_name,
        employer=row.employer,
        specialty=row.specialty,
        level=row.level,
        directed=row.directed,
        agenda=row.agenda,
        agenda_title=row.title,
        season=row.season,
        committee=row.committee,
        committee_name=row.committee_name,
        state=state_of(row.meets_on, row.reviewed_on),
        meets_on=row.meets_on,
        reviewed_on=row.reviewed_on,
    )
