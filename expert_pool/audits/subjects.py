"""Specialties as they are written, laid out twice: what somebody surely holds, and what they may hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from expert_pool.audits.roster import Subject
from expert_pool.audits.values import same_text
from solver.problem import Skills, Specialties

Grade = Literal["close", "broad"]

_REST = ""
"""A sub-specialty that stands for all of a specialty that nobody names: who holds it is a broad peer and no close one."""
_UNKNOWN = "?"
"""What the name of a specialty begins with that is not stated."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One sub-specialty of the catalogue, None where it is not stated, and its specialty."""

    sub: str | None
    broad: str

    @property
    def code(self) -> str:
        return f"{self.broad}/{'*' if self.sub == _REST else self.sub or '?'}"

    def may_be(self, other: _Entry) -> bool:
        """Whether who holds the one may hold the other, as far as is stated."""
        open_broad = self.broad.startswith(_UNKNOWN) or other.broad.startswith(_UNKNOWN)
        open_sub = None in (self.sub, other.sub) or other.sub == _REST
        return (open_broad or self.broad == other.broad) and (open_sub or self.sub == other.sub)

    def is_surely(self, other: _Entry) -> bool:
        if other.sub == _REST:
            return self.broad == other.broad != _UNKNOWN
        return self.sub is not None and self == other


class Catalogue:
    """Every specialty that a roster speaks of, in the order of their names.

    A sub-specialty written without its specialty is that of the same name which stands under a specialty elsewhere; where
    it stands under several, it is not known which is meant.
    """

    def __init__(self, subjects: Iterable[Subject]) -> None:
        stated = list(subjects)
        self._above: dict[str, set[str]] = {}
        for subject in stated:
            if subject.sub and subject.broad:
                self._above.setdefault(same_text(subject.sub), set()).add(same_text(subject.broad))
        entries = {self._entry(subject) for subject in (*stated, None)}
        entries |= {_Entry(_REST, entry.broad) for entry in entries}
        self._place = {entry: n for n, entry in enumerate(sorted(entries, key=lambda e: e.code))}
        codes = tuple(entry.code for entry in self._place)
        self.specialties = Specialties(codes, codes, tuple(entry.broad for entry in self._place))

    def place(self, subject: Subject | None) -> int:
        """The index of what a case is about, or a group judges; None: of what is not stated."""
        return self._place[self._entry(subject)]

    def lacks(self, subject: Subject | None, grade: Grade) -> bool:
        """Whether a close, or a broad, peer of it cannot be told for want of what is not stated."""
        entry = self._entry(subject)
        return entry.sub is None if grade == "close" else entry.broad.startswith(_UNKNOWN)

    def skills(self, people: Sequence[Sequence[Subject]], *, kindly: bool) -> Skills:
        """Who holds what: all that they may hold, or only what they surely hold."""
        rows: list[tuple[int, int]] = []
        for expert, subjects in enumerate(people):
            held = [self._entry(subject) for subject in subjects or (None,)]
            for entry, place in self._place.items():
                if any(h.may_be(entry) if kindly else h.is_surely(entry) for h in held):
                    rows.append((expert, place))
        columns = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return Skills(columns[:, 0], columns[:, 1], np.ones(len(rows), dtype=np.int64))

    def _entry(self, subject: Subject | None) -> _Entry:
        sub = same_text(subject.sub) if subject and subject.sub else None
        broads = (
            {same_text(subject.broad)} if subject and subject.broad else self._above.get(sub or "", set())
        )
        if len(broads) == 1:
            return _Entry(sub, next(iter(broads)))
        return _Entry(None, _UNKNOWN) if broads or sub is None else _Entry(sub, _UNKNOWN + sub)
