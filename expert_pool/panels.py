"""The line: a request for a panel becomes a problem, an answer, a record.

`snapshot` lays the registry into a panel problem; `request` solves it outside any transaction and records what came
out, whatever it was; `approve` gives a panel force; `show` looks at it. Who sits stays sealed until the day of the
meeting: before that only a viewer who opens seals reads it, and each look is an entry in the ledger. Under procedure
`draw` an answer is a proposal: it is recorded and can be looked at, and never be approved.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.documents.people import Person, people_in
from expert_pool.filings import FilingGap, filings_missing
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Employer,
    EmployerName,
    Expert,
    NameKind,
    PanelRecord,
    PanelState,
    Role,
    Seat,
)
from expert_pool.snapshots import Choice, Snapshot, find_sitting, snapshot, take
from expert_pool.store import Store
from expert_pool.viewer import Viewer, counted, visible
from solver.answer import Answer, RunLog, Saying
from solver.document import check_problem, problem_bytes, read_problem
from solver.errors import Fault
from solver.problem import Limits, Problem
from solver.progress import Progress, Reporter, silent

People = Mapping[str, Person]
"""Pseudonym -> person."""

DEFAULT_POLICY = "cn-title-national"
"""What holds for a committee that names no policy: the national order, under which an answer is a proposal."""

SECOND_PERSON = "second_person"
"""The policy parameter that asks for somebody else's approval than the one who requested."""


@dataclass(frozen=True)
class Decided:
    """What a request came to. `names` is who sits, for a viewer who opens seals; empty otherwise.

    `notes` say that it is a proposal where it is one, how the groups came about, and which results filings of earlier
    seasons are missing.
    """

    panel_code: str
    problem: Problem
    answer: Answer
    run_log: RunLog
    names: People
    notes: tuple[Saying, ...]
    known_at: datetime


@dataclass(frozen=True)
class Shown:
    """A recorded panel. While it is sealed for the viewer, `answer` says nothing of who sits and `names` is empty."""

    panel_code: str
    state: PanelState
    fileable: bool
    sealed: bool
    open_on: date | None
    problem_sha256: str
    answer: Answer
    names: People
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str | None


