"""What of an expert's data is personal, column by column, and what stands in its place when it is gone.

Every text, date and bytes column of every table that hangs on an expert is named here, as personal or as kept; a test
asks for each, so that a new column is a decision and not an accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from expert_pool.registry import (
    Absence,
    Account,
    Applicant,
    CycleCase,
    CycleDecision,
    CycleEvidence,
    Discipline,
    Erasure,
    Expert,
    Look,
    Membership,
    Notice,
    NoticeAddress,
    Relation,
    Reply,
    Table,
)


@dataclass(frozen=True, slots=True)
class Personal:
    """The personal columns of one table and what they become; `through` are its columns that name an expert."""

    table: type[Table]
    blanks: Mapping[str, Any]
    through: tuple[str, ...] = ("expert_id",)
    spared: str = ""
    """The name of what may keep some rows as they are: see `erasure`."""


@dataclass(frozen=True, slots=True)
class Blanked:
    """How many rows of a table lose what, and their ids."""

    table: type[Table]
    columns: tuple[str, ...]
    ids: tuple[int, ...] = field(repr=False)


RECORDS = (
    Personal(Membership, {"reason": ""}),
    Personal(Absence, {"reason": ""}),
    Personal(Relation, {"source": ""}, through=("expert_id", "other_expert_id")),
    Personal(Reply, {"text": ""}),
    Personal(Discipline, {"basis": ""}, spared="in_force"),
    Personal(Look, {"purpose": ""}),
    Personal(Erasure, {"note": ""}),
    Personal(Account, {"password": None, "totp_sealed": None}),
    Personal(Notice, {"params_sealed": None}),
    Personal(NoticeAddress, {"address_sealed": None}),
    Personal(CycleCase, {"reasons": "[]", "amended_why": None}),
    Personal(CycleDecision, {"reason": "", "answer": None}),
    Personal(CycleEvidence, {"name": "", "content_sealed": None}),
)
"""Free text about an expert, and what an account of theirs signs in with."""

EXPERT_BLANKS: Mapping[str, Any] = {
    "initials": "",
    "gender": None,
    "born": None,
    "national_id_sealed": None,
    "phone_sealed": None,
    "phone_mark": None,
}
"""Of the expert's own row, besides the name (the pseudonym takes its place), the region (its province stays) and the
mark of the national ID (a ban in force keeps it)."""

KEPT: Mapping[str, frozenset[str]] = {
    "expert": frozenset({"code", "pseudonym", "name", "national_id_mark", "region"}),
    "account": frozenset({"name", "language", "created_by"}),
    "applicant": frozenset({"code", "name"}),
    "cycle_case": frozenset({"state", "measure", "decided_by", "amended_by", "executed", "corrected"}),
    "cycle_decision": frozenset({"measure", "by", "verdict", "answered_by"}),
    "cycle_evidence": frozenset({"media_type", "sha256"}),
    "discipline": frozenset({"sanction"}),
    "erasure": frozenset({"code", "state", "basis", "proposed_by", "decided_by"}),
    "look": frozenset({"actor", "fields"}),
    "membership": frozenset({"step"}),
    "notice": frozenset({"code", "cause", "kind"}),
    "notice_address": frozenset({"form", "language", "changed_by"}),
    "qualification": frozenset({"series", "rank"}),
    "relation": frozenset({"kind"}),
    "reply": frozenset({"about_table"}),
    "seat": frozenset({"group", "role"}),
    "service": frozenset({"panel", "role", "outcome"}),
    "training": frozenset({"course"}),
    "credit": frozenset({"event"}),
}
"""Columns that stay: codes, words of ours, names of accounts, dates of records (which explain old panels). The names of
an expert's row and of an applicant's are replaced, not kept: see `erasure`."""


def personal_rows(
    session: Session, expert_id: int, spared: Mapping[str, frozenset[int]]
) -> Iterator[Blanked]:
    """The rows about an expert that hold something personal now, table by table."""
    for each in RECORDS:
        table: Any = each.table
        about = [getattr(table, name) == expert_id for name in each.through]
        ids: list[int] = []
        for condition in about:
            rows = session.execute(select(table).where(condition)).scalars()
            ids += [row.id for row in rows if any(getattr(row, c) != v for c, v in each.blanks.items())]
        left = sorted(set(ids) - spared.get(each.spared, frozenset()))
        if left:
            yield Blanked(each.table, tuple(each.blanks), tuple(left))
    applicants = session.execute(select(Applicant).where(Applicant.expert_id == expert_id)).scalars()
    if ids := [row.id for row in applicants if row.name != row.code]:
        yield Blanked(Applicant, ("name",), tuple(sorted(ids)))
    yield Blanked(Expert, ("name", "region", *EXPERT_BLANKS), (expert_id,))


def blank(session: Session, found: Blanked, expert: Expert, *, keep_mark: bool) -> None:
    """Put the blanks in the place of what is personal."""
    table: Any = found.table
    if found.table is Expert:
        values = dict(EXPERT_BLANKS) | {"name": expert.pseudonym, "region": _province(expert.region)}
        if not keep_mark:
            values["national_id_mark"] = None
    elif found.table is Applicant:
        values = {"name": Applicant.code}
    else:
        values = dict(next(each.blanks for each in RECORDS if each.table is found.table))
    change = update(table).where(table.id.in_(found.ids)).values(values)
    session.execute(change.execution_options(synchronize_session=False))
    session.expire_all()


def _province(region: str) -> str:
    """Of an administrative code its province; anything else is unknown."""
    return f"{region[:2]}0000" if len(region) == 6 and region.isdigit() else "000000"
