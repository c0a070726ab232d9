"""Signing in and out, and what somebody does to the own account: password, second factor, sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.http import problems
from api.http.access import OwnSession, cookie_name, own_session
from api.http.cookies import give_session, lasts, named, put_cookie, take_session
from api.http.service import Served, Service
from expert_pool import accounts
from expert_pool.accounts import Principal, Right, own, second_factor, sessions, signing_in
from expert_pool.accounts.rights import Due, Role
from expert_pool.registry import AccountSession
from solver.errors import Fault

router = APIRouter(tags=["sign-in"])

_DEVICE = "ep_device"
_DEVICE_SECONDS = 180 * 86_400
_SIGN_IN: dict[int | str, dict[str, Any]] = {
    429: {"model": problems.Problem, "description": "Too many failures: wait (Retry-After)."}
}
_WORDS = Field(min_length=1, max_length=1024)

Mine = Annotated[OwnSession, Depends(own_session)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Body):
    """Name and password, and the code of the second factor (or a recovery code) where the account has one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "admin", "password": "k2vn-7qpa-…", "code": None}]},
    )

    name: str = Field(min_length=1, max_length=200)
    password: str = _WORDS
    code: str | None = Field(default=None, max_length=64)


class Held(_Body):
    """A role and where it is held: for an organiser and those below it, one committee, or (neither) everywhere."""

    role: Role
    organisers: int | None = Field(description="How many organisers it reaches; null: all.")
    committees: int = Field(description="How many committees it reaches by delegation.")


class Session(_Body):
    """Who is signed in. `csrf_token` goes with every request that changes something, as X-CSRF-Token."""

    account: str
    language: str
    csrf_token: str
    due: Due | None = Field(description="What must be done before anything else.")
    roles: list[Held]
    rights: list[Right]


class SessionLine(_Body):
    """One signed-in browser."""

    code: str
    current: bool
    method: str
    began_at: datetime
    seen_at: datetime
    expires_at: datetime


class Sessions(_Body):
    items: list[SessionLine]


class Ways(_Body):
    """How one may sign in here."""

    password: Literal[True] = True
    oidc: bool = Field(description="Whether `/sign-in/oidc` leads to an identity provider.")


class Passwords(_Body):
    old: str = _WORDS
    new: str = _WORDS


class Proof(_Body):
    password: str = _WORDS


class Code(_Body):
    code: str = Field(min_length=1, max_length=64)


class Enrolment(_Body):
    """The secret for an authenticator, as an `otpauth:` address and its QR code (SVG)."""

    uri: str
    qr_svg: str


class RecoveryCodes(_Body):
    """Each stands in for the second factor once; shown this once."""

    recovery_codes: list[str]


class OwnAccount(_Body):
    account: str
    language: str
    has_password: bool
    password_at: datetime | None
    second_factor: bool
    recovery_codes_left: int


@router.get("/sign-in", response_model=Ways)
def ways_to_sign_in(service: Served) -> Ways:
    """How one may sign in here."""
    return Ways(oidc=bool(service.settings.oidc_issuer))


@router.post("/sessions", response_model=Session, status_code=201, responses=_SIGN_IN)
def sign_in(sent: SignIn, request: Request, response: Response, service: Served) -> Session:
    """Sign in: begins a session, whose token comes as a cookie."""
    asked = signing_in.Asked(
        sent.name,
        sent.password,
        sent.code,
        _address(request),
        request.cookies.get(named(request, service, _DEVICE)),
    )
    come = signing_in.sign_in(service.store, asked, lasts(service))
    if before := request.cookies.get(cookie_name(request, service.settings)):
        sessions.end_token(service.store, before)
    give_session(request, response, service, come.token)
    put_cookie(
        request,
        response,
        service,
        named(request, service, _DEVICE),
        come.device,
        seconds=_DEVICE_SECONDS,
        path="/api/v1/sessions",
    )
    return _session(request, service, come.token)


@router.get("/sessions/current", response_model=Session)
def current_session(mine: Mine, service: Served) -> Session:
    """Who is signed in, and with which rights."""
    return _document(service, mine.principal, mine.token)


@router.get("/sessions", response_model=Sessions)
def list_sessions(mine: Mine, service: Served) -> Sessions:
    """The browsers that are signed in to the own account."""
    with service.store.reading() as session:
        found = sessions.alive(session, mine.principal.account_id, _idle(service))
    return Sessions(items=[_line(row, mine.id) for row in found])


