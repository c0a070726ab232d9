"""National ID and phone: masked everywhere, shown in clear one by one, each look with its purpose on the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.keys import Key
from expert_pool.privacy.purposes import expert_by, purpose_of, teller
from expert_pool.registry import Expert, Look, Organiser
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

MASK = "*"
SEALED = ("national_id", "phone")
"""The fields that are shown masked."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One look on record, as supervisors and the expert may read it."""

    expert: str
    organiser: str
    at: datetime
    actor: str
    fields: tuple[str, ...]
    purpose: str


def masked(text: str, first: int, last: int) -> str:
    """`text` with all but its first and last characters hidden."""
    hidden = max(len(text) - first - last, 0)
    return f"{text[:first]}{MASK * hidden}{text[len(text) - last :]}" if hidden else MASK * len(text)


def masked_national_id(text: str) -> str:
    """The first six characters (the region) of a national ID."""
    return masked(text, 6, 0)


def masked_phone(text: str) -> str:
    """The first three and the last two digits of a phone number."""
    return masked(text, 3, 2)


def masked_fields(key: Key, expert: Expert) -> dict[str, str | None]:
    """The sealed fields of an expert as every face shows them; None for what the registry does not hold."""
    id_, phone = expert.national_id_sealed, expert.phone_sealed
    return {
        "national_id": None if id_ is None else masked_national_id(key.open(id_)),
        "phone": None if phone is None else masked_phone(key.open(phone)),
    }


def clear_fields(key: Key, expert: Expert, fields: Collection[str]) -> dict[str, str | None]:
    """Sealed fields in clear, for whoever has just been written down as looking."""
    sealed = {name: getattr(expert, f"{name}_sealed") for name in SEALED if name in fields}
    return {name: None if value is None else key.open(value) for name, value in sealed.items()}


def unmask(
    session: Session, viewer: Viewer, key: Key, code: str, fields: Collection[str], purpose: str
) -> Mapping[str, str | None]:
    """Fields of `SEALED` of one expert in clear (None: the registry holds none), with the look written down.

    Only of experts who passed through a pool of the viewer's organisers. The session must be one that writes: the
    look is on the ledger in the transaction that gives the answer.

    Raises Fault `privacy.field_wrong`, `privacy.purpose_missing`, `privacy.purpose_long`, `privacy.expert_unknown`.
    """
    wanted = [name for name in SEALED if name in fields]
    if not wanted or len(wanted) != len(set(fields)):
        raise Fault("privacy.field_wrong", "fields", known=list(SEALED))
    said = purpose_of(purpose)
    expert = expert_by(session, code)
    organiser_id = teller(session, viewer, expert)
    look = Look(
        organiser_id=organiser_id,
        expert_id=expert.id,
        at=clock.now(),
        actor=viewer.actor,
        fields=" ".join(wanted),
        purpose=said,
    )
    session.add(look)
    ledger.append(
        session,
        organiser_id=organiser_id,
        actor=viewer.actor,
        action="expert.unmasked",
        subject=code,
        payload={"fields": wanted, "purpose": said},
        rows=[look],
        at=look.at,
    )
    return clear_fields(key, expert, wanted)


def looks(session: Session, viewer: Viewer, *, expert: str | None = None, most: int = 100) -> list[Looked]:
    """The looks the viewer's organisers tell of, the latest first; of one expert, or of all."""
    statement = (
        select(Look, Expert.code, Organiser.code.label("organiser"))
        .join(Expert, Expert.id == Look.expert_id)
        .join(Organiser, Organiser.id == Look.organiser_id)
        .where(*visible(viewer, Look))
        .order_by(Look.id.desc())
        .limit(most)
    )
    if expert is not None:
        statement = statement.where(Expert.code == expert)
    return [
        Looked(code, organiser, look.at, look.actor, tuple(look.fields.split()), look.purpose)
        for look, code, organiser in session.execute(statement)
    ]
