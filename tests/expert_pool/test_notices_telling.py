"""The outbox: written with its cause, told once, by the medium that is set up, wanted and addressed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from refused import refused
from sqlalchemy import func, select
from tiny_registry import Tiny

from expert_pool.notices.addresses import (
    To,
    drop_address,
    masked,
    prefer,
    preferences,
    read_address,
    set_address,
)
from expert_pool.notices.channels import FileSettings, HookSettings, MailSettings, set_channel
from expert_pool.notices.forgetting import forget_before, forget_expert
from expert_pool.notices.inbox import backlog
from expert_pool.notices.telling import Telling, tell, tell_many
from expert_pool.registry import (
    Account,
    AddressForm,
    DeliveryState,
    Expert,
    Medium,
    Notice,
    NoticeDelivery,
    NoticeItem,
)
from expert_pool.store import Store

MAIL = MailSettings(host="mail.example.cn", sender="noreply@example.cn")
HOOK = HookSettings(url="https://sms.example.cn/send")


def account(session: Any, name: str = "clerk", **more: Any) -> int:
    from expert_pool import clock

    row = Account(name=name, created_at=clock.now(), created_by="test", **more)
    session.add(row)
    session.flush()
    return row.id


def media(session: Any) -> list[Medium]:
    return list(session.scalars(select(NoticeDelivery.medium).order_by(NoticeDelivery.id)))


def set_up(session: Any, store: Store, *, file: bool = False) -> None:
    set_channel(session, store.key, Medium.MAIL, MAIL, by="admin")
    set_channel(session, store.key, Medium.SMS, HOOK, by="admin")
    if file:
        set_channel(session, store.key, Medium.FILE, FileSettings(), by="admin")


def done(session: Any, store: Store, who: int, run: str = "R1", **more: Any) -> str | None:
    params = {"run": run, "what": "panel.request"}
    return tell(session, store.key, "run.done", To(account_id=who), cause=f"run:{run}", params=params, **more)


def test_a_cause_is_told_once(store: Store) -> None:
    with store.session() as session:
        who = account(session)
        assert done(session, store, who) is not None
        assert done(session, store, who) is None
    with store.session() as session:
        assert done(session, store, who) is None
        assert done(session, store, who, "R2") is not None
        assert session.scalar(select(func.count(Notice.id))) == 2


def test_two_who_tell_one_cause_at_once_tell_it_once(store: Store) -> None:
    with store.session() as session:
        who = account(session)

    def say(_: int) -> bool:
        with store.session() as session:
            return done(session, store, who) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(say, range(8))) == [False] * 7 + [True]


def test_a_notice_goes_with_its_cause(store: Store) -> None:
    with store.session() as session:
        who = account(session)
    with pytest.raises(RuntimeError), store.session() as session:  # noqa: PT012
        done(session, store, who)
        raise RuntimeError
    with store.reading() as session:
        assert session.scalar(select(func.count(Notice.id))) == 0


def test_it_goes_out_by_the_first_medium_that_is_set_up_wanted_and_addressed(store: Store) -> None:
    with store.session() as session:
        who = account(session)
        kind = "account.password_reset"

        def reset(n: int) -> list[Medium]:
            before = len(media(session))
            params = {"by": "admin", "at": "2026-09-01 12:00"}
            tell(session, store.key, kind, To(account_id=who), cause=f"reset:{n}", params=params)
            return media(session)[before:]

        assert reset(1) == []
        set_up(session, store)
        assert reset(2) == []
        phone = (To(account_id=who), AddressForm.PHONE, "13800001234")
        set_address(session, store.key, *phone, language="zh", by="clerk")
        assert reset(3) == [Medium.SMS]
        mail = (To(account_id=who), AddressForm.MAIL, "clerk@example.cn")
        set_address(session, store.key, *mail, language="zh", by="clerk")
        assert reset(4) == [Medium.MAIL]
        set_up(session, store, file=True)
        assert reset(5) == [Medium.MAIL, Medium.FILE]
        set_channel(session, store.key, Medium.MAIL, MAIL, enabled=False, by="admin")
        assert reset(6) == [Medium.SMS, Medium.FILE]
        assert backlog(session)[Medium.SMS, DeliveryState.WAITING] == 2


def test_what_is_not_wanted_stays_inside_unless_it_must_be_told(store: Store) -> None:
    with store.session() as session:
        who = account(session)
        set_up(session, store)
        set_address(session, store.key, To(account_id=who), AddressForm.MAIL, "a@b.cn", language="zh", by="x")
        prefer(session, who, {("run.done", Medium.MAIL): False})
        done(session, store, who)
        done(session, store, who, "R2", outside=False)
        assert media(session) == []
        chosen = {(p.kind, p.medium): p for p in preferences(session, who)}
        assert not chosen["run.done", Medium.MAIL].wanted
        assert chosen["run.failed", Medium.MAIL].wanted
        assert chosen["account.token_created", Medium.MAIL].fixed
        with refused("notices.must"):
            prefer(session, who, {("account.token_created", Medium.MAIL): False})
        with refused("notices.no_such_kind"):
            prefer(session, who, {("run.lost", Medium.MAIL): False})


def test_the_address_before_is_told_of_the_change(store: Store) -> None:
    with store.session() as session:
        who = To(account_id=account(session))
        set_up(session, store)
        for address in ("a@b.cn", "a@b.cn", "new@b.cn"):
            set_address(session, store.key, who, AddressForm.MAIL, address, language="zh", by="x")
        row = session.scalars(select(NoticeDelivery)).one()
        assert row.to_sealed is not None
        assert store.key.open(row.to_sealed) == "a@b.cn"
        drop_address(session, who, AddressForm.MAIL, by="x")
        with refused("notices.address_unknown"):
            drop_address(session, who, AddressForm.MAIL, by="x")


def test_experts_are_told_where_they_can_be_reached(tiny: Tiny) -> None:
    ids = tiny.ids["expert"]
    with tiny.store.session() as session:
        set_channel(session, tiny.store.key, Medium.SMS, HOOK, by="admin")
        set_channel(session, tiny.store.key, Medium.MAIL, MAIL, by="admin")
        for expert in session.scalars(select(Expert)):
            expert.phone_sealed = None
        session.get_one(Expert, ids["E01"]).phone_sealed = tiny.store.key.seal("13900000001")
        to = To(expert_id=ids["E02"])
        set_address(session, tiny.store.key, to, AddressForm.MAIL, "e2@b.cn", language="en", by="x")
        inside = account(session, "e3", expert_id=ids["E03"])
        own = account(session, "e4", expert_id=ids["E04"])
        to = To(account_id=own)
        set_address(session, tiny.store.key, to, AddressForm.MAIL, "e4@b.cn", language="zh", by="x")
        params = {"until": "2026-10-01", "ended": False, "about": "", "value": None}
        tellings = [Telling(To(expert_id=ids[code]), f"t:{code}", params) for code in ids]
        kind = "training.expiring"
        assert tell_many(session, tiny.store.key, kind, tellings) == 4
        assert tell_many(session, tiny.store.key, kind, tellings) == 0
        rows = session.execute(
            select(Notice.cause, NoticeDelivery.medium)
            .outerjoin(NoticeDelivery, NoticeDelivery.notice_id == Notice.id)
            .order_by(Notice.cause)
        ).all()
        assert [tuple(row) for row in rows] == [
            ("t:E01", Medium.SMS),
            ("t:E02", Medium.MAIL),
            ("t:E03", None),
            ("t:E04", Medium.MAIL),
        ]
        prefer(session, inside, {(kind, Medium.SMS): False})
        assert forget_expert(session, ids["E02"]) == 1
        state = select(NoticeDelivery.state).join(Notice, Notice.id == NoticeDelivery.notice_id)
        assert session.scalar(state.where(Notice.cause == "t:E02")) == DeliveryState.DROPPED
        assert tell_many(session, tiny.store.key, kind, tellings) == 0  # forgotten, and still told


def test_a_digest_remembers_each_of_its_causes(tiny: Tiny) -> None:
    from datetime import UTC, datetime

    from expert_pool.notices.telling import told

    with tiny.store.session() as session:
        items = tuple(f"item:{n}" for n in range(12_000))
        digest = Telling(To(office_id=tiny.organiser_id), "digest:1", {"count": 12_000}, items)
        assert tell_many(session, tiny.store.key, "training.expiring", [digest]) == 1
        assert session.scalar(select(func.count(NoticeItem.id))) == 12_000
        assert told(session, ["item:0", "item:11999", "item:12000", "digest:1"]) == {
            "item:0",
            "item:11999",
            "digest:1",
        }
        assert forget_before(session, datetime(2100, 1, 1, tzinfo=UTC)) == 1


def test_what_notices_say_and_where_they_go_is_sealed(store: Store) -> None:
    with store.session() as session:
        who = To(account_id=account(session))
        address = set_address(
            session, store.key, who, AddressForm.MAIL, "zhang@example.cn", language="zh", by="x"
        )
        tell(session, store.key, "letter", who, cause="l", params={"subject": "张三", "text": "您好"})
        row = session.scalars(select(Notice)).one()
        assert row.params_sealed is not None
        assert address.address_sealed is not None
        assert b"zhang" not in address.address_sealed
        assert "张三".encode() not in row.params_sealed


@pytest.mark.parametrize(
    ("form", "given", "kept"),
    [
        (AddressForm.MAIL, " Zhang.San+x@mail.example.cn ", "Zhang.San+x@mail.example.cn"),
        (AddressForm.PHONE, "+86 138-0000-1234", "+8613800001234"),
        (AddressForm.PHONE, "(0431) 88912345", "043188912345"),
    ],
)
def test_addresses_are_kept_in_one_form(form: AddressForm, given: str, kept: str) -> None:
    assert read_address(form, given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a",
        "a@",
        "@b.cn",
        "a@b.cn\r\nBcc: x@y.cn",
        "a@b.cn, x@y.cn",
        "a b@c.cn",
        "a@b..cn",
        '"a"@b.cn',
        "<a@b.cn>",
        "a@-b.cn",
        "张@b.cn",
        "a" * 65 + "@b.cn",
        "a@" + "b" * 254,
        "a@[127.0.0.1]",
        ".a@b.cn",
        "a\x00@b.cn",
    ],
)
def test_what_is_no_mail_address_is_refused(given: str) -> None:
    with refused("notices.address_malformed"):
        read_address(AddressForm.MAIL, given)


@pytest.mark.parametrize(
    "given", ["", "1234", "1" * 16, "13800001234;rm", "+", "１３８００００１２３４", "138\n00001234"]
)
def test_what_is_no_telephone_number_is_refused(given: str) -> None:
    with refused("notices.address_malformed"):
        read_address(AddressForm.PHONE, given)


def test_faces_show_addresses_masked() -> None:
    assert masked(AddressForm.MAIL, "zhangsan@example.cn") == "z***@example.cn"
    assert masked(AddressForm.PHONE, "13800001234") == "*********34"


def test_a_notice_goes_to_exactly_one() -> None:
    for who in ({}, {"account_id": 1, "expert_id": 2}):
        with pytest.raises(ValueError):
            To(**who)
