"""Sending: claims, retries, dead letters, quiet hours, two workers at once, kill -9."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from notice_servers import HERE, Mails, gateway, mail_server, nobody_there
from sqlalchemy import select

from expert_pool import clock
from expert_pool.notices import delivering
from expert_pool.notices.addresses import To, set_address
from expert_pool.notices.channels import FileSettings, HookSettings, MailSettings, remove_channel, set_channel
from expert_pool.notices.delivering import Delivered, again, deliver, pause
from expert_pool.notices.events import channel_test
from expert_pool.notices.rules import Retry, load_rules
from expert_pool.notices.telling import tell
from expert_pool.registry import (
    Account,
    AddressForm,
    DeliveryState,
    Medium,
    Notice,
    NoticeAddress,
    NoticeDelivery,
)
from expert_pool.store import Store

NOON = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)


def mails_to(session: Any, store: Store, port: int) -> None:
    settings = MailSettings(host="localhost", port=port, security="plain", sender="noreply@pool.cn")
    set_channel(session, store.key, Medium.MAIL, settings, by="admin")


def accounts(session: Any, store: Store, count: int, form: AddressForm = AddressForm.MAIL) -> list[int]:
    made = []
    for n in range(count):
        row = Account(name=f"a{n}", created_at=NOON, created_by="test")
        session.add(row)
        session.flush()
        address = f"a{n}@b.cn" if form is AddressForm.MAIL else f"1380000{n:04}"
        set_address(session, store.key, To(account_id=row.id), form, address, language="zh", by="test")
        made.append(row.id)
    return made


def write(session: Any, store: Store, ids: list[int], kind: str = "letter") -> None:
    for n, identity in enumerate(ids):
        params = {"subject": f"第 {n} 号", "text": "正文", "by": "x", "at": "y"}
        tell(session, store.key, kind, To(account_id=identity), cause=f"{kind}:{n}", params=params)


def rows(store: Store) -> list[NoticeDelivery]:
    with store.reading() as session:
        return list(session.scalars(select(NoticeDelivery).order_by(NoticeDelivery.id)))


def send(store: Store, tmp_path: Path, **more: Any) -> Delivered:
    return deliver(store, files=tmp_path, private_hosts=HERE, **more)


@pytest.fixture
def mails() -> Iterator[Mails]:
    with mail_server() as server:
        yield server


def test_what_is_due_is_sent_once_by_two_who_send_at_once(store: Store, tmp_path: Path, mails: Mails) -> None:
    with store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 30))
    done: list[Delivered] = []
    threads = [threading.Thread(target=lambda: done.append(send(store, tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.sent for each in done) == 30
    assert sorted(envelope[1][0] for envelope in mails.envelopes) == sorted(f"a{n}@b.cn" for n in range(30))
    assert {row.state for row in rows(store)} == {DeliveryState.SENT}
    assert {row.claimed_by for row in rows(store)} == {None}
    assert send(store, tmp_path) == Delivered()


def test_a_refused_one_is_given_up_and_the_rest_go_on(store: Store, tmp_path: Path, mails: Mails) -> None:
    mails.refuse = {"a1@b.cn": "550 no", "a2@b.cn": "450 later"}
    with clock.fixed(NOON), store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 4))
    with clock.fixed(NOON):
        assert send(store, tmp_path) == Delivered(sent=2, failed=1, dead=1)
        assert send(store, tmp_path) == Delivered()
    dead, later = rows(store)[1:3]
    assert (dead.state, dead.trouble) == (DeliveryState.DEAD, "notices.mail_refused")
    assert (later.state, later.attempts) == (DeliveryState.WAITING, 1)
    assert timedelta(seconds=15) <= later.due_at - NOON <= timedelta(seconds=45)
    mails.refuse = {}
    with clock.fixed(NOON + timedelta(minutes=1)):
        assert send(store, tmp_path) == Delivered(sent=1)
        with store.session() as session:
            assert again(session, by="admin") == 1
        assert send(store, tmp_path) == Delivered(sent=1)


def test_it_is_tried_ever_more_seldom_and_then_given_up(store: Store, tmp_path: Path, mails: Mails) -> None:
    mails.refuse = {"a0@b.cn": "450 later"}
    rules = load_rules()
    short = rules.model_copy(update={"retry": Retry(attempts=4, first=60, longest=200)})
    with clock.fixed(NOON), store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 1))
    at, waits = NOON, []
    for _ in range(10):
        with clock.fixed(at):
            send(store, tmp_path, rules=short)
        row = rows(store)[0]
        if row.state is not DeliveryState.WAITING:
            break
        waits.append((row.due_at - at).total_seconds())
        at = row.due_at
    assert (row.state, row.attempts, len(waits)) == (DeliveryState.DEAD, 4, 3)
    assert all(base / 2 <= wait <= base * 1.5 for wait, base in zip(waits, (60, 120, 200), strict=True))


def test_pauses_grow_vary_and_heed_what_was_asked() -> None:
    retry = Retry(attempts=8, first=30, longest=3600)
    assert len({pause(retry, 3) for _ in range(20)}) > 1
    assert pause(retry, 1, 500.0) >= timedelta(seconds=500)
    assert pause(retry, 1000) <= timedelta(seconds=5400)


def test_a_channel_out_of_order_is_left_alone_and_costs_one_attempt(store: Store, tmp_path: Path) -> None:
    with nobody_there() as port, clock.fixed(NOON):
        with store.session() as session:
            mails_to(session, store, port)
            set_channel(session, store.key, Medium.FILE, FileSettings(form="json"), by="admin")
            write(session, store, accounts(session, store, 5))
        assert send(store, tmp_path) == Delivered(sent=5, failed=1)
    by_mail = [row for row in rows(store) if row.medium is Medium.MAIL]
    assert Counter(row.attempts for row in by_mail) == {1: 1, 0: 4}
    assert {row.claimed_by for row in by_mail} == {None}
    assert len(list((tmp_path / "notices").rglob("*.json"))) == 5


def test_a_test_of_a_channel_goes_before_what_has_waited_longer(store: Store, tmp_path: Path) -> None:
    """Else a channel that stays out of order tries another notice each time, and a test of it tells nothing."""
    with nobody_there() as port, clock.fixed(NOON), store.session() as session:
        mails_to(session, store, port)
        write(session, store, accounts(session, store, 3))
    with clock.fixed(NOON + timedelta(minutes=1)):
        with store.session() as session:
            code = channel_test(session, store.key, Medium.MAIL, "me@b.cn", None, by="admin")
        assert send(store, tmp_path, first=code) == Delivered(failed=1)
    assert [row.attempts for row in rows(store)] == [0, 0, 0, 1]


def test_a_claim_of_somebody_killed_ends_by_itself(store: Store, tmp_path: Path, mails: Mails) -> None:
    with clock.fixed(NOON), store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 3))
    with clock.fixed(NOON):
        with store.session() as session:
            claims = delivering._claim(session, store.key, Medium.MAIL, "gone", load_rules())
        assert len(claims) == 3
        assert send(store, tmp_path) == Delivered()
    with clock.fixed(NOON + delivering.LEASE + timedelta(seconds=1)):
        assert send(store, tmp_path) == Delivered(sent=3)
        # and should that one come back, it changes nothing any more
        sent = delivering._settle(store, claims[0].id, "gone", DeliveryState.DEAD, "x", None)
    assert not sent
    assert {row.state for row in rows(store)} == {DeliveryState.SENT}


def test_one_that_nobody_comes_back_from_is_given_up(store: Store, tmp_path: Path, mails: Mails) -> None:
    rules = load_rules()
    short = rules.model_copy(update={"retry": Retry(attempts=2, first=1, longest=1)})
    at = NOON
    with clock.fixed(at), store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 1))
    for _ in range(2):
        with clock.fixed(at), store.session() as session:
            delivering._claim(session, store.key, Medium.MAIL, "gone", short)
        at += delivering.LEASE + timedelta(seconds=1)
    with clock.fixed(at):
        assert send(store, tmp_path, rules=short) == Delivered(dead=1)
    assert rows(store)[0].trouble == "notices.worn_out"
    assert mails.got == []


def test_nobody_left_to_tell_is_no_failure(store: Store, tmp_path: Path, mails: Mails) -> None:
    with store.session() as session:
        mails_to(session, store, mails.port)
        ids = accounts(session, store, 4)
        write(session, store, ids)
        session.get_one(Account, ids[0]).disabled_at = NOON
        session.scalars(select(NoticeAddress).where(NoticeAddress.account_id == ids[1])).one()
        address = session.scalars(select(NoticeAddress).where(NoticeAddress.account_id == ids[1])).one()
        session.delete(address)
        session.scalars(select(Notice).where(Notice.account_id == ids[2])).one().params_sealed = b"\x01spoilt"
    assert send(store, tmp_path) == Delivered(sent=1, dropped=3)
    troubles = [row.trouble for row in rows(store)]
    assert troubles == ["notices.nobody", "notices.no_address", "key.cannot_open", None]


def test_each_is_written_to_in_their_language_at_their_present_address(
    store: Store, tmp_path: Path, mails: Mails
) -> None:
    with store.session() as session:
        mails_to(session, store, mails.port)
        (who,) = accounts(session, store, 1)
        write(session, store, [who], "account.token_created")
        to = To(account_id=who)
        set_address(session, store.key, to, AddressForm.MAIL, "new@b.cn", language="en", by="test")
    assert send(store, tmp_path) == Delivered(sent=2)
    got = {mail["To"]: mail["Subject"] for mail in mails.got}
    assert got == {
        "new@b.cn": "Your account has a new API token",
        "a0@b.cn": "Your address for notices was changed",
    }


def test_no_short_message_at_night_save_urgent_ones(store: Store, tmp_path: Path) -> None:
    night = datetime(2026, 9, 1, 23, 30).astimezone()
    with gateway() as posts, clock.fixed(night):
        with store.session() as session:
            settings = HookSettings(url=f"http://localhost:{posts.port}/")
            set_channel(session, store.key, Medium.SMS, settings, by="admin")
            ids = accounts(session, store, 1, AddressForm.PHONE)
            write(session, store, ids)
            write(session, store, ids, "account.password_reset")
        assert send(store, tmp_path) == Delivered(sent=1)
        assert b"account.password_reset" in posts.got[0][2]
        with clock.fixed(datetime(2026, 9, 2, 7, 59).astimezone()):
            assert send(store, tmp_path) == Delivered()
        with clock.fixed(datetime(2026, 9, 2, 8, 0).astimezone()):
            assert send(store, tmp_path) == Delivered(sent=1)


def test_what_waits_for_a_channel_that_is_taken_away_is_dropped(store: Store, tmp_path: Path) -> None:
    with store.session() as session:
        mails_to(session, store, 1)
        write(session, store, accounts(session, store, 1))
        remove_channel(session, Medium.MAIL, by="admin")
    assert rows(store)[0].state is DeliveryState.DROPPED


def test_told_to_stop_it_gives_back_what_it_holds(store: Store, tmp_path: Path, mails: Mails) -> None:
    with store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, 5))
    assert send(store, tmp_path, cancelled=lambda: len(mails.got) >= 2) == Delivered(sent=2)
    left = [row for row in rows(store) if row.state is DeliveryState.WAITING]
    assert {(row.attempts, row.claimed_by) for row in left} == {(0, None)}
    assert send(store, tmp_path) == Delivered(sent=3)


SENDER = """
import sys
from pathlib import Path
from expert_pool.keys import Key
from expert_pool.notices.delivering import deliver
from expert_pool.store import open_store
with open_store(sys.argv[1], key=Key(bytes(range(32)))) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    deliver(store, files=Path("."), private_hosts=("localhost",))
"""


def test_killed_while_it_sends_nothing_is_lost_and_only_what_was_in_hand_is_sent_twice(
    store: Store, tmp_path: Path, mails: Mails
) -> None:
    count = 50
    with store.session() as session:
        mails_to(session, store, mails.port)
        write(session, store, accounts(session, store, count))
    command = [sys.executable, "-c", SENDER, store.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def killing() -> str:
            """In the second lot: the mail is taken, and nobody is there any more to be told so."""
            if len(mails.got) == 24:
                process.kill()
            return "250 OK"

        mails.answer = killing
        process.communicate("go\n")
    assert process.returncode == -signal.SIGKILL
    mails.answer = lambda: "250 OK"
    held = [row.claimed_until for row in rows(store) if row.claimed_until is not None]
    assert held
    assert {row.state for row in rows(store)} == {DeliveryState.SENT, DeliveryState.WAITING}
    with clock.fixed(min(held)):  # what it held is left to it
        send(store, tmp_path)
        assert len([row for row in rows(store) if row.state is DeliveryState.WAITING]) == len(held)
    with clock.fixed(max(held) + timedelta(seconds=1)):
        assert send(store, tmp_path) == Delivered(sent=len(held))
    assert {row.state for row in rows(store)} == {DeliveryState.SENT}
    got = Counter(str(mail["X-Expert-Pool-Notice"]) for mail in mails.got)
    assert len(got) == count
    assert sorted(got.values())[-2:] == [1, 2]  # with the same id


def test_why_something_was_not_delivered_needs_no_particulars() -> None:
    from expert_pool.words import languages, say

    here = Path(delivering.__file__).parent
    text = "".join(path.read_text("utf-8") for path in here.glob("*.py"))
    troubles = set(re.findall(r'"(notices\.(?:mail|hook|host|file)_[a-z_]+)"', text))
    assert len(troubles) > 8
    for trouble in troubles | {"notices.nobody", "notices.no_address", "notices.worn_out"}:
        for lang in languages():
            assert "—" not in say(trouble, lang), trouble
            assert say(trouble, lang)[:8] != "notices."
