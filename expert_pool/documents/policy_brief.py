"""The one-page brief on two policies, written from the figures: question, answer, three figures, caution, method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from struct import unpack
from unicodedata import east_asian_width

from expert_pool.documents.files import put
from expert_pool.documents.lens_naming import cell_name, rule_name, share
from expert_pool.documents.paper import ALARM, HEAD, INK, LINE, WIDTH, Paper
from expert_pool.documents.parameter_naming import field_value, goal_name
from expert_pool.documents.policy_charts import broken_by, policy_charts
from expert_pool.documents.simulation_charts import drawn
from expert_pool.documents.wordml import align, points, shade
from expert_pool.simulation.lens_results import PoliciesPart
from expert_pool.simulation.results import Simulation
from expert_pool.words import say, term
from solver.turnout import proportion

FEW = 30
"""Fewer panels than this say little as a share."""
MOST_CHANGES, MOST_GROUPS = 4, 5
HIGHEST, LOWEST = 112, 60
"""Millimetres that the pictures may take in height: at most, and at least."""
LABEL = 26
"""Millimetres of the column of labels."""
TEXT = 219
"""Millimetres of a page that are left for what is said and for the pictures, in a wide fallback face too."""
HIGH = {"zh": 5.7, "en": 4.7}
"""Millimetres from one line of 10 points to the next."""
ON_A_LINE = 70
"""Latin letters of 10 points on a line beside the labels; a Chinese character takes the place of two."""


@dataclass(frozen=True, slots=True)
class Brief:
    """The sentences of a brief. `figures`: number and what it counts, three of them."""

    title: str
    question: str
    answer: str
    figures: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]
    seats: str
    unseated: tuple[str, ...]
    cautions: tuple[str, ...]
    method: tuple[str, ...]
    made: bool


def write_briefs(simulation: Simulation, folder: Path) -> list[Path]:
    """`brief.LANG.docx` of the first policy against each other one (`brief-N.LANG.docx` of several); nothing where none
    are compared. Raises Fault when a file cannot be written."""
    found = simulation.policies
    if found is None:
        return []
    written = []
    for other in range(1, len(found.policies)):
        for lang in ("zh", "en"):
            name = f"brief-{other + 1}.{lang}.docx" if len(found.policies) > 2 else f"brief.{lang}.docx"
            written.append(put(folder / name, policy_brief(simulation, other, lang)))
    return written


def policy_brief(simulation: Simulation, other: int, lang: str) -> bytes:
    """The brief of the first policy against another as .docx, one page, its two charts on it."""
    found = simulation.policies
    assert found is not None
    brief = brief_of(simulation, found, other, lang)
    page = _Page(lang, say("brief.header", lang))
    page.compact()
    page.headline(brief.title)
    if brief.made:
        page.remark(say("brief.made", lang))
    page.said(say("brief.question", lang), [brief.question])
    page.said(say("brief.answer", lang), [brief.answer], bold=True)
    page.numbers(brief.figures)
    page.said(say("brief.changed", lang), brief.changed)
    page.said(say("brief.sectors", lang), [brief.seats])
    if brief.unseated:
        page.said(say("brief.none", lang), brief.unseated)
    page.pictures(_charts(simulation, found, other, lang), TEXT - said_height(brief, lang))
    page.said(say("brief.caution", lang), brief.cautions)
    page.said(say("brief.method", lang), brief.method)
    whole = BytesIO()
    page.save(whole)
    return whole.getvalue()


def said_height(brief: Brief, lang: str) -> float:
    """About how many millimetres of the page everything takes that is said beside a label."""
    blocks = [[brief.question], brief.changed, [brief.seats], brief.unseated, brief.cautions, brief.method]
    lines = sum(_lines(line) for block in blocks for line in block)
    high = HIGH[lang] * (lines + 1.1 * _lines(brief.answer, 1.1, 1.35))
    return high + 2.5 * (1 + sum(map(bool, blocks)))


def _lines(text: str, size: float = 1.0, bold: float = 1.0) -> int:
    width = sum(2 if east_asian_width(one) in "WF" else bold for one in text)
    return ceil(width * size / ON_A_LINE)


def brief_of(simulation: Simulation, found: PoliciesPart, other: int, lang: str) -> Brief:
    """What the brief says, from the figures alone."""
    first, name = (found.policies[at].name[lang] for at in (0, other))
    unlawful, rules = broken_by(found, other)
    count = len(found.panels)
    most = max(rules.items(), key=lambda item: (item[1], item[0]), default=None)
    lost = found.lost[other]
    before = {one.base for one in found.assembled if one.policy == 0 and one.panel is None}
    without = {one.base for one in found.assembled if one.policy == other and one.panel is None}
    none = len(without)
    answer = say(
        "brief.answered",
        lang,
        count=count,
        broken=unlawful,
        share=share(unlawful / max(count, 1), 0),
        most=None if most is None else rule_name(*most[0], lang),
        none=none or None,
        before=len(without & before) or None,
        first=first,
        all=None if none else True,
        lost=len(lost) or None,
        kept=True if not lost and none < found.meetings else None,
        peers=found.peers,
    )
    return Brief(
        title=_headline(((simulation.title or {}).get(lang) if len(found.policies) == 2 else None) or name),
        question=say("brief.asked", lang, first=first, other=name),
        answer=answer,
        figures=_figures(simulation, found, other, unlawful, none, lang),
        changed=_changed(found, other, lang),
        seats=_seats(found, other, lang),
        unseated=_unseated(simulation, found, other, lang),
        cautions=_cautions(found, other, unlawful, lang),
        method=(
            say("brief.method.one", lang, first=first),
            say("brief.method.two", lang, hash=simulation.inputs_sha256[:16]),
        ),
        made=simulation.bases[0].made,
    )


def _headline(text: str) -> str:
    return text[:1].upper() + text[1:]


def _figures(
    simulation: Simulation, found: PoliciesPart, other: int, unlawful: int, none: int, lang: str
) -> tuple[tuple[str, str], ...]:
    """Panels unlawful, cases that lose their peers, and the cost at the first level that changes; where meetings cannot be
    seated, how many, in the place of the cost."""
    figures = [
        (f"{unlawful}/{len(found.panels)}", say("brief.figure.illegal", lang)),
        (str(len(found.lost[other])), say("brief.figure.lost", lang, cases=found.cases)),
    ]
    costs = [cost for cost in found.costs if cost.policy == other]
    moved = next((cost for cost in costs if cost.first != cost.other), costs[0] if costs else None)
    if none or moved is None:
        return (*figures, (str(none), say("brief.figure.none", lang, meetings=found.meetings)))
    said = say(
        "brief.figure.cost",
        lang,
        goal=goal_name(moved.goal, lang, simulation.goals).lower(),
        first=moved.first,
    )
    return (*figures, (f"{moved.other:,}", said))


def _changed(found: PoliciesPart, other: int, lang: str) -> tuple[str, ...]:
    differences = found.policies[other].differences
    if not differences:
        return (say("brief.nothing", lang),)
    lines = [
        say(
            "brief.change",
            lang,
            rule=rule_name(one.rule, one.kind, lang),
            field=None if one.field is None else term("parameter.field", one.field, lang),
            first=field_value(one.field, one.first, lang),
            other=field_value(one.field, one.other, lang),
        )
        for one in differences[:MOST_CHANGES]
    ]
    more = len(differences) - len(lines)
    text = ("；" if lang == "zh" else "; ").join(
        [*lines, *([say("brief.more", lang, count=more)] if more else [])]
    )
    return (text,)


def _seats(found: PoliciesPart, other: int, lang: str) -> str:
    """Seats of each group of people, those first that change most."""
    after = [part for part in found.groups if part.policy == other]
    meetings = max((part.meetings for part in after), default=0)
    if not meetings:
        return say("brief.no_seats", lang)
    ordered = sorted(after, key=lambda part: (-abs(part.seats - part.first), -part.seats, str(part.of)))
    said = [
        say(
            "brief.sector",
            lang,
            name=cell_name(found.by, part.of, part.values, lang),
            first=part.first,
            other=part.seats,
        )
        for part in ordered[:MOST_GROUPS]
    ]
    if meetings < found.meetings:
        said.append(say("brief.seats_note", lang, meetings=meetings))
    return ("；" if lang == "zh" else "; ").join(said)


def _unseated(simulation: Simulation, found: PoliciesPart, other: int, lang: str) -> tuple[str, ...]:
    """Why meetings have no panel: the rules that cannot hold together, with the meetings they stop."""
    first = {one.base for one in found.assembled if one.policy == 0 and one.panel is None}
    stopped: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for one in found.assembled:
        if one.policy == other and one.panel is None:
            rules = [
                r for says in one.why_not if says.code == "why_not.together" for r in says.params["rules"]
            ]
            stopped.setdefault((tuple(rules), one.base in first), []).append(
                simulation.bases[one.base].meeting
            )
    joint = say("words.and", lang)
    return tuple(
        say(
            "brief.together",
            lang,
            meetings=joint.join(meetings[:MOST_GROUPS]),
            first=found.policies[0].name[lang] if already else None,
            rules=joint.join(rule_name(rule, found.rules.get(rule, ""), lang) for rule in rules),
        )
        for (rules, already), meetings in sorted(stopped.items(), key=lambda item: -len(item[1]))[:2]
        if rules
    )


def _cautions(found: PoliciesPart, other: int, unlawful: int, lang: str) -> tuple[str, ...]:
    count = len(found.panels)
    low, high = proportion(unlawful, count) if count else (0.0, 1.0)
    said = [
        say(
            f"brief.caution.{found.history}",
            lang,
            count=count,
            first=found.policies[0].name[lang],
            low=share(low, 0),
            high=share(high, 0),
            meetings=found.meetings,
            sealed=found.sealed or None,
        )
    ]
    if count < FEW:
        said.append(say("brief.caution.few", lang))
    if found.unsettled:
        said.append(say("brief.caution.open", lang, count=found.unsettled))
    return (("" if lang == "zh" else " ").join(said),)


def _charts(simulation: Simulation, found: PoliciesPart, other: int, lang: str) -> list[bytes]:
    """The chart of broken rules of this policy, and that of the seats of these two."""
    two = found.model_copy(
        update={
            "policies": [found.policies[0], found.policies[other]],
            "groups": [
                part.model_copy(update={"policy": at, "seats": part.seats if at else part.first})
                for at in (0, 1)
                for part in found.groups
                if part.policy == other
            ],
            "panels": [
                panel.model_copy(update={"verdicts": [panel.verdicts[0], panel.verdicts[other]]})
                for panel in found.panels
            ],
        }
    )
    charts = policy_charts(simulation, two, lang)
    seen = any(part.meetings for part in two.groups)
    return [drawn(chart, "png") for chart in charts if seen or chart.name != "seats"]


class _Page(Paper):
    """One page: labels to the left, figures in a row, pictures side by side."""

    def compact(self) -> None:
        from docx.shared import Mm

        section = self._document.sections[0]
        section.top_margin, section.bottom_margin = Mm(22), Mm(16)

    def headline(self, text: str) -> None:
        paragraph = self._paragraph(text, 17, bold=True, heading=True)
        align(paragraph, "centre")
        paragraph.paragraph_format.space_after = points(4)

    def remark(self, text: str) -> None:
        paragraph = self._paragraph(text, 9, ink=ALARM)
        align(paragraph, "centre")
        paragraph.paragraph_format.space_after = points(4)

    def said(self, label: str, lines: Sequence[str], *, bold: bool = False) -> None:
        """A label, and what it says beside it."""
        cells = self._grid(1, [LABEL, WIDTH - LABEL], "FFFFFF")[0]
        self._run(cells[0].paragraphs[0], label, 10, bold=True, ink=INK, heading=True)
        for number, line in enumerate(lines):
            paragraph = cells[1].paragraphs[0] if number == 0 else cells[1].add_paragraph()
            self._run(paragraph, line, 11 if bold else 10, bold=bold)
        for cell in cells:
            cell.paragraphs[0].paragraph_format.space_before = points(1.5)
        self._gap()

    def numbers(self, figures: Sequence[tuple[str, str]]) -> None:
        """Figures large, what they count below."""
        self._gap()
        width = WIDTH / len(figures)
        for cell, (number, text) in zip(self._grid(1, [width] * len(figures), LINE)[0], figures, strict=True):
            shade(cell, HEAD)
            self._run(cell.paragraphs[0], number, 20, bold=True, ink=INK, heading=True)
            below = cell.add_paragraph()
            self._run(below, text, 9)
            for paragraph in (cell.paragraphs[0], below):
                align(paragraph, "centre")
            cell.paragraphs[0].paragraph_format.space_before = points(4)
            below.paragraph_format.space_after = points(4)
        self._gap()

    def pictures(self, contents: Sequence[bytes], room: float) -> None:
        """Pictures below each other, as wide as the text or as all of them fit into so many millimetres in height."""
        from docx.shared import Mm

        sizes = [unpack(">II", content[16:24]) for content in contents]
        by = min(
            [
                min(HIGHEST, max(LOWEST, room)) / max(1, sum(high for _, high in sizes)),
                *((WIDTH - LABEL) / wide for wide, _ in sizes),
            ]
        )
        for content, (wide, high) in zip(contents, sizes, strict=True):
            paragraph = self._document.add_paragraph()
            align(paragraph, "centre")
            paragraph.add_run().add_picture(BytesIO(content), width=Mm(wide * by), height=Mm(high * by))

    def _gap(self) -> None:
        paragraph = self._paragraph("", 2)
        paragraph.paragraph_format.line_spacing = points(3)
