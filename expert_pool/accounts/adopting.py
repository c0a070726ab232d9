"""Accounts, roles and tokens from before the ledger attested their rows.

Nothing shows that they are as they were made. Whoever owns the machine looks at them and has the ledger speak for them
from that day on; the entry says so for good, and says nothing of the time before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.accounts.home import home
from expert_pool.ledger.streaming import unattested
from expert_pool.registry import Account, AccountGrant, ApiToken, Attestation, LedgerEntry, Organiser, Table

ACTION = "ledger.adopted"
KINDS: Sequence[type[Table]] = (Account, AccountGrant, ApiToken)
"""The tables that had rows before the ledger spoke for them. Records were attested from the first day: one that no entry
attests was written past the program, and is never adopted."""


@dataclass(frozen=True, slots=True)
class Unattested:
    """A row that no entry attests: whose account, which role or token (of an account's own row: its name), since when,
    and by whom."""

    table: str
    row_id: int
    account: str
    what: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """An entry by which rows were adopted: where it stands, when, who, how many rows."""

    organiser: str
    sequence: int
    at: datetime
    actor: str
    rows: int


def adoptable(session: Session) -> list[Unattested]:
    """The accounts, roles and tokens that no entry attests, by table and id."""
    return [_told(session, table, row_id) for table in KINDS for row_id in unattested(session, table)]


def adopt(session: Session, actor: str) -> list[Unattested]:
    """Attest them, as they stand, by one entry in the installation's chain; what was adopted. Where there is nothing,
    nothing is written."""
    chain = home(session)
    ledger.hold(session, chain)
    found = adoptable(session)
    if found:
        counted = Counter(row.table for row in found)
        ledger.append(
            session,
            organiser_id=chain,
            actor=actor,
            action=ACTION,
            subject=" ".join(f"{table}:{number}" for table, number in sorted(counted.items())),
            payload=dict(counted),
            row_ids={
                table: [row.row_id for row in found if row.table == table.__tablename__] for table in KINDS
            },
        )
    return found


def adoptions(session: Session) -> list[Adopted]:
    """Every entry by which rows were adopted, in the order of writing: a verification reports them."""
    entries = (
        select(Organiser.code, LedgerEntry.sequence, LedgerEntry.at, LedgerEntry.actor, func.count())
        .join(Organiser, Organiser.id == LedgerEntry.organiser_id)
        .join(Attestation, Attestation.entry_id == LedgerEntry.id)
        .where(LedgerEntry.action == ACTION)
        .group_by(Organiser.code, LedgerEntry.id)
        .order_by(LedgerEntry.id)
    )
    return [Adopted(*row) for row in session.execute(entries)]


def _told(session: Session, table: type[Table], row_id: int) -> Unattested:
    row: Any = session.get_one(table, row_id)
    if isinstance(row, Account):
        return Unattested(table.__tablename__, row_id, row.name, row.name, row.created_at, row.created_by)
    account = session.scalar(select(Account.name).where(Account.id == row.account_id)) or ""
    if isinstance(row, AccountGrant):
        return Unattested(table.__tablename__, row_id, account, row.role, row.granted_at, row.granted_by)
    return Unattested(table.__tablename__, row_id, account, row.code, row.created_at, account)
