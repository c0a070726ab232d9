"""Policies: which there are, what one says, what it would say with overrides, whether a text is one, how two differ."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from api.http.accepting import Model
from api.http.access import allowed
from api.jobs.work.asks import Code, Level, OverrideAsk, overrides_of
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.policies.load import load_text, preset, presets
from expert_pool.policies.told import PolicyBrief, PolicyComparison, PolicyTold, brief, compare, told

router = APIRouter(prefix="/policies", tags=["policies"])

Reader = Annotated[Principal, Depends(allowed(Right.POLICIES_READ))]
PolicyId = Annotated[str, Path(max_length=200, examples=["cn-title-jilin-2013"])]


class Policies(Model):
    """The policies that come with the package."""

    items: list[PolicyBrief]


class SettingsAsked(Model):
    """Overrides to try on a policy, for committees of a level."""

    overrides: list[OverrideAsk] = Field(default=[], max_length=100)
    level: Level = "senior"


class PolicyText(Model):
    """A policy as its author writes it (YAML)."""

    text: str = Field(max_length=1_000_000, examples=["preset: cn-title-jilin-2013\noverrides: []\n"])
    level: Level = "senior"


class PolicyNamed(Model):
    """A preset with overrides."""

    policy: Code = Field(examples=["cn-title-national"])
    overrides: list[OverrideAsk] = Field(default=[], max_length=100)


class ComparisonAsked(Model):
    """Two policies, for committees of a level."""

    first: PolicyNamed
    second: PolicyNamed
    level: Level = "senior"


@router.get("", response_model=Policies)
def list_policies(asks: Reader) -> Policies:
    """The policies there are."""
    return Policies(items=[brief(preset(name)) for name in presets()])


@router.get("/{policy}", response_model=PolicyTold)
def show_policy(policy: PolicyId, asks: Reader, level: Annotated[Level, Query()] = "senior") -> PolicyTold:
    """Every rule and parameter of a policy with its basis."""
    return told(preset(policy), level)


@router.post("/{policy}/trials", response_model=PolicyTold)
def try_policy(policy: PolicyId, sent: SettingsAsked, asks: Reader) -> PolicyTold:
    """What a policy would say with overrides. Nothing is kept: a request for a panel brings its own."""
    overrides = overrides_of(sent.overrides, asks.actor, clock.today())
    return told(preset(policy, overrides), sent.level)


@router.post("/validations", response_model=PolicyTold)
def validate_policy(sent: PolicyText, asks: Reader) -> PolicyTold:
    """What a text says, if it is a policy; else the first mistake with its line."""
    return told(load_text(sent.text.encode("utf-8", "surrogatepass"), "policy"), sent.level)


@router.post("/comparisons", response_model=PolicyComparison)
def compare_policies(sent: ComparisonAsked, asks: Reader) -> PolicyComparison:
    """What two policies say differently."""
    today = clock.today()
    first, second = (
        preset(one.policy, overrides_of(one.overrides, asks.actor, today))
        for one in (sent.first, sent.second)
    )
    return compare(first, second, sent.level)
