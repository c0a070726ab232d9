"""Accounts, for the machine's owner: who holds the database needs no account to make one."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from solver.errors import Fault

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from expert_pool.accounts.rights import Role
    from expert_pool.registry import Account

_Name = Annotated[str, typer.Argument()]
_Code = Annotated[str | None, typer.Option(metavar="CODE")]


def create(
    context: typer.Context,
    name: _Name,
    role: Annotated[str | None, typer.Option("--role")] = None,
    organiser: _Code = None,
    committee: _Code = None,
    expert: _Code = None,
    employer: _Code = None,
    language: Annotated[str, typer.Option("--language", metavar="zh|en")] = "zh",
) -> Exit:
    """Make an account with a one-time password and, with `role`, its first role."""
    from expert_pool.accounts import granting, managing
    from expert_pool.words import languages

    face = Face.of(context)
    if language not in languages():
        raise Fault("cli.lang_unknown", "--language", given=language, known=list(languages()))
    given = _role(role) if role is not None else None
    with face.store() as store, store.session() as session:
        viewer = face.viewer()
        made = managing.create(
            session,
            viewer,
            name,
            organiser=organiser,
            expert=expert,
            employer=employer,
            language=language,
        )
        if given is not None:
            reach = None if committee is not None else organiser
            granting.grant(session, viewer, made.account, given, organiser=reach, committee=committee)
        document = {**_shown(session, made.account), "password": made.password}
    said = face.say("cli.account.created", name=made.account.name, password=made.password)
    face.answer(document, said)
    return Exit.OK


def list_(context: typer.Context, search: Annotated[str, typer.Argument()] = "") -> Exit:
    """The accounts and their roles."""
    from expert_pool.accounts import managing
    from expert_pool.registry import Account

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        wanted = managing.listing(face.viewer(), search).order_by(Account.name)
        found = [_shown(session, account) for account in session.scalars(wanted)]
    headers = [face.say(f"cli.account.column.{name}") for name in ("name", "state", "grants")]
    rows = [
        [
            account["name"],
            face.say(f"cli.account.state.{account['state']}"),
            "\n".join(_grant_said(face, grant) for grant in account["grants"]),
        ]
        for account in found
    ]
    face.answer({"accounts": found}, table(headers, rows))
    return Exit.OK


def grant(
    context: typer.Context,
    name: _Name,
    role: Annotated[str, typer.Argument()],
    organiser: _Code = None,
    committee: _Code = None,
) -> Exit:
    """Give an account a role, unless it would join duties that are kept apart."""
    from expert_pool.accounts import granting, managing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        viewer, given = face.viewer(), _role(role)
        account = managing.find(session, viewer, name, writing=True)
        made = granting.grant(session, viewer, account, given, organiser=organiser, committee=committee)
        document = _shown(session, account)
    place = committee or organiser
    said = face.say("cli.account.granted", name=account.name, role=role, place=place, code=made.code)
    face.answer(document, said)
    return Exit.OK


def revoke(context: typer.Context, name: _Name, code: Annotated[str, typer.Argument()]) -> Exit:
    """Take a role away."""
    from expert_pool.accounts import granting, managing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        viewer = face.viewer()
        account = managing.find(session, viewer, name, writing=True)
        granting.revoke(session, viewer, account, code)
        document = _shown(session, account)
    face.answer(document, face.say("cli.account.revoked", name=account.name, code=code))
    return Exit.OK


def disable(
    context: typer.Context, name: _Name, undo: Annotated[bool, typer.Option("--undo")] = False
) -> Exit:
    """Disable an account, or with `undo` enable it again."""
    from expert_pool.accounts import managing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        viewer = face.viewer()
        account = managing.find(session, viewer, name, writing=True)
        (managing.enable if undo else managing.disable)(session, viewer, account)
        document = _shown(session, account)
    face.answer(
        document, face.say("cli.account.enabled" if undo else "cli.account.disabled", name=account.name)
    )
    return Exit.OK


def reset_password(context: typer.Context, name: _Name) -> Exit:
    """A new one-time password for somebody who forgot theirs."""
    from expert_pool.accounts import managing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        viewer = face.viewer()
        account = managing.find(session, viewer, name, writing=True)
        password = managing.reset_password(session, viewer, store.key, account)
        document = {**_shown(session, account), "password": password}
    face.answer(document, face.say("cli.account.reset", name=account.name, password=password))
    return Exit.OK


def reset_totp(context: typer.Context, name: _Name) -> Exit:
    """Take the second factor away from somebody who lost theirs."""
    from expert_pool.accounts import managing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        viewer = face.viewer()
        account = managing.find(session, viewer, name, writing=True)
        managing.reset_second_factor(session, viewer, account)
        document = _shown(session, account)
    face.answer(document, face.say("cli.account.totp_reset", name=account.name))
    return Exit.OK


def _role(word: str) -> "Role":
    from expert_pool.accounts.rights import Role

    try:
        return Role(word)
    except ValueError:
        raise Fault("cli.account.role_unknown", role=word, known=[str(role) for role in Role]) from None


def _shown(session: "Session", account: "Account") -> dict[str, Any]:
    from expert_pool.accounts import managing
    from expert_pool.registry import Committee, Organiser

    def code(table: Any, id_: int | None) -> str | None:
        return None if id_ is None else session.get_one(table, id_).code

    state = "disabled" if account.disabled_at else "due" if account.password_until else "active"
    return {
        "name": account.name,
        "state": state,
        "organiser": code(Organiser, account.organiser_id),
        "language": account.language,
        "grants": [
            {
                "code": held.code,
                "role": held.role,
                "organiser": code(Organiser, held.organiser_id),
                "committee": code(Committee, held.committee_id),
            }
            for held in managing.grants_of(session, account)
        ],
    }


def _grant_said(face: Face, grant: dict[str, Any]) -> str:
    from expert_pool.words import term

    place = grant["committee"] or grant["organiser"] or face.say("cli.account.everywhere")
    return f"{term('account_role', grant['role'], face.lang)}（{place}，{grant['code']}）"
