"""Failures to recuse, found afterwards: who sat over a case, or beside a member, they were in conflict with, where no
recusal stands.

Two things are told apart. What the registry knew by the end of the day of the meeting, the office could have told the
expert (人社部令第40号: the office tells an expert to recuse); what was recorded later, only the expert could know. Nothing
follows from a finding by itself: it proposes an event that a person records, or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, not_, or_, select
from sqlalchemy.orm import Session

from expert_pool.columns import Arrays, fetch, rows_where_standing
from expert_pool.policies.load import load
from expert_pool.policies.policy import Conflict, Policy
from expert_pool.recorded import policy_of
from expert_pool.reevaluation.served import Sat, served
from expert_pool.registry import Case, Employer, Employment, Expert, Relation, RelationKind
from expert_pool.relations.conflicts import targets_of
from expert_pool.relations.deriving import Deriver, Hits, Source
from expert_pool.relations.reasons import Place
from expert_pool.viewer import Viewer, counted, visible
from solver.errors import Fault
from solver.facts import MISSING
from solver.rules.quorum import Quorum

DEFAULT_POLICY = "cn-title-national"
"""What a sitting is judged by whose panel names no policy that we have."""

EVENT = "not_recused"
"""The event a finding proposes; schemes list it under this id."""


class Known(StrEnum):
    """When the registry first knew of the conflict."""

    PANEL = "panel"
    """When the panel was made."""
    MEETING = "meeting"
    """By the end of the day of the meeting."""
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Failure:
    """One expert who sat, on one day, in conflict with a case (`against.what` case) or a member (expert).

    `rule` is the kind of conflict as the policy has it: window, effect, basis. `since` and `until` are the dates of the
    relation, `record` the row behind it (`relation:12`), `through` the legal person on the way; all None for a viewer
    who may not see the organiser that recorded it. `certain`: a list of recusals is on record, and this one is not in
    it; otherwise the sitting is known from services alone, and whether somebody recused was never recorded.
    """

    expert: str
    committee: str
    meeting: str
    panel: str | None
    on: date
    season: int
    against: Place
    rule: Conflict
    policy: str
    known: Known
    since: date | None
    until: date | None
    record: str | None
    through: str | None
    certain: bool
    organiser_id: int

    def proposal(self) -> dict[str, Any]:
        """The row of the sheet `credits` that a person may record for it, without points: those are the scheme's."""
        return {"expert": self.expert, "event": EVENT, "holds_on": self.on.isoformat()}

    def document(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "expert": self.expert,
            "committee": self.committee,
            "meeting": self.meeting,
            "panel": self.panel,
            "on": self.on.isoformat(),
            "season": self.season,
            "against": {"what": self.against.what, "code": self.against.code},
            "kind": self.rule.kind,
            "window": str(self.rule.window),
            "effect": self.rule.effect,
            "basis": self.rule.basis.text,
            "basis_status": self.rule.basis.status,
            "policy": self.policy,
            "known": str(self.known),
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "record": self.record,
            "through": self.through,
            "certain": self.certain,
            "proposal": self.proposal(),
        }


@dataclass(frozen=True, slots=True)
class Failures:
    """What was found among the sittings of a time. `sittings` could be checked; of `unchecked` services it is not on
    record what cases they were about."""

    since: date
    until: date
    known_at: datetime
    found: tuple[Failure, ...]
    sittings: int
    unchecked: int

    def of(self, expert: str) -> tuple[Failure, ...]:
        """Those of one expert (code)."""
        return tuple(failure for failure in self.found if failure.expert == expert)

    def document(self) -> dict[str, Any]:
        """`recusal-failures/1`."""
        return {
            "format": "recusal-failures/1",
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "known_at": self.known_at.isoformat(),
            "sittings": self.sittings,
            "unchecked": self.unchecked,
            "found": [failure.document() for failure in self.found],
        }


