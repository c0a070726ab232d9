"""The panel as a report on paper, ready for the file: A4, in Chinese or English."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path

from expert_pool.documents.contents import (
    MemberRow,
    alternate_rows,
    banners,
    case_rows,
    gate_rows,
    member_rows,
    rule_rows,
    signed,
    summary,
)
from expert_pool.documents.files import put
from expert_pool.documents.paper import Paper, Span
from expert_pool.documents.people import Person
from expert_pool.documents.view import View
from solver.answer import Answer
from solver.problem import Problem


def panel_document(
    answer: Answer, people: Mapping[str, Person], lang: str, path: Path, problem: Problem | None = None
) -> Path:
    """Write the panel to `path` as .docx; gives `path` back. `problem` names groups, specialties and rules.

    Raises Fault when the file cannot be written.
    """
    view = View(answer, people, lang, problem)
    paper = Paper(lang, answer.problem.title)
    _head(paper, view)
    if answer.members:
        _members(paper, view)
        _alternates(paper, view)
        _reasons(paper, view)
    elif answer.why_not:
        paper.heading(view.word("why_not"))
        for saying in answer.why_not:
            paper.item(view.tell(saying))
    _rules(paper, view)
    _recusals(paper, view)
    _funnel(paper, view)
    if answer.members:
        _signatures(paper, view)
    whole = BytesIO()
    paper.save(whole)
    return put(path, whole.getvalue())


def _head(paper: Paper, view: View) -> None:
    paper.title(view.answer.problem.title, view.word("title"))
    for banner in banners(view):
        paper.banner(banner)
    paper.heading(view.word("summary_title"))
    paper.pairs(summary(view))


def _members(paper: Paper, view: View) -> None:
    paper.heading(view.word("members_title"), new_page=True)
    rows = member_rows(view)
    heads, widths, pick = _columns(rows, view)
    heads = [view.word("number"), view.word("role"), *heads]
    body: list[Sequence[str] | Span] = []
    for group, seated in groupby(rows, key=lambda row: row.group):
        sitting = list(seated)
        body.append(Span(view.word("group_line", group=group, count=len(sitting))))
        body += [(str(row.number), view.term("role", row.role), *pick(row)) for row in sitting]
    paper.table(heads, body, [9, 22, *widths], centred={0, 1})


def _alternates(paper: Paper, view: View) -> None:
    rows = alternate_rows(view)
    if not rows:
        return
    paper.heading(view.word("alternates_title"))
    heads, widths, pick = _columns(rows, view)
    heads = [view.word("order"), *heads]
    body: list[Sequence[str] | Span] = []
    for group, waiting in groupby(rows, key=lambda row: row.group):
        body.append(Span(view.word("covers_line", group=group)))
        body += [(str(row.order), *pick(row)) for row in waiting]
    paper.table(heads, body, [18, *widths], centred={0})


def _columns(
    rows: Sequence[MemberRow], view: View
) -> tuple[list[str], list[int], Callable[[MemberRow], list[str]]]:
    """The columns that say who somebody is: only those of which anything is known."""
    all_columns: tuple[tuple[str, int, Callable[[MemberRow], str]], ...] = (
        ("name" if view.named else "pseudonym", 29, lambda row: row.person.name),
        ("employer", 40, lambda row: row.person.employer),
        ("sector", 19, lambda row: view.term("sector", row.person.sector)),
        ("rank", 15, lambda row: view.term("rank", row.person.rank)),
        ("specialties", 32, lambda row: view.word("comma").join(row.person.specialties)),
    )
    shown = [
        column
        for column in all_columns
        if column[0] in ("name", "pseudonym") or any(getattr(row.person, column[0]) for row in rows)
    ]
    heads = [view.word(name) for name, _, _ in shown]

    def pick(row: MemberRow) -> list[str]:
        return [cell(row) for _, _, cell in shown]

    return heads, [width for _, width, _ in shown], pick


def _rules(paper: Paper, view: View) -> None:
    rows = [row for row in rule_rows(view) if row.rule != "gate" or not row.holds]
    if not rows:
        return
    paper.heading(view.word("rules_title"))
    paper.note(view.word("rules_note_paper"))
    heads = [view.word(name) for name in ("rule", "says", "verdict", "bounds", "margin", "basis_cited")]
    body = [
        (
            row.title if row.hard else view.word("soft_title", title=row.title),
            row.says,
            view.word("holds" if row.holds else "broken"),
            row.bounds,
            signed(row.margin),
            view.word("basis_text", basis=row.basis, status=row.basis_status),
        )
        for row in rows
    ]
    broken = {i for i, row in enumerate(rows) if not row.holds}
    paper.table(heads, body, [28, 42, 16, 18, 17, 43], centred={2, 3, 4}, marked=broken)


def _recusals(paper: Paper, view: View) -> None:
    if not view.answer.cases:
        return
    paper.heading(view.word("recusals_title"))
    rows = [row for row in case_rows(view) if row.recused]
    if not rows:
        paper.note(view.word("recusals_none"))
        return
    paper.note(view.word("recusals_note", recused=len(rows), cases=len(view.answer.cases)))
    heads = [view.word(name) for name in ("case", "group", "recused", "present", "quorum")]
    body = [
        (row.case, row.group, row.recused, str(row.present), "—" if row.quorum is None else str(row.quorum))
        for row in rows
    ]
    paper.table(heads, body, [35, 30, 59, 20, 20], centred={3, 4})


def _funnel(paper: Paper, view: View) -> None:
    rows = gate_rows(view)
    if not rows:
        return
    paper.heading(view.word("funnel_title"))
    paper.note(view.word("funnel_note", considered=view.answer.considered))
    heads = [view.word(name) for name in ("gate", "bars", "left", "basis_cited")]
    body = [
        (
            row.title,
            str(row.bars),
            str(row.left),
            view.word("basis_text", basis=row.basis, status=row.basis_status),
        )
        for row in rows
    ]
    paper.table(heads, body, [48, 22, 22, 64], centred={1, 2})


def _reasons(paper: Paper, view: View) -> None:
    paper.heading(view.word("reasons_title"))
    heads = [view.word(name) for name in ("number", "name", "role", "reasons")]
    rows = member_rows(view) + alternate_rows(view)
    stop = view.word("semicolon")
    body = [
        (str(i), row.person.name, view.term("role", row.role), stop.join(row.reasons) or "—")
        for i, row in enumerate(rows, 1)
    ]
    paper.table(heads, body, [12, 28, 22, 94], centred={0})


def _signatures(paper: Paper, view: View) -> None:
    paper.signatures(
        view.word("signatures"),
        [view.word(f"sign_{who}") for who in ("handled", "supervisor", "office", "authority")],
        view.word("sign_date"),
    )
