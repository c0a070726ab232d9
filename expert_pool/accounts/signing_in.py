"""Signing in with name, password and second factor.

Whatever is wrong, the answer is one and the same and takes the same work, so that nobody learns which accounts there
are. An attempt is counted before it is tried (`trouble`), and the password is verified outside every transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts import names, passwords, second_factor, sessions, trouble
from expert_pool.accounts.home import tell, tell_changed
from expert_pool.accounts.trouble import Source
from expert_pool.registry import Account
from expert_pool.store import Store
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Come:
    """Somebody who signed in: the session's token, shown this once, and the cookie by which the browser is known."""

    account: Account
    token: str
    expires_at: datetime
    device: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An attempt: from where (address, device cookie) and with what."""

    name: str
    password: str
    code: str | None
    address: str
    device: str | None


def sign_in(store: Store, asked: Asked, lasts: timedelta = sessions.LASTS) -> Come:
    """Begin a session.

    Raises Fault: `access.sign_in_failed` (whatever was wrong), `access.wait` (too many failures: in `seconds`),
    `access.second_factor` (name and password are right, a code is needed), `access.password_expired` (they are right,
    and were one-time and are too old).
    """
    name = names.normal(asked.name)
    among = trouble.sources(store.key, name, asked.address, asked.device)
    with store.session() as session:
        last = trouble.count(session, among)
        found = session.scalar(select(Account).where(Account.name == name))
    stored = found.password if found is not None and found.disabled_at is None else None
    right = passwords.matches(stored, asked.password)
    with store.session() as session:
        account = _hold(session, found) if right else None
        if account is not None and account.totp_at is not None and asked.code is None:
            trouble.forgive(session, among, wholly=False)  # nobody guessed anything
            incomplete = True
        elif account is not None and _admitted(session, store, account, stored, asked):
            return _begun(session, store, account, asked, among, lasts)
        else:
            incomplete = False
            _burst(session, found, last)
    raise Fault("access.second_factor", "code") if incomplete else Fault("access.sign_in_failed")


def _hold(session: Session, found: Account | None) -> Account | None:
    if found is None:
        return None
    return session.scalars(select(Account).where(Account.id == found.id).with_for_update()).one()


def _admitted(session: Session, store: Store, account: Account, stored: str | None, asked: Asked) -> bool:
    """Whether an account whose password was right may come in: nothing changed meanwhile, and the code is right too."""
    if account.disabled_at is not None or account.password != stored:
        return False
    if account.password_until is not None and account.password_until <= clock.now():
        raise Fault("access.password_expired")
    if account.totp_at is None:
        return True
    return second_factor.holds(session, store.key, account, asked.code or "")


def _begun(
    session: Session, store: Store, account: Account, asked: Asked, among: Sequence[Source], lasts: timedelta
) -> Come:
    trouble.forgive(session, among, wholly=True)
    if account.password is not None and passwords.outdated(account.password):
        account.password = passwords.hash_of(asked.password)
        tell_changed(session, account, account.name, "account.password_rehashed")
    begun = sessions.begin(session, account.id, "password", lasts)
    device = trouble.device_cookie(store.key, account.name)
    return Come(account, begun.token, begun.expires_at, device)


def _burst(session: Session, account: Account | None, last: Sequence[Source]) -> None:
    """Tell the ledger that a source has used up its free failures and must wait from now on."""
    for source in last:
        known = account if source.kind != "address" else None
        subject = known.name if known is not None else source.mark[:16]
        tell(
            session,
            known.organiser_id if known is not None else None,
            "service",
            "sign_in.slowed",
            subject,
            {"source": source.kind, "failures": source.free},
        )
