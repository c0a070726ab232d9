"""Replacing members of a recorded panel, and its rounds of invitations, on the registry as it stands now.

The newest panel of a meeting that has members and was not replaced is the one that changes. Its rules come from the same
policy with the same overrides, its people and conflicts from a new snapshot, so that whoever was banned, left the pool or
was found in conflict since then goes too; decisions about persons are carried over. What comes out is a new panel record:
a mere proposal is replaced by it at once, an approved panel when the new one is approved. Who sits must be known for all
this, so while the panel is sealed only a viewer who opens seals may do it, and each time is an entry in the ledger.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.panels import People, notes_on, take_filed
from expert_pool.policies.policy import Policy
from expert_pool.recorded import looked, opens_on, people_behind, policy_of, put_down, seated_in
from expert_pool.registry import Outcome, PanelRecord, PanelState, Seat, Service
from expert_pool.snapshots import Choice, Sitting, Snapshot, find_sitting
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer, Saying
from solver.document import read_problem
from solver.errors import Fault
from solver.events import Decision, Events
from solver.goals.keep import Keep
from solver.invitations import DAYS, Heard, Invitations, Round, commitments, next_round, read_invitations
from solver.problem import Exclusion, Limits, Lock, Problem
from solver.progress import Progress, Reporter, silent
from solver.replace import SUBSTITUTES, Replaced, Replacement, replace_members
from solver.rules.locks import Locks
from solver.rules.same_size import SameSize
from solver.rules.stays import Stays


@dataclass(frozen=True)
class Renewed:
    """What came of it. `panel_code` names the panel that counts now: a new one, or (`replaces` None) the one there was.

    `names`: everybody in the old or the new panel or among the substitutes. `replacement` None: nobody had to be
    replaced. `notes` as for a request.
    """

    panel_code: str
    replaces: str | None
    problem: Problem
    answer: Answer
    replacement: Replacement | None
    invitations: Invitations | None
    names: People
    notes: tuple[Saying, ...]
    known_at: datetime


@dataclass(frozen=True)
class _Given:
    """The panel that changes and what it was made from, the id of the meeting's newest panel, and the problem of today
    (not yet changed)."""

    record: PanelRecord
    newest: int
    answer: Answer
    state: Invitations | None
    open_on: date
    policy: Policy
    taken: Snapshot
    problem: Problem
    notes: tuple[Saying, ...]
    known_at: datetime


def replace_panel(
    store: Store,
    viewer: Viewer,
    *,
    committee: str,
    meeting: str,
    absent: Sequence[Choice],
    chosen: Sequence[Choice] = (),
    freed: Sequence[Choice] = (),
    panel: str | None = None,
    policy: Policy | None = None,
    substitutes: int = SUBSTITUTES,
    limits: Limits | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Renewed:
    """Replace those who are `absent` (by code, each with the reason) with the least change, and record what came out.

    `chosen`: people who shall sit, as far as the policy allows locks; `freed`: whose lock no longer holds. Those who
    accepted an invitation stay. `panel`: another panel of the meeting than the newest. `policy`: the one it was made
    under (default: the preset it names, with its overrides). An answer without a panel is recorded too, and replaces
    nothing.

    Raises Fault: `panels.nothing_to_replace`, `panels.panel_unknown`, `panels.seals_closed`, `panels.other_policy`,
    `panels.groups_changed`, `panels.changed_meanwhile`, and as `panels.request` and `solver.events.changed` do.
    """
    report(Progress("snapshot"))
    given = _given(store, viewer, committee, meeting, panel, policy, limits)
    most = given.policy.locks_most
    locks = len(given.problem.locks) + len(chosen)
    if chosen and most is not None and locks > most:
        raise Fault("panels.too_many_locks", meeting, asked=locks, most=most)
    today, pseudonyms = clock.today(), _pseudonyms(given.taken)
    decisions = []
    for kind, choices in (("free", freed), ("out", absent), ("in", chosen)):
        for choice in choices:
            if choice.expert not in pseudonyms:
                raise Fault("panels.locked_unknown", choice.expert)
            decisions.append(
                Decision.model_validate(
                    {
                        "kind": kind,
                        "expert": pseudonyms[choice.expert],
                        "by": viewer.actor,
                        "on": today,
                        "why": choice.why,
                        "group": choice.group,
                    }
                )
            )
    decided = {decision.expert for decision in decisions}
    kept, rules = commitments(given.problem, given.state, decided) if given.state else ([], [])
    done = replace_members(
        given.problem,
        given.answer,
        Events((*kept, *decisions)),
        rules=rules,
        substitutes=substitutes,
        report=report,
        cancelled=cancelled,
    )
    report(Progress("record"))
    with store.session() as session:
        _still(session, given)
        record = _put(session, viewer, given, done, given.record.invitations)
        return _renewed(session, viewer, given, record, done, given.state)


def invite(
    store: Store,
    viewer: Viewer,
    *,
    committee: str,
    meeting: str,
    heard: Sequence[Heard] = (),
    days: int = DAYS,
    panel: str | None = None,
    policy: Policy | None = None,
    limits: Limits | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Renewed:
    """Begin the invitations of a meeting's panel, or take in answers (by code) as `solver.invitations.next_round` does.

    The state is kept with the panel and goes on with the one that replaces it. Whoever declines also gets a service on
    record that ended so, from which decline rates can be told. Raises Fault as `replace_panel` and `next_round` do.
    """
    report(Progress("snapshot"))
    given = _given(store, viewer, committee, meeting, panel, policy, limits)
    pseudonyms = _pseudonyms(given.taken)
    told = []
    for one in heard:
        if one.expert not in pseudonyms:
            raise Fault("panels.locked_unknown", one.expert)
        told.append(replace(one, expert=pseudonyms[one.expert]))
    step = next_round(
        given.problem,
        given.answer,
        given.state,
        told,
        on=clock.today(),
        by=viewer.actor,
        days=days,
        report=report,
        cancelled=cancelled,
    )
    report(Progress("record"))
    with store.session() as session:
        _still(session, given)
        record = _keep(session, viewer, given, step)
        before = given.state.who("declined") if given.state else frozenset()
        for pseudonym in sorted(step.state.who("declined") - before):
            _declined(session, viewer, given, pseudonym)
        return _renewed(session, viewer, given, record, step.replaced, step.state)


def _given(
    store: Store,
    viewer: Viewer,
    committee: str,
    meeting: str,
    code: str | None,
    policy: Policy | None,
    limits: Limits | None,
) -> _Given:
    known_at = clock.now()
    with store.reading() as session:
        sitting = find_sitting(session, viewer, committee, meeting)
        viewer.require(sitting.organiser_id, sitting.committee_id)
        record = _newest(session, viewer, sitting, code)
        newest = _last(session, sitting.meeting_id)
        open_on = opens_on(session, record) or sitting.on
        if not viewer.opens_seals and clock.today() < open_on:
            raise Fault("panels.seals_closed", record.code, on=open_on)
        old = read_problem(zlib.decompress(record.problem))
        rules = policy or policy_of(record)
        taken, gaps = take_filed(
            session, viewer, committee, meeting, rules, known_at, seed=old.seed, limits=limits
        )
    if rules.ref.sha256 != old.policy.sha256 and _terms(taken.problem) != _terms(old):
        raise Fault("panels.other_policy", record.code, policy=old.policy.id, given=rules.id)
    answer = Answer.model_validate_json(record.answer)
    state = None
    if record.invitations is not None:
        state = read_invitations(record.invitations.encode(), record.code)
    problem = _carried(taken.problem, old, answer)
    notes = notes_on(taken, gaps)
    return _Given(record, newest, answer, state, open_on, rules, taken, problem, notes, known_at)


def _newest(session: Session, viewer: Viewer, sitting: Sitting, code: str | None) -> PanelRecord:
    """The panel of a meeting that changes: the one named, else the newest that has members and was not replaced."""
    seated = select(Seat.panel_id).distinct()
    where = [PanelRecord.meeting_id == sitting.meeting_id, PanelRecord.id.in_(seated)]
    where.append(PanelRecord.state != PanelState.REPLACED if code is None else PanelRecord.code == code)
    newest = select(PanelRecord).where(*where, *visible(viewer, PanelRecord)).order_by(PanelRecord.id.desc())
    found = session.scalars(newest.limit(1)).first()
    if found is None and code is not None:
        raise Fault("panels.panel_unknown", code)
    if found is None:
        raise Fault("panels.nothing_to_replace", sitting.meeting, committee=sitting.committee)
    return found


def _terms(problem: Problem) -> tuple[Any, ...]:
    """The policy's rules and goals without their order and bases, and without what replacements add: the same overrides
    decided on another day are the same policy here."""
    rules = [rule for rule in problem.rules if not isinstance(rule, (Locks, SameSize, Stays))]
    goals = [goal for goal in problem.goals if not isinstance(goal, Keep)]
    return (
        problem.policy.id,
        {rule.id: (rule.soft is None, rule.model_dump(exclude={"soft", "basis"})) for rule in rules},
        {goal.id: goal.model_dump(exclude={"level"}) for goal in goals},
    )


def _carried(fresh: Problem, old: Problem, answer: Answer) -> Problem:
    """The problem of today with the decisions about persons that were in the old one."""
    experts = {id_: e for e, id_ in enumerate(fresh.experts)}
    groups = {group.id: g for g, group in enumerate(fresh.groups)}
    named = {m.group for m in answer.members} | {a.group for a in answer.alternates}
    named |= {old.groups[lock.group].id for lock in old.locks if lock.group is not None}
    if named - groups.keys():
        raise Fault("panels.groups_changed", fresh.meeting, groups=sorted(named - groups.keys()))
    return replace(
        fresh,
        locks=tuple(
            Lock(
                experts[old.experts[lock.expert]],
                None if lock.group is None else groups[old.groups[lock.group].id],
                lock.by,
                lock.why,
            )
            for lock in old.locks
        ),
        exclusions=tuple(
            Exclusion(experts[old.experts[out.expert]], out.by, out.why) for out in old.exclusions
        ),
    )


def _pseudonyms(taken: Snapshot) -> dict[str, str]:
    return dict(zip(taken.facts.codes, taken.facts.pseudonyms, strict=True))


def _still(session: Session, given: _Given) -> None:
    """Raises Fault where the panel changed while its replacement was looked for; keeps other writers out from here."""
    ledger.hold(session, given.record.organiser_id)
    now = session.get_one(PanelRecord, given.record.id)
    same = (now.state, now.invitations) == (given.record.state, given.record.invitations)
    if not same or _last(session, now.meeting_id) != given.newest:
        raise Fault("panels.changed_meanwhile", given.record.code)


def _last(session: Session, meeting_id: int) -> int:
    """The id of a meeting's newest panel."""
    return session.scalar(select(func.max(PanelRecord.id)).where(PanelRecord.meeting_id == meeting_id)) or 0


