"""Relations among the experts of the made region: co-authors with hubs, advisor families, relatives, stakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from expert_pool.region.catalogue import Catalogue
from expert_pool.region.employers import SECTORS, Employers
from expert_pool.region.people import YEAR, People
from expert_pool.region.streams import Cells, Floats, Streams, choose, zipf
from expert_pool.registry import RelationKind, Sector
from solver.facts import Ints, Mask

KINDS: tuple[RelationKind, ...] = tuple(RelationKind)

_LAB_SIZE = 15
_UNKNOWN_DATES = 0.05
_MOST_ACTIVE = 3000.0


@dataclass(frozen=True, slots=True)
class Ties:
    """Relations as aligned arrays: `left` is an expert, `right` what `kind` (an index into KINDS) relates to.

    `since` and `until` mean nothing where `undated`; an `until` of 0 means that it lasts. `declared` is the day the
    relation was declared or found.
    """

    kind: Ints
    left: Ints
    right: Ints
    since: Ints
    until: Ints
    undated: Mask
    declared: Ints

    def __len__(self) -> int:
        return len(self.kind)

    def where(self, kept: Mask | Ints) -> Ties:
        return Ties(
            self.kind[kept], self.left[kept], self.right[kept], self.since[kept], self.until[kept],
            self.undated[kept], self.declared[kept],
        )  # fmt: skip

    def once(self) -> Ties:
        """One relation of a kind for each pair of parties."""
        span = int(max(self.left.max(initial=0), self.right.max(initial=0))) + 1
        key = (self.kind * span + self.left) * span + self.right
        return self.where(np.sort(np.unique(key, return_index=True)[1]))


def join(parts: list[Ties]) -> Ties:
    """All of them, in order."""
    return Ties(*(np.concatenate([getattr(p, name) for p in parts]) for name in Ties.__slots__))


def dated(
    rng: Generator, kind: RelationKind, left: Ints, right: Ints, today: int, undated: float = _UNKNOWN_DATES
) -> Ties:
    """Relations of one kind with the dates that are usual for it."""
    n = len(left)
    if kind in (RelationKind.CO_AUTHOR, RelationKind.SAME_CASE):
        until = today - 20 - np.floor(rng.beta(1.0, 4.0, n) * 10 * YEAR).astype(np.int64)
        since = until - rng.integers(0, int(5 * YEAR), n)
        declared = np.minimum(until + rng.integers(15, 400, n), today - rng.integers(1, 15, n))
    elif kind is RelationKind.ADVISOR:
        until = today - rng.integers(int(YEAR), int(25 * YEAR), n)
        since = until - rng.integers(int(3 * YEAR), int(5 * YEAR), n)
        declared = np.minimum(until + rng.integers(30, int(6 * YEAR), n), today - rng.integers(1, 90, n))
    else:
        since = today - rng.integers(200, int(12 * YEAR), n)
        until = np.zeros(n, dtype=np.int64)
        declared = np.minimum(since + rng.integers(30, int(6 * YEAR), n), today - rng.integers(1, 90, n))
    unknown = rng.random(n) < undated
    return Ties(np.full(n, KINDS.index(kind)), left, right, since, until, unknown, declared)


def activity(streams: Streams, count: int) -> Floats:
    """How much each expert works with others: heavy-tailed, so that a few are hubs."""
    return np.minimum(1.0 + streams("activity").pareto(1.15, count), _MOST_ACTIVE)


def ties_between(streams: Streams, people: People, catalogue: Catalogue, active: Floats, today: int) -> Ties:
    """Relations between two experts."""
    count = len(people)
    field = catalogue.specialty[people.main_sub]
    by_field = Cells(field, active, len(catalogue.specialty_code))
    lab, labs = _labs(streams("labs"), field, by_field)
    by_lab = Cells(lab, active, labs)

    rng = streams("co-authors")
    in_lab = np.repeat(np.arange(count), rng.poisson(2.8, count))
    in_field = np.repeat(np.arange(count), rng.poisson(1.9, count))
    left = np.concatenate([in_lab, in_field])
    right = np.concatenate([by_lab.draw(rng, lab[in_lab]), by_field.draw(rng, field[in_field])])
    apart = left != right
    left, right = left[apart], right[apart]
    papers = dated(
        rng, RelationKind.CO_AUTHOR, np.minimum(left, right), np.maximum(left, right), today
    ).once()

    rng = streams("advisors")
    student = (rng.random(count) < 0.75).nonzero()[0]
    advisor = Cells(field, active, len(catalogue.specialty_code), people.full_on > 0).draw(
        rng, field[student]
    )
    older = (advisor >= 0) & (people.born[advisor] < people.born[student] - int(9 * YEAR))
    student, advisor = student[older], advisor[older]
    family = dated(rng, RelationKind.ADVISOR, advisor, student, today)
    finished = people.born[student] + rng.integers(int(26 * YEAR), int(31 * YEAR), len(student))
    finished = np.minimum(finished, today - 200)
    family = Ties(
        family.kind, advisor, student, finished - int(3.5 * YEAR), finished, family.undated,
        np.maximum(family.declared, finished),
    )  # fmt: skip

    rng = streams("relatives")
    pairs = max(1, int(count * 0.004))
    one, other = rng.integers(0, count, pairs), rng.integers(0, count, pairs)
    kin = dated(
        rng, RelationKind.RELATIVE, np.minimum(one, other)[one != other],
        np.maximum(one, other)[one != other], today, undated=0.8,
    ).once()  # fmt: skip
    return join([papers, family, kin])


def _labs(rng: Generator, field: Ints, by_field: Cells) -> tuple[Ints, int]:
    """The lab of each expert within the specialty: a few large ones, many small."""
    lab = np.zeros(len(field), dtype=np.int64)
    total = 0
    for specialty, size in enumerate(by_field.sizes().tolist()):
        if size:
            labs = max(1, size // _LAB_SIZE)
            lab[field == specialty] = total + choose(rng, zipf(labs, 0.5), size)
            total += labs
    return lab, total


def stakes(streams: Streams, people: People, employers: Employers, today: int) -> Ties:
    """Financial stakes of experts in private employers."""
    rng = streams("stakes")
    holders = (rng.random(len(people)) < 0.01).nonzero()[0]
    private = (employers.sector == SECTORS.index(Sector.PRIVATE)).nonzero()[0]
    held = private[choose(rng, employers.weight[private], len(holders))]
    return dated(rng, RelationKind.STAKE, holders, held, today).once()
