"""Supervisors: the public keys that seals are made for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.privacy.sealing.key_files import public_key, public_text
from expert_pool.registry import Supervisor
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


def register(session: Session, viewer: Viewer, code: str, public: str, *, organiser_id: int) -> Supervisor:
    """Let seals be made for a supervisor's public key. A lost key is replaced by retiring the supervisor and registering
    another one: seals made before still ask for the old key.

    Raises Fault `viewer.not_yours`, `seal.public_key_malformed`, `seal.supervisor_known`, `seal.same_key_twice`.
    """
    viewer.require(organiser_id)
    text = public_text(public_key(public))
    if session.scalar(select(Supervisor.id).where(Supervisor.code == code)) is not None:
        raise Fault("seal.supervisor_known", code)
    if session.scalar(select(Supervisor.id).where(Supervisor.public_key == text)) is not None:
        raise Fault("seal.same_key_twice", code)
    row = Supervisor(
        code=code,
        organiser_id=organiser_id,
        public_key=text,
        registered_at=clock.now(),
        registered_by=viewer.actor,
        retired_at=None,
        retired_by=None,
    )
    session.add(row)
    _tell(session, viewer, row, "seal.supervisor_registered")
    return row


def retire(session: Session, viewer: Viewer, code: str) -> Supervisor:
    """Make no more seals for a supervisor. Raises Fault `seal.supervisor_unknown`, `viewer.not_yours`."""
    row = find(session, viewer, [code])[0]
    viewer.require(row.organiser_id)
    row.retired_at, row.retired_by = clock.now(), viewer.actor
    _tell(session, viewer, row, "seal.supervisor_retired")
    return row


def find(session: Session, viewer: Viewer, codes: Sequence[str]) -> list[Supervisor]:
    """Supervisors in service, in the order of their codes given. Raises Fault `seal.supervisor_unknown`."""
    rows = session.scalars(
        select(Supervisor).where(
            Supervisor.code.in_(codes), Supervisor.retired_at.is_(None), *visible(viewer, Supervisor)
        )
    )
    known = {row.code: row for row in rows}
    if missing := [code for code in codes if code not in known]:
        raise Fault("seal.supervisor_unknown", missing[0], missing=missing)
    return [known[code] for code in codes]


def supervisors(session: Session, viewer: Viewer) -> list[Supervisor]:
    """Every supervisor the viewer may see, retired ones too."""
    rows = select(Supervisor).where(*visible(viewer, Supervisor)).order_by(Supervisor.code)
    return list(session.scalars(rows))


def _tell(session: Session, viewer: Viewer, row: Supervisor, action: str) -> None:
    session.flush()
    ledger.append(
        session,
        organiser_id=row.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=row.code,
        payload={"public_key": row.public_key},
        rows=[row],
    )
