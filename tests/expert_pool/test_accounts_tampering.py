"""A role that somebody gave or gave back in the database, behind the program's back, is found by the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.accounts import granting, managing
from expert_pool.accounts.rights import Role
from expert_pool.registry import AccountGrant
from expert_pool.store import Store
from expert_pool.viewer import Viewer

OWNER = Viewer.system("owner")


@pytest.fixture
def held(tiny: Tiny) -> Store:
    """Two accounts: a clerk with a role and one taken away, and an auditor."""
    with tiny.store.session() as session:
        clerk = managing.create(session, OWNER, "clerk").account
        granting.grant(session, OWNER, clerk, Role.COMMITTEE_OFFICE, organiser="HR")
        gone = granting.grant(session, OWNER, clerk, Role.POLICY_EDITOR, organiser="HR")
        granting.revoke(session, OWNER, clerk, gone.code)
        auditor = managing.create(session, OWNER, "auditor").account
        granting.grant(session, OWNER, auditor, Role.AUDITOR, organiser="HR")
    return tiny.store


@pytest.mark.parametrize(
    ("which", "change"),
    [
        ("committee_office", {"role": "administrator"}),
        ("committee_office", {"organiser_id": None}),
        ("policy_editor", {"revoked_at": None}),
        ("policy_editor", {"revoked_by": "somebody"}),
        ("auditor", {"account_id": 1}),
    ],
)
def test_a_changed_role_is_found(held: Store, which: str, change: Mapping[str, Any]) -> None:
    with held.reading() as session:
        assert ledger.verify(session) == []
    with held.session() as session:
        session.execute(update(AccountGrant).where(AccountGrant.role == which).values(**change))
    with held.reading() as session:
        assert {(fault.code, fault.table) for fault in ledger.verify(session)} == {
            ("ledger.row_changed", "account_grant")
        }


def test_a_role_that_was_struck_out_is_found(held: Store) -> None:
    with held.session() as session:
        row = session.query(AccountGrant).filter(AccountGrant.role == "auditor").one()
        session.delete(row)
    with held.reading() as session:
        assert [(f.code, f.table) for f in ledger.verify(session)] == [
            ("ledger.row_missing", "account_grant")
        ]
