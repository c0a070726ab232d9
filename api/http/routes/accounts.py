"""Accounts and their roles, for administrators: those of their own tenant and below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.http.access import allowed
from api.http.openapi import CHANGES
from api.http.paging import USUAL, Cursor, Limit, Order, Page, page_of
from api.http.routes.tokens import Token, Tokens, document
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from expert_pool.accounts import Principal, Right, granting, linking, managing, tokens
from expert_pool.accounts.rights import RIGHTS, Role
from expert_pool.registry import Account, AccountGrant, Committee, Employer, Expert, Organiser
from solver.errors import Fault

router = APIRouter(tags=["accounts"])

Administrator = Annotated[Principal, Depends(allowed(Right.ACCOUNTS_MANAGE))]
Name = Annotated[str, Path(max_length=200, description="The account's name.")]
_Code = Annotated[str | None, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountAsked(_Body):
    """A new account: whose tenant it is in (null: the installation's), and whom it stands for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "hr-office", "organiser": "HR", "language": "zh"}]},
    )

    name: str = Field(min_length=1, max_length=200)
    organiser: _Code = None
    expert: _Code = None
    employer: _Code = None
    language: Literal["zh", "en"] = "zh"
    password: bool = Field(default=True, description="false: it signs in at the identity provider only.")


class AccountChanges(_Body):
    """What changes; the rest stays."""

    language: Literal["zh", "en"] | None = None
    disabled: bool | None = None


class GrantAsked(_Body):
    """A role for an organiser and those below it, for one committee by delegation, or (neither) for all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"role": "committee_office", "organiser": "HR", "committee": None}]},
    )

    role: Role
    organiser: _Code = None
    committee: _Code = None


class Granted(_Body):
    """A role that an account holds."""

    code: str
    role: Role
    organiser: str | None
    committee: str | None
    granted_at: datetime
    granted_by: str


class AccountDocument(_Body):
    """An account, without any secret."""

    name: str
    language: str
    organiser: str | None
    expert: str | None
    employer: str | None
    disabled: bool
    has_password: bool
    one_time_password: bool = Field(description="Whether a password must still be chosen.")
    second_factor: bool
    created_at: datetime
    created_by: str
    grants: list[Granted]


class AccountMade(AccountDocument):
    """A new account. `password` is one-time and shown this once."""

    password: str | None


class OneTime(_Body):
    """A one-time password, shown this once."""

    password: str


class LinkInvitation(_Body):
    """The code with which somebody links their person at the provider: `/sign-in/oidc?invitation=`. Shown this once."""

    issuer: str
    code: str


class RoleDocument(_Body):
    """A role: its rights, and the roles that no account may hold beside it where both touch one committee."""

    role: Role
    rights: list[Right]
    apart: list[Role]


class Roles(_Body):
    items: list[RoleDocument]


@router.get("/roles", response_model=Roles)
def list_roles(asks: Administrator) -> Roles:
    """The roles, their rights, and which must be apart."""
    return Roles(
        items=[
            RoleDocument(role=role, rights=sorted(RIGHTS[role]), apart=granting.apart_from(role))
            for role in Role
        ]
    )


@router.get("/accounts", response_model=Page[AccountDocument])
def list_accounts(
    asks: Administrator,
    service: Served,
    search: Annotated[str, Query(max_length=100, description="A part of the name.")] = "",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[AccountDocument]:
    """The administrator's accounts, by name."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.reading() as session:
        page = page_of(
            session,
            managing.listing(viewer, search),
            Order((Account.name,)),
            lambda row: row[0],
            limit=limit,
            cursor=cursor,
            filters={"search": search},
            keys=lambda row: (row[0].name,),
        )
        return Page(items=_documents(session, page.items), next=page.next)


@router.post("/accounts", response_model=AccountMade, status_code=201, responses=CHANGES)
def create_account(
    sent: AccountAsked, asks: Administrator, service: Served, response: Response
) -> AccountMade:
    """A new account, without roles yet."""
    with service.store.session() as session:
        made = managing.create(
            session,
            asks.viewer(Right.ACCOUNTS_MANAGE),
            sent.name,
            organiser=sent.organiser,
            expert=sent.expert,
            employer=sent.employer,
            language=sent.language,
            with_password=sent.password,
        )
        shown = _documents(session, [made.account])[0]
    response.headers["Location"] = f"/api/v1/accounts/{quote(made.account.name, safe='')}"
    put_etag(response, shown)
    return AccountMade(**shown.model_dump(), password=made.password)


@router.get("/accounts/{name}", response_model=AccountDocument)
def show_account(name: Name, asks: Administrator, service: Served, response: Response) -> AccountDocument:
    """An account and its roles."""
    with service.store.reading() as session:
        account = managing.find(session, asks.viewer(Right.ACCOUNTS_MANAGE), name)
        shown = _documents(session, [account])[0]
    put_etag(response, shown)
    return shown


@router.patch("/accounts/{name}", response_model=AccountDocument, responses=CHANGES)
def change_account(
    name: Name,
    sent: AccountChanges,
    asks: Administrator,
    service: Served,
    response: Response,
    if_match: IfMatch = None,
) -> AccountDocument:
    """Disable an account (its sessions and tokens end at once), enable it again, or change its language."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        account = managing.find(session, viewer, name, writing=True)
        require_match(if_match, etag_of(_documents(session, [account])[0]))
        if sent.language is not None:
            managing.speak(session, viewer, account, sent.language)
        if sent.disabled is not None:
            (managing.disable if sent.disabled else managing.enable)(session, viewer, account)
        session.flush()
        shown = _documents(session, [account])[0]
    put_etag(response, shown)
    return shown


@router.post("/accounts/{name}/grants", response_model=Granted, status_code=201, responses=CHANGES)
def grant_role(name: Name, sent: GrantAsked, asks: Administrator, service: Served) -> Granted:
    """Give a role. Refused where it would join duties that are kept apart."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        account = managing.find(session, viewer, name, writing=True)
        made = granting.grant(
            session, viewer, account, sent.role, organiser=sent.organiser, committee=sent.committee
        )
        return _granted(session, [made])[made.id]


