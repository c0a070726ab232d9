"""Finding a specialty by what a sheet says: `version/code`, or a code alone on a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from expert_pool.registry import Depth


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one version of the catalogue; `id` is negative when it is new in this import."""

    id: int
    version: str
    code: str
    depth: Depth | None
    since: date | None
    until: date | None

    def valid(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class Catalogue:
    """All entries of all versions, those of the registry and those of the file."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._exact: dict[str, Entry] = {}
        self._by_code: dict[str, list[Entry]] = {}
        for entry in entries:
            self._exact[f"{entry.version}/{entry.code}"] = entry
        for entry in self._exact.values():
            self._by_code.setdefault(entry.code, []).append(entry)
        for versions in self._by_code.values():
            versions.sort(key=lambda entry: (entry.since or date.min, entry.version), reverse=True)
        self._by_id = {entry.id: entry for entry in self._exact.values()}
        self._found: dict[tuple[str, date], Entry | None] = {}

    def exact(self, version_and_code: str) -> Entry | None:
        """The entry written `version/code`."""
        return self._exact.get(version_and_code)

    def entry(self, id_: int) -> Entry:
        """The entry with this id."""
        return self._by_id[id_]

    def find(self, said: str, on: date) -> Entry | None:
        """The entry meant by `version/code`, or by a code alone: the version valid on the day, else the newest."""
        key = (said, on)
        if key not in self._found:
            versions = self._by_code.get(said, ())
            valid = next((entry for entry in versions if entry.valid(on)), versions[0] if versions else None)
            self._found[key] = self._exact.get(said) or valid
        return self._found[key]

    def series(self, said: str) -> str | None:
        """The bare code of the series that is meant, None when no version has such a series."""
        exact = self._exact.get(said)
        versions: Sequence[Entry] = [exact] if exact else self._by_code.get(said, [])
        return next((entry.code for entry in versions if entry.depth in {Depth.SERIES, None}), None)


__all__ = ["Catalogue", "Entry"]
