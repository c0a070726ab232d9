"""Accounts: the first one, names, passwords, grants within one's reach, and what they come to as a principal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from refused import refused
from signed_in_people import OWNER, account
from sqlalchemy import delete, select

from expert_pool import ledger
from expert_pool.accounts import (
    Right,
    Role,
    by_session,
    by_token,
    first_administrator,
    granting,
    managing,
    names,
    passwords,
    principal_of,
    sessions,
    tokens,
)
from expert_pool.accounts.rights import APART, DUTIES, RIGHTS
from expert_pool.registry import (
    Account,
    AccountSession,
    Agenda,
    ApiToken,
    Committee,
    Filing,
    Form,
    LedgerEntry,
    Level,
    Organiser,
    PanelRecord,
    Pool,
)
from expert_pool.store import Store
from expert_pool.viewer import INSTALLATION, Viewer, visible


@pytest.fixture
def province(sqlite_tiny: Any) -> Store:
    """HR (the province, with committee C1) above CITY above DISTRICT; OTHER beside them, with a committee C9."""
    store: Store = sqlite_tiny.store
    with store.session() as session:
        city = Organiser(code="CITY", name="市", parent_id=sqlite_tiny.organiser_id)
        other = Organiser(code="OTHER", name="他省", parent_id=None)
        session.add_all([city, other])
        session.flush()
        district = Organiser(code="DISTRICT", name="区", parent_id=city.id)
        pool = Pool(code="P9", name="库", organiser_id=other.id)
        session.add_all([district, pool])
        session.flush()
        form = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
        session.add(Committee(code="C9", name="会", organiser_id=other.id, pool_id=pool.id, **form))
    return store


def ids(store: Store, *codes: str) -> frozenset[int]:
    with store.reading() as session:
        return frozenset(session.scalars(select(Organiser.id).where(Organiser.code.in_(codes))))


def principal(store: Store, made: Account) -> Any:
    with store.reading() as session:
        return principal_of(session, made.id)


def test_the_first_administrator_is_made_once_and_may_nothing_but_administer(store: Store) -> None:
    first = first_administrator(store)
    assert first is not None
    assert first[0] == "admin"
    assert first_administrator(store) is None
    with store.session() as session:
        token = sessions.begin(session, 1, "password").token
        signed = by_session(session, token)
        assert signed is not None
        assert signed.principal.due == "password"
        assert not signed.principal.may(Right.ACCOUNTS_MANAGE)
        asks = principal_of(session, 1)
        assert {right for right in Right if asks.may(right)} == RIGHTS[Role.ADMINISTRATOR] | {
            Right.OWN_ACCOUNT
        }
        assert ledger.verify(session) == []
        said = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)).all()
        assert said == ["account.created", "account.granted"]


def test_no_role_joins_what_is_kept_apart_and_administrators_have_no_business() -> None:
    business = {Right.EXPERTS_READ, Right.PANELS_READ, Right.LEDGER_READ, Right.PANELS_REQUEST}
    assert not RIGHTS[Role.ADMINISTRATOR] & business
    assert len({frozenset(pair) for pair in APART}) == 5
    assert [role for role in Role if Right.PANELS_UNSEAL in RIGHTS[role]] == [Role.DRAW_SUPERVISOR]
    assert {role for role in Role if Right.EXPERTS_WRITE in RIGHTS[role]} == {Role.POOL_MANAGER}
    assert DUTIES[Role.COMMITTEE_OFFICE] != DUTIES[Role.POOL_MANAGER]


def test_the_installation_is_an_organiser_that_nobody_is_shown(store: Store, system: Viewer) -> None:
    first_administrator(store)
    with store.reading() as session:
        assert session.scalars(select(Organiser.code)).all() == [INSTALLATION]
        assert session.scalars(select(Organiser.code).where(*visible(system, Organiser))).all() == []


@pytest.mark.parametrize(
    ("name", "normal"), [(" Hr-Office ", "hr-office"), ("ＡＢ", "ab"), ("省人社厅.1", "省人社厅.1")]
)
def test_a_name_has_one_form(name: str, normal: str) -> None:
    assert names.check(name) == normal


@pytest.mark.parametrize("name", ["a", "a b", "-ab", "a\nb", "a" * 65, "<b>", "a/../b", "\u202eab", ""])
def test_a_malformed_name_is_refused(name: str) -> None:
    with refused("account.name_malformed"):
        names.check(name)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password.short"),
        ("x" * 257, "password.long"),
        ("password1234567", "password.common"),
        ("P@ssw0rd-2026!!", "password.common"),
        ("aaaaaaaaaaaaaaaa", "password.common"),
        ("abcabcabcabcabc", "password.common"),
        ("qwertyuiop123456", "password.common"),
        ("hr-office-2026", "password.named"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    with refused(code):
        passwords.check("hr-office", password)


@pytest.mark.parametrize(
    "password", ["zebra lamp 42 river", "评委会的办公室在三楼靠窗处", "r3et-gep6-sr35-pf6d-wkgh-nw6o"]
)
def test_a_passphrase_will_do(password: str) -> None:
    passwords.check("hr-office", password)


@pytest.mark.usefixtures("strong_passwords")
def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    stored = passwords.hash_of("cafe\u0301 au lait 42")
    assert passwords.matches(stored, "caf\u00e9 au lait 42")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.matches(None, "anything at all")
    assert not passwords.matches("not a hash", "anything at all")


def test_a_grant_reaches_down_the_tree_and_nowhere_else(province: Store) -> None:
    asks = principal(province, account(province, "office", (Role.COMMITTEE_OFFICE, "CITY")))
    assert asks.viewer(Right.PANELS_REQUEST).organisers == ids(province, "CITY", "DISTRICT")
    with refused("access.denied", right="experts.read"):
        asks.viewer(Right.EXPERTS_READ)
    with province.session() as session:
        other = session.scalars(select(Organiser).where(Organiser.code == "OTHER")).one()
        other.parent_id = next(iter(ids(province, "DISTRICT")))
    moved = principal(province, account(province, "office2", (Role.COMMITTEE_OFFICE, "CITY")))
    assert moved.viewer(Right.PANELS_REQUEST).organisers == ids(province, "CITY", "DISTRICT", "OTHER")


def test_a_tree_that_loops_does_not_hang(province: Store) -> None:
    with province.session() as session:
        top = session.scalars(select(Organiser).where(Organiser.code == "HR")).one()
        top.parent_id = next(iter(ids(province, "DISTRICT")))
    asks = principal(province, account(province, "office", (Role.COMMITTEE_OFFICE, "CITY")))
    assert asks.viewer(Right.PANELS_READ).organisers == ids(province, "HR", "CITY", "DISTRICT")


def test_a_right_gives_only_the_organisers_of_the_grants_that_carry_it(province: Store) -> None:
    made = account(province, "two", (Role.COMMITTEE_OFFICE, "CITY"), (Role.AUDITOR, "OTHER"))
    asks = principal(province, made)
    assert asks.viewer(Right.PANELS_REQUEST).organisers == ids(province, "CITY", "DISTRICT")
    assert asks.viewer(Right.LEDGER_READ).organisers == ids(province, "OTHER")
    assert not asks.viewer(Right.PANELS_READ).opens_seals


def test_delegated_authority_is_one_committee_and_ends_with_its_filing(
    province: Store, sqlite_tiny: Any
) -> None:
    made = account(province, "city-office", organiser="CITY")
    with province.session() as session:
        granting.grant(session, OWNER, made, Role.COMMITTEE_OFFICE, committee="C1")
    viewer = principal(province, made).viewer(Right.PANELS_REQUEST)
    assert (viewer.organisers, viewer.committees) == (frozenset(), {sqlite_tiny.committee_id})
    with province.reading() as session:
        seen = {
            table: len(session.scalars(select(table.id).where(*visible(viewer, table))).all())
            for table in (Committee, Agenda, Filing, Organiser, Pool, PanelRecord, LedgerEntry)
        }
    assert seen == {Committee: 1, Agenda: 1, Filing: 3, Organiser: 1, Pool: 1, PanelRecord: 0, LedgerEntry: 0}
    viewer.require(sqlite_tiny.organiser_id, sqlite_tiny.committee_id)
    with refused("viewer.not_yours"):
        viewer.require(sqlite_tiny.organiser_id)
    with time_machine.travel(date(2028, 1, 1), tick=False), refused("access.denied"):
        principal(province, made).viewer(Right.PANELS_REQUEST)


def test_the_installations_matters_need_a_grant_for_all(province: Store) -> None:
    local = principal(province, account(province, "local-admin", (Role.ADMINISTRATOR, "HR")))
    assert local.may(Right.ACCOUNTS_MANAGE)
    assert not local.may(Right.SERVICE_OPERATE)


def test_a_disabled_account_is_nobody_at_once(province: Store) -> None:
    made = account(province, "office", (Role.COMMITTEE_OFFICE, "HR"))
    with province.session() as session:
        token = sessions.begin(session, made.id, "password").token
        _, text = tokens.make(session, province.key, principal_of(session, made.id), "t", None, 1)
        managing.disable(session, OWNER, managing.find(session, OWNER, "office"))
        assert by_session(session, token) is None
        assert by_token(session, text) is None
        with refused("access.unknown"):
            principal_of(session, made.id)
        managing.enable(session, OWNER, managing.find(session, OWNER, "office"))
        assert by_token(session, text) is None


def test_sessions_end_by_idleness_and_by_age(province: Store) -> None:
    made = account(province, "office", (Role.COMMITTEE_OFFICE, "HR"))
    with time_machine.travel(0, tick=False) as clock:
        with province.session() as session:
            token = sessions.begin(session, made.id, "password").token
        for _ in range(11):
            clock.shift(timedelta(minutes=29))
            with province.reading() as session:
                signed = by_session(session, token)
            assert signed is not None
            sessions.seen(province, signed.id, signed.seen_at)
        clock.shift(timedelta(minutes=31))
        with province.reading() as session:
            assert by_session(session, token) is None
        with province.session() as session:
            token = sessions.begin(session, made.id, "password").token
        lived = 0
        for _ in range(30):
            clock.shift(timedelta(minutes=29))
            with province.reading() as session:
                if (signed := by_session(session, token)) is None:
                    break
            lived += 29
            sessions.seen(province, signed.id, signed.seen_at)
        assert 12 * 60 - 29 < lived < 12 * 60


def test_noting_a_session_in_use_waits_for_no_writer(province: Store) -> None:
    made = account(province, "office")
    with time_machine.travel(0, tick=False) as clock:
        with province.session() as session:
            token = sessions.begin(session, made.id, "password").token
        clock.shift(120)
        with province.reading() as session:
            signed = by_session(session, token)
        assert signed is not None
        with province.session() as session:
            session.add(Organiser(code="X", name="x"))
            session.flush()
            sessions.seen(province, signed.id, signed.seen_at)  # comes back at once
        with province.reading() as session:
            assert session.scalars(select(AccountSession.seen_at)).one() == signed.seen_at
        sessions.seen(province, signed.id, signed.seen_at)
        with province.reading() as session:
            assert session.scalars(select(AccountSession.seen_at)).one() > signed.seen_at


def test_a_token_never_gives_more_than_its_owner_has(province: Store) -> None:
    made = account(province, "auditor", (Role.AUDITOR, "HR"))
    asks = principal(province, made)
    with province.session() as session:
        with refused("token.scope_beyond", right="experts.write"):
            tokens.make(session, province.key, asks, "t", [Right.EXPERTS_WRITE], 1)
        with refused("token.scope_beyond", right="own.account"):
            tokens.make(session, province.key, asks, "t", [Right.OWN_ACCOUNT], 1)
        with refused("token.days"):
            tokens.make(session, province.key, asks, "t", None, 10_000)
        _, narrow = tokens.make(session, province.key, asks, "t", [Right.LEDGER_READ], 1)
        _, wide = tokens.make(session, province.key, asks, "t", None, 1)
        by = by_token(session, narrow)
        assert by is not None
        assert {right for right in Right if by.principal.may(right)} == {Right.LEDGER_READ}
        by = by_token(session, wide)
        assert by is not None
        assert not by.principal.may(Right.OWN_ACCOUNT)
        assert by.principal.may(Right.EXPERTS_READ)
        held = managing.grants_of(session, managing.find(session, OWNER, "auditor"))
        granting.revoke(session, OWNER, managing.find(session, OWNER, "auditor"), held[0].code)
        by = by_token(session, narrow)
        assert by is not None
        assert not by.principal.may(Right.LEDGER_READ)
        stored = session.scalars(select(ApiToken.token_sha256)).all()
        assert not {narrow, wide} & set(stored)


@pytest.mark.parametrize("role", [Role.EXPERT, Role.SUBMITTING_UNIT])
def test_who_stands_for_somebody_holds_no_other_role(province: Store, role: Role) -> None:
    tie = {"expert": "E01"} if role is Role.EXPERT else {"employer": "U"}
    made = account(province, "tied", role, **tie)
    with province.session() as session:
        with refused("account.tied"):
            granting.grant(session, OWNER, made, Role.AUDITOR)
        with refused("account.not_tied"):
            granting.grant(session, OWNER, account_in(session, "plain"), role)
        with refused("account.tied_twice"):
            managing.create(session, OWNER, "both", expert="E01", employer="U")
        with refused("account.expert_unknown"):
            managing.create(session, OWNER, "nobody", expert="E99")


def account_in(session: Any, name: str) -> Account:
    return managing.create(session, OWNER, name).account


def test_an_administrator_of_a_tenant_reaches_no_further(province: Store) -> None:
    account(province, "province-office", (Role.COMMITTEE_OFFICE, "HR"), organiser="HR")
    account(province, "city-office", (Role.COMMITTEE_OFFICE, "CITY"), organiser="CITY")
    account(province, "wider", (Role.COMMITTEE_OFFICE, "HR"), organiser="CITY")
    local = principal(
        province, account(province, "city-admin", (Role.ADMINISTRATOR, "CITY"), organiser="CITY")
    )
    viewer = local.viewer(Right.ACCOUNTS_MANAGE)
    with province.session() as session:
        found = session.scalars(managing.listing(viewer).order_by(Account.name)).all()
        assert [made.name for made in found] == ["city-admin", "city-office"]
        for name in ("province-office", "wider", "nobody"):
            with refused("account.unknown"):
                managing.find(session, viewer, name)
        with refused("account.organiser_needed"):
            managing.create(session, viewer, "new")
        with refused("account.organiser_unknown"):
            managing.create(session, viewer, "new", organiser="HR")
        made = managing.create(session, viewer, "new", organiser="DISTRICT").account
        with refused("account.organiser_needed"):
            granting.grant(session, viewer, made, Role.COMMITTEE_OFFICE)
        with refused("account.organiser_unknown"):
            granting.grant(session, viewer, made, Role.COMMITTEE_OFFICE, organiser="HR")
        with refused("account.committee_unknown"):
            granting.grant(session, viewer, made, Role.COMMITTEE_OFFICE, committee="C1")
        granting.grant(session, viewer, made, Role.COMMITTEE_OFFICE, organiser="DISTRICT")
        with refused("account.own"):
            granting.grant(session, viewer, managing.find(session, viewer, "city-admin"), Role.AUDITOR)


def test_the_last_administrator_stays(province: Store) -> None:
    first_administrator(province)
    with province.session() as session:
        admin = managing.find(session, OWNER, "admin")
        held = managing.grants_of(session, admin)[0]
        with refused("account.last_administrator"):
            managing.disable(session, OWNER, admin)
        with refused("account.last_administrator"):
            granting.revoke(session, OWNER, admin, held.code)
    account(province, "second", Role.ADMINISTRATOR)
    with province.session() as session:
        managing.disable(session, OWNER, managing.find(session, OWNER, "admin"))


def test_every_grant_is_attested_in_its_organisers_chain(province: Store) -> None:
    made = account(province, "office", (Role.COMMITTEE_OFFICE, "CITY"), organiser="HR")
    with province.session() as session:
        chain = select(LedgerEntry.action, Organiser.code).join(
            Organiser, Organiser.id == LedgerEntry.organiser_id
        )
        said = [tuple(row) for row in session.execute(chain.order_by(LedgerEntry.id))]
        assert said == [
            ("import", "HR"),
            ("account.created", "HR"),
            ("account.password_changed", "HR"),
            ("account.granted", "CITY"),
        ]
        assert ledger.verify(session) == []
        grant = managing.grants_of(session, made)[0]
        grant.role = "draw_supervisor"
    with province.reading() as session:
        assert [fault.code for fault in ledger.verify(session)] == ["ledger.row_changed"]
    with province.session() as session:
        session.execute(delete(type(grant)))
    with province.reading() as session:
        assert [fault.code for fault in ledger.verify(session)] == ["ledger.row_missing"]
