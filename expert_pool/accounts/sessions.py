"""Signed-in browsers: an opaque token in a cookie, hashed in the database, ended by idleness, age or sign-out."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.credentials import fresh_token, hashed, keyed
from expert_pool.accounts.principals import IDLE, accounts_changed
from expert_pool.engines import read_only
from expert_pool.keys import Key
from expert_pool.registry import AccountSession
from expert_pool.store import Store

LASTS = timedelta(hours=12)
"""The longest that a session lasts, used or not."""

KEPT = timedelta(days=30)
"""How long an ended session stays on the list of its account."""

_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session just begun. `token` is shown this once."""

    token: str
    expires_at: datetime


def begin(session: Session, account_id: int, method: str, lasts: timedelta = LASTS) -> Begun:
    """Begin a session with a fresh token; whatever token the browser had before means nothing to it.

    Rows of sessions that ended long ago are cleared away.
    """
    token, now = fresh_token(), clock.now()
    old = AccountSession.expires_at < now - KEPT
    session.execute(delete(AccountSession).where(AccountSession.account_id == account_id, old))
    session.add(
        AccountSession(
            account_id=account_id,
            token_sha256=hashed(token),
            method=method,
            began_at=now,
            seen_at=now,
            expires_at=now + lasts,
        )
    )
    session.flush()
    return Begun(token, now + lasts)


def csrf(key: Key, token: str) -> str:
    """What a page sends along (X-CSRF-Token) to show that it can read what the session was told."""
    return keyed(key, "csrf", token)


def csrf_holds(key: Key, token: str, said: str | None) -> bool:
    """Whether `said` is the session's own."""
    return said is not None and hmac.compare_digest(
        csrf(key, token).encode(), said.encode("utf-8", "replace")
    )


def alive(session: Session, account_id: int, idle: timedelta = IDLE) -> Sequence[AccountSession]:
    """The sessions of an account that still hold, newest first."""
    now = clock.now()
    return session.scalars(
        select(AccountSession)
        .where(
            AccountSession.account_id == account_id,
            AccountSession.ended_at.is_(None),
            AccountSession.expires_at > now,
            AccountSession.seen_at > now - idle,
        )
        .order_by(AccountSession.id.desc())
    ).all()


def end(session: Session, account_id: int, *, only: int | None = None, but: int | None = None) -> int:
    """End the sessions of an account: all, `only` one, or all `but` one. Returns how many ended."""
    accounts_changed(session)
    ending = update(AccountSession).where(
        AccountSession.account_id == account_id, AccountSession.ended_at.is_(None)
    )
    if only is not None:
        ending = ending.where(AccountSession.id == only)
    if but is not None:
        ending = ending.where(AccountSession.id != but)
    ended = session.execute(ending.values(ended_at=clock.now()).returning(AccountSession.id))
    return len(ended.all())


def end_token(store: Store, token: str) -> None:
    """End the session of a token, if it is one: another sign-in in the same browser takes its place."""
    with store.session() as session:
        accounts_changed(session)
        mine = AccountSession.token_sha256 == hashed(token), AccountSession.ended_at.is_(None)
        session.execute(update(AccountSession).where(*mine).values(ended_at=clock.now()))


def seen(store: Store, session_id: int, seen_at: datetime) -> None:
    """Note that a session is in use, at most once a minute and never waiting for another writer.

    On SQLite a long write of somebody else's must not hold up reading: then the next request notes it.
    """
    now = clock.now()
    if now - seen_at < _SEEN_EVERY:
        return
    if store.engine.dialect.name != "sqlite":
        with store.session() as session:
            session.execute(update(AccountSession).where(AccountSession.id == session_id).values(seen_at=now))
        return
    _seen_at_once(store, session_id, now)


def _seen_at_once(store: Store, session_id: int, now: datetime) -> None:
    import sqlite3

    with closing(store.engine.raw_connection()) as opened:
        cursor = opened.cursor()
        waits = cursor.execute("pragma busy_timeout").fetchone()[0]
        stamp = now.replace(tzinfo=None).isoformat(" ", "microseconds")
        try:
            cursor.execute("pragma busy_timeout = 0")
            read_only(cursor, opened.info, False)
            cursor.execute("update account_session set seen_at = ? where id = ?", (stamp, session_id))
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        finally:
            cursor.execute(f"pragma busy_timeout = {waits:d}")
            cursor.close()
