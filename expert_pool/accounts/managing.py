"""Accounts under their administrators' hands: made, listed, disabled, reset. Every act is on the ledger.

An administrator of an organiser looks after the accounts of its subtree whose roles all lie in it; for the rest there
is no such account. `viewer` is the administrator's, for `accounts.manage`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts import names, passwords, second_factor, sessions, trouble
from expert_pool.accounts.home import tell, tell_changed
from expert_pool.accounts.rights import Role
from expert_pool.keys import Key
from expert_pool.registry import Account, AccountGrant, ApiToken, Employer, Expert, OidcInvitation, Organiser
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

ONE_TIME = timedelta(days=7)
"""How long a one-time password works."""


@dataclass(frozen=True, slots=True)
class Made:
    """An account just made, and its one-time password (None: it signs in elsewhere)."""

    account: Account
    password: str | None


def create(
    session: Session,
    viewer: Viewer,
    name: str,
    *,
    organiser: str | None = None,
    expert: str | None = None,
    employer: str | None = None,
    language: str = "zh",
    with_password: bool = True,
) -> Made:
    """Make an account without roles. `organiser`, `expert` and `employer` are codes: its tenant, and whom it stands for.

    Raises Fault: `account.name_malformed`, `account.name_taken`, `account.organiser_needed` (an administrator of a
    tenant names one), `account.organiser_unknown`, `account.expert_unknown`, `account.employer_unknown`,
    `account.tied_twice`.
    """
    said = names.check(name)
    if expert is not None and employer is not None:
        raise Fault("account.tied_twice", said)
    organiser_id = organiser_of(session, viewer, organiser)
    expert_id = _tied(session, Expert, expert, "account.expert_unknown")
    employer_id = _tied(session, Employer, employer, "account.employer_unknown")
    if session.scalar(select(Account.id).where(Account.name == said)) is not None:
        raise Fault("account.name_taken", said)
    password = passwords.one_time() if with_password else None
    account = Account(
        name=said,
        language=language,
        organiser_id=organiser_id,
        expert_id=expert_id,
        employer_id=employer_id,
        created_at=clock.now(),
        created_by=viewer.actor,
    )
    if password is not None:
        _one_time(account, password)
    session.add(account)
    session.flush()
    payload = {"organiser": organiser, "expert": expert, "employer": employer}
    tell_changed(session, account, viewer.actor, "account.created", payload)
    return Made(account, password)


def organiser_of(session: Session, viewer: Viewer, code: str | None) -> int | None:
    """The id of an organiser the administrator may act for. None stands for the installation.

    Raises Fault `account.organiser_needed`, `account.organiser_unknown`.
    """
    if code is None:
        if viewer.organisers is not None:
            raise Fault("account.organiser_needed", "organiser")
        return None
    found = session.scalar(select(Organiser.id).where(Organiser.code == code, *visible(viewer, Organiser)))
    if found is None:
        raise Fault("account.organiser_unknown", code)
    return found


def find(session: Session, viewer: Viewer, name: str, *, writing: bool = False) -> Account:
    """An account of the administrator's, by name; `writing` holds its row. Raises Fault `account.unknown`."""
    wanted = select(Account).where(Account.name == names.normal(name), *_mine(viewer))
    account = session.scalar(wanted.with_for_update(of=Account) if writing else wanted)
    if account is None:
        raise Fault("account.unknown", name)
    return account


def listing(viewer: Viewer, search: str = "") -> Select[Account]:
    """The administrator's accounts that hold `search` in their name, in no order yet."""
    wanted = select(Account).where(*_mine(viewer))
    return wanted.where(Account.name.contains(names.normal(search), autoescape=True)) if search else wanted


def grants_of(session: Session, account: Account) -> Sequence[AccountGrant]:
    """The roles that an account holds, in the order they were granted."""
    held = AccountGrant.account_id == account.id, AccountGrant.revoked_at.is_(None)
    return session.scalars(select(AccountGrant).where(*held).order_by(AccountGrant.id)).all()


def speak(session: Session, viewer: Viewer, account: Account, language: str) -> None:
    """The language an account is spoken to in."""
    account.language = language
    tell_changed(session, account, viewer.actor, "account.language_set", {"language": language})


