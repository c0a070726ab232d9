"""One row at a time into the registry: things are entered and changed, records added, corrected and withdrawn.

The rules are those of import: a row is typed, resolved and checked by the same functions that judge a file, so that
what a clerk types and what a file brings are held to the same. Every row is a ledger entry in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.imports.cells import read_column
from expert_pool.imports.checks import check
from expert_pool.imports.known import (
    KnownThings,
    code_of,
    known_links,
    known_records,
    known_things,
    subject_fields,
)
from expert_pool.imports.plan import aim_revocations, by_day, plan_records
from expert_pool.imports.report import Errors
from expert_pool.imports.resolve import Draft, Importer, Resolved, resolve
from expert_pool.imports.sheets import SHEETS, Column, Kind, Sheet
from expert_pool.imports.typed import TypedSheet
from expert_pool.keys import Key
from expert_pool.privacy.erasure import is_erased
from expert_pool.privacy.marks import Marker, marker
from expert_pool.registry import (
    Agenda,
    Committee,
    Discipline,
    Expert,
    Organiser,
    Pool,
    Recorded,
    Sanction,
    Table,
)
from expert_pool.rows import SEALED, find_record, find_thing, telling
from expert_pool.viewer import Viewer
from solver.errors import Fault

Values = Mapping[str, Any]
"""The cells of a row by the English names of the sheet's columns: codes for other rows, dates, enums, texts."""


def enter(
    session: Session, viewer: Viewer, key: Key, sheet: str, values: Values, *, organiser: str | None = None
) -> Any:
    """Store a new thing with its ledger entry and return its row.

    `organiser` names the one in whose chain it is told; by default the one the thing hangs below, else the viewer's
    only one. Raises Fault `entering.exists`, and the `import.*` codes of what a row may not say, `where` naming the
    column.
    """
    spec = SHEETS[sheet]
    _require(spec, values)
    teller = organiser or _teller(session, viewer, spec, values)
    draft, resolved, known = _judged(session, viewer, key, spec, values, teller)
    if known.rows[sheet].get(str(values["code"])) is not None:
        raise Fault("entering.exists", str(values["code"]), what=sheet)
    fields = _fields(draft, key, sealed=True)
    if spec.table is Expert:
        fields["pseudonym"] = key.pseudonym(fields["code"])
    row: Any = spec.table(**fields)
    session.add(row)
    session.flush()
    _tell(session, viewer, row, resolved, "enter", sorted(fields))
    return row


def change(
    session: Session,
    viewer: Viewer,
    key: Key,
    sheet: str,
    row: Any,
    values: Values,
    *,
    organiser: str | None = None,
) -> Any:
    """Change columns of a thing in place, with its ledger entry; what `values` does not name stays.

    `row` is held for update by the caller. A masked national ID or phone is left as it is. Faults as `enter`.
    """
    spec = SHEETS[sheet]
    if spec.name == "experts" and is_erased(session, [row.id]):
        raise Fault("import.erased", row.code)
    asked = {"code": row.code, **values}
    if spec.name == "experts" and "national_id" in values and "born" not in values:
        asked["born"] = row.born
    teller = organiser or _teller(session, viewer, spec, _codes_above(session, spec, row))
    draft, resolved, _ = _judged(session, viewer, key, spec, asked, teller)
    if spec.name == "organisers" and "parent" in values:
        _refuse_loop(session, row.id, draft.values("parent")[0])
    if spec.name == "organisers":
        viewer.require(row.id)
    changed = {name: value for name, value in _fields(draft, key, sealed=False).items() if name != "code"}
    for name, value in changed.items():
        setattr(row, name, value)
    session.flush()
    _tell(session, viewer, row, resolved, "change", sorted(changed))
    return row


def held(session: Session, viewer: Viewer, sheet: str, code: str) -> Any:
    """The row of a thing, held for update. Raises Fault `entering.thing_unknown`."""
    number = find_thing(session, viewer, sheet, code).number
    table: Any = SHEETS[sheet].table
    return session.scalars(select(table).where(table.id == number).with_for_update()).one()