def request(
    store: Store,
    viewer: Viewer,
    *,
    committee: str,
    meeting: str,
    policy: Policy | str | None = None,
    seed: int | None = None,
    report: Reporter = silent,
    limits: Limits | None = None,
    locks: Sequence[Choice] = (),
    exclusions: Sequence[Choice] = (),
    open_on: date | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Decided:
    """Ask for a panel for a committee's meeting (both by code) and record what came out.

    `policy`: a policy, or what `policies.load` reads (default the national order). `open_on`: the day the seats'
    seal opens (default the day of the meeting). An answer without a panel is recorded too.

    Raises Fault: `panels.filing_missing` naming the filings, `viewer.not_yours`, and as `snapshots.snapshot`,
    `policies.load` and `solver.document.check_problem` do. Nothing is recorded then.
    """
    rules = policy if isinstance(policy, Policy) else load(policy or DEFAULT_POLICY)
    known_at = clock.now()
    report(Progress("snapshot"))
    with store.reading() as session:
        sitting = find_sitting(session, viewer, committee, meeting)
        viewer.require(sitting.organiser_id)
        gaps = filings_missing(
            session,
            viewer,
            committee_id=sitting.committee_id,
            on=sitting.on,
            policy=rules,
            season=sitting.season,
            known_at=known_at,
        )
        _refuse_unfiled(gaps, committee, sitting.on)
        taken = take(
            session,
            viewer,
            sitting,
            rules,
            seed=seed,
            known_at=known_at,
            locks=locks,
            exclusions=exclusions,
            limits=limits,
        )
    check_problem(taken.problem)

    from solver.assemble import assemble

    answer, run_log = assemble(taken.problem, report=report, cancelled=cancelled)
    report(Progress("record"))
    with store.session() as session:
        code = _record(session, viewer, taken, rules, answer, known_at, open_on or sitting.on)
        names: People = {}
        if viewer.opens_seals and answer.members:
            names = _people(session, viewer, taken.problem, answer)
            _looked(session, viewer, sitting.organiser_id, code, open_on or sitting.on)
    drawn = [Saying(code="panels.proposal")] if taken.problem.procedure == "draw" else []
    notes = (*drawn, *taken.notes, *(gap.says() for gap in gaps))
    return Decided(code, taken.problem, answer, run_log, names, notes, known_at)


def approve(store: Store, viewer: Viewer, panel_code: str, *, policy: Policy | None = None) -> None:
    """Give a panel force; one approved for the same meeting before is replaced by it.

    `policy`: the one it was made under (default: the preset it names), which may ask for a second person.
    Raises Fault: `panels.panel_unknown`, `panels.not_fileable`, `panels.approved_already`, `panels.same_person`,
    `viewer.not_yours`.
    """
    with store.session() as session:
        panel = _panel(session, viewer, panel_code)
        viewer.require(panel.organiser_id)
        ledger.hold(session, panel.organiser_id)
        if not panel.fileable:
            raise Fault("panels.not_fileable", panel_code)
        if panel.state is not PanelState.PROPOSED:
            raise Fault("panels.approved_already", panel_code, by=panel.approved_by)
        if viewer.actor == panel.requested_by and _second_person(policy or load(panel.policy)):
            raise Fault("panels.same_person", panel_code, actor=viewer.actor)
        changed = [panel]
        earlier = session.scalars(
            select(PanelRecord).where(
                PanelRecord.meeting_id == panel.meeting_id, PanelRecord.state == PanelState.APPROVED
            )
        )
        for other in earlier:
            other.state = PanelState.REPLACED
            changed.append(other)
        panel.state = PanelState.APPROVED
        panel.approved_at, panel.approved_by = clock.now(), viewer.actor
        ledger.append(
            session,
            organiser_id=panel.organiser_id,
            actor=viewer.actor,
            action="panel.approved",
            subject=panel_code,
            payload={"problem": panel.problem_sha256, "replaces": [other.code for other in changed[1:]]},
            rows=changed,
            at=panel.approved_at,
        )


def show(store: Store, viewer: Viewer, panel_code: str) -> Shown:
    """A recorded panel, and who sits in it as far as the viewer may know. Raises Fault `panels.panel_unknown`."""
    with store.reading() as session:
        panel = _panel(session, viewer, panel_code)
        answer = Answer.model_validate_json(panel.answer)
        open_on = session.scalar(select(func.max(Seat.open_on)).where(Seat.panel_id == panel.id))
        seats = session.scalar(
            select(func.count(Seat.id)).where(Seat.panel_id == panel.id, *visible(viewer, Seat))
        )
        sealed = open_on is not None and not seats
        names: People = {}
        if seats:
            names = _people(session, viewer, read_problem(zlib.decompress(panel.problem)), answer)
    if seats and open_on is not None and clock.today() < open_on:
        with store.session() as session:
            _looked(session, viewer, panel.organiser_id, panel_code, open_on)
    return Shown(
        panel_code=panel_code,
        state=panel.state,
        fileable=panel.fileable,
        sealed=sealed,
        open_on=open_on,
        problem_sha256=panel.problem_sha256,
        answer=_without_people(answer) if sealed else answer,
        names=names,
        requested_at=panel.requested_at,
        requested_by=panel.requested_by,
        approved_at=panel.approved_at,
        approved_by=panel.approved_by,
    )


def _refuse_unfiled(gaps: Sequence[FilingGap], committee: str, on: date) -> None:
    barring = [gap for gap in gaps if gap.bars]
    if barring:
        raise Fault(
            "panels.filing_missing",
            committee,
            kinds=[str(gap.kind) for gap in barring],
            lacks=[gap.lack for gap in barring],
            on=on,
            basis=[gap.basis for gap in barring if gap.basis],
        )


def _record(
    session: Session,
    viewer: Viewer,
    taken: Snapshot,
    policy: Policy,
    answer: Answer,
    known_at: datetime,
    open_on: date,
) -> str:
    """Store the answer, its seats and the ledger entry; the panel's code."""
    sitting = taken.sitting
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
        problem=zlib.compress(problem_bytes(taken.problem), 6),
        answer=answer.model_dump_json(),
        fileable=answer.fileable,
        requested_at=known_at,
        requested_by=viewer.actor,
        approved_at=None,
        approved_by=None,
    )
    session.add(panel)
    session.flush()
    ids = dict(zip(taken.facts.pseudonyms, taken.facts.expert_ids.tolist(), strict=True))
    common: dict[str, Any] = {"panel_id": panel.id, "open_on": open_on}
    seats = [
        Seat(**common, expert_id=ids[m.expert], group=m.group, role=Role(m.role), call_order=None)
        for m in answer.members
    ]
    seats += [
        Seat(**common, expert_id=ids[a.expert], group=a.group, role=Role.ALTERNATE, call_order=a.order)
        for a in answer.alternates
    ]
    session.add_all(seats)
    session.flush()
    ledger.append(
        session,
        organiser_id=sitting.organiser_id,
        actor=viewer.actor,
        action="panel.requested",
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
        },
        rows=[panel, *seats],
    )
    return panel.code


def _panel(session: Session, viewer: Viewer, panel_code: str) -> PanelRecord:
    panel = session.scalar(
        select(PanelRecord).where(PanelRecord.code == panel_code, *visible(viewer, PanelRecord))
    )
    if panel is None:
        raise Fault("panels.panel_unknown", panel_code)
    return panel


def _looked(session: Session, viewer: Viewer, organiser_id: int, panel_code: str, open_on: date) -> None:
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


def _second_person(policy: Policy) -> bool:
    parameter = policy.parameters.get(SECOND_PERSON)
    return parameter is not None and parameter.value is True


def _without_people(answer: Answer) -> Answer:
    """The answer without anything that tells who sits."""
    findings = [finding.model_copy(update={"experts": []}) for finding in answer.findings]
    hidden = {"members": [], "alternates": [], "cases": [], "findings": findings}
    return answer.model_copy(update=hidden)


def _people(session: Session, viewer: Viewer, problem: Problem, answer: Answer) -> dict[str, Person]:
    """The people behind the pseudonyms of a panel: their names now, the rest as the problem has it."""
    seated = [*(m.expert for m in answer.members), *(a.expert for a in answer.alternates)]
    people = people_in(problem, seated)
    named = select(Expert.pseudonym, Expert.name).where(Expert.pseudonym.in_(seated))
    names = dict(session.execute(named).all())
    employers = _employer_names(session, viewer, {p.employer for p in people.values()}, problem.on)
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


def _employer_names(session: Session, viewer: Viewer, codes: set[str], on: date) -> dict[str, str]:
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


__all__ = [
    "Choice",
    "Decided",
    "FilingGap",
    "Shown",
    "approve",
    "filings_missing",
    "request",
    "show",
    "snapshot",
]
