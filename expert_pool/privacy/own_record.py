"""What an expert reads about themselves: records, standing with its reasons, and who looked.

Nothing here tells of other people: where a record names one, that name is left out and the record says so. Nothing tells
of a sealed panel before its time either: what seats still to come bear on (load, availability on the day) is never part
of an expert's own standing, whether there are such seats or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, dossier, ledger
from expert_pool.keys import Key
from expert_pool.lifecycle import State
from expert_pool.policies.policy import Policy
from expert_pool.privacy.exports import touches
from expert_pool.privacy.looking import SEALED, clear_fields, masked_fields
from expert_pool.privacy.purposes import first_organiser, owners
from expert_pool.privacy.scores_given import ScoreGiven, scores_given
from expert_pool.registry import (
    Committee,
    Erasure,
    ErasureState,
    Expert,
    Export,
    LedgerEntry,
    Look,
    Membership,
    Organiser,
    PanelRecord,
    Relation,
    Reply,
    Seat,
)
from expert_pool.standing import Reason, standing
from expert_pool.viewer import Viewer

_OTHERS = ("other_expert", "expert", "applicant", "case")
_OF_SEATS = frozenset({"available", "seats_this_season"})
"""Facts that seats still to come bear on."""


@dataclass(frozen=True, slots=True)
class OwnReply:
    """One answer of the expert's to a record."""

    id: int
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """One record about the expert; `withheld` are the fields that name somebody else."""

    table: str
    id: int
    holds_on: date
    recorded_at: datetime
    recorded_by: str
    organiser: str
    corrects: int | None
    stands: bool
    fields: Mapping[str, Any]
    withheld: tuple[str, ...]
    replies: tuple[OwnReply, ...]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """Who the registry takes the expert to be, and every record, whichever organiser wrote it. National ID and phone
    are masked; `erasure` is the state of the latest request to erase; `scores` are those the expert gave, in writing."""

    code: str
    name: str
    gender: str | None
    born: date | None
    region: str
    national_id: str | None
    phone: str | None
    records: tuple[OwnEntry, ...]
    erasure: str | None
    scores: tuple[ScoreGiven, ...]


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """How the expert stands with one committee on a day. `may_sit` judges all but load and the calendar of that day."""

    committee: str
    name: str
    policy: str
    on: date
    state: str
    may_sit: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class OwnLook:
    """Somebody who saw something: sealed fields (`unmasked`), an export that holds the expert (`exported`), or who sits
    in a panel before its seal opened (`seals_opened`; told once it is open)."""

    at: datetime
    actor: str
    organiser: str
    kind: Literal["unmasked", "exported", "seals_opened"]
    what: str
    purpose: str


def own_record(session: Session, key: Key, expert_id: int) -> OwnRecord:
    """The own record of an expert."""
    expert = session.get_one(Expert, expert_id)
    shown = masked_fields(key, expert)
    viewer = Viewer.system("own record")
    found = [e for e in dossier.entries(session, viewer, expert.code) if e.table != Reply.__tablename__]
    replies = _replies(session, expert_id)
    mine = _declared(session, expert_id)
    erasure = session.scalar(
        select(Erasure.state).where(Erasure.expert_id == expert_id).order_by(Erasure.id.desc()).limit(1)
    )
    return OwnRecord(
        code=expert.code,
        name=expert.name,
        gender=expert.gender,
        born=expert.born,
        region=expert.region,
        national_id=shown["national_id"],
        phone=shown["phone"],
        records=tuple(_entry(e, expert.code, replies.get((e.table, e.id), []), mine) for e in found),
        erasure=str(ErasureState(erasure)) if erasure else None,
        scores=scores_given(session, viewer, expert_id),
    )


def own_copy(session: Session, viewer: Viewer, key: Key, expert_id: int) -> dict[str, Any]:
    """A copy of the own record with national ID and phone in clear (个人信息保护法 art. 45), told in the ledger."""
    expert = session.get_one(Expert, expert_id)
    found = asdict(own_record(session, key, expert_id)) | clear_fields(key, expert, SEALED)
    organisers = owners(session, expert_id)
    ledger.append(
        session,
        organiser_id=organisers[0] if organisers else first_organiser(session, Viewer.system(viewer.actor)),
        actor=viewer.actor,
        action="own_record.copied",
        subject=expert.code,
        payload={},
    )
    return found


