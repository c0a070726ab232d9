"""The specialty catalogue on a date, and who holds what in it.

A code of an older version is read as the newer codes it was mapped to by that day (several when it was split), else
as the entry of the same code that is valid on the day, else as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.columns import Arrays, Reading, Scope, distinct, rows_where
from expert_pool.registry import Depth, Skill, Specialty, SpecialtyMapping
from solver.facts import MISSING, Ints, day
from solver.problem import Skills, Specialties


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the catalogue. `broad` is the code of its specialty, its own where it is none's part."""

    id: int
    code: str
    name: str
    broad: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entries as they are read on a date: `read[id]` are the entries an entry stands for."""

    read: dict[int, tuple[Entry, ...]]

    def one(self, specialty_id: int) -> Entry:
        """The entry a case's specialty is read as; the first by code where it was split."""
        return self.read[specialty_id][0]


def catalogue_on(session: Session, on: date) -> Catalogue:
    """How every entry of the catalogue is read on a day."""
    columns = (
        Specialty.id,
        Specialty.code,
        Specialty.name,
        Specialty.depth,
        Specialty.parent_id,
        Specialty.since,
        Specialty.until,
    )
    rows = {row.id: row for row in session.execute(select(*columns))}
    entries = {}
    for row in rows.values():
        parent = rows.get(row.parent_id) if row.depth == Depth.SUB_SPECIALTY else None
        entries[row.id] = Entry(row.id, row.code, row.name, (parent or row).code)
    valid = {
        row.code: row.id
        for row in sorted(rows.values(), key=lambda r: (r.since, r.id))
        if row.since <= on and (row.until is None or row.until >= on)
    }
    newer: dict[int, list[int]] = {}
    mappings = select(SpecialtyMapping.old_id, SpecialtyMapping.new_id).where(SpecialtyMapping.since <= on)
    for old, new in session.execute(mappings):
        newer.setdefault(old, []).append(new)

    def read(identity: int, seen: frozenset[int]) -> set[int]:
        targets = [t for t in newer.get(identity, ()) if t not in seen]
        if targets:
            return {found for t in targets for found in read(t, seen | {identity})}
        return {valid.get(rows[identity].code, identity)}

    return Catalogue(
        {
            identity: tuple(
                sorted((entries[i] for i in read(identity, frozenset())), key=lambda e: (e.code, e.id))
            )
            for identity in rows
        }
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds what: aligned arrays of expert (index), entry (id, as read on the day) and proficiency."""

    expert: Ints
    entry: Ints
    proficiency: Ints


_SKILLS = Reading(
    Skill,
    {
        "specialty": Skill.specialty_id,
        "proficiency": Skill.proficiency,
        "day": Skill.holds_on,
        "until": Skill.until,
    },
)


def held_on(session: Session, scope: Scope, catalogue: Catalogue, *, on: date, known_at: datetime) -> Held:
    """The skills of experts on a day. Of several records of one skill the latest counts."""
    rows = scope.read(session, _SKILLS, known_at=known_at)
    today = day(on)
    rows = rows_where(rows, (rows["day"] <= today) & ((rows["until"] == MISSING) | (rows["until"] >= today)))
    size = int(rows["specialty"].max(initial=0)) + 1
    rows = _latest(rows, rows["expert"] * size + rows["specialty"])
    expert, specialty, proficiency = rows["expert"], rows["specialty"], rows["proficiency"]
    counts = np.zeros(size, dtype=np.int64)
    used = np.array(distinct(specialty), dtype=np.int64)
    targets: dict[int, tuple[Entry, ...]] = {i: catalogue.read[i] for i in used.tolist()}
    counts[used] = [len(entries) for entries in targets.values()]
    starts = np.zeros(size, dtype=np.int64)
    flat = np.array([e.id for entries in targets.values() for e in entries], dtype=np.int64)
    starts[used] = np.cumsum(counts[used]) - counts[used]
    many = counts[specialty]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return Held(
        np.repeat(expert, many),
        flat[np.repeat(starts[specialty], many) + within],
        np.repeat(proficiency, many),
    )


def as_columns(
    catalogue: Catalogue, held: Held, also: Iterable[int]
) -> tuple[Specialties, Skills, dict[int, int]]:
    """The sub-specialties that are held or in `also` (ids as read), in code order; the skills over them; and the
    index of each id. Entries of the same code are one."""
    by_id = {entry.id: entry for entries in catalogue.read.values() for entry in entries}
    used = sorted({*distinct(held.entry), *also}, key=lambda i: (by_id[i].code, -i))
    codes = list(dict.fromkeys(by_id[i].code for i in used))
    position = {code: n for n, code in enumerate(codes)}
    first = {by_id[i].code: by_id[i] for i in reversed(used)}
    index = {i: position[by_id[i].code] for i in used}
    lookup = np.zeros(max(used, default=0) + 1, dtype=np.int64)
    lookup[used] = [index[i] for i in used]
    width = max(len(codes), 1)
    entry = lookup[held.entry] if len(held.entry) else held.entry
    skills = _best(held.expert, entry, held.proficiency, width)
    specialties = Specialties(
        tuple(codes), tuple(first[c].name for c in codes), tuple(first[c].broad for c in codes)
    )
    return specialties, skills, index


def _latest(rows: Arrays, owner: Ints) -> Arrays:
    """The latest row of each owner, in the order of owners."""
    order = np.lexsort((rows["row"], rows["day"], owner)) if len(owner) > 1 else np.arange(len(owner))
    last = np.append(owner[order][1:] != owner[order][:-1], True)[: len(owner)]
    return rows_where(rows, order[last])


def _best(expert: Ints, entry: Ints, proficiency: Ints, width: int) -> Skills:
    """Each expert's greatest proficiency in each entry."""
    key = expert * width + entry
    order = np.lexsort((proficiency, key)) if len(key) > 1 else np.arange(len(key))
    last = np.append(key[order][1:] != key[order][:-1], True)[: len(key)]
    best = order[last]
    return Skills(expert[best], entry[best], proficiency[best])
