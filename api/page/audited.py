"""The outcome of an audit as a page shows it: as the paper says it, so that both say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expert_pool.audits import Audit
from expert_pool.documents import audit_contents as contents
from expert_pool.documents.audit_contents import AuditView, FindingRow, RuleRow


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit in words: `broken` tells whether a rule that must hold is."""

    broken: bool
    conclusion: str
    banners: Sequence[str]
    summary: Sequence[tuple[str, str]]
    findings: Sequence[FindingRow]
    rules: Sequence[RuleRow]
    left_out: Sequence[tuple[str, str, str]]


def audited(kind: str, result: Mapping[str, Any] | None, lang: str) -> Audited | None:
    """The outcome of a run, where it was an audit of a roster that could be read."""
    if kind != "roster.audit" or not result or not result.get("audit"):
        return None
    audit = Audit.model_validate(result["audit"])
    view = AuditView(audit, lang)
    return Audited(
        audit.broken,
        contents.conclusion(view),
        contents.banners(view),
        contents.summary(view),
        contents.finding_rows(view),
        contents.rule_rows(view),
        contents.left_out(view),
    )
