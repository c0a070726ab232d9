"""What is asked of the optimiser and the office: the body of a request, kept with its run and read again by the work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from expert_pool.policies.policy import Override
from expert_pool.snapshots import Choice
from solver.events import Decision, Events, LateConflict, NewCase
from solver.invitations import Heard
from solver.problem import Limits

Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Remark = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Setting = int | str | bool | None
Seconds = Annotated[float, Field(gt=0, le=3000, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=365)]
Level = Literal["senior", "mid", "junior"]


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OverrideAsk(Ask):
    """A parameter of a policy set to another value, with the reason; null switches off what stands on it."""

    parameter: Code
    value: Setting | dict[Level, Setting]
    why: Reason


class PolicyAsk(Ask):
    """A policy: one of the presets, with overrides."""

    policy: Code | None = Field(default=None, examples=["cn-title-jilin-2013"])
    overrides: list[OverrideAsk] = Field(default=[], max_length=100)


class ChoiceAsk(Ask):
    """A decision about one expert (by code), with its reason; `group`: where to sit, null for anywhere."""

    expert: Code
    why: Reason
    group: Code | None = None

    def choice(self) -> Choice:
        return Choice(self.expert, self.why, self.group)


class PanelAsk(PolicyAsk):
    """A panel for a committee's meeting. Without a policy the national order holds; without a seed one that follows from
    the meeting."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "committee": "C1",
                    "meeting": "M1",
                    "policy": "cn-title-jilin-2013",
                    "overrides": [{"parameter": "panel_low", "value": 11, "why": "评审任务较少"}],
                }
            ]
        }
    )
    committee: Code
    meeting: Code
    seed: int | None = Field(default=None, ge=0, lt=2**53)
    locks: list[ChoiceAsk] = Field(default=[], max_length=200)
    exclusions: list[ChoiceAsk] = Field(default=[], max_length=5000)
    seconds: Seconds | None = None
    workers: int | None = Field(default=None, ge=1, le=64)

    def limits(self) -> Limits | None:
        return limits_of(self.seconds, workers=self.workers)


class ReplaceAsk(Ask):
    """Who does not come, who shall come, whose lock no longer holds, each by code and with the reason."""

    absent: list[ChoiceAsk] = Field(default=[], max_length=200)
    take: list[ChoiceAsk] = Field(default=[], max_length=200)
    unlock: list[ChoiceAsk] = Field(default=[], max_length=200)
    substitutes: int = Field(default=3, ge=0, le=20)
    seconds: Seconds | None = None

    def limits(self) -> Limits | None:
        return limits_of(self.seconds)


class AnswerAsk(Ask):
    """An answer to an invitation that came in."""

    expert: Code
    accepted: bool
    why: Remark = ""

    def heard(self) -> Heard:
        return Heard(self.expert, self.accepted, self.why)


class InviteAsk(Ask):
    """Answers that came in; with none, the invitations begin, or whoever let the deadline pass is replaced."""

    answers: list[AnswerAsk] = Field(default=[], max_length=500)
    days: Days = 5
    seconds: Seconds | None = None

    def limits(self) -> Limits | None:
        return limits_of(self.seconds)


class ExplainAsk(Ask):
    """Whom to explain (null: everybody who sits or waits) and which rules to price (null: all). Quick unless `exact`: then
    each question is a search of its own."""

    experts: list[Code] | None = Field(default=None, max_length=200)
    rules: list[Code] | None = Field(default=[], max_length=200)
    exact: bool = False
    seconds: Seconds = 60.0


class DiagnoseAsk(Ask):
    """How many clashing sets and ways to give way to look for."""

    sets: int = Field(default=1, ge=1, le=100)
    relaxations: int = Field(default=3, ge=0, le=100)
    seconds: Seconds = 60.0


class AssembleAsk(Ask):
    """Limits that are given hold instead of the problem's own. `with_proof`: write the proof of the bounds too."""

    seconds: Seconds | None = None
    gap: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    workers: int | None = Field(default=None, ge=1, le=64)
    memory_mb: int | None = Field(default=None, ge=64, le=1_048_576)
    with_proof: bool = False


