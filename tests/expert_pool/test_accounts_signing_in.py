"""Signing in: what is refused alike, how guessing is slowed and nobody locked out for ever, the second factor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from argon2 import PasswordHasher
from refused import refused
from signed_in_people import OWNER, PASSWORD, account
from sqlalchemy import func, select

from expert_pool import clock, ledger
from expert_pool.accounts import by_session, linking, managing, own, passwords, sessions, trouble
from expert_pool.accounts.signing_in import Asked, Come, sign_in
from expert_pool.keys import Key
from expert_pool.registry import Account, LedgerEntry, OidcLink, RecoveryCode, SignInTrouble
from expert_pool.store import Store
from solver.errors import Fault

NOON = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
WRONG = "wrong wrong wrong wrong"
ASKED = Asked("clerk", PASSWORD, None, "192.0.2.7", None)


@pytest.fixture
def noon() -> Any:
    with time_machine.travel("2026-09-01 04:00:00+00:00", tick=False) as traveller:
        yield traveller


def come(store: Store, **more: Any) -> Come:
    return sign_in(store, replace(ASKED, **more))


def fails(store: Store, times: int, **more: Any) -> None:
    for _ in range(times):
        with refused("access.sign_in_failed"):
            come(store, password=WRONG, **more)


def said(store: Store) -> list[tuple[str, str]]:
    with store.reading() as session:
        return [
            (row.action, row.subject) for row in session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
        ]


def test_the_right_name_and_password_begin_a_session(store: Store) -> None:
    account(store, "clerk")
    one, two = come(store), come(store, name=" CLERK ")
    assert one.token != two.token
    with store.reading() as session:
        assert by_session(session, one.token) is not None
        assert one.token not in {row.token_sha256 for row in sessions.alive(session, 1)}


@pytest.mark.usefixtures("strong_passwords")
def test_whatever_is_wrong_the_answer_is_the_same(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown name, a disabled account and one without a password take the same work: one verification."""
    account(sqlite_store, "clerk")
    account(sqlite_store, "gone")
    account(sqlite_store, "sso")
    with sqlite_store.session() as session:
        managing.disable(session, OWNER, managing.find(session, OWNER, "gone"))
        managing.find(session, OWNER, "sso").password = None
    verified: list[str] = []
    before = PasswordHasher.verify

    def counting(self: Any, stored: str, password: str) -> bool:
        verified.append(stored.split("$")[3])
        return bool(before(self, stored, password))

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    faults = []
    for name in ("clerk", "gone", "sso", "nobody", "<script>", "x" * 200):
        with pytest.raises(Fault) as caught:
            come(sqlite_store, name=name, password=WRONG)
        faults.append((caught.value.code, caught.value.where, caught.value.params))
    assert faults == [("access.sign_in_failed", "", {})] * 6
    assert verified == ["m=19456,t=2,p=1"] * 6