def _put(
    session: Session,
    viewer: Viewer,
    given: _Given,
    done: Replaced,
    invitations: str | None,
) -> PanelRecord:
    """The new panel on record; a proposal that it replaces is replaced at once."""
    answer, old = done.document.answer, session.get_one(PanelRecord, given.record.id)
    replaced = [old] if answer.members and old.state is PanelState.PROPOSED else []
    for one in replaced:
        one.state = PanelState.REPLACED
    return put_down(
        session,
        viewer,
        given.taken.sitting,
        done.problem,
        answer,
        given.policy,
        expert_ids=given.taken.expert_ids,
        known_at=given.known_at,
        open_on=given.open_on,
        action="panel.replaced",
        payload={
            "replaces": old.code,
            "decisions": [decision.model_dump(mode="json") for decision in done.document.decisions],
        },
        invitations=invitations if answer.members else None,
        with_rows=replaced,
    )


def _keep(session: Session, viewer: Viewer, given: _Given, step: Round) -> PanelRecord:
    """The invitations on record, with a new panel where somebody was replaced."""
    written = step.state.model_dump_json()
    if step.replaced is not None and step.answer.members:
        return _put(session, viewer, given, step.replaced, written)
    if step.replaced is not None:
        _put(session, viewer, given, step.replaced, None)
    record = session.get_one(PanelRecord, given.record.id)
    record.invitations = written
    ledger.append(
        session,
        organiser_id=record.organiser_id,
        actor=viewer.actor,
        action="panel.answered" if given.state else "panel.invited",
        subject=record.code,
        payload={"invitations": step.state.model_dump(mode="json")},
        rows=[record],
    )
    return record


