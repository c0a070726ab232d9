"""The panel in a terminal: short tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
from expert_pool.documents.people import Person
from expert_pool.documents.view import View
from solver.answer import Answer
from solver.problem import Problem

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

MOST_CASES = 10


def panel_text(
    answer: Answer,
    people: Mapping[str, Person],
    lang: str,
    problem: Problem | None = None,
    *,
    reasons: bool = False,
) -> Group:
    """The panel as something a rich console prints. `reasons` adds why each person sits, the funnel, and every recusal."""
    from rich.console import Group
    from rich.text import Text

    view = View(answer, people, lang, problem)
    parts: list[Table | Text] = [_summary(view)]
    if answer.members:
        parts += [_people(view)]
        parts += [_alternates(view)] if answer.alternates else []
        parts += [_reasons(view)] if reasons else []
    elif answer.why_not:
        parts.append(Text("\n" + view.word("why_not"), style="bold"))
        parts += [Text(f"  {number}. {view.tell(why)}") for number, why in enumerate(answer.why_not, 1)]
    if answer.rules:
        parts.append(_rules(view))
    if any(case.recused for case in answer.cases):
        parts.append(_recusals(view, None if reasons else MOST_CASES))
    if answer.funnel and (reasons or not answer.members):
        parts.append(_funnel(view))
    parts += [Text(banner, style="bold red") for banner in banners(view)]
    return Group(*parts)


def titled(title: str) -> Table:
    """An empty table as the terminal shows them: its title above, no lines but the one under the heads."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    return Table(
        title=Text(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        title_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
    )


def _table(view: View, title: str, *heads: str) -> Table:
    from rich.text import Text

    table = titled(view.word(title))
    for head in heads:
        figures = head in ("margin", "present", "quorum", "bars", "left", "number", "order")
        table.add_column(
            Text(view.word(head)),
            justify="right" if figures else "left",
            no_wrap=figures or head in ("name", "role", "bounds", "case", "employer"),
            overflow="ellipsis" if head == "employer" else "fold",
        )
    return table


def _summary(view: View) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", max_width=36)
    table.add_column(overflow="fold")
    for label, text in summary(view):
        table.add_row(Text(label), Text(text))
    return table


def _people(view: View) -> Table:
    heads = ["group", "number", "role", "name", *_known(view)]
    table = _table(view, "members_title", *heads)
    last = ""
    for row in member_rows(view):
        style = "bold" if row.role != "member" else ""
        group = "" if row.group == last else row.group
        _row(table, group, str(row.number), view.term("role", row.role), *_who(view, row), style=style)
        last = row.group
    return table


def _alternates(view: View) -> Table:
    table = _table(view, "alternates_title", "group", "order", "name", *_known(view))
    last = ""
    for row in alternate_rows(view):
        _row(table, "" if row.group == last else row.group, str(row.order), *_who(view, row))
        last = row.group
    return table


def _known(view: View) -> list[str]:
    """The columns of which anything is known."""
    seated = [view.person(m.expert) for m in view.answer.members]
    return [column for column in ("employer", "sector", "rank") if any(getattr(p, column) for p in seated)]


def _who(view: View, row: MemberRow) -> list[str]:
    said = {
        "employer": row.person.employer,
        "sector": view.term("sector", row.person.sector),
        "rank": view.term("rank", row.person.rank),
    }
    return [row.person.name, *(said[column] for column in _known(view))]


def _reasons(view: View) -> Table:
    table = _table(view, "reasons_title", "number", "name", "reasons")
    rows = [*member_rows(view), *alternate_rows(view)]
    for number, row in enumerate(rows, 1):
        _row(table, str(number), row.person.name, view.word("semicolon").join(row.reasons) or "—")
    return table


def _rules(view: View) -> Table:
    """Every rule with its margin and legal basis, but for gates that hold: the funnel tells those."""
    table = _table(view, "rules_title", "rule", "says", "bounds", "margin", "basis")
    for row in rule_rows(view):
        if row.rule == "gate" and row.holds:
            continue
        title = row.title if row.hard else view.word("soft_title", title=row.title)
        style = "" if row.holds else "bold red" if row.hard else "yellow"
        _row(
            table,
            title,
            row.says,
            row.bounds,
            signed(row.margin),
            f"{row.basis} · {row.basis_status}".lstrip(" ·"),
            style=style,
        )
    return table


def _recusals(view: View, most: int | None) -> Table:
    """Cases with recusals and the quorum left, so many of them at most."""
    table = _table(view, "recusals_title", "case", "group", "recused", "present", "quorum")
    rows = [row for row in case_rows(view) if row.recused]
    for row in rows[:most]:
        _row(
            table,
            row.case,
            row.group,
            row.recused,
            str(row.present),
            "—" if row.quorum is None else str(row.quorum),
        )
    if most is not None and len(rows) > most:
        table.caption = view.word("more_cases", count=len(rows) - most)
        table.caption_justify = "left"
    return table


def _funnel(view: View) -> Table:
    table = _table(view, "funnel_title", "gate", "bars", "left", "basis")
    for row in gate_rows(view):
        _row(table, row.title, str(row.bars), str(row.left), row.basis)
    return table


def _row(table: Table, *cells: str, style: str = "") -> None:
    from rich.text import Text

    table.add_row(*(Text(cell) for cell in cells), style=style)
