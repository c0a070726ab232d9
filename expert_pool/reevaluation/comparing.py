"""Two schemes side by side on one pool and day: what the other one would have proposed, for whom, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.reevaluation.appraising import POLICY, Appraisal, Proposal, appraise, shown
from expert_pool.reevaluation.scheme import MEASURES, Measure, Scheme
from expert_pool.reevaluation.scheme_told import brief
from expert_pool.viewer import Viewer
from solver.facts import MISSING, Ints

if TYPE_CHECKING:
    from expert_pool.reevaluation.asks import Measured
    from expert_pool.reevaluation.recusals import Failure

AGES = (40, 50, 55, 60, 65, 70)
"""Where one band of ages ends and the next begins."""

SMALL = 10
"""Of a group smaller than this no share is told: it would say more of one person than of the group."""

MILD = frozenset({Measure.KEEP, Measure.LOOK})
"""Measures that touch nobody's standing."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One expert to whom the schemes would do different things: either side's proposal with its reasons."""

    first: Proposal
    second: Proposal


@dataclass(frozen=True, slots=True)
class Group:
    """How many of a group (`by` sector, region or age) each scheme would touch with more than a look. `value` None: not
    known."""

    by: str
    value: str | None
    size: int
    first: int
    second: int

    def document(self) -> dict[str, Any]:
        told = self.size >= SMALL
        return {
            "by": self.by,
            "value": self.value,
            "size": self.size,
            "first": self.first,
            "second": self.second,
            "first_share": round(self.first / self.size, 4) if told else None,
            "second_share": round(self.second / self.size, 4) if told else None,
        }


@dataclass(frozen=True)
class Comparison:
    """Both appraisals, and the experts whom both appraise: `pairs[i]` is their index in either. `matrix[a, b]`: how many of
    them get measure a (index into MEASURES) of the first scheme and b of the second."""

    first: Appraisal
    second: Appraisal
    pairs: Ints
    matrix: Ints
    groups: tuple[Group, ...]

    @property
    def moved(self) -> int:
        """How many get another measure."""
        return int(self.matrix.sum() - np.trace(self.matrix))

    def moves(self) -> Iterator[Moved]:
        """Everybody who gets another measure: the greatest difference first, then by code."""
        before, after = self.first.measure[self.pairs[:, 0]], self.second.measure[self.pairs[:, 1]]
        rows = np.flatnonzero(before != after)
        ordered = rows[np.argsort(-np.abs(before[rows] - after[rows]), kind="stable")]
        for one, other in self.pairs[ordered].tolist():
            yield Moved(self.first.proposal(one), self.second.proposal(other))

    def document(self, most: int | None = None) -> dict[str, Any]:
        """`scheme-comparison/1`; `most`: so many experts at most are told, the others only counted."""
        return {
            "format": "scheme-comparison/1",
            "pool": self.first.pool,
            "as_of": self.first.as_of.isoformat(),
            "known_at": self.first.known_at.isoformat(),
            "experts": len(self.pairs),
            "only_first": len(self.first) - len(self.pairs),
            "only_second": len(self.second) - len(self.pairs),
            "first": brief(self.first.scheme).model_dump(),
            "second": brief(self.second.scheme).model_dump(),
            "measures": [str(measure) for measure in MEASURES],
            "matrix": self.matrix.tolist(),
            "moved": self.moved,
            "groups": [group.document() for group in self.groups],
            "moves": [
                {
                    "expert": one.first.expert,
                    "first": _said(one.first, self.first),
                    "second": _said(one.second, self.second),
                }
                for one in islice(self.moves(), most)
            ],
        }


def compare(
    session: Session,
    viewer: Viewer,
    pool: str,
    first: Scheme,
    second: Scheme,
    as_of: date,
    known_at: datetime | None = None,
    *,
    measured: Measured | None = None,
    recusals: Sequence[Failure] | None = None,
    policy: str = POLICY,
) -> Comparison:
    """What two schemes would propose for everybody in a pool (code) on a day, as known at a moment. Changes nothing.

    `measured`, `recusals`, `policy`: as in `appraise`, the same for both. Raises Fault as `appraise`.
    """
    moment = known_at or clock.now()
    one, other = (
        appraise(
            session,
            viewer,
            pool,
            scheme,
            as_of,
            moment,
            measured=measured,
            recusals=recusals,
            policy=policy,
        )
        for scheme in (first, second)
    )
    return compared(one, other)


def compared(first: Appraisal, second: Appraisal) -> Comparison:
    """Two appraisals of one pool on one day. How far back a scheme looks decides who is appraised after their term ended,
    so either may have people of its own; they are counted and left out."""
    theirs = {code: index for index, code in enumerate(second.experts)}
    common = [(index, theirs[code]) for index, code in enumerate(first.experts) if code in theirs]
    pairs = np.array(common, dtype=np.int64).reshape(-1, 2)
    before, after = first.measure[pairs[:, 0]], second.measure[pairs[:, 1]]
    size = len(MEASURES)
    matrix = np.bincount(before * size + after, minlength=size * size).reshape(size, size)
    return Comparison(first, second, pairs, matrix, tuple(_groups(first, pairs, before, after)))


def _groups(appraisal: Appraisal, pairs: Ints, before: Ints, after: Ints) -> Iterator[Group]:
    """Sectors, regions and bands of ages, each in its own order, those unknown last."""
    mild = [MEASURES.index(measure) for measure in MILD]
    touched = [~np.isin(measure, mild) for measure in (before, after)]
    who = appraisal.who[pairs[:, 0]]
    for by, values, names in _parts(appraisal, who):
        for value in np.unique(values).tolist():
            own = values == value
            name = None if value == len(names) else names[value]
            numbers = [int((own & side).sum()) for side in touched]
            yield Group(by, name, int(own.sum()), *numbers)


def _parts(appraisal: Appraisal, who: Ints) -> Iterator[tuple[str, Ints, tuple[str, ...]]]:
    """Each way to divide people: its name, each one's place among the values, and these. One past the last: unknown."""
    facts = appraisal.conduct.facts
    for by in ("sector", "region"):
        if (column := facts.get(by)) is not None:
            values = column.values[who]
            yield by, np.where(values == MISSING, len(column.names), values), column.names
    if (age := facts.get("age")) is not None:
        years = age.values[who]
        bounds = (None, *AGES, None)
        names = tuple(
            f"<{high}" if low is None else f"{low}+" if high is None else f"{low}-{high - 1}"
            for low, high in pairwise(bounds)
        )
        yield "age", np.where(years == MISSING, len(names), np.searchsorted(AGES, years, side="right")), names


def _said(proposal: Proposal, appraisal: Appraisal) -> dict[str, Any]:
    return {
        "measure": str(proposal.measure),
        "months": proposal.months,
        "reasons": [shown(reason, appraisal.hidden) for reason in proposal.reasons],
    }
