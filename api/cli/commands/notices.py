"""Notices, for the machine's owner: the channels, what waits to be sent, sending it now."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import read_bytes
from solver.errors import Fault, misfit

if TYPE_CHECKING:
    from api.settings import Settings
    from expert_pool.registry import Medium, NoticeDelivery
    from expert_pool.store import Store

_MOST = 1000


class Deed(StrEnum):
    """What is done with channels."""

    LIST = "list"
    TEST = "test"
    SET = "set"
    REMOVE = "remove"


def channels(
    context: typer.Context,
    deed: Annotated[Deed, typer.Argument()] = Deed.LIST,
    medium: Annotated[str | None, typer.Argument(metavar="mail|sms|voice|file")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS")] = None,
    settings: Annotated[Path | None, typer.Option("--settings", metavar="FILE.json")] = None,
    new_secret: Annotated[bool, typer.Option("--new-secret")] = False,
) -> Exit:
    """List the channels, set one up from a file, send a test by it, or take it away."""
    from expert_pool.notices.channels import remove_channel

    face = Face.of(context)
    if deed is Deed.LIST:
        return _list_channels(face)
    chosen = _medium(medium)
    if deed is Deed.TEST:
        return _test(face, chosen, to)
    if deed is Deed.SET:
        return _set(face, chosen, settings, new_secret)
    with face.store() as store, store.session() as session:
        remove_channel(session, chosen, by=face.actor)
    face.answer({"medium": str(chosen), "removed": True}, face.say("cli.notice.removed", medium=str(chosen)))
    return Exit.OK


def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option("--state", metavar="waiting|sent|dead|dropped")] = None,
    medium: Annotated[str | None, typer.Option("--medium", metavar="mail|sms|voice|file")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST)] = 50,
) -> Exit:
    """How deliveries stand, the newest first: not what they say, nor to whom."""
    from expert_pool.notices.inbox import deliveries
    from expert_pool.registry import DeliveryState, NoticeDelivery

    face = Face.of(context)
    statement = deliveries().order_by(NoticeDelivery.id.desc()).limit(limit)
    if state is not None:
        if state not in set(DeliveryState):
            raise Fault("notices.no_such_state", state, known=list(DeliveryState))
        statement = statement.where(NoticeDelivery.state == state)
    if medium is not None:
        statement = statement.where(NoticeDelivery.medium == _medium(medium))
    with face.store() as store, store.reading() as session:
        found = [_delivery(row[0], row[1], row[2]) for row in session.execute(statement)]
    headers = [face.say(f"cli.notice.column.{code}") for code in ("notice", "kind", "state", "at", "trouble")]
    rows = [
        (
            f"{one['notice']} ({face.say('medium.' + one['medium'])})",
            face.say(f"notice_kind.{one['kind']}"),
            face.say(f"delivery_state.{one['state']}"),
            f"{one['ended_at'] or one['due_at']:%Y-%m-%d %H:%M}",
            face.say(one["trouble"]) if one["trouble"] else "",
        )
        for one in found
    ]
    face.answer({"deliveries": found}, table(headers, rows))
    return Exit.OK


def deliver(context: typer.Context, again: Annotated[bool, typer.Option("--again")] = False) -> Exit:
    """Send what is due now; with --again also what was given up."""
    from dataclasses import asdict

    from expert_pool.notices import delivering

    face = Face.of(context)
    service = _settings()
    with face.store() as store:
        if again:
            with store.session() as session:
                delivering.again(session, by=face.actor)
        done = delivering.deliver(store, files=service.files, private_hosts=service.private_hosts)
    face.answer(asdict(done), face.say("cli.notice.delivered", **asdict(done)))
    return Exit.OK


def expiries(context: typer.Context) -> Exit:
    """Write the notices about what ends soon and was not told yet."""
    from dataclasses import asdict

    from api.cli.progress import progress
    from expert_pool.notices.expiries import tell_expiries

    face = Face.of(context)
    with face.store() as store, progress(face) as report:
        told = tell_expiries(store, report=report)
    count = {"offices": sum(told.offices.values()), "experts": sum(told.experts.values())}
    face.answer(asdict(told), face.say("cli.notice.told", **count))
    return Exit.OK


def _list_channels(face: Face) -> Exit:
    from expert_pool.notices.channels import channels as present

    with face.store() as store, store.reading() as session:
        found = list(present(session, store.key).values())
    document = [
        {
            "medium": str(one.medium),
            "enabled": one.enabled,
            "settings": one.shown(),
            "changed_at": one.changed_at,
            "changed_by": one.changed_by,
        }
        for one in found
    ]
    if not found:
        face.answer({"channels": []}, face.say("cli.notice.no_channels"))
        return Exit.OK
    headers = [face.say(f"cli.notice.column.{code}") for code in ("medium", "enabled", "settings", "changed")]
    rows = [
        (
            face.say(f"medium.{one.medium}"),
            face.say(f"words.{str(one.enabled).lower()}"),
            ", ".join(
                f"{name}={value}" for name, value in one.shown().items() if value and name != "authority"
            ),
            f"{one.changed_at:%Y-%m-%d} {one.changed_by}",
        )
        for one in found
    ]
    face.answer({"channels": document}, table(headers, rows))
    return Exit.OK


def _set(face: Face, medium: "Medium", path: Path | None, new_secret: bool) -> Exit:
    from pydantic import ValidationError

    from expert_pool.notices.channels import SETTINGS, malformed, set_channel

    if path is None:
        raise Fault("notices.settings_needed", str(medium))
    try:
        read = SETTINGS[medium].model_validate_json(read_bytes(path))
    except ValidationError as error:
        place, why = misfit(error)
        raise malformed(place or str(path), why) from None
    with face.store() as store, store.session() as session:
        secret = set_channel(session, store.key, medium, read, new_secret=new_secret, by=face.actor)
    said = [face.say("cli.notice.set", medium=str(medium))]
    said += [face.say("cli.notice.secret", secret=secret)] if secret else []
    face.answer({"medium": str(medium), "secret": secret}, *said)
    return Exit.OK


def _test(face: Face, medium: "Medium", to: str | None) -> Exit:
    from expert_pool.notices.delivering import deliver as send
    from expert_pool.notices.events import channel_test
    from expert_pool.registry import DeliveryState

    service = _settings()
    with face.store() as store:
        with store.session() as session:
            code = channel_test(session, store.key, medium, to, None, by=face.actor)
        send(store, files=service.files, private_hosts=service.private_hosts, first=code)
        found = _of(store, code)
    sent = found["state"] == DeliveryState.SENT
    trouble = face.say(found["trouble"]) if found["trouble"] else None
    word = "cli.notice.tested" if sent else "cli.notice.test_failed"
    face.answer(found, face.say(word, medium=str(medium), trouble=trouble))
    return Exit.OK if sent else Exit.FOUND


def _of(store: "Store", code: str) -> dict[str, Any]:
    from expert_pool.notices.inbox import deliveries
    from expert_pool.registry import Notice

    with store.reading() as session:
        row = session.execute(deliveries().where(Notice.code == code)).one()
        return _delivery(row[0], row[1], row[2])


def _delivery(delivery: "NoticeDelivery", notice: str, kind: str) -> dict[str, Any]:
    return {
        "notice": notice,
        "kind": kind,
        "medium": str(delivery.medium),
        "state": str(delivery.state),
        "attempts": delivery.attempts,
        "due_at": delivery.due_at,
        "ended_at": delivery.ended_at,
        "trouble": delivery.trouble,
    }


def _medium(given: str | None) -> "Medium":
    from expert_pool.registry import Medium

    if given is None or given not in set(Medium):
        raise Fault("notices.no_such_medium", given or "", known=list(Medium))
    return Medium(given)


def _settings() -> "Settings":
    from api.settings import Settings

    return Settings()
