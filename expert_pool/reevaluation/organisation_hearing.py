"""A committee or organiser is heard before a measure about it is confirmed: told what is proposed, why and until when it may
answer; its answers stand beside the decision, and it is told what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.keys import Key
from expert_pool.notices.addresses import To
from expert_pool.notices.events import letter
from expert_pool.reevaluation.organisation_decisions import reply_until
from expert_pool.registry import (
    Committee,
    OrganisationDecision,
    OrganisationMeasure,
    OrganisationReply,
    Organiser,
)
from expert_pool.viewer import Viewer
from expert_pool.words import languages, say
from solver.errors import Fault

TEXT_MOST = 5_000
"""Characters of one answer."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a letter about a decision says. `reasons` are those of the appraisal: code and figures. Of one under way
    (`confirmed` None) `until` is the last day to answer, `provisional` where it may still move; of one that is closed, `since`
    and `last` are the days of the measure, and `answers` how many had come."""

    decision: str
    organiser: str
    name: str
    step: str
    months: int | None
    basis: str
    issued: date
    until: date | None
    days: int
    provisional: bool
    reasons: tuple[tuple[str, dict[str, Any]], ...]
    confirmed: bool | None
    since: date | None
    last: date | None
    answers: int


def find_heard(session: Session, viewer: Viewer, code: str) -> OrganisationDecision:
    """A decision about an organisation of the viewer's, committees delegated to them included. Raises Fault
    `organisations.decision_unknown`."""
    statement = select(OrganisationDecision).where(OrganisationDecision.code == code)
    if viewer.organisers is not None:
        own = OrganisationDecision.organiser_id.in_(viewer.organisers)
        statement = statement.where(or_(own, OrganisationDecision.committee_id.in_(viewer.committees)))
    row = session.scalar(statement)
    if row is None:
        raise Fault("organisations.decision_unknown", code)
    return row


def announce(session: Session, key: Key, row: OrganisationDecision) -> None:
    """Tell the organiser's office what is proposed and until when it may answer (a lift needs no answer), or what became of
    it; each once."""
    if row.confirmed is None and row.reply_until is None:
        return
    lang = languages()[0]
    title, *said = hearing_words(hearing(session, row), lang)
    letter(
        session,
        key,
        To(office_id=row.organiser_id),
        cause=f"organisation:{row.code}:{'proposed' if row.confirmed is None else 'closed'}",
        subject=title,
        text="\n".join(said),
    )


def reply(session: Session, viewer: Viewer, code: str, text: str, *, last: bool = False) -> OrganisationReply:
    """Take down an answer, by the organisation itself or by whoever received it on paper. `last`: it has nothing to add, so
    that the second person need not wait. The same answer again changes nothing but that.

    Raises Fault `organisations.decision_unknown`, `organisations.closed`, `organisations.no_reply_due`,
    `organisations.reply_late`, `organisations.text_missing`, `organisations.text_long`.
    """
    row = find_heard(session, viewer, code)
    ledger.hold(session, row.organiser_id)
    session.refresh(row)
    if row.confirmed is not None:
        raise Fault("organisations.closed", code, by=row.closed_by)
    until = reply_until(row)
    if until is None:
        raise Fault("organisations.no_reply_due", code)
    if clock.today() > until:
        raise Fault("organisations.reply_late", code, until=until)
    said = text.strip()
    if not said:
        raise Fault("organisations.text_missing", "text")
    if len(said) > TEXT_MOST:
        raise Fault("organisations.text_long", "text", most=TEXT_MOST)
    answer = session.scalar(
        select(OrganisationReply).where(
            OrganisationReply.decision_id == row.id, OrganisationReply.text == said
        )
    )
    finishes = last and row.heard_at is None
    if answer is not None and not finishes:
        return answer
    if answer is None:
        answer = OrganisationReply(
            organiser_id=row.organiser_id, decision_id=row.id, at=clock.now(), by=viewer.actor, text=said
        )
        session.add(answer)
    if finishes:
        row.heard_at = clock.now()
    session.flush()
    ledger.append(
        session,
        organiser_id=row.organiser_id,
        actor=viewer.actor,
        action="organisation.replied",
        subject=code,
        payload={"last": last},
        rows=[row, answer],
    )
    return answer


def replies(session: Session, row: OrganisationDecision) -> list[OrganisationReply]:
    """What was answered, in order."""
    of = select(OrganisationReply).where(OrganisationReply.decision_id == row.id)
    return list(session.scalars(of.order_by(OrganisationReply.id)))


def hearing(session: Session, row: OrganisationDecision) -> Hearing:
    """What the letter says: the notice of a decision under way, the decision once it is closed. Raises Fault
    `organisations.no_reply_due` (a lift under way)."""
    until = reply_until(row)
    if until is None and row.confirmed is None:
        raise Fault("organisations.no_reply_due", row.code)
    appraisal = json.loads(row.appraisal)
    organiser = session.get_one(Organiser, row.organiser_id)
    about = None if row.committee_id is None else session.get_one(Committee, row.committee_id)
    measure = session.scalar(select(OrganisationMeasure).where(OrganisationMeasure.decision_id == row.id))
    return Hearing(
        decision=row.code,
        organiser=organiser.name,
        name=organiser.name if about is None else about.name,
        step=str(row.step),
        months=row.months,
        basis=row.basis,
        issued=(row.closed_at or row.decided_at).astimezone().date(),
        until=until,
        days=row.reply_days or 0,
        provisional=bool(row.reply_provisional),
        reasons=tuple((one["code"], {"id": one["id"], **one["figures"]}) for one in appraisal["reasons"]),
        confirmed=row.confirmed,
        since=None if measure is None else measure.holds_on,
        last=None if measure is None else measure.until,
        answers=len(replies(session, row)),
    )


def hearing_words(content: Hearing, lang: str) -> list[str]:
    """The title, then the paragraphs."""
    kind = {None: "letter", True: "decision", False: "refusal"}[content.confirmed]
    opening = "opening_until" if content.last else "opening"
    params = {
        "name": content.name,
        "organiser": content.organiser,
        "decision": content.decision,
        "step": content.step,
        "months": content.months,
        "basis": content.basis,
        "until": content.until,
        "year": content.until and content.until.year,
        "days": content.days,
        "since": content.since,
        "last": content.last,
        "answers": content.answers or None,
        "found": bool(content.reasons),
    }
    said = [
        say(f"organisations.{kind}.title", lang, **params),
        say("organisations.letter.dear", lang, **params),
        say(f"organisations.{kind}.{opening}", lang, **params),
    ]
    if content.confirmed is not False:
        said += [f"• {say(code, lang, **figures)}" for code, figures in content.reasons]
    if content.confirmed is None:
        said.append(say("organisations.letter.until", lang, **params))
        if content.provisional:
            said.append(say("organisations.letter.provisional", lang, **params))
        return [*said, say("organisations.letter.how", lang, **params)]
    if content.until is not None:
        said.append(
            say(f"organisations.decision.{'answered' if content.answers else 'unanswered'}", lang, **params)
        )
    if content.confirmed:
        said.append(say("organisations.decision.end", lang, **params))
    return said
