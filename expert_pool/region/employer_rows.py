"""The rows of employers: legal persons and departments, names, sectors, links."""

from __future__ import annotations

import numpy as np

from expert_pool.region.employers import DEPARTMENTS_FROM, PREFECTURES, SECTORS, name_employers
from expert_pool.region.names import MARK, iso_days
from expert_pool.region.tables import Codes, Sheet, record, words
from expert_pool.region.world import Region
from expert_pool.registry import LinkKind, NameKind, Sector
from solver.facts import Ints


def employer_sheets(region: Region, codes: Codes) -> dict[str, Sheet]:
    """Legal persons and their departments: names with renames, sectors with conversions, links."""
    employers, now = region.ground.employers, region.today
    count = len(employers)
    name, former_name = name_employers(region.streams, employers, region.ground.catalogue)
    at = departments(region)
    below = np.repeat(np.arange(count), at)
    number = np.arange(len(below)) - np.repeat(np.cumsum(at) - at, at)
    rooms = [department(c, n) for c, n in zip(codes.employer[below].tolist(), number.tolist(), strict=True)]
    titles = [
        f"{name[u].removesuffix(MARK)}{_ROOMS[n]}{MARK}"
        for u, n in zip(below.tolist(), number.tolist(), strict=True)
    ]
    founded = np.minimum(employers.founded, employers.changed_on - 400)
    opened = np.minimum(founded[below] + 300, now - 400)

    renamed = employers.renamed.nonzero()[0]
    first_until = np.zeros(count, dtype=np.int64)
    first_until[renamed] = employers.changed_on[renamed] - 1
    known = (region.streams("aliases").random(count) < 0.05).nonzero()[0]
    owners = np.concatenate([np.arange(count), renamed, known])
    names = [f if r else n for n, f, r in zip(name, former_name, employers.renamed.tolist(), strict=True)]
    names += [name[u] for u in renamed.tolist()] + [
        f"{name[u][:6]}{codes.employer[u]}{MARK}" for u in known.tolist()
    ]
    kinds = [NameKind.OFFICIAL.value] * (count + len(renamed)) + [NameKind.ALIAS.value] * len(known)
    since = np.concatenate([founded, employers.changed_on[renamed], founded[known]])
    until = np.concatenate([first_until, np.zeros(len(renamed) + len(known), dtype=np.int64)])

    converted = employers.converted.nonzero()[0]
    first_sector = [
        Sector.STATE_OWNED.value if c else SECTORS[s].value
        for s, c in zip(employers.sector.tolist(), employers.converted.tolist(), strict=True)
    ]
    merged = (employers.merged_into != np.arange(count)).nonzero()[0]
    linked = np.concatenate([opened, employers.changed_on[merged]])
    return {
        "employers": {
            "code": [*codes.employer, *rooms],
            "legal_person": ["true"] * count + ["false"] * len(rooms),
            "region": words(PREFECTURES, np.concatenate([employers.region, employers.region[below]])),
        },
        "employer_names": {
            "employer": [*codes.employer[owners], *rooms],
            "kind": kinds + [NameKind.OFFICIAL.value] * len(rooms),
            "name": names + titles,
            **record(np.concatenate([since, opened]), now),
            "until": iso_days(until, until == 0) + [""] * len(rooms),
        },
        "employer_sectors": {
            "employer": [*codes.employer, *codes.employer[converted]],
            "sector": first_sector + words([s.value for s in SECTORS], employers.sector[converted]),
            **record(np.concatenate([founded, employers.changed_on[converted]]), now),
        },
        "employer_links": {
            "employer": [*rooms, *codes.employer[merged]],
            "other": [*codes.employer[below], *codes.employer[employers.merged_into[merged]]],
            "kind": [LinkKind.PART_OF.value] * len(rooms) + [LinkKind.MERGED_INTO.value] * len(merged),
            **record(linked, now),
            "until": [""] * len(linked),
        },
    }


_ROOMS = ("技术中心", "设计一所", "设计二所", "研发部", "检测室", "规划所", "教研部", "基层工作部")


def departments(region: Region) -> Ints:
    """How many departments each legal person has."""
    size = region.ground.headcount
    return np.where(size >= DEPARTMENTS_FROM, np.clip(size // 15, 2, len(_ROOMS)), 0)


def department(employer: str, number: int) -> str:
    """The code of a department."""
    return f"{employer}-{number + 1}"
