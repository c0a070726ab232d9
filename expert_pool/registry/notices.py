"""The outbox of notices, how they go out, and to where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from expert_pool.registry.base import Table


class Medium(StrEnum):
    """How a notice leaves the house (电子邮件, 短信, 语音, 文件)."""

    MAIL = "mail"
    SMS = "sms"
    VOICE = "voice"
    FILE = "file"


class AddressForm(StrEnum):
    MAIL = "mail"
    PHONE = "phone"


class DeliveryState(StrEnum):
    """`waiting` until it is `sent`, given up (`dead`), or has nobody to go to any more (`dropped`)."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


_ONE = (
    "(case when account_id is null then 0 else 1 end) + (case when expert_id is null then 0 else 1 end)"
    " + (case when office_id is null then 0 else 1 end) = 1"
)


class ToSomebody:
    """A row about exactly one of: an account, an expert, the office of an organiser."""

    @declared_attr
    def account_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("account.id"))

    @declared_attr
    def expert_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("expert.id"))

    @declared_attr
    def office_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("organiser.id"))


class Notice(ToSomebody, Table):
    """Something that somebody is told, written in the transaction of its cause. `cause` is told once, ever."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(_ONE, name="one"),
        Index("ix_notice_account_id", "account_id", "id"),
        Index("ix_notice_expert_id", "expert_id", "id"),
        Index("ix_notice_office_id", "office_id", "id"),
    )
    code: Mapped[str] = mapped_column(unique=True)
    cause: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    params_sealed: Mapped[bytes | None]
    """What its sentences are made of (JSON); None once it was forgotten."""
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class NoticeItem(Table):
    """One of the causes that a digest tells of; told once, ever, as well."""

    __tablename__ = "notice_item"
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    cause: Mapped[str] = mapped_column(unique=True)


class NoticeDelivery(Table):
    """One notice on one medium. Whoever sends it holds it (`claimed_by`) until `claimed_until`."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "medium"),
        Index("ix_notice_delivery_due", "state", "due_at"),
    )
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    medium: Mapped[Medium]
    state: Mapped[DeliveryState]
    urgent: Mapped[bool]
    """Urgent ones go out in quiet hours too."""
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(default=None)
    claimed_until: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    trouble: Mapped[str | None] = mapped_column(default=None)
    """Why the last attempt failed, as a message id; holds no address."""
    to_sealed: Mapped[bytes | None] = mapped_column(default=None)
    """An address for this delivery alone; None: the recipient's at the time of sending."""


class NoticeAddress(ToSomebody, Table):
    """Where notices for somebody go, sealed; `language` is what they are written in there."""

    __tablename__ = "notice_address"
    __table_args__ = (
        CheckConstraint(_ONE, name="one"),
        UniqueConstraint("account_id", "form"),
        UniqueConstraint("expert_id", "form"),
        UniqueConstraint("office_id", "form"),
    )
    form: Mapped[AddressForm]
    address_sealed: Mapped[bytes | None]
    """None once it was forgotten."""
    language: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class NoticePreference(Table):
    """That an account wants a kind of notice by a medium, or does not; without a row the rules decide."""

    __tablename__ = "notice_preference"
    __table_args__ = (UniqueConstraint("account_id", "kind", "medium"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    medium: Mapped[Medium]
    wanted: Mapped[bool]


class NoticeChannel(Table):
    """The way a medium takes: a mail server, a gateway, a folder. Its settings are sealed: there are secrets in them."""

    __tablename__ = "notice_channel"
    medium: Mapped[Medium] = mapped_column(unique=True)
    enabled: Mapped[bool]
    settings_sealed: Mapped[bytes]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
