"""Accounts and what they may do: managing the pool, using it and drawing from it are kept apart."""

from expert_pool.accounts.first import first_administrator
from expert_pool.accounts.principals import Signed, by_session, by_token, principal_of
from expert_pool.accounts.rights import Grant, Principal, Right, Role

__all__ = [
    "Grant",
    "Principal",
    "Right",
    "Role",
    "Signed",
    "by_session",
    "by_token",
    "first_administrator",
    "principal_of",
]
