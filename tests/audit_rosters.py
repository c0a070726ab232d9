"""Rosters made from panels of ours, to be audited, and spoiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from expert_pool.audits import Audit, audit, read_roster
from expert_pool.documents.people import RANKS
from expert_pool.packaged import fixture
from expert_pool.policies.policy import Conflict, Policy, Seating, Settled, Terms
from solver.panel import Panel
from solver.problem import ConflictKind, Problem
from solver.rules import Basis

Rows = list[dict[str, Any]]

FACT_COLUMNS = {
    "sector": "单位性质", "region": "所在地区", "gender": "性别", "age": "年龄", "in_pool": "是否在库", "state": "在库状态",
    "term_until": "聘期截止", "trained_until": "培训有效期至", "credit": "信用分", "available": "能否到会",
    "consecutive_terms": "已连续任职届数", "years_since_served": "距上次任职年数", "seats_this_season": "本年度已任次数",
    "applicant": "本年度是否申报", "rank": "职称级别", "rank_years": "任职年限", "employer": "法人单位",
}  # fmt: skip
ROLES = {"chair": "主任委员", "deputy": "副主任委员", "member": "委员", "alternate": "备选委员"}


@dataclass
class Book:
    """The sheets of a roster as rows of header -> cell."""

    sheets: dict[str, Rows]

    def save(self, path: Path) -> Path:
        """As .xlsx; a column that is in some rows only is empty in the others."""
        from openpyxl import Workbook

        book = Workbook()
        book.remove(book.worksheets[0])
        for title, rows in self.sheets.items():
            sheet = book.create_sheet(title)
            heads = list(dict.fromkeys(head for row in rows for head in row))
            sheet.append(heads)
            for row in rows:
                sheet.append([row.get(head) for head in heads])
        book.save(path)
        return path

    @property
    def people(self) -> Rows:
        return self.sheets["名单"]

    def relate(self, kind: str, person: str, **other: Any) -> None:
        """A relation of somebody with whom or what `other` says."""
        self.sheets["利害关系"].append({"关系": kind, "评委姓名": person, **other})

    def drop(self, sheet: str, column: str) -> None:
        for row in self.sheets[sheet]:
            row.pop(column, None)

    def audited(self, folder: Path, policy: Policy, on: date, level: str = "senior") -> Audit:
        return audit(read_roster(self.save(folder / "名单.xlsx"), on), policy, on, level=level)


def sample() -> Book:
    """The sample of the fixtures, its planted faults mended: a training that had run out, two trainings and a sector that
    were not stated, birthdays in the month of the audit, and a relation between two members."""
    sheets = deepcopy(_sheets())
    for row in sheets["名单"]:
        if row["培训有效期至"] is None or row["培训有效期至"].date() < date(2026, 4, 18):
            row["培训有效期至"] = date(2027, 12, 31)
        row["单位性质"] = row["单位性质"] or "中直"
        if row["出生年月"].endswith("-04"):
            row["出生年月"] += "-01"
    sheets["利害关系"] = [row for row in sheets["利害关系"] if row["关系"] != "亲属"]
    return Book(sheets)


@cache
def _sheets() -> dict[str, Rows]:
    from openpyxl import load_workbook

    sheets: dict[str, Rows] = {}
    for sheet in load_workbook(fixture("audits", "roster.xlsx")):
        lines = [list(line) for line in sheet.iter_rows(values_only=True)]
        heads, *rows = lines[1:] if sheet.title == "名单" else lines
        sheets[sheet.title] = [dict(zip(map(str, heads), row, strict=True)) for row in rows]
    return sheets


def book_of(panel: Panel, named: Mapping[str, str] | None = None) -> Book:
    """Everything that a problem knows about a panel of it, as a roster. Names are the pseudonyms unless `named`."""
    problem = panel.problem
    names = [(named or {}).get(expert, expert) for expert in problem.experts]
    waiting = {e: (g, order) for g, own in enumerate(panel.alternates) for order, e in enumerate(own, 1)}
    people: Rows = []
    for e in [*sorted(panel.members), *waiting]:
        group, order = waiting.get(e, (panel.members.get(e, 0), None))
        role = "chair" if e == panel.chair else "deputy" if e in panel.deputies else "member"
        subs = [sub_of(problem, s) for s in problem.held[e]]
        row = {
            "姓名": names[e],
            "角色": ROLES["alternate" if e in waiting else role],
            "评议组": problem.groups[group].id,
            "递补顺序": order,
            "工作单位": f"单位{names[e]}",
            "细分专业": "；".join(subs or ["无/无"]),
        }
        people.append(row | {FACT_COLUMNS[f]: cell(f, c.show(e)) for f, c in problem.facts.items()})
    cases = [
        {
            "申报编号": case,
            "申报人": f"申报人{case}",
            "工作单位": f"申报单位{case}",
            "细分专业": sub_of(problem, int(problem.cases.specialty[c])),
            "评议组": problem.groups[int(problem.cases.group[c])].id,
        }
        for c, case in enumerate(problem.cases.id)
    ]
    seated = {*panel.members, *waiting}
    relations: Rows = [{"关系": "无"}]
    for left, right, kind in _rows(problem.between):
        if left in seated and right in seated:
            relations.append(_relation(problem, kind, names[left]) | {"对方姓名": names[right]})
    for left, right, kind in _rows(problem.with_cases):
        if left in seated:
            relations.append(_relation(problem, kind, names[left]) | {"申报编号": problem.cases.id[right]})
    previous = [
        {"届次": p.id, "会议日期": p.on, "姓名": names[e], "法人单位": employer(problem, e)}
        for p in problem.previous
        for e in [*sorted(p.members)]
    ] + [
        {"届次": p.id, "会议日期": p.on, "姓名": f"故人{p.id}", "法人单位": "故单位"}
        for p in problem.previous
    ]
    groups = [
        {
            "评议组": group.id,
            "细分专业": "；".join(sub_of(problem, s) for s in group.specialties),
            "委员下限": group.low,
            "委员上限": group.high,
            "备选人数": group.alternates,
        }
        for group in problem.groups
    ]
    sheets = {"名单": people, "申报": cases, "利害关系": relations, "往届": previous, "评议组": groups}
    return Book(sheets)


def cell(fact: str, value: Any) -> Any:
    """A fact as a roster writes it."""
    if value is None:
        return None
    if fact == "rank":
        return RANKS[value - 1]
    return ("是" if value else "否") if isinstance(value, bool) else value


def sub_of(problem: Problem, specialty: int) -> str:
    return f"{problem.specialties.broad[specialty]}/{problem.specialties.code[specialty]}"


def employer(problem: Problem, expert: int) -> Any:
    return problem.facts["employer"].show(expert) if "employer" in problem.facts else None


def _relation(problem: Problem, kind: int, name: str) -> dict[str, Any]:
    return {"关系": problem.conflict_kinds[kind].kind, "评委姓名": name}


def _rows(pairs: Any) -> list[tuple[int, int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.kind.tolist(), strict=True))


def policy_of(problem: Problem, seating: Seating | None = None) -> Policy:
    """The rules of a problem as a policy; every kind of conflict counts between members too."""
    kinds = {
        k.kind: Conflict(k.kind, "always", k.effect, True, None, Basis(text=k.basis, status="D"))
        for k in problem.conflict_kinds
    }
    settled = Settled(problem.rules, (), seating)
    return Policy(
        id=problem.policy.id,
        version="1",
        title={"zh": "测试", "en": "test"},
        procedure="compose",
        sha256="",
        weighted=False,
        locks_most=None,
        parameters={},
        overrides=(),
        conflicts=kinds,
        terms=Terms(),
        filings={},
        unstated=(),
        by_level={"senior": settled},
    )


def renamed(problem: Problem, kinds: Sequence[ConflictKind]) -> Problem:
    """The problem with other kinds of conflict, such as a sheet of relations may state."""
    return replace(problem, conflict_kinds=tuple(kinds))


def verdicts(done: Audit) -> dict[str, str]:
    return {rule.id: rule.verdict for rule in done.rules}
