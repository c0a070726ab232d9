"""The registry laid into a panel problem: as it stood on the day of a meeting, as known at a moment.

The same registry, day, moment, policy and seed always make the same problem: experts in the order of their pseudonyms,
cases in the order of their codes, everything else in an order that follows from these. No name and no code of a person
goes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.agendas import Application, fields_on, form_groups
from expert_pool.facts import PoolFacts, facts_on
from expert_pool.policies.policy import Policy
from expert_pool.registry import Agenda, Case, Committee, Meeting
from expert_pool.relations import derive
from expert_pool.specialties import as_columns
from expert_pool.viewer import Viewer, visible
from solver.answer import Saying
from solver.errors import Fault
from solver.problem import Cases, Exclusion, Group, Limits, Lock, Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision about one expert (by code), with its reason: to sit, in a group or anywhere, or not to sit."""

    expert: str
    why: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Sitting:
    """What is asked for: a committee's meeting, with the ids and codes of both."""

    committee_id: int
    committee: str
    name: str
    level: str
    organiser_id: int
    pool_id: int
    meeting_id: int
    meeting: str
    on: date
    agenda_id: int
    season: int


@dataclass(frozen=True)
class Snapshot:
    """A problem, the facts it was made from, and `notes` on how its groups came about."""

    problem: Problem
    sitting: Sitting
    facts: PoolFacts
    notes: tuple[Saying, ...]

    @property
    def expert_ids(self) -> dict[str, int]:
        """The registry's ids of the experts, by pseudonym."""
        return dict(zip(self.facts.pseudonyms, self.facts.expert_ids.tolist(), strict=True))


def snapshot(
    session: Session,
    viewer: Viewer,
    *,
    committee: str,
    meeting: str,
    policy: Policy,
    seed: int | None = None,
    known_at: datetime | None = None,
    locks: Sequence[Choice] = (),
    exclusions: Sequence[Choice] = (),
    limits: Limits | None = None,
) -> Problem:
    """The problem of a committee's meeting (both by code), as known at a moment (default now).

    All who were ever admitted to the committee's pool are in it. Without a seed, one that follows from the meeting.
    Raises Fault: `panels.committee_unknown`, `panels.meeting_unknown`, `panels.pool_empty`, `panels.locked_unknown`,
    `panels.group_unknown`, `panels.too_many_locks`, and as `agendas.form_groups` does.
    """
    sitting = find_sitting(session, viewer, committee, meeting)
    taken = take(
        session,
        viewer,
        sitting,
        policy,
        seed=seed,
        known_at=known_at,
        locks=locks,
        exclusions=exclusions,
        limits=limits,
    )
    return taken.problem


def committee_owner(session: Session, viewer: Viewer, committee: str) -> int:
    """The id of the organiser a committee belongs to. Raises Fault `panels.committee_unknown`, `viewer.not_yours`."""
    found = session.execute(
        select(Committee.id, Committee.organiser_id).where(
            Committee.code == committee, *visible(viewer, Committee)
        )
    ).one_or_none()
    if found is None:
        raise Fault("panels.committee_unknown", committee)
    viewer.require(found.organiser_id, found.id)
    return int(found.organiser_id)


def find_sitting(session: Session, viewer: Viewer, committee: str, meeting: str) -> Sitting:
    """The meeting of a committee. Raises Fault `panels.committee_unknown`, `panels.meeting_unknown`."""
    body = session.execute(
        select(
            Committee.id,
            Committee.code,
            Committee.name,
            Committee.level,
            Committee.organiser_id,
            Committee.pool_id,
        ).where(Committee.code == committee, *visible(viewer, Committee))
    ).one_or_none()
    if body is None:
        raise Fault("panels.committee_unknown", committee)
    meetings = session.execute(
        select(Meeting.id, Meeting.code, Meeting.on, Agenda.id.label("agenda_id"), Agenda.season)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .where(Agenda.committee_id == body.id)
        .order_by(Meeting.on, Meeting.code)
    ).all()
    found = next((row for row in meetings if row.code == meeting), None)
    if found is None:
        raise Fault(
            "panels.meeting_unknown",
            meeting,
            committee=committee,
            known=[row.code for row in meetings] or None,
        )
    return Sitting(
        body.id,
        body.code,
        body.name,
        str(body.level),
        body.organiser_id,
        body.pool_id,
        found.id,
        found.code,
        found.on,
        found.agenda_id,
        found.season,
    )


