"""The tables of the ledger: entries in one hash chain per organiser, and the rows each entry attests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class LedgerEntry(Table):
    """One decision. Holds ids and hashes only, never personal data, so that erasure does not break the chain."""

    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("organiser_id", "sequence"),)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"))
    sequence: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    payload_sha256: Mapped[str]
    previous_sha256: Mapped[str]
    sha256: Mapped[str]


class Attestation(Table):
    """The salted hash of one row as it stood when the entry was written."""

    __tablename__ = "attestation"
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    table: Mapped[str]
    row_id: Mapped[int]
    salt: Mapped[bytes]
    sha256: Mapped[str]
