"""From codes to ids: every reference of a file is looked up in the registry and in the file itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from expert_pool.imports.known import KnownThings
from expert_pool.imports.report import Errors
from expert_pool.imports.sheets import SHEETS, Column, Kind, Sheet
from expert_pool.imports.specialties import Catalogue, Entry
from expert_pool.imports.typed import TypedSheet
from expert_pool.registry import Depth
from expert_pool.viewer import Viewer

OF_COMMITTEES = frozenset({"review_results", "complaints"})
"""Sheets whose rows belong to the committee's organiser."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, for which organiser (a code; None: theirs, when there is only one), and when."""

    viewer: Viewer
    organiser: str | None
    today: date
    moment: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A sheet as rows of its table: one list a field. Ids below zero stand for rows that are new in this file.

    `ids` are the things' own ids (empty for records).
    """

    typed: TypedSheet
    fields: dict[str, list[Any]]
    ids: Sequence[int]

    @property
    def sheet(self) -> Sheet:
        return self.typed.sheet

    def __len__(self) -> int:
        return len(self.typed)

    def values(self, name: str) -> list[Any]:
        """The values of a column by its English name, with ids for codes."""
        return self.fields[self.sheet.column(name).field]


@dataclass(frozen=True, slots=True)
class Resolved:
    """All sheets as drafts, the catalogue they use, and the organiser in whose chain the import is told."""

    drafts: Mapping[str, Draft]
    catalogue: Catalogue
    teller: int | None


def resolve(
    typed: Mapping[str, TypedSheet], known: KnownThings, importer: Importer, errors: Errors
) -> Resolved:
    """Turn codes into ids; unknown codes, rows of others, and rows without an owner go to `errors`."""
    own = {name: _own_ids(each, known) for name, each in typed.items() if not each.sheet.recorded}
    ids = _visible_ids(typed, known, own)
    catalogue = _catalogue(typed.get("specialties"), known, ids["specialties"])
    broken = frozenset(name for name, each in typed.items() if each.broken)
    lookup = _Lookup(ids, catalogue, broken, importer.today)
    teller = _teller(typed, known, importer, ids["organisers"], errors)
    drafts: dict[str, Draft] = {}
    owners: dict[int, int] = {}
    for name in (name for name in SHEETS if name in typed):  # committees before what is about them
        each = typed[name]
        fields = {column.field: _resolved(each, column, lookup, errors) for column in each.sheet.columns}
        if name in OF_COMMITTEES:
            _own_by_committee(each, fields, owners or _owners(known), errors)
        _complete(each, fields, importer, teller, errors)
        drafts[name] = Draft(each, fields, own.get(name, ()))
        if name == "committees":
            owners = _owners(known) | dict(zip(own[name], fields["organiser_id"], strict=True))
    for name, draft in drafts.items():
        _check_owner(name, draft, known, importer.viewer, errors)
    return Resolved(drafts, catalogue, teller)


def keys_of(typed: TypedSheet) -> list[Any]:
    """How each row of a sheet of things is called by others: its code, or `version/code`; None when unreadable."""
    codes = typed.values("code")
    if typed.sheet.name != "specialties":
        return codes
    return [
        f"{version}/{code}" if version and code else None
        for version, code in zip(typed.values("version"), codes, strict=True)
    ]


def _own_ids(typed: TypedSheet, known: KnownThings) -> list[int]:
    """The id of every row of a sheet of things: the registry's, or the next below zero.

    Nothing refers to a mapping of specialties, so each row has its own.
    """
    if typed.sheet.name == "specialty_mappings":
        return list(range(-1, -len(typed) - 1, -1))
    there = known.rows[typed.sheet.name]
    given: dict[str, int] = {}
    found: list[int] = []
    for row, key in enumerate(keys_of(typed)):
        if key in there:
            found.append(there[key].id)
        else:
            found.append(given.setdefault(key, -row - 1) if key is not None else -row - 1)
    return found


def _visible_ids(
    typed: Mapping[str, TypedSheet], known: KnownThings, own: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, int]]:
    ids: dict[str, dict[str, int]] = {}
    for name, sheet in SHEETS.items():
        if sheet.recorded or name == "specialty_mappings":
            continue
        ids[name] = {key: thing.id for key, thing in known.rows[name].items() if thing.visible}
        if name in typed:
            ids[name] |= {
                key: id_ for key, id_ in zip(keys_of(typed[name]), own[name], strict=True) if key is not None
            }
    return ids


def _catalogue(typed: TypedSheet | None, known: KnownThings, ids: Mapping[str, int]) -> Catalogue:
    fields = [column.name for column in SHEETS["specialties"].values]
    depth, since, until = (fields.index(name) for name in ("depth", "since", "until"))
    entries = []
    for key, thing in known.rows["specialties"].items():
        version, _, code = key.partition("/")
        values = thing.values
        entries.append(Entry(thing.id, version, code, values[depth], values[since], values[until]))
    if typed is not None:
        rows = zip(
            *(typed.values(name) for name in ("version", "code", "depth", "since", "until")), strict=True
        )
        entries.extend(
            Entry(ids[f"{version}/{code}"], version, code, *rest)
            for version, code, *rest in rows
            if version and code
        )
    return Catalogue(entries)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Where codes are looked up; `broken` are the sheets whose own codes could not be read."""

    ids: Mapping[str, Mapping[str, int]]
    catalogue: Catalogue
    broken: frozenset[str]
    today: date


