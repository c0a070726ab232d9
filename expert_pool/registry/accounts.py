"""Accounts, what they were granted, and what they sign in with. Secrets are stored hashed or sealed only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import UNATTESTED, Table


class Account(Table):
    """Somebody or some program that signs in. `name` is what the ledger shows: no personal data belongs in it.

    `organiser_id` is the tenant whose administrators look after it (None: those of the installation). An expert's
    account names its expert, a submitting unit's its employer. Disabled accounts keep their history.
    """

    __tablename__ = "account"
    name: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str] = mapped_column(default="zh")
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organiser.id"))
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("expert.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    password: Mapped[str | None] = mapped_column(default=None)
    """argon2id, with its parameters; None: this account signs in elsewhere (OIDC)."""
    password_at: Mapped[datetime | None] = mapped_column(default=None)
    password_until: Mapped[datetime | None] = mapped_column(default=None)
    """A one-time password works until then, and must be changed before anything else."""
    totp_sealed: Mapped[bytes | None] = mapped_column(default=None)
    totp_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the second factor was confirmed; before that it asks for nothing."""
    totp_step: Mapped[int] = mapped_column(default=0, info={UNATTESTED: True})
    """The last time step whose code was taken: none is taken twice."""


class AccountGrant(Table):
    """A role, for an organiser and those below it, for one committee by delegation, or (neither) for all."""

    __tablename__ = "account_grant"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organiser.id"))
    committee_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"))
    granted_at: Mapped[datetime]
    granted_by: Mapped[str]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_by: Mapped[str | None] = mapped_column(default=None)


class AccountSession(Table):
    """A browser that is signed in. Ends by sign-out, by idleness, or when it `expires_at`."""

    __tablename__ = "account_session"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    method: Mapped[str]
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class ApiToken(Table):
    """A token for programs: never more than its owner's rights, narrowed by `scopes` (words apart by spaces)."""

    __tablename__ = "api_token"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class RecoveryCode(Table):
    """Stands in for the second factor, once."""

    __tablename__ = "recovery_code"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    code_sha256: Mapped[str]
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class SignInTrouble(Table):
    """Failed sign-ins of one source (a keyed hash of account, address or device), and until when it must wait."""

    __tablename__ = "sign_in_trouble"
    source: Mapped[str] = mapped_column(unique=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    until: Mapped[datetime | None]


class OidcLink(Table):
    """A person at an identity provider who is an account here."""

    __tablename__ = "oidc_link"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[datetime]


class OidcInvitation(Table):
    """An administrator's word that whoever brings this code may link their person at `issuer` to the account, once."""

    __tablename__ = "oidc_invitation"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[str]
    code_sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
