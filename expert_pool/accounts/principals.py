"""From a credential to who asks: one statement, which checks that nothing is expired, ended, revoked or disabled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    Row,
    Select,
    String,
    and_,
    bindparam,
    event,
    exists,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.accounts.credentials import hashed
from expert_pool.accounts.rights import Due, Grant, Principal, Right, Role
from expert_pool.registry import (
    Account,
    AccountGrant,
    AccountSession,
    ApiToken,
    Filing,
    FilingKind,
    Organiser,
)
from expert_pool.registry.base import Moment
from solver.errors import Fault

Credential = Literal["account", "session", "token"]

IDLE = timedelta(minutes=30)
"""How long a session lasts that nobody uses."""


_CHANGED = "expert_pool_accounts_changed"
_epochs = count(1)
_epoch = 0


def epoch() -> int:
    """A number that changes whenever this process has changed what principals may; who keeps any compares it."""
    return _epoch


def accounts_changed(session: Session) -> None:
    """Say that this transaction changes what some principal may."""
    session.info[_CHANGED] = True


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    global _epoch
    if session.info.pop(_CHANGED, False):
        _epoch = next(_epochs)


@dataclass(frozen=True, slots=True)
class Signed:
    """A principal and the credential behind it. `id`: of the session or token."""

    principal: Principal
    id: int
    seen_at: datetime | None


def principal_of(session: Session, account_id: int) -> Principal:
    """The principal of an account with all its rights as they stand now, for work done on its behalf.

    Raises Fault `access.unknown` when the account is not there any more, or disabled.
    """
    rows = _ask(session, "account", {"account": account_id})
    if not rows:
        raise Fault("access.unknown")
    return _principal(rows)


def by_session(
    session: Session, token: str, *, idle: timedelta = IDLE, second_factor: bool = False
) -> Signed | None:
    """Whose session this is; None when it is nobody's any more. With `second_factor`, one is due where there is none."""
    rows = _ask(session, "session", {"token": hashed(token), "idle": clock.now() - idle})
    if not rows:
        return None
    due: Due | None = None
    if rows[0].password_until is not None:
        due = "password"
    elif second_factor and rows[0].totp_at is None and rows[0].method == "password":
        due = "second_factor"
    return Signed(_principal(rows, due=due), rows[0].credential, rows[0].seen_at)


def by_token(session: Session, token: str) -> Signed | None:
    """Whose API token this is; None when it is nobody's any more."""
    rows = _ask(session, "token", {"token": hashed(token)})
    if not rows:
        return None
    said = rows[0].scopes
    scopes = frozenset(Right) if said is None else frozenset(Right(word) for word in said.split())
    return Signed(_principal(rows, scopes=scopes - {Right.OWN_ACCOUNT}), rows[0].credential, None)


def _ask(session: Session, by: Credential, values: dict[str, Any]) -> Sequence[Row[Any]]:
    values |= {"now": clock.now(), "today": clock.today()}
    return session.execute(_statement(by), values).all()


def _principal(
    rows: Sequence[Row[Any]], *, scopes: frozenset[Right] | None = None, due: Due | None = None
) -> Principal:
    account = rows[0]
    held: dict[int, tuple[Row[Any], set[int]]] = {}
    for row in rows:
        if row.grant_id is not None:
            reached = held.setdefault(row.grant_id, (row, set()))[1]
            if row.reached is not None:
                reached.add(row.reached)
    return Principal(
        account_id=account.account_id,
        actor=account.name,
        grants=tuple(_grant(row, reached) for row, reached in held.values()),
        scopes=scopes,
        expert_id=account.expert_id,
        employer_id=account.employer_id,
        language=account.language,
        due=due,
        organiser_id=account.home_id,
    )


def _grant(row: Row[Any], reached: set[int]) -> Grant:
    role = Role(row.role)
    if row.committee_id is not None:
        return Grant(role, None, frozenset(), frozenset({row.committee_id}))
    if row.organiser_id is None:
        return Grant(role, None, None)
    return Grant(role, row.organiser_id, frozenset(reached))


@cache
def _statement(by: Credential) -> Select[Any]:
    """Rows of account x grant x organiser reached; bound: token or account, now, today, idle."""
    who = _credential(by).cte("who")
    filed = exists().where(
        Filing.committee_id == AccountGrant.committee_id,
        Filing.kind == FilingKind.COMMITTEE,
        records.current(Filing, bindparam("today")),
        Filing.until >= bindparam("today"),
    )
    held = (
        select(
            AccountGrant.id, AccountGrant.role, AccountGrant.organiser_id, AccountGrant.committee_id
        ).where(
            AccountGrant.account_id == select(who.c.account_id).scalar_subquery(),
            AccountGrant.revoked_at.is_(None),
            or_(AccountGrant.committee_id.is_(None), filed),
        )
    ).cte("held")
    reach = reaching(held)
    return (
        select(
            Account.id.label("account_id"),
            Account.name,
            Account.language,
            Account.expert_id,
            Account.employer_id,
            Account.organiser_id.label("home_id"),
            Account.password_until,
            Account.totp_at,
            who.c.credential,
            who.c.seen_at,
            who.c.scopes,
            who.c.method,
            held.c.id.label("grant_id"),
            held.c.role,
            held.c.organiser_id,
            held.c.committee_id,
            reach.c.organiser_id.label("reached"),
        )
        .select_from(who)
        .join(Account, and_(Account.id == who.c.account_id, Account.disabled_at.is_(None)))
        .outerjoin(held, true())
        .outerjoin(reach, reach.c.grant_id == held.c.id)
        .order_by(held.c.id)
    )


def reaching(held: CTE) -> CTE:
    """The organisers (`organiser_id`) that each grant of `held` (`id`, `organiser_id`) reaches down the tree."""
    start = select(held.c.id.label("grant_id"), held.c.organiser_id.label("organiser_id"))
    reach = start.where(held.c.organiser_id.is_not(None)).cte("reach", recursive=True)
    below = select(reach.c.grant_id, Organiser.id).join(
        Organiser, Organiser.parent_id == reach.c.organiser_id
    )
    return reach.union(below)  # not `union_all`: a tree that loops must not


def _credential(by: Credential) -> Select[Any]:
    now = bindparam("now", type_=Moment())
    none: Any = null()
    if by == "account":
        return select(
            Account.id.label("account_id"),
            literal(0).label("credential"),
            none.label("seen_at"),
            none.label("scopes"),
            literal("account", String()).label("method"),
        ).where(Account.id == bindparam("account"))
    if by == "token":
        return select(
            ApiToken.account_id,
            ApiToken.id.label("credential"),
            none.label("seen_at"),
            ApiToken.scopes,
            literal("token", String()).label("method"),
        ).where(
            ApiToken.token_sha256 == bindparam("token"),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
        )
    return select(
        AccountSession.account_id,
        AccountSession.id.label("credential"),
        AccountSession.seen_at,
        none.label("scopes"),
        AccountSession.method,
    ).where(
        AccountSession.token_sha256 == bindparam("token"),
        AccountSession.ended_at.is_(None),
        AccountSession.expires_at > now,
        AccountSession.seen_at > bindparam("idle", type_=Moment()),
    )