def _resolved(typed: TypedSheet, column: Column, lookup: _Lookup, errors: Errors) -> list[Any]:
    """A column with its codes turned into what the table holds."""
    said = typed.values(column.name)
    if not column.to or column.name not in typed.columns:
        return said
    name, header = typed.sheet.name, typed.header(column.name)
    what = column.to
    if column.kind is Kind.SERIES:
        what = "series"
        series = {code: lookup.catalogue.series(code) for code in set(said) if code}
        found: list[Any] = [series.get(code) for code in said]
    elif column.to == "specialties":
        entries = _entries(typed, column, said, lookup)
        for row, entry in enumerate(entries):
            if entry and column.name == "specialty" and entry.depth is Depth.SERIES:
                errors.add(name, typed.numbers[row], header, "import.specialty_too_wide", value=said[row])
        found = [entry.id if entry else None for entry in entries]
    else:
        there = lookup.ids[column.to]
        found = [there.get(code) for code in said]
    if column.to not in lookup.broken:
        for row, (code, id_) in enumerate(zip(said, found, strict=True)):
            if id_ is None and code is not None:
                bare = name == "specialty_mappings" and "/" not in code
                trouble = "import.version_missing" if bare else "import.unknown"
                errors.add(name, typed.numbers[row], header, trouble, what=what, value=code)
    return found


def _entries(typed: TypedSheet, column: Column, said: Sequence[Any], lookup: _Lookup) -> list[Entry | None]:
    catalogue = lookup.catalogue
    if typed.sheet.name == "specialty_mappings":
        return [catalogue.exact(code) if code else None for code in said]
    if column.name == "parent":
        versions = typed.values("version")
        return [
            (catalogue.exact(f"{version}/{code}") or catalogue.exact(code)) if code else None
            for version, code in zip(versions, said, strict=True)
        ]
    days = typed.values("holds_on")
    return [
        catalogue.find(code, on or lookup.today) if code else None
        for code, on in zip(said, days, strict=True)
    ]


def _teller(
    typed: Mapping[str, TypedSheet],
    known: KnownThings,
    importer: Importer,
    organisers: Mapping[str, int],
    errors: Errors,
) -> int | None:
    """The importer's organiser: the one named, else the only one the viewer has, else the only one without a parent."""
    if importer.organiser is not None:
        named = organisers.get(importer.organiser)
        if named is None:
            errors.add("organisers", 1, "", "import.organiser_unknown", value=importer.organiser)
        return named
    mine = importer.viewer.organisers
    if mine is not None:
        candidates = set(mine)
    else:
        candidates = set(known.roots)
        if (sheet := typed.get("organisers")) is not None:
            rows = zip(keys_of(sheet), sheet.values("parent"), strict=True)
            candidates |= {organisers[code] for code, parent in rows if code and not parent}
    if len(candidates) == 1:
        return candidates.pop()
    first = next(iter(typed), "organisers")
    errors.add(first, 1, "", "import.organiser_none" if not candidates else "import.organiser_unclear")
    return None


def _complete(
    typed: TypedSheet, fields: dict[str, list[Any]], importer: Importer, teller: int | None, errors: Errors
) -> None:
    """Fill in what a sheet may leave out."""
    sheet = typed.sheet
    if sheet.recorded:
        owners = zip(fields["organiser_id"], typed.values("organiser"), strict=True)
        fields["organiser_id"] = [
            teller if said is None and owner is None else owner for owner, said in owners
        ]
        fields["recorded_at"] = [moment or importer.moment for moment in fields["recorded_at"]]
    for name, otherwise in (
        ("reason", ""),
        ("source", ""),
        ("place", ""),
        ("reference", ""),
        ("directed", False),
    ):
        if name in fields and not sheet.column(name).required:
            fields[name] = [otherwise if value is None else value for value in fields[name]]


def _owners(known: KnownThings) -> dict[int, int]:
    """The organiser of each committee the file mentions and the registry knows."""
    place = [column.name for column in SHEETS["committees"].values].index("organiser")
    return {thing.id: thing.values[place] for thing in known.rows["committees"].values()}


def _own_by_committee(
    typed: TypedSheet, fields: dict[str, list[Any]], owners: Mapping[int, int], errors: Errors
) -> None:
    """What is told about a committee is its organiser's: named or not, nobody else's."""
    said = typed.values("organiser")
    for row, committee in enumerate(fields["committee_id"]):
        owner = owners.get(committee)
        if owner is None:
            continue
        if said[row] is None:
            fields["organiser_id"][row] = owner
        elif fields["organiser_id"][row] not in (None, owner):
            errors.add(
                typed.sheet.name, typed.numbers[row], typed.header("organiser"), "import.committee_of_other",
                committee=typed.values("committee")[row],
            )  # fmt: skip


def _check_owner(name: str, draft: Draft, known: KnownThings, viewer: Viewer, errors: Errors) -> None:
    """Nobody writes rows of an organiser that is not theirs, or changes things they may not see."""
    if viewer.organisers is None:
        return
    typed = draft.typed
    hidden = {thing.id for thing in known.rows.get(name, {}).values() if not thing.visible}
    for row, id_ in enumerate(draft.ids):
        if id_ in hidden or (name == "organisers" and id_ < 0):
            errors.add(name, typed.numbers[row], typed.header("code"), "import.not_yours")
    if "organiser_id" in draft.fields:
        for row, owner in enumerate(draft.fields["organiser_id"]):
            if owner is not None and owner not in viewer.organisers:
                errors.add(name, typed.numbers[row], typed.header("organiser"), "import.not_yours")


__all__ = ["Draft", "Importer", "Resolved", "keys_of", "resolve"]
