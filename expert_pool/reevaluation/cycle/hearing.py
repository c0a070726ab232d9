"""The expert is heard: the notice of what is proposed, with the last day to answer; answers with evidence; and a person
who, having looked, proposes something else and so must give notice anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.keys import Key
from expert_pool.notices.addresses import To
from expert_pool.notices.telling import Telling, tell_many
from expert_pool.reevaluation.cycle.finding import (
    CASE,
    Step,
    cases_of,
    find_cycle,
    held,
    scheme_of,
    weight,
)
from expert_pool.reevaluation.cycle.letter_contents import Kind, letter_contents
from expert_pool.reevaluation.cycle.letters import languages_of, letter_words
from expert_pool.reevaluation.cycle.marking import count, tell
from expert_pool.reevaluation.scheme import LASTING, Measure
from expert_pool.reevaluation.working_days import deadline
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleEvidence, CycleState, Expert, Reply
from expert_pool.runs.files import Attachment, open_bytes, seal_bytes
from expert_pool.viewer import Viewer
from solver.errors import Fault

TEXT_MOST = 5_000
"""Characters of one answer."""
FILE_MOST = 5_000_000
"""Bytes of one file."""
FILES_MOST = 20
BYTES_MOST = 20_000_000
"""Files and bytes of one case, all answers together."""
NAME_MOST = 200


def amend(
    session: Session,
    viewer: Viewer,
    code: str,
    expert: str,
    measure: Measure,
    months: int | None,
    reason: str,
) -> None:
    """A person proposes another measure than the computation did, before anything is decided; the expert is told (anew)
    and has the whole time to answer. The same again changes nothing.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.decided_already`, `cycle.reason_missing`,
    `cycle.months`, `cycle.nothing_proposed` (keep and look are no proposals), `cycle.statistics_alone`.
    """
    cycle = held(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    why = reason.strip()
    if (case.measure, case.months, case.amended_why) == (str(measure), months, why):
        return
    if case.state not in (CaseState.PROPOSED, CaseState.NOTIFIED):
        raise Fault("cycle.decided_already", expert, state=str(case.state))
    if measure in (Measure.KEEP, Measure.LOOK):
        raise Fault("cycle.nothing_proposed", expert, measure=str(measure))
    if not why:
        raise Fault("cycle.reason_missing", expert)
    require_months(expert, measure, months)
    require_conduct(case, expert, measure)
    case.measure, case.months, case.decided_by = str(measure), months, "two_persons"
    case.amended_by, case.amended_why = viewer.actor, why
    case.state, case.notified_at, case.heard_at = CaseState.PROPOSED, None, None
    case.reply_until = case.reply_provisional = None
    tell(session, viewer, cycle, "cycle.amended", [case], {"measure": str(measure), "months": months})


def notify(session: Session, viewer: Viewer, key: Key, code: str, *, most: int = 200) -> Step:
    """Tell so many experts what is proposed for them and until when they may answer; who is only to be looked at is
    told nothing, for nothing is proposed. Call it until nothing is left; told already are not told again.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.not_computed`.
    """
    cycle = held(session, viewer, code)
    if cycle.state is CycleState.OPEN:
        raise Fault("cycle.not_computed", code)
    due = session.scalars(
        select(CycleCase)
        .where(
            CycleCase.cycle_id == cycle.id,
            CycleCase.state == CaseState.PROPOSED,
            CycleCase.measure != str(Measure.LOOK),
        )
        .order_by(CycleCase.id)
        .limit(most)
    ).all()
    if not due:
        return Step(0, 0)
    until, now = deadline(clock.today(), scheme_of(cycle).doc.reply_days), clock.now()
    for case in due:
        case.state, case.notified_at = CaseState.NOTIFIED, now
        case.reply_until, case.reply_provisional = until.day, until.provisional
    send(session, viewer, key, cycle, due, "proposal")
    told = {"cases": len(due), "until": until.day, "provisional": until.provisional}
    tell(session, viewer, cycle, "cycle.notified", due, told)
    return Step(len(due), count(session, cycle, CaseState.PROPOSED, but=Measure.LOOK))


def send(
    session: Session, viewer: Viewer, key: Key, cycle: Cycle, cases: Sequence[CycleCase], kind: Kind
) -> None:
    """Write the notices of one kind of letter to the experts of some cases, each in their language."""
    session.flush()
    spoken = languages_of(session, [case.expert_id for case in cases])
    tellings = []
    for case, content in zip(cases, letter_contents(session, viewer, cycle, cases, kind), strict=True):
        said = letter_words(content, spoken[case.expert_id])
        mark = hashlib.sha256(repr((case.measure, case.months, case.amended_why)).encode()).hexdigest()[:8]
        cause = f"cycle:{cycle.code}:{content.expert}:{kind}:{mark}"
        text = {"subject": said.title, "text": "\n".join(said.paragraphs)}
        tellings.append(Telling(To(expert_id=case.expert_id), cause, text))
    tell_many(session, key, "letter", tellings, unreached=True)


def reply(
    session: Session,
    viewer: Viewer,
    key: Key,
    code: str,
    expert: str,
    text: str,
    *,
    evidence: Sequence[Attachment] = (),
    last: bool = False,
) -> None:
    """Take down an expert's answer to what is proposed, by an office that received it. `last`: the expert has nothing to
    add, so that the decision need not wait. The same answer again changes nothing.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.case_unknown`, `cycle.not_notified`, `cycle.decided_already`,
    `cycle.reply_late`, `cycle.text_missing`, `cycle.text_long`, `cycle.evidence_large`, `cycle.evidence_many`,
    `cycle.evidence_empty`.
    """
    cycle = held(session, viewer, code)
    (case,) = cases_of(session, cycle, [expert])
    _reply(session, viewer, key, cycle, case, text, evidence, last)


def reply_own(
    session: Session,
    actor: str,
    key: Key,
    code: str,
    expert_id: int,
    text: str,
    *,
    evidence: Sequence[Attachment] = (),
    last: bool = False,
) -> None:
    """As `reply`, by the expert, about the own case only."""
    viewer, cycle, case = own(session, actor, code, expert_id)
    _reply(session, viewer, key, cycle, case, text, evidence, last)


def own(session: Session, actor: str, code: str, expert_id: int) -> tuple[Viewer, Cycle, CycleCase]:
    """The case an expert was told of, held for writing, and who writes: into that organiser's records, nothing else.
    Raises Fault `cycle.unknown` for any other cycle, whether there is one or not."""
    row = session.execute(
        select(CycleCase.id, CycleCase.organiser_id)
        .join(Cycle, Cycle.id == CycleCase.cycle_id)
        .where(Cycle.code == code, CycleCase.expert_id == expert_id, CycleCase.notified_at.is_not(None))
    ).one_or_none()
    if row is None:
        raise Fault("cycle.unknown", code)
    viewer = Viewer(actor, frozenset({row.organiser_id}))
    cycle = held(session, viewer, code)
    return viewer, cycle, session.get_one(CycleCase, row.id, populate_existing=True)


def evidence_file(
    session: Session, viewer: Viewer, key: Key, code: str, expert: str, reply_id: int, number: int
) -> Attachment:
    """A file that came with an answer. Raises Fault `cycle.unknown`, `cycle.case_unknown`, `cycle.evidence_unknown`
    (also of one that was erased)."""
    (case,) = cases_of(session, find_cycle(session, viewer, code), [expert])
    return _file(session, key, case, reply_id, number)


def own_evidence_file(
    session: Session, key: Key, code: str, expert_id: int, reply_id: int, number: int
) -> Attachment:
    """As `evidence_file`, for the expert."""
    found = select(CycleCase).join(Cycle, Cycle.id == CycleCase.cycle_id)
    case = session.scalar(found.where(Cycle.code == code, CycleCase.expert_id == expert_id))
    if case is None:
        raise Fault("cycle.unknown", code)
    return _file(session, key, case, reply_id, number)


def put_reply(
    session: Session,
    viewer: Viewer,
    key: Key,
    case: CycleCase,
    text: str,
    evidence: Sequence[Attachment],
    *,
    anew: bool = False,
) -> tuple[Reply, list[CycleEvidence]] | None:
    """Store what an expert says of a case, with its files; None where the very same was said before, unless `anew`.
    Faults as `reply`."""
    said = text.strip()
    if not said:
        raise Fault("cycle.text_missing", "text")
    if len(said) > TEXT_MOST:
        raise Fault("cycle.text_long", "text", most=TEXT_MOST)
    marks = [hashlib.sha256(file.content).hexdigest() for file in evidence]
    same = select(Reply).where(Reply.about_table == CASE, Reply.about_id == case.id, Reply.text == said)
    for earlier in () if anew else session.scalars(same).all():
        files = select(CycleEvidence.sha256).where(CycleEvidence.reply_id == earlier.id)
        if sorted(session.scalars(files)) == sorted(marks):
            return None
    _limits(session, case, evidence)
    row = Reply(
        expert_id=case.expert_id,
        organiser_id=case.organiser_id,
        holds_on=clock.today(),
        about_table=CASE,
        about_id=case.id,
        text=said,
    )
    records.record(session, viewer, row)
    put = [
        CycleEvidence(
            case_id=case.id,
            expert_id=case.expert_id,
            organiser_id=case.organiser_id,
            reply_id=row.id,
            number=number,
            name=file.name,
            media_type=file.media_type,
            size=len(file.content),
            sha256=mark,
            content_sealed=seal_bytes(key, file.content),
        )
        for number, (file, mark) in enumerate(zip(evidence, marks, strict=True), start=1)
    ]
    session.add_all(put)
    return row, put


def reply_until(case: CycleCase, days: int) -> date:
    """The last day to answer. Where it was provisional, it may have moved since holidays were published: the later day
    holds, as the letter says."""
    assert case.reply_until is not None
    assert case.notified_at is not None
    return settled(case.reply_until, bool(case.reply_provisional), case.notified_at, days)


def settled(told: date, provisional: bool, began: datetime, days: int) -> date:
    """The day a deadline is now, of one that was told as `told`."""
    if not provisional:
        return told
    return max(told, deadline(began.astimezone().date(), days).day)


def require_months(expert: str, measure: Measure, months: int | None) -> None:
    """Raise Fault `cycle.months` unless a measure lasts as long as it may: what lasts has months, only a ban may do
    without."""
    lasts = measure in LASTING
    if (months is not None and not (lasts and 1 <= months <= 1200)) or (
        months is None and lasts and measure is not Measure.BAN
    ):
        raise Fault("cycle.months", expert, measure=str(measure), months=months)


def require_conduct(case: CycleCase, expert: str, measure: Measure) -> None:
    """Raise Fault `cycle.statistics_alone` where a measure goes further than a measurement may and no record of conduct
    calls for anything."""
    if not case.by_conduct and weight(measure, 1) > weight(Measure.RETRAIN, 1):
        raise Fault("cycle.statistics_alone", expert, measure=str(measure))


def _reply(
    session: Session,
    viewer: Viewer,
    key: Key,
    cycle: Cycle,
    case: CycleCase,
    text: str,
    evidence: Sequence[Attachment],
    last: bool,
) -> None:
    expert = session.scalars(select(Expert.code).where(Expert.id == case.expert_id)).one()
    if case.state is CaseState.PROPOSED:
        raise Fault("cycle.not_notified", expert)
    if case.state is not CaseState.NOTIFIED:
        raise Fault("cycle.decided_already", expert, state=str(case.state))
    until = reply_until(case, scheme_of(cycle).doc.reply_days)
    if clock.today() > until:
        raise Fault("cycle.reply_late", expert, until=until)
    put = put_reply(session, viewer, key, case, text, evidence)
    finishes = last and case.heard_at is None
    if put is None and not finishes:
        return
    if finishes:
        case.heard_at = clock.now()
    rows: list[Any] = [case] if put is None else [case, put[0], *put[1]]
    tell(session, viewer, cycle, "cycle.replied", rows, {"last": last, "files": len(evidence)})


def _limits(session: Session, case: CycleCase, evidence: Iterable[Attachment]) -> None:
    files = list(evidence)
    before = session.execute(
        select(func.count(CycleEvidence.id), func.coalesce(func.sum(CycleEvidence.size), 0)).where(
            CycleEvidence.case_id == case.id
        )
    ).one()
    for file in files:
        if not file.content:
            raise Fault("cycle.evidence_empty", file.name)
        if len(file.content) > FILE_MOST or not 0 < len(file.name) <= NAME_MOST:
            raise Fault("cycle.evidence_large", file.name[:NAME_MOST], most=FILE_MOST, name_most=NAME_MOST)
    if before[0] + len(files) > FILES_MOST or before[1] + sum(len(f.content) for f in files) > BYTES_MOST:
        raise Fault("cycle.evidence_many", "evidence", files=FILES_MOST, most=BYTES_MOST)


def _file(session: Session, key: Key, case: CycleCase, reply_id: int, number: int) -> Attachment:
    row = session.scalar(
        select(CycleEvidence).where(
            CycleEvidence.case_id == case.id,
            CycleEvidence.reply_id == reply_id,
            CycleEvidence.number == number,
        )
    )
    if row is None or row.content_sealed is None:
        raise Fault("cycle.evidence_unknown", f"{reply_id}/{number}")
    return Attachment(row.name, open_bytes(key, row.content_sealed), row.media_type)
