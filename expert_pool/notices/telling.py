"""The outbox: a notice is written in the transaction of its cause, and no cause is told twice."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, and_, any_, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.bulk import insert_rows
from expert_pool.keys import Key
from expert_pool.notices.addresses import FORM, To, read_address
from expert_pool.notices.rules import KindRule, Rules, load_rules
from expert_pool.registry import (
    Account,
    AddressForm,
    DeliveryState,
    Expert,
    Medium,
    Notice,
    NoticeAddress,
    NoticeChannel,
    NoticeDelivery,
    NoticeItem,
    NoticePreference,
)
from expert_pool.store import allocate

_LOCK = 0x65787065_6E6F7469  # one number for pg_advisory_xact_lock
_SEVERAL = 20_000
"""Values in one question."""
_NOTICE = (
    "id",
    "account_id",
    "expert_id",
    "office_id",
    "code",
    "cause",
    "kind",
    "params_sealed",
    "at",
    "read_at",
)
_DELIVERY = (
    "id", "notice_id", "medium", "state", "urgent", "due_at",
    "attempts", "claimed_by", "claimed_until", "ended_at", "trouble", "to_sealed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telling:
    """A notice to be written: to whom, for which cause, with what in its sentences; `items`: the causes a digest
    tells of."""

    to: To
    cause: str
    params: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[str] = ()


def tell(
    session: Session,
    key: Key,
    kind: str,
    to: To,
    *,
    cause: str,
    params: Mapping[str, Any],
    address: tuple[Medium, str] | None = None,
    outside: bool = True,
    rules: Rules | None = None,
) -> str | None:
    """Write a notice in the caller's transaction and return its code; None where its cause was told before.

    `cause` names what is told to whom, e.g. `run:R1:done:account:5`. `params` (what JSON can say) are sealed. It goes
    out by the first medium of its kind that is set up, wanted, and has an address; by `address` alone where one is
    given; and stays inside, to be read there, where there is none or `outside` is false.
    """
    known = rules or load_rules()
    rule = known.kinds[kind]
    given = None if address is None else (address[0], _given(*address))
    now = clock.now()
    code = _code()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"code": code, "cause": cause, "kind": kind, "params_sealed": _sealed(key, params), "at": now}
    statement = dialect.insert(Notice).values(**row, **to.columns(), read_at=None)
    session.flush()
    identity = session.scalar(statement.on_conflict_do_nothing(index_elements=["cause"]).returning(Notice.id))
    if identity is None:
        return None
    ways = _ways(session, rule, kind, [to]) if outside and given is None else _Ways()
    media = ways.of(to) if given is None else (given[0],)
    sealed = None if given is None or given[0] is Medium.FILE else key.seal(given[1])
    session.add_all(
        NoticeDelivery(
            notice_id=identity,
            medium=medium,
            state=DeliveryState.WAITING,
            urgent=rule.urgent,
            due_at=now,
            to_sealed=sealed,
        )
        for medium in media
    )
    session.flush()
    return code


def tell_many(
    session: Session,
    key: Key,
    kind: str,
    tellings: Sequence[Telling],
    *,
    rules: Rules | None = None,
    unreached: bool = False,
) -> int:
    """As `tell`, for many at once, and with digests; return how many notices were written.

    Causes told before are left out, and so are experts whom no notice can reach: no address for a medium that is set
    up, no account to read it with; unless `unreached`: then it stays inside, to be read once they have an account.
    Keeps other callers out until the transaction ends.
    """
    keep_out(session)
    before = told(session, [telling.cause for telling in tellings])
    new = [telling for telling in tellings if telling.cause not in before]
    rule = (rules or load_rules()).kinds[kind]
    ways = _ways(session, rule, kind, [telling.to for telling in new])
    if not unreached:
        new = [t for t in new if t.to.expert_id is None or ways.of(t.to) or t.to.expert_id in ways.accounts]
    now = clock.now()
    notices, items, deliveries = [], [], []
    for identity, telling in zip(allocate(session, Notice, len(new)), new, strict=True):
        to = telling.to
        sealed = _sealed(key, telling.params)
        who = (to.account_id, to.expert_id, to.office_id)
        notices.append((identity, *who, _code(), telling.cause, kind, sealed, now, None))
        items += [(identity, item) for item in telling.items]
        deliveries += [(identity, medium) for medium in ways.of(to)]
    insert_rows(session, Notice, _NOTICE, notices)
    fresh = allocate(session, NoticeItem, len(items))
    lines = [(i, *item) for i, item in zip(fresh, items, strict=True)]
    insert_rows(session, NoticeItem, ("id", "notice_id", "cause"), lines)
    waiting = (DeliveryState.WAITING, rule.urgent, now, 0, None, None, None, None, None)
    fresh = allocate(session, NoticeDelivery, len(deliveries))
    out = [(i, *delivery, *waiting) for i, delivery in zip(fresh, deliveries, strict=True)]
    insert_rows(session, NoticeDelivery, _DELIVERY, out)
    return len(notices)


def keep_out(session: Session) -> None:
    """Wait for others who tell many, and keep them out until the transaction ends. (SQLite has one writer anyway.)"""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def told(session: Session, causes: Iterable[str]) -> set[str]:
    """Those of the causes that were told before, by a notice of their own or in a digest."""
    asked = list(causes)
    found: set[str] = set()
    for start in range(0, len(asked), _SEVERAL):
        some = asked[start : start + _SEVERAL]
        for column in (Notice.cause, NoticeItem.cause):
            found.update(session.scalars(select(column).where(_among(session, column, some))))
    return found


def _among(session: Session, column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of many values, which go over as one parameter."""
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
        return found
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    inside: ColumnElement[bool] = column.in_(select(each.c.value))
    return inside


