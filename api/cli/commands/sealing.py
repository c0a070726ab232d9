"""Seals against the owner of the host: supervisors' keys, sealed panels, shares."""

import base64
import binascii
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import read_bytes, writable, write_json
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.privacy.sealing.panels import SealState

PASSWORD_VARIABLE = "EXPERT_POOL_SEAL_PASSWORD"  # noqa: S105
Out = Annotated[Path, typer.Option("-o", "--out", metavar="FILE")]


def key(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Make a supervisor's private key, where the supervisor sits."""
    from expert_pool.privacy.sealing.key_files import make_key_file

    face = Face.of(context)
    writable(path)
    public = make_key_file(path, _password(face, twice=True))
    face.answer(
        {"file": str(path), "public_key": public},
        face.say("cli.seal.key_made", where=str(path), public=public),
    )
    return Exit.OK


def register(
    context: typer.Context,
    code: Annotated[str, typer.Argument()],
    public_key: Annotated[str, typer.Argument()],
    organiser: Annotated[str, typer.Option("--organiser", metavar="CODE")],
) -> Exit:
    """Let seals be made for a supervisor's public key."""
    from sqlalchemy import select

    from expert_pool.privacy.sealing.supervisors import register
    from expert_pool.registry import Organiser

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        owner = session.scalar(select(Organiser.id).where(Organiser.code == organiser))
        if owner is None:
            raise Fault("seal.organiser_unknown", organiser)
        row = register(session, face.viewer(), code, public_key, organiser_id=owner)
        document = {"supervisor": row.code, "public_key": row.public_key}
    face.answer(document, face.say("cli.seal.registered", supervisor=code))
    return Exit.OK


def retire(context: typer.Context, code: Annotated[str, typer.Argument()]) -> Exit:
    """Make no more seals for a supervisor."""
    from expert_pool.privacy.sealing.supervisors import retire

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        retire(session, face.viewer(), code)
    face.answer({"supervisor": code, "retired": True}, face.say("cli.seal.retired", supervisor=code))
    return Exit.OK


def request(
    context: typer.Context,
    committee: Annotated[str, typer.Argument()],
    meeting: Annotated[str, typer.Argument()],
    supervisor: Annotated[list[str], typer.Option("--supervisor", metavar="CODE")],
    needed: Annotated[int, typer.Option("--needed", min=1, max=255)],
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY")] = None,
) -> Exit:
    """Ask for a panel whose members only several supervisors can open together."""
    from expert_pool.privacy.sealing.panels import request_sealed

    face = Face.of(context)
    with face.store() as store, progress(face) as report:
        state = request_sealed(
            store,
            face.viewer(),
            committee=committee,
            meeting=meeting,
            holders=supervisor,
            needed=needed,
            policy=policy,
            report=report,
        )
    return _show(face, state, "cli.seal.made")


def show(context: typer.Context, panel: Annotated[str, typer.Argument()]) -> Exit:
    """How a panel's seal stands."""
    from expert_pool.privacy.sealing.panels import seal_of

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        state = seal_of(session, face.viewer(), panel)
    return _show(face, state, "cli.seal.opened" if state.opened_at else "cli.seal.closed")


def box(
    context: typer.Context,
    panel: Annotated[str, typer.Argument()],
    supervisor: Annotated[str, typer.Argument()],
    out: Out,
) -> Exit:
    """Write the box of a supervisor's share to a file, for the supervisor to open."""
    from expert_pool.privacy.sealing.panels import box_for

    face = Face.of(context)
    writable(out)
    with face.store() as store, store.reading() as session:
        found = box_for(session, face.viewer(), panel, supervisor)
    document = {
        "format": "seal-box/1",
        "panel": panel,
        "supervisor": supervisor,
        "number": found.number,
        "share_sha256": found.share_sha256,
        "box": base64.b64encode(found.box).decode("ascii"),
    }
    write_json(out, document)
    face.answer({"out": str(out)}, face.say("cli.written", where=str(out)))
    return Exit.OK


def share(
    context: typer.Context,
    path: Annotated[Path, typer.Argument()],
    key_file: Annotated[Path, typer.Option("--key-file", metavar="FILE")],
    out: Out,
) -> Exit:
    """Open a box with the private key and write the share; needs no database."""
    from expert_pool.privacy.sealing.envelope import Box, take_share
    from expert_pool.privacy.sealing.key_files import read_key_file

    face = Face.of(context)
    writable(out)
    said = _document(path, "seal-box/1")
    found = Box(int(said["number"]), said["box"], str(said["share_sha256"]))
    private = read_key_file(key_file, _password(face))
    taken = take_share(found, str(said["panel"]), private)
    document = {
        "format": "seal-share/1",
        "panel": said["panel"],
        "supervisor": said["supervisor"],
        "share": base64.b64encode(taken).decode("ascii"),
    }
    write_json(out, document)
    face.answer({"out": str(out)}, face.say("cli.seal.share_taken", where=str(out)))
    return Exit.OK


def release(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Hand in a share."""
    from expert_pool.privacy.sealing.panels import release

    face = Face.of(context)
    said = _document(path, "seal-share/1")
    with face.store() as store, store.session() as session:
        state = release(session, face.viewer(), str(said["panel"]), str(said["supervisor"]), said["share"])
    return _show(face, state, "cli.seal.closed")


def open_(context: typer.Context, panel: Annotated[str, typer.Argument()]) -> Exit:
    """Open a seal with the shares handed in."""
    from expert_pool.privacy.sealing.panels import open_seal

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        state = open_seal(session, face.viewer(), panel)
    return _show(face, state, "cli.seal.opened")


def _show(face: Face, state: "SealState", code: str) -> Exit:
    document = asdict(state) | {"released": state.released}
    said = face.say(
        code,
        panel=state.panel_code,
        released=state.released,
        needed=state.needed,
        count=len(state.shares),
    )
    face.answer(document, said)
    return Exit.OK


def _document(path: Path, form: str) -> dict[str, Any]:
    """A box or a share as it was written, its bytes decoded."""
    part = "box" if form == "seal-box/1" else "share"
    try:
        found = json.loads(read_bytes(path))
        if found["format"] != form or not all(name in found for name in ("panel", "supervisor")):
            raise KeyError(form)
        found[part] = base64.b64decode(found[part], validate=True)
        if part == "box":
            int(found["number"]), str(found["share_sha256"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Fault("seal.document_malformed", str(path), form=form) from None
    return dict(found)


def _password(face: Face, *, twice: bool = False) -> str:
    """The password of a key file: from the environment, else typed in."""
    if (given := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return given
    from getpass import getpass

    first = getpass(face.say("cli.seal.password") + " ")
    if twice and getpass(face.say("cli.seal.password_again") + " ") != first:
        raise Fault("seal.passwords_differ")
    return first
