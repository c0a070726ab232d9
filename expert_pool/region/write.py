"""The made region as the CSV files that the importer reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from expert_pool.imports.sheets import SHEETS
from expert_pool.region.committee_rows import Called, called, committee_sheets
from expert_pool.region.employer_rows import employer_sheets
from expert_pool.region.expert_rows import expert_sheets, history_sheets
from expert_pool.region.names import name_people
from expert_pool.region.streams import Streams
from expert_pool.region.tables import Codes, Sheet, catalogue_sheets
from expert_pool.region.world import TODAY, make_region
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent


@dataclass(frozen=True, slots=True)
class RegionFiles:
    """What was written: the folder, the rows of each sheet, and the codes around each committee that has an agenda."""

    folder: Path
    rows: Mapping[str, int]
    committees: tuple[Called, ...]


def generate(
    out: str | Path,
    *,
    experts: int,
    committees: int = 1,
    seed: int,
    cases: int = 200,
    today: date = TODAY,
    report: Reporter = silent,
) -> RegionFiles:
    """Write the import sheets of a made region into the folder `out`, one CSV file a sheet; same seed, same bytes.

    No record is later than `today`; the committees meet 48 days after it. The first committee is the provincial senior
    one for engineering. Existing sheets in `out` are replaced. Raises Fault when a number is too small, the seed
    negative, or the folder cannot be written.
    """
    if seed < 0:
        raise Fault("region.seed_negative", "seed", seed=seed)
    folder = Path(out)
    region = make_region(
        Streams((seed,)), experts=experts, committees=committees, cases=cases, today=today, report=report
    )
    codes = Codes(region)
    names = name_people(region.streams("names"), region.ground.people.women)
    parts: list[Mapping[str, Sheet]] = [
        catalogue_sheets(),
        employer_sheets(region, codes),
        expert_sheets(region, codes, names),
        history_sheets(region, codes),
        *committee_sheets(region, codes, names),
    ]
    made = [name for name in SHEETS if any(name in part for part in parts)]
    report(Progress("region_write", 0, len(made)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        for done, name in enumerate(made, start=1):
            rows[name] = _write(folder / f"{name}.csv", name, [part[name] for part in parts if name in part])
            report(Progress("region_write", done, len(made)))
    except OSError as trouble:
        raise Fault("region.not_writable", str(folder), said=trouble.strerror or str(trouble)) from None
    return RegionFiles(folder, rows, tuple(called(region, n) for n in range(committees)))


def _write(path: Path, name: str, parts: Sequence[Sheet]) -> int:
    """Write the parts of one sheet one below the other, in the column order of its specification."""
    order = [column.name for column in SHEETS[name].columns if column.name in parts[0]]
    total = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(order)
        for part in parts:
            if set(part) != set(order):
                raise ValueError(f"{name}: columns {sorted(part)} do not match {order}")
            writer.writerows(zip(*(part[column] for column in order), strict=True))
            total += len(part[order[0]])
    return total
