"""The small specialty catalogue that comes with the package, as arrays."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from expert_pool.packaged import fixture
from solver.facts import Ints, Mask, day

ENGINEERING, AGRICULTURE = "08", "07"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The newest version: sub-specialties (`code`, `name`) with the specialty and the series each belongs to.

    `fresh` marks the specialties that came with this version: the new occupations, where experts are few.
    """

    version: str
    since: int
    """The day this version began to count."""
    code: tuple[str, ...]
    name: tuple[str, ...]
    specialty: Ints
    specialty_code: tuple[str, ...]
    specialty_name: tuple[str, ...]
    specialty_series: Ints
    series_code: tuple[str, ...]
    series_name: tuple[str, ...]
    fresh: Mask
    before: tuple[str | None, ...]
    """Per sub-specialty: its code in the former version, None where it had none."""

    @property
    def series(self) -> Ints:
        """The series of each sub-specialty."""
        series: Ints = self.specialty_series[self.specialty]
        return series

    def subs(self, specialty: int) -> Ints:
        """The sub-specialties of one specialty."""
        found: Ints = (self.specialty == specialty).nonzero()[0]
        return found


def rows(sheet: str) -> list[dict[str, str]]:
    """The rows of `specialties` or `specialty_mappings` as they stand in the data file."""
    with fixture("catalogue", f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def catalogue() -> Catalogue:
    """Read the catalogue. Raises Fault when its files did not come with the package."""
    entries = rows("specialties")
    versions = sorted({row["version"] for row in entries})
    old_version, version = versions[-2], versions[-1]
    old_codes = {row["code"] for row in entries if row["version"] == old_version}
    came_from = {
        row["new"].split("/")[1]: row["old"].split("/")[1] for row in reversed(rows("specialty_mappings"))
    }
    by_depth: dict[str, list[dict[str, str]]] = {"series": [], "specialty": [], "sub_specialty": []}
    for row in entries:
        if row["version"] == version:
            by_depth[row["depth"]].append(row)
    series, specialties, subs = by_depth["series"], by_depth["specialty"], by_depth["sub_specialty"]
    series_at = {row["code"]: i for i, row in enumerate(series)}
    specialty_at = {row["code"]: i for i, row in enumerate(specialties)}
    codes = tuple(row["code"] for row in subs)
    return Catalogue(
        version=version,
        since=day(date.fromisoformat(series[0]["since"])),
        code=codes,
        name=tuple(row["name"] for row in subs),
        specialty=np.array([specialty_at[row["parent"]] for row in subs], dtype=np.int64),
        specialty_code=tuple(specialty_at),
        specialty_name=tuple(row["name"] for row in specialties),
        specialty_series=np.array([series_at[row["parent"]] for row in specialties], dtype=np.int64),
        series_code=tuple(series_at),
        series_name=tuple(row["name"] for row in series),
        fresh=np.array([code not in old_codes for code in specialty_at]),
        before=tuple(c if c in old_codes else came_from.get(c) for c in codes),
    )
