"""The letters to a committee or organiser, on paper: what is proposed about it and until when it may answer; what was decided."""

from __future__ import annotations

from io import BytesIO

from expert_pool.documents.letters import LetterPaper, timeless
from expert_pool.reevaluation.organisation_hearing import Hearing, hearing_words
from expert_pool.words import say


def hearing_document(content: Hearing, lang: str) -> bytes:
    """The letter as .docx, the same bytes each time."""
    title, dear, *said = hearing_words(content, lang)
    paper = LetterPaper(lang, say("organisations.letter.header", lang, decision=content.decision))
    paper.title(content.organiser, title)
    paper.body(dear, indent=False)
    for paragraph in said:
        paper.body(paragraph)
    paper.body(content.organiser + say("cycle.letter.seal", lang), side="right", indent=False)
    day = say("cycle.letter.day", lang, on=content.issued.isoformat())
    paper.body(day, side="right", indent=False)
    whole = BytesIO()
    paper.save(whole)
    return timeless(whole.getvalue())
