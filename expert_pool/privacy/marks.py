"""Recognising a person by a mark whose text is gone.

Erasing an expert under a ban removes the national ID and leaves its mark, so that nobody returns under another code. A
key rotation cannot make that mark anew; it keeps the secret the mark was made with, sealed under the new key.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.keys import Key, mark_under
from expert_pool.registry import Expert, MarkSecret

Marker = Callable[[str], str]


def marker(session: Session, key: Key) -> Marker:
    """A function that gives the mark under which the registry knows a national ID or phone: the present one, or for an
    erased expert the one that was left. Use it wherever something typed in is looked up.
    """
    secrets = [
        base64.b64decode(key.open(sealed)) for sealed in session.scalars(select(MarkSecret.secret_sealed))
    ]
    if not secrets:
        return key.mark
    left: set[str | None] = set(session.scalars(_orphaned()))

    def mark(text: str) -> str:
        for secret in secrets:
            if (old := mark_under(secret, text)) in left:
                return old
        return key.mark(text)

    return mark


def keep_secret(session: Session, old: Key, new: Key) -> bool:
    """At a rotation: keep the old key's mark secret if a mark without its text needs it. The caller has sealed anew
    those kept before. Says whether it was kept."""
    if session.scalar(_orphaned().limit(1)) is None:
        return False
    secret = base64.b64encode(old.mark_secret()).decode("ascii")
    session.add(MarkSecret(secret_sealed=new.seal(secret), retired_at=clock.now()))
    session.flush()
    return True


def _orphaned() -> Select[str | None]:
    """The marks whose text is gone."""
    return select(Expert.national_id_mark).where(
        Expert.national_id_mark.is_not(None), Expert.national_id_sealed.is_(None)
    )