def add(
    session: Session, viewer: Viewer, key: Key, sheet: str, values: Values, *, organiser: str | None = None
) -> Any:
    """Store a new record with its ledger entry and return its row. `organiser` owns it; by default that of the
    committee or pool it speaks of, else the viewer's only one.

    Raises Fault `entering.known_already`, the `record.*` codes of `records.record`, and as `enter`.
    """
    spec = SHEETS[sheet]
    _require(spec, values)
    teller = organiser or _teller(session, viewer, spec, values)
    draft, _, _ = _judged(session, viewer, key, spec, values, teller)
    errors = Errors()
    subjects = {draft.fields[name][0] for name in subject_fields(spec)} - {None}
    stored = known_records(session, viewer, spec, subjects)
    of_discipline = spec.table is Discipline
    plan = plan_records(
        draft, by_day(stored) if of_discipline else stored, False, lambda *at: code_of(session, *at), errors
    )
    if plan.same:
        raise Fault("entering.known_already", sheet)
    if of_discipline and plan.new:
        aim_revocations(plan, stored, errors)
    _refuse(errors)
    fields = {column.field: draft.fields[column.field][0] for column in spec.columns}
    fields["recorded_at"] = None
    if of_discipline and fields["sanction"] is Sanction.REVOCATION:
        revoked = session.get_one(Discipline, fields["revokes_id"])
        if revoked.sanction is Sanction.BAN:
            basis = str(fields["basis"])
            return records.revoke_ban(session, viewer, revoked, holds_on=fields["holds_on"], basis=basis)
    return records.record(session, viewer, spec.table(**fields))  # type: ignore[type-var]


def correct(session: Session, viewer: Viewer, key: Key, sheet: str, number: int, values: Values) -> Any:
    """Store the correction of a record as a new row with its ledger entry and return that; what `values` does not name
    is taken over. Faults as `records.correct` and `enter`."""
    spec = SHEETS[sheet]
    old = _record(session, viewer, spec, number)
    before = _told_cells(session, viewer, spec, number)
    cells = {**before, **values}
    if spec.table is Discipline:  # what it revokes is known by its row already
        cells.pop("revokes", None)
    draft, _, _ = _judged(session, viewer, key, spec, cells, None, owner=old.organiser_id)
    fields = {column.field: draft.fields[column.field][0] for column in spec.columns if column.name in cells}
    if spec.table is Discipline:
        fields["revokes_id"] = old.revokes_id
    fields |= {"recorded_at": None, "organiser_id": old.organiser_id}
    return records.correct(session, viewer, old, spec.table(**fields))


def withdraw(session: Session, viewer: Viewer, sheet: str, number: int) -> Any:
    """Take a record back: a void row corrects it. Faults as `records.withdraw`, and `entering.record_unknown`."""
    return records.withdraw(session, viewer, _record(session, viewer, SHEETS[sheet], number))


def _judged(
    session: Session,
    viewer: Viewer,
    key: Key,
    spec: Sheet,
    values: Values,
    organiser: str | None,
    *,
    owner: int | None = None,
) -> tuple[Draft, Resolved, KnownThings]:
    """One row through import's own judgement. `owner`: the organiser is known already."""
    errors = Errors()
    typed = {spec.name: _typed(spec, values, errors)}
    _refuse(errors)
    only = (
        viewer if owner is None else Viewer(viewer.actor, frozenset((owner,)), committees=viewer.committees)
    )
    importer = Importer(only, organiser, clock.today(), clock.now())
    marks = _marks(typed[spec.name], marker(session, key)) if spec.name == "experts" else {}
    known = known_things(
        session, only, typed, set(filter(None, marks.get("national_id_mark", ()))), organiser
    )
    resolved = resolve(typed, known, importer, errors)
    draft = resolved.drafts[spec.name]
    draft.fields.update(marks)
    links = known_links(session, only) if spec.name == "employer_links" else []
    check(resolved, known, importer, links, errors)
    _refuse(errors)
    return draft, resolved, known


def _typed(spec: Sheet, values: Values, errors: Errors) -> TypedSheet:
    columns: dict[str, list[Any]] = {}
    for column in spec.columns:
        if column.name in values:
            read, troubles = read_column(column, [_cell(values[column.name])])
            columns[column.name] = read
            for _, code, params in troubles:
                errors.add(spec.name, 1, column.name, code, **params)
    return TypedSheet(spec, [1], {name: name for name in columns}, columns)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _require(spec: Sheet, values: Values) -> None:
    missing = [c.name for c in spec.columns if c.required and values.get(c.name) in (None, "")]
    if missing:
        raise Fault("import.required", missing[0])


