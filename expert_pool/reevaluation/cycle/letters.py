"""What a letter of a cycle says: the same content for the paper and for the notice. No national ID, no phone number, nobody
else's name."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.policies.document import BasisDoc, Words
from expert_pool.reevaluation.asks import read
from expert_pool.reevaluation.conduct import Reason
from expert_pool.reevaluation.cycle.finding import cases_of, find_cycle, scheme_of
from expert_pool.reevaluation.reason_words import reason_words
from expert_pool.reevaluation.scheme import LASTING, Measure, Scheme
from expert_pool.registry import (
    Account,
    Credit,
    Cycle,
    CycleAppeal,
    CycleCase,
    CycleDecision,
    Expert,
    Organiser,
    Pool,
    Service,
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
class LetterContent:
    """A letter. `measure` is what is proposed, or what was decided; `before` what had been decided before an appeal,
    which `changed` it or not; `until` the last day of a measure that is in force; `deadline` the last day to answer (or to appeal, None: nothing to appeal
    against), `provisional` where it may still move."""

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


@dataclass(frozen=True, slots=True)
class LetterWords:
    """A letter in one language: its title and paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


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
    scheme = scheme_of(cycle)
    expert = session.get_one(Expert, case.expert_id)
    told = {"proposal": case.notified_at, "decision": case.executed_at, "appeal": None}[kind]
    if kind == "appeal":
        appealed = select(CycleAppeal.settled_at).where(CycleAppeal.case_id == case.id)
        told = session.scalar(appealed)
    if told is None:
        raise Fault("cycle.letter_early", expert.code, kind=kind)
    known = [] if kind == "proposal" else _confirmed(session, case)
    decisions = [d for d in known if kind == "appeal" or d.appeal_id is None]
    decided = decisions[-1] if decisions else None
    measure = Measure(decided.measure if decided else case.measure)
    months = decided.months if decided else case.months
    began = None if case.executed_at is None else case.executed_at.astimezone().date()
    deadline, provisional, days = {
        "proposal": (case.reply_until, case.reply_provisional, scheme.doc.reply_days),
        "decision": (case.appeal_until, case.appeal_provisional, scheme.doc.appeal_days),
        "appeal": (None, False, 0),
    }[kind]
    return LetterContent(
        kind=kind,
        cycle=cycle.code,
        organiser=session.get_one(Organiser, cycle.organiser_id).name,
        pool=session.get_one(Pool, cycle.pool_id).name,
        expert=expert.code,
        name=expert.name,
        issued=told.astimezone().date(),
        as_of=cycle.as_of,
        since=scheme.since(cycle.as_of),
        scheme=_both(scheme.doc.title),
        scheme_version=scheme.doc.version,
        measure=measure,
        months=months,
        before=Measure(decisions[0].measure) if decisions else Measure(case.measure),
        changed=bool(decisions)
        and (decisions[0].measure, decisions[0].months) != (decisions[-1].measure, decisions[-1].months),
        until=last_day(began, months) if decided and began and months and measure in LASTING else None,
        grounds=_grounds(session, scheme, case),
        amended=case.amended_why,
        reason=decided.reason if decided else "",
        days=days,
        deadline=deadline,
        provisional=bool(provisional),
    )


def letter_words(content: LetterContent, lang: str) -> LetterWords:
    """The letter in a language, as the notice says it: the paper has the same and the tables besides."""
    params = _params(content, lang)
    said = [say(f"cycle.letter.{content.kind}.dear", lang, **params), opening(content, lang)]
    said.append(say(f"cycle.letter.because.{content.kind}", lang))
    said += [f"• {ground_words(ground, lang)}" for ground in content.grounds if ground.counts]
    said += closing(content, lang)
    return LetterWords(say(f"cycle.letter.{content.kind}.title", lang, **params), tuple(said))


def opening(content: LetterContent, lang: str) -> str:
    """The paragraph before the reasons: what is proposed or decided."""
    part = "text"
    if content.kind != "proposal" and content.measure is Measure.KEEP:
        part = "kept"
    elif content.kind == "appeal" and content.changed:
        part = "changed"
    return say(f"cycle.letter.{content.kind}.{part}", lang, **_params(content, lang))