class AlternativesAsk(Ask):
    """Several panels within a tolerance of the optimum: units (`20`) or a share of it (`"2%"`)."""

    count: int = Field(default=3, ge=1, le=50)
    within: (
        Annotated[int, Field(ge=0, lt=2**53)] | Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?%$")]
    ) = "2%"
    level: int | None = Field(default=None, ge=1, le=99)
    seconds: Seconds | None = None

    def room(self) -> Fraction | int:
        """The tolerance as a share of the optimum, or in units."""
        return Fraction(self.within[:-1]) / 100 if isinstance(self.within, str) else self.within


class PersonAsk(Ask):
    """Somebody of a problem, by id, and the group to sit in; null for anywhere."""

    expert: Code
    group: Code | None = None


class ConflictAsk(Ask):
    """A conflict that became known late: an expert with another, or with a case (ids)."""

    expert: Code
    other: Code
    effect: Literal["pair", "group", "panel"] = "pair"


class CaseAsk(Ask):
    """A case that came late; `group` null: the one that judges its sub-specialty."""

    id: Code
    specialty: Code
    group: Code | None = None


class EventsAsk(Ask):
    """What has happened since a panel was made, by ids of its problem."""

    absent: list[Code] = Field(default=[], max_length=200)
    take: list[PersonAsk] = Field(default=[], max_length=200)
    unlock: list[Code] = Field(default=[], max_length=200)
    conflicts: list[ConflictAsk] = Field(default=[], max_length=1000)
    add: list[CaseAsk] = Field(default=[], max_length=1000)
    withdraw: list[Code] = Field(default=[], max_length=1000)
    why: Remark = ""
    substitutes: int = Field(default=3, ge=0, le=20)
    seconds: Seconds | None = None

    def events(self, by: str, on: date) -> Events:
        """The events, decided by somebody on a day."""
        common: dict[str, Any] = {"by": by, "on": on, "why": self.why}
        decisions = [Decision(kind="free", expert=expert, **common) for expert in self.unlock]
        decisions += [Decision(kind="out", expert=expert, **common) for expert in self.absent]
        decisions += [Decision(kind="in", expert=p.expert, group=p.group, **common) for p in self.take]
        return Events(
            tuple(decisions),
            tuple(LateConflict(c.expert, c.other, c.effect, why=self.why) for c in self.conflicts),
            tuple(NewCase(case.id, case.specialty, case.group) for case in self.add),
            tuple(self.withdraw),
        )


class AttendanceAsk(Ask):
    """Who does not come on the day, by ids of the problem."""

    absent: list[Code] = Field(default=[], max_length=1000)


class ForecastAsk(Ask):
    """How often experts decline: the fact that says so, in percent, and the rate where it is unknown."""

    rate: int = Field(default=20, ge=0, le=100)
    rate_fact: Code | None = None


class RoundAsk(ForecastAsk):
    """Answers that came in (experts by ids of the problem), on a day; null: today."""

    answers: list[AnswerAsk] = Field(default=[], max_length=500)
    days: Days = 5
    on: date | None = None
    seconds: Seconds | None = None


class AuditAsk(PolicyAsk):
    """A roster's panel as of a day, under a policy; `committee`: complete it from the registry of this one."""

    policy: Code = Field(examples=["cn-title-jilin-2013"])
    on: date
    level: Level = "senior"
    committee: Code | None = None
    file: str
    """What the sender calls the roster; only ever shown."""
    purpose: str
    """What report and workbook are for."""


def overrides_of(asked: Sequence[OverrideAsk], by: str, on: date) -> tuple[Override, ...]:
    """Overrides as decisions of somebody on a day."""
    return tuple(Override(one.parameter, _value(one.value), by, on, one.why) for one in asked)


def limits_of(seconds: float | None, *, workers: int | None = None) -> Limits | None:
    """The limits asked for; None where the usual ones hold."""
    if seconds is None and workers is None:
        return None
    usual = Limits()
    return Limits(
        seconds=usual.seconds if seconds is None else seconds,
        gap=usual.gap,
        workers=usual.workers if workers is None else workers,
    )


def _value(value: Setting | dict[Level, Setting]) -> Any:
    return dict(value) if isinstance(value, dict) else value
