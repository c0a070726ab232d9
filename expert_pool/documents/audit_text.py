"""The audit of a foreign panel in a terminal: short tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from expert_pool.audits.report import Audit
from expert_pool.documents.audit_contents import (
    AuditView,
    banners,
    conclusion,
    finding_rows,
    rule_rows,
    summary,
)
from expert_pool.documents.text import titled

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

MOST_FINDINGS = 40

_STYLES = {"broken": "bold red", "short": "yellow", "not_judged": "cyan", "kept": ""}


def audit_text(audit: Audit, lang: str) -> Group:
    """An audit as something a rich console prints: summary, findings, what was not judged, every rule."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    view = AuditView(audit, lang)
    head = Table.grid(padding=(0, 2))
    head.add_column(style="dim", max_width=36)
    head.add_column(overflow="fold")
    for label, text in summary(view):
        head.add_row(Text(label), Text(text))
    parts: list[Table | Text] = [head]
    findings = finding_rows(view)
    if findings:
        rows = [(f.title, f.says, f.who or "—", f.margin, f.basis) for f in findings[:MOST_FINDINGS]]
        parts.append(_table(view, "findings", ("rule", "finding", "who", "margin", "basis"), rows))
    if len(findings) > MOST_FINDINGS:
        parts.append(Text(view.word("more_findings", count=len(findings) - MOST_FINDINGS)))
    every = rule_rows(view)
    undecided = [(row.title, row.missing, row.value, row.bounds) for row in every if row.missing]
    if undecided:
        parts.append(_table(view, "undecided", ("rule", "missing", "known", "bounds"), undecided))
    rows = [
        (row.title, view.word(f"verdict.{row.verdict}"), row.says or "—", row.margin, row.basis)
        for row in every
    ]
    styles = [_STYLES[row.verdict] for row in every]
    parts.append(_table(view, "all_rules", ("rule", "verdict", "measured", "margin", "basis"), rows, styles))
    parts += [Text(f"· {view.tell(note)}") for note in audit.notes]
    style = "bold red" if audit.broken else "bold"
    parts += [Text(banner, style="bold red") for banner in banners(view)]
    return Group(*parts, Text(conclusion(view), style=style))


def _table(
    view: AuditView,
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    styles: Sequence[str] = (),
) -> Table:
    from rich.text import Text

    table = titled(view.word(title))
    for head in heads:
        table.add_column(
            Text(view.word(head)), overflow="fold", no_wrap=head in ("margin", "bounds", "verdict")
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(cell) for cell in row), style=styles[number] if styles else "")
    return table
