"""What is to be done with each row: new, already there, or a correction; a row that says otherwise is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from expert_pool.imports.known import KnownRecord, KnownThings, stored_field
from expert_pool.imports.report import Errors
from expert_pool.imports.resolve import Draft, keys_of
from expert_pool.imports.sheets import Column, Kind, Sheet
from expert_pool.registry import NameKind, RelationKind, Sanction

SYMMETRIC = frozenset({RelationKind.RELATIVE, RelationKind.CO_AUTHOR, RelationKind.SAME_CASE})
"""Relations that say the same from either end."""

CodeOf = Callable[[str, int], str]
"""The code of a thing, from the name of its sheet and its id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows of a draft (counted from 0) that are new, and those that correct a stored row, with its id."""

    draft: Draft
    new: Sequence[int]
    corrected: Mapping[int, int]
    same: int


def plan_things(draft: Draft, known: KnownThings, correct: bool, code_of: CodeOf, errors: Errors) -> Plan:
    """Compare a sheet of things with the registry. A difference is an error unless `correct`."""
    there = known.rows[draft.sheet.name]
    keys = (
        list(zip(draft.values("old"), draft.values("new"), strict=True))
        if draft.sheet.name == "specialty_mappings"
        else keys_of(draft.typed)
    )
    _check_twice(draft, keys, errors)
    compare = _Comparison(draft, correct, code_of, errors)
    for row, key in enumerate(keys):
        thing = there.get(key)
        if thing is None:
            compare.new.append(row)
        elif thing.visible:
            stored = dict(zip((column.name for column in draft.sheet.values), thing.values, strict=True))
            compare.judge(row, thing.id, stored)
    return compare.plan()


def plan_records(
    draft: Draft, records: Sequence[KnownRecord], correct: bool, code_of: CodeOf, errors: Errors
) -> Plan:
    """Compare a sheet of records with the registry. A difference is an error unless `correct`."""
    sheet = draft.sheet
    names = [sheet.column(name).field for name in sheet.key]
    needed = [draft.fields[sheet.column(name).field] for name in sheet.key if sheet.column(name).required]
    needed.append(draft.fields["organiser_id"])
    unread = {row for values in needed if None in values for row, value in enumerate(values) if value is None}
    told = zip(draft.fields["organiser_id"], *(draft.fields[name] for name in names), strict=True)
    keys = [None if row in unread else _canonical(sheet, key) for row, key in enumerate(told)]
    _check_twice(draft, keys, errors)
    there = {
        _canonical(sheet, (record.organiser_id, *(record.values[name] for name in names))): record
        for record in records
    }
    compare = _Comparison(draft, correct, code_of, errors)
    for row, key in enumerate(keys):
        record = there.get(key) if key is not None else None
        if record is None:
            compare.new.append(row)
        elif record.superseded or record.void:
            compare.error(
                row, sheet.key[0], "import.superseded" if record.superseded else "import.taken_back"
            )
        else:
            stored = {column.name: record.values[column.field] for column in sheet.values}
            compare.judge(row, record.id, stored)
    plan = compare.plan()
    _keep_unsaid(plan, {record.id: record for record in records})
    return plan


def aim_revocations(plan: Plan, records: Sequence[KnownRecord], errors: Errors) -> None:
    """Turn the days of revoked sanctions into ids (below zero: a row of this file), and guard bans for life.

    `records` as stored; the plan was made with `by_day(records)`.
    """
    draft = plan.draft
    by_id = {record.id: record for record in records}
    revoked = {record.values["revokes_id"] for record in records if _stands(record)}
    targets: dict[tuple[Any, Any], dict[int, Sanction]] = {}
    for record in records:
        if _stands(record) and record.values["sanction"] is not Sanction.REVOCATION:
            targets.setdefault((record.values["expert_id"], record.values["holds_on"]), {})[record.id] = (
                record.values["sanction"]
            )
    experts, sanctions, days = (draft.values(name) for name in ("expert", "sanction", "holds_on"))
    for row in [*plan.new, *plan.corrected]:
        if sanctions[row] is not Sanction.REVOCATION:
            there = targets.setdefault((experts[row], days[row]), {})
            there.pop(plan.corrected.get(row, 0), None)
            there[-row - 1] = sanctions[row]
    for row, id_ in plan.corrected.items():
        old = by_id[id_].values
        if old["sanction"] is Sanction.BAN and (
            id_ in revoked or (old["until"] is None and draft.values("until")[row] is not None)
        ):
            code = "import.ban_revoked" if id_ in revoked else "import.ban_stands"
            _error(draft, row, "until", code, errors)
    aims = draft.fields["revokes_id"]
    for row in [*plan.new, *plan.corrected]:
        day, aims[row] = aims[row], None
        if day is None or sanctions[row] is not Sanction.REVOCATION or days[row] is None:
            continue
        found = targets.get((experts[row], day), {})
        bans = [id_ for id_, sanction in found.items() if sanction is Sanction.BAN] or list(found)
        if len(bans) != 1:
            code = "import.revokes_unclear" if bans else "import.revokes_unknown"
            _error(draft, row, "revokes", code, errors, value=day.isoformat())
        elif days[row] < day:
            _error(draft, row, "holds_on", "import.revoked_before", errors, value=day.isoformat())
        else:
            aims[row] = bans[0]


def by_day(records: Sequence[KnownRecord]) -> list[KnownRecord]:
    """Records of discipline with the day of the revoked sanction in place of its id, as a sheet says it."""
    days = {record.id: record.values["holds_on"] for record in records}
    return [
        KnownRecord(
            record.id,
            record.organiser_id,
            record.void,
            record.superseded,
            {**record.values, "revokes_id": days.get(record.values["revokes_id"])},
        )
        for record in records
    ]


class _Comparison:
    """Sorts the rows of one draft into new, same and corrected."""

    def __init__(self, draft: Draft, correct: bool, code_of: CodeOf, errors: Errors) -> None:
        self.draft = draft
        self.correct = correct
        self.code_of = code_of
        self.errors = errors
        self.new: list[int] = []
        self.corrected: dict[int, int] = {}
        self.same = 0
        given = [column for column in draft.sheet.values if column.name in draft.typed.columns]
        self.given = [(column, draft.fields[stored_field(column)]) for column in given]

    def judge(self, row: int, id_: int, stored: Mapping[str, Any]) -> None:
        different = [
            (column, stored[column.name], values[row])
            for column, values in self.given
            if values[row] != stored[column.name]
            and not (values[row] is None and stored_field(column) != column.field)
        ]
        if not different:
            self.same += 1
        elif self.correct:
            self.corrected[row] = id_
        else:
            for column, old, new in different:
                self._changed(row, column, old, new)

    def error(self, row: int, name: str, code: str, **params: Any) -> None:
        _error(self.draft, row, name, code, self.errors, **params)

    def plan(self) -> Plan:
        return Plan(self.draft, self.new, self.corrected, self.same)

    def _changed(self, row: int, column: Column, old: Any, new: Any) -> None:
        if new is None and column.required:
            return  # it could not be read, which is said already
        if stored_field(column) != column.field:
            self.error(row, column.name, "import.changed_sealed")
            return
        said = self.draft.typed.values(column.name)[row]
        self.error(
            row, column.name, "import.changed", old=self._shown(column, old), new=self._shown(column, said)
        )

    def _shown(self, column: Column, value: Any) -> str:
        if value is None:
            return ""
        if column.kind is Kind.REFERENCE and isinstance(value, int):
            return self.code_of(column.to, value)
        if isinstance(value, date | datetime):
            return value.isoformat()
        return value.value if isinstance(value, StrEnum) else str(value)


def _check_twice(draft: Draft, keys: Iterable[Any], errors: Errors) -> None:
    first: dict[Any, int] = {}
    for row, key in enumerate(keys):
        if key is not None and first.setdefault(key, row) != row:
            _error(
                draft, row, draft.sheet.key[0], "import.twice", errors, first=draft.typed.numbers[first[key]]
            )


def _canonical(sheet: Sheet, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key under which two tellings of one record are the same: its organiser, then the sheet's key columns."""
    if sheet.name == "employer_names" and key[2] is NameKind.OFFICIAL:
        return (*key[:3], "", *key[4:])
    if sheet.name == "relations" and key[1] in SYMMETRIC and key[3] is not None and key[3] < key[2]:
        return (*key[:2], key[3], key[2], *key[4:])
    return key


def _keep_unsaid(plan: Plan, records: Mapping[int, KnownRecord]) -> None:
    """A correction keeps what the file has no column for."""
    unsaid = [c.field for c in plan.draft.sheet.values if c.name not in plan.draft.typed.columns]
    for row, id_ in plan.corrected.items():
        for name in unsaid:
            plan.draft.fields[name][row] = records[id_].values[name]


def _stands(record: KnownRecord) -> bool:
    return not (record.void or record.superseded)


def _error(draft: Draft, row: int, name: str, code: str, errors: Errors, **params: Any) -> None:
    errors.add(draft.sheet.name, draft.typed.numbers[row], draft.typed.header(name), code, **params)


__all__ = ["SYMMETRIC", "Plan", "aim_revocations", "by_day", "plan_records", "plan_things"]
