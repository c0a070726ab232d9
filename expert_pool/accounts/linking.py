"""Accounts that sign in at an identity provider: known by issuer and subject, linked only by invitation.

Nothing the provider says about a person (name, e-mail) ever finds an account: an administrator invites an account, and
whoever brings that invitation's code through a sign-in at the invited provider is linked to it, once.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts import sessions
from expert_pool.accounts.credentials import fresh_code, hashed, typed
from expert_pool.accounts.home import tell
from expert_pool.accounts.managing import not_own
from expert_pool.registry import Account, OidcInvitation, OidcLink
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault

INVITED = timedelta(days=7)
"""How long an invitation holds."""


def invite(session: Session, viewer: Viewer, account: Account, issuer: str) -> str:
    """A code with which one person at `issuer` may link themselves to the account; shown this once.

    Raises Fault `account.own`.
    """
    not_own(viewer, account)
    code, now = fresh_code(6), clock.now()
    session.add(
        OidcInvitation(
            account_id=account.id,
            issuer=issuer,
            code_sha256=hashed(typed(code)),
            created_at=now,
            expires_at=now + INVITED,
        )
    )
    payload = {"issuer": issuer, "expires_at": now + INVITED}
    tell(session, account.organiser_id, viewer.actor, "account.invited", account.name, payload)
    return code


def unlink(session: Session, viewer: Viewer, account: Account) -> None:
    """No person at a provider is this account any more; its sessions end. Raises Fault `account.own`."""
    not_own(viewer, account)
    session.execute(delete(OidcLink).where(OidcLink.account_id == account.id))
    sessions.end(session, account.id)
    tell(session, account.organiser_id, viewer.actor, "account.unlinked", account.name, {})


def sign_in_linked(
    store: Store, issuer: str, subject: str, invitation: str | None, lasts: timedelta = sessions.LASTS
) -> sessions.Begun:
    """Begin a session for the person whom the provider vouches for; with an invitation, link them first.

    Raises Fault `access.not_linked` (nobody here, or disabled), `access.invitation_bad` (used, too old, for another
    provider, or the person is linked already).
    """
    with store.session() as session:
        if invitation is not None:
            _link(session, issuer, subject, invitation)
        found = select(Account).join(OidcLink, OidcLink.account_id == Account.id)
        account = session.scalar(
            found.where(OidcLink.issuer == issuer, OidcLink.subject == subject, Account.disabled_at.is_(None))
        )
        if account is None:
            raise Fault("access.not_linked")
        return sessions.begin(session, account.id, "oidc", lasts)


def _link(session: Session, issuer: str, subject: str, code: str) -> None:
    wanted = OidcInvitation.code_sha256 == hashed(typed(code)), OidcInvitation.issuer == issuer
    invited = session.scalar(select(OidcInvitation).where(*wanted).with_for_update())
    now = clock.now()
    if invited is None or invited.used_at is not None or invited.expires_at <= now:
        raise Fault("access.invitation_bad")
    account = session.get_one(Account, invited.account_id)
    if account.disabled_at is not None:
        raise Fault("access.invitation_bad")
    invited.used_at = now
    session.add(OidcLink(account_id=account.id, issuer=issuer, subject=subject, linked_at=now))
    try:
        session.flush()
    except IntegrityError:
        raise Fault("access.invitation_bad") from None
    tell(session, account.organiser_id, account.name, "account.linked", account.name, {"issuer": issuer})