def _refuse(errors: Errors) -> None:
    """Raise the first error as a Fault that names its column."""
    found = errors.sorted()
    if found:
        first = found[0]
        code = "entering.reference_unknown" if first.code == "import.unknown" else first.code
        raise Fault(code, first.column, **first.params)


def _fields(draft: Draft, key: Key, *, sealed: bool) -> dict[str, Any]:
    """The values of the columns that were given, as the table takes them; with `sealed` also of those left out."""
    fields: dict[str, Any] = {}
    for column in draft.sheet.columns:
        given = column.name in draft.typed.columns
        value = draft.fields[column.field][0]
        if column.kind in SEALED:
            fields |= _sealed(column, draft, key, given=given, new=sealed)
        elif given or sealed:
            fields[column.field] = value
    return fields


def _sealed(column: Column, draft: Draft, key: Key, *, given: bool, new: bool) -> dict[str, Any]:
    plain = draft.fields[column.field][0]
    if plain is None and not new:
        return {}
    mark = draft.fields[f"{column.field}_mark"][0]
    return {
        f"{column.field}_sealed": None if plain is None else key.seal(plain),
        f"{column.field}_mark": mark,
    }


def _marks(typed: TypedSheet, mark: Marker) -> dict[str, list[Any]]:
    return {
        f"{name}_mark": [value and mark(value) for value in typed.values(name)]
        for name in ("national_id", "phone")
    }


def _teller(session: Session, viewer: Viewer, spec: Sheet, values: Values) -> str | None:
    """The organiser that what a row speaks of belongs to, by code; None where it speaks of nobody's."""
    owner: Any = None
    if spec.name == "organisers":
        return str(values.get("parent") or values["code"])
    if values.get("organiser"):
        return str(values["organiser"])
    if "agenda" in values:
        owner = (
            select(Committee.organiser_id)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .where(Agenda.code == str(values["agenda"]))
        )
    elif "committee" in values:
        owner = select(Committee.organiser_id).where(Committee.code == str(values["committee"]))
    elif "pool" in values:
        owner = select(Pool.organiser_id).where(Pool.code == str(values["pool"]))
    if owner is None:
        return None
    found = session.execute(
        select(Organiser.id, Organiser.code).where(Organiser.id == owner.scalar_subquery())
    ).one_or_none()
    if found is None or (spec.recorded and not viewer.owns(found.id)):
        return None
    return str(found.code)


def _codes_above(session: Session, spec: Sheet, row: Any) -> dict[str, Any]:
    """What a stored thing hangs below, by code, as `_teller` reads it."""
    tells = telling(spec.name)
    found = session.execute(tells.statement.where(tells.table.id == row.id)).one()
    names = {column.name for column in spec.columns if column.kind is Kind.REFERENCE} | {"code"}
    return {name: value for name, value in found._mapping.items() if name in names}


def _told_cells(session: Session, viewer: Viewer, spec: Sheet, number: int) -> dict[str, Any]:
    row = find_record(session, viewer, spec.name, number)
    return {
        column.name: row._mapping[column.name]
        for column in spec.columns
        if column.name not in ("organiser", "recorded_at")
    }


def _record(session: Session, viewer: Viewer, spec: Sheet, number: int) -> Any:
    find_record(session, viewer, spec.name, number)
    table: Any = spec.table
    assert issubclass(table, Recorded)
    return session.scalars(select(table).where(table.id == number)).one()


def _refuse_loop(session: Session, organiser_id: int, parent: int | None) -> None:
    seen = {organiser_id}
    while parent is not None:
        if parent in seen:
            code = session.scalar(select(Organiser.code).where(Organiser.id == parent))
            raise Fault("import.organiser_cycle", "parent", value=code)
        seen.add(parent)
        parent = session.scalar(select(Organiser.parent_id).where(Organiser.id == parent))


def _tell(
    session: Session, viewer: Viewer, row: Table, resolved: Resolved, action: str, names: list[str]
) -> None:
    owner = getattr(row, "organiser_id", None) or resolved.teller
    if owner is not None and owner < 0:  # an organiser that stands above all tells of itself
        owner = row.id
    assert owner is not None
    ledger.append(
        session,
        organiser_id=owner,
        actor=viewer.actor,
        action=action,
        subject=f"{row.__tablename__}/{row.id}",
        payload={"columns": names},
        rows=[row],
    )
