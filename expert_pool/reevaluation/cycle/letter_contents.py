"""What the letters of a cycle say, gathered for many cases with few statements: the same content for the paper and for the
notice. No national ID, no phone number, nobody else's name."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool.policies.document import BasisDoc, Words
from expert_pool.reevaluation.asks import read
from expert_pool.reevaluation.conduct import Reason
from expert_pool.reevaluation.cycle.finding import CASE, cases_of, find_cycle, scheme_of
from expert_pool.reevaluation.scheme import LASTING, Measure, Scheme
from expert_pool.registry import (
    Credit,
    Cycle,
    CycleAppeal,
    CycleCase,
    CycleDecision,
    CycleEvidence,
    Employment,
    Expert,
    Membership,
    Organiser,
    Pool,
    Qualification,
    Reply,
    Service,
    Training,
    Verdict,
)
from expert_pool.viewer import Viewer
from expert_pool.words import languages, say, term
from solver.errors import Fault

Kind = Literal["proposal", "decision", "appeal"]
KINDS: tuple[Kind, ...] = ("proposal", "decision", "appeal")


@dataclass(frozen=True, slots=True)
class Behind:
    """A record behind a reason: its row (`credit/12`), its day, what happened (None: it names somebody else too), and
    the points it cost."""

    row: str
    on: date | None = None
    what: Mapping[str, str] | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason as a letter gives it: its name in the scheme, the sentence's figures, its basis by language, and what
    would have to be otherwise. It `counts`, unless its records led to a measure before."""

    code: str
    title: Mapping[str, str]
    figures: Mapping[str, Any]
    basis: Mapping[str, str]
    otherwise: Mapping[str, Any]
    records: tuple[Behind, ...]
    counts: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the expert: its day, and how many files came with it."""

    on: date
    files: int


@dataclass(frozen=True, slots=True)
class LetterContent:
    """A letter. `measure` is what is proposed, or what was decided; `before` what had been decided before an appeal,
    which `changed` it or not; `until` the last day of a measure that is in force; `deadline` the last day to answer (or to
    appeal, None: nothing to appeal against), `provisional` where it may still move; `answered` what came in before the
    decision, `unanswered` where the expert was asked and nothing did; `appealed` the day of the appeal."""

    kind: Kind
    cycle: str
    organiser: str
    pool: str
    expert: str
    name: str
    issued: date
    as_of: date
    since: date | None
    scheme: Mapping[str, str]
    scheme_version: str
    measure: Measure
    months: int | None
    before: Measure
    changed: bool
    until: date | None
    grounds: tuple[Ground, ...]
    amended: str | None
    reason: str
    days: int
    deadline: date | None
    provisional: bool
    answered: tuple[Answered, ...] = ()
    unanswered: bool = False
    appealed: date | None = None


def letter_of(session: Session, viewer: Viewer, code: str, expert: str, kind: Kind) -> LetterContent:
    """The letter to one expert. Raises Fault `cycle.unknown`, `cycle.case_unknown`, `cycle.letter_early` (what it tells
    of has not happened yet)."""
    cycle = find_cycle(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    return letter_content(session, viewer, cycle, case, kind)


def own_letter(session: Session, code: str, expert_id: int, kind: Kind) -> LetterContent:
    """The letter to an expert, for the expert. Raises Fault `cycle.unknown`, `cycle.letter_early`."""
    found = session.execute(
        select(Cycle, CycleCase)
        .join(CycleCase, CycleCase.cycle_id == Cycle.id)
        .where(Cycle.code == code, CycleCase.expert_id == expert_id, CycleCase.notified_at.is_not(None))
    ).one_or_none()
    if found is None:
        raise Fault("cycle.unknown", code)
    return letter_content(session, Viewer.system("own record"), found[0], found[1], kind)


def letter_content(
    session: Session, viewer: Viewer, cycle: Cycle, case: CycleCase, kind: Kind
) -> LetterContent:
    """The letter of a case. All records are named: it goes to whom they are about. Fault `cycle.letter_early`."""
    return letter_contents(session, viewer, cycle, [case], kind)[0]


def letter_contents(
    session: Session, viewer: Viewer, cycle: Cycle, cases: Sequence[CycleCase], kind: Kind
) -> list[LetterContent]:
    """The letters of some cases of a cycle, in their order. Fault `cycle.letter_early`."""
    file = _File(session, cycle, cases, kind)
    return [file.content(case) for case in cases]


class _File:
    """What the letters of one kind to some experts are made from."""

    def __init__(self, session: Session, cycle: Cycle, cases: Sequence[CycleCase], kind: Kind) -> None:
        self.cycle, self.kind, self.scheme = cycle, kind, scheme_of(cycle)
        ids = [case.id for case in cases]
        whom = select(Expert.id, Expert.code, Expert.name).where(
            Expert.id.in_([case.expert_id for case in cases])
        )
        self.experts = {row.id: row for row in session.execute(whom)}
        self.organiser = session.get_one(Organiser, cycle.organiser_id).name
        self.pool = session.get_one(Pool, cycle.pool_id).name
        self.decisions: defaultdict[int, list[CycleDecision]] = defaultdict(list)
        self.appeals: dict[int, tuple[datetime, datetime | None]] = {}
        self.answers: defaultdict[int, list[Answered]] = defaultdict(list)
        if kind != "proposal":
            self._since_notice(session, ids)
        self.reasons = {case.id: [read(one) for one in json.loads(case.reasons)] for case in cases}
        rows = {row for found in self.reasons.values() for reason in found for row in reason.records}
        self.behind = _behind(session, self.scheme, rows)
        self.named: dict[tuple[str, str], tuple[Mapping[str, str], Mapping[str, str]]] = {}

    def content(self, case: CycleCase) -> LetterContent:
        """The letter of one case."""
        kind, cycle, doc = self.kind, self.cycle, self.scheme.doc
        expert = self.experts[case.expert_id]
        appealed, settled = self.appeals.get(case.id, (None, None))
        told = {"proposal": case.notified_at, "decision": case.executed_at, "appeal": settled}[kind]
        if told is None:
            raise Fault("cycle.letter_early", expert.code, kind=kind)
        decisions = [d for d in self.decisions[case.id] if kind == "appeal" or d.appeal_id is None]
        decided = decisions[-1] if decisions else None
        measure = Measure(decided.measure if decided else case.measure)
        months = decided.months if decided else case.months
        began = None if case.executed_at is None else case.executed_at.astimezone().date()
        deadline, provisional, days = {
            "proposal": (case.reply_until, case.reply_provisional, doc.reply_days),
            "decision": (case.appeal_until, case.appeal_provisional, doc.appeal_days),
            "appeal": (None, False, 0),
        }[kind]
        answered = tuple(self.answers[case.id]) if kind == "decision" else ()
        return LetterContent(
            kind=kind,
            cycle=cycle.code,
            organiser=self.organiser,
            pool=self.pool,
            expert=expert.code,
            name=expert.name,
            issued=told.astimezone().date(),
            as_of=cycle.as_of,
            since=self.scheme.since(cycle.as_of),
            scheme=_both(doc.title),
            scheme_version=doc.version,
            measure=measure,
            months=months,
            before=Measure(decisions[0].measure) if decisions else Measure(case.measure),
            changed=bool(decisions)
            and (decisions[0].measure, decisions[0].months) != (decisions[-1].measure, decisions[-1].months),
            until=last_day(began, months) if decided and began and months and measure in LASTING else None,
            grounds=tuple(self._grounds(case)),
            amended=case.amended_why,
            reason=decided.reason if decided else "",
            days=days,
            deadline=deadline,
            provisional=bool(provisional),
            answered=answered,
            unanswered=kind == "decision" and not answered and case.notified_at is not None,
            appealed=appealed.astimezone().date() if appealed and kind == "appeal" else None,
        )

    def _since_notice(self, session: Session, ids: Sequence[int]) -> None:
        """What was decided, appealed and answered."""
        confirmed = (CycleDecision.case_id.in_(ids), CycleDecision.verdict == Verdict.CONFIRMED)
        for one in session.scalars(select(CycleDecision).where(*confirmed).order_by(CycleDecision.id)):
            self.decisions[one.case_id].append(one)
        appeals = select(CycleAppeal.case_id, CycleAppeal.at, CycleAppeal.settled_at, CycleAppeal.reply_id)
        in_appeal = set()
        for case, at, settled, reply in session.execute(appeals.where(CycleAppeal.case_id.in_(ids))):
            self.appeals[case] = at, settled
            in_appeal.add(reply)
        files = func.count(CycleEvidence.id)
        replies = (
            select(Reply.id, Reply.about_id, Reply.holds_on, files)
            .outerjoin(CycleEvidence, CycleEvidence.reply_id == Reply.id)
            .where(Reply.about_table == CASE, Reply.about_id.in_(ids))
            .group_by(Reply.id, Reply.about_id, Reply.holds_on)
            .order_by(Reply.id)
        )
        for reply, case, on, number in session.execute(replies):
            if reply not in in_appeal:
                self.answers[case].append(Answered(on, number))

    def _grounds(self, case: CycleCase) -> Iterator[Ground]:
        for reason in self.reasons[case.id]:
            called = (reason.code, reason.id)
            if called not in self.named:
                self.named[called] = _named(self.scheme, reason)
            title, basis = self.named[called]
            rows = tuple(self.behind[row] for row in reason.records)
            yield Ground(
                reason.code,
                title,
                reason.figures,
                basis,
                reason.otherwise,
                rows,
                reason.already is None,
            )


def last_day(start: date, months: int) -> date:
    """The last day of so many months that begin on a day (民法典 art. 202: where the last month lacks the day, its end)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    end = following - timedelta(days=1)
    return end if start.day > end.day else date(year, month + 1, start.day) - timedelta(days=1)


