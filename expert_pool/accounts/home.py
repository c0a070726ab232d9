"""Whose chain of the ledger tells what happens to accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.accounts.principals import accounts_changed
from expert_pool.registry import Account, Organiser, Table
from expert_pool.viewer import INSTALLATION


def home(session: Session) -> int:
    """The id of the organiser that stands for the installation; made at first use.

    It owns no pool, no committee and no record, is above nobody, and no viewer is shown it as an organiser. Its chain
    tells what concerns no organiser in particular.
    """
    known = select(Organiser.id).where(Organiser.code == INSTALLATION)
    found = session.scalar(known)
    if found is None:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        row = dialect.insert(Organiser).values(code=INSTALLATION, name=INSTALLATION, parent_id=None)
        session.execute(row.on_conflict_do_nothing(index_elements=["code"]))
        found = session.scalars(known).one()
    return found


def tell(
    session: Session,
    organiser_id: int | None,
    actor: str,
    action: str,
    subject: str,
    payload: Mapping[str, Any],
    rows: Iterable[Table] = (),
) -> None:
    """One entry in the chain of an organiser, or (None) of the installation, about what an account is or may."""
    accounts_changed(session)
    ledger.append(
        session,
        organiser_id=home(session) if organiser_id is None else organiser_id,
        actor=actor,
        action=action,
        subject=subject,
        payload=payload,
        rows=rows,
    )


def tell_changed(
    session: Session,
    account: Account,
    actor: str,
    action: str,
    payload: Mapping[str, Any] | None = None,
    also: Iterable[Table] = (),
) -> None:
    """The same in the account's own chain, about a change to its row, which the entry attests, and `also` others."""
    tell(session, account.organiser_id, actor, action, account.name, payload or {}, [account, *also])
