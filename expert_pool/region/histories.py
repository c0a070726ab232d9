"""What happened to the experts: entry and terms, training, credit, discipline, absence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from expert_pool.region.people import People
from expert_pool.region.streams import Streams, choose
from expert_pool.registry import Sanction, Step
from solver.facts import Ints, Mask

TERM = 3 * 365
CANDIDATE, IN_TERM, TERM_OVER, LEFT = range(4)
"""How it stands with a membership."""

STEPS: tuple[Step, ...] = tuple(Step)
REASONS = ("", "本人申请退出", "不再符合条件", "年度考核不合格", "调离本省")
COURSES = ("评审专家岗前培训", "评审纪律与回避培训", "评审专家年度复训")
EVENTS: tuple[tuple[str, int], ...] = (
    ("迟到", -10), ("接受后缺席", -20), ("差错致评审延长", -30), ("评分疏漏及时更正", -10), ("应回避未回避", -20),
    ("承担专题评审表现突出", 5),
)  # fmt: skip
"""Credit events with their points; the deductions are those of a city's notice of 2022."""
LATE, ABSENT = 0, 1
SANCTIONS: tuple[Sanction, ...] = tuple(Sanction)
ABSENCE_REASONS = ("出国访问", "病假", "脱产学习", "外地挂职")


@dataclass(frozen=True, slots=True)
class Memberships:
    """The steps of experts in one pool as aligned arrays, and how each expert of the pool stands today.

    `expert`, `step`, `on`, `until` (0 for none) and `reason` are rows. `who` are the pool's experts; `status`, `entered`
    (first admission, 0 for none) and `term_until` (the last day of the last term, 0 for none) align with it.
    """

    expert: Ints
    step: Ints
    on: Ints
    until: Ints
    reason: Ints
    who: Ints
    status: Ints
    entered: Ints
    term_until: Ints


def make_memberships(rng: Generator, who: Ints, today: int, meeting: int) -> Memberships:
    """How so many experts came to a pool, stayed, and left."""
    n = len(who)
    status = choose(rng, np.array([0.045, 0.865, 0.05, 0.04]), n)
    until = np.select(
        [status == IN_TERM, status == TERM_OVER, status == LEFT],
        [
            rng.integers(meeting + 10, today + TERM - 30, n),
            rng.integers(today - 2 * 365, today - 20, n),
            rng.integers(today + 30, today + TERM - 60, n),
        ],
        0,
    )
    terms = np.where(status == CANDIDATE, 0, 1 + choose(rng, np.array([0.6, 0.28, 0.12]), n))
    entered = np.where(terms > 0, until - TERM * terms, 0)
    called = np.where(terms > 0, entered - rng.integers(30, 150, n), today - rng.integers(5, 200, n))
    rows = [(who, _step(Step.CANDIDATE, n), called, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))]
    for term in (1, 2, 3):
        had = terms >= term
        start = (entered + TERM * (term - 1))[had]
        rows.append(
            (
                who[had],
                _step(Step.ADMITTED, len(start)),
                start,
                start + TERM - 1,
                np.zeros(len(start), dtype=np.int64),
            )
        )
    gone = status == LEFT
    last = np.maximum((until - TERM)[gone] + 1, today - rng.integers(5, 700, int(gone.sum())))
    rows.append(
        (
            who[gone], _step(Step.LEFT, len(last)), np.minimum(last, today - 1), np.zeros(len(last), dtype=np.int64),
            1 + choose(rng, np.array([0.5, 0.25, 0.1, 0.15]), len(last)),
        )
    )  # fmt: skip
    expert, step, on, stop, reason = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((on, expert))
    return Memberships(
        expert[order], step[order], on[order], stop[order], reason[order],
        who, status, entered, np.where(terms > 0, until - 1, 0),
    )  # fmt: skip


def _step(step: Step, count: int) -> Ints:
    return np.full(count, STEPS.index(step))


@dataclass(frozen=True, slots=True)
class Trainings:
    """Courses finished, as aligned arrays; `valid_until` is per expert the last day any of them counts, 0 for none."""

    expert: Ints
    course: Ints
    passed: Mask
    on: Ints
    until: Ints
    valid_until: Ints


def make_trainings(streams: Streams, count: int, today: int, meeting: int) -> Trainings:
    """About 12 in 100 have no valid training on the day of the meeting."""
    rng = streams("trainings")
    lapsed = rng.random(count) < 0.12
    two_years = 2 * 365
    on = np.where(
        lapsed,
        today - two_years - rng.integers(1, 500, count),
        rng.integers(meeting + 5 - two_years, today, count),
    )
    failed = lapsed & (rng.random(count) < 0.2)
    on = np.where(failed, today - rng.integers(10, 300, count), on)
    everyone = np.arange(count)
    before = (rng.random(count) < 0.4).nonzero()[0]
    earlier = on[before] - rng.integers(380, 900, len(before))
    earlier_until = earlier + two_years
    expert = np.concatenate([everyone, before])
    valid = np.where(failed, 0, on + two_years)
    valid[before] = np.maximum(valid[before], earlier_until)
    order = np.lexsort((np.concatenate([on, earlier]), expert))
    course = np.concatenate([1 + rng.integers(0, 2, count), np.zeros(len(before), dtype=np.int64)])
    course[:count][~np.isin(everyone, before)] = 0
    return Trainings(
        expert[order],
        course[order],
        np.concatenate([~failed, np.ones(len(before), dtype=bool)])[order],
        np.concatenate([on, earlier])[order],
        np.concatenate([on + two_years, earlier_until])[order],
        valid,
    )


