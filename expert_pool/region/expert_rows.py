"""The rows of experts: who they are, titles, employments, skills, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from expert_pool.region.employer_rows import department, departments
from expert_pool.region.employers import PREFECTURES
from expert_pool.region.histories import (
    ABSENCE_REASONS,
    COURSES,
    EVENTS,
    REASONS,
    SANCTIONS,
    STEPS,
    Memberships,
)
from expert_pool.region.names import iso_days, national_ids, phones
from expert_pool.region.tables import Codes, Sheet, record, words, yes
from expert_pool.region.world import Region
from expert_pool.registry import Gender, Rank


def expert_sheets(region: Region, codes: Codes, names: Sequence[str]) -> dict[str, Sheet]:
    """Experts with their titles, employments and skills."""
    people, now, count = region.ground.people, region.today, len(region.ground.people)
    rng = region.streams("identities")
    everyone = np.arange(count)
    ids = national_ids(people.born, people.women)
    numbers = phones(rng, count)
    no_id, no_phone = rng.random(count) < 0.01, rng.random(count) < 0.02

    ranks = [
        (people.mid_on, Rank.MID),
        (people.deputy_on, Rank.DEPUTY_SENIOR),
        (people.full_on, Rank.FULL_SENIOR),
    ]
    held = [(on > 0) & ((rank is not Rank.MID) | (people.deputy_on == 0)) for on, rank in ranks]
    titled = np.concatenate([everyone[h] for h in held])
    awarded = np.concatenate([on[h] for (on, _), h in zip(ranks, held, strict=True)])
    rank_words = [rank.value for (_, rank), h in zip(ranks, held, strict=True) for _ in range(int(h.sum()))]

    at = departments(region)[people.employer]
    room = np.where((at > 0) & (rng.random(count) < 0.7), rng.integers(0, np.maximum(at, 1)), -1)
    main = [
        code if r < 0 else department(code, r)
        for code, r in zip(codes.employer[people.employer].tolist(), room.tolist(), strict=True)
    ]
    second, former = (people.second >= 0).nonzero()[0], (people.former >= 0).nonzero()[0]
    begun = np.concatenate([people.employed_on, people.second_on[second], people.former_on[former]])
    ended = np.concatenate([np.zeros(count + len(second), dtype=np.int64), people.left_on[former]])
    return {
        "experts": {
            "code": codes.expert.tolist(),
            "name": names,
            "gender": [Gender.FEMALE.value if w else Gender.MALE.value for w in people.women.tolist()],
            "born": iso_days(people.born),
            "region": words(PREFECTURES, people.region),
            "national_id": ["" if no else i for i, no in zip(ids, no_id.tolist(), strict=True)],
            "phone": ["" if no else p for p, no in zip(numbers, no_phone.tolist(), strict=True)],
        },
        "qualifications": {
            "expert": codes.expert[titled].tolist(),
            "series": words(region.ground.catalogue.series_code, people.series[titled]),
            "rank": rank_words,
            **record(awarded, now),
        },
        "employments": {
            "expert": [*codes.expert, *codes.expert[second], *codes.expert[former]],
            "employer": [
                *main,
                *codes.employer[people.second[second]],
                *codes.employer[people.former[former]],
            ],
            "main": ["true"] * count + ["false"] * len(second) + ["true"] * len(former),
            **record(begun, now),
            "until": iso_days(ended, ended == 0),
        },
        "skills": _skills(region, codes),
    }


def _skills(region: Region, codes: Codes) -> Sheet:
    """Skills by the catalogue that was valid when they were told."""
    known, skills = region.ground.catalogue, region.ground.people.skills
    older = skills.since < known.since
    said = [
        f"{known.version}/{known.code[s]}"
        if known.before[s] is None
        else (known.before[s] if old else known.code[s])
        for s, old in zip(skills.sub.tolist(), older.tolist(), strict=True)
    ]
    _, once = np.unique(
        np.array([f"{e} {s} {d}" for e, s, d in zip(skills.expert, said, skills.since, strict=True)]),
        return_index=True,
    )
    once.sort()
    return {
        "expert": codes.expert[skills.expert[once]].tolist(),
        "specialty": [str(said[i]) for i in once.tolist()],
        "proficiency": [str(p) for p in skills.proficiency[once].tolist()],
        **record(skills.since[once], region.today),
        "until": [""] * len(once),
    }


def history_sheets(region: Region, codes: Codes) -> dict[str, Sheet]:
    """Trainings, credit, discipline and absence."""
    now = region.today
    trained, credit, sanctions, gone = region.trainings, region.credits, region.disciplines, region.absences
    basis = ["（虚构）评审纪律第三条", "（虚构）评审纪律第五条"]
    return {
        "trainings": {
            "expert": codes.expert[trained.expert].tolist(),
            "course": words(COURSES, trained.course),
            "passed": yes(trained.passed),
            **record(trained.on, now),
            "until": iso_days(trained.until),
        },
        "credits": {
            "expert": codes.expert[credit.expert].tolist(),
            "event": words([event for event, _ in EVENTS], credit.event),
            "points": words([str(points) for _, points in EVENTS], credit.event),
            **record(credit.on, now),
        },
        "disciplines": {
            "expert": codes.expert[sanctions.expert].tolist(),
            "sanction": words([s.value for s in SANCTIONS], sanctions.sanction),
            **record(sanctions.on, now),
            "until": iso_days(sanctions.until, sanctions.until == 0),
            "basis": words(basis, sanctions.expert % 2),
            "revokes": iso_days(sanctions.revokes, sanctions.revokes == 0),
        },
        "absences": {
            "expert": codes.expert[gone.expert].tolist(),
            **record(gone.on, now),
            "until": iso_days(gone.until),
            "reason": words(ABSENCE_REASONS, gone.reason),
        },
    }


def membership_sheet(rows_: Memberships, codes: Codes, pool: str, organiser: str, today: int) -> Sheet:
    """The steps of experts in one pool."""
    return {
        "expert": codes.expert[rows_.expert].tolist(),
        "pool": [pool] * len(rows_.expert),
        "step": words([s.value for s in STEPS], rows_.step),
        **record(rows_.on, today, organiser),
        "until": iso_days(rows_.until, rows_.until == 0),
        "reason": words(REASONS, rows_.reason),
    }
