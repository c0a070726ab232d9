"""Asking for an audit: a roster as a file or as bytes, with or without what the registry knows of its people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from expert_pool.audits.auditing import audit
from expert_pool.audits.reading import read_roster
from expert_pool.audits.report import Audit
from expert_pool.audits.roster import RosterFaults
from expert_pool.audits.template import write_template
from expert_pool.imports.unpacking import kind_of
from expert_pool.policies.policy import Policy
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

MOST_UNPACKED = 64 * 1024**2
"""A roster that comes as bytes and is longer than this, unpacked, is refused unread."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The registry behind an audit, as the committee of this code may see it. The look at each expert whom it knows is
    written into its ledger, with the purpose."""

    store: Store
    viewer: Viewer
    committee: str
    purpose: str


def audited(
    path: Path,
    policy: Policy,
    on: date,
    *,
    level: str = "senior",
    registry: Behind | None = None,
    report: Reporter = silent,
) -> Audit:
    """The verdict on the panel in a roster file as of the day `on`.

    `registry`: where given, the facts that the roster leaves out are taken from there. Raises RosterFaults, and Fault as `read_roster`, `audit`
    and `registry.completed` do.
    """
    report(Progress("audit"))
    roster = read_roster(path, on)
    if registry is None:
        return audit(roster, policy, on, level=level)
    from expert_pool.audits.registry import completed

    report(Progress("audit_registry"))
    roster, used = completed(
        registry.store,
        registry.viewer,
        roster,
        committee=registry.committee,
        policy=policy,
        on=on,
        purpose=registry.purpose,
    )
    return audit(roster, policy, on, level=level, registry=used)


def audited_bytes(
    content: bytes,
    name: str,
    policy: Policy,
    on: date,
    *,
    level: str = "senior",
    registry: Behind | None = None,
    report: Reporter = silent,
) -> Audit:
    """The same of a roster that was sent. What kind of file it is shows in its bytes; `name` is only ever shown.

    Raises Fault as `audited` and `imports.unpacking.kind_of` do, with `name` as the place.
    """
    try:
        suffix = kind_of(content, name, most=MOST_UNPACKED)
        with TemporaryDirectory(prefix="expert-pool-") as folder:
            path = Path(folder) / f"roster{suffix}"
            path.write_bytes(content)
            found = audited(path, policy, on, level=level, registry=registry, report=report)
    except RosterFaults as faults:
        raise RosterFaults(name, faults.errors) from None
    except Fault as fault:
        if fault.code.startswith("import."):
            raise Fault(fault.code, name, **fault.params) from None
        raise
    return found.model_copy(update={"roster": found.roster.model_copy(update={"file": name})})


def audit_papers(found: Audit, languages: Iterable[str]) -> dict[str, bytes]:
    """Report and workbook of an audit in these languages, by name."""
    from expert_pool.documents.audit_document import audit_document
    from expert_pool.documents.audit_workbook import audit_workbook

    papers: dict[str, bytes] = {}
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        for lang in languages:
            for write, suffix in ((audit_document, "docx"), (audit_workbook, "xlsx")):
                name = f"audit.{lang}.{suffix}"
                write(found, lang, Path(folder) / name)
                papers[name] = (Path(folder) / name).read_bytes()
    return papers


def template_bytes(lang: str) -> bytes:
    """An empty roster as .xlsx with headers in `lang`."""
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        return write_template(Path(folder) / "roster.xlsx", lang).read_bytes()


__all__ = ["MOST_UNPACKED", "Behind", "audit_papers", "audited", "audited_bytes", "template_bytes"]