def _named(scheme: Scheme, reason: Reason) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What a scheme calls a reason, and on what it rests."""
    doc, title, basis = scheme.doc, dict[str, str](), None
    if reason.code == "conduct.grade":
        basis = next((g.basis for g in doc.grades if g.grade == reason.id), None)
    elif reason.code == "conduct.count":
        count = next((c for c in doc.counts if c.id == reason.id), None)
        if count is not None:
            events = {event.id: event.title for event in doc.events}
            title = {
                lang: say("words.and", lang).join(_both(events[name])[lang] for name in count.events)
                for lang in languages()
            }
            basis = count.basis
    elif reason.code == "conduct.condition":
        condition = next((c for c in doc.conditions if c.id == reason.id), None)
        if condition is not None:
            title, basis = dict(_both(condition.title)), condition.basis
    return title, {} if basis is None else _basis(scheme, basis)


def _basis(scheme: Scheme, basis: BasisDoc) -> dict[str, str]:
    instrument = _both(scheme.doc.instruments[basis.instrument])
    return {
        lang: say(
            "cycle.letter.basis",
            lang,
            instrument=instrument[lang],
            at=basis.at,
            status=term("basis", basis.status, lang),
        )
        for lang in languages()
    }


_DATED: Mapping[str, Any] = {
    table.__tablename__: table for table in (Membership, Training, Qualification, Employment)
}
"""What a condition may rest on; a letter gives its day and kind."""


def _behind(
    session: Session, scheme: Scheme, rows: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Behind]:
    found = {(table, row): Behind(f"{table}/{row}") for table, row in rows}
    wanted: defaultdict[str, list[int]] = defaultdict(list)
    for table, row in rows:
        wanted[table].append(row)
    for name, table in _DATED.items():
        if not wanted[name]:
            continue
        what = {lang: say(f"source.{name}", lang) for lang in languages()}
        for row, on in session.execute(select(table.id, table.holds_on).where(table.id.in_(wanted[name]))):
            found[name, row] = Behind(f"{name}/{row}", on, what)
    events = scheme.doc.events
    by_outcome = {event.outcome: event for event in events if event.outcome is not None}
    sat = wanted[Service.__tablename__]
    for service in session.scalars(select(Service).where(Service.id.in_(sat))) if sat else ():
        event = by_outcome.get(service.outcome)
        what = {lang: term("outcome", service.outcome, lang) for lang in languages()}
        ref = (Service.__tablename__, service.id)
        points = event.points if event else None
        found[ref] = Behind(
            f"service/{service.id}", service.holds_on, _both(event.title) if event else what, points
        )
    named = {name: event for event in events for name in (event.id, *event.credit)}
    booked = wanted[Credit.__tablename__]
    for credit in session.scalars(select(Credit).where(Credit.id.in_(booked))) if booked else ():
        event = named.get(credit.event)
        what = dict.fromkeys(languages(), credit.event)
        points = event.points if event else credit.points
        ref = (Credit.__tablename__, credit.id)
        found[ref] = Behind(
            f"credit/{credit.id}", credit.holds_on, _both(event.title) if event else what, points
        )
    return found


def _both(words: Words) -> dict[str, str]:
    return {lang: getattr(words, lang, words.zh) for lang in languages()}
