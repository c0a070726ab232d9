"""Where notices go: addresses of the own account, of offices, of experts, answered masked. Each change is told on the
ledger, never the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.access import allowed
from api.http.openapi import CHANGES
from api.http.resources import known_thing
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from expert_pool.accounts.rights import Principal, Right
from expert_pool.keys import Key
from expert_pool.notices import addresses
from expert_pool.notices.addresses import To
from expert_pool.privacy.purposes import teller
from expert_pool.registry import AddressForm, Expert, NoticeAddress

router = APIRouter(prefix="/notices", tags=["notices"])

PLAIN = r"^[^\x00-\x1f]+$"
"""A code: text without control characters, which one of the databases refuses."""

Form = Annotated[AddressForm, Path(description="mail, or phone (for short messages and calls)")]
OrganiserCode = Annotated[str, Path(max_length=200, pattern=PLAIN, examples=["HR"])]
ExpertCode = Annotated[str, Path(max_length=200, pattern=PLAIN, examples=["E01"])]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoticeAddressSent(_Model):
    """Where notices go, and the language they are written in there."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"address": "zhang@example.cn", "language": "zh"}]}
    )

    address: str = Field(min_length=1, max_length=254)
    language: Literal["zh", "en"] = "zh"


class NoticeAddressShown(_Model):
    """An address, masked."""

    form: AddressForm
    address: str = Field(examples=["z***@example.cn"])
    language: str
    changed_at: datetime
    changed_by: str


class NoticeAddresses(_Model):
    """All addresses of somebody. The ETag of this list goes into If-Match of what changes it."""

    items: list[NoticeAddressShown]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose addresses a request is about: found in its transaction, with the organiser whose chain of the ledger tells of
    a change (None: the usual one)."""

    asks: Principal
    find: Callable[[Session], tuple[To, int | None]]


def own(asks: Annotated[Principal, Depends(allowed(Right.OWN_ACCOUNT))]) -> Whose:
    return Whose(asks, lambda session: (To(account_id=asks.account_id), None))


def _office(
    organiser: OrganiserCode, asks: Annotated[Principal, Depends(allowed(Right.ORGANISERS_WRITE))]
) -> Whose:
    viewer = asks.viewer(Right.ORGANISERS_WRITE)
    return Whose(
        asks,
        lambda session: (To(office_id=known_thing(session, viewer, "organisers", organiser)), None),
    )


def _expert(expert: ExpertCode, asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))]) -> Whose:
    viewer = asks.viewer(Right.EXPERTS_WRITE)

    def find(session: Session) -> tuple[To, int | None]:
        found = session.get_one(Expert, known_thing(session, viewer, "experts", expert))
        return To(expert_id=found.id), teller(session, viewer, found)

    return Whose(asks, find)


Own = Annotated[Whose, Depends(own)]
OfOffice = Annotated[Whose, Depends(_office)]
OfExpert = Annotated[Whose, Depends(_expert)]


class Listing:
    """What every reading route here does, once it is known whose addresses it is about."""

    def __init__(self, service: Served, response: Response) -> None:
        self._store, self._response = service.store, response

    def listed(self, whose: Whose) -> NoticeAddresses:
        """They as they are kept."""
        with self._store.reading() as session:
            return self._told(session, whose.find(session)[0])

    def _told(self, session: Session, to: To) -> NoticeAddresses:
        shown = _kept(session, self._store.key, to)
        put_etag(self._response, shown)
        return shown


class Changing(Listing):
    """What every changing route here does."""

    def __init__(self, service: Served, response: Response, if_match: IfMatch = None) -> None:
        super().__init__(service, response)
        self._if_match = if_match

    def changed(self, whose: Whose, form: AddressForm, sent: NoticeAddressSent | None) -> NoticeAddresses:
        """They after one was set, or (None) forgotten."""
        key, by = self._store.key, whose.asks.actor
        with self._store.session() as session:
            to, chain = whose.find(session)
            require_match(self._if_match, etag_of(_kept(session, key, to)))
            if sent is None:
                addresses.drop_address(session, to, form, by=by, organiser_id=chain)
            else:
                given = {"language": sent.language, "by": by}
                addresses.set_address(session, key, to, form, sent.address, **given, organiser_id=chain)
            session.flush()
            return self._told(session, to)


Reading = Annotated[Listing, Depends(Listing)]
Writing = Annotated[Changing, Depends(Changing)]


@router.get("/addresses", response_model=NoticeAddresses)
def list_own_addresses(whose: Own, here: Reading) -> NoticeAddresses:
    """Where notices to the own account go."""
    return here.listed(whose)


@router.put("/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def set_own_address(form: Form, sent: NoticeAddressSent, whose: Own, here: Writing) -> NoticeAddresses:
    """Set the own mail address or telephone number; the one before is told of it."""
    return here.changed(whose, form, sent)


@router.delete("/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def remove_own_address(form: Form, whose: Own, here: Writing) -> NoticeAddresses:
    """Forget an own address."""
    return here.changed(whose, form, None)


@router.get("/offices/{organiser}/addresses", response_model=NoticeAddresses)
def list_office_addresses(whose: OfOffice, here: Reading) -> NoticeAddresses:
    """Where notices to an office go."""
    return here.listed(whose)


@router.put("/offices/{organiser}/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def set_office_address(
    form: Form, sent: NoticeAddressSent, whose: OfOffice, here: Writing
) -> NoticeAddresses:
    """Set the mail address or telephone number of an office."""
    return here.changed(whose, form, sent)


@router.delete("/offices/{organiser}/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def remove_office_address(form: Form, whose: OfOffice, here: Writing) -> NoticeAddresses:
    """Forget an address of an office."""
    return here.changed(whose, form, None)


@router.get("/experts/{expert}/addresses", response_model=NoticeAddresses)
def list_expert_addresses(whose: OfExpert, here: Reading) -> NoticeAddresses:
    """Where notices to an expert go besides the registered telephone number and the own account's addresses."""
    return here.listed(whose)


@router.put("/experts/{expert}/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def set_expert_address(
    form: Form, sent: NoticeAddressSent, whose: OfExpert, here: Writing
) -> NoticeAddresses:
    """Set the mail address or telephone number of an expert."""
    return here.changed(whose, form, sent)


@router.delete("/experts/{expert}/addresses/{form}", response_model=NoticeAddresses, responses=CHANGES)
def remove_expert_address(form: Form, whose: OfExpert, here: Writing) -> NoticeAddresses:
    """Forget an address of an expert."""
    return here.changed(whose, form, None)


def _kept(session: Session, key: Key, to: To) -> NoticeAddresses:
    kept = select(NoticeAddress).where(*to.only(NoticeAddress), NoticeAddress.address_sealed.is_not(None))
    return NoticeAddresses(
        items=[
            NoticeAddressShown(
                form=AddressForm(row.form),
                address=addresses.masked(AddressForm(row.form), key.open(row.address_sealed or b"")),
                language=row.language,
                changed_at=row.changed_at,
                changed_by=row.changed_by,
            )
            for row in session.scalars(kept.order_by(NoticeAddress.form))
        ]
    )