@router.delete("/accounts/{name}/grants/{code}", status_code=204, responses=CHANGES)
def revoke_role(name: Name, code: str, asks: Administrator, service: Served) -> None:
    """Take a role away; it counts at once."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        granting.revoke(session, viewer, managing.find(session, viewer, name, writing=True), code)


@router.post("/accounts/{name}/password", response_model=OneTime, responses=CHANGES)
def reset_password(name: Name, asks: Administrator, service: Served) -> OneTime:
    """A new one-time password; sessions and tokens of the account end."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        account = managing.find(session, viewer, name, writing=True)
        return OneTime(password=managing.reset_password(session, viewer, service.store.key, account))


@router.delete("/accounts/{name}/second-factor", status_code=204)
def reset_second_factor(name: Name, asks: Administrator, service: Served) -> None:
    """Take the second factor away from somebody who lost it; sessions of the account end."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        managing.reset_second_factor(session, viewer, managing.find(session, viewer, name, writing=True))


@router.delete("/accounts/{name}/sessions", status_code=204)
def sign_out_account(name: Name, asks: Administrator, service: Served) -> None:
    """Sign an account out in every browser."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        managing.sign_out(session, viewer, managing.find(session, viewer, name, writing=True))


@router.get("/accounts/{name}/tokens", response_model=Tokens)
def list_account_tokens(name: Name, asks: Administrator, service: Served) -> Tokens:
    """The API tokens of an account that hold."""
    with service.store.reading() as session:
        account = managing.find(session, asks.viewer(Right.ACCOUNTS_MANAGE), name)
        found = tokens.alive(session, account.id)
    return Tokens(items=[Token(**document(token)) for token in found])


@router.delete("/accounts/{name}/tokens/{code}", status_code=204)
def revoke_account_token(name: Name, code: str, asks: Administrator, service: Served) -> None:
    """End an API token of an account at once."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        account = managing.find(session, viewer, name, writing=True)
        tokens.revoke(session, account.id, account.organiser_id, viewer.actor, account.name, code)


@router.post("/accounts/{name}/invitations", response_model=LinkInvitation, status_code=201)
def invite_to_link(name: Name, asks: Administrator, service: Served) -> LinkInvitation:
    """Let one person at the identity provider link themselves to an account."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    issuer = service.settings.oidc_issuer
    if not issuer:
        raise Fault("access.oidc_off")
    with service.store.session() as session:
        account = managing.find(session, viewer, name, writing=True)
        return LinkInvitation(issuer=issuer, code=linking.invite(session, viewer, account, issuer))


@router.delete("/accounts/{name}/links", status_code=204)
def unlink_account(name: Name, asks: Administrator, service: Served) -> None:
    """Let nobody at an identity provider be this account any more; sessions of the account end."""
    viewer = asks.viewer(Right.ACCOUNTS_MANAGE)
    with service.store.session() as session:
        linking.unlink(session, viewer, managing.find(session, viewer, name, writing=True))


def _documents(session: Session, found: Sequence[Account]) -> list[AccountDocument]:
    held: dict[int, list[AccountGrant]] = {account.id: [] for account in found}
    alive = AccountGrant.account_id.in_(held), AccountGrant.revoked_at.is_(None)
    for grant in session.scalars(select(AccountGrant).where(*alive).order_by(AccountGrant.id)):
        held[grant.account_id].append(grant)
    granted = _granted(session, [grant for grants in held.values() for grant in grants])
    organisers = _codes(session, Organiser, (a.organiser_id for a in found))
    experts = _codes(session, Expert, (a.expert_id for a in found))
    employers = _codes(session, Employer, (a.employer_id for a in found))
    return [
        AccountDocument(
            name=account.name,
            language=account.language,
            organiser=organisers.get(account.organiser_id),
            expert=experts.get(account.expert_id),
            employer=employers.get(account.employer_id),
            disabled=account.disabled_at is not None,
            has_password=account.password is not None,
            one_time_password=account.password_until is not None,
            second_factor=account.totp_at is not None,
            created_at=account.created_at,
            created_by=account.created_by,
            grants=[granted[grant.id] for grant in held[account.id]],
        )
        for account in found
    ]


def _granted(session: Session, grants: Sequence[AccountGrant]) -> dict[int, Granted]:
    organisers = _codes(session, Organiser, (g.organiser_id for g in grants))
    committees = _codes(session, Committee, (g.committee_id for g in grants))
    return {
        grant.id: Granted(
            code=grant.code,
            role=Role(grant.role),
            organiser=organisers.get(grant.organiser_id),
            committee=committees.get(grant.committee_id),
            granted_at=grant.granted_at,
            granted_by=grant.granted_by,
        )
        for grant in grants
    }


def _codes(session: Session, table: Any, ids: Any) -> dict[int | None, str]:
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    rows = session.execute(select(table.id, table.code).where(table.id.in_(wanted)))
    return {row.id: row.code for row in rows}
