"""Writing what was planned: rows in bulk, and for each table and owner one ledger entry that attests them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.accounts.separation import structure_changed
from expert_pool.bulk import insert_rows
from expert_pool.imports.known import stored_field
from expert_pool.imports.plan import Plan
from expert_pool.imports.resolve import Draft, Importer
from expert_pool.imports.sheets import SHEETS, Kind
from expert_pool.initials import initials
from expert_pool.keys import Key
from expert_pool.registry import Depth, Sanction
from expert_pool.registry.base import Table
from expert_pool.store import allocate

CHUNK = 5_000

Ids = dict[str, dict[int, int]]
"""Per sheet the id that a new row's stand-in below zero became."""


def write(
    session: Session,
    key: Key,
    importer: Importer,
    plans: Sequence[Plan],
    teller: int,
    source: str,
    wrote: Callable[[int], None],
) -> None:
    """Store all plans in the order of their sheets. `source` is the hash of the file; `wrote` hears of each chunk."""
    ids: Ids = {name: {} for name in SHEETS}
    if any(plan.draft.sheet.name in ("organisers", "pools", "committees") for plan in plans):
        structure_changed(session)
    for plan in plans:
        name, draft = plan.draft.sheet.name, plan.draft
        inserted = _order(plan)
        given = allocate(session, draft.sheet.table, len(inserted))
        stand_ins = draft.ids or range(-1, -len(draft) - 1, -1)
        ids[name] = {stand_ins[row]: id_ for row, id_ in zip(inserted, given, strict=True)}
        values = _columns(plan, inserted, given, ids, key, importer)
        _insert(session, draft.sheet.table, values, wrote)
        touched = dict(zip(inserted, given, strict=True))
        if not draft.sheet.recorded:
            _update(session, plan, ids, key)
            touched |= plan.corrected
        for owner, mine in _by_owner(draft, touched, teller, ids).items():
            ledger.append(
                session,
                organiser_id=owner,
                actor=importer.viewer.actor,
                action="import",
                subject=draft.sheet.table.__tablename__,
                payload={"source": source, "new": len(plan.new), "corrected": len(plan.corrected)},
                row_ids={draft.sheet.table: mine},
                at=importer.moment,
            )


def _order(plan: Plan) -> list[int]:
    """The rows to insert, those that others of the same sheet refer to first."""
    draft = plan.draft
    rows = [*plan.new, *(plan.corrected if draft.sheet.recorded else ())]
    rows.sort()
    if draft.sheet.name == "specialties":
        depths, order = draft.values("depth"), list(Depth)
        rows.sort(key=lambda row: order.index(depths[row]))
    elif draft.sheet.name == "disciplines":
        sanctions = draft.values("sanction")
        rows.sort(key=lambda row: sanctions[row] is Sanction.REVOCATION)
    elif draft.sheet.name == "organisers":
        above = dict(zip(draft.ids, draft.values("parent"), strict=True))

        def height(row: int) -> int:
            up, steps = above[draft.ids[row]], 0
            while up is not None and up < 0:
                up, steps = above.get(up), steps + 1
            return steps

        rows.sort(key=height)
    return rows


def _columns(
    plan: Plan, rows: Sequence[int], given: Sequence[int], ids: Ids, key: Key, importer: Importer
) -> dict[str, Sequence[Any]]:
    draft = plan.draft
    count = len(rows)
    values: dict[str, Sequence[Any]] = {"id": given}
    for column in draft.sheet.columns:
        if column.kind not in {Kind.NATIONAL_ID, Kind.PHONE}:
            values[column.field] = [draft.fields[column.field][row] for row in rows]
    for name, to in _references(draft):
        real = ids[to]
        values[name] = [real.get(id_, id_) for id_ in values[name]]
    if draft.sheet.recorded:
        moments = values["recorded_at"]
        values["recorded_at"] = [
            importer.moment if row in plan.corrected else moment
            for row, moment in zip(rows, moments, strict=True)
        ]
        values["recorded_by"] = [importer.viewer.actor] * count
        values["void"] = [False] * count
        values["corrects_id"] = [plan.corrected.get(row) for row in rows]
    if draft.sheet.name == "experts":
        values |= _sealed(draft, rows, key)
        values["pseudonym"] = [key.pseudonym(code) for code in values["code"]]
        values["initials"] = [initials(name) for name in values["name"]]
    return values


def _references(draft: Draft) -> Iterator[tuple[str, str]]:
    """The fields that hold ids, and the sheet of each."""
    for column in draft.sheet.columns:
        if column.kind is Kind.REFERENCE:
            yield column.field, column.to
    if draft.sheet.name == "disciplines":
        yield "revokes_id", "disciplines"


def _sealed(draft: Draft, rows: Sequence[int], key: Key) -> dict[str, Sequence[Any]]:
    values: dict[str, Sequence[Any]] = {}
    for column in draft.sheet.columns:
        if column.kind in {Kind.NATIONAL_ID, Kind.PHONE}:
            said, marks = draft.fields[column.field], draft.fields[stored_field(column)]
            values[f"{column.field}_sealed"] = [
                None if said[row] is None else key.seal(said[row]) for row in rows
            ]
            values[stored_field(column)] = [marks[row] for row in rows]
    return values


def _insert(
    session: Session, table: type[Table], values: Mapping[str, Sequence[Any]], wrote: Callable[[int], None]
) -> None:
    rows = zip(*values.values(), strict=True)
    while chunk := list(islice(rows, CHUNK)):
        insert_rows(session, table, list(values), chunk)
        wrote(len(chunk))


def _update(session: Session, plan: Plan, ids: Ids, key: Key) -> None:
    """Change things in place; what the file does not say stays."""
    draft = plan.draft
    table: Any = draft.sheet.table
    references = dict(_references(draft))
    for row, id_ in plan.corrected.items():
        changes: dict[str, Any] = {}
        for column in draft.sheet.values:
            if column.name not in draft.typed.columns:
                continue
            value = draft.fields[column.field][row]
            if column.field in references:
                value = ids[references[column.field]].get(value, value)
            if column.kind not in {Kind.NATIONAL_ID, Kind.PHONE}:
                changes[column.field] = value
            elif value is not None:
                changes[f"{column.field}_sealed"] = key.seal(value)
                changes[stored_field(column)] = draft.fields[stored_field(column)][row]
        if draft.sheet.name == "experts" and "name" in changes:
            changes["initials"] = initials(changes["name"])
        session.connection().execute(update(table.__table__).where(table.id == id_).values(changes))


def _by_owner(draft: Draft, touched: Mapping[int, int], teller: int, ids: Ids) -> dict[int, list[int]]:
    """The ids of the rows touched, by the organiser in whose chain they are attested."""
    owners = draft.fields.get("organiser_id")
    found: dict[int, list[int]] = {}
    real = ids["organisers"]
    for row, id_ in touched.items():
        owner = teller if owners is None else owners[row]
        found.setdefault(real.get(owner, owner), []).append(id_)
    return found


__all__ = ["CHUNK", "write"]
