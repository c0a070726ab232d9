"""Roles given and taken, within the giver's own reach and never joining what must be apart."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts import managing, separation
from expert_pool.accounts.home import tell
from expert_pool.accounts.rights import ALONE, DELEGABLE, TIED, Role
from expert_pool.accounts.separation import Held
from expert_pool.registry import Account, AccountGrant, Committee
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


def grant(
    session: Session,
    viewer: Viewer,
    account: Account,
    role: Role,
    *,
    organiser: str | None = None,
    committee: str | None = None,
) -> AccountGrant:
    """Give an account a role: for an organiser (its code) and those below it, for one committee by delegation, or for
    all.

    Raises Fault: `account.own`, `account.organiser_needed`, `account.organiser_unknown`, `account.committee_unknown`,
    `account.not_delegable`, `account.not_tied` (the role stands for an expert or employer and the account for none),
    `account.tied` (the account does, and the role is another), `account.granted_already`, `access.duties_joined`.
    """
    managing.not_own(viewer, account)
    separation.hold(session)
    _fits(account, role)
    committee_id = home = None
    if committee is not None:
        if role not in DELEGABLE:
            raise Fault("account.not_delegable", str(role), role=str(role))
        if organiser is not None:
            raise Fault("account.two_places", account.name)
        committee_id, home = _committee(session, viewer, committee)
        organiser_id = None
    else:
        organiser_id = home = managing.organiser_of(session, viewer, organiser)
    new = Held(role, organiser_id, committee_id)
    before = [
        Held(Role(held.role), held.organiser_id, held.committee_id)
        for held in managing.grants_of(session, account)
    ]
    if new in before:
        raise Fault("account.granted_already", account.name, role=str(role))
    separation.require_apart(session, account.name, [*before, new])
    made = AccountGrant(
        account_id=account.id,
        code=f"G{secrets.token_hex(6)}",
        role=str(role),
        organiser_id=organiser_id,
        committee_id=committee_id,
        granted_at=clock.now(),
        granted_by=viewer.actor,
    )
    session.add(made)
    session.flush()
    payload = {"role": str(role), "organiser": organiser, "committee": committee, "grant": made.code}
    tell(session, home, viewer.actor, "account.granted", account.name, payload, [made])
    return made


def apart_from(role: Role) -> list[Role]:
    """The roles that must not be in one hand with this one: anywhere, or where both touch one committee."""
    others = (other for other in Role if other is not role)
    return [other for other in others if {role, other} & ALONE or separation.apart(role, other)]


def revoke(session: Session, viewer: Viewer, account: Account, code: str) -> None:
    """Take a role away; it counts at the next request. Raises Fault `account.grant_unknown`, `account.own`,
    `account.last_administrator`."""
    managing.not_own(viewer, account)
    separation.hold(session)
    held = next((held for held in managing.grants_of(session, account) if held.code == code), None)
    if held is None:
        raise Fault("account.grant_unknown", code)
    managing.keep_an_administrator(session, but_grant=held.id)
    held.revoked_at, held.revoked_by = clock.now(), viewer.actor
    home = held.organiser_id
    if held.committee_id is not None:
        home = session.scalars(select(Committee.organiser_id).where(Committee.id == held.committee_id)).one()
    payload = {"role": held.role, "grant": held.code}
    tell(session, home, viewer.actor, "account.revoked", account.name, payload, [held])


def _fits(account: Account, role: Role) -> None:
    tie = next((role for role, field in TIED.items() if getattr(account, field) is not None), None)
    if role in TIED and getattr(account, TIED[role]) is None:
        raise Fault("account.not_tied", account.name, role=str(role))
    if tie is not None and role is not tie:
        raise Fault("account.tied", account.name, role=str(role))


def _committee(session: Session, viewer: Viewer, code: str) -> tuple[int, int]:
    wanted = select(Committee.id, Committee.organiser_id).where(
        Committee.code == code, *visible(viewer, Committee)
    )
    row = session.execute(wanted).first()
    if row is None:
        raise Fault("account.committee_unknown", code)
    return row.id, row.organiser_id
