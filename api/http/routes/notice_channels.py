"""The ways notices leave the house, and how their deliveries stand: for who operates the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Prefer, Run, RunResult, Work, accept
from api.http.access import allowed
from api.http.once import Repeatable
from api.http.openapi import CHANGES
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.service import Served, Service
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from expert_pool.accounts.rights import Principal, Right
from expert_pool.notices import channels, inbox
from expert_pool.notices.channels import FileSettings, HookSettings, MailSettings, Settings
from expert_pool.notices.delivering import again
from expert_pool.notices.events import channel_test
from expert_pool.registry import DeliveryState, Medium, NoticeDelivery

router = APIRouter(prefix="/notice-channels", tags=["notices"])

Operator = Annotated[Principal, Depends(allowed(Right.SERVICE_OPERATE))]
Way = Annotated[Medium, Path(description="mail, sms, voice or file")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoticeChannelShown(_Model):
    """A channel. Of secrets only whether there are any."""

    medium: Medium
    enabled: bool
    settings: dict[str, Any] = Field(
        examples=[{"host": "mail.example.cn", "port": 587, "password_set": True}]
    )
    changed_at: datetime
    changed_by: str


class NoticeChannels(_Model):
    """All channels. The ETag of this list goes into If-Match of what changes it."""

    items: list[NoticeChannelShown]


class NoticeChannelsChanged(NoticeChannels):
    """The channels, and the new secret of a gateway, which is shown this once."""

    secret: str | None = None


class MailChannel(_Model):
    """A mail server. An empty password leaves the one before, while host, port, security and user stay."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "enabled": True,
                    "settings": {
                        "host": "mail.example.cn",
                        "port": 587,
                        "security": "starttls",
                        "user": "pool",
                        "password": "…",
                        "sender": "noreply@example.cn",
                        "sender_name": "职称办",
                    },
                }
            ]
        },
    )

    enabled: bool = True
    settings: MailSettings


class GatewaySettings(_Model):
    url: str = Field(min_length=1, max_length=2000, examples=["https://sms.example.cn/send"])
    authority: channels.Certificates = Field(
        default="", description="Certificates (PEM) to believe instead of the machine's own."
    )


class GatewayChannel(_Model):
    """A gateway for short messages or calls. `new_secret`: sign with a new secret too, and show it."""

    enabled: bool = True
    settings: GatewaySettings
    new_secret: bool = False


class FileChannel(_Model):
    enabled: bool = True
    settings: FileSettings


class ChannelTest(_Model):
    """Where the test goes: a mail address or a telephone number; nothing for files."""

    address: str | None = Field(default=None, max_length=254, examples=["me@example.cn"])


class NoticesSent(_Model):
    """What a round of sending came to; of a test, what became of it."""

    sent: int
    failed: int
    dead: int
    dropped: int
    state: DeliveryState | None = None
    trouble: str | None = None


class NoticeDeliveryShown(_Model):
    """One notice on one medium: how it stands, not what it says or to whom."""

    notice: str
    kind: str
    medium: Medium
    state: DeliveryState
    attempts: int
    due_at: datetime
    ended_at: datetime | None
    trouble: str | None = Field(examples=["notices.mail_unreachable"])


class NoticesAgain(_Model):
    """Which of those given up are to go once more: all, or of one medium."""

    medium: Medium | None = None


class NoticesCounted(_Model):
    count: int


@router.get("", response_model=NoticeChannels)
def list_notice_channels(asks: Operator, service: Served, response: Response) -> NoticeChannels:
    """The channels there are."""
    with service.store.reading() as session:
        shown = _all(session, service)
    put_etag(response, shown)
    return shown


@router.put("/mail", response_model=NoticeChannelsChanged, responses=CHANGES)
def set_mail_channel(
    sent: MailChannel, asks: Operator, service: Served, response: Response, if_match: IfMatch = None
) -> NoticeChannelsChanged:
    """Set up the mail server."""
    return _set(service, response, if_match, asks, Medium.MAIL, sent.settings, enabled=sent.enabled)


@router.put("/file", response_model=NoticeChannelsChanged, responses=CHANGES)
def set_file_channel(
    sent: FileChannel, asks: Operator, service: Served, response: Response, if_match: IfMatch = None
) -> NoticeChannelsChanged:
    """Write every notice that leaves the house into a file as well."""
    return _set(service, response, if_match, asks, Medium.FILE, sent.settings, enabled=sent.enabled)


