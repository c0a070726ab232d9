"""The audit of a foreign panel as a report on paper: A4, in Chinese or English."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path

from expert_pool.audits.report import Audit, PersonRead
from expert_pool.documents.audit_contents import (
    AuditView,
    FindingRow,
    banners,
    conclusion,
    finding_rows,
    left_out,
    ordered_people,
    rule_rows,
    shown,
    summary,
    taken_from_registry,
)
from expert_pool.documents.files import put
from expert_pool.documents.paper import Paper, Span
from expert_pool.words import say

MOST_OF_ONE_RULE = 12
"""Findings of one rule on paper; the workbook and the JSON hold all."""


def audit_document(audit: Audit, lang: str, path: Path) -> Path:
    """Write an audit to `path` as .docx; gives `path` back. Raises Fault when the file cannot be written."""
    view = AuditView(audit, lang)
    paper = Paper(lang, f"{audit.roster.file} · {view.word('title')}")
    _summary(paper, view)
    _findings(paper, view)
    _undecided(paper, view)
    _rules(paper, view)
    _left_out(paper, view)
    _notes(paper, view)
    _taken(paper, view)
    _people(paper, view)
    whole = BytesIO()
    paper.save(whole)
    return put(path, whole.getvalue())


def _summary(paper: Paper, view: AuditView) -> None:
    paper.title(view.audit.roster.file, view.word("title"))
    for banner in banners(view):
        paper.banner(banner)
    paper.banner(conclusion(view))
    paper.heading(view.word("summary"))
    paper.pairs(summary(view))
    paper.heading(view.word("counts"))
    rows = rule_rows(view)
    body = []
    for verdict in ("broken", "short", "not_judged", "kept"):
        own = [row.title for row in rows if row.verdict == verdict]
        body.append((view.word(f"verdict.{verdict}"), str(len(own)), view.word("comma").join(own) or "—"))
    heads = [view.word(name) for name in ("verdict", "number", "rules")]
    paper.table(heads, body, [24, 14, 126], centred={0, 1}, marked={0} if view.audit.counts.broken else ())
    signers = [view.word("sign_auditor"), view.word("sign_reviewer")]
    paper.signatures(view.word("signatures"), signers, say("documents.sign_date", view.lang))


def _findings(paper: Paper, view: AuditView) -> None:
    paper.heading(view.word("findings"), new_page=True)
    rows = finding_rows(view)
    if not rows:
        paper.note(view.word("findings_none"))
        return
    heads = [view.word(name) for name in ("finding", "who", "bounds", "margin", "basis")]
    body: list[Sequence[str] | Span] = []
    for (title, _), own in groupby(rows, key=lambda row: (row.title, row.rule)):
        found = list(own)
        body.append(Span(title))
        body += [_finding(row, view) for row in found[:MOST_OF_ONE_RULE]]
        if len(found) > MOST_OF_ONE_RULE:
            body.append(Span(view.word("more_findings", count=len(found) - MOST_OF_ONE_RULE)))
    paper.table(heads, body, [50, 37, 19, 17, 41], centred={2, 3})


def _finding(row: FindingRow, view: AuditView) -> tuple[str, ...]:
    basis = say("documents.basis_text", view.lang, basis=row.basis, status=row.status)
    return row.says, row.who or "—", row.bounds, row.margin, basis


def _undecided(paper: Paper, view: AuditView) -> None:
    rows = [row for row in rule_rows(view) if row.missing]
    if not rows:
        return
    paper.heading(view.word("undecided"))
    paper.note(view.word("undecided_note"))
    heads = [view.word(name) for name in ("rule", "missing", "known", "bounds", "basis")]
    body = [
        (
            row.title,
            row.missing,
            row.value,
            row.bounds,
            say("documents.basis_text", view.lang, basis=row.basis, status=row.status),
        )
        for row in rows
    ]
    paper.table(heads, body, [25, 62, 17, 19, 41], centred={2, 3})


def _rules(paper: Paper, view: AuditView) -> None:
    paper.heading(view.word("all_rules"))
    paper.note(view.word("margin_note"))
    heads = [view.word(name) for name in ("rule", "verdict", "measured", "bounds", "margin", "basis")]
    rows = rule_rows(view)
    body = [
        (
            row.title,
            view.word(f"verdict.{row.verdict}"),
            row.says or "—",
            row.bounds,
            row.margin,
            say("documents.basis_text", view.lang, basis=row.basis, status=row.status),
        )
        for row in rows
    ]
    marked = {i for i, row in enumerate(rows) if row.verdict == "broken"}
    paper.table(heads, body, [26, 19, 42, 19, 17, 41], centred={1, 3, 4}, marked=marked)


def _left_out(paper: Paper, view: AuditView) -> None:
    rows = left_out(view)
    if rows:
        paper.heading(view.word("left_out"))
        paper.note(view.word("left_out_note"))
        heads = [view.word(name) for name in ("rules", "parameter", "why")]
        paper.table(heads, rows, [36, 34, 94])


def _notes(paper: Paper, view: AuditView) -> None:
    if view.audit.notes:
        paper.heading(view.word("notes"))
        for note in view.audit.notes:
            paper.item(view.tell(note))


def _taken(paper: Paper, view: AuditView) -> None:
    registry = view.audit.registry
    if registry is None:
        return
    paper.heading(view.word("taken"))
    paper.note(view.word("taken_note", committee=registry.committee))
    if rows := list(taken_from_registry(view)):
        paper.table([view.word("name"), view.word("facts")], rows, [30, 134])
    if registry.unmatched:
        paper.table(
            [view.word("name"), view.word("unmatched")],
            [(one.label, view.tell(one.says)) for one in registry.unmatched],
            [30, 134],
        )


def _people(paper: Paper, view: AuditView) -> None:
    paper.heading(view.word("people"))
    people = ordered_people(view)
    columns = [
        ("row", 11, [str(p.row) for p in people]),
        ("name", 24, [p.label for p in people]),
        ("role", 20, [view.term("role", p.role) for p in people]),
        ("employer", 38, [p.employer or "" for p in people]),
        ("specialties", 30, [view.word("comma").join(_subs(p)) for p in people]),
    ]
    for fact, width in (("sector", 22), ("rank", 18), ("trained_until", 26)):
        columns.append((f"column.{fact}", width, [shown(fact, p.facts.get(fact), view) for p in people]))
    kept = [column for column in columns if any(column[2])]
    heads = [view.word(name) for name, _, _ in kept]
    lines = list(zip(*(cells for _, _, cells in kept), strict=True))
    body: list[Sequence[str] | Span] = []
    for number, (person, line) in enumerate(zip(people, lines, strict=True)):
        place = _place(view, person.role, person.group)
        if number == 0 or place != _place(view, people[number - 1].role, people[number - 1].group):
            body.append(Span(place))
        body.append(line)
    paper.table(heads, body, [width for _, width, _ in kept], centred={0})


def _subs(person: PersonRead) -> list[str]:
    """Sub-specialties without their specialties."""
    return [subject.rpartition("/")[2] for subject in person.specialties]


def _place(view: AuditView, role: str, group: str | None) -> str:
    return view.word("waiting" if role == "alternate" else "seated", group=group)