def own_standings(
    session: Session, expert_id: int, policy: Policy, on: date | None = None
) -> list[OwnStanding]:
    """How an expert stands with every committee that draws on a pool they passed through."""
    day = on or clock.today()
    expert = session.get_one(Expert, expert_id)
    viewer = Viewer.system("own record")
    pools = select(Membership.pool_id).where(Membership.expert_id == expert_id)
    bodies = session.execute(
        select(Committee.code, Committee.name).where(Committee.pool_id.in_(pools)).order_by(Committee.code)
    ).all()
    return [_standing(session, viewer, expert.code, body, policy, day) for body in bodies]


def who_looked(session: Session, expert_id: int) -> list[OwnLook]:
    """Everybody who saw the expert's sealed fields, took an export that holds them, or opened the seal of a panel they
    sat in; the latest first. Papers of a panel that is still sealed would tell who sits in it: they follow when it opens."""
    panels = (
        select(PanelRecord.code)
        .join(Seat, Seat.panel_id == PanelRecord.id)
        .where(Seat.expert_id == expert_id, Seat.open_on <= clock.today())
    )
    open_ones = {f"panel/{code}" for code in session.scalars(panels)}
    organisers = dict(session.execute(select(Organiser.id, Organiser.code)).all())
    found = [
        OwnLook(row.at, row.actor, organisers[row.organiser_id], "unmasked", row.fields, row.purpose)
        for row in session.scalars(select(Look).where(Look.expert_id == expert_id))
    ]
    found += [
        OwnLook(row.at, row.actor, organisers[row.organiser_id], "exported", row.serial, row.purpose)
        for row in session.scalars(select(Export))
        if (row.content in open_ones if row.content.startswith("panel/") else touches(row.experts, expert_id))
    ]
    opened = select(LedgerEntry).where(
        LedgerEntry.action == "panel.seals_opened", LedgerEntry.subject.in_(panels)
    )
    found += [
        OwnLook(row.at, row.actor, organisers[row.organiser_id], "seals_opened", row.subject, "")
        for row in session.scalars(opened)
    ]
    return sorted(found, key=lambda look: (look.at, look.what), reverse=True)


def _entry(found: dossier.Entry, own: str, replies: Sequence[OwnReply], declared: frozenset[int]) -> OwnEntry:
    fields, withheld = dict(found.fields), list[str]()
    if found.table == Relation.__tablename__:
        for name in _OTHERS:
            if fields.get(name) not in (None, own):
                fields[name] = None
                withheld.append(name)
        if fields.get("source") and found.id not in declared:
            fields["source"] = None
            withheld.append("source")
        fields = {name: value for name, value in fields.items() if value is not None or name in withheld}
    return OwnEntry(
        table=found.table,
        id=found.id,
        holds_on=found.holds_on,
        recorded_at=found.recorded_at,
        recorded_by=found.recorded_by,
        organiser=found.organiser,
        corrects=found.corrects,
        stands=found.stands,
        fields=fields,
        withheld=tuple(withheld),
        replies=tuple(replies),
    )


def _replies(session: Session, expert_id: int) -> dict[tuple[str, int], list[OwnReply]]:
    found: dict[tuple[str, int], list[OwnReply]] = {}
    rows = session.scalars(select(Reply).where(Reply.expert_id == expert_id).order_by(Reply.id))
    for row in rows:
        said = OwnReply(row.id, row.recorded_at, row.text)
        found.setdefault((row.about_table, row.about_id), []).append(said)
    return found


def _declared(session: Session, expert_id: int) -> frozenset[int]:
    """The relations that the expert declared: what was said of their source is their own."""
    from expert_pool.privacy.answering import DECLARED

    rows = select(Relation.id).where(Relation.expert_id == expert_id, Relation.source == DECLARED)
    return frozenset(session.scalars(rows))


def _standing(
    session: Session, viewer: Viewer, code: str, body: Any, policy: Policy, day: date
) -> OwnStanding:
    found = standing(session, viewer, code, on=day, committee=body.code, policy=policy)
    reasons = tuple(
        reason
        for reason in found.reasons
        if not reason.withheld
        and reason.params.get("fact") not in _OF_SEATS
        and all(record.table != Seat.__tablename__ for record in reason.records)
    )
    state = State.ACTIVE if found.state is State.SEATED else found.state
    return OwnStanding(
        committee=body.code,
        name=body.name,
        policy=found.policy,
        on=day,
        state=str(state),
        may_sit=not any(reason.bars for reason in reasons),
        reasons=reasons,
    )
