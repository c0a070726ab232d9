"""How long personal data stay: periods as data with their basis, and carrying them out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solver.errors import Fault, misfit
from solver.rules.base import Status

RETENTION_VARIABLE = "EXPERT_POOL_RETENTION"
_OURS = Path(__file__).with_name("retention.yaml")

Does = Literal["erase", "hold", "blank", "delete"]
"""What the end of a period means: personal data are erased; erasing must wait until then; words go; rows go."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Basis(_Strict):
    """The instrument and article a period rests on, and how sure we are of it."""

    instrument: str
    at: str | None = None
    status: Status


class Period(_Strict):
    """How long one kind stays: years or days; neither: no text and nobody says."""

    does: Does
    years: int | None = Field(default=None, ge=0, le=100)
    days: int | None = Field(default=None, ge=0, le=36500)
    basis: Basis
    note: Mapping[str, str]

    @property
    def stated(self) -> bool:
        return self.years is not None or self.days is not None

    def ends_before(self, on: date) -> date | None:
        """What happened before this day is over on `on`; None where nothing is stated."""
        if self.days is not None:
            return on - timedelta(days=self.days)
        return None if self.years is None else _years_before(on, self.years)


class Choice(_Strict):
    """A yes or no with its basis."""

    value: bool
    basis: Basis
    note: Mapping[str, str]


class Retention(_Strict):
    """The whole of it: `retention/1`."""

    format: Literal["retention/1"]
    instruments: Mapping[str, Mapping[str, str]]
    second_person: Choice | bool
    kinds: Mapping[str, Period]

    def period(self, kind: str) -> Period | None:
        return self.kinds.get(kind)

    def years(self, kind: str) -> int | None:
        """The years of a kind, where they are stated."""
        found = self.kinds.get(kind)
        return found.years if found else None

    @property
    def two_people(self) -> bool:
        """Whether an erasure is confirmed by somebody else than whoever proposed it."""
        return self.second_person if isinstance(self.second_person, bool) else self.second_person.value

    @property
    def unstated(self) -> tuple[str, ...]:
        """The kinds for which nobody states a period: nothing is done about them."""
        return tuple(kind for kind, period in self.kinds.items() if not period.stated)


def load_retention(path: str | Path | None = None) -> Retention:
    """Our periods, with those of the file at `path` (else of EXPERT_POOL_RETENTION) laid over them.

    Raises Fault `privacy.retention_unreadable`, `privacy.retention_malformed` naming the file and what is wrong.
    """
    data: dict[str, Any] = _read(_OURS)
    named = path or os.environ.get(RETENTION_VARIABLE)
    place = str(_OURS)
    if named:
        place = str(named)
        own = _read(Path(named))
        kinds = dict(data["kinds"])
        for kind, period in _mapping(own.pop("kinds", {}), place).items():
            kinds[kind] = {**kinds.get(kind, {}), **_mapping(period, place)}
        instruments = {**data["instruments"], **_mapping(own.pop("instruments", {}), place)}
        data = {**data, **own, "kinds": kinds, "instruments": instruments}
    try:
        found = Retention.model_validate(data)
    except ValidationError as error:
        field, why = misfit(error)
        raise Fault("privacy.retention_malformed", place, field=field, why=why) from None
    known = set(Retention.model_validate(_read(_OURS)).kinds)
    if extra := sorted(set(found.kinds) - known):
        raise Fault("privacy.retention_kind", place, kinds=extra, known=sorted(known))
    return found


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault("privacy.retention_malformed", place, field="kinds", why={"code": "invalid.dict_type"})
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault("privacy.retention_unreadable", str(path), reason=str(error)) from None
    except yaml.YAMLError as error:
        raise Fault("privacy.retention_malformed", str(path), field="", why=str(error)) from None
    return _mapping(data, str(path))


def _years_before(on: date, years: int) -> date:
    """The same day so many years earlier; 29 February becomes 28."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)
