"""The recruitment plan: the fewest new experts with whom every meeting of the season that is still to come can have a panel."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.health.document import CommitteeNeed, Plan, Profile
from expert_pool.reevaluation.health.people import People
from expert_pool.registry import Agenda, Committee, Meeting
from expert_pool.snapshots import find_sitting, take
from expert_pool.viewer import visible
from solver.answer import Saying
from solver.document import check_problem
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.problem import Problem
from solver.progress import Progress, Reporter
from solver.recruit import smaller
from solver.recruit_season import Recruited, recruit_season

READING = 0.65
"""The part of the time in which problems are laid out; meetings left over then are marked as not asked."""


def unasked(season: int) -> Plan:
    """Instead of a plan, where none was wanted."""
    return Plan(status="unasked", season=season, count=None, bound=0, proven=False, profiles=[], meetings=[])


def plan_season(
    people: People,
    season: int,
    policies: Mapping[str, Policy],
    *,
    seconds: float,
    report: Reporter,
    cancelled: Cancelled,
) -> Plan:
    """The plan for the meetings of a season from the day of the facts on, each under its committee's policy."""
    begun = time.monotonic()
    problems: list[Problem] = []
    needs: list[CommitteeNeed] = []
    asked: list[int] = []
    meetings = _meetings(people, season)
    for number, row in enumerate(meetings):
        report(Progress("health_meetings", number, len(meetings)))
        late = cancelled() or time.monotonic() - begun > READING * seconds
        note, problem = (None, None) if late else _problem(people, row, policies[row.committee])
        if problem is not None:
            asked.append(len(needs))
            problems.append(problem)
        needs.append(
            CommitteeNeed(
                committee=row.committee,
                meeting=row.code,
                on=row.on,
                policy=policies[row.committee].id,
                status="unasked",
                needs=None,
                note=Saying(code="health.no_time", params={}) if late else note,
            )
        )
    if not problems:
        return unasked(season).model_copy(update={"meetings": needs})
    left = max(0.0, begun + seconds - time.monotonic())
    found = recruit_season(problems, seconds=left, report=report, cancelled=cancelled)
    for at, own in zip(asked, found.alone, strict=True):
        needs[at] = needs[at].model_copy(update={"status": own.status, "needs": own.count})
    whole = len(asked) == len(needs)
    return Plan(
        status=found.status,
        season=season,
        count=found.count,
        bound=found.bound,
        proven=found.proven and whole,
        profiles=[_profile(own, problems, [needs[at].committee for at in asked]) for own in found.recruits],
        meetings=needs,
    )


def _meetings(people: People, season: int) -> list[Any]:
    return list(
        people.session.execute(
            select(Meeting.code, Meeting.on, Committee.code.label("committee"))
            .join(Agenda, Agenda.id == Meeting.agenda_id)
            .join(Committee, Committee.id == Agenda.committee_id)
            .where(
                Committee.pool_id == people.pool_id,
                Agenda.season == season,
                Meeting.on >= people.on,
                *visible(people.viewer, Meeting, Agenda, Committee),
            )
            .order_by(Meeting.on, Meeting.code)
        ).all()
    )


def _problem(people: People, row: Any, policy: Policy) -> tuple[Saying | None, Problem | None]:
    """The problem of a meeting, with those people alone who make a difference; or why there is none."""
    try:
        sitting = find_sitting(people.session, people.viewer, row.committee, row.code)
        taken = take(people.session, people.viewer, sitting, policy, known_at=people.facts.known_at)
        check_problem(taken.problem)
    except Fault as fault:
        return Saying(code="health.no_problem", params={"why": fault.code}), None
    return None, smaller(taken.problem)


def _profile(own: Recruited, problems: list[Problem], committees: list[str]) -> Profile:
    """A profile in words of the registry: what taking somebody in settles by itself is left out."""
    first = problems[own.problems[0]] if own.problems else problems[0]
    names = {c: n for p in problems for c, n in zip(p.specialties.code, p.specialties.name, strict=True)}
    facts: dict[str, int | str | None] = {
        name: value
        for name, value in own.profile.facts
        if value is not None and (name == "rank" or _lasting(first, name))
    }
    kinds = [own.profile.kinds[i] for i in range(len(own.profile.kinds))]
    return Profile(
        count=own.count,
        specialty=own.profile.code,
        name=names.get(own.profile.code, own.profile.code),
        facts=facts,
        committees=list(dict.fromkeys(committees[i] for i in own.problems)),
        rules=list(dict.fromkeys(rule for kind in kinds if kind is not None for rule in kind.counts_for)),
    )


def _lasting(problem: Problem, name: str) -> bool:
    """Whether a fact is a category that somebody brings along, such as a sector; a state in the pool is none."""
    return name != "state" and name in problem.facts and problem.facts[name].type == "category"
