"""An account, role or token that somebody made, changed or struck out in the database, behind the program's back, is
found by the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, text, update
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.accounts import granting, managing, own, tokens
from expert_pool.accounts.principals import principal_of
from expert_pool.accounts.rights import Role
from expert_pool.accounts.signing_in import Asked, sign_in
from expert_pool.registry import AccountGrant, AccountSession
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


FORGED = {
    "account": "insert into account (id, name, language, created_at, created_by, totp_step)"
    " values (999, 'shadow', 'zh', '2026-01-01 00:00:00', 'owner', 0)",
    "account_grant": "insert into account_grant (id, account_id, code, role, granted_at, granted_by)"
    " select 999, id, 'Gforged', 'administrator', '2026-01-01 00:00:00', 'owner' from account where name = 'clerk'",
    "api_token": "insert into api_token (id, account_id, code, name, token_sha256, created_at, expires_at)"
    " select 999, id, 'Tforged', 'x', 'ab', '2026-01-01 00:00:00', '2030-01-01 00:00:00' from account"
    " where name = 'clerk'",
}


def found(store: Store) -> list[tuple[str, str | None]]:
    with store.reading() as session:
        return [(fault.code, fault.table) for fault in ledger.verify(session)]


@pytest.mark.parametrize("table", FORGED)
def test_what_was_put_into_the_database_is_found(held: Store, table: str) -> None:
    with held.session() as session:
        session.execute(text(FORGED[table]))
    assert found(held) == [("ledger.row_unattested", table)]


@pytest.mark.parametrize(
    "change",
    [
        "disabled_at = '2026-01-01 00:00:00'",
        "name = 'clerk2'",
        "password = (select password from account where name = 'auditor')",
        "organiser_id = 1",
    ],
)
def test_a_changed_account_is_found(held: Store, change: str) -> None:
    with held.session() as session:
        session.execute(text(f"update account set {change} where name = 'clerk'"))
    assert found(held) == [("ledger.row_changed", "account")]


def test_an_account_let_in_again_is_found(held: Store) -> None:
    with held.session() as session:
        managing.disable(session, OWNER, managing.find(session, OWNER, "clerk"))
    assert found(held) == []
    with held.session() as session:
        session.execute(text("update account set disabled_at = null where name = 'clerk'"))
    assert found(held) == [("ledger.row_changed", "account")]


def test_an_account_that_was_struck_out_is_found(held: Store) -> None:
    with held.session() as session:
        bare = managing.create(session, OWNER, "bare").account.id
        session.execute(text(f"delete from account where id = {bare}"))
    assert found(held) == [("ledger.row_missing", "account")]


def test_tokens_that_are_ended_in_any_way_stay_attested(held: Store, now: datetime) -> None:
    with held.session() as session:
        clerk = managing.find(session, OWNER, "clerk")
        clerk.password_until = None
        asks = principal_of(session, clerk.id)
        made = [tokens.make(session, held.key, asks, f"t{n}", None, 1)[0] for n in range(3)]
        tokens.revoke(session, clerk.id, None, "clerk", "clerk", made[0].code)
        managing.reset_password(session, OWNER, held.key, clerk)
    assert found(held) == []
    with held.session() as session:
        session.execute(text("update api_token set revoked_at = null where name = 't1'"))
    assert found(held) == [("ledger.row_changed", "api_token")]


def test_what_people_do_to_their_own_account_is_attested(held: Store, now: datetime) -> None:
    """Password, second factor and its codes, as they are set, used, and put off again."""
    name, old, new = "own", "", "a long sentence of mine 1"
    with held.session() as session:
        made = managing.create(session, OWNER, name)
        identity, old = made.account.id, made.password or ""
    signed = own.change_password(held, identity, old, new)
    assert found(held) == []
    secret = pyotp.parse_uri(own.begin_second_factor(held, identity, new))
    assert found(held) == []
    with held.reading() as session:
        row = session.scalars(select(AccountSession.id).order_by(AccountSession.id.desc())).first()
    own.confirm_second_factor(held, identity, row or 0, secret.at(now))  # type: ignore[attr-defined]
    assert signed.token
    with clock.fixed(now + timedelta(minutes=5)):
        code = secret.at(now + timedelta(minutes=5))  # type: ignore[attr-defined]
        sign_in(held, Asked(name, new, code, "192.0.2.1", None))
        assert found(held) == []
        own.put_off_second_factor(held, identity, row or 0, new)
    assert found(held) == []
