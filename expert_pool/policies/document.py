"""The policy file: `policy/1`, and the overlay that names a preset and overrides some of its parameters."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from solver.problem import Effect
from solver.rules.base import Status

ParameterType = Literal["integer", "share", "boolean", "window"]
Window: TypeAlias = int | Literal["always", "current", "cycle"]
"""How far back a relation counts: whole years, for ever, only while it lasts, or this cycle (the year before the
meeting, or a case on its agenda)."""

GroupBy = Literal["specialty", "sub_specialty", "none"]
FilingName = Literal["pool", "committee", "results"]


def as_window(value: object) -> Window | None:
    """A window as written. Raises ValueError for anything else than whole years 1..99 or one of the three words."""
    if value is None or value == "always" or value == "current" or value == "cycle":
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 99:
        return value
    raise PydanticCustomError("window", "a window is always, current, cycle, or whole years from 1 to 99")


class Doc(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Doc):
    """The same in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class BasisDoc(Doc):
    """Where something comes from: an instrument of the file's own list, the place in it, how sure we are of it."""

    instrument: str
    at: str = ""
    status: Status


class ParameterDoc(Doc):
    """A number (or yes/no, or window) that a committee may override. `value` null: no text gives one."""

    type: ParameterType
    value: Any
    low: int | None = None
    high: int | None = None
    basis: BasisDoc
    note: Words


class SeatsDoc(Doc):
    low: int | None = Field(ge=1, le=1000)
    high: int | None = Field(ge=1, le=1000)
    group_by: GroupBy = "specialty"
    group_low: int | None = Field(default=1, ge=1, le=1000)
    alternates: int | None = Field(default=0, ge=0, le=1000)
    directed_apart: bool = True


class ConflictDoc(Doc):
    window: Annotated[Any, BeforeValidator(as_window)]
    effect: Effect
    members: bool = False
    most: int | None = Field(default=None, ge=1, le=100)
    basis: BasisDoc


class TermsDoc(Doc):
    term_years: int | None = None
    filing_years: int | None = None
    training_years: int | None = None
    credit_base: int | None = None
    credit_years: int | None = None


class ChangeDoc(Doc):
    """Fields of a rule that take other values; null: the rule no longer holds."""

    rule: str
    fields: dict[str, Any] | None


class StepDoc(Doc):
    """One step of the thin-pool ladder. With neither changes nor recruits it is advice only."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    changes: list[ChangeDoc] = []
    recruits: bool = False
    basis: BasisDoc


class PolicyDoc(Doc):
    """The file as a whole; the parts that may speak of parameters are looked at once these have values."""

    format: Literal["policy/1"]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(min_length=1)
    title: Words
    procedure: Literal["compose", "draw"]
    mode: Literal["lexicographic", "weighted"] = "lexicographic"
    locks_most: int | None = Field(default=None, ge=0, le=1000)
    instruments: dict[str, Words]
    parameters: dict[str, ParameterDoc]
    seats: dict[str, Any]
    filings: dict[FilingName, BasisDoc] = {}
    conflicts: dict[str, dict[str, Any]] = {}
    terms: dict[str, Any] = {}
    rules: list[dict[str, Any]] = Field(min_length=1)
    goals: list[dict[str, Any]] = Field(min_length=1)
    ladder: list[dict[str, Any]] = []


class OverrideDoc(Doc):
    """A dated decision to set one parameter otherwise: by whom, and why."""

    parameter: str
    value: Any
    by: str = Field(min_length=1)
    on: date
    why: str = Field(min_length=1)


class OverlayDoc(Doc):
    """A committee's policy: a preset plus overrides."""

    format: Literal["policy/1"]
    preset: str
    overrides: list[OverrideDoc] = []
