"""What every import sheet of the region is written with: columns of text, codes, the columns of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from expert_pool.region.catalogue import rows
from expert_pool.region.employers import employer_codes
from expert_pool.region.names import iso_days
from expert_pool.region.world import Region
from solver.facts import Ints, Mask

Sheet = Mapping[str, Sequence[str]]
"""Columns of a sheet by name, all of one length."""

OFFICE = "O001"
"""The provincial organiser."""

POOL = "P001"
"""The provincial pool."""


class Codes:
    """The codes of experts and legal persons by index."""

    def __init__(self, region: Region) -> None:
        width = max(6, len(str(len(region.ground.people))))
        self.expert = np.array(
            [f"E{n:0{width}d}" for n in range(1, len(region.ground.people) + 1)], dtype=object
        )
        self.employer = np.array(employer_codes(len(region.ground.employers)), dtype=object)


def record(on: Ints, today: int, organiser: str = OFFICE) -> dict[str, Sequence[str]]:
    """The columns every record has: it became known three days after it held, by the last day at the latest."""
    known = [f"{d}T09:00:00+00:00" for d in iso_days(np.minimum(on + 3, today))]
    return {"holds_on": iso_days(on), "organiser": [organiser] * len(on), "recorded_at": known}


def words(names: Sequence[str], index: Ints) -> list[str]:
    """`names` by index."""
    return [str(names[i]) for i in index.tolist()]


def yes(mask: Mask) -> list[str]:
    return ["true" if m else "false" for m in mask.tolist()]


def catalogue_sheets() -> dict[str, Sheet]:
    """The catalogue as it comes with the package."""
    sheets: dict[str, Sheet] = {}
    for name in ("specialties", "specialty_mappings"):
        entries = rows(name)
        sheets[name] = {header: [entry[header] for entry in entries] for header in entries[0]}
    return sheets
