"""The line: a request for a panel becomes a problem, an answer, a record.

`snapshot` lays the registry into a panel problem; `request` solves it outside any transaction and records what came
out, whatever it was; `approve` gives a panel force; `show` looks at it. Who sits stays sealed until the day of the
meeting: before that only a viewer who opens seals reads it, and each look is an entry in the ledger. Under procedure
`draw` an answer is a proposal: it is recorded and can be looked at, and never be approved.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.documents.people import Person
from expert_pool.filings import FilingGap, filings_missing
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.recorded import (
    committee_of,
    find_panel,
    looked,
    opens_on,
    people_behind,
    policy_of,
    put_down,
    seated_in,
    version_of,
)
from expert_pool.reevaluation.organisation_decisions import refuse_barred
from expert_pool.registry import Meeting, PanelRecord, PanelState, Seat
from expert_pool.snapshots import Choice, Snapshot, find_sitting, snapshot, take
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer, RunLog, Saying
from solver.document import check_problem, read_problem
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
    """A recorded panel. While it is sealed for the viewer, `answer` says nothing of who sits and `names` is empty.

    `version` is another one as soon as anything about the panel changed. `problem` is what was solved, where it had to be read
    for the names."""

    panel_code: str
    version: str
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
    problem: Problem | None = field(default=None, repr=False)


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

    Raises Fault: `organisations.suspended`, `organisations.withdrawn`, `panels.filing_missing` naming the filings,
    `viewer.not_yours`, and as `snapshots.snapshot`,
    `policies.load` and `solver.document.check_problem` do. Nothing is recorded then.
    """
    rules = policy if isinstance(policy, Policy) else load(policy or DEFAULT_POLICY)
    known_at = clock.now()
    report(Progress("snapshot"))
    with store.reading() as session:
        taken, gaps = take_filed(
            session,
            viewer,
            committee,
            meeting,
            rules,
            known_at,
            seed=seed,
            locks=locks,
            exclusions=exclusions,
            limits=limits,
        )
    sitting = taken.sitting
    check_problem(taken.problem)

    from solver.assemble import assemble

    answer, run_log = assemble(taken.problem, report=report, cancelled=cancelled)
    report(Progress("record"))
    with store.session() as session:
        panel = put_down(
            session,
            viewer,
            sitting,
            taken.problem,
            answer,
            rules,
            expert_ids=taken.expert_ids,
            known_at=known_at,
            open_on=open_on or sitting.on,
        )
        names: People = {}
        if viewer.opens_seals and answer.members:
            names = people_behind(session, viewer, taken.problem, seated_in(answer))
            looked(session, viewer, sitting.organiser_id, panel.code, open_on or sitting.on)
    return Decided(panel.code, taken.problem, answer, run_log, names, notes_on(taken, gaps), known_at)


def take_filed(
    session: Session,
    viewer: Viewer,
    committee: str,
    meeting: str,
    policy: Policy,
    known_at: datetime,
    **more: Any,
) -> tuple[Snapshot, Sequence[FilingGap]]:
    """The snapshot of a meeting whose filings are in order, and the filings that are missing and do not bar.

    `more` goes to `snapshots.take`. Raises Fault as `request` does.
    """
    sitting = find_sitting(session, viewer, committee, meeting)
    viewer.require(sitting.organiser_id, sitting.committee_id)
    refuse_barred(session, sitting.committee_id, sitting.on)
    gaps = filings_missing(
        session,
        viewer,
        committee_id=sitting.committee_id,
        on=sitting.on,
        policy=policy,
        season=sitting.season,
        known_at=known_at,
    )
    _refuse_unfiled(gaps, committee, sitting.on)
    return take(session, viewer, sitting, policy, known_at=known_at, **more), gaps


def notes_on(taken: Snapshot, gaps: Sequence[FilingGap]) -> tuple[Saying, ...]:
    """What a user must know of a snapshot besides its answer."""
    drawn = [Saying(code="panels.proposal")] if taken.problem.procedure == "draw" else []
    return (*drawn, *taken.notes, *(gap.says() for gap in gaps))


def approve(
    store: Store,
    viewer: Viewer,
    panel_code: str,
    *,
    policy: Policy | None = None,
    seen: Callable[[PanelRecord], None] = lambda _: None,
) -> None:
    """Give a panel force; one approved for the same meeting before is replaced by it.

    `policy`: the one it was made under (default: the preset it names, with its overrides), which may ask for a second
    person. `seen` is given the panel as it stands, with other writers kept out, and may raise.
    Raises Fault: `organisations.suspended`, `organisations.withdrawn`, `panels.panel_unknown`, `panels.not_fileable`,
    `panels.approved_already`, `panels.same_person`,
    `viewer.not_yours`.
    """
    with store.session() as session:
        panel = find_panel(session, viewer, panel_code)
        committee = committee_of(session, panel)
        viewer.require(panel.organiser_id, committee)
        ledger.hold(session, panel.organiser_id)
        session.refresh(panel)
        seen(panel)
        refuse_barred(session, committee, session.get_one(Meeting, panel.meeting_id).on)
        if not panel.fileable:
            raise Fault("panels.not_fileable", panel_code)
        if panel.state is not PanelState.PROPOSED:
            raise Fault("panels.approved_already", panel_code, by=panel.approved_by)
        if viewer.actor == panel.requested_by and _second_person(policy or policy_of(panel)):
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
        panel = find_panel(session, viewer, panel_code)
        answer = Answer.model_validate_json(panel.answer)
        open_on = opens_on(session, panel)
        version = version_of(panel)
        seats = session.scalar(
            select(func.count(Seat.id)).where(Seat.panel_id == panel.id, *visible(viewer, Seat))
        )
        sealed = open_on is not None and not seats
        names: People = {}
        problem = None
        if seats:
            problem = read_problem(zlib.decompress(panel.problem))
            names = people_behind(session, viewer, problem, seated_in(answer))
    if seats and open_on is not None and clock.today() < open_on:
        with store.session() as session:
            looked(session, viewer, panel.organiser_id, panel_code, open_on)
    return Shown(
        panel_code=panel_code,
        version=version,
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
        problem=problem,
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


def _second_person(policy: Policy) -> bool:
    parameter = policy.parameters.get(SECOND_PERSON)
    return parameter is not None and parameter.value is True


def _without_people(answer: Answer) -> Answer:
    """The answer without anything that tells who sits."""
    findings = [finding.model_copy(update={"experts": []}) for finding in answer.findings]
    hidden = {"members": [], "alternates": [], "cases": [], "findings": findings}
    return answer.model_copy(update=hidden)


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
