"""From an agenda to review groups (评议组): which cases are judged together, and how many sit in each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import takewhile

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.policies.policy import Policy, Seating
from expert_pool.registry import Depth, Specialty
from expert_pool.words import say
from solver.answer import Saying
from solver.apportion import apportion
from solver.errors import Fault
from solver.facts import Ints
from solver.problem import Group, Specialties

DIRECTED = "directed"


@dataclass(frozen=True, slots=True)
class Application:
    """One case to be placed: its code, the index of its sub-specialty, and whether it is directed evaluation."""

    code: str
    specialty: int
    directed: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What lies above the sub-specialties: by the code of a specialty its name, and the code of its series."""

    name: Mapping[str, str]
    series: Mapping[str, str]


@dataclass(frozen=True)
class Grouping:
    """Review groups; `of_case` the group of every case, aligned with them; `notes` say how it came to this."""

    groups: tuple[Group, ...]
    of_case: Ints
    notes: tuple[Saying, ...]


@dataclass
class _Cluster:
    """Cases that will be judged together. `fields` are codes with their number of cases."""

    fields: Counter[str]
    series: str
    directed: bool = False

    @property
    def size(self) -> int:
        return self.fields.total()

    @property
    def code(self) -> str:
        return DIRECTED if self.directed else min(self.fields, key=lambda c: (-self.fields[c], c))


def fields_on(session: Session, on: date) -> Fields:
    """The specialties of the catalogue with their series, of each code the newest entry that has begun by the day."""
    rows = {
        row.id: row
        for row in session.execute(
            select(
                Specialty.id,
                Specialty.code,
                Specialty.name,
                Specialty.depth,
                Specialty.parent_id,
                Specialty.since,
            )
        )
    }
    name, series = {}, {}
    for row in sorted(rows.values(), key=lambda r: (r.since <= on, r.since, r.id)):
        top, climbed = row, {row.id}
        while top.depth != Depth.SERIES and top.parent_id in rows and top.parent_id not in climbed:
            top = rows[top.parent_id]
            climbed.add(top.id)
        name[row.code], series[row.code] = row.name, top.code
    return Fields(name, series)


def form_groups(
    policy: Policy,
    cases: Sequence[Application],
    specialties: Specialties,
    fields: Fields,
    *,
    level: str = "senior",
) -> Grouping:
    """The review groups of an agenda under a policy for a committee of `level`.

    Cases of one specialty are judged together, directed ones in a group of their own. A specialty whose share of the
    seats would not even round to the smallest group joins the nearest one of its series: the one whose code has most
    in common with its own, of these the smallest. Seats go by largest remainder over the numbers of cases, each group
    keeping the policy's minimum; alternates by the seats, at least one each where there are enough.

    Raises Fault: `agenda.empty`; `agenda.specialty_missing`; `agenda.too_many_groups` when the groups that cannot be
    merged need more seats than there are; `policy.number_needed`.
    """
    seating = policy.seats(level)
    if not cases:
        raise Fault("agenda.empty", "cases")
    for i, case in enumerate(cases):
        if not 0 <= case.specialty < len(specialties.code):
            raise Fault("agenda.specialty_missing", f"cases.{i}", case=case.code)
    of_field = [_field(case, specialties, seating) for case in cases]
    clusters = _clusters(cases, of_field, fields, seating)
    _merge(clusters, seating)
    if len(clusters) * seating.group_low > seating.low:
        raise Fault(
            "agenda.too_many_groups",
            "cases",
            groups=len(clusters),
            least=seating.group_low,
            seats=seating.low,
        )
    clusters.sort(key=lambda c: (c.directed, c.code))
    place = {(c.directed, code): g for g, c in enumerate(clusters) for code in c.fields}
    own = [
        place[seating.directed_apart and case.directed, code]
        for case, code in zip(cases, of_field, strict=True)
    ]
    return _seated(clusters, np.array(own, dtype=np.int64), cases, specialties, fields, seating)


def seats_by_cases(total: int, weights: Sequence[int], least: int) -> tuple[int, ...]:
    """`total` seats by largest remainder over `weights`, each part at least `least`, the others sharing what is left."""
    raised: set[int] = set()
    while True:
        rest = [i for i in range(len(weights)) if i not in raised]
        shared = apportion(total - least * len(raised), [weights[i] for i in rest])
        parts = dict.fromkeys(raised, least) | dict(zip(rest, shared, strict=True))
        short = {i for i in rest if parts[i] < least}
        if not short:
            return tuple(parts[i] for i in range(len(weights)))
        raised |= short


