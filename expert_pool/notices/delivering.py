"""Sending what is due. Any number of processes may do it at once; each delivery is held by one of them at a time.

A delivery is claimed with a lease in one transaction, sent outside any, and settled in another. Who is killed in between
leaves a claim that ends by itself, and the notice is sent again: at least once, never silently lost. Every attempt
carries the same id, so that a receiver can tell a second one.
"""

from __future__ import annotations

import json
import random
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from expert_pool import clock
from expert_pool.accounts.home import tell as on_ledger
from expert_pool.keys import Key
from expert_pool.notices.addresses import FORM
from expert_pool.notices.channels import Channel, FileSettings, HookSettings, MailSettings, channels
from expert_pool.notices.hooks import HookSender
from expert_pool.notices.letter import letter
from expert_pool.notices.mail import MailSender
from expert_pool.notices.outgoing import SECONDS, Outgoing, Sender, Undelivered
from expert_pool.notices.rules import Retry, Rules, load_rules
from expert_pool.notices.spool import FileSender
from expert_pool.registry import (
    Account,
    AddressForm,
    DeliveryState,
    Expert,
    Medium,
    Notice,
    NoticeAddress,
    NoticeDelivery,
)
from expert_pool.store import Store
from solver.errors import Fault

LEASE = timedelta(seconds=120)
BATCH = 20


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a round came to: `failed` are tried again later, `dead` given up, `dropped` have nobody to go to."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Claim:
    """A delivery in hand: `notice` None where it has nobody to go to, and `trouble` says why."""

    id: int
    attempts: int
    notice: Outgoing | None
    trouble: str = ""


def deliver(
    store: Store,
    *,
    files: Path,
    private_hosts: Collection[str] = (),
    cancelled: Callable[[], bool] = lambda: False,
    rules: Rules | None = None,
    first: str | None = None,
) -> Delivered:
    """Send everything that is due now, and return once nothing is (or `cancelled` says so).

    `files`: the folder of the file channel. `private_hosts`: where channels may connect to besides the open internet.
    A channel that is out of order is left alone until the next round. `first`: the code of a notice that goes before
    those that have waited longer, so that a test of such a channel is tried.
    """
    known = rules or load_rules()
    token = secrets.token_hex(8)
    count: Counter[str] = Counter()
    with store.reading() as session:
        ways = channels(session, store.key)
    for medium, channel in ways.items():
        if not channel.enabled:
            continue
        sender = sender_of(channel, ways, files=files, private_hosts=private_hosts)
        try:
            while not cancelled():
                with store.session() as session:
                    claims = _claim(session, store.key, medium, token, known, first)
                if not claims or not _send(store, sender, claims, token, known.retry, count, cancelled):
                    break
        finally:
            sender.close()
    return Delivered(**count)


def sender_of(
    channel: Channel,
    others: Mapping[Medium, Channel],
    *,
    files: Path,
    private_hosts: Collection[str] = (),
) -> Sender:
    """What carries notices by a channel."""
    match channel.settings:
        case MailSettings() as settings:
            return MailSender(settings, private_hosts)
        case HookSettings() as settings:
            return HookSender(settings, private_hosts)
        case FileSettings() as settings:
            mail = others.get(Medium.MAIL)
            if mail is not None and isinstance(mail.settings, MailSettings):
                return FileSender(settings, files, mail.settings.sender)
            return FileSender(settings, files)


def pause(retry: Retry, attempts: int, asked: float | None = None) -> timedelta:
    """How long to wait after so many failed attempts: doubling, within bounds, with jitter; no less than `asked`."""
    usual = min(retry.first * 2.0 ** min(attempts - 1, 40), retry.longest)
    return timedelta(seconds=max(usual * random.uniform(0.5, 1.5), asked or 0.0))


def _send(
    store: Store,
    sender: Sender,
    claims: Sequence[_Claim],
    token: str,
    retry: Retry,
    count: Counter[str],
    cancelled: Callable[[], bool],
) -> bool:
    """Send the deliveries in hand; False when the channel is out of order, and those left were given back."""
    until = clock.now() + LEASE - timedelta(seconds=2 * SECONDS)
    for number, claim in enumerate(claims):
        if cancelled() or clock.now() > until:
            _give_back(store, claims[number:], token)
            return not cancelled()
        trouble = Undelivered(claim.trouble, for_good=True)
        state = DeliveryState.DROPPED
        if claim.notice is not None and not claim.trouble:
            try:
                sender.send(claim.notice)
                state = DeliveryState.SENT
            except Undelivered as failed:
                last = failed.for_good or claim.attempts >= retry.attempts
                trouble, state = failed, DeliveryState.DEAD if last else DeliveryState.WAITING
        elif claim.notice is not None:
            state = DeliveryState.DEAD
        wait = pause(retry, claim.attempts, trouble.after) if state is DeliveryState.WAITING else None
        if _settle(store, claim.id, token, state, trouble.code, wait):
            count["failed" if state is DeliveryState.WAITING else str(state)] += 1
        if trouble.channel:
            _give_back(store, claims[number + 1 :], token)
            return False
    return True


