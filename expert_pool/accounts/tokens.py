"""API tokens: for programs, narrowed to some rights, with an end, shown once."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.credentials import TOKEN_PREFIX, fresh_token, hashed
from expert_pool.accounts.home import tell
from expert_pool.accounts.rights import Principal, Right
from expert_pool.keys import Key
from expert_pool.registry import ApiToken
from solver.errors import Fault

MOST = 50
"""Tokens of one account that hold at a time."""

LONGEST_DAYS = 366


def make(
    session: Session, key: Key, asks: Principal, name: str, scopes: Collection[Right] | None, days: int
) -> tuple[ApiToken, str]:
    """A token for the one who asks, and its text, which is shown this once.

    `scopes` None: whatever its owner may at the time. A token never gives more than its owner has when it is used.
    Raises Fault `access.password_due`, `access.second_factor_due`, `token.scope_beyond` (a right that the owner has not), `token.days`, `token.too_many`.
    """
    asks.require_nothing_due()
    if not 1 <= days <= LONGEST_DAYS:
        raise Fault("token.days", "days", most=LONGEST_DAYS)
    for right in sorted(scopes or ()):
        if right is Right.OWN_ACCOUNT or not asks.may(right):
            raise Fault("token.scope_beyond", "scopes", right=str(right))
    if len(alive(session, asks.account_id)) >= MOST:
        raise Fault("token.too_many", most=MOST)
    text, now = fresh_token(TOKEN_PREFIX), clock.now()
    token = ApiToken(
        account_id=asks.account_id,
        code=f"T{secrets.token_hex(6)}",
        name=name,
        token_sha256=hashed(text),
        scopes=None if scopes is None else " ".join(sorted(str(right) for right in scopes)),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    payload = {"token": token.code, "scopes": token.scopes, "expires_at": token.expires_at}
    tell(session, asks.organiser_id, asks.actor, "account.token_made", asks.actor, payload, [token])
    from expert_pool.notices.events import token_created  # notices know accounts, not the other way round

    token_created(session, key, asks.account_id, token=token.code)
    return token, text


def alive(session: Session, account_id: int) -> Sequence[ApiToken]:
    """The tokens of an account that still hold, oldest first."""
    return session.scalars(
        select(ApiToken)
        .where(
            ApiToken.account_id == account_id,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > clock.now(),
        )
        .order_by(ApiToken.id)
    ).all()


def revoke(
    session: Session, account_id: int, organiser_id: int | None, actor: str, owner: str, code: str
) -> None:
    """End a token of the account `owner` at once. Raises Fault `token.unknown`."""
    token = next((token for token in alive(session, account_id) if token.code == code), None)
    if token is None:
        raise Fault("token.unknown", code)
    token.revoked_at = clock.now()
    tell(session, organiser_id, actor, "account.token_revoked", owner, {"token": code}, [token])
