"""Whose training or term ends, whose credit is low: over whole pools at once, in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from expert_pool import attributes, clock
from expert_pool.attributes import At
from expert_pool.columns import (
    Arrays,
    Scope,
    best_row,
    distinct,
    fetch,
    place,
    rows_where,
    rows_where_standing,
    take,
)
from expert_pool.lifecycle import STEPS, terms
from expert_pool.notices.rules import KindRule
from expert_pool.policies.policy import Policy
from expert_pool.registry import Credit, Membership, Pool, Step
from expert_pool.viewer import Viewer
from solver.facts import EPOCH, MISSING, Mask, day

_SYSTEM = Viewer.system("schedule")


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends: the `row` behind it, its last day, the window that was reached (days; 0: it has ended), the
    `office` it concerns (an organiser), the `expert` (id), what it is called, a number that belongs to it."""

    row: int
    until: date
    window: int
    office: int
    expert: int | None = None
    name: str = ""
    value: int | None = None

    def inside(self, rule: KindRule, today: date) -> Ending | None:
        """The same with its window; None when it ends later than any, or ended too long ago."""
        left = (self.until - today).days
        if left < 0:
            return replace(self, window=0) if 0 in rule.windows and -left <= rule.ended_days else None
        reached = [window for window in rule.windows if window >= max(left, 1)]
        return replace(self, window=min(reached)) if reached else None


def trainings_ending(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """The trainings of members of any pool, the longest of each; the office of every pool they are in."""
    members = _members(session, today, policy)
    members = rows_where(members, _in_term(members, today))
    if not len(members["expert"]):
        return []
    at = _at(session, distinct(members["expert"]), today)
    known, _ = attributes.training(at, policy.terms.training_years)
    until, row = known.facts["trained_until"].values, known.behind["trained_until"][1]
    mine = at.scope.index(members["expert"])
    found = {"expert": members["expert"], "office": members["office"], "until": until[mine], "row": row[mine]}
    return _inside(found, rule, today)


def terms_ending(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """The terms of the members of each pool, and terms that ended and were not renewed."""
    members = _members(session, today, policy)
    pool_of = dict(zip(members["row"].tolist(), members["pool"].tolist(), strict=True))
    names = dict(session.execute(select(Pool.id, Pool.name)).all())
    return [replace(e, name=names[pool_of[e.row]]) for e in _inside(members, rule, today)]


def low_credit(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """Members whose credit is below the rule's bound, by the latest record that counts; none without a bound."""
    members = _members(session, today, policy)
    members = rows_where(members, _in_term(members, today))
    if rule.below is None or not len(members["expert"]):
        return []
    at = _at(session, distinct(members["expert"]), today)
    base, years = policy.terms.credit_base, policy.terms.credit_years
    points = attributes.credit(at, base, years).facts["credit"].values
    columns = {"expert": Credit.expert_id, "row": Credit.id, "day": Credit.holds_on}
    losses, _ = fetch(session, columns, [Credit.holds_on <= today, not_(Credit.void), Credit.points < 0])
    losses = at.scope.only(rows_where_standing(session, Credit, losses, at.known_at))
    latest = take(losses["row"], best_row(at.size, losses["expert"], losses["day"], losses["row"]))
    mine = at.scope.index(members["expert"])
    low = (points[mine] < rule.below) & (latest[mine] != MISSING)
    lines = zip(
        latest[mine][low].tolist(),
        members["office"][low].tolist(),
        members["expert"][low].tolist(),
        points[mine][low].tolist(),
        strict=True,
    )
    endings = [Ending(row, today, 0, office, expert, value=value) for row, office, expert, value in lines]
    return list(_once(endings))


def _members(session: Session, today: date, policy: Policy) -> Arrays:
    """The latest admission of everybody who did not leave the pool after it: `expert`, `pool`, `office`, `row`, and
    `until`, the last day of the term."""
    moment = clock.now()
    columns = {
        "expert": Membership.expert_id,
        "row": Membership.id,
        "pool": Membership.pool_id,
        "day": Membership.holds_on,
        "until": Membership.until,
        "step": place(Membership.step, STEPS),
    }
    counts = [Membership.recorded_at <= moment, not_(Membership.void), Membership.holds_on <= today]
    steps, _ = fetch(session, columns, [*counts, Membership.step.in_((Step.ADMITTED, Step.LEFT))])
    steps = rows_where_standing(session, Membership, steps, moment)
    if len(steps["row"]):
        width = int(steps["pool"].max()) + 1
        pairs, owner = np.unique(steps["expert"] * width + steps["pool"], return_inverse=True)
        left = (steps["step"] == STEPS.index(Step.LEFT)).astype(np.int64)
        last = best_row(len(pairs), owner.reshape(-1), steps["day"], left, steps["row"])
        steps = {name: values[last] for name, values in steps.items()}
        steps = rows_where(steps, steps["step"] == STEPS.index(Step.ADMITTED))
    offices = dict(session.execute(select(Pool.id, Pool.organiser_id)).all())
    office = np.array([offices[pool] for pool in steps["pool"].tolist()], dtype=np.int64)
    return {**steps, "until": terms(steps, policy.terms.term_years), "office": office}


def _in_term(members: Arrays, today: date) -> Mask:
    running: Mask = (members["until"] == MISSING) | (members["until"] >= day(today))
    return running


def _at(session: Session, experts: Sequence[int], today: date) -> At:
    ids = np.array(experts, dtype=np.int64)
    return At(session, _SYSTEM, Scope(ids, None, whole=len(ids) > 100), today, clock.now())


def _inside(found: Arrays, rule: KindRule, today: date) -> list[Ending]:
    """Of things that end, those in a window; a thing is one for each office it concerns."""
    until = found["until"]
    low, high = day(today) - rule.ended_days, day(today) + max(rule.windows, default=0)
    near = rows_where(found, (until != MISSING) & (until >= low) & (until <= high))
    names = ("row", "until", "office", "expert")
    lines = zip(*(near[name].tolist() for name in names), strict=True)
    endings = (
        Ending(row, EPOCH + timedelta(days=last), -1, office, expert) for row, last, office, expert in lines
    )
    return list(_once([e for ending in endings if (e := ending.inside(rule, today)) is not None]))


def _once(endings: Sequence[Ending]) -> Iterator[Ending]:
    """Two pools of one office, and one training: told once."""
    yield from {(e.row, e.office): e for e in endings}.values()
