"""What an audit says: `audit/1`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from expert_pool.audits.judging import Verdict
from solver.answer import Saying
from solver.rules.base import Status


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Missing(Part):
    """What is missing to judge a rule, and the people and cases it is missing for."""

    says: Saying
    people: list[str]
    cases: list[str]


class RuleVerdict(Part):
    """One rule; `facts` are those of people that it looks at. `says`, `low`, `high` and `margin` are those of its tightest measure, whose value lies from `value_low`
    to `value_high`: the same number where all is known. `margin` is null where the rule is not judged."""

    id: str
    rule: str
    title: Saying
    verdict: Verdict
    hard: bool
    facts: list[str]
    says: Saying | None
    value_low: int | None
    value_high: int | None
    low: int | None
    high: int | None
    margin: int | None
    basis: str
    basis_status: Status
    missing: list[Missing]


class Finding(Part):
    """One place where a rule is surely broken; `hard` tells whether the rule must hold.

    `says` and `margin` read what is unknown in the panel's favour; the value lies from `value_low` to `value_high`.
    """

    rule: str
    hard: bool
    says: Saying
    value_low: int
    value_high: int
    low: int | None
    high: int | None
    margin: int
    people: list[str]
    cases: list[str]
    group: str | None
    basis: str
    basis_status: Status


class FactRead(Part):
    """One fact of a person: `source` is `roster`, `cases` (derived from the list of applications), or `registry`, then
    with the kind of `record` behind it where there is one."""

    value: Any
    source: Literal["roster", "cases", "registry"]
    record: str | None = None


class PersonRead(Part):
    """One person as read. `label` is how the rest of the document calls them."""

    label: str
    row: int
    name: str
    code: str | None
    role: str
    group: str | None
    order: int | None
    employer: str | None
    legal_person: str | None
    specialties: list[str]
    facts: dict[str, FactRead]


class Unmatched(Part):
    """Somebody whom the registry does not surely know, and why."""

    label: str
    says: Saying


class RegistryUsed(Part):
    """What the registry added: for which committee, as known when, whom it knows and whom it does not."""

    committee: str
    known_at: str
    matched: int
    unmatched: list[Unmatched]
    _experts: tuple[int, ...] = PrivateAttr(())

    @property
    def experts(self) -> tuple[int, ...]:
        """The ids of the experts it knows; they stand in no document."""
        return self._experts

    def of_experts(self, ids: Iterable[int]) -> Self:
        """The same, knowing which experts it speaks of."""
        self._experts = tuple(ids)
        return self


class RosterRead(Part):
    """The file and what is in it; null for a sheet that it does not have."""

    file: str
    sha256: str
    members: int
    alternates: int
    groups: list[str]
    cases: int | None
    relations: int | None
    previous: int | None


class OverrideUsed(Part):
    """A number of the policy that was set otherwise, by a dated decision."""

    parameter: str
    value: int | bool | str | dict[str, Any] | None
    by: str
    on: str
    why: str


class PolicyUsed(Part):
    id: str
    version: str
    sha256: str
    title: dict[str, str]
    procedure: Literal["compose", "draw"]
    level: str
    overrides: list[OverrideUsed]


class LeftOut(Part):
    """A number that no text gives, and the rules that the policy therefore leaves out."""

    parameter: str
    rules: list[str]
    note: dict[str, str]


class Counts(Part):
    """Rules by verdict. `short` are wishes (soft rules) that are not fully met; they are no breach."""

    kept: int
    broken: int
    short: int
    not_judged: int


class Audit(Part):
    """`audit/1`: a foreign panel against a policy."""

    format: Literal["audit/1"] = "audit/1"
    roster: RosterRead
    on: str
    policy: PolicyUsed
    made: bool
    counts: Counts
    rules: list[RuleVerdict]
    findings: list[Finding]
    left_out: list[LeftOut]
    notes: list[Saying]
    registry: RegistryUsed | None
    people: list[PersonRead]
    version: str

    @property
    def broken(self) -> bool:
        """Whether a rule that must hold is broken."""
        return self.counts.broken > 0
