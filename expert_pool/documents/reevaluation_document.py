"""The report of a re-evaluation on paper, for a committee to read: A4, in Chinese or English, with its charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from struct import unpack

from expert_pool.documents.paper import WIDTH, Paper
from expert_pool.documents.picture import SCALE
from expert_pool.documents.reevaluation_contents import (
    Cell,
    Report,
    Table,
    cautions,
    head_word,
    summary,
    tables,
)
from expert_pool.documents.reevaluation_health import plan_words

MOST = 40
"""Rows of a table on paper; the workbook has them all."""

SHOWN: Mapping[str, tuple[str, ...]] = {
    "proposals": ("expert", "measure", "by_conduct", "reasons", "without"),
    "flags": ("expert", "flag", "q", "figures"),
    "components": ("component", "raters", "measured", "cases", "spread", "reliability"),
    "fields": ("specialty", "level", "supply", "lasting", "cases", "peak", "thin"),
    "forecast": ("from", "to", "members", "terms_end", "retire", "leave", "left"),
    "load": ("item", "content"),
    "plan": ("count", "specialty", "code", "asked", "committees"),
    "meetings": ("committee", "meeting", "on", "outcome", "needs", "remarks"),
    "invitations": ("number", "expert", "employer", "sector", "specialties", "reasons"),
    "organisations": ("who", "measure", "standing", "pass_rate", "limits", "remarks"),
    "organisation_reasons": ("who", "measure", "reasons", "otherwise"),
}
"""The tables on paper, in order, with their columns."""

SECTIONS: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]] = (
    ("proposals", ("measures", "points", "timelines"), ("proposals",)),
    ("measurement", ("severities", "fit"), ("components", "flags")),
    (
        "health",
        ("supply_demand", "pyramids", "forecast", "trend", "lorenz"),
        ("fields", "forecast", "load", "meetings", "plan", "invitations"),
    ),
    ("organisations", ("funnel_pass_rate", "funnel_complaints"), ("organisations", "organisation_reasons")),
)
"""Sections: the word of the heading, charts, tables."""


def report_document(report: Report, pictures: Mapping[str, bytes]) -> bytes:
    """The report as .docx; `pictures` are PNGs by the name of the chart."""
    paper = _Report(report.lang, report.word("title"))
    paper.title(str(summary(report)[0][1]), report.word("title"))
    paper.banner(report.word("banner"))
    paper.heading(report.word("section.summary"))
    paper.pairs(summary(report))
    paper.heading(report.word("section.cautions"))
    for text in cautions(report):
        paper.item(text)
    known = {table.name: table for table in tables(report)}
    for section, charts, names in SECTIONS:
        if not any(name in pictures for name in charts) and not any(name in known for name in names):
            continue
        paper.heading(report.word(f"section.{section}"), new_page=True)
        for name in charts:
            if name in pictures:
                paper.picture(pictures[name])
        if section == "health" and report.health is not None:
            paper.note(plan_words(report, report.health))
        for name in names:
            if name in known:
                _table(paper, report, known[name])
    whole = BytesIO()
    paper.save(whole)
    return whole.getvalue()


def _table(paper: Paper, report: Report, table: Table) -> None:
    heads = [column.head for column in table.columns]
    chosen = [heads.index(name) for name in SHOWN[table.name]]
    rows = table.rows[:MOST]
    paper.note(report.word(f"table.{table.name}"))
    paper.table(
        [head_word(report, heads[i]) for i in chosen],
        [[_text(row[i]) for i in chosen] for row in rows],
        [min(table.columns[i].width, 60) for i in chosen],
        centred={n for n, i in enumerate(chosen) if table.columns[i].align != "left"},
        marked={n for n in table.marked if n < MOST},
    )
    if len(table.rows) > MOST:
        paper.note(report.word("more_rows", shown=MOST, more=len(table.rows) - MOST))


def _text(value: Cell) -> str:
    return "—" if value is None or value == "" else str(value)


class _Report(Paper):
    """Paper with pictures."""

    def picture(self, content: bytes) -> None:
        """A PNG in its own size, as our pages draw it, but no wider than the text and no higher than half a page."""
        from docx.shared import Mm

        wide, high = (n / SCALE * PIXEL for n in unpack(">II", content[16:24]))
        by = min(1.0, WIDTH / wide, HIGHEST / high)
        self._document.add_picture(BytesIO(content), width=Mm(wide * by), height=Mm(high * by))
        self._paragraph("", 4)


PIXEL = 0.2
"""Millimetres of a pixel of a chart on paper."""
HIGHEST = 150
"""Millimetres of a picture at most."""
