"""The appraisal of a pool: conduct, what a measurement flagged and sittings without recusal, brought to one proposal an
expert. Nothing is decided and nothing is written here.

The gravest of all reasons names the proposal, and every reason is kept. A flag or a finding asks for no more than the
scheme lets measurements ask. What led to a measure in an earlier cycle leads to none as grave again (scheme: `once`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.columns import among
from expert_pool.facts import PoolFacts, facts_on
from expert_pool.ledger.canonical import encode
from expert_pool.lifecycle import NUMBER, Event, State
from expert_pool.policies.load import preset
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.acted import Acted, acted_on
from expert_pool.reevaluation.asks import Ask, Measured, asks_of, only_asks, written
from expert_pool.reevaluation.conduct import Conduct, Reason, conduct
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.reevaluation.scheme import MEASURES, Measure, Scheme
from expert_pool.registry import Committee, Organiser, Pool, Table
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.facts import Ints, Mask, day

if TYPE_CHECKING:
    from expert_pool.reevaluation.recusals import Failure

POLICY = "cn-title-national"
"""Whose years cut terms and trainings short, unless another is named."""
KEEP = MEASURES.index(Measure.KEEP)

_OF_ONE_COMMITTEE = frozenset({"rank", "rank_years", "consecutive_terms"})
"""Facts that a pool of several committees does not have."""
_OF_SEATS = frozenset({"available", "seats_this_season"})
"""Facts that seats still sealed bear on: an appraisal must not tell of them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one expert, and every reason. `by_conduct`: conduct calls for something. `without`: what
    would be left if the gravest reason fell away; `reason.otherwise` says what that would take."""

    expert: str
    measure: Measure
    months: int | None
    decided_by: Literal["two_persons", "office"]
    by_conduct: bool
    without: Measure
    reasons: tuple[Reason, ...]

    @property
    def records(self) -> tuple[tuple[str, int], ...]:
        """The rows behind all reasons, each once."""
        return tuple(dict.fromkeys(row for reason in self.reasons for row in reason.records))


@dataclass(frozen=True)
class Appraisal:
    """A pool appraised by a scheme on a day, as known at a moment. By expert, in the order of their codes: `ids`, `who`
    (their place in `conduct`, which holds everybody who was ever admitted), `measure` (index into MEASURES)."""

    pool: str
    pool_id: int
    organiser_id: int
    scheme: Scheme
    policy: Policy
    as_of: date
    known_at: datetime
    experts: tuple[str, ...]
    ids: Ints
    who: Ints
    measure: Ints
    conduct: Conduct
    measured: Measured | None
    asks: tuple[Ask, ...]
    unmatched: tuple[str, ...]
    hidden: frozenset[tuple[str, int]] = field(repr=False)
    _asked: Mapping[int, tuple[Reason, ...]] = field(repr=False)
    _acted: Mapping[int, tuple[Acted, ...]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.experts)

    @property
    def points(self) -> Ints:
        """The points of each expert, after repair."""
        return self.conduct.points[self.who]

    @property
    def grade(self) -> Ints:
        """The grade of each expert: index into the scheme's grades."""
        return self.conduct.grade[self.who]

    def reasons(self, index: int) -> tuple[Reason, ...]:
        """Everything that calls for a measure for one expert, the gravest first; what counts no more is marked."""
        found = [*self.conduct.reasons(int(self.who[index])), *self._asked.get(index, ())]
        return tuple(sorted(_spent(found, self._acted.get(index, ())), key=_gravity, reverse=True))

    def proposal(self, index: int) -> Proposal:
        """What is proposed for one expert."""
        return proposed(self.experts[index], self.reasons(index))

    def proposals(self) -> Iterator[Proposal]:
        """The proposals other than keeping, in the order of the experts."""
        return iter(self._proposals)

    @cached_property
    def _proposals(self) -> tuple[Proposal, ...]:
        return tuple(self.proposal(index) for index in np.flatnonzero(self.measure != KEEP).tolist())

    def counts(self) -> dict[str, int]:
        """How many experts each measure is proposed for."""
        numbers = np.bincount(self.measure, minlength=len(MEASURES)).tolist()
        return {str(measure): number for measure, number in zip(MEASURES, numbers, strict=True)}

    def sha256(self) -> str:
        """The hash of what was found, the same whoever looks."""
        found = {
            "pool": self.pool,
            "as_of": self.as_of,
            "scheme": self.scheme.sha256,
            "policy": self.policy.sha256,
            "columns": self._columns(),
            "proposals": [
                [p.expert, str(p.measure), p.months, p.decided_by, [_hashed(r) for r in p.reasons]]
                for p in self.proposals()
            ],
        }
        return sha256(encode(found)).hexdigest()

    def document(self) -> dict[str, Any]:
        """The document `appraisal/1` (see `appraisal_document`), made when it is asked for."""
        doc, since = self.scheme.doc, self.scheme.since(self.as_of)
        return {
            "format": "appraisal/1",
            "pool": self.pool,
            "as_of": self.as_of.isoformat(),
            "since": since.isoformat() if since else None,
            "known_at": self.known_at.isoformat(),
            "scheme": {"id": doc.id, "version": doc.version, "sha256": self.scheme.sha256},
            "policy": {
                "id": self.policy.id,
                "version": self.policy.version,
                "sha256": self.policy.sha256,
            },
            "grades": [grade.grade for grade in doc.grades],
            "measures": [str(measure) for measure in MEASURES],
            "counts": self.counts(),
            "experts": self._columns(),
            "proposals": [self._said(proposal) for proposal in self.proposals()],
            "unmatched": list(self.unmatched),
            "sha256": self.sha256(),
        }

    def _columns(self) -> dict[str, list[Any]]:
        return {
            "expert": list(self.experts),
            "points": self.points.tolist(),
            "repaired": self.conduct.repaired[self.who].tolist(),
            "grade": self.grade.tolist(),
            "measure": self.measure.tolist(),
        }

    def _said(self, proposal: Proposal) -> dict[str, Any]:
        return {
            "expert": proposal.expert,
            "measure": str(proposal.measure),
            "months": proposal.months,
            "decided_by": proposal.decided_by,
            "by_conduct": proposal.by_conduct,
            "without": str(proposal.without),
            "reasons": [shown(reason, self.hidden) for reason in proposal.reasons],
        }