def _claim(
    session: Session, key: Key, medium: Medium, token: str, rules: Rules, first: str | None = None
) -> list[_Claim]:
    now = clock.now()
    due = [
        NoticeDelivery.state == DeliveryState.WAITING,
        NoticeDelivery.due_at <= now,
        NoticeDelivery.medium == medium,
        or_(NoticeDelivery.claimed_until.is_(None), NoticeDelivery.claimed_until < now),
    ]
    if medium in rules.silent():
        due.append(NoticeDelivery.urgent.is_(True))
    order: list[ColumnElement[Any]] = [NoticeDelivery.due_at.asc(), NoticeDelivery.id.asc()]
    if first is not None:
        wanted = select(Notice.id).where(Notice.code == first).scalar_subquery()
        order.insert(0, (NoticeDelivery.notice_id == wanted).desc())
    oldest = select(NoticeDelivery.id).where(*due).order_by(*order)
    ids = session.scalars(oldest.limit(BATCH).with_for_update(skip_locked=True)).all()
    if not ids:
        return []
    held = {"claimed_by": token, "claimed_until": now + LEASE, "attempts": NoticeDelivery.attempts + 1}
    session.execute(
        update(NoticeDelivery).where(NoticeDelivery.id.in_(ids)).values(**held),
        execution_options={"synchronize_session": False},
    )
    rows = session.execute(_with_addresses(medium).where(NoticeDelivery.id.in_(ids))).all()
    row_of = {row.id: row for row in reversed(rows)}  # an expert with two accounts is still one
    return [_in_hand(row_of[identity], key, medium, rules) for identity in ids if identity in row_of]


def _with_addresses(medium: Medium) -> Any:
    """Deliveries with their notices and the addresses they may go to: the recipient's own, that of an expert's
    account, the telephone number an expert is registered with."""
    form = FORM[medium] or AddressForm.MAIL
    own, by_account = aliased(NoticeAddress), aliased(NoticeAddress)
    account, its = aliased(Account), aliased(Account)
    to_own = or_(
        own.account_id == Notice.account_id,
        own.expert_id == Notice.expert_id,
        own.office_id == Notice.office_id,
    )
    phone = Expert.phone_sealed if form is AddressForm.PHONE else null()
    return (
        select(
            NoticeDelivery.id,
            NoticeDelivery.attempts,
            NoticeDelivery.to_sealed,
            Notice.code,
            Notice.kind,
            Notice.params_sealed,
            Notice.at,
            own.address_sealed.label("own"),
            by_account.address_sealed.label("by_account"),
            phone.label("phone"),
            own.language.label("own_language"),
            by_account.language.label("its_language"),
            account.language.label("account_language"),
            account.disabled_at,
        )
        .join(Notice, Notice.id == NoticeDelivery.notice_id)
        .outerjoin(own, and_(own.form == form, to_own))
        .outerjoin(account, account.id == Notice.account_id)
        .outerjoin(Expert, Expert.id == Notice.expert_id)
        .outerjoin(its, and_(its.expert_id == Notice.expert_id, its.disabled_at.is_(None)))
        .outerjoin(by_account, and_(by_account.form == form, by_account.account_id == its.id))
        .order_by(NoticeDelivery.due_at, NoticeDelivery.id)
    )


def _in_hand(row: Row[Any], key: Key, medium: Medium, rules: Rules) -> _Claim:
    sealed = row.to_sealed or row.own or row.by_account or row.phone
    if row.params_sealed is None or row.disabled_at is not None:
        return _Claim(row.id, row.attempts, None, "notices.nobody")
    if sealed is None and FORM[medium] is not None:
        return _Claim(row.id, row.attempts, None, "notices.no_address")
    language = row.own_language or row.its_language or row.account_language or "zh"
    try:
        to, params = "" if sealed is None else key.open(sealed), json.loads(key.open(row.params_sealed))
    except Fault as fault:
        return _Claim(row.id, row.attempts, None, fault.code)
    words = letter(row.kind, params, language)
    notice = Outgoing(f"{row.code}-{medium}", row.kind, medium, to, language, words, row.at)
    worn_out = row.attempts > rules.retry.attempts  # whoever took it the last time did not come back
    return _Claim(row.id, row.attempts, notice, "notices.worn_out" if worn_out else "")


def _settle(
    store: Store, identity: int, token: str, state: DeliveryState, trouble: str, wait: timedelta | None
) -> bool:
    """Write down how an attempt ended; False where it is somebody else's by now."""
    now = clock.now()
    values: dict[str, Any] = {"state": state, "claimed_by": None, "claimed_until": None}
    values |= {"trouble": trouble or None}
    values |= {"due_at": now + wait} if wait is not None else {"ended_at": now}
    return _held(store, [identity], token, values) == 1


def _give_back(store: Store, claims: Sequence[_Claim], token: str) -> None:
    """Let go of deliveries that were not tried."""
    if claims:
        values = {"claimed_by": None, "claimed_until": None, "attempts": NoticeDelivery.attempts - 1}
        _held(store, [claim.id for claim in claims], token, values)


def _held(store: Store, ids: list[int], token: str, values: Mapping[str, Any]) -> int:
    mine = (NoticeDelivery.id.in_(ids), NoticeDelivery.claimed_by == token)
    with store.session() as session:
        statement = update(NoticeDelivery).where(*mine, NoticeDelivery.state == DeliveryState.WAITING)
        done: Any = session.execute(
            statement.values(**values), execution_options={"synchronize_session": False}
        )
        return int(done.rowcount)


def again(session: Session, *, by: str, medium: Medium | None = None) -> int:
    """Put what was given up on its way once more, all of it or that of a medium; return how many."""
    where = [NoticeDelivery.state == DeliveryState.DEAD]
    if medium is not None:
        where.append(NoticeDelivery.medium == medium)
    values = {"state": DeliveryState.WAITING, "due_at": clock.now(), "attempts": 0, "ended_at": None}
    done: Any = session.execute(update(NoticeDelivery).where(*where).values(**values, trouble=None))
    count = int(done.rowcount)
    payload = {"medium": None if medium is None else str(medium), "count": count}
    on_ledger(session, None, by, "notices.sent_again", str(medium or "all"), payload)
    return count