def failures(
    session: Session,
    viewer: Viewer,
    experts: Collection[int] | None,
    since: date,
    until: date,
    known_at: datetime,
    *,
    policy: Policy | None = None,
) -> Failures:
    """Failures to recuse of `experts` (ids; None: of everybody) at the sittings from `since` to `until` that the viewer may
    see, as known at a moment; in the order of days, meetings and experts.

    Each panel is judged by the policy it was made under; `policy` is for sittings without one that we have (default the
    national order).
    """
    fallback = policy or load(DEFAULT_POLICY)
    seen = served(session, viewer, since, until, known_at)
    wanted = None if experts is None else frozenset(experts)
    found: list[_Found] = []
    for sat in seen.sittings:
        own = sat.seated.keys() if wanted is None else sat.seated.keys() & wanted
        if own:
            found += _Sitting(session, viewer, sat, _policy(sat, fallback), known_at).failures(own)
    unchecked = sum(1 for expert in seen.without_cases if wanted is None or expert in wanted)
    said = _Saying(session, viewer, found).failures()
    return Failures(since, until, known_at, tuple(sorted(said, key=_order)), len(seen.sittings), unchecked)


def _order(failure: Failure) -> tuple[Any, ...]:
    return (
        failure.on,
        failure.meeting,
        failure.expert,
        failure.against.what,
        failure.against.code,
        failure.rule.kind,
    )


def _policy(sat: Sat, fallback: Policy) -> Policy:
    if sat.panel is None:
        return fallback
    try:
        return policy_of(sat.panel)
    except Fault:  # it was a file, which we do not keep
        return fallback


@dataclass(frozen=True, slots=True)
class _Pair:
    """An expert in conflict with a case (its place in the agenda) or another expert (id), and the record behind it."""

    expert: int
    right: int
    with_case: bool
    rule: Conflict
    source: Source
    row: int
    through: int

    @property
    def key(self) -> tuple[int, int, bool, str]:
        return self.expert, self.right, self.with_case, self.rule.kind


@dataclass(frozen=True, slots=True)
class _Found:
    sat: Sat
    policy: str
    pair: _Pair
    against: str
    known: Known


class _Afterwards(Deriver):
    """Conflicts of a day that is past as they are known now: what was declared only after that day was there before. An
    objection was not: it is what was declared."""

    def _records(
        self, table: type[Employment | Relation], columns: Mapping[str, Any], where: list[ColumnElement[bool]]
    ) -> Arrays:
        if table is Employment:
            return super()._records(table, columns, where)
        there = or_(Relation.kind != RelationKind.OBJECTION, Relation.holds_on <= self.on)
        known = (Relation.recorded_at <= self.known_at, not_(Relation.void), there)
        everything = [*known, *counted(self.viewer, Relation), *where]
        rows, _ = fetch(self.session, {"row": Relation.id, **columns}, everything)
        return rows_where_standing(self.session, Relation, rows, self.known_at)


class _Sitting:
    """One sitting under the policy it is judged by."""

    def __init__(
        self, session: Session, viewer: Viewer, sat: Sat, policy: Policy, known_at: datetime
    ) -> None:
        self.session, self.viewer, self.sat, self.policy = session, viewer, sat, policy
        self.known_at = known_at
        case_ids, self.targets = targets_of(session, viewer, sat.agenda_id)
        codes = dict(session.execute(select(Case.id, Case.code).where(Case.agenda_id == sat.agenda_id)).all())
        self.cases = [codes[number] for number in case_ids]
        quorum = next((rule for rule in policy.rules(sat.level) if isinstance(rule, Quorum)), None)
        self.all_vote = quorum is None or quorum.of == "panel"

    def failures(self, own: Collection[int]) -> Iterator[_Found]:
        """Those of `own`, ids of some who sat."""
        bad = [pair for pair in self.pairs(_Afterwards, self.known_at) if self.failed(pair)]
        bad = [pair for pair in bad if pair.expert in own]
        if not bad:
            return
        by_day = {pair.key for pair in self.pairs(Deriver, _end_of(self.sat.on))}
        made = self.sat.panel.requested_at if self.sat.panel else None
        at_first = set() if made is None else {pair.key for pair in self.pairs(Deriver, made)}
        for pair in bad:
            known = Known.LATER
            if pair.key in by_day:
                known = Known.PANEL if pair.key in at_first else Known.MEETING
            against = self.cases[pair.right] if pair.with_case else ""
            yield _Found(self.sat, self.policy.id, pair, against, known)

    def pairs(self, deriver: type[Deriver], known_at: datetime) -> Iterator[_Pair]:
        """Everybody who sat, met with every case and with one another; a pair of experts comes once for each of them."""
        ids = sorted(self.sat.seated)
        columns = np.array(ids, dtype=np.int64)
        derived = deriver(self.session, self.viewer, self.policy.conflicts, columns, self.sat.on, known_at)
        for hit in _rows(derived.with_targets(self.targets)):
            left, right, kind, source, row, through = hit
            yield _Pair(ids[left], right, True, derived.conflicts[kind], Source(source), row, through)
        for left, right, kind, source, row, through in _rows(derived.between()):
            for a, b in ((left, right), (right, left)):
                yield _Pair(ids[a], ids[b], False, derived.conflicts[kind], Source(source), row, through)

    def failed(self, pair: _Pair) -> bool:
        """Whether the conflict asked for a recusal, or for not sitting, that did not come."""
        if not pair.with_case:
            return True
        case = self.cases[pair.right]
        mine, theirs = self.sat.seated[pair.expert], self.sat.group_of.get(case)
        near = mine is None or theirs is None or mine == theirs
        if pair.rule.effect == "panel" or (pair.rule.effect == "group" and near):
            return True
        if not near and not self.all_vote:
            return False
        return self.sat.recused is None or (pair.expert, case) not in self.sat.recused