def test_unknown_names_are_slowed_as_known_ones_are(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    for name in ("clerk", "nobody"):
        fails(sqlite_store, 10, name=name)
        with refused("access.wait", seconds=30):
            come(sqlite_store, name=name)
    entries = [entry for entry in said(sqlite_store) if entry[0] == "sign_in.slowed"]
    assert len(entries) == 2
    assert entries[0] == ("sign_in.slowed", "clerk")
    assert entries[1][1] != "nobody"


def test_waiting_doubles_to_a_quarter_of_an_hour_and_not_beyond(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    fails(sqlite_store, 10)
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        for _ in range(3):  # attempts while waiting change nothing
            with refused("access.wait", seconds=seconds):
                come(sqlite_store, password=WRONG)
        noon.shift(timedelta(seconds=seconds - 1))
        with refused("access.wait", seconds=1):
            come(sqlite_store)
        noon.shift(timedelta(seconds=1))
        fails(sqlite_store, 1)
    noon.shift(timedelta(seconds=900))
    come(sqlite_store)
    fails(sqlite_store, 9)
    come(sqlite_store)


def test_failures_are_forgotten_one_by_one(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    fails(sqlite_store, 9)
    noon.shift(timedelta(minutes=46))
    fails(sqlite_store, 3)
    come(sqlite_store)


def test_a_known_browser_gets_in_while_strangers_guess(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    account(sqlite_store, "other")
    device = come(sqlite_store).device
    for round_ in range(20):
        fails(sqlite_store, 10 if round_ == 0 else 1, address=f"198.51.100.{round_}")
        noon.shift(timedelta(seconds=900))
    fails(sqlite_store, 1, address="198.51.100.77")
    with refused("access.wait"):
        come(sqlite_store)
    come(sqlite_store, device=device)
    with refused("access.wait"):  # of another account it knows nothing, and a forged one neither
        come(sqlite_store, device=device.replace(device[-1], "0" if device[-1] != "0" else "1"))
    fails(sqlite_store, 10, device=device)
    with refused("access.wait"):
        come(sqlite_store, device=device)
    assert trouble.knows(sqlite_store.key, "clerk", device)
    assert not trouble.knows(sqlite_store.key, "other", device)
    assert not trouble.knows(Key(bytes(32)), "clerk", device)


def test_one_address_cannot_try_many_names(
    sqlite_store: Store, noon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        passwords, "matches", lambda stored, password: password == PASSWORD and stored is not None
    )
    account(sqlite_store, "clerk")
    fails_at = [fails(sqlite_store, 1, name=f"name{n}") for n in range(100)]
    assert len(fails_at) == 100
    with refused("access.wait"):
        come(sqlite_store)
    come(sqlite_store, address="203.0.113.9")
    assert [action for action, _ in said(sqlite_store)].count("sign_in.slowed") == 1
    with sqlite_store.reading() as session:
        kept = " ".join(session.scalars(select(SignInTrouble.source)))
        assert "192.0.2.7" not in kept
        assert "name1" not in kept


def test_signing_in_does_not_clear_the_address(
    sqlite_store: Store, noon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        passwords, "matches", lambda stored, password: password == PASSWORD and stored is not None
    )
    account(sqlite_store, "clerk")
    for n in range(99):
        fails(sqlite_store, 1, name=f"name{n}")
    come(sqlite_store)
    fails(sqlite_store, 1, name="one-more")
    with refused("access.wait"):
        come(sqlite_store)


def test_many_attempts_at_once_gain_no_free_guess(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda stored, password: False)
    account(store, "clerk")

    def one(n: int) -> str:
        try:
            with clock.fixed(NOON):  # no wait is over before the last has come
                come(store, address=f"198.51.100.{n}")
        except Fault as fault:
            return fault.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(one, range(24)))
    assert codes.count("access.sign_in_failed") == 10
    assert codes.count("access.wait") == 14


@pytest.mark.usefixtures("strong_passwords")
def test_an_old_hash_is_made_anew_at_sign_in(sqlite_store: Store) -> None:
    account(sqlite_store, "clerk")
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with sqlite_store.session() as session:
        session.get_one(Account, 1).password = old
    come(sqlite_store)
    with sqlite_store.reading() as session:
        stored = session.get_one(Account, 1).password
    assert stored is not None
    assert "m=19456,t=2" in stored
    come(sqlite_store)


def test_a_one_time_password_works_for_a_week_and_once(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    with sqlite_store.session() as session:
        made = managing.find(session, OWNER, "clerk")
        password = managing.reset_password(session, OWNER, sqlite_store.key, made)
    with refused("access.sign_in_failed"):
        come(sqlite_store)
    begun = come(sqlite_store, password=password)
    with sqlite_store.reading() as session:
        signed = by_session(session, begun.token)
        assert signed is not None
        assert signed.principal.due == "password"
    with refused("password.same"):
        own.change_password(sqlite_store, 1, password, password)
    with refused("password.short"):
        own.change_password(sqlite_store, 1, password, "short")
    with refused("access.password_wrong"):
        own.change_password(sqlite_store, 1, WRONG, PASSWORD)
    changed = own.change_password(sqlite_store, 1, password, PASSWORD)
    with sqlite_store.reading() as session:
        assert by_session(session, begun.token) is None
        signed = by_session(session, changed.token)
        assert signed is not None
        assert signed.principal.due is None
    with refused("access.sign_in_failed"):
        come(sqlite_store, password=password)
    with sqlite_store.session() as session:
        made = managing.find(session, OWNER, "clerk")
        password = managing.reset_password(session, OWNER, sqlite_store.key, made)
    noon.shift(timedelta(days=8))
    with refused("access.password_expired"):
        come(sqlite_store, password=password)


def test_an_open_session_cannot_guess_the_password(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    for _ in range(10):
        with refused("access.password_wrong"):
            own.prove(sqlite_store, 1, WRONG)
    with refused("access.wait"):
        own.prove(sqlite_store, 1, PASSWORD)


def set_up(store: Store) -> tuple[pyotp.TOTP, list[str]]:
    uri = own.begin_second_factor(store, 1, PASSWORD)
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    return totp, own.confirm_second_factor(store, 1, 0, totp.at(int(clock.now().timestamp())))


def now_code(totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.at(int(clock.now().timestamp()) + 30 * steps)


def test_a_code_is_asked_for_and_taken_once(store: Store, noon: Any) -> None:
    account(store, "clerk")
    totp, codes = set_up(store)
    with refused("access.second_factor"):
        come(store)
    with refused("access.sign_in_failed"):
        come(store, password=WRONG, code=now_code(totp))
    with refused("access.sign_in_failed"):  # used up by the set-up
        come(store, code=now_code(totp))
    noon.shift(timedelta(seconds=30))
    come(store, code=now_code(totp))
    with refused("access.sign_in_failed"):
        come(store, code=now_code(totp))
    with refused("access.sign_in_failed"):  # an earlier one neither
        come(store, code=now_code(totp, -1))
    noon.shift(timedelta(minutes=20))
    with refused("access.sign_in_failed"):
        come(store, code=now_code(totp, 3))
    come(store, code=codes[0].upper())
    with refused("access.sign_in_failed"):
        come(store, code=codes[0])
    come(store, code=codes[1])
    with store.reading() as session:
        made = session.get_one(Account, 1)
        assert made.totp_sealed is not None
        assert totp.secret.encode() not in made.totp_sealed
        stored = set(session.scalars(select(RecoveryCode.code_sha256)))
        assert len(stored) == 10
        assert not stored & set(codes)


def test_codes_cannot_be_guessed(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    totp, _ = set_up(sqlite_store)
    noon.shift(timedelta(seconds=30))
    for code in ("", "000000", "abc", "１２３４５６", "1" * 64, "' or 1=1 --", "0", "9", "8", "7"):
        with refused("access.sign_in_failed"):
            come(sqlite_store, code=code)
    with refused("access.wait"):
        come(sqlite_store, code=now_code(totp))


def test_two_sign_ins_with_one_code_at_once_are_one(store: Store, noon: Any) -> None:
    account(store, "clerk")
    _, codes = set_up(store)

    def one(_: int) -> bool:
        try:
            come(store, code=codes[0])
        except Fault:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 1


def test_a_second_factor_is_put_off_by_password_or_by_an_administrator(
    sqlite_store: Store, noon: Any
) -> None:
    account(sqlite_store, "clerk")
    set_up(sqlite_store)
    with refused("second_factor.already"):
        own.begin_second_factor(sqlite_store, 1, PASSWORD)
    with refused("access.password_wrong"):
        own.put_off_second_factor(sqlite_store, 1, 0, WRONG)
    own.put_off_second_factor(sqlite_store, 1, 0, PASSWORD)
    come(sqlite_store)
    set_up(sqlite_store)
    with sqlite_store.session() as session:
        managing.reset_second_factor(session, OWNER, managing.find(session, OWNER, "clerk"))
    come(sqlite_store)
    with sqlite_store.reading() as session:
        assert ledger.verify(session) == []
        assert session.scalar(select(func.count(RecoveryCode.id))) == 0
    assert [a for a, _ in said(sqlite_store)][-1] == "account.second_factor_reset"


def test_a_reset_password_still_needs_the_second_factor(sqlite_store: Store, noon: Any) -> None:
    account(sqlite_store, "clerk")
    _, codes = set_up(sqlite_store)
    with sqlite_store.session() as session:
        made = managing.find(session, OWNER, "clerk")
        password = managing.reset_password(session, OWNER, sqlite_store.key, made)
    with refused("access.second_factor"):
        come(sqlite_store, password=password)
    come(sqlite_store, password=password, code=codes[0])


def test_a_person_at_a_provider_is_linked_by_invitation_only(store: Store, noon: Any) -> None:
    issuer = "https://id.example.org"
    account(store, "clerk")
    account(store, "second")
    with refused("access.not_linked"):
        linking.sign_in_linked(store, issuer, "clerk", None)
    with store.session() as session:
        code = linking.invite(session, OWNER, managing.find(session, OWNER, "clerk"), issuer)
        late = linking.invite(session, OWNER, managing.find(session, OWNER, "clerk"), issuer)
        other = linking.invite(session, OWNER, managing.find(session, OWNER, "second"), issuer)
    with refused("access.invitation_bad"):
        linking.sign_in_linked(store, "https://evil.example.org", "s1", code)
    with refused("access.invitation_bad"):
        linking.sign_in_linked(store, issuer, "s1", "aaaa-bbbb-cccc")
    begun = linking.sign_in_linked(store, issuer, "s1", code)
    with store.reading() as session:
        signed = by_session(session, begun.token)
        assert signed is not None
        assert signed.principal.actor == "clerk"
    with refused("access.invitation_bad"):
        linking.sign_in_linked(store, issuer, "s2", code)
    with refused("access.invitation_bad"):  # one person is one account
        linking.sign_in_linked(store, issuer, "s1", other)
    noon.shift(timedelta(days=8))
    with refused("access.invitation_bad"):
        linking.sign_in_linked(store, issuer, "s3", late)
    linking.sign_in_linked(store, issuer, "s1", None)
    with store.session() as session:
        linking.unlink(session, OWNER, managing.find(session, OWNER, "clerk"))
        assert session.scalar(select(func.count(OidcLink.id))) == 0
    with refused("access.not_linked"):
        linking.sign_in_linked(store, issuer, "s1", None)
