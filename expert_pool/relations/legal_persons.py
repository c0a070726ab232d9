"""Employers over time: the legal persons that a unit belonged to, as intervals.

A department belongs to what it is a part of, in turn, up to a legal person; what was merged belongs to what it was
merged into. A unit with two parents belongs to both, and one without any stands for itself: nothing is lost that
might be a conflict. Whoever a unit belonged to then is finally read as its successor on the day asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Date, Select, bindparam
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import Arrays, fetch, kept, packing, place, truth, unpacked
from expert_pool.registry import Employer, EmployerLink, LinkKind
from expert_pool.registry.base import Moment
from expert_pool.relations.windows import EVER
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, Ints, day

KINDS = tuple(LinkKind)
_PART_OF = KINDS.index(LinkKind.PART_OF)


@dataclass(frozen=True, slots=True)
class Spans:
    """Which unit belonged to which legal person from `start` to `end`: aligned arrays, sorted by unit."""

    unit: Ints
    person: Ints
    start: Ints
    end: Ints


_UNIT = {"id": Employer.id, "legal": truth(Employer.legal_person)}
_SOME_UNITS = packing(_UNIT).where(Employer.id.in_(bindparam("units", expanding=True)))
_LINK = {
    "unit": EmployerLink.employer_id,
    "other": EmployerLink.other_id,
    "kind": place(EmployerLink.kind, KINDS),
    "since": EmployerLink.holds_on,
    "until": EmployerLink.until,
}


@kept
def _links(viewer: Viewer, known: bool, near: bool) -> Select[Any]:
    """The links that hold `on` a day (as `known_at` a moment); with `near` those of `units`, up and down."""
    return packing(_LINK).where(*link_conditions(viewer, known, near))


def link_conditions(viewer: Viewer, known: bool, near: bool) -> list[ColumnElement[bool]]:
    """The conditions of the links that hold `on` a day (as `known_at` a moment); with `near` those of `units`, up and
    down."""
    on, known_at = bindparam("on", type_=Date), bindparam("known_at", type_=Moment) if known else None
    where = [
        EmployerLink.holds_on <= on,
        records.standing(EmployerLink, known_at),
        *counted(viewer, EmployerLink),
    ]
    if near:
        units: ColumnElement[Any] = bindparam("units", expanding=True)
        where.append(EmployerLink.employer_id.in_(units) | EmployerLink.other_id.in_(units))
    return where


def _rows(links: Arrays) -> Iterable[tuple[int, int, int, int, int]]:
    return zip(*(links[name].tolist() for name in _LINK), strict=True)


@dataclass
class LegalPersons:
    """The tree of employers up to a day. `upward[unit]` are its links: (other, part of, from, to)."""

    on: int
    legal: frozenset[int]
    upward: dict[int, list[tuple[int, bool, int, int]]]
    _spans: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)

    @staticmethod
    def read(
        session: Session,
        viewer: Viewer,
        on: date,
        known_at: datetime | None,
        around: Iterable[int] | None = None,
    ) -> LegalPersons:
        """The tree as known at a moment; with `around` no more of it than what hangs together with these units."""
        given = {"on": on, **({} if known_at is None else {"known_at": known_at})}
        known = known_at is not None
        tree = LegalPersons(day(on), frozenset(), {})
        if around is None:
            links, _ = unpacked(session, _links(viewer, known, False), _LINK, given=given)
            tree.hang(_rows(links))
            units, _ = fetch(session, _UNIT)
        else:
            seen: set[int] = set()
            waiting = set(around)
            while waiting:
                seen |= waiting
                near = {**given, "units": sorted(waiting)}
                links, _ = unpacked(session, _links(viewer, known, True), _LINK, given=near)
                tree.hang(_rows(links))
                waiting = {*links["unit"].tolist(), *links["other"].tolist()} - seen
            if not tree.upward:  # each stands for itself
                return tree
            units, _ = unpacked(session, _SOME_UNITS, _UNIT, given={"units": sorted(seen)})
        tree.legal = frozenset(units["id"][units["legal"] == 1].tolist())
        return tree

    def hang(self, links: Iterable[tuple[int, int, int, int, int]]) -> None:
        """Add links: unit, other, place among KINDS, first day, last day (MISSING: none)."""
        for unit, other, kind, since, until in links:
            link = (other, kind == _PART_OF, since, -EVER if until == MISSING else until)
            if link not in (above := self.upward.setdefault(unit, [])):
                above.append(link)

    def on_day(self, unit: int, at: int) -> frozenset[int]:
        """The legal persons a unit belongs to on one day."""
        if unit not in self.upward:
            return frozenset((unit,))
        found: set[int] = set()
        seen: set[int] = set()
        waiting = [unit]
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            above = [
                other
                for other, part_of, since, until in self.upward.get(here, ())
                if since <= at <= until and not (part_of and here in self.legal)
            ]
            waiting += above
            if not above:
                found.add(here)
        return frozenset(found) or frozenset((unit,))

    def below(self, persons: Iterable[int]) -> set[int]:
        """The units that may ever have belonged to some legal persons, these included."""
        downward: dict[int, list[int]] = {}
        for unit, links in self.upward.items():
            for other, *_ in links:
                downward.setdefault(other, []).append(unit)
        found: set[int] = set()
        waiting = list(persons)
        while waiting:
            here = waiting.pop()
            if here not in found:
                found.add(here)
                waiting += downward.get(here, ())
        return found

    def spans(self, units: Iterable[int]) -> Spans:
        """The intervals of some units, each as its successors on the day of the tree."""
        rows = [(unit, *span) for unit in sorted(set(units)) for span in self._of(unit)]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return Spans(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])

    def _of(self, unit: int) -> list[tuple[int, int, int]]:
        """(legal person, first day, last day) of a unit."""
        if unit not in self.upward:
            return [(unit, EVER, -EVER)]
        if unit not in self._spans:
            changes = sorted({EVER, *self._changes(unit)})
            found: list[tuple[int, int, int]] = []
            for start, after in zip(changes, [*changes[1:], -EVER + 1], strict=True):
                then = self.on_day(unit, start)
                now = {late for early in then for late in self.on_day(early, self.on)}
                found += [(person, start, after - 1) for person in sorted(now)]
            self._spans[unit] = found
        return self._spans[unit]

    def _changes(self, unit: int) -> set[int]:
        """The days on which anything above a unit began or was over."""
        found: set[int] = set()
        seen: set[int] = set()
        waiting = [unit]
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            for other, _, since, until in self.upward.get(here, ()):
                found.update(at for at in (since, until + 1) if at <= self.on)
                waiting.append(other)
        return found
