"""What is told to whom, when, and by which media: data, from `rules.yaml` or a file of the installation's own."""

from __future__ import annotations

import os
from datetime import datetime, time
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from expert_pool import clock
from expert_pool.accounts.rights import Right
from expert_pool.registry import Medium
from solver.errors import Fault, misfit

RULES_VARIABLE = "EXPERT_POOL_NOTICE_RULES"

Audience = Literal["account", "expert", "office"]
Days = Annotated[int, Field(ge=0, le=3650)]


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindRule(_Rules):
    """One kind of notice; the fields are explained at the head of the kinds in `rules.yaml`."""

    to: tuple[Audience, ...] = Field(min_length=1)
    media: tuple[Medium, ...] = ()
    must: bool = False
    urgent: bool = False
    windows: tuple[Days, ...] = ()
    ended_days: Days = 0
    least_seconds: int = Field(default=0, ge=0)
    below: int | None = None
    yearly: str | None = Field(default=None, pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$")
    reads: Right = Right.ORGANISERS_READ

    @field_validator("media")
    @classmethod
    def _outward(cls, media: tuple[Medium, ...]) -> tuple[Medium, ...]:
        if Medium.FILE in media:
            raise PydanticCustomError("file_medium", "files are not named here")
        return media


class Quiet(_Rules):
    """From `since` until `until` (it may pass midnight) the media keep still; both the same: never."""

    media: tuple[Medium, ...]
    since: time
    until: time

    def now(self, moment: datetime) -> bool:
        """Whether they keep still at a moment, by the clock on this machine's wall."""
        at = moment.astimezone().time()
        if self.since <= self.until:
            return self.since <= at < self.until
        return at >= self.since or at < self.until


class Retry(_Rules):
    attempts: int = Field(ge=1, le=50)
    first: float = Field(gt=0)
    longest: float = Field(gt=0)


class Rules(_Rules):
    """All of them. `kinds` by name: exactly those that come with the package."""

    format: Literal["notice-rules/1"]
    policy: str
    digest_most: int = Field(ge=0, le=1000)
    quiet: Quiet
    retry: Retry
    kinds: dict[str, KindRule]

    @model_validator(mode="after")
    def _same_kinds(self) -> Rules:
        if _shipped and self.kinds.keys() != _shipped:
            raise PydanticCustomError(
                "notice_kinds", "the kinds must be {known}", {"known": ", ".join(sorted(_shipped))}
            )
        return self

    def silent(self) -> tuple[Medium, ...]:
        """The media that keep still now."""
        return self.quiet.media if self.quiet.now(clock.now()) else ()


def load_rules() -> Rules:
    """The rules of this installation.

    Raises Fault `notices.rules_unreadable` (the file cannot be read, or is no YAML) or `notices.rules_malformed`.
    """
    named = os.environ.get(RULES_VARIABLE)
    if not named:
        return _own("", 0)
    try:
        return _own(named, Path(named).stat().st_mtime_ns)
    except OSError as error:
        raise Fault("notices.rules_unreadable", named, reason=error.strerror or str(error)) from None


@lru_cache(maxsize=8)
def _own(named: str, _changed: int) -> Rules:
    text = Path(named).read_text("utf-8") if named else _package()
    try:
        return Rules.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise Fault("notices.rules_unreadable", named, reason=str(error).splitlines()[0]) from None
    except ValidationError as error:
        place, said = misfit(error)
        raise Fault("notices.rules_malformed", named, place=place, said=said) from None


def _package() -> str:
    return (resources.files("expert_pool.notices") / "rules.yaml").read_text("utf-8")


_shipped: frozenset[str] = frozenset(yaml.safe_load(_package())["kinds"])
KINDS = _shipped
"""The names of all kinds."""