def appraise(
    session: Session,
    viewer: Viewer,
    pool: str,
    scheme: Scheme,
    as_of: date,
    known_at: datetime | None = None,
    *,
    measured: Measured | None = None,
    recusals: Iterable[Failure] | None = None,
    policy: str = POLICY,
) -> Appraisal:
    """Appraise everybody who is in a pool (its code) on `as_of`, or whose term ended there within the scheme's period
    without their leaving; the banned are out already.

    Raises Fault `appraisal.pool_unknown`, `appraisal.future`, `appraisal.too_early`, `appraisal.no_committee` (nobody
    draws on the pool), `policy.unknown`, `problem.fact_unknown` (a condition asks for what a pool of several committees does not have).
    """
    asks = asks_of(scheme, measured, recusals)
    found = appraise_asked(session, viewer, pool, scheme, as_of, known_at, asks=asks, policy=policy)
    return replace(found, measured=measured)


def appraise_asked(
    session: Session,
    viewer: Viewer,
    pool: str,
    scheme: Scheme,
    as_of: date,
    known_at: datetime | None = None,
    *,
    asks: Sequence[Ask],
    policy: str = POLICY,
) -> Appraisal:
    """As `appraise`, with what asks for a look as a cycle keeps it."""
    if as_of > clock.today():
        raise Fault("appraisal.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    home, rules = find_pool(session, viewer, pool), preset(policy)
    facts = _facts(session, viewer, home, as_of, known_at or clock.now(), rules)
    judged = conduct(session, viewer, facts, scheme, as_of)
    inside = np.flatnonzero(_appraised(facts, scheme, as_of))
    who = np.array(sorted(inside.tolist(), key=lambda index: facts.codes[index]), dtype=np.int64)
    codes = tuple(facts.codes[index] for index in who.tolist())
    place = {code: index for index, code in enumerate(codes)}
    asked: dict[int, tuple[Reason, ...]] = {}
    for ask in asks:
        if (index := place.get(ask.expert)) is not None:
            asked[index] = (*asked.get(index, ()), ask.reason)
    ids, measure = facts.expert_ids[who], judged.measure[who].copy()
    acted: dict[int, tuple[Acted, ...]] = {}
    if scheme.doc.once:
        whole = dict(zip(ids.tolist(), range(len(ids)), strict=True))
        for expert_id, done in acted_on(session, viewer, facts.known_at).items():
            if (index := whole.get(expert_id)) is not None:
                acted[index] = done
    appraisal = Appraisal(
        pool=pool,
        pool_id=home.id,
        organiser_id=home.organiser_id,
        scheme=scheme,
        policy=rules,
        as_of=as_of,
        known_at=facts.known_at,
        experts=codes,
        ids=ids,
        who=who,
        measure=measure,
        conduct=judged,
        measured=None,
        asks=tuple(asks),
        unmatched=tuple(sorted({ask.expert for ask in asks} - place.keys())),
        hidden=frozenset(),
        _asked=asked,
        _acted=acted,
    )
    for index in asked.keys() | acted.keys():
        measure[index] = MEASURES.index(appraisal.proposal(index).measure)
    if viewer.organisers is None:
        return appraisal
    behind = {row for proposal in appraisal.proposals() for row in proposal.records}
    return replace(appraisal, hidden=hidden_rows(session, viewer, behind))


def pools_of(session: Session, viewer: Viewer, organiser: str) -> tuple[str, ...]:
    """The codes of an organiser's pools. Raises Fault `appraisal.organiser_unknown`."""
    owner = session.scalar(
        select(Organiser.id).where(Organiser.code == organiser, *visible(viewer, Organiser))
    )
    if owner is None or not viewer.owns(owner):
        raise Fault("appraisal.organiser_unknown", organiser)
    return tuple(session.scalars(select(Pool.code).where(Pool.organiser_id == owner).order_by(Pool.code)))


def find_pool(session: Session, viewer: Viewer, code: str) -> Pool:
    """A pool of the viewer's own. Raises Fault `appraisal.pool_unknown`."""
    pool = session.scalar(select(Pool).where(Pool.code == code, *visible(viewer, Pool)))
    if pool is None or not viewer.owns(pool.organiser_id):
        raise Fault("appraisal.pool_unknown", code)
    return pool


def proposed(expert: str, reasons: Sequence[Reason]) -> Proposal:
    """The proposal that reasons amount to; they come the gravest first."""
    counting = [reason for reason in reasons if reason.already is None]
    by_conduct = any(not only_asks(reason.code) for reason in counting)
    if not counting:
        return Proposal(expert, Measure.KEEP, None, "office", by_conduct, Measure.KEEP, tuple(reasons))
    top = counting[0].proposal
    alike = [reason.proposal for reason in counting if reason.proposal.measure is top.measure]
    return Proposal(
        expert,
        top.measure,
        top.months,
        "two_persons" if any(one.decided_by == "two_persons" for one in alike) else "office",
        by_conduct,
        counting[1].proposal.measure if len(counting) > 1 else Measure.KEEP,
        tuple(reasons),
    )


def hidden_rows(
    session: Session, viewer: Viewer, rows: Collection[tuple[str, int]]
) -> frozenset[tuple[str, int]]:
    """Those of some rows that other organisers recorded: a viewer is given the verdict without them."""
    if viewer.organisers is None:
        return frozenset()
    tables: dict[str, Any] = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}
    found: set[tuple[str, int]] = set()
    for name in {table for table, _ in rows}:
        table, ids = tables[name], np.array(sorted(row for t, row in rows if t == name), dtype=np.int64)
        foreign = select(table.id).where(among(table.id, ids), table.organiser_id.not_in(viewer.organisers))
        wanted = set(ids.tolist())
        found |= {(name, row) for row in session.scalars(foreign) if row in wanted}
    return frozenset(found)


