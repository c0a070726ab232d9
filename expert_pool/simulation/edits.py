"""Edits of a scenario: what they change in a problem, as a file says it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

Scalar = bool | int | str
Count = Annotated[int, Field(ge=1, le=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Supposed = Scalar | None | dict[Literal["senior", "mid", "junior"], Scalar | None]
"""What a scenario supposes of a policy's parameter, at once or by level of the committee; null: it is not stated."""


class Doc(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleEdit(Doc):
    """A rule with other values in some fields, or left out."""

    rule: Name
    set: dict[str, Any] = {}
    drop: bool = False


class GoalEdit(Doc):
    """A goal with other values in some fields, or left out."""

    goal: Name
    set: dict[str, Any] = {}
    drop: bool = False


class SeatsDoc(Doc):
    low: int | None = Field(default=None, ge=1, le=1000)
    high: int | None = Field(default=None, ge=1, le=1000)
    alternates: int | None = Field(default=None, ge=0, le=1000)


class GroupEdit(Doc):
    """Other sizes of a group; `*`: of every group."""

    group: Name
    set: SeatsDoc


Experts = tuple[Name, ...] | Annotated[dict[str, Scalar], Field(min_length=1)]
"""Experts by their pseudonyms, or everybody of whom these facts are so: `{employer: E012}`."""


class LeaveEdit(Doc):
    """Experts who neither sit nor wait."""

    leave: (
        Annotated[tuple[Name, ...], Field(min_length=1)] | Annotated[dict[str, Scalar], Field(min_length=1)]
    )


TakenMeasure = Literal["lower", "retrain", "suspend", "exit", "ban"]


class CycleEdit(Doc):
    """What a cycle of re-evaluation decides, or proposes as long as nothing is decided, is in force; of its measures only
    those named here, where some are named."""

    cycle: Name
    measures: tuple[TakenMeasure, ...] | None = Field(default=None, min_length=1)


class FactEdit(Doc):
    """A fact of some experts (of all where none are named) takes another value; null: unknown."""

    fact: Name
    value: Scalar | None
    experts: Experts | None = None


class LearnEdit(Doc):
    """Some experts (all where none are named) hold these sub-specialties at least so well, 1..3."""

    learn: dict[str, Annotated[int, Field(ge=1, le=3)]] = Field(min_length=1)
    experts: Experts | None = None


class EffectDoc(Doc):
    effect: Literal["pair", "group", "panel"]


class ConflictEdit(Doc):
    """Conflicts of a kind have another effect, or count no longer."""

    conflict: Name
    set: EffectDoc | None = None
    drop: bool = False

    @model_validator(mode="after")
    def _says_one(self) -> ConflictEdit:
        if (self.set is None) != self.drop:
            raise PydanticCustomError("edit_one", "either set or drop must stand here")
        return self


class MergeEdit(Doc):
    """Sub-specialties that the catalogue has as one with another: code -> code."""

    merge: dict[str, Name] = Field(min_length=1)


class JoinDoc(Doc):
    """So many people alike: sub-specialties with proficiency 1..3, facts, all other facts as those of `like`."""

    count: int = Field(default=1, ge=1, le=1000)
    skills: dict[str, Annotated[int, Field(ge=1, le=3)]] = Field(min_length=1)
    facts: dict[str, Scalar | None] = {}
    like: Name | None = None


class JoinEdit(Doc):
    """People who join the pool, in conflict with nobody."""

    join: tuple[JoinDoc, ...] = Field(min_length=1)


class MoreDoc(Doc):
    group: Name
    specialty: Name
    count: int = Field(default=1, ge=1, le=10_000)


class CasesEdit(Doc):
    """Cases that fall away, and cases that come."""

    without_cases: tuple[Name, ...] = ()
    more_cases: tuple[MoreDoc, ...] = ()


EDITS: dict[str, type[Doc]] = {
    "rule": RuleEdit,
    "goal": GoalEdit,
    "group": GroupEdit,
    "leave": LeaveEdit,
    "cycle": CycleEdit,
    "fact": FactEdit,
    "learn": LearnEdit,
    "conflict": ConflictEdit,
    "merge": MergeEdit,
    "join": JoinEdit,
    "without_cases": CasesEdit,
    "more_cases": CasesEdit,
}
"""The kind of an edit, by a key that it has."""


def _edit(value: Any) -> Any:
    if isinstance(value, dict):
        for key, kind in EDITS.items():
            if key in value:
                return kind.model_validate(value)
        raise PydanticCustomError("edit_kind", "one of {known} must stand here", {"known": ", ".join(EDITS)})
    return value


AnyEdit = Annotated[
    Any,
    BeforeValidator(_edit),
    WithJsonSchema({"type": "object", "anyOf": [{"required": [key]} for key in EDITS]}),
]
