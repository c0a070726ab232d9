"""Notices: what somebody is told, and what they want to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.access import allowed
from api.http.openapi import CHANGES
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.problems import language_of
from api.http.routes.notice_addresses import PLAIN
from api.http.service import Served, Service
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from expert_pool.accounts.rights import Principal, Right
from expert_pool.keys import Key
from expert_pool.notices import addresses, inbox
from expert_pool.registry import Medium, Notice

router = APIRouter(prefix="/notices", tags=["notices"])

Mine = Annotated[Principal, Depends(allowed(Right.OWN_ACCOUNT))]
Reader = Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))]
NoticeCode = Annotated[str, Path(max_length=100, pattern=PLAIN, examples=["N4f1c9a0b7d2e8c3f5a61"])]
Unread = Annotated[bool | None, Query(description="Only those not read yet (true), or read (false).")]

_NEWEST = Order((Notice.id,), descending=True)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoticeShown(_Model):
    """A notice. `subject` and `text` are null once what it said was forgotten."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "N4f1c9a0b7d2e8c3f5a61",
                    "kind": "training.expiring",
                    "at": "2026-09-01T04:00:00Z",
                    "read_at": None,
                    "office": None,
                    "subject": "您的评审专家培训即将到期",
                    "text": "您的评审专家培训有效期至 2026年10月31日。",
                }
            ]
        },
    )

    code: str
    kind: str
    at: datetime
    read_at: datetime | None
    office: str | None = Field(description="The organiser whose office it went to; null: one's own.")
    subject: str | None
    text: str | None


class NoticeChoice(_Model):
    """Whether a kind of notice is wanted by a medium. `fixed`: it must be given, and cannot be switched off."""

    kind: str = Field(examples=["run.done"])
    medium: Medium
    wanted: bool
    fixed: bool = False


class NoticeChoices(_Model):
    items: list[NoticeChoice] = Field(max_length=200)


@router.get("", response_model=Page[NoticeShown])
def list_notices(
    request: Request,
    asks: Mine,
    service: Served,
    unread: Unread = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[NoticeShown]:
    """The own notices, the newest first."""
    statement = inbox.own_notices(asks.account_id, asks.expert_id)
    return _page(request, service, statement, unread, limit, cursor, "own")


@router.get("/offices", response_model=Page[NoticeShown])
def list_office_notices(
    request: Request,
    asks: Reader,
    service: Served,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[NoticeShown]:
    """Notices to the offices that the caller sees; of each kind, where the caller has the right it is about."""
    return _page(request, service, inbox.office_notices(asks), None, limit, cursor, "offices")


@router.get("/preferences", response_model=NoticeChoices)
def list_notice_preferences(asks: Mine, service: Served, response: Response) -> NoticeChoices:
    """What the own account gets by which medium."""
    with service.store.reading() as session:
        shown = _choices(session, asks)
    put_etag(response, shown)
    return shown


@router.put("/preferences", response_model=NoticeChoices, responses=CHANGES)
def set_notice_preferences(
    sent: NoticeChoices, asks: Mine, service: Served, response: Response, if_match: IfMatch = None
) -> NoticeChoices:
    """Replace all choices; what is left out is as the rules of the installation say."""
    with service.store.session() as session:
        require_match(if_match, etag_of(_choices(session, asks)))
        wanted = {(one.kind, one.medium): one.wanted for one in sent.items}
        addresses.prefer(session, asks.account_id, wanted)
        shown = _choices(session, asks)
    put_etag(response, shown)
    return shown


@router.get("/{code}", response_model=NoticeShown)
def show_notice(code: NoticeCode, request: Request, asks: Mine, service: Served) -> NoticeShown:
    """One notice, to the own account or to an office."""
    with service.store.reading() as session:
        notice, office = inbox.find_notice(session, asks, code)
        return _shown(service.store.key, notice, office, language_of(request))


@router.post("/{code}/reading", status_code=204)
def note_notice_read(code: NoticeCode, asks: Mine, service: Served) -> None:
    """Note that an own notice was read; once is enough."""
    with service.store.session() as session:
        inbox.mark_read(session, asks, code)


def _page(
    request: Request,
    service: Service,
    statement: Any,
    unread: bool | None,
    limit: int,
    cursor: str | None,
    which: str,
) -> Page[NoticeShown]:
    if unread is not None:
        statement = statement.where(Notice.read_at.is_(None) if unread else Notice.read_at.is_not(None))
    language = language_of(request)
    with service.store.reading() as session:
        page: Page[NoticeShown] = page_of(
            session,
            statement,
            _NEWEST,
            lambda row: _shown(service.store.key, row[0], row[1], language),
            limit=limit,
            cursor=cursor,
            filters={"which": which, "unread": unread},
            keys=lambda row: (row[0].id,),
        )
    return page


def _shown(key: Key, notice: Notice, office: str | None, language: str) -> NoticeShown:
    read = inbox.shown(key, notice, office, language)
    return NoticeShown(
        code=read.code,
        kind=read.kind,
        at=read.at,
        read_at=read.read_at,
        office=read.office,
        subject=read.letter.subject if read.letter else None,
        text=read.letter.text if read.letter else None,
    )


def _choices(session: Session, asks: Principal) -> NoticeChoices:
    found: Sequence[addresses.Preference] = addresses.preferences(session, asks.account_id)
    return NoticeChoices(
        items=[NoticeChoice(kind=p.kind, medium=p.medium, wanted=p.wanted, fixed=p.fixed) for p in found]
    )
