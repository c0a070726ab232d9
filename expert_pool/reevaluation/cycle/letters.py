"""A letter of a cycle in words: the same for the paper and for the notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.reevaluation.cycle.letter_contents import Ground, LetterContent
from expert_pool.reevaluation.reason_words import reason_words
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import Account
from expert_pool.words import languages, say, term


@dataclass(frozen=True, slots=True)
class LetterWords:
    """A letter in one language: its title and paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


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
    said += [
        say("cycle.letter.answered", lang, on=one.on.isoformat(), files=one.files) for one in content.answered
    ]
    if content.unanswered:
        said.append(say("cycle.letter.unanswered", lang))
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
        "appealed": content.appealed.isoformat() if content.appealed else None,
    }


def _lasting(content: LetterContent, lang: str) -> str:
    """The measure, how long it lasts, and until when where it has begun."""
    said = measure_words(content.measure, content.months, lang)
    if content.until is None:
        return said
    return say("cycle.measure_until", lang, measure=said, until=content.until.isoformat())
