"""The letters of a cycle of re-evaluation on paper: A4, in Chinese or English, the same bytes each time.

A letter names the expert it goes to, the figures and records behind it, the basis, and the last day to answer. It holds no
national ID, no phone number and nobody else's name.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from expert_pool.documents.paper import Paper
from expert_pool.documents.wordml import align, points
from expert_pool.reevaluation.cycle.letter_contents import Behind, Ground, LetterContent
from expert_pool.reevaluation.cycle.letters import closing, letter_words, measure_words, opening
from expert_pool.reevaluation.reason_words import otherwise_words, reason_words
from expert_pool.words import say

if TYPE_CHECKING:
    from expert_pool.documents.wordml import Side

_FIRST = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""


class LetterPaper(Paper):
    """A report with the running text of a letter."""

    def body(self, text: str, *, side: Side = "left", indent: bool = True) -> None:
        """A paragraph of running text; a Chinese one begins two characters in."""
        paragraph = self._paragraph(text, 11)
        align(paragraph, side)
        paragraph.paragraph_format.space_after = points(6)
        paragraph.paragraph_format.line_spacing = 1.4
        if indent and self.lang == "zh":
            paragraph.paragraph_format.first_line_indent = points(22)


def letter_document(content: LetterContent, lang: str) -> bytes:
    """The letter as .docx."""

    def word(name: str, /, **params: object) -> str:
        return say(f"cycle.letter.{name}", lang, **params)

    words = letter_words(content, lang)
    paper = LetterPaper(lang, word("header", cycle=content.cycle))
    paper.title(content.organiser, words.title)
    paper.body(words.paragraphs[0], indent=False)
    paper.body(opening(content, lang))
    paper.pairs(_summary(content, lang))
    paper.heading(word("reasons"))
    heads = [word("reason_head"), word("basis_head")]
    paper.table(heads, [_reason(ground, lang) for ground in content.grounds], [100, 64])
    behind = {record.row: record for ground in content.grounds for record in ground.records}
    if behind:
        paper.heading(word("records"))
        heads = [word(f"{name}_head") for name in ("row", "on", "what", "points")]
        rows = sorted(behind.values(), key=lambda record: (str(record.on), record.row))
        paper.table(heads, [_record(record, lang) for record in rows], [34, 34, 74, 22], centred={0, 1, 3})
    for paragraph in closing(content, lang):
        paper.body(paragraph)
    paper.body(content.organiser + word("seal"), side="right", indent=False)
    paper.body(say("cycle.letter.day", lang, on=content.issued.isoformat()), side="right", indent=False)
    whole = BytesIO()
    paper.save(whole)
    return timeless(whole.getvalue())


def _summary(content: LetterContent, lang: str) -> list[tuple[str, str]]:
    def word(name: str, /, **params: object) -> str:
        return say(f"cycle.letter.{name}", lang, **params)

    span = {"as_of": content.as_of.isoformat(), "since": content.since and content.since.isoformat()}
    scheme = content.scheme.get(lang, "")
    rows = [
        (word("summary"), measure_words(content.measure, content.months, lang)),
        (word("pool"), content.pool),
        (word("scheme"), word("scheme_version", scheme=scheme, version=content.scheme_version)),
        (word("period"), word("period_span" if content.since else "period_open", **span)),
    ]
    if content.deadline is not None:
        shown = "deadline_provisional" if content.provisional else "deadline_fixed"
        rows.append((word(f"deadline.{content.kind}"), word(shown, deadline=content.deadline.isoformat())))
    return rows


def _reason(ground: Ground, lang: str) -> tuple[str, str]:
    said = say(
        "cycle.letter.ground",
        lang,
        title=ground.title.get(lang, ""),
        says=reason_words(ground.code, ground.figures, lang),
        basis="",
    )
    if ground.counts:
        said += otherwise_words(ground.code, ground.otherwise, lang)
    else:
        said += say("cycle.letter.spent", lang)
    return said, ground.basis.get(lang, "")


def _record(record: Behind, lang: str) -> tuple[str, str, str, str]:
    on = "" if record.on is None else say("cycle.letter.day", lang, on=record.on.isoformat())
    elsewhere = say("cycle.letter.named_elsewhere", lang)
    what = elsewhere if record.what is None else record.what.get(lang, "")
    return (
        record.row,
        on,
        what,
        "" if record.points is None else f"{record.points:+d}" if record.points else "0",
    )


def timeless(document: bytes) -> bytes:
    """The same package with no time of writing in it."""
    whole = BytesIO()
    with ZipFile(BytesIO(document)) as old, ZipFile(whole, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = ZipInfo(name, _FIRST)
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return whole.getvalue()