def _field(case: Application, specialties: Specialties, seating: Seating) -> str:
    if seating.group_by == "none":
        return ""
    return (specialties.broad if seating.group_by == "specialty" else specialties.code)[case.specialty]


def _clusters(
    cases: Sequence[Application], of_field: Sequence[str], fields: Fields, seating: Seating
) -> list[_Cluster]:
    apart = [seating.directed_apart and case.directed for case in cases]
    ordinary = Counter(code for code, directed in zip(of_field, apart, strict=True) if not directed)
    own = Counter(code for code, directed in zip(of_field, apart, strict=True) if directed)
    clusters = [_Cluster(Counter({code: n}), fields.series.get(code, code)) for code, n in ordinary.items()]
    return [*clusters, _Cluster(own, "", directed=True)] if own else clusters


def _merge(clusters: list[_Cluster], seating: Seating) -> None:
    """Join specialties too small for a group with their nearest, smallest first, until none is left that can be."""
    total = sum(c.size for c in clusters)
    while True:
        crowded = len(clusters) * seating.group_low > seating.low
        small = [
            c
            for c in clusters
            if not c.directed
            and _near(c, clusters)
            and (
                crowded
                or Fraction(seating.low * c.size, total) + Fraction(1, 2)
                < min(seating.group_low, seating.low)
            )
        ]
        if not small:
            return
        least = min(small, key=lambda c: (c.size, c.code))
        into = min(_near(least, clusters), key=lambda c: (-_likeness(least.fields, c.fields), c.size, c.code))
        into.fields += least.fields
        clusters.remove(least)


def _near(cluster: _Cluster, clusters: Iterable[_Cluster]) -> list[_Cluster]:
    return [c for c in clusters if c is not cluster and not c.directed and c.series == cluster.series]


def _likeness(left: Iterable[str], right: Iterable[str]) -> int:
    """How much of their codes two sets of specialties have in common, at most."""
    others = list(right)
    return max(sum(1 for _ in takewhile(_alike, zip(a, b, strict=False))) for a in left for b in others)


def _alike(letters: tuple[str, str]) -> bool:
    return letters[0] == letters[1]


def _seated(
    clusters: Sequence[_Cluster],
    of_case: Ints,
    cases: Sequence[Application],
    specialties: Specialties,
    fields: Fields,
    seating: Seating,
) -> Grouping:
    sizes = [c.size for c in clusters]
    low = seats_by_cases(seating.low, sizes, seating.group_low)
    high = seats_by_cases(seating.high, sizes, seating.group_low)
    alternates = seats_by_cases(seating.alternates, low, int(seating.alternates >= len(clusters)))
    judged: list[set[int]] = [set() for _ in clusters]
    for g, case in zip(of_case.tolist(), cases, strict=True):
        judged[g].add(case.specialty)
    names = [_name(c, fields, specialties, seating) for c in clusters]
    groups = tuple(
        Group(
            c.code or "all", names[g], low[g], max(low[g], high[g]), tuple(sorted(judged[g])), alternates[g]
        )
        for g, c in enumerate(clusters)
    )
    notes: list[Saying] = []
    for group, cluster in zip(groups, clusters, strict=True):
        said = {"group": group.name, "cases": cluster.size, "seats": group.low}
        notes.append(Saying(code="agenda.directed" if cluster.directed else "agenda.group", params=said))
        for code, count in sorted(cluster.fields.items()):
            if cluster.directed or code == cluster.code:
                continue
            name = _called(code, fields, specialties)
            notes.append(
                Saying(code="agenda.merged", params={"specialty": name, "cases": count, "group": group.name})
            )
        if 2 * seating.low * cluster.size < (2 * seating.group_low - 1) * sum(sizes):
            notes.append(Saying(code="agenda.raised", params={**said, "least": seating.group_low}))
    return Grouping(groups, of_case, tuple(notes))


def _name(cluster: _Cluster, fields: Fields, specialties: Specialties, seating: Seating) -> str:
    if cluster.directed:
        return say("agenda.directed_group")
    if seating.group_by == "none":
        return say("agenda.whole_group")
    codes = sorted(cluster.fields, key=lambda c: (-cluster.fields[c], c))
    return "、".join(_called(code, fields, specialties) for code in codes)


def _called(code: str, fields: Fields, specialties: Specialties) -> str:
    if code in fields.name:
        return fields.name[code]
    return dict(zip(specialties.code, specialties.name, strict=True)).get(code, code)
