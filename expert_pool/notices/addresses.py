"""Where notices go: addresses of accounts, experts and offices, sealed, shown masked; and what accounts want."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.accounts.home import home
from expert_pool.keys import Key
from expert_pool.notices.rules import KINDS, Rules, load_rules
from expert_pool.privacy.purposes import owners
from expert_pool.registry import (
    Account,
    AddressForm,
    Expert,
    Medium,
    NoticeAddress,
    NoticePreference,
    Organiser,
)
from expert_pool.words import languages
from solver.errors import Fault

FORM: Mapping[Medium, AddressForm | None] = {
    Medium.MAIL: AddressForm.MAIL,
    Medium.SMS: AddressForm.PHONE,
    Medium.VOICE: AddressForm.PHONE,
    Medium.FILE: None,
}
"""The form of address that a medium needs; a file needs none."""

_MAIL = re.compile(
    r"(?=.{3,254}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LOCAL = 64
_PHONE = re.compile(r"\+?[0-9]{5,15}")


@dataclass(frozen=True, slots=True)
class To:
    """Exactly one of: an account, an expert, the office of an organiser; by id."""

    account_id: int | None = None
    expert_id: int | None = None
    office_id: int | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in self.columns().values()) != 1:
            raise ValueError("a notice goes to one account, one expert or one office")

    def columns(self) -> dict[str, int | None]:
        return {"account_id": self.account_id, "expert_id": self.expert_id, "office_id": self.office_id}

    def only(self, table: Any) -> list[Any]:
        """The conditions that rows of `table` are about this one."""
        return [getattr(table, name) == value for name, value in self.columns().items() if value is not None]


def read_address(form: AddressForm, text: str) -> str:
    """An address as it is kept: a mail address (RFC 5321, ASCII), or a telephone number in digits.

    Raises Fault `notices.address_malformed`; the fault never holds the text.
    """
    plain = text.strip()
    if form is AddressForm.PHONE:
        plain = re.sub(r"[ ()-]", "", plain)
        if not _PHONE.fullmatch(plain):
            raise Fault("notices.address_malformed", "address", form=str(form))
        return plain
    if not _MAIL.fullmatch(plain) or len(plain.partition("@")[0]) > _LOCAL:
        raise Fault("notices.address_malformed", "address", form=str(form))
    return plain


def masked(form: AddressForm, address: str) -> str:
    """An address as faces show it: enough to recognise one's own."""
    if form is AddressForm.MAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}***@{domain}"
    return f"{'*' * max(len(address) - 2, 0)}{address[-2:]}"


def set_address(
    session: Session,
    key: Key,
    to: To,
    form: AddressForm,
    address: str,
    *,
    language: str,
    by: str,
    organiser_id: int | None = None,
) -> NoticeAddress:
    """Keep an address, instead of one kept before; notices there are written in `language`.

    Of an account, the address before is told of the change. `organiser_id`: in whose chain of the ledger it is told, by
    default that of the office itself, of the account's organiser, or of the expert's latest pool. Raises Fault
    `notices.address_malformed`, `notices.language_not_spoken`.
    """
    from expert_pool.notices.telling import tell

    plain = read_address(form, address)
    if language not in languages():
        raise Fault("notices.language_not_spoken", "language", given=language, known=list(languages()))
    row = find_address(session, to, form)
    before = None if row is None or row.address_sealed is None else key.open(row.address_sealed)
    now = clock.now()
    if row is None:
        row = NoticeAddress(**to.columns(), form=form)
        session.add(row)
    elif before == plain and row.language == language:
        return row
    row.address_sealed, row.language = key.seal(plain), language
    row.changed_at, row.changed_by = now, by
    _entered(session, to, "notice_address.set", by, organiser_id, {"form": form, "language": language})
    if to.account_id is not None and before is not None and before != plain:
        medium = Medium.MAIL if form is AddressForm.MAIL else Medium.SMS
        tell(
            session,
            key,
            "account.address_changed",
            to,
            cause=f"address:{row.id}:{now.isoformat()}",
            params={"form": str(form), "at": now.isoformat(timespec="minutes")},
            address=(medium, before),
        )
    return row


def find_address(session: Session, to: To, form: AddressForm) -> NoticeAddress | None:
    """The address somebody gave; None where they gave none."""
    mine = (*to.only(NoticeAddress), NoticeAddress.form == form)
    return session.scalar(select(NoticeAddress).where(*mine).with_for_update())


def drop_address(
    session: Session, to: To, form: AddressForm, *, by: str, organiser_id: int | None = None
) -> None:
    """Forget an address; `organiser_id` as `set_address`. Raises Fault `notices.address_unknown` where there is none."""
    row = find_address(session, to, form)
    if row is None or row.address_sealed is None:
        raise Fault("notices.address_unknown", str(form))
    session.delete(row)
    _entered(session, to, "notice_address.removed", by, organiser_id, {"form": form})


def _entered(
    session: Session, to: To, action: str, by: str, organiser_id: int | None, payload: Mapping[str, Any]
) -> None:
    """Tell the ledger whose address changed, and never which it is: the row is not attested, so that it can be forgotten."""
    own: int | None
    if to.office_id is not None:
        office = session.get_one(Organiser, to.office_id)
        subject, own = office.code, office.id
    elif to.expert_id is not None:
        subject = session.get_one(Expert, to.expert_id).code
        own = next(iter(owners(session, to.expert_id)), None)
    else:
        account = session.get_one(Account, to.account_id)
        subject, own = account.name, account.organiser_id
    chain = own if organiser_id is None else organiser_id
    ledger.append(
        session,
        organiser_id=home(session) if chain is None else chain,
        actor=by,
        action=action,
        subject=subject,
        payload=payload,
    )


@dataclass(frozen=True, slots=True)
class Preference:
    """Whether an account gets a kind of notice by a medium. `fixed`: that is not for it to say."""

    kind: str
    medium: Medium
    wanted: bool
    fixed: bool


def preferences(session: Session, account_id: int, rules: Rules | None = None) -> list[Preference]:
    """What an account gets by which medium: its own choices, else the rules'."""
    known = rules or load_rules()
    rows = session.execute(
        select(NoticePreference.kind, NoticePreference.medium, NoticePreference.wanted).where(
            NoticePreference.account_id == account_id
        )
    )
    chosen = {(row.kind, Medium(row.medium)): row.wanted for row in rows}
    return [
        Preference(name, medium, rule.must or chosen.get((name, medium), True), rule.must)
        for name, rule in sorted(known.kinds.items())
        for medium in rule.media
        if name != "channel.test"
    ]


def prefer(
    session: Session, account_id: int, choices: Mapping[tuple[str, Medium], bool], rules: Rules | None = None
) -> None:
    """Replace all choices of an account; what is not among `choices` is as the rules say.

    Raises Fault `notices.no_such_kind`, `notices.must` for a kind that may not be switched off.
    """
    known = rules or load_rules()
    for (kind, medium), wanted in choices.items():
        if kind not in KINDS:
            raise Fault("notices.no_such_kind", kind, known=sorted(KINDS))
        if known.kinds[kind].must and not wanted:
            raise Fault("notices.must", kind, kind=kind, medium=str(medium))
    session.execute(delete(NoticePreference).where(NoticePreference.account_id == account_id))
    session.add_all(
        NoticePreference(account_id=account_id, kind=kind, medium=medium, wanted=wanted)
        for (kind, medium), wanted in sorted(choices.items())
    )
    session.flush()
