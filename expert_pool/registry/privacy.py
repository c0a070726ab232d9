"""What privacy needs to remember: looks, exports, erasures, experts' replies, old search secrets, seals against the host."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Recorded, Table


class ErasureState(StrEnum):
    PROPOSED = "proposed"
    DONE = "done"
    REFUSED = "refused"


class ErasureBasis(StrEnum):
    """Why personal data are to go: the person asked for it, or the time to keep them is over."""

    REQUEST = "request"
    RETENTION = "retention"


class Look(Table):
    """Sealed fields of one expert that were shown in clear: to whom, when, what for. `fields` are words apart by
    spaces. The name of the account is what the ledger shows; the purpose stands only here."""

    __tablename__ = "look"
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    fields: Mapped[str]
    purpose: Mapped[str] = mapped_column(Text)


class Export(Table):
    """Files that left the registry. `serial` stands in each of them; `experts` is a deflated bitmap over the ids of the
    experts they speak of. Not finished: writing began, and whether anything left is not known."""

    __tablename__ = "export"
    serial: Mapped[str] = mapped_column(unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    purpose: Mapped[str] = mapped_column(Text)
    content: Mapped[str]
    form: Mapped[str]
    experts: Mapped[bytes | None]
    finished_at: Mapped[datetime | None]


class ExportFile(Table):
    """One file of an export and the hash of its bytes."""

    __tablename__ = "export_file"
    export_id: Mapped[int] = mapped_column(ForeignKey("export.id"), index=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]


class Erasure(Table):
    """The erasure of an expert's personal data: proposed, then done or refused by somebody who may."""

    __tablename__ = "erasure"
    code: Mapped[str] = mapped_column(unique=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    state: Mapped[ErasureState]
    basis: Mapped[ErasureBasis]
    note: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]


class Reply(Recorded, Table):
    """What an expert answers to a record about them (`about_table`, `about_id`); shown beside it."""

    __tablename__ = "reply"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    about_table: Mapped[str]
    about_id: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


class MarkSecret(Table):
    """The secret that search marks were made with before a key rotation, sealed under the present key.

    Kept while an erased expert's mark, whose ID is gone, can only be recognised with it.
    """

    __tablename__ = "mark_secret"
    secret_sealed: Mapped[bytes]
    retired_at: Mapped[datetime]


class Supervisor(Table):
    """Somebody who holds a private key of their own, so that seals need several people to open."""

    __tablename__ = "supervisor"
    code: Mapped[str] = mapped_column(unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    public_key: Mapped[str]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]


class HostSeal(Table):
    """Who sits in a panel, closed under a key that `needed` supervisors' shares make together."""

    __tablename__ = "host_seal"
    panel_id: Mapped[int] = mapped_column(ForeignKey("panel.id"), unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    needed: Mapped[int]
    commitment: Mapped[str]
    content: Mapped[bytes]
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    opened_by: Mapped[str | None]


class SealShare(Table):
    """One supervisor's share of a seal's key: `box` opens with their private key only, `share_sha256`
    tells the right share from others; `released` once they gave it."""

    __tablename__ = "seal_share"
    __table_args__ = (UniqueConstraint("seal_id", "number"),)
    seal_id: Mapped[int] = mapped_column(ForeignKey("host_seal.id"), index=True)
    supervisor_id: Mapped[int] = mapped_column(ForeignKey("supervisor.id"), index=True)
    number: Mapped[int]
    share_sha256: Mapped[str]
    box: Mapped[bytes]
    released: Mapped[bytes | None]
    released_at: Mapped[datetime | None]
