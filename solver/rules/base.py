"""What every rule is: one object that posts itself to a model, measures a finished panel, and names its basis."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from solver.panel import Finding, Measure, Panel

if TYPE_CHECKING:
    from solver.blocks import Block
    from solver.facts import Mask
    from solver.problem import Problem
    from solver.seats import Seats

Survival = Literal["rows", "presides", "none"]
Tightening: TypeAlias = Literal["up", "down", "only"] | tuple[Any, ...]
"""How a field narrows what a rule allows: by growing (`up`), by shrinking (`down`), by being set at all (`only`), or along
a list of values from loose to tight. A field that is None demands nothing."""
Status = Literal["V1", "V2", "M", "D"]
"""How sure we are of a basis: read in a primary text, in a secondary copy, known but unconfirmed, our own design."""


_NUMBER = re.compile(r"[-+]?[\d.]{1,40}([eE]-?\d{1,2}|/\d{1,40})?%?")


def exact(text: str) -> Fraction:
    """An exact number as it was written: 3, 0.3, 3/10, 30%. Raises ValueError, ZeroDivisionError where it is none, or
    written so that it fills the memory (1e999999999)."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def _share(value: object) -> Fraction:
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Fraction)):
            raise ValueError
        share = exact(str(value))
    except (ValueError, ZeroDivisionError):
        raise PydanticCustomError("share_form", "a share is written like 3/10, 0.3 or 30%") from None
    if not 0 <= share <= 1:
        raise PydanticCustomError("share_range", "a share lies between 0 and 1 (0% and 100%)")
    if share.denominator > 1000:
        raise PydanticCustomError("share_fine", "a share has a denominator of at most 1000")
    return share


Share = Annotated[
    Fraction,
    BeforeValidator(_share),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+(/\d+|\.\d+)?%?$", "examples": ["3/10", "0.3", "30%"]}
    ),
]
"""An exact share, 0..1, written `3/10`, `0.3` or `30%`."""


class Basis(BaseModel):
    """Where a rule comes from: instrument and article, and how sure we are of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    status: Status = "D"


SAID_ONLY = frozenset({"id", "basis", "soft", "weight", "relaxable", "cost"})
"""Fields that do not change which panels keep a hard rule."""


def tighter(direction: Tightening | None, loose: Any, tight: Any) -> bool:
    """Whether a field that goes from `loose` to `tight` demands at least as much."""
    if loose == tight or (direction is not None and loose is None):
        return True
    if direction in (None, "only") or tight is None:
        return False
    if isinstance(direction, tuple):
        return loose in direction and tight in direction and direction.index(loose) < direction.index(tight)
    return bool(loose < tight if direction == "up" else loose > tight)


class Rule(BaseModel):
    """A condition on a panel.

    `id` is unique within a problem. A hard rule (`soft` is None) must hold; a soft one is broken as little as
    possible at goal level `soft`, each unit short costing `weight`. `relaxable` says whether diagnosis may offer
    to give way here, at `cost` a unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    id: str = Field(min_length=1, pattern=r"^[a-z][a-z0-9_]*$")
    basis: Basis = Basis(text="", status="D")
    soft: int | None = Field(default=None, ge=1, le=99)
    weight: int = Field(default=1, ge=1, le=1_000_000)
    relaxable: bool = False
    cost: int = Field(default=1, ge=1, le=1_000_000)

    survival: ClassVar[Survival] = "none"
    """How a hard rule is kept after no-shows (see solver.survival): `rows`, each of its rows holds in the worst case;
    `presides`, somebody of chair and deputies is there; `none` where no-shows cannot break it."""
    tightens: ClassVar[Mapping[str, Tightening]] = {}
    """Fields with a direction: every panel that keeps a rule tightened along them keeps the looser one. Of a field that is
    not named nothing is known."""

    @property
    def sufficient(self) -> bool:
        """True where the blocks may forbid more than the sentence does."""
        return False

    @property
    def local(self) -> bool:
        """True where each group is judged by itself, so that what happens elsewhere cannot matter."""
        return False

    def sees(self, panel: Panel, expert: int) -> Hashable:
        """What of this person the rule can tell apart: two people it sees alike, members or alternates, may be exchanged
        for each other wherever they are (within their group, where the rule is `local`)."""
        return expert

    @abstractmethod
    def blocks(self, seats: Seats) -> Iterator[Block]:
        """Rows over the columns of `seats`, for the engines."""

    @abstractmethod
    def measures(self, panel: Panel) -> Iterator[Measure]:
        """What the rule's sentence counts in a panel, with the bounds; from plain sets, never from `blocks`."""

    def findings(self, panel: Panel) -> Iterator[Finding]:
        """Where the panel breaks this rule."""
        return (Finding(self.id, measure) for measure in self.measures(panel) if not measure.holds)

    def shortfall(self, panel: Panel) -> int:
        """What the panel falls short of this rule by, in the units that a soft rule is charged for."""
        return sum(max(0, -measure.margin) for measure in self.measures(panel))

    def findings_after(self, meeting: Panel) -> Iterator[Finding]:
        """Where the panel that meets after no-shows breaks this rule: as ever, unless its sentence says otherwise."""
        return self.findings(meeting)

    def implies(self, other: Rule) -> bool:
        """Whether every panel that keeps this rule keeps `other` too, both hard. True is a theorem; False says nothing."""
        return type(self) is type(other) and all(
            tighter(self.tightens.get(name), getattr(other, name), getattr(self, name))
            for name in type(self).model_fields
            if name not in SAID_ONLY
        )

    def check(self, problem: Problem) -> None:
        """Raises Fault when the rule makes no sense for this problem (an unknown fact, a share over 1)."""


class Gate(Rule):
    """A rule that judges each expert alone: who does not pass is never seated, nor called as an alternate."""

    @abstractmethod
    def passes(self, problem: Problem) -> Mask:
        """Who passes; shape (experts,) or (experts, groups) where it depends on the group."""

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """Columns of places that take up the person; they stay zero."""
        from solver.blocks import Block
        from solver.seats import PRESENT

        passes = self.passes(seats.problem)
        present = np.isin(seats.place, PRESENT)
        barred = ~(passes[seats.expert] if passes.ndim == 1 else passes[seats.expert, seats.group])
        yield Block.forbid(self, (present & barred).nonzero()[0])
