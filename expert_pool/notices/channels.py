"""The ways out: one channel a medium, its settings sealed."""

from __future__ import annotations

import base64
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.home import tell as on_ledger
from expert_pool.keys import Key
from expert_pool.notices.addresses import read_address
from expert_pool.registry import AddressForm, DeliveryState, Medium, NoticeChannel, NoticeDelivery
from solver.errors import Fault

Line = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]


def _certificates(value: str) -> str:
    if value:
        try:
            ssl.create_default_context(cadata=value)
        except (ssl.SSLError, TypeError, ValueError):  # TypeError: not ASCII
            raise PydanticCustomError("certificates", "no certificates in PEM form") from None
    return value


Certificates = Annotated[str, Field(max_length=100_000), AfterValidator(_certificates)]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:\[\]-]+$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MailSettings(_Settings):
    """A mail server (SMTP submission, RFC 6409) and whom its mails are from.

    `security`: starttls (the connection is refused where the server does not offer it), tls from the start, or plain,
    with which no password is ever sent. `authority`: certificates (PEM) to believe instead of the machine's own.
    """

    host: Host
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "plain"] = "starttls"
    user: Line = ""
    password: str = Field(default="", max_length=1000, repr=False)
    sender: Line
    sender_name: Line = ""
    authority: Certificates = ""

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            return read_address(AddressForm.MAIL, value)
        except Fault:
            raise PydanticCustomError("mail_address", "no mail address") from None

    @field_validator("password")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if any(character in value for character in "\r\n\0"):
            raise PydanticCustomError("one_line", "a password is one line")
        return value


class HookSettings(_Settings):
    """A gateway that takes notices by signed HTTP POST. `secrets`: the one in use, then the one before it."""

    url: str = Field(max_length=2000)
    authority: Certificates = ""
    secrets: tuple[str, ...] = Field(default=(), max_length=2, repr=False)

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise PydanticCustomError("url_form", "no URL") from None
        if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
            raise PydanticCustomError("url_form", "no URL of the form https://host/path")
        if parts.username is not None or parts.fragment or not value.isascii() or not value.isprintable():
            raise PydanticCustomError("url_plain", "a URL without user, fragment or unusual characters")
        if " " in value or "\\" in value:
            raise PydanticCustomError("url_plain", "a URL without spaces or backslashes")
        return value


class FileSettings(_Settings):
    """One file a notice, in the folder `notices` of the service's files."""

    form: Literal["eml", "json"] = "eml"


Settings = MailSettings | HookSettings | FileSettings
SETTINGS: Mapping[Medium, type[MailSettings] | type[HookSettings] | type[FileSettings]] = {
    Medium.MAIL: MailSettings,
    Medium.SMS: HookSettings,
    Medium.VOICE: HookSettings,
    Medium.FILE: FileSettings,
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One medium's way out as it stands."""

    medium: Medium
    enabled: bool
    settings: Settings
    changed_at: datetime
    changed_by: str

    def shown(self) -> dict[str, Any]:
        """The settings without their secrets, which are only said to be there."""
        said = self.settings.model_dump(mode="json", exclude={"password", "secrets"})
        if isinstance(self.settings, MailSettings):
            said["password_set"] = bool(self.settings.password)
        if isinstance(self.settings, HookSettings):
            said["secrets_set"] = len(self.settings.secrets)
        return said


def channels(session: Session, key: Key) -> dict[Medium, Channel]:
    """The channels there are, by medium."""
    rows = session.scalars(select(NoticeChannel).order_by(NoticeChannel.medium))
    return {Medium(row.medium): _channel(row, key) for row in rows}


def find_channel(session: Session, key: Key, medium: Medium) -> Channel:
    """The channel of a medium, held until the transaction ends. Raises Fault `notices.channel_unknown`."""
    row = _row(session, medium)
    if row is None:
        raise Fault("notices.channel_unknown", str(medium))
    return _channel(row, key)


def set_channel(
    session: Session,
    key: Key,
    medium: Medium,
    settings: Settings,
    *,
    enabled: bool = True,
    new_secret: bool = False,
    by: str,
) -> str | None:
    """Set up the channel of a medium, instead of one before; with its entry in the installation's ledger.

    A mail password left empty stays as it was while host, port, security, user and
    authority do. A gateway gets its secret here:
    a new one the first time and with `new_secret`, when the one before goes on signing beside it. Returns that secret,
    else None.
    """
    row = _row(session, medium)
    before = None if row is None else _channel(row, key).settings
    made: str | None = None
    if isinstance(settings, MailSettings):
        settings = _same_password(settings, before)
    elif isinstance(settings, HookSettings):
        kept = before.secrets if isinstance(before, HookSettings) else ()
        if new_secret or not kept:
            made = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode('ascii')}"
            kept = (made, *kept[:1])
        settings = settings.model_copy(update={"secrets": kept})
    if row is None:
        row = NoticeChannel(medium=medium)
        session.add(row)
    row.enabled, row.settings_sealed = enabled, key.seal(settings.model_dump_json())
    row.changed_at, row.changed_by = clock.now(), by
    session.flush()
    what = Channel(medium, enabled, settings, row.changed_at, by).shown()
    on_ledger(session, None, by, "notices.channel_set", str(medium), what | {"enabled": enabled})
    return made


def malformed(where: str, said: Mapping[str, Any] | None = None) -> Fault:
    """The Fault for settings that cannot be. It holds nothing of them: there may be secrets in them."""
    return Fault("notices.channel_malformed", where, said=said)


def remove_channel(session: Session, medium: Medium, *, by: str) -> None:
    """Take a channel away; what waits for it is given up. Raises Fault `notices.channel_unknown`."""
    row = _row(session, medium)
    if row is None:
        raise Fault("notices.channel_unknown", str(medium))
    session.delete(row)
    waiting = (NoticeDelivery.medium == medium, NoticeDelivery.state == DeliveryState.WAITING)
    given_up = {"state": DeliveryState.DROPPED, "ended_at": clock.now(), "trouble": "notices.channel_unknown"}
    session.execute(update(NoticeDelivery).where(*waiting).values(**given_up))
    on_ledger(session, None, by, "notices.channel_removed", str(medium), {})


def _row(session: Session, medium: Medium) -> NoticeChannel | None:
    return session.scalar(select(NoticeChannel).where(NoticeChannel.medium == medium).with_for_update())


def _channel(row: NoticeChannel, key: Key) -> Channel:
    medium = Medium(row.medium)
    settings = SETTINGS[medium].model_validate_json(key.open(row.settings_sealed))
    return Channel(medium, row.enabled, settings, row.changed_at, row.changed_by)


def _same_password(settings: MailSettings, before: Settings | None) -> MailSettings:
    if settings.password or not isinstance(before, MailSettings):
        return settings
    same = ("host", "port", "security", "user", "authority")
    if any(getattr(settings, name) != getattr(before, name) for name in same):
        return settings
    return settings.model_copy(update={"password": before.password})
