"""The tables of the ledger: entries in one hash chain per organiser, and the rows each entry attests.

Also the installation's one row, which knows its key when it sees it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
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
    payload_salt: Mapped[bytes]
    payload_sha256: Mapped[str]
    """Salted hash of the payload, which is not kept here."""
    attested_sha256: Mapped[str]
    """Hash over the attestations that belong to this entry."""
    previous_sha256: Mapped[str]
    sha256: Mapped[str]


class Attestation(Table):
    """The salted hash of one row as it stood when the entry was written. The latest one of a row speaks for
    it.
    """

    __tablename__ = "attestation"
    __table_args__ = (Index("ix_attestation_row", "table", "row_id"),)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    table: Mapped[str]
    row_id: Mapped[int]
    salt: Mapped[bytes]
    sha256: Mapped[str]


class Installation(Table):
    """One row: when this database began, and a keyed hash that tells whether a key is its own."""

    __tablename__ = "installation"
    began_at: Mapped[datetime]
    key_check: Mapped[str]