def closing(content: LetterContent, lang: str) -> list[str]:
    """The paragraphs after the reasons: what a person added, the decision's reason, how to answer, until when."""
    params, said = _params(content, lang), list[str]()
    if content.kind == "proposal" and content.amended:
        said.append(say("cycle.letter.amended", lang, why=content.amended))
    if content.reason:
        said.append(say("cycle.letter.reason", lang, reason=content.reason))
    if content.deadline is not None:
        said.append(say(f"cycle.letter.{content.kind}.until", lang, **params))
        if content.provisional:
            said.append(say("cycle.letter.provisional", lang, **params))
        said.append(say(f"cycle.letter.{content.kind}.how", lang, **params))
    elif content.kind == "appeal":
        said.append(say("cycle.letter.appeal.final", lang))
    return said


def ground_words(ground: Ground, lang: str) -> str:
    """One reason in one line, with its basis."""
    sentence = reason_words(ground.code, ground.figures, lang)
    title = ground.title.get(lang, "")
    return say("cycle.letter.ground", lang, title=title, says=sentence, basis=ground.basis.get(lang, ""))


def measure_words(measure: Measure, months: int | None, lang: str) -> str:
    """A measure and how long it lasts, in words."""
    if measure is Measure.BAN and months is None:
        return say("cycle.measure_for_life", lang, measure=term("measure", measure, lang))
    if months is None:
        return term("measure", measure, lang)
    return say("cycle.measure_for", lang, measure=term("measure", measure, lang), months=months)


def languages_of(session: Session, expert_ids: Sequence[int]) -> dict[int, str]:
    """The language to write to each expert in: that of their account, else the first."""
    known = select(Account.expert_id, Account.language).where(Account.expert_id.in_(expert_ids))
    spoken: dict[Any, str] = dict(session.execute(known).all())
    able = languages()
    return {each: spoken[each] if spoken.get(each) in able else able[0] for each in expert_ids}


def last_day(start: date, months: int) -> date:
    """The last day of so many months that begin on a day (民法典 art. 202: where the last month lacks the day, its end)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    end = following - timedelta(days=1)
    return end if start.day > end.day else date(year, month + 1, start.day) - timedelta(days=1)


def _params(content: LetterContent, lang: str) -> dict[str, Any]:
    return {
        "name": content.name,
        "expert": content.expert,
        "cycle": content.cycle,
        "organiser": content.organiser,
        "pool": content.pool,
        "as_of": content.as_of.isoformat(),
        "scheme": content.scheme.get(lang, ""),
        "measure": _lasting(content, lang),
        "before": term("measure", content.before, lang),
        "days": content.days,
        "deadline": content.deadline.isoformat() if content.deadline else None,
        "year": content.deadline.year if content.deadline else None,
        "issued": content.issued.isoformat(),
    }


def _lasting(content: LetterContent, lang: str) -> str:
    """The measure, how long it lasts, and until when where it has begun."""
    said = measure_words(content.measure, content.months, lang)
    if content.until is None:
        return said
    return say("cycle.measure_until", lang, measure=said, until=content.until.isoformat())


def _grounds(session: Session, scheme: Scheme, case: CycleCase) -> tuple[Ground, ...]:
    reasons = [read(one) for one in json.loads(case.reasons)]
    behind = _behind(session, scheme, {row for reason in reasons for row in reason.records})
    found = []
    for reason in reasons:
        title, basis = _named(scheme, reason)
        rows = tuple(behind[row] for row in reason.records)
        counts = reason.already is None
        found.append(Ground(reason.code, title, reason.figures, basis, reason.otherwise, rows, counts))
    return tuple(found)


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


def _behind(
    session: Session, scheme: Scheme, rows: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Behind]:
    found = {(table, row): Behind(f"{table}/{row}") for table, row in rows}
    events = scheme.doc.events
    by_outcome = {event.outcome: event for event in events if event.outcome is not None}
    sat = [row for table, row in rows if table == Service.__tablename__]
    for service in session.scalars(select(Service).where(Service.id.in_(sat))) if sat else ():
        event = by_outcome.get(service.outcome)
        what = {lang: term("outcome", service.outcome, lang) for lang in languages()}
        ref = (Service.__tablename__, service.id)
        points = event.points if event else None
        found[ref] = Behind(
            f"service/{service.id}", service.holds_on, _both(event.title) if event else what, points
        )
    named = {name: event for event in events for name in (event.id, *event.credit)}
    booked = [row for table, row in rows if table == Credit.__tablename__]
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


def _confirmed(session: Session, case: CycleCase) -> list[CycleDecision]:
    of = select(CycleDecision).where(
        CycleDecision.case_id == case.id, CycleDecision.verdict == Verdict.CONFIRMED
    )
    return list(session.scalars(of.order_by(CycleDecision.id)))
