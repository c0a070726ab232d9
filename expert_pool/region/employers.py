"""The employers of the made region: sectors, heavy-tailed sizes, departments, renames, mergers, conversions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.region.catalogue import Catalogue
from expert_pool.region.streams import Cells, Floats, Streams, choose, choose_rows, zipf
from expert_pool.registry import Sector
from solver.facts import Ints

SECTORS: tuple[Sector, ...] = tuple(Sector)

SERIES_SHARE = {
    "01": 0.10, "03": 0.05, "04": 0.14, "05": 0.08, "07": 0.08, "08": 0.45, "09": 0.04, "10": 0.03, "12": 0.01,
    "13": 0.02,
}  # fmt: skip
"""Which part of the experts belongs to each series."""

#                central provincial municipal grassroots state_owned private foreign social state_organ
_SECTOR_SHARE = {
    "01": (0.16, 0.54, 0.10, 0.00, 0.00, 0.18, 0.00, 0.02, 0.00),
    "03": (0.36, 0.38, 0.07, 0.00, 0.03, 0.14, 0.01, 0.01, 0.00),
    "04": (0.08, 0.32, 0.24, 0.18, 0.01, 0.16, 0.00, 0.01, 0.00),
    "05": (0.02, 0.10, 0.36, 0.36, 0.00, 0.15, 0.00, 0.01, 0.00),
    "07": (0.09, 0.26, 0.15, 0.24, 0.03, 0.20, 0.00, 0.02, 0.01),
    "08": (0.13, 0.28, 0.08, 0.09, 0.08, 0.29, 0.02, 0.02, 0.01),
    "09": (0.05, 0.16, 0.12, 0.08, 0.15, 0.38, 0.03, 0.02, 0.01),
    "10": (0.05, 0.15, 0.12, 0.10, 0.15, 0.38, 0.02, 0.02, 0.01),
    "12": (0.10, 0.42, 0.28, 0.12, 0.00, 0.05, 0.00, 0.03, 0.00),
    "13": (0.08, 0.34, 0.18, 0.08, 0.02, 0.25, 0.00, 0.05, 0.00),
}
"""How the experts of a series divide over the sectors."""

_MEAN_SIZE = np.array([55.0, 38.0, 20.0, 7.0, 16.0, 6.5, 6.0, 5.0, 8.0])
_GENERAL_SHARE = np.array([0.25, 0.30, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
"""Which part of a sector works for employers of all series: universities and academies."""

PREFECTURES = (
    "澄澜市", "霁川市", "鹤汀市", "青砚市", "朔泽市", "苍榆市", "锦屿市", "石笙市", "望棠市", "素蘅市", "墨渚市",
    "芷陵市",
)  # fmt: skip
"""Made names: there are no such places. The first is the capital."""

PROVINCE = "霁岳省"

PREFECTURE_WEIGHT = np.array([0.27, 0.15, 0.11, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.03, 0.02])

DEPARTMENTS_FROM = 30
"""A legal person with this many experts has departments."""


def series_share(catalogue: Catalogue) -> Floats:
    """The share of each series of the catalogue among the experts."""
    return np.array([SERIES_SHARE[code] for code in catalogue.series_code])


def sector_share(catalogue: Catalogue) -> Floats:
    """Shape (series, sectors): how each series divides over the sectors."""
    return np.array([_SECTOR_SHARE[code] for code in catalogue.series_code])


@dataclass(frozen=True, slots=True)
class Employers:
    """Legal persons, as aligned arrays; `series` is -1 where experts of every series work.

    `merged_into` is the legal person that took this one in, or itself; `converted` says that a private employer
    was state-owned until `changed_on`, `renamed` that it had another name until then. `changed_on` is the day of the
    one event in the life of an employer: merger, conversion or rename.
    """

    sector: Ints
    region: Ints
    series: Ints
    weight: Floats
    founded: Ints
    merged_into: Ints
    converted: Ints
    renamed: Ints
    changed_on: Ints

    def __len__(self) -> int:
        return len(self.sector)

    def cells(self, series: int) -> Cells:
        """To draw an employer of a sector: one cell for each series and sector, the last row the general ones."""
        cell = np.where(self.series < 0, series, self.series) * len(SECTORS) + self.sector
        return Cells(cell, self.weight, (series + 1) * len(SECTORS))


def make_employers(streams: Streams, catalogue: Catalogue, experts: int, today: int) -> Employers:
    """Employers for so many experts: about one for twelve, in every sector and series that has people."""
    rng = streams("employers")
    expected = experts * series_share(catalogue)[:, None] * sector_share(catalogue)
    own = np.maximum(np.round(expected * (1 - _GENERAL_SHARE) / _MEAN_SIZE), 1) * (expected > 0)
    general = np.round(expected.sum(axis=0) * _GENERAL_SHARE / (_MEAN_SIZE * 3))
    general = np.where(_GENERAL_SHARE > 0, np.maximum(general, 2), 0)
    counts = np.vstack([own, general]).astype(np.int64)
    series, sector = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), len(SECTORS))
    weight = np.concatenate([zipf(n, 0.95) for n in counts.ravel().tolist() if n])
    weight *= rng.uniform(0.8, 1.25, len(weight))
    series = np.where(series == len(catalogue.series_code), -1, series)
    total = len(sector)

    capital = np.isin(sector, [SECTORS.index(Sector.CENTRAL), SECTORS.index(Sector.PROVINCIAL)])
    region = choose(rng, PREFECTURE_WEIGHT, total)
    region[capital & (rng.random(total) < 0.45)] = 0

    luck = rng.random(total)
    largest = np.full(counts.size, -1, dtype=np.int64)
    cell = np.where(series < 0, len(catalogue.series_code), series) * len(SECTORS) + sector
    largest[cell[::-1]] = np.arange(total)[::-1]  # the first of each cell has the greatest weight
    merged = (luck < 0.012) & (largest[cell] != np.arange(total))
    private = sector == SECTORS.index(Sector.PRIVATE)
    return Employers(
        sector=sector,
        region=region,
        series=series,
        weight=weight,
        founded=today - rng.integers(11 * 365, 45 * 365, total),
        merged_into=np.where(merged, largest[cell], np.arange(total)),
        converted=(private & (luck > 0.97)).astype(np.int64),
        renamed=((luck > 0.93) & (luck < 0.96)).astype(np.int64),
        changed_on=today - rng.integers(60, 9 * 365, total),
    )


def place_experts(streams: Streams, employers: Employers, catalogue: Catalogue, series: Ints) -> Ints:
    """The main employer (a legal person) of each expert, given the expert's series."""
    rng = streams("places")
    sector = choose_rows(rng, sector_share(catalogue), series)
    general = rng.random(len(series)) < _GENERAL_SHARE[sector]
    several = len(catalogue.series_code)
    cells = employers.cells(several)
    return cells.draw(rng, np.where(general, several, series) * len(SECTORS) + sector)