@dataclass(frozen=True, slots=True)
class _Ways:
    """By which media recipients can be reached; `accounts`: of the experts, those who have an account."""

    media: tuple[Medium, ...] = ()
    always: tuple[Medium, ...] = ()
    addressed: frozenset[tuple[str, int, AddressForm]] = frozenset()
    unwanted: frozenset[tuple[int, Medium]] = frozenset()
    accounts: Mapping[int, int] = field(default_factory=dict)

    def of(self, to: To) -> tuple[Medium, ...]:
        """The media a notice for somebody goes out by."""
        account = to.account_id if to.expert_id is None else self.accounts.get(to.expert_id)
        name, identity = next((n, i) for n, i in to.columns().items() if i is not None)
        for medium in self.media:
            unwanted = account is not None and (account, medium) in self.unwanted
            if not unwanted and (name, identity, _form(medium)) in self.addressed:
                return (medium, *self.always)
        return self.always


def _ways(session: Session, rule: KindRule, kind: str, whom: Sequence[To]) -> _Ways:
    enabled = set(session.scalars(select(NoticeChannel.medium).where(NoticeChannel.enabled)))
    media = tuple(medium for medium in rule.media if medium in enabled)
    always = (Medium.FILE,) if Medium.FILE in enabled else ()
    accounts: dict[int, int] = {}
    addressed: set[tuple[str, int, AddressForm]] = set()
    for name in ("account_id", "expert_id", "office_id"):
        ids = [identity for to in whom if (identity := to.columns()[name]) is not None]
        for start in range(0, len(ids), _SEVERAL):
            some = ids[start : start + _SEVERAL]
            column = getattr(NoticeAddress, name)
            kept = NoticeAddress.address_sealed.is_not(None)
            known = session.execute(
                select(column, NoticeAddress.form).where(_among(session, column, some), kept)
            )
            addressed.update((name, identity, AddressForm(form)) for identity, form in known)
            if name == "expert_id":
                phoned = select(Expert.id).where(
                    _among(session, Expert.id, some), Expert.phone_sealed.is_not(None)
                )
                addressed.update((name, identity, AddressForm.PHONE) for identity in session.scalars(phoned))
                own = select(Account.expert_id, Account.id, NoticeAddress.form).where(
                    _among(session, Account.expert_id, some), Account.disabled_at.is_(None)
                )
                by_account = own.outerjoin(NoticeAddress, and_(NoticeAddress.account_id == Account.id, kept))
                for expert, account, form in session.execute(by_account):
                    if expert is None:
                        continue
                    accounts[expert] = account
                    if form is not None:
                        addressed.add((name, expert, AddressForm(form)))
    unwanted: frozenset[tuple[int, Medium]] = frozenset()
    if not rule.must:
        rows = session.execute(
            select(NoticePreference.account_id, NoticePreference.medium).where(
                NoticePreference.kind == kind, NoticePreference.wanted.is_(False)
            )
        )
        unwanted = frozenset((account, Medium(medium)) for account, medium in rows)
    return _Ways(media, always, frozenset(addressed), unwanted, accounts)


def _given(medium: Medium, address: str) -> str:
    return "" if medium is Medium.FILE else read_address(_form(medium), address)


def _form(medium: Medium) -> AddressForm:
    form = FORM[medium]
    if form is None:
        raise ValueError(f"{medium} has no addresses")
    return form


def _code() -> str:
    return f"N{secrets.token_hex(10)}"


def _sealed(key: Key, params: Mapping[str, Any]) -> bytes:
    return key.seal(json.dumps(params, ensure_ascii=False, separators=(",", ":"), default=_plain))


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be kept in a notice")
