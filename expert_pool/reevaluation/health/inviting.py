"""Whom to invite: candidates of the pool (imported with the membership step `candidate`), ranked by what the plan needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from expert_pool.attributes import At, title
from expert_pool.columns import Scope
from expert_pool.facts import PoolFacts, facts_on
from expert_pool.lifecycle import State
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.health.document import Field, Invitation, Invitations, Plan, Profile
from expert_pool.reevaluation.health.people import People
from expert_pool.registry import Membership, Step
from expert_pool.viewer import counted
from solver.answer import Saying
from solver.facts import MISSING, Ints

BATCH = 10_000
"""Candidates read at a time: a database takes only so many names in one statement."""

MOST = 500
"""So many are listed at most."""


@dataclass(frozen=True)
class _Candidate:
    code: str
    employer: str | None
    sector: str | None
    region: str | None
    title: int | None
    held: Mapping[str, int]
    """Sub-specialties with proficiency."""
    fills: tuple[int, ...]
    thin: tuple[str, ...]

    @property
    def order(self) -> tuple[object, ...]:
        best = max(self.held.values(), default=0)
        return (-len(self.fills), -len(self.thin), -(self.title or 0), -best, self.code)


def invitations(
    people: People,
    fields: Sequence[Field],
    plan: Plan,
    policy: Policy,
    *,
    sector: str | None,
    retires_at: int,
) -> Invitations:
    """The list: first so many for each profile of the plan as it asks for, the profile with the fewest candidates first;
    then the others, by how many profiles and thin fields they fit, title and proficiency. Whoever is banned or past the age
    of retirement is not invited."""
    thin = {field.specialty for field in fields if field.thin}
    asked = list(
        people.session.scalars(
            select(Membership.expert_id)
            .where(
                Membership.pool_id == people.pool_id,
                Membership.step == Step.CANDIDATE,
                *counted(people.viewer, Membership),
            )
            .distinct()
            .order_by(Membership.expert_id)
        )
    )
    state = people.facts.facts["state"]
    candidate = state.names.index(State.CANDIDATE)
    settled = set(people.facts.expert_ids[state.values != candidate].tolist())
    ids = [identity for identity in asked if identity not in settled]
    found: list[_Candidate] = []
    waiting = barred = 0
    for first in range(0, len(ids), BATCH):
        mine = _batch(people, ids[first : first + BATCH], policy)
        there, able, own = _sorted_out(mine, sector, retires_at)
        waiting += len(there)
        barred += len(there) - len(able)
        held, broad, titles = _held(mine), _broad(mine), _titles(people, mine)
        found += [_candidate(mine, i, held.get(i, {}), broad, titles, plan.profiles, thin) for i in own]
    ordered = _ordered(found, plan.profiles)
    return Invitations(
        candidates=waiting,
        sector=sector,
        of_sector=len(found),
        barred=barred,
        listed=[_invitation(n, one, plan.profiles) for n, one in enumerate(ordered[:MOST], 1)],
    )


def _batch(people: People, ids: list[int], policy: Policy) -> PoolFacts:
    return facts_on(
        people.session,
        people.viewer,
        committee_id=people.facts.committee_id,
        on=people.on,
        known_at=people.facts.known_at,
        policy=policy,
        expert_ids=ids,
    )


def _sorted_out(
    facts: PoolFacts, sector: str | None, retires_at: int
) -> tuple[list[int], list[int], list[int]]:
    """Who is a candidate, banned ones among them; of these who may be invited; of these who is of the sector."""
    state, age = facts.facts["state"], facts.facts["age"].values
    there = [i for i in range(len(facts.codes)) if state.show(i) in (State.CANDIDATE, State.BANNED)]
    able = [i for i in there if state.show(i) == State.CANDIDATE and int(age[i]) < retires_at]
    own = [i for i in able if sector is None or facts.facts["sector"].show(i) == sector]
    return there, able, own


def _held(facts: PoolFacts) -> dict[int, dict[str, int]]:
    """By candidate (index) the sub-specialties they hold, with proficiency."""
    names = {entry.id: entry.code for entries in facts.catalogue.read.values() for entry in entries}
    found: dict[int, dict[str, int]] = {}
    rows = zip(
        facts.held.expert.tolist(), facts.held.entry.tolist(), facts.held.proficiency.tolist(), strict=True
    )
    for expert, entry, proficiency in rows:
        own = found.setdefault(expert, {})
        own[names[entry]] = max(proficiency, own.get(names[entry], 0))
    return found


def _titles(people: People, facts: PoolFacts) -> dict[str, Ints]:
    """By committee (code) the title rank of each candidate in the series that it reviews."""
    at = At(people.session, people.viewer, Scope(facts.expert_ids), people.on, people.facts.known_at)
    series = {row.series for row in people.committees} if len(facts.codes) else set()
    ranks = {one: title(at, one).facts["rank"].values for one in series}
    return {row.code: ranks[row.series] for row in people.committees if row.series in ranks}


def _broad(facts: PoolFacts) -> dict[str, str]:
    return {entry.code: entry.broad for entries in facts.catalogue.read.values() for entry in entries}


def _candidate(
    facts: PoolFacts,
    i: int,
    held: Mapping[str, int],
    broad: Mapping[str, str],
    titles: Mapping[str, Ints],
    profiles: Sequence[Profile],
    thin: set[str],
) -> _Candidate:
    known = {name: facts.facts[name].show(i) for name in ("employer", "sector", "region")}
    ranks = {committee: int(values[i]) for committee, values in titles.items()}
    best = max((rank for rank in ranks.values() if rank != MISSING), default=None)
    return _Candidate(
        code=facts.codes[i],
        employer=_text(known["employer"]),
        sector=_text(known["sector"]),
        region=_text(known["region"]),
        title=best,
        held=held,
        fills=tuple(n for n, p in enumerate(profiles) if _fits(facts, i, held, ranks, p)),
        thin=tuple(sorted({broad[code] for code in held} & thin)),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _fits(
    facts: PoolFacts, i: int, held: Mapping[str, int], ranks: Mapping[str, int], profile: Profile
) -> bool:
    """Holds the sub-specialty, has at least the title in the series of every committee to be served, and each other fact
    as it is asked for."""
    if profile.specialty not in held:
        return False
    for name, value in profile.facts.items():
        if name == "rank":
            if not isinstance(value, int) or any(ranks[one] < value for one in profile.committees):
                return False
        elif facts.facts[name].show(i) != value:
            return False
    return True


def _ordered(found: Sequence[_Candidate], profiles: Sequence[Profile]) -> list[_Candidate]:
    left = sorted(found, key=lambda one: one.order)
    able = {n: sum(n in one.fills for one in left) for n in range(len(profiles))}
    chosen: list[_Candidate] = []
    for n in sorted(able, key=lambda n: (able[n], n)):
        fitting = [one for one in left if n in one.fills][: profiles[n].count]
        chosen += fitting
        left = [one for one in left if one not in fitting]
    return chosen + left


def _invitation(rank: int, one: _Candidate, profiles: Sequence[Profile]) -> Invitation:
    reasons = [
        Saying(
            code="health.fills",
            params={
                "specialty": profiles[n].name,
                "code": profiles[n].specialty,
                "committees": profiles[n].committees,
            },
        )
        for n in one.fills
    ]
    reasons += [Saying(code="health.thin_field", params={"specialty": code}) for code in one.thin]
    return Invitation(
        rank=rank,
        expert=one.code,
        employer=one.employer,
        sector=one.sector,
        region=one.region,
        title=one.title,
        specialties=sorted(one.held),
        fills=list(one.fills),
        thin=list(one.thin),
        reasons=reasons,
    )