def employer_codes(count: int) -> list[str]:
    """The codes of so many legal persons, in rising order."""
    width = max(5, len(str(count)))
    return [f"U{n:0{width}d}" for n in range(1, count + 1)]


def name_employers(
    streams: Streams, employers: Employers, catalogue: Catalogue
) -> tuple[list[str], list[str]]:
    """For each employer its name and the name it bore before a rename; every one is marked as made, none twice."""
    rng = streams("employer names")
    words = [a + b for a in _FIRST for b in _SECOND]
    order = rng.permutation(len(words)).tolist()
    used: dict[str, int] = {}
    names: list[list[str]] = []
    for sector, region, series in zip(
        employers.sector.tolist(), employers.region.tolist(), employers.series.tolist(), strict=True
    ):
        pair = []
        for _ in range(2):
            stem, ending = _pattern(SECTORS[sector], PREFECTURES[region], catalogue, series)
            number = used[stem + ending] = used.get(stem + ending, -1) + 1
            turn, at = divmod(number, len(words))
            pair.append(f"{stem}{words[order[at]]}{'' if not turn else f'第{turn + 1}'}{ending}（虚构）")
        names.append(pair)
    return [pair[0] for pair in names], [pair[1] for pair in names]


def _pattern(sector: Sector, region: str, catalogue: Catalogue, series: int) -> tuple[str, str]:
    field = "" if series < 0 else _FIELD[catalogue.series_code[series]]
    institute = "大学" if series < 0 else _INSTITUTE.get(catalogue.series_code[series], "研究院")
    return {
        Sector.CENTRAL: ("国家", f"{field}{institute}"),
        Sector.PROVINCIAL: (PROVINCE, f"{field}{institute}"),
        Sector.MUNICIPAL: (region, f"{field}{institute}" if series >= 0 else "学院"),
        Sector.GRASSROOTS: (region, f"县{field}{_STATION.get(catalogue.series_code[series], '服务站')}"),
        Sector.STATE_OWNED: (PROVINCE, f"{field}集团"),
        Sector.PRIVATE: (region, f"{field}科技有限公司"),
        Sector.FOREIGN: (region, f"{field}（外资）有限公司"),
        Sector.SOCIAL: (region, f"{field}协会"),
        Sector.STATE_ORGAN: (region, f"{field}管理局"),
    }[sector]


_FIELD = {
    "01": "教育", "03": "科学", "04": "医疗", "05": "教育", "07": "农业", "08": "工程", "09": "商务", "10": "财务",
    "12": "文博", "13": "文艺",
}  # fmt: skip
_INSTITUTE = {"01": "学院", "04": "医院", "05": "学校", "12": "馆", "13": "院团"}
_STATION = {"04": "卫生院", "05": "学校", "07": "推广站"}
_FIRST = "恒明远德鸿博华瑞信泰安启中汇盛凯融嘉宏正和光新云天立众锐智科卓讯晟朗诚弘润景铭昊"
_SECOND = "川岳宇达元成辰源海峰原通兴业方舟桥林泽阳图基翔程晖创联拓维衡章力纬"
