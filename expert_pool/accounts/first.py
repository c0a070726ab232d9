"""The first account of an installation."""

from __future__ import annotations

from sqlalchemy import select

from expert_pool.accounts import granting, managing, separation
from expert_pool.accounts.rights import Role
from expert_pool.registry import Account
from expert_pool.store import Store
from expert_pool.viewer import Viewer

FIRST = "admin"


def first_administrator(store: Store) -> tuple[str, str] | None:
    """Where there is no account yet, make `admin`, an administrator of the whole installation.

    Returns its name and one-time password, which must be changed at the first sign-in; None where somebody was first.
    """
    with store.reading() as session:
        if session.scalar(select(Account.id).limit(1)) is not None:
            return None
    with store.session() as session:
        separation.hold(session)
        if session.scalar(select(Account.id).limit(1)) is not None:
            return None
        viewer = Viewer.system("installation")
        made = managing.create(session, viewer, FIRST)
        granting.grant(session, viewer, made.account, Role.ADMINISTRATOR)
    assert made.password is not None
    return made.account.name, made.password
