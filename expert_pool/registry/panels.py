"""Panels as they were decided, and their seats. Seats stay sealed until their time."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table
from expert_pool.registry.experts import Role


class PanelState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REPLACED = "replaced"


class PanelRecord(Table):
    """An assembled panel: the answer (`panel/1`, pseudonyms only), the hash of its problem, who asked and approved."""

    __tablename__ = "panel"
    code: Mapped[str] = mapped_column(unique=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"))
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    state: Mapped[PanelState]
    policy: Mapped[str]
    problem_sha256: Mapped[str]
    problem: Mapped[bytes] = mapped_column(LargeBinary)
    """The problem file, deflated, so that the panel can be replayed."""
    answer: Mapped[str] = mapped_column(Text)
    fileable: Mapped[bool]
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    invitations: Mapped[str | None] = mapped_column(Text, default=None)
    """How its invitations stand (`invitations/1`, pseudonyms only); sealed as the answer is."""
    overrides: Mapped[str | None] = mapped_column(Text, default=None)
    """The decisions that set parameters of its policy otherwise (JSON); None: there were none, or an older panel."""


class Seat(Table):
    """One person's place in a panel. Sealed: who it is may not be read before `open_on` without a ledger entry."""

    __tablename__ = "seat"
    panel_id: Mapped[int] = mapped_column(ForeignKey("panel.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    group: Mapped[str]
    role: Mapped[Role]
    call_order: Mapped[int | None]
    open_on: Mapped[date]
