"""`panel-problem/1`: a panel problem as a JSON file, read strictly and written canonically."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from solver.errors import Fault, reason
from solver.facts import MISSING, Column, ColumnType
from solver.goals import GOALS, AnyGoal
from solver.ladder import StepPart, check_ladder, read_ladder, write_ladder
from solver.problem import (
    Cases,
    ConflictKind,
    Effect,
    Exclusion,
    Group,
    Limits,
    Lock,
    Pairs,
    PolicyRef,
    Previous,
    Problem,
    Procedure,
    Skills,
    Specialties,
)
from solver.rules import RULES, AnyRule
from solver.rules.base import Status

MOST_BYTES = 512 * 1024 * 1024
"""A longer problem file is refused unread."""

Index = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyPart(Part):
    id: str
    version: str
    sha256: str = ""


class LimitsPart(Part):
    seconds: float = Field(default=120.0, gt=0, le=86400)
    gap: float = Field(default=0.0, ge=0, le=1)
    workers: int = Field(default=1, ge=1, le=64)
    memory_mb: int | None = Field(default=None, ge=64, le=1_048_576)


class ColumnPart(Part):
    """One fact of every expert, null where unknown; a category indexes `names`; dates are days since 1970-01-01."""

    type: ColumnType
    values: list[int | None]
    names: list[str] = []


class ExpertsPart(Part):
    id: list[Annotated[str, Field(min_length=1)]]
    facts: dict[str, ColumnPart]


class SpecialtiesPart(Part):
    code: list[str]
    name: list[str]
    broad: list[str]


class SkillsPart(Part):
    expert: list[Index]
    specialty: list[Index]
    proficiency: list[Annotated[int, Field(ge=1, le=3)]]


class CasesPart(Part):
    id: list[str]
    specialty: list[Index]
    group: list[Index]


class GroupPart(Part):
    id: str
    name: str
    low: int = Field(ge=1, le=1000)
    high: int = Field(ge=1, le=1000)
    specialties: list[Index]
    alternates: int = Field(default=0, ge=0, le=1000)


class ConflictKindPart(Part):
    kind: str
    effect: Effect
    basis: str
    status: Status


class PairsPart(Part):
    left: list[Index] = []
    right: list[Index] = []
    kind: list[Index] = []
    why: list[str] = []


class ConflictsPart(Part):
    kinds: list[ConflictKindPart] = []
    between: PairsPart = PairsPart()
    with_cases: PairsPart = PairsPart()


class PreviousPart(Part):
    id: str
    on: date
    members: list[Index]
    size: int = Field(ge=0)


class LockPart(Part):
    expert: Index
    group: Index | None
    by: str
    why: str


class ExclusionPart(Part):
    expert: Index
    by: str
    why: str


class ProblemFile(Part):
    """`panel-problem/1`."""

    format: Literal["panel-problem/1"]
    title: str
    committee: str
    meeting: str
    on: date
    procedure: Procedure
    made: bool = False
    policy: PolicyPart
    seed: int = Field(ge=0, lt=2**53)
    limits: LimitsPart = LimitsPart()
    experts: ExpertsPart
    specialties: SpecialtiesPart
    skills: SkillsPart
    groups: list[GroupPart] = Field(min_length=1, max_length=200)
    cases: CasesPart
    conflicts: ConflictsPart = ConflictsPart()
    previous: list[PreviousPart] = []
    locks: list[LockPart] = []
    exclusions: list[ExclusionPart] = []
    rules: list[AnyRule]
    goals: list[AnyGoal] = []
    weighted: bool = False
    ladder: list[StepPart] = []


@cache
def _reader() -> TypeAdapter[ProblemFile]:
    return TypeAdapter(ProblemFile)


def problem_schema() -> dict[str, Any]:
    """The JSON Schema of `panel-problem/1`."""
    return _reader().json_schema()


def read_problem(source: Path | bytes) -> Problem:
    """The problem in a file, or in the bytes of one.

    Raises Fault: the file is missing or too long, cut off or not JSON, does not follow the schema (each place is
    named), or its parts do not fit together.
    """
    name = source.name if isinstance(source, Path) else "-"
    text = _bytes_of(source) if isinstance(source, Path) else source
    if len(text) > MOST_BYTES:
        raise Fault("problem.too_long", name, bytes=len(text), most=MOST_BYTES)
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        cut = not text.rstrip().endswith(b"}")
        raise Fault(
            "problem.cut_off" if cut else "problem.not_json", name, line=line, column=column
        ) from None
    return from_plain(plain)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Fault("problem.too_long", path.name, bytes=path.stat().st_size, most=MOST_BYTES)
        return path.read_bytes()
    except OSError as error:
        raise Fault("problem.unreadable", str(path), reason=error.strerror or str(error)) from None


def from_plain(plain: Any) -> Problem:
    """The problem in parsed JSON. Raises Fault as `read_problem` does."""
    try:
        file = _reader().validate_python(plain)
    except ValidationError as error:
        raise _said(error, plain) from None
    problem = _problem(file)
    check_problem(problem)
    return problem


def _said(error: ValidationError, plain: Any) -> Fault:
    """The first few faults of a file that does not follow the schema, the place of each as a path."""
    first = error.errors(include_url=False)[0]
    places = [".".join(str(step) for step in e["loc"]) for e in error.errors(include_url=False)[:5]]
    where, kind = places[0], first["type"]
    if kind == "union_tag_invalid":
        known = RULES if where.startswith("rules") else GOALS
        given = str(first["ctx"]["tag"])
        near = get_close_matches(given, known, 1)
        return Fault(
            "problem.rule_unknown", where, given=given, near=near[0] if near else None, known=", ".join(known)
        )
    if kind == "extra_forbidden":
        return Fault("problem.field_unknown", where, field=str(first["loc"][-1]))
    if kind == "missing":
        return Fault("problem.field_missing", where, field=str(first["loc"][-1]))
    given, also = str(first["input"])[:60], ", ".join(places[1:]) or None
    if kind in SCHEMA_FAULTS:
        bound = next(iter(first.get("ctx", {}).values()), None)
        return Fault(f"problem.schema.{kind}", where, given=given, bound=bound, also=also)
    return Fault("problem.schema", where, given=given, reason=reason(first), also=also)


SCHEMA_FAULTS = frozenset(
    {
        "share_form",
        "share_range",
        "share_fine",
        "less_than_equal",
        "greater_than_equal",
        "less_than",
        "greater_than",
        "literal_error",
        "int_type",
        "int_parsing",
        "string_type",
        "list_type",
        "bool_type",
        "too_short",
        "string_pattern_mismatch",
    }
)
"""Kinds of schema faults that have a sentence of their own in the catalogues."""


def _array(values: Sequence[int]) -> Any:
    return np.array(values, dtype=np.int64)


def _problem(file: ProblemFile) -> Problem:
    facts = {
        name: Column(
            part.type,
            _array([MISSING if v is None else v for v in part.values]),
            tuple(part.names),
        )
        for name, part in file.experts.facts.items()
    }
    pairs = {
        side: Pairs(_array(part.left), _array(part.right), _array(part.kind), tuple(part.why))
        for side, part in (("between", file.conflicts.between), ("with_cases", file.conflicts.with_cases))
    }
    return Problem(
        title=file.title,
        committee=file.committee,
        meeting=file.meeting,
        on=file.on,
        procedure=file.procedure,
        made=file.made,
        policy=PolicyRef(**file.policy.model_dump()),
        seed=file.seed,
        experts=tuple(file.experts.id),
        facts=facts,
        specialties=Specialties(
            tuple(file.specialties.code), tuple(file.specialties.name), tuple(file.specialties.broad)
        ),
        skills=Skills(
            _array(file.skills.expert), _array(file.skills.specialty), _array(file.skills.proficiency)
        ),
        cases=Cases(tuple(file.cases.id), _array(file.cases.specialty), _array(file.cases.group)),
        groups=tuple(
            Group(g.id, g.name, g.low, g.high, tuple(g.specialties), g.alternates) for g in file.groups
        ),
        conflict_kinds=tuple(ConflictKind(**k.model_dump()) for k in file.conflicts.kinds),
        between=pairs["between"],
        with_cases=pairs["with_cases"],
        previous=tuple(Previous(p.id, p.on, frozenset(p.members), p.size) for p in file.previous),
        locks=tuple(Lock(**lock.model_dump()) for lock in file.locks),
        exclusions=tuple(Exclusion(**x.model_dump()) for x in file.exclusions),
        rules=tuple(file.rules),
        goals=tuple(file.goals),
        weighted=file.weighted,
        limits=Limits(**file.limits.model_dump()),
        ladder=read_ladder(file.ladder),
    )


def check_problem(problem: Problem) -> None:
    """Raises Fault where the parts of a problem do not fit together: lengths, indices, names, rules."""
    experts, specialties = len(problem.experts), len(problem.specialties.code)
    groups, cases, kinds = len(problem.groups), len(problem.cases.id), len(problem.conflict_kinds)
    _unique("experts.id", problem.experts)
    _unique("cases.id", problem.cases.id)
    _unique("groups.id", [g.id for g in problem.groups])
    _unique("rules.id", [*(r.id for r in problem.rules), *(g.id for g in problem.goals)])
    _lengths("specialties", specialties, problem.specialties.name, problem.specialties.broad)
    _lengths("cases", cases, problem.cases.specialty, problem.cases.group)
    for name, column in problem.facts.items():
        where = f"experts.facts.{name}"
        _lengths(where, experts, column.values)
        if column.type == "category":
            _unique(f"{where}.names", column.names)
            _indices(where, column.values[column.values != MISSING], len(column.names))
        if column.type == "boolean":
            _indices(where, column.values[column.values != MISSING], 2)
    skills = problem.skills
    _lengths("skills", len(skills.expert), skills.specialty, skills.proficiency)
    _indices("skills.expert", skills.expert, experts)
    _indices("skills.specialty", skills.specialty, specialties)
    _indices("cases.specialty", problem.cases.specialty, specialties)
    _indices("cases.group", problem.cases.group, groups)
    for g, group in enumerate(problem.groups):
        _indices(f"groups.{g}.specialties", _array(group.specialties), specialties)
        if group.low > group.high:
            raise Fault("problem.range_crossed", f"groups.{g}", low=group.low, high=group.high)
    for name, pairs, others in (
        ("conflicts.between", problem.between, experts),
        ("conflicts.with_cases", problem.with_cases, cases),
    ):
        _lengths(name, len(pairs.left), pairs.right, pairs.kind, pairs.why)
        _indices(f"{name}.left", pairs.left, experts)
        _indices(f"{name}.right", pairs.right, others)
        _indices(f"{name}.kind", pairs.kind, kinds)
    for i, previous in enumerate(problem.previous):
        _indices(f"previous.{i}.members", _array(sorted(previous.members)), experts)
    for i, lock in enumerate(problem.locks):
        _indices(f"locks.{i}.expert", _array([lock.expert]), experts)
        if lock.group is not None:
            _indices(f"locks.{i}.group", _array([lock.group]), groups)
    for i, exclusion in enumerate(problem.exclusions):
        _indices(f"exclusions.{i}.expert", _array([exclusion.expert]), experts)
    _needed(problem)
    for rule in problem.rules:
        rule.check(problem)
    for goal in problem.goals:
        goal.check(problem)
    check_ladder(problem)


def _needed(problem: Problem) -> None:
    """A lock without the rule that keeps it would be silently ignored, and so would be group sizes."""
    there = {rule.rule for rule in problem.rules}
    needs = ["group_size"]
    needs += ["locks"] if problem.locks or problem.exclusions else []
    needs += ["alternates"] if any(group.alternates for group in problem.groups) else []
    for name in needs:
        if name not in there:
            raise Fault("problem.rule_needed", "rules", rule=name)


def _unique(where: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise Fault("problem.twice", f"{where}.{i}", value=name)
        seen.add(name)


def _lengths(where: str, expected: int, *aligned: Any) -> None:
    for values in aligned:
        if len(values) != expected:
            raise Fault("problem.lengths", where, expected=expected, found=len(values))


def _indices(where: str, values: Any, size: int) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= size))
    if len(wrong):
        at = int(wrong[0])
        raise Fault("problem.index", f"{where}.{at}", index=int(values[at]), size=size)


def to_plain(problem: Problem) -> dict[str, Any]:
    """The problem as JSON-ready data, in the order of the schema, every field present but for a ladder that has no step."""

    def pairs(p: Pairs) -> dict[str, Any]:
        return {
            "left": p.left.tolist(),
            "right": p.right.tolist(),
            "kind": p.kind.tolist(),
            "why": list(p.why),
        }

    return {
        "format": "panel-problem/1",
        "title": problem.title,
        "committee": problem.committee,
        "meeting": problem.meeting,
        "on": problem.on.isoformat(),
        "procedure": problem.procedure,
        "made": problem.made,
        "policy": asdict(problem.policy),
        "seed": problem.seed,
        "limits": asdict(problem.limits),
        "experts": {
            "id": list(problem.experts),
            "facts": {name: _column(column) for name, column in problem.facts.items()},
        },
        "specialties": {
            "code": list(problem.specialties.code),
            "name": list(problem.specialties.name),
            "broad": list(problem.specialties.broad),
        },
        "skills": {
            "expert": problem.skills.expert.tolist(),
            "specialty": problem.skills.specialty.tolist(),
            "proficiency": problem.skills.proficiency.tolist(),
        },
        "groups": [
            {
                "id": g.id,
                "name": g.name,
                "low": g.low,
                "high": g.high,
                "specialties": list(g.specialties),
                "alternates": g.alternates,
            }
            for g in problem.groups
        ],
        "cases": {
            "id": list(problem.cases.id),
            "specialty": problem.cases.specialty.tolist(),
            "group": problem.cases.group.tolist(),
        },
        "conflicts": {
            "kinds": [
                {"kind": k.kind, "effect": k.effect, "basis": k.basis, "status": k.status}
                for k in problem.conflict_kinds
            ],
            "between": pairs(problem.between),
            "with_cases": pairs(problem.with_cases),
        },
        "previous": [
            {"id": p.id, "on": p.on.isoformat(), "members": sorted(p.members), "size": p.size}
            for p in problem.previous
        ],
        "locks": [{"expert": x.expert, "group": x.group, "by": x.by, "why": x.why} for x in problem.locks],
        "exclusions": [{"expert": x.expert, "by": x.by, "why": x.why} for x in problem.exclusions],
        "rules": [rule.model_dump(mode="json") for rule in problem.rules],
        "goals": [goal.model_dump(mode="json") for goal in problem.goals],
        "weighted": problem.weighted,
        **({"ladder": write_ladder(problem.ladder)} if problem.ladder else {}),
    }


def _column(column: Column) -> dict[str, Any]:
    known: list[int | None] = column.values.tolist()
    for i in np.flatnonzero(column.values == MISSING).tolist():
        known[i] = None
    return {"type": column.type, "values": known, "names": list(column.names)}


def problem_bytes(problem: Problem) -> bytes:
    """The canonical file: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(to_plain(problem), option=orjson.OPT_SORT_KEYS)


def problem_sha256(problem: Problem) -> str:
    """The hash that names a problem everywhere; limits do not belong to it, since they change no rule."""
    plain = to_plain(problem)
    del plain["limits"]
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_problem(problem: Problem, path: Path) -> None:
    path.write_bytes(problem_bytes(problem))