def shown(reason: Reason, hidden: Collection[tuple[str, int]]) -> dict[str, Any]:
    """A reason as documents show it to somebody who may not see some records."""
    seen = [(table, row) for table, row in reason.records if (table, row) not in hidden]
    return {
        **written(reason),
        "records": [{"table": table, "row": row} for table, row in seen],
        "withheld": len(reason.records) - len(seen),
    }


def _facts(
    session: Session, viewer: Viewer, pool: Pool, as_of: date, known_at: datetime, policy: Policy
) -> PoolFacts:
    """What is known of a pool, without what belongs to one committee or to sealed seats. Facts are verdicts: what they
    say does not depend on who looks."""
    committees = session.scalars(
        select(Committee.id).where(Committee.pool_id == pool.id).order_by(Committee.code)
    ).all()
    if not committees:
        raise Fault("appraisal.no_committee", pool.code)
    found = facts_on(
        session,
        Viewer.system(viewer.actor),
        committee_id=committees[0],
        on=as_of,
        known_at=known_at,
        policy=policy,
        for_agenda=False,
    )
    absent = _OF_SEATS | (_OF_ONE_COMMITTEE if len(committees) > 1 else frozenset())
    return replace(found, facts={name: c for name, c in found.facts.items() if name not in absent})


def _appraised(pool: PoolFacts, scheme: Scheme, as_of: date) -> Mask:
    """Who is appraised: members, and those whose term ended in the period and who did not leave."""
    size, order = len(pool.expert_ids), np.arange(len(pool.events.expert))
    last: dict[Event, Ints] = {}
    for event in (Event.ADMITTED, Event.LEFT):
        last[event] = np.full(size, -1, dtype=np.int64)
        rows = order[(pool.events.event == NUMBER[event]) & (pool.events.day <= day(as_of))]
        np.maximum.at(last[event], pool.events.expert[rows], rows)
    stayed = last[Event.ADMITTED] > last[Event.LEFT]
    since = scheme.since(as_of)
    term = pool.facts["term_until"].values
    ended = stayed & ((term >= day(since)) if since else np.ones(size, dtype=bool))
    state = pool.facts["state"]
    out = [number for number, name in enumerate(state.names) if name in (State.BANNED, State.CANDIDATE)]
    member = pool.facts["in_pool"].values == 1
    appraised: Mask = (member | ended) & ~np.isin(state.values, out)
    return appraised


def _gravity(reason: Reason) -> tuple[bool, int, float]:
    proposal = reason.proposal
    months = float("inf") if proposal.months is None else proposal.months
    return reason.already is None, MEASURES.index(proposal.measure), months


def _spent(reasons: Iterable[Reason], acted: Sequence[Acted]) -> Iterator[Reason]:
    """The reasons, those marked whose records all led to a measure as grave before."""
    for reason in reasons:
        weight, rows = MEASURES.index(reason.proposal.measure), frozenset(reason.records)
        by = next((a.cycle for a in acted if rows and weight <= a.measure and rows <= a.records), None)
        yield replace(reason, already=by)


def _hashed(reason: Reason) -> list[Any]:
    said = written(reason)
    return [said[name] for name in said if name != "already"] + [reason.already is not None]
