"""Panels on record: finding them, writing them down with their seats and ledger entry, and who is behind their pseudonyms."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.documents.people import Person, people_in
from expert_pool.policies.load import preset
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Agenda,
    Employer,
    EmployerName,
    Expert,
    Meeting,
    NameKind,
    PanelRecord,
    PanelState,
    Role,
    Seat,
)
from expert_pool.snapshots import Sitting
from expert_pool.viewer import Viewer, counted, visible
from solver.answer import Answer
from solver.document import problem_bytes, read_problem
from solver.errors import Fault
from solver.problem import Problem


def find_panel(session: Session, viewer: Viewer, panel_code: str) -> PanelRecord:
    """A panel by its code. Raises Fault `panels.panel_unknown`."""
    panel = session.scalar(
        select(PanelRecord).where(PanelRecord.code == panel_code, *visible(viewer, PanelRecord))
    )
    if panel is None:
        raise Fault("panels.panel_unknown", panel_code)
    return panel


def committee_of(session: Session, panel: PanelRecord) -> int:
    """The id of the committee a panel sits for."""
    of = select(Agenda.committee_id).join(Meeting, Meeting.agenda_id == Agenda.id)
    return session.scalars(of.where(Meeting.id == panel.meeting_id)).one()


def version_of(panel: PanelRecord) -> str:
    """A hash of everything about a panel that can change: two readers who saw the same version saw the same panel."""
    said = (panel.code, str(panel.state), str(panel.approved_at), panel.approved_by, panel.invitations)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def policy_of(panel: PanelRecord) -> Policy:
    """The policy a panel was made under, its overrides with it. Raises Fault `policy.unknown` where it came from a file."""
    return preset(panel.policy, json.loads(panel.overrides) if panel.overrides else ())


def problem_of(session: Session, viewer: Viewer, panel_code: str) -> Problem:
    """The problem behind a panel as it was solved, pseudonyms only. Raises Fault `panels.panel_unknown`."""
    return read_problem(zlib.decompress(find_panel(session, viewer, panel_code).problem))


def opens_on(session: Session, panel: PanelRecord) -> date | None:
    """The day the seal of a panel's seats opens; None where nobody sits."""
    return session.scalar(select(func.max(Seat.open_on)).where(Seat.panel_id == panel.id))


def put_down(
    session: Session,
    viewer: Viewer,
    sitting: Sitting,
    problem: Problem,
    answer: Answer,
    policy: Policy,
    *,
    expert_ids: Mapping[str, int],
    known_at: datetime,
    open_on: date,
    action: str = "panel.requested",
    payload: Mapping[str, Any] | None = None,
    invitations: str | None = None,
    with_rows: Sequence[PanelRecord] = (),
) -> PanelRecord:
    """Store an answer, its seats and one ledger entry, in the caller's transaction.

    `expert_ids` by pseudonym; `payload` is added to what the entry says of every panel; `with_rows` were changed
    along with it and are attested too.
    """
    ledger.hold(session, sitting.organiser_id)
    before = session.scalar(
        select(func.count(PanelRecord.id)).where(PanelRecord.meeting_id == sitting.meeting_id)
    )
    panel = PanelRecord(
        code=f"{sitting.meeting}-P{(before or 0) + 1}",
        meeting_id=sitting.meeting_id,
        organiser_id=sitting.organiser_id,
        state=PanelState.PROPOSED,
        policy=policy.id,
        problem_sha256=answer.problem.sha256,
        problem=zlib.compress(problem_bytes(problem), 6),
        answer=answer.model_dump_json(),
        fileable=answer.fileable,
        requested_at=known_at,
        requested_by=viewer.actor,
        approved_at=None,
        approved_by=None,
        invitations=invitations,
        overrides=_written(policy),
    )
    session.add(panel)
    session.flush()
    common: dict[str, Any] = {"panel_id": panel.id, "open_on": open_on}
    seats = [
        Seat(**common, expert_id=expert_ids[m.expert], group=m.group, role=Role(m.role), call_order=None)
        for m in answer.members
    ]
    seats += [
        Seat(**common, expert_id=expert_ids[a.expert], group=a.group, role=Role.ALTERNATE, call_order=a.order)
        for a in answer.alternates
    ]
    session.add_all(seats)
    session.flush()
    ledger.append(
        session,
        organiser_id=sitting.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=panel.code,
        payload={
            "problem": answer.problem.sha256,
            "seed": answer.problem.seed,
            "status": answer.status,
            "fileable": answer.fileable,
            "known_at": known_at,
            "policy": asdict(policy.ref),
            "overrides": [asdict(override) for override in policy.overrides],
            "open_on": open_on,
            **(payload or {}),
        },
        rows=[panel, *seats, *with_rows],
    )
    return panel


def _written(policy: Policy) -> str | None:
    """The overrides of a policy, as `policy_of` reads them."""
    if not policy.overrides:
        return None
    said = [asdict(override) | {"on": override.on.isoformat()} for override in policy.overrides]
    return json.dumps(said, ensure_ascii=False)


def looked(session: Session, viewer: Viewer, organiser_id: int, panel_code: str, open_on: date) -> None:
    """Write down that sealed names were read."""
    if clock.today() < open_on:
        ledger.append(
            session,
            organiser_id=organiser_id,
            actor=viewer.actor,
            action="panel.seals_opened",
            subject=panel_code,
            payload={"open_on": open_on},
        )


def seated_in(answer: Answer) -> list[str]:
    """The pseudonyms of an answer's members and alternates."""
    return [*(m.expert for m in answer.members), *(a.expert for a in answer.alternates)]


def people_behind(
    session: Session, viewer: Viewer, problem: Problem, pseudonyms: Collection[str]
) -> dict[str, Person]:
    """The people behind pseudonyms: their names now, the rest as the problem has it."""
    people = people_in(problem, pseudonyms)
    named = select(Expert.pseudonym, Expert.name).where(Expert.pseudonym.in_(pseudonyms))
    names = dict(session.execute(named).all())
    employers = employer_names(session, viewer, {p.employer for p in people.values()}, problem.on)
    return {
        pseudonym: Person(
            name=names.get(pseudonym, pseudonym),
            employer=employers.get(person.employer, person.employer),
            sector=person.sector,
            rank=person.rank,
            region=person.region,
            specialties=person.specialties,
        )
        for pseudonym, person in people.items()
    }


def codes_behind(session: Session, pseudonyms: Collection[str]) -> dict[str, str]:
    """The registry's codes of experts, by pseudonym."""
    asked = select(Expert.pseudonym, Expert.code).where(Expert.pseudonym.in_(pseudonyms))
    return dict(session.execute(asked).all())


def employer_names(session: Session, viewer: Viewer, codes: Iterable[str], on: date) -> dict[str, str]:
    """The official names of employers on a day, by code; the latest first given wins."""
    rows = session.execute(
        select(Employer.code, EmployerName.name)
        .join(EmployerName, EmployerName.employer_id == Employer.id)
        .where(
            Employer.code.in_(codes),
            EmployerName.kind == NameKind.OFFICIAL,
            records.current(EmployerName, on),
            *counted(viewer, EmployerName),
        )
        .order_by(EmployerName.holds_on, EmployerName.id)
    )
    return dict(rows.all())