def take(
    session: Session,
    viewer: Viewer,
    sitting: Sitting,
    policy: Policy,
    *,
    seed: int | None = None,
    known_at: datetime | None = None,
    locks: Sequence[Choice] = (),
    exclusions: Sequence[Choice] = (),
    limits: Limits | None = None,
) -> Snapshot:
    """The problem of a sitting, with what it was made from. Raises Fault as `snapshot` does."""
    moment = known_at or clock.now()
    facts = facts_on(
        session,
        viewer,
        committee_id=sitting.committee_id,
        on=sitting.on,
        known_at=moment,
        policy=policy,
        season=sitting.season,
    )
    if not facts.codes:
        raise Fault("panels.pool_empty", sitting.committee)
    if policy.locks_most is not None and len(locks) > policy.locks_most:
        raise Fault("panels.too_many_locks", sitting.meeting, asked=len(locks), most=policy.locks_most)
    conflicts = derive(session, viewer, policy, facts.expert_ids, sitting.agenda_id, sitting.on, moment)
    cases = {row.id: row for row in _cases(session, sitting.agenda_id)}
    entries = [facts.catalogue.one(cases[i].specialty_id) for i in conflicts.case_ids]
    specialties, skills, index = as_columns(facts.catalogue, facts.held, [entry.id for entry in entries])
    applications = [
        Application(cases[i].code, index[entry.id], cases[i].directed)
        for i, entry in zip(conflicts.case_ids, entries, strict=True)
    ]
    fields = fields_on(session, sitting.on)
    grouping = form_groups(policy, applications, specialties, fields, level=sitting.level)
    problem = Problem(
        title=f"{sitting.name} {sitting.on.isoformat()}",
        committee=sitting.committee,
        meeting=sitting.meeting,
        on=sitting.on,
        procedure=policy.procedure,
        policy=policy.ref,
        seed=_seed(sitting) if seed is None else seed,
        experts=facts.pseudonyms,
        facts=facts.facts,
        specialties=specialties,
        skills=skills,
        cases=Cases(
            tuple(a.code for a in applications),
            np.array([a.specialty for a in applications], dtype=np.int64),
            grouping.of_case,
        ),
        groups=grouping.groups,
        conflict_kinds=conflicts.kinds,
        between=conflicts.between,
        with_cases=conflicts.with_cases,
        previous=facts.previous,
        locks=_locks(facts, locks, grouping.groups, viewer),
        exclusions=tuple(Exclusion(_index(facts, c), viewer.actor, c.why) for c in exclusions),
        rules=policy.rules(sitting.level),
        goals=policy.goals(sitting.level),
        weighted=policy.weighted,
        limits=limits or Limits(),
        ladder=policy.ladder(sitting.level),
        made=facts.made,
    )
    return Snapshot(problem, sitting, facts, grouping.notes)


def _cases(session: Session, agenda_id: int) -> Sequence[Any]:
    columns = (Case.id, Case.code, Case.specialty_id, Case.directed)
    return session.execute(select(*columns).where(Case.agenda_id == agenda_id)).all()


def _locks(
    facts: PoolFacts, locks: Sequence[Choice], groups: Sequence[Group], viewer: Viewer
) -> tuple[Lock, ...]:
    places = {group.id: number for number, group in enumerate(groups)}
    for choice in locks:
        if choice.group is not None and choice.group not in places:
            raise Fault("panels.group_unknown", choice.expert, group=choice.group, known=list(places))
    return tuple(
        Lock(_index(facts, c), None if c.group is None else places[c.group], viewer.actor, c.why)
        for c in locks
    )


def _index(facts: PoolFacts, choice: Choice) -> int:
    try:
        return facts.codes.index(choice.expert)
    except ValueError:
        raise Fault("panels.locked_unknown", choice.expert) from None


def _seed(sitting: Sitting) -> int:
    """A seed that follows from the meeting alone, so that nobody can try several in silence."""
    digest = hashlib.sha256(f"{sitting.committee}/{sitting.meeting}".encode()).digest()
    return int.from_bytes(digest[:6], "big")