@router.delete("/sessions/current", status_code=204)
def sign_out(mine: Mine, request: Request, response: Response, service: Served) -> None:
    """Sign out here."""
    with service.store.session() as session:
        sessions.end(session, mine.principal.account_id, only=mine.id)
    take_session(request, response, service)


@router.delete("/sessions", status_code=204)
def sign_out_everywhere(mine: Mine, request: Request, response: Response, service: Served) -> None:
    """Sign out in every browser, this one too."""
    with service.store.session() as session:
        sessions.end(session, mine.principal.account_id)
    take_session(request, response, service)


@router.delete("/sessions/{code}", status_code=204)
def end_session(code: str, mine: Mine, service: Served) -> None:
    """Sign out one browser of the own account."""
    with service.store.session() as session:
        found = [s for s in sessions.alive(session, mine.principal.account_id) if _code(s) == code]
        if not found:
            raise Fault("session.unknown", code)
        sessions.end(session, mine.principal.account_id, only=found[0].id)


@router.get("/own", response_model=OwnAccount)
def own_account(mine: Mine, service: Served) -> OwnAccount:
    """The own account."""
    with service.store.session() as session:
        account = own.held(session, mine.principal.account_id)
        return OwnAccount(
            account=account.name,
            language=account.language,
            has_password=account.password is not None,
            password_at=account.password_at,
            second_factor=account.totp_at is not None,
            recovery_codes_left=second_factor.left(session, account),
        )


@router.put("/own/password", response_model=Session, responses=_SIGN_IN)
def change_password(
    sent: Passwords, mine: Mine, request: Request, response: Response, service: Served
) -> Session:
    """A new password. Every session of the account ends; this browser gets a new one."""
    begun = own.change_password(service.store, mine.principal.account_id, sent.old, sent.new, lasts(service))
    give_session(request, response, service, begun.token)
    return _session(request, service, begun.token)


@router.post("/own/second-factor", response_model=Enrolment, status_code=201, responses=_SIGN_IN)
def begin_second_factor(sent: Proof, mine: Mine, service: Served) -> Enrolment:
    """A new secret for an authenticator; it counts once a first code is sent with PUT."""
    uri = own.begin_second_factor(service.store, mine.principal.account_id, sent.password)
    return Enrolment(uri=uri, qr_svg=second_factor.picture(uri))


@router.put("/own/second-factor", response_model=RecoveryCodes, responses=_SIGN_IN)
def confirm_second_factor(sent: Code, mine: Mine, service: Served) -> RecoveryCodes:
    """Turn the second factor on with a first code. All other sessions end."""
    codes = own.confirm_second_factor(service.store, mine.principal.account_id, mine.id, sent.code)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/own/second-factor/removal", status_code=204, responses=_SIGN_IN)
def put_off_second_factor(sent: Proof, mine: Mine, service: Served) -> None:
    """Take the second factor away. All other sessions end."""
    own.put_off_second_factor(service.store, mine.principal.account_id, mine.id, sent.password)


@router.post("/own/recovery-codes", response_model=RecoveryCodes, status_code=201, responses=_SIGN_IN)
def new_recovery_codes(sent: Proof, mine: Mine, service: Served) -> RecoveryCodes:
    """Recovery codes anew; the old ones are worth nothing any more."""
    codes = own.new_recovery_codes(service.store, mine.principal.account_id, sent.password)
    return RecoveryCodes(recovery_codes=codes)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _idle(service: Service) -> timedelta:
    return timedelta(minutes=service.settings.session_idle_minutes)


def _session(request: Request, service: Service, token: str) -> Session:
    """The document of a session that just began; its language is that of the answer."""
    needed = service.settings.second_factor == "required"
    with service.store.reading() as session:
        signed = accounts.by_session(session, token, idle=_idle(service), second_factor=needed)
    if signed is None:
        raise Fault("access.unknown")
    request.state.principal = signed.principal
    return _document(service, signed.principal, token)


def _document(service: Service, principal: Principal, token: str) -> Session:
    held = [
        Held(
            role=grant.role,
            organisers=None if grant.organisers is None else len(grant.organisers),
            committees=len(grant.committees),
        )
        for grant in principal.grants
    ]
    return Session(
        account=principal.actor,
        language=principal.language,
        csrf_token=sessions.csrf(service.store.key, token),
        due=principal.due,
        roles=held,
        rights=[right for right in Right if principal.may(right)],
    )


def _line(row: AccountSession, current: int) -> SessionLine:
    return SessionLine(
        code=_code(row),
        current=row.id == current,
        method=row.method,
        began_at=row.began_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def _code(row: AccountSession) -> str:
    return row.token_sha256[:16]
