"""The joins behind conflicts: relations and employments met with what a policy says of their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, union
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.columns import Arrays, among, as_date, fetch, place, rows_where, rows_where_standing
from expert_pool.policies.policy import Conflict
from expert_pool.registry import Applicant, Employment, Relation, RelationKind
from expert_pool.relations.legal_persons import LegalPersons
from expert_pool.relations.windows import EVER, reach
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, Ints, Mask, day

STORED = tuple(RelationKind)
MUTUAL = frozenset({"relative", "co_author", "advisor", "same_case", "other"})
"""Kinds that count whichever of the two was recorded first; the others only as they are directed."""

_WHOLE = 5_000
"""From so many ids on, reading every row is quicker than naming them."""


class Source(IntEnum):
    """The table of the record behind a conflict."""

    RELATION = 0
    EMPLOYMENT = 1
    APPLICANT = 2


@dataclass(frozen=True, slots=True)
class Targets:
    """What experts may be in conflict with, aligned: a case, its applicant, the expert who that is, the employer.
    Ids, MISSING where there is none."""

    case: Ints
    applicant: Ints
    person: Ints
    employer: Ints


@dataclass(frozen=True, slots=True)
class Hits:
    """Conflicts as aligned arrays: indices `left`, `right`, `kind`; `source` and `row` name the record; `through` the
    legal person where one is between them."""

    left: Ints
    right: Ints
    kind: Ints
    source: Ints
    row: Ints
    through: Ints

    def at(self, rows: Ints | Mask) -> Hits:
        return Hits(
            self.left[rows],
            self.right[rows],
            self.kind[rows],
            self.source[rows],
            self.row[rows],
            self.through[rows],
        )

    def references(self) -> list[str]:
        """E.g. `relation:12`, `employment:5>employer:7`."""
        if not (self.source.any() or (self.through != MISSING).any()):
            return [f"relation:{row}" for row in self.row.tolist()]
        names = [source.name.lower() for source in Source]
        rows = zip(self.source.tolist(), self.row.tolist(), self.through.tolist(), strict=True)
        return [
            f"{names[source]}:{row}" + ("" if through == MISSING else f">employer:{through}")
            for source, row, through in rows
        ]

    @staticmethod
    def of(
        left: Ints, right: Ints, kind: Ints, source: Source, row: Ints, through: Ints | None = None
    ) -> Hits:
        if through is None:
            through = np.full(len(row), MISSING, dtype=np.int64)
        return Hits(left, right, kind, np.full(len(row), int(source), dtype=np.int64), row, through)

    @staticmethod
    def joined(parts: list[Hits]) -> Hits:
        if not parts:
            empty = np.empty(0, dtype=np.int64)
            return Hits(empty, empty, empty, empty, empty, empty)
        return Hits(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("left", "right", "kind", "source", "row", "through")
            )
        )


class Deriver:
    """The conflicts of some experts (ids) under the kinds of a policy, on a day and as known at a moment."""

    def __init__(
        self,
        session: Session,
        viewer: Viewer,
        conflicts: Mapping[str, Conflict],
        experts: Ints,
        on: date,
        known_at: datetime | None,
        employers: LegalPersons | None = None,
    ) -> None:
        self.session, self.viewer, self.on = session, viewer, on
        self.known_at = known_at or clock.now()
        self._employers = employers
        self.conflicts = list(conflicts.values())
        self.index = {conflict.kind: i for i, conflict in enumerate(self.conflicts)}
        self.reach = np.array([reach(c.window, on) for c in self.conflicts], dtype=np.int64)
        self.experts = experts
        self._place = np.full(int(experts.max(initial=0)) + 1, -1, dtype=np.int64)
        self._place[experts] = np.arange(len(experts))

    @cached_property
    def employers(self) -> LegalPersons:
        return self._employers or LegalPersons.read(self.session, self.viewer, self.on, self.known_at)

    def with_targets(self, targets: Targets) -> Hits:
        """Conflicts of the experts (`left`) with targets (`right`)."""
        if not len(targets.case):
            return Hits.joined([])
        return Hits.joined([*self._selves(targets), *self._employed(targets), *self._related(targets)])

    def between(self) -> Hits:
        """Conflicts of the experts with one another, `left` < `right`, of the kinds that count between members."""
        rows = self._relations(
            [
                or_(*(self._lasts(conflict) for conflict in self.conflicts if conflict.members), false()),
                or_(Relation.other_expert_id > 0, Relation.applicant_id.in_(_people())),
                among(Relation.expert_id, self.experts),
            ],
            ("who",),
        )
        left, right = self._asked(rows["expert"]), self._asked(rows["who"])
        both = (left >= 0) & (right >= 0) & (left != right)
        low, high = np.minimum(left, right)[both], np.maximum(left, right)[both]
        return Hits.of(low, high, rows["kind"][both], Source.RELATION, rows["row"][both])

    def _selves(self, targets: Targets) -> Iterator[Hits]:
        """Experts who are themselves the applicant."""
        if "self" not in self.index:
            return
        left = self._asked(targets.person)
        right = np.flatnonzero(left >= 0)
        kind = np.full(len(right), self.index["self"], dtype=np.int64)
        yield Hits.of(left[right], right, kind, Source.APPLICANT, targets.applicant[right])

    def _employed(self, targets: Targets) -> Iterator[Hits]:
        """Experts who work, or worked, for the legal person of a case."""
        if not self.index.keys() & {"same_employer", "former_employer"}:
            return
        near, cases = self._near(targets)
        rows = self._records(
            Employment,
            {
                "expert": Employment.expert_id,
                "employer": Employment.employer_id,
                "since": Employment.holds_on,
                "until": Employment.until,
            },
            [
                column.in_(ids)
                for column, ids in (
                    (Employment.expert_id, self.experts.tolist()),
                    (Employment.employer_id, sorted(self.employers.below(near.tolist()))),
                )
                if len(ids) < _WHOLE
            ],
        )
        rows["expert"] = self._asked(rows["expert"])
        rows = rows_where(rows, rows["expert"] >= 0)
        today = day(self.on)
        over = (rows["until"] != MISSING) & (rows["until"] < today)
        last = np.where(over, rows["until"], today)
        now = np.empty(0, dtype=np.int64)
        for name in ("same_employer", "former_employer"):
            if name not in self.index:
                continue
            first = np.maximum(rows["since"], self.reach[self.index[name]])
            counts = last >= first if name == "same_employer" else (last >= first) & over
            row, target, person = self._at_persons(rows["employer"], first, last, counts, near, cases)
            pair = rows["expert"][row] * len(targets.case) + target
            if name == "same_employer":
                now, fresh = pair, np.ones(len(pair), dtype=bool)
            else:
                fresh = np.isin(pair, now, invert=True, kind="table")
            kind = np.full(int(fresh.sum()), self.index[name], dtype=np.int64)
            yield Hits.of(
                rows["expert"][row[fresh]],
                target[fresh],
                kind,
                Source.EMPLOYMENT,
                rows["row"][row[fresh]],
                person[fresh],
            )

    def _related(self, targets: Targets) -> Iterator[Hits]:
        """Experts with a recorded relation to the applicant, the case, or its employer."""
        people = targets.person[targets.person != MISSING].tolist()
        rows = self._relations(
            [
                Relation.kind.in_([kind for kind in STORED if kind in self.index]),
                Relation.id.in_(
                    union(
                        *(
                            select(Relation.id).where(condition)
                            for condition in (
                                Relation.applicant_id.in_(_known(targets.applicant)),
                                Relation.case_id.in_(_known(targets.case)),
                                Relation.employer_id > 0,
                                Relation.other_expert_id.in_(people),
                                Relation.expert_id.in_(people),
                                Relation.applicant_id.in_(_people(people)),
                            )
                        )
                    )
                ),
            ],
            ("since", "until", "who", "applicant", "employer", "case", "day"),
        )
        lasting = self._lasting(rows)
        forward = []
        for name, meant in (
            ("applicant", targets.applicant),
            ("who", targets.person),
            ("case", targets.case),
        ):
            row, target = joined(rows[name], meant)
            kept = lasting[row] | ((name == "case") & self._cyclic(rows)[row])
            forward.append((row[kept], target[kept], np.full(int(kept.sum()), MISSING, dtype=np.int64)))
        near, cases = self._near(targets)
        first = np.maximum(np.where(rows["since"] == MISSING, EVER, rows["since"]), self.reach[rows["kind"]])
        last = np.where(rows["until"] == MISSING, day(self.on), np.minimum(rows["until"], day(self.on)))
        forward.append(
            self._at_persons(
                rows["employer"], first, last, lasting & (rows["employer"] != MISSING), near, cases
            )
        )
        row, target, person = (np.concatenate([part[i] for part in forward]) for i in range(3))
        others = rows["expert"][row] != targets.person[target]
        row, target, person = row[others], target[others], person[others]
        allowed = self._within_most(rows, row, targets, target)
        row, target, person = row[allowed], target[allowed], person[allowed]
        yield self._scoped(rows["expert"][row], target, rows, row, person, targets)
        mutual = np.array([c.kind in MUTUAL for c in self.conflicts], dtype=bool)
        row, target = joined(rows["expert"], targets.person)
        kept = mutual[rows["kind"][row]] & lasting[row] & (rows["who"][row] != MISSING)
        row, target = row[kept], target[kept]
        nothing = np.full(len(row), MISSING, dtype=np.int64)
        yield self._scoped(rows["who"][row], target, rows, row, nothing, targets)

    def _scoped(
        self, who: Ints, target: Ints, rows: Arrays, row: Ints, person: Ints, targets: Targets
    ) -> Hits:
        """Hits of those among `who` (ids) who are asked about; nobody is in relation with himself."""
        left = self._asked(who)
        inside = (left >= 0) & (who != targets.person[target])
        return Hits.of(
            left[inside],
            target[inside],
            rows["kind"][row[inside]],
            Source.RELATION,
            rows["row"][row[inside]],
            person[inside],
        )

    def _relations(self, where: list[ColumnElement[bool]], names: tuple[str, ...]) -> Arrays:
        """Relations with columns by name; `kind` is that of the policy, `who` the other person."""
        person = select(Applicant.expert_id).where(Applicant.id == Relation.applicant_id).scalar_subquery()
        columns = {
            "since": Relation.since,
            "until": Relation.until,
            "day": Relation.holds_on,
            "who": func.coalesce(Relation.other_expert_id, person, MISSING),
            "applicant": Relation.applicant_id,
            "employer": Relation.employer_id,
            "case": Relation.case_id,
        }
        rows = self._records(
            Relation,
            {
                "kind": place(Relation.kind, STORED),
                "expert": Relation.expert_id,
                **{name: columns[name] for name in names},
            },
            where,
        )
        lookup = np.array([self.index.get(kind, MISSING) for kind in STORED], dtype=np.int64)
        return {**rows, "kind": lookup[rows["kind"]]}

    def _records(
        self, table: type[Employment | Relation], columns: Mapping[str, Any], where: list[ColumnElement[bool]]
    ) -> Arrays:
        """Records that hold on the day as known at the moment (as `records.current` has it), with their id in `row`."""
        conditions = [table.holds_on <= self.on, table.recorded_at <= self.known_at, not_(table.void)]
        everything = [*conditions, *counted(self.viewer, table), *where]
        rows, _ = fetch(self.session, {"row": table.id, **columns}, everything)
        return rows_where_standing(self.session, table, rows, self.known_at)

    def _asked(self, ids: Ints) -> Ints:
        """The index of each expert among those asked about; -1 for others, and for nobody."""
        known = (ids >= 0) & (ids < len(self._place))
        return np.where(known, self._place[np.where(known, ids, 0)], -1)

    def _lasts(self, conflict: Conflict) -> ColumnElement[bool]:
        """`_lasting` of one kind, for the database to judge where there are many rows."""
        began = or_(Relation.since.is_(None), Relation.since <= self.on)
        if conflict.window == "always":
            return and_(Relation.kind == conflict.kind, began)
        first = as_date(reach(conflict.window, self.on))
        return and_(
            Relation.kind == conflict.kind, began, or_(Relation.until.is_(None), Relation.until >= first)
        )

    def _lasting(self, rows: Arrays) -> Mask:
        """Which relations began by the day, and had not ended before their window; unknown dates let them count."""
        began = (rows["since"] == MISSING) | (rows["since"] <= day(self.on))
        counts: Mask = began & ((rows["until"] == MISSING) | (rows["until"] >= self.reach[rows["kind"]]))
        return counts

    def _cyclic(self, rows: Arrays) -> Mask:
        """Relations of this cycle: where they name a case of the agenda, their dates do not matter."""
        cyclic = np.array([c.window == "cycle" for c in self.conflicts], dtype=bool)
        found: Mask = cyclic[rows["kind"]]
        return found

    def _near(self, targets: Targets) -> tuple[Ints, Ints]:
        """Legal persons on the day, and the target each belongs to, sorted by legal person."""
        pairs = sorted(
            (person, target)
            for target, employer in enumerate(targets.employer.tolist())
            if employer != MISSING
            for person in self.employers.on_day(employer, day(self.on))
        )
        columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return columns[:, 0], columns[:, 1]

    def _at_persons(
        self, employer: Ints, first: Ints, last: Ints, counts: Mask, near: Ints, cases: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Rows whose employer belonged, some day from `first` to `last`, to the legal person of a target: (row,
        target, legal person)."""
        row = np.flatnonzero(counts)
        spans = self.employers.spans(np.unique(employer[row]).tolist())
        meant = np.isin(spans.person, near)
        unit, person = spans.unit[meant], spans.person[meant]
        start, end = spans.start[meant], spans.end[meant]
        i, span = joined(employer[row], unit)
        overlap = (start[span] <= last[row[i]]) & (end[span] >= first[row[i]])
        i, span = i[overlap], span[overlap]
        j, at = joined(person[span], near)
        return row[i[j]], cases[at], person[span[j]]

    def _within_most(self, rows: Arrays, row: Ints, targets: Targets, target: Ints) -> Mask:
        """Which hits stand within the number of experts that one applicant may name (the first by date and record)."""
        allowed = np.ones(len(row), dtype=bool)
        for k, conflict in enumerate(self.conflicts):
            if conflict.most is None:
                continue
            named: dict[int, dict[int, None]] = {}
            mine = np.flatnonzero(rows["kind"][row] == k)
            for i in sorted(mine.tolist(), key=lambda i: (rows["day"][row[i]], rows["row"][row[i]])):
                names = named.setdefault(int(targets.applicant[target[i]]), {})
                if len(names) < conflict.most:
                    names[int(rows["expert"][row[i]])] = None
                allowed[i] = int(rows["expert"][row[i]]) in names
        return allowed


def joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of places (in `left`, in `right`) that hold the same id; MISSING is nobody's."""
    order = np.argsort(right, kind="stable")
    order = order[right[order] != MISSING]
    keys = right[order]
    start, stop = np.searchsorted(keys, left, "left"), np.searchsorted(keys, left, "right")
    many = np.where(left == MISSING, 0, stop - start)
    first = np.repeat(np.arange(len(left)), many)
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return first, order[start[first] + within]


def _known(ids: Ints) -> list[int]:
    found: list[int] = ids[ids != MISSING].tolist()
    return found


def _people(people: list[int] | None = None) -> Select[int]:
    """The applicants who are registered experts (any, or these)."""
    if people is None:
        return select(Applicant.id).where(Applicant.expert_id.is_not(None))
    return select(Applicant.id).where(Applicant.expert_id.in_(people))
