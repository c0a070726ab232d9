"""The rows of committees: organisers, pools, filings, agendas with their cases, services, relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from expert_pool.columns import as_date
from expert_pool.region.committees import OUTCOMES, ROLES, Committee, Sitting
from expert_pool.region.employers import PREFECTURES, PROVINCE
from expert_pool.region.expert_rows import membership_sheet
from expert_pool.region.names import MARK, iso_days, name_people
from expert_pool.region.network import KINDS, Ties
from expert_pool.region.tables import OFFICE, POOL, Codes, Sheet, record, words, yes
from expert_pool.region.world import Region
from expert_pool.registry import FilingKind, Form, Level, RelationKind
from solver.facts import Mask

_THREE_YEARS = 3 * 365 - 1
_LEVEL_NAMES = {Level.SENIOR: "高级", Level.MID: "中级", Level.JUNIOR: "初级"}
_OF_THE_APPLICANT = (RelationKind.CO_AUTHOR, RelationKind.ADVISOR, RelationKind.RELATIVE)
_EARLY = 2
"""Committees that met earlier this season."""

_SOURCES = {
    RelationKind.RELATIVE: "本人申报", RelationKind.CO_AUTHOR: "论文数据", RelationKind.ADVISOR: "人事档案",
    RelationKind.RECOMMENDER: "申报材料", RelationKind.OBJECTION: "申报人异议", RelationKind.SAME_CASE: "申报材料",
    RelationKind.STAKE: "本人申报", RelationKind.OTHER: "其他",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Called:
    """The codes around one committee."""

    committee: str
    organiser: str
    pool: str
    agenda: str
    meeting: str
    on: date


def called(region: Region, number: int) -> Called:
    """The codes of the committee of a number, from 0; those beyond the last met earlier this season."""
    own = f"{number + 1:03d}"
    agenda, meeting = f"A{own}-{region.season}", f"M{own}-{region.season}"
    if number >= len(region.committees):
        return Called(f"C{own}", OFFICE, POOL, agenda, meeting, as_date(region.today))
    committee = region.committees[number]
    organiser = OFFICE if number == 0 else f"O{2 + (number - 1) // 3:03d}"
    pool = POOL if committee.own_pool is None else f"P{own}"
    return Called(f"C{own}", organiser, pool, agenda, meeting, as_date(committee.meeting))


def committee_sheets(region: Region, codes: Codes, names: Sequence[str]) -> list[dict[str, Sheet]]:
    """Everything about organisers and committees, in parts: each gives some sheets some rows."""
    known = region.ground.catalogue
    series = known.series_code.index("08")
    parts = [_organisers(region)]
    for number, committee in enumerate(region.committees):
        parts += _committee(region, codes, names, number, committee)
    for turn in range(_EARLY):
        by = called(region, len(region.committees) + turn)
        own = region.this_season[turn::_EARLY]
        title = f"{PROVINCE}{'甲乙'[turn]}类职称评审委员会{MARK}"
        parts.append({"committees": _head(by, title, Level.MID, Form.DELEGATED, known.series_code[series])})
        parts += [
            {"services": _services(codes, sitting, by, f"{by.committee}-{sitting.season}-{n}", region.today)}
            for n, sitting in enumerate(own, start=1)
        ]
    parts.append({"memberships": membership_sheet(region.pool, codes, POOL, OFFICE, region.today)})
    parts.append(_relations(region, codes))
    return parts


def _organisers(region: Region) -> dict[str, Sheet]:
    more = sorted({called(region, n).organiser for n in range(len(region.committees))} - {OFFICE})
    pools = [(POOL, f"{PROVINCE}高级职称评审专家库{MARK}", OFFICE)]
    for number in range(len(region.committees)):
        by = called(region, number)
        if by.pool != POOL:
            pools.append((by.pool, f"第{number + 1}评审委员会专家库{MARK}", by.organiser))
    return {
        "organisers": {
            "code": [OFFICE, *more],
            "name": [f"{PROVINCE}人力资源和社会保障厅{MARK}"]
            + [
                f"{PREFECTURES[n % len(PREFECTURES)]}第{n + 1}职称评审办事机构{MARK}"
                for n in range(len(more))
            ],
            "parent": ["", *[OFFICE] * len(more)],
        },
        "pools": dict(zip(("code", "name", "organiser"), zip(*pools, strict=True), strict=True)),
    }


def _head(by: Called, title: str, level: Level, form: Form, series: str) -> Sheet:
    return {
        "code": [by.committee], "name": [title], "organiser": [by.organiser], "pool": [by.pool],
        "level": [level.value], "form": [form.value], "series": [series],
    }  # fmt: skip


def _committee(
    region: Region, codes: Codes, names: Sequence[str], number: int, committee: Committee
) -> list[dict[str, Sheet]]:
    known, now = region.ground.catalogue, region.today
    by = called(region, number)
    code, name = known.series_code[committee.series], known.series_name[committee.series]
    which = "" if number == 0 else f"第{number + 1}"
    title = f"{PROVINCE}{name}系列{which}{_LEVEL_NAMES[committee.level]}职称评审委员会{MARK}"
    parts: list[dict[str, Sheet]] = [{"committees": _head(by, title, committee.level, committee.form, code)}]
    if committee.own_pool is not None:
        parts.append({"memberships": membership_sheet(committee.own_pool, codes, by.pool, by.organiser, now)})

    filed = [(FilingKind.POOL, now - 420), (FilingKind.COMMITTEE, now - 400)]
    filed += [(FilingKind.RESULTS, min(s.on + 60, now)) for s in committee.sittings]
    on = np.array([d for _, d in filed], dtype=np.int64)
    parts.append(
        {
            "filings": {
                "committee": [by.committee] * len(filed),
                "kind": [kind.value for kind, _ in filed],
                "reference": [
                    f"虚人社备〔{d[:4]}〕{number + 1}-{n}号" for n, d in enumerate(iso_days(on), start=1)
                ],
                **record(on, now, by.organiser),
                "until": iso_days(on + _THREE_YEARS),
            }
        }
    )
    parts += [
        {"services": _services(codes, sitting, by, f"{by.committee}-{sitting.season}", now)}
        for sitting in committee.sittings
    ]
    return [*parts, *_agenda(region, codes, names, number, committee)]


def _services(codes: Codes, sitting: Sitting, by: Called, panel: str, today: int) -> Sheet:
    n = len(sitting.expert)
    return {
        "expert": codes.expert[sitting.expert].tolist(),
        "committee": [by.committee] * n,
        "season": [str(sitting.season)] * n,
        "panel": [panel] * n,
        "role": words([role.value for role in ROLES], sitting.role),
        "outcome": words([outcome.value for outcome in OUTCOMES], sitting.outcome),
        **record(np.full(n, sitting.on), today, by.organiser),
    }


def _agenda(
    region: Region, codes: Codes, names: Sequence[str], number: int, committee: Committee
) -> list[dict[str, Sheet]]:
    known, made, by = region.ground.catalogue, committee.applications, called(region, number)
    count = len(made)
    rng = region.streams("applicants", number)
    strangers = name_people(rng, rng.random(count) < 0.4)
    cases = [f"{by.agenda}-{n:04d}" for n in range(1, count + 1)]
    people = [f"S{case[1:]}" for case in cases]
    own = made.expert.tolist()
    named: Mask = np.isin(made.ties.kind, [KINDS.index(k) for k in _OF_THE_APPLICANT])
    right = made.ties.right.tolist()
    return [
        {
            "applicants": {
                "code": people,
                "name": [strangers[c] if e < 0 else names[e] for c, e in enumerate(own)],
                "expert": ["" if e < 0 else str(codes.expert[e]) for e in own],
            },
            "agendas": {
                "code": [by.agenda],
                "committee": [by.committee],
                "title": [f"{region.season}年度{known.series_name[committee.series]}系列评审{MARK}"],
                "season": [str(region.season)],
            },
            "cases": {
                "code": cases,
                "agenda": [by.agenda] * count,
                "applicant": people,
                "specialty": words(known.code, made.sub),
                "employer": codes.employer[made.employer].tolist(),
                "level": [committee.level.value] * count,
                "directed": yes(made.directed),
            },
            "meetings": {
                "code": [by.meeting],
                "agenda": [by.agenda],
                "on": [by.on.isoformat()],
                "place": [f"{PREFECTURES[0]}评审中心{MARK}"],
            },
            "relations": _relation_sheet(
                made.ties,
                codes,
                {
                    "applicant": [people[c] if a else "" for c, a in zip(right, named.tolist(), strict=True)],
                    "case": ["" if a else cases[c] for c, a in zip(right, named.tolist(), strict=True)],
                },
                region.today,
            ),
        }
    ]


def _relations(region: Region, codes: Codes) -> dict[str, Sheet]:
    between, stakes = region.between, region.stakes
    both = [
        _relation_sheet(between, codes, {"other_expert": codes.expert[between.right].tolist()}, region.today),
        _relation_sheet(stakes, codes, {"employer": codes.employer[stakes.right].tolist()}, region.today),
    ]
    return {"relations": {name: [*both[0][name], *both[1][name]] for name in both[0]}}


def _relation_sheet(ties: Ties, codes: Codes, right: Mapping[str, Sequence[str]], today: int) -> Sheet:
    """Relations; `right` holds the other party of each in the column where it belongs, empty elsewhere."""
    lasting = ties.undated | (ties.until == 0)
    empty = [""] * len(ties)
    return {
        "kind": words([k.value for k in KINDS], ties.kind),
        "expert": codes.expert[ties.left].tolist(),
        **{name: right.get(name, empty) for name in ("other_expert", "applicant", "employer", "case")},
        "since": iso_days(ties.since, ties.undated),
        "until": iso_days(np.where(lasting, 0, ties.until), lasting),
        "source": words([_SOURCES[k] for k in KINDS], ties.kind),
        **record(ties.declared, today),
    }


__all__ = ["Called", "called", "committee_sheets"]