def _declined(session: Session, viewer: Viewer, given: _Given, pseudonym: str) -> None:
    sitting, today = given.taken.sitting, clock.today()
    expert_id = given.taken.expert_ids[pseudonym]
    role = session.scalar(
        select(Seat.role).where(Seat.panel_id == given.record.id, Seat.expert_id == expert_id)
    )
    if role is not None:
        service = Service(
            expert_id=expert_id,
            committee_id=sitting.committee_id,
            organiser_id=sitting.organiser_id,
            season=sitting.season,
            panel=given.record.code,
            role=role,
            outcome=Outcome.DECLINED,
            holds_on=today,
        )
        records.record(session, viewer, service)


def _renewed(
    session: Session,
    viewer: Viewer,
    given: _Given,
    record: PanelRecord,
    done: Replaced | None,
    state: Invitations | None,
) -> Renewed:
    document = done.document if done else None
    answer = document.answer if document else given.answer
    who = {*seated_in(given.answer), *seated_in(answer)}
    for place in document.seats if document else ():
        who |= {change.expert for one in place.substitutes for change in one.changes}
    problem = done.problem if done else given.problem
    names = people_behind(session, viewer, problem, who)
    looked(session, viewer, record.organiser_id, record.code, given.open_on)
    replaces = given.record.code if record.id != given.record.id and answer.members else None
    return Renewed(
        record.code, replaces, problem, answer, document, state, names, given.notes, given.known_at
    )