def disable(session: Session, viewer: Viewer, account: Account) -> None:
    """Nobody signs in as it any more; its sessions and tokens end at once.

    Raises Fault `account.last_administrator`, `account.own`.
    """
    not_own(viewer, account)
    if account.disabled_at is not None:
        return
    keep_an_administrator(session, but_account=account.id)
    account.disabled_at = clock.now()
    tokens = _cut(session, account)
    tell_changed(session, account, viewer.actor, "account.disabled", also=tokens)


def enable(session: Session, viewer: Viewer, account: Account) -> None:
    """Let a disabled account sign in again."""
    if account.disabled_at is not None:
        account.disabled_at = None
        tell_changed(session, account, viewer.actor, "account.enabled")


def reset_password(session: Session, viewer: Viewer, key: Key, account: Account) -> str:
    """A new one-time password; whoever is signed in, and every token, is cut off. Returns the password.

    Raises Fault `account.own`: the own password is changed, not reset.
    """
    not_own(viewer, account)
    password = passwords.one_time()
    _one_time(account, password)
    tokens = _cut(session, account)
    trouble.forget(session, key, account.name)
    tell_changed(session, account, viewer.actor, "account.password_reset", also=tokens)
    from expert_pool.notices.events import password_reset  # notices know accounts, not the other way round

    password_reset(session, key, account.id, by=viewer.actor)
    return password


def reset_second_factor(session: Session, viewer: Viewer, account: Account) -> None:
    """Take the second factor away from somebody who lost it; the sessions end. Raises Fault `account.own`."""
    not_own(viewer, account)
    second_factor.put_off(session, account)
    sessions.end(session, account.id)
    tell_changed(session, account, viewer.actor, "account.second_factor_reset")


def sign_out(session: Session, viewer: Viewer, account: Account) -> int:
    """End every session of an account; how many there were."""
    ended = sessions.end(session, account.id)
    tell(session, account.organiser_id, viewer.actor, "account.signed_out", account.name, {"ended": ended})
    return ended


def keep_an_administrator(
    session: Session, *, but_account: int | None = None, but_grant: int | None = None
) -> None:
    """Raise Fault `account.last_administrator` unless the whole installation has another administrator."""
    all_over = (
        select(func.count(AccountGrant.id))
        .join(Account, Account.id == AccountGrant.account_id)
        .where(
            Account.disabled_at.is_(None),
            AccountGrant.role == Role.ADMINISTRATOR,
            AccountGrant.organiser_id.is_(None),
            AccountGrant.revoked_at.is_(None),
        )
    )
    gone = AccountGrant.account_id == but_account if but_grant is None else AccountGrant.id == but_grant
    if session.scalar(all_over.where(gone)) and not session.scalar(all_over.where(~gone)):
        raise Fault("account.last_administrator")


def not_own(viewer: Viewer, account: Account) -> None:
    """Raise Fault `account.own` where administrators would act on themselves."""
    if viewer.organisers is None and account.name != viewer.actor:
        return
    if account.name == viewer.actor:
        raise Fault("account.own", account.name)


def _mine(viewer: Viewer) -> list[ColumnElement[bool]]:
    if viewer.organisers is None:
        return []
    inside = viewer.organisers
    wider = select(AccountGrant.account_id).where(
        AccountGrant.revoked_at.is_(None),
        AccountGrant.organiser_id.is_(None) | AccountGrant.organiser_id.not_in(inside),
    )
    return [Account.organiser_id.in_(inside), Account.id.not_in(wider)]


def _tied(
    session: Session, table: type[Expert] | type[Employer], code: str | None, unknown: str
) -> int | None:
    if code is None:
        return None
    found: int | None = session.scalar(select(table.id).where(table.code == code))
    if found is None:
        raise Fault(unknown, code)
    return found


def _one_time(account: Account, password: str) -> None:
    account.password, account.password_at = passwords.hash_of(password), clock.now()
    account.password_until = clock.now() + ONE_TIME


def _cut(session: Session, account: Account) -> Sequence[ApiToken]:
    """End what an account is signed in with: sessions, tokens, invitations. Returns the tokens that it ended."""
    sessions.end(session, account.id)
    now = clock.now()
    holding = ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None)
    tokens = session.scalars(select(ApiToken).where(*holding).order_by(ApiToken.id)).all()
    for token in tokens:
        token.revoked_at = now
    open_ = OidcInvitation.account_id == account.id, OidcInvitation.used_at.is_(None)
    session.execute(update(OidcInvitation).where(*open_).values(used_at=now))
    return tokens