@router.put("/{gateway}", response_model=NoticeChannelsChanged, responses=CHANGES)
def set_gateway_channel(
    gateway: Annotated[Literal["sms", "voice"], Path()],
    sent: GatewayChannel,
    asks: Operator,
    service: Served,
    response: Response,
    if_match: IfMatch = None,
) -> NoticeChannelsChanged:
    """Set up the gateway for short messages or for calls. Its secret is shown when it is made, and never again."""
    try:
        settings = HookSettings(url=sent.settings.url, authority=sent.settings.authority)
    except ValueError:
        raise channels.malformed("settings.url") from None
    medium = Medium(gateway)
    more = {"enabled": sent.enabled, "new_secret": sent.new_secret}
    return _set(service, response, if_match, asks, medium, settings, **more)


@router.delete("/{medium}", response_model=NoticeChannels, responses=CHANGES)
def remove_notice_channel(
    medium: Way, asks: Operator, service: Served, response: Response, if_match: IfMatch = None
) -> NoticeChannels:
    """Take a channel away; what waits for it is dropped."""
    with service.store.session() as session:
        require_match(if_match, etag_of(_all(session, service)))
        channels.remove_channel(session, medium, by=asks.actor)
        session.flush()
        shown = _all(session, service)
    put_etag(response, shown)
    return shown


@router.post(
    "/{medium}/tests",
    status_code=202,
    response_model=Run,
    responses={
        200: {
            "model": RunResult[NoticesSent],
            "description": "What became of it, within the time of `Prefer: wait=N`.",
        },
        409: CHANGES[409],
    },
)
def try_notice_channel(
    medium: Way, sent: ChannelTest, asks: Operator, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Send a test by a channel, now."""

    def work(session: Session) -> Work:
        code = channel_test(session, service.store.key, medium, sent.address, asks.account_id, by=asks.actor)
        return Work("notices.deliver", {"notice": code})

    return accept(service, once, asks, work, prefer=prefer)


@router.get("/deliveries", response_model=Page[NoticeDeliveryShown])
def list_notice_deliveries(
    asks: Operator,
    service: Served,
    state: Annotated[DeliveryState | None, Query()] = None,
    medium: Annotated[Medium | None, Query()] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[NoticeDeliveryShown]:
    """How the deliveries stand, the newest first."""
    statement = inbox.deliveries()
    if state is not None:
        statement = statement.where(NoticeDelivery.state == state)
    if medium is not None:
        statement = statement.where(NoticeDelivery.medium == medium)
    with service.store.reading() as session:
        page: Page[NoticeDeliveryShown] = page_of(
            session,
            statement,
            Order((NoticeDelivery.id,), descending=True),
            _delivery,
            limit=limit,
            cursor=cursor,
            filters={"state": state, "medium": medium},
            keys=lambda row: (row[0].id,),
        )
    return page


@router.post("/deliveries/again", response_model=NoticesCounted)
def send_notices_again(sent: NoticesAgain, asks: Operator, service: Served) -> NoticesCounted:
    """Put what was given up on its way once more."""
    with service.store.session() as session:
        return NoticesCounted(count=again(session, by=asks.actor, medium=sent.medium))


def _delivery(row: Any) -> NoticeDeliveryShown:
    delivery: NoticeDelivery = row[0]
    return NoticeDeliveryShown(
        notice=row[1],
        kind=row[2],
        medium=Medium(delivery.medium),
        state=DeliveryState(delivery.state),
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        ended_at=delivery.ended_at,
        trouble=delivery.trouble,
    )


def _all(session: Session, service: Service) -> NoticeChannels:
    found = channels.channels(session, service.store.key).values()
    return NoticeChannels(
        items=[
            NoticeChannelShown(
                medium=one.medium,
                enabled=one.enabled,
                settings=one.shown(),
                changed_at=one.changed_at,
                changed_by=one.changed_by,
            )
            for one in found
        ]
    )


def _set(
    service: Service,
    response: Response,
    if_match: str | None,
    asks: Principal,
    medium: Medium,
    settings: Settings,
    **more: bool,
) -> NoticeChannelsChanged:
    with service.store.session() as session:
        require_match(if_match, etag_of(_all(session, service)))
        made = channels.set_channel(session, service.store.key, medium, settings, by=asks.actor, **more)
        session.flush()
        shown = _all(session, service)
    put_etag(response, shown)
    response.headers["Cache-Control"] = "no-store"
    return NoticeChannelsChanged(items=shown.items, secret=made)