def _rows(hits: Hits) -> Iterator[tuple[int, ...]]:
    """Each (left, right, kind) once, with its first record."""
    columns = (hits.left, hits.right, hits.kind, hits.source, hits.row, hits.through)
    last = None
    for hit in sorted(zip(*(column.tolist() for column in columns), strict=True)):
        if hit[:3] != last:
            yield hit
        last = hit[:3]


def _end_of(on: date) -> datetime:
    """The last moment of a day where this machine stands."""
    return datetime.combine(on + timedelta(days=1), time()).astimezone() - timedelta(microseconds=1)


class _Saying:
    """Failures in codes, with as much of the records behind them as the viewer may see."""

    def __init__(self, session: Session, viewer: Viewer, found: Sequence[_Found]) -> None:
        self.found = found
        people = {f.pair.expert for f in found} | {f.pair.right for f in found if not f.pair.with_case}
        persons = {f.pair.through for f in found} - {MISSING}
        self.experts = _codes(session, Expert, people)
        self.employers = _codes(session, Employer, persons)
        self.dates: dict[tuple[Source, int], tuple[date | None, date | None]] = {}
        tables: tuple[tuple[Source, Any, Any], ...] = (
            (Source.RELATION, Relation, Relation.since),
            (Source.EMPLOYMENT, Employment, Employment.holds_on),
        )
        for source, table, start in tables:
            rows = {f.pair.row for f in found if f.pair.source is source}
            shown = select(table.id, start, table.until).where(table.id.in_(rows), *visible(viewer, table))
            for number, since, until in session.execute(shown):
                self.dates[source, number] = (since, until)

    def failures(self) -> Iterator[Failure]:
        for one in self.found:
            pair, sat = one.pair, one.sat
            shown = pair.source is Source.APPLICANT or (pair.source, pair.row) in self.dates
            since, until = self.dates.get((pair.source, pair.row), (None, None))
            against = (
                Place("case", one.against) if pair.with_case else Place("expert", self.experts[pair.right])
            )
            yield Failure(
                expert=self.experts[pair.expert],
                committee=sat.committee,
                meeting=sat.meeting,
                panel=sat.panel.code if sat.panel else None,
                on=sat.on,
                season=sat.season,
                against=against,
                rule=pair.rule,
                policy=one.policy,
                known=one.known,
                since=since,
                until=until,
                record=f"{pair.source.name.lower()}:{pair.row}" if shown else None,
                through=self.employers.get(pair.through) if shown else None,
                certain=sat.recused is not None,
                organiser_id=sat.organiser_id,
            )


def _codes(session: Session, table: Any, ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(select(table.id, table.code).where(table.id.in_(ids)))
    return {row.id: row.code for row in rows}
