"""The map of a pool: specialties by sectors, supply against demand, thin cells marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from expert_pool.reevaluation.health.document import Band, Cell, Health

SHADES = 4
"""Cells that are not empty are shaded in so many steps."""


@dataclass(frozen=True, slots=True)
class MapCell:
    """Where a specialty and a sector meet. `shade` 0 (nobody) to 4 (most); `more`: cases of the season less the average of
    those before."""

    supply: int
    cases: int
    seats: float
    more: float
    thin: bool
    shade: int


@dataclass(frozen=True, slots=True)
class PoolMap:
    """Rows (code, name) by sectors (None: not known), for one level and region (None: all)."""

    level: str
    levels: list[str]
    regions: list[str]
    sectors: list[str | None]
    rows: list[tuple[str, str]]
    cells: dict[tuple[str, str | None], MapCell]

    @property
    def thin(self) -> int:
        """How many cells are thin."""
        return sum(cell.thin for cell in self.cells.values())


def mapped(
    health: Health, level: str | None, region: str | None, named: Mapping[str, str] | None = None
) -> PoolMap:
    """The map of one level (default that with most cases), of one region or all; `named`: names of specialties by code."""
    levels = sorted({cell.level for cell in health.cells})
    by_cases = {name: sum(c.cases for c in health.cells if c.level == name) for name in levels}
    chosen = level if level in levels else max(levels, key=lambda name: by_cases[name], default="senior")
    kept = [c for c in health.cells if c.level == chosen and region in (None, c.region)]
    names = {**(named or {}), **{field.specialty: field.name for field in health.fields}}
    together: dict[tuple[str, str | None], list[Cell]] = {}
    for cell in kept:
        together.setdefault((cell.specialty, cell.sector), []).append(cell)
    most = max((sum(c.supply for c in cells) for cells in together.values()), default=0)
    codes = sorted({cell.specialty for cell in kept})
    return PoolMap(
        chosen,
        levels,
        sorted({c.region for c in health.cells if c.region}),
        sorted({cell.sector for cell in kept}, key=lambda sector: (sector is None, sector)),
        [(code, names.get(code, code)) for code in codes],
        {place: _cell(cells, health.choice, most) for place, cells in together.items()},
    )


def _cell(cells: Sequence[Cell], choice: int, most: int) -> MapCell:
    supply, seats = sum(c.supply for c in cells), sum(c.seats for c in cells)
    cases = sum(c.cases for c in cells)
    return MapCell(
        supply,
        cases,
        seats,
        cases - sum(c.last for c in cells),
        seats > 0 and supply < choice * ceil(seats - 1e-9),
        0 if not supply else max(1, ceil(SHADES * supply / most)),
    )


def pyramid(bands: Sequence[Band]) -> list[tuple[Band, int, int]]:
    """Bands from the top, with the widths of women and of men (those not known count with neither), 0..100."""
    most = max((max(band.female, band.male) for band in bands), default=0) or 1
    return [(b, round(100 * b.female / most), round(100 * b.male / most)) for b in reversed(bands)]
