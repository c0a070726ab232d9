"""A panel of real shape: 25 members in 5 groups of a made pool of 600, 8 alternates, 200 cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from expert_pool.documents import Person
from solver.answer import Answer, GoalResult, Saying
from solver.assemble import assemble
from solver.facts import Column
from solver.goals import GOALS
from solver.problem import (
    Cases,
    ConflictKind,
    Group,
    Limits,
    Pairs,
    PolicyRef,
    Previous,
    Problem,
    Skills,
    Specialties,
)
from solver.rules import RULES

FIELDS = (
    ("软件工程", "软件"), ("数据库系统", "软件"), ("嵌入式软件", "软件"), ("机器学习", "智能"), ("计算机视觉", "智能"),
    ("网络攻防", "网安"), ("数据安全", "网安"), ("传感器网络", "物联网"), ("工业互联网", "物联网"), ("快递自动化", "快递"),
)  # fmt: skip
GROUPS = (
    ("软件与信息技术服务组", 7, (0, 1, 2), 3), ("人工智能组", 5, (3, 4), 2), ("网络空间安全组", 5, (5, 6), 1),
    ("物联网工程组", 5, (7, 8), 1), ("快递工程组（定向）", 3, (9,), 1),
)  # fmt: skip
SECTORS = ("private", "provincial", "municipal", "grassroots", "central", "state_owned")
SURNAMES = ("王", "李", "张", "欧阳", "刘", "陈", "赵", "黄", "周", "司马")
GIVEN = ("建国", "敏", "晓东", "丽华", "志远", "文静", "海涛", "雪", "思源", "国强", "玉梅")
EMPLOYERS = (
    "启明软件股份有限公司", "省信息技术研究院", "北方理工大学计算机科学与技术学院", "邮政快递行业协会",
    "数据安全技术有限公司", "第一汽车集团智能网联开发院",
)  # fmt: skip
ORDER40 = "《职称评审管理暂行规定》（人社部令第40号）第十条"


def _rules() -> tuple[Any, ...]:
    rows: list[tuple[str, str, dict[str, Any], str, str]] = [
        (
            "gate",
            "in_pool",
            {"where": _test("in_pool", "eq", True)},
            "某市《2021年全市职称工作安排意见》",
            "V1",
        ),
        (
            "gate",
            "standing",
            {"where": _test("state", "in", ["active", "restricted"])},
            "河北省职称评审意见（2023年）",
            "V1",
        ),
        (
            "gate",
            "trained",
            {"where": _test("trained_until", "ge", "@meeting")},
            "河北省职称评审意见（2023年）",
            "V1",
        ),
        ("gate", "reviewed_rank", {"where": _test("rank", "ge", 3)}, ORDER40, "V2"),
        ("gate", "age", {"where": _test("age", "lt", 70)}, "《北京市职称评审专家管理办法》第四条", "V1"),
        ("gate", "not_applicant", {"where": _test("applicant", "eq", False)}, "系统设定", "D"),
        ("peer_grade", "peer_grade", {"grade": "broad"}, ORDER40, "V2"),
        ("panel_size", "panel_size", {"low": 25, "high": 25, "odd": True}, ORDER40, "V2"),
        ("group_size", "group_size", {}, ORDER40.replace("十", "二十三"), "M"),
        (
            "roles",
            "roles",
            {"chair": [_test("rank", "ge", 4)], "deputies_low": 1, "deputies_high": 3},
            "某省评审委员会规定（2011年副本）第十条",
            "V2",
        ),
        ("group_peers", "group_peers", {"least": 2}, "河北省职称评审意见（2023年）三（三）6", "V1"),
        (
            "case_peers",
            "case_peers",
            {"least": 3, "grade": "broad", "soft": 1},
            ORDER40.replace("十", "二十三"),
            "M",
        ),
        (
            "share",
            "private_share",
            {"where": [_test("sector", "eq", "private")], "least": "3/10"},
            "机构设定",
            "D",
        ),
        (
            "share",
            "women_share",
            {"where": [_test("gender", "eq", "female")], "least": "19/20", "soft": 1},
            "机构设定",
            "D",
        ),
        ("cap", "employer_cap", {"fact": "employer", "most": 2}, "未见条文，机构设定", "D"),
        ("newcomers", "renewal", {"least": "1/3"}, "未见条文，机构设定", "D"),
        ("apart", "apart", {}, "系统设定", "D"),
        ("quorum", "quorum", {"least": "2/3"}, ORDER40.replace("十", "二十一"), "M"),
        ("alternates", "alternates", {"no_shows": False}, "吉林省职称评审规定（2013年）第二十三条", "V2"),
    ]
    return tuple(
        RULES[rule].model_validate(
            {"rule": rule, "id": id, "basis": {"text": text, "status": status}, **fields}
        )
        for rule, id, fields, text, status in rows
    )


def _test(fact: str, op: str, value: object) -> dict[str, object]:
    return {"fact": fact, "op": op, "value": value}


def _problem(**changes: Any) -> Problem:
    dice = np.random.default_rng(7)
    count, cases = 600, 200
    first = dice.integers(0, len(FIELDS), count)
    employer = dice.integers(0, 90, count)
    facts = {
        "in_pool": Column.booleans((dice.random(count) < 0.9).tolist()),
        "state": Column.categories(
            dice.choice(["active", "restricted", "suspended"], count, p=[0.9, 0.05, 0.05]).tolist()
        ),
        "trained_until": Column.dates([date(2027 if x < 0.9 else 2026, 6, 30) for x in dice.random(count)]),
        "rank": Column.integers(dice.choice([2, 3, 4], count, p=[0.1, 0.5, 0.4]).tolist()),
        "age": Column.integers(dice.integers(35, 75, count).tolist()),
        "applicant": Column.booleans((dice.random(count) < 0.01).tolist()),
        "sector": Column.categories(
            dice.choice(SECTORS, count, p=[0.25, 0.25, 0.2, 0.15, 0.1, 0.05]).tolist()
        ),
        "gender": Column.categories(dice.choice(["female", "male"], count, p=[0.35, 0.65]).tolist()),
        "employer": Column.categories([f"E{e:04d}" for e in employer]),
        "region": Column.categories(dice.choice(["长春市", "吉林市", "四平市"], count).tolist()),
    }
    of_case = dice.choice(len(FIELDS), cases, p=[0.2, 0.12, 0.08, 0.13, 0.1, 0.1, 0.08, 0.08, 0.06, 0.05])
    group_of = {s: g for g, (_, _, own, _) in enumerate(GROUPS) for s in own}
    away = dice.integers(0, count, 700), dice.integers(0, cases, 700), dice.integers(0, 3, 700)
    pairs = dice.integers(0, count, 900), dice.integers(0, count, 900)
    apart = pairs[0] != pairs[1]
    fields: dict[str, Any] = {
        "title": "2026年度工程系列信息技术高级职称评审",
        "committee": "工程系列信息技术高级职称评审委员会",
        "meeting": "2026年第一次评审会议",
        "on": date(2026, 12, 12),
        "procedure": "compose",
        "policy": PolicyRef("cn-title-jilin-2013", "1"),
        "seed": 20261212,
        "experts": tuple(f"P{i:09X}7" for i in range(count)),
        "facts": facts,
        "specialties": Specialties(
            tuple(f"0812{i:02d}" for i in range(len(FIELDS))),
            tuple(n for n, _ in FIELDS),
            tuple(b for _, b in FIELDS),
        ),
        "skills": Skills(
            np.repeat(np.arange(count), 2),
            np.column_stack([first, (first + 1) % len(FIELDS)]).ravel(),
            dice.integers(1, 4, 2 * count),
        ),
        "cases": Cases(
            tuple(f"SB2026-{n:04d}" for n in range(1, cases + 1)),
            of_case,
            np.array([group_of[s] for s in of_case.tolist()]),
        ),
        "groups": tuple(
            Group(f"g{i}", n, size, size, own, alt) for i, (n, size, own, alt) in enumerate(GROUPS, 1)
        ),
        "conflict_kinds": tuple(
            ConflictKind(kind, "pair", ORDER40, "M") for kind in ("same_employer", "co_author", "advisor")
        ),
        "between": Pairs(
            pairs[0][apart], pairs[1][apart], np.ones(apart.sum(), dtype=np.int64), ("",) * apart.sum()
        ),
        "with_cases": Pairs(*away, ("",) * 700),
        "previous": (Previous("2025", date(2025, 12, 1), frozenset(range(60)), 25),),
        "rules": _rules(),
        "goals": (
            GOALS["peer_match"].model_validate({"goal": "peer_match", "id": "peer_match", "level": 2}),
            GOALS["tie_break"].model_validate({"goal": "tie_break", "id": "tie_break", "level": 3}),
        ),
        "limits": Limits(seconds=600, gap=0.02),
        "made": True,
    }
    return Problem(**fields | changes)


@pytest.fixture(scope="session")
def problem() -> Problem:
    return _problem()


@pytest.fixture(scope="session")
def answer(problem: Problem) -> Answer:
    """Without the goals that take long to prove, and then as if they had been settled."""
    quick = assemble(replace(problem, goals=()))[0]
    settled = GoalResult(id="peer_match", level=2, value=3120, bound=3087, proven=False)
    return quick.model_copy(update={"goals": [*quick.goals, settled], "gap": 0.010577})


@pytest.fixture(scope="session")
def people(answer: Answer) -> dict[str, Person]:
    return everybody(answer)


def everybody(answer: Answer) -> dict[str, Person]:
    seated = [m.expert for m in answer.members] + [a.expert for a in answer.alternates]
    return {
        expert: Person(
            name=f"{SURNAMES[i % 10]}{GIVEN[(i * 3) % 11]}（虚构）",
            employer=EMPLOYERS[i % 6],
            sector=SECTORS[(i * i) % 6],
            rank="full_senior" if i % 3 else "deputy_senior",
            region="长春市",
            specialties=(FIELDS[i % 10][0], FIELDS[(i + 1) % 10][0]),
        )
        for i, expert in enumerate(seated)
    }


@pytest.fixture(scope="session")
def without_panel() -> Callable[[Answer], Answer]:
    """What an answer looks like when there is no panel."""
    return empty


def empty(answer: Answer) -> Answer:
    return answer.model_copy(
        update={
            "status": "infeasible",
            "stopped_by": None,
            "fileable": False,
            "members": [],
            "alternates": [],
            "rules": [],
            "findings": [],
            "cases": [],
            "goals": [],
            "gap": None,
            "why_not": [
                Saying(
                    code="why_not.together", params={"rules": ["private_share", "employer_cap", "renewal"]}
                ),
            ],
        }
    )
