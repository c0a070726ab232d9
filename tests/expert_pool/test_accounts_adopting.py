"""Accounts, roles and tokens from before the ledger attested them are adopted once, by an entry that says so."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select, text
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.accounts import granting, managing
from expert_pool.accounts.adopting import ACTION, adopt, adoptable, adoptions
from expert_pool.accounts.rights import Role
from expert_pool.registry import LedgerEntry
from expert_pool.store import Store
from expert_pool.viewer import Viewer

OWNER = Viewer.system("owner")
OLD = (
    "insert into account (id, name, language, created_at, created_by, totp_step)"
    " values (71, 'wang', 'zh', '2025-01-01 00:00:00', 'founder', 0)",
    "insert into account_grant (id, account_id, code, role, granted_at, granted_by)"
    " values (72, 71, 'Gold', 'auditor', '2025-01-02 00:00:00', 'founder')",
    "insert into api_token (id, account_id, code, name, token_sha256, created_at, expires_at)"
    " values (73, 71, 'Told', 'x', 'ab', '2025-01-03 00:00:00', '2027-01-01 00:00:00')",
)


@pytest.fixture
def old(tiny: Tiny, now: datetime) -> Store:
    """A registry whose account, role and token were written when no entry attested them; and one account of today."""
    with tiny.store.session() as session:
        made = managing.create(session, OWNER, "clerk").account
        granting.grant(session, OWNER, made, Role.COMMITTEE_OFFICE, organiser="HR")
        for statement in OLD:
            session.execute(text(statement))
    return tiny.store


def test_what_no_entry_attests_is_listed_adopted_and_then_guarded(old: Store, now: datetime) -> None:
    with old.reading() as session:
        anchor = ledger.anchor(session)
        listed = adoptable(session)
        assert [(row.table, row.row_id, row.account, row.what, row.by) for row in listed] == [
            ("account", 71, "wang", "wang", "founder"),
            ("account_grant", 72, "wang", "auditor", "founder"),
            ("api_token", 73, "wang", "Told", "wang"),
        ]
        assert {(f.code, f.table, f.row_id) for f in ledger.verify(session)} == {
            ("ledger.row_unattested", row.table, row.row_id) for row in listed
        }
        assert adoptions(session) == []
    with old.session() as session:
        assert adopt(session, "owner") == listed
    with old.reading() as session:
        assert ledger.verify(session, anchor=anchor) == []  # an anchor of before still holds
        (said,) = adoptions(session)
        assert (said.organiser, said.at, said.actor, said.rows) == ("@installation", now, "owner", 3)
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.action == ACTION)).one()
        assert entry.subject == "account:1 account_grant:1 api_token:1"
    with old.session() as session:
        session.execute(text("update account_grant set role = 'administrator' where id = 72"))
    with old.reading() as session:
        assert [(f.code, f.row_id) for f in ledger.verify(session)] == [("ledger.row_changed", 72)]


def test_where_everything_is_attested_nothing_is_written(old: Store) -> None:
    with old.session() as session:
        adopt(session, "owner")
    with old.session() as session:
        before = ledger.anchor(session)
        assert adopt(session, "owner") == []
        assert ledger.anchor(session) == before


def test_a_record_written_past_the_program_is_never_adopted(old: Store) -> None:
    with old.session() as session:
        record = session.execute(text("select * from training limit 1")).mappings().one()
        forged = dict(record) | {"id": 999, "corrects_id": None}
        names = ", ".join(forged)
        session.execute(
            text(f"insert into training ({names}) values ({', '.join(':' + name for name in forged)})"),
            forged,
        )
        adopt(session, "owner")
    with old.reading() as session:
        assert [(f.code, f.table, f.row_id) for f in ledger.verify(session)] == [
            ("ledger.row_unattested", "training", 999)
        ]
