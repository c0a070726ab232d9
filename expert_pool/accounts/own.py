"""What somebody does to the own account: password, second factor. Each asks for the password again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts import passwords, second_factor, sessions, trouble
from expert_pool.accounts.home import tell, tell_changed
from expert_pool.registry import Account
from expert_pool.store import Store
from solver.errors import Fault


def held(session: Session, account_id: int) -> Account:
    """The account, its row held until the transaction ends. Raises Fault `access.unknown`."""
    account = session.scalar(select(Account).where(Account.id == account_id).with_for_update())
    if account is None or account.disabled_at is not None:
        raise Fault("access.unknown")
    return account


def prove(store: Store, account_id: int, password: str, where: str = "password") -> None:
    """Somebody at an open session shows that they know the password, which came in the field `where`.

    Raises Fault `access.password_wrong`; `access.wait` after too many; `account.no_password` where it has none.
    """
    with store.session() as session:
        account = held(session, account_id)
        if account.password is None:
            raise Fault("account.no_password")
        among = [trouble.Source("proof", str(account_id), 10)]
        trouble.count(session, among)
        stored = account.password
    if not passwords.matches(stored, password):
        raise Fault("access.password_wrong", where)
    with store.session() as session:
        trouble.forgive(session, among, wholly=True)


def change_password(
    store: Store, account_id: int, old: str, new: str, lasts: timedelta = sessions.LASTS
) -> sessions.Begun:
    """A new password; every session ends, and a new one begins for whoever changed it. Raises Fault as `prove` and `passwords.check`, and `password.same`."""
    prove(store, account_id, old, "old")
    if passwords.normal(old) == passwords.normal(new):
        raise Fault("password.same", "new")
    with store.reading() as session:
        name = session.scalars(select(Account.name).where(Account.id == account_id)).one()
    passwords.check(name, new, "new")
    made = passwords.hash_of(new)
    with store.session() as session:
        account = held(session, account_id)
        account.password, account.password_at, account.password_until = made, clock.now(), None
        sessions.end(session, account_id)
        tell_changed(session, account, account.name, "account.password_changed")
        return sessions.begin(session, account_id, "password", lasts)


def begin_second_factor(store: Store, account_id: int, password: str) -> str:
    """A new secret as an `otpauth:` address. Raises Fault as `prove`, `second_factor.already`."""
    prove(store, account_id, password)
    with store.session() as session:
        account = held(session, account_id)
        address = second_factor.enrol(store.key, account)
        tell_changed(session, account, account.name, "account.second_factor_begun")
        return address


def confirm_second_factor(store: Store, account_id: int, session_id: int, code: str) -> list[str]:
    """Turn it on; all other sessions end. Returns recovery codes. Raises Fault as `second_factor.confirm`."""
    among = [trouble.Source("confirm", str(account_id), 10)]
    with store.session() as session:
        trouble.count(session, among)
    with store.session() as session:
        account = held(session, account_id)
        codes = second_factor.confirm(session, store.key, account, code)
        trouble.forgive(session, among, wholly=True)
        sessions.end(session, account_id, but=session_id)
        tell_changed(session, account, account.name, "account.second_factor_set")
    return codes


def new_recovery_codes(store: Store, account_id: int, password: str) -> list[str]:
    """Recovery codes anew. Raises Fault as `prove`, `second_factor.none`."""
    prove(store, account_id, password)
    with store.session() as session:
        account = held(session, account_id)
        if account.totp_at is None:
            raise Fault("second_factor.none")
        tell(session, account.organiser_id, account.name, "account.recovery_codes_made", account.name, {})
        return second_factor.recovery_codes(session, account)


def put_off_second_factor(store: Store, account_id: int, session_id: int, password: str) -> None:
    """Take it away; all other sessions end. Raises Fault as `prove`."""
    prove(store, account_id, password)
    with store.session() as session:
        account = held(session, account_id)
        second_factor.put_off(session, account)
        sessions.end(session, account_id, but=session_id)
        tell_changed(session, account, account.name, "account.second_factor_put_off")