@dataclass(frozen=True, slots=True)
class Credits:
    """Credit events as aligned arrays; `event` is an index into EVENTS."""

    expert: Ints
    event: Ints
    on: Ints

    def once(self) -> Credits:
        """No event twice for the same expert on the same day."""
        rows = np.unique(np.stack([self.expert, self.on, self.event]), axis=1)
        return Credits(rows[0], rows[2], rows[1])

    def totals(self, count: int) -> Ints:
        """The points each of `count` experts has from 100 on."""
        points = np.array([p for _, p in EVENTS])[self.event]
        return 100 + np.bincount(self.expert, weights=points, minlength=count).astype(np.int64)


def make_credits(streams: Streams, count: int, today: int) -> Credits:
    """Events of the last three years: about 2 in 100 experts lose points in a year, a few of them again and again."""
    rng = streams("credits")
    often = rng.gamma(0.25, 4.0, count)
    times = rng.poisson(0.055 * often)
    expert = np.repeat(np.arange(count), np.minimum(times, 6))
    event = choose(rng, np.array([0.45, 0.15, 0.05, 0.2, 0.05, 0.10]), len(expert))
    return Credits(expert, event, today - rng.integers(3, 3 * 365, len(expert)))


@dataclass(frozen=True, slots=True)
class Disciplines:
    """Sanctions as aligned arrays: `until` 0 means for life or, of a warning, at once over; `revokes` is the day of the
    ban that a revocation takes back, else 0. `barred` holds per expert whether a sanction bars them at the meeting."""

    expert: Ints
    sanction: Ints
    on: Ints
    until: Ints
    revokes: Ints
    barred: Ints
    """Per expert: 1 + the index of the sanction in force at the meeting (suspension, ban, retraining, restriction)."""


def make_disciplines(streams: Streams, count: int, today: int, meeting: int) -> Disciplines:
    """About one expert in 200 was ever sanctioned; one lifetime ban in five was revoked."""
    rng = streams("disciplines")
    expert = (rng.random(count) < 0.005).nonzero()[0]
    n = len(expert)
    kinds = (Sanction.WARNING, Sanction.RESTRICTION, Sanction.RETRAINING, Sanction.SUSPENSION, Sanction.BAN)
    sanction = np.array([SANCTIONS.index(k) for k in kinds])[
        choose(rng, np.array([0.35, 0.12, 0.13, 0.2, 0.2]), n)
    ]
    on = today - rng.integers(10, 900, n)
    banned = sanction == SANCTIONS.index(Sanction.BAN)
    life = banned & (rng.random(n) < 0.5)
    length = np.select(
        [banned, sanction == SANCTIONS.index(Sanction.SUSPENSION)],
        [rng.integers(2, 8, n) * 365, np.full(n, 182)],
        365,
    )
    until = np.where(life | (sanction == SANCTIONS.index(Sanction.WARNING)), 0, on + length)
    back = life & (rng.random(n) < 0.2)
    over = np.minimum(on[back] + rng.integers(30, 400, int(back.sum())), today - 1)
    in_force = ((until >= meeting) | life) & ~back
    barred = np.zeros(count, dtype=np.int64)
    barred[expert[in_force]] = 1 + sanction[in_force]
    return Disciplines(
        np.concatenate([expert, expert[back]]),
        np.concatenate([sanction, np.full(len(over), SANCTIONS.index(Sanction.REVOCATION))]),
        np.concatenate([on, over]),
        np.concatenate([until, np.zeros(len(over), dtype=np.int64)]),
        np.concatenate([np.zeros(n, dtype=np.int64), on[back]]),
        barred,
    )


@dataclass(frozen=True, slots=True)
class Absences:
    """Times away, as aligned arrays."""

    expert: Ints
    on: Ints
    until: Ints
    reason: Ints


def make_absences(streams: Streams, people: People, today: int, meeting: int) -> Absences:
    """About 5 in 100 are away on the day of the meeting; some were away before."""
    rng = streams("absences")
    luck = rng.random(len(people))
    expert = (luck < 0.09).nonzero()[0]
    n = len(expert)
    on = today - rng.integers(1, 300, n)
    now = luck[expert] < 0.05
    until = np.where(
        now, meeting + rng.integers(0, 200, n), np.minimum(on + rng.integers(5, 90, n), meeting - 5)
    )
    return Absences(expert, on, np.maximum(until, on), rng.integers(0, len(ABSENCE_REASONS), n))


def away(absences: Absences, count: int, day: int) -> Mask:
    """Who is away on a day."""
    gone = np.zeros(count, dtype=bool)
    gone[absences.expert[(absences.on <= day) & (absences.until >= day)]] = True
    return gone
