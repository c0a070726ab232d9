"""What every rule is: one object that posts itself to a model, measures a finished panel, and names its basis."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from solver.panel import Finding, Measure, Panel

if TYPE_CHECKING:
    from solver.blocks import Block
    from solver.seats import Seats

    from solver.facts import Mask
    from solver.problem import Problem

Status = Literal["V1", "V2", "M", "D"]
"""How sure we are of a basis: read in a primary text, in a secondary copy, known but unconfirmed, our own design."""


class Basis(BaseModel):
    """Where a rule comes from: instrument and article, and how sure we are of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    status: Status = "D"


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

    sufficient: ClassVar[bool] = False
    """True where the blocks may forbid more than the sentence does."""
    survives: ClassVar[bool] = True
    """True where the rule must still hold after no-shows, when it is hard."""

    @abstractmethod
    def blocks(self, seats: Seats) -> Iterator[Block]:
        """Rows over the columns of `seats`, for the engines."""

    @abstractmethod
    def measures(self, panel: Panel) -> Iterator[Measure]:
        """What the rule's sentence counts in a panel, with the bounds; from plain sets, never from `blocks`."""

    def findings(self, panel: Panel) -> Iterator[Finding]:
        """Where the panel breaks this rule."""
        return (Finding(self.id, measure) for measure in self.measures(panel) if not measure.holds)

    def check(self, problem: Problem) -> None:
        """Raises Fault when the rule makes no sense for this problem (an unknown fact, a share over 1)."""


class Gate(Rule):
    """A rule that judges each expert alone: who does not pass is never seated, nor called as an alternate."""

    survives: ClassVar[bool] = False

    @abstractmethod
    def passes(self, problem: Problem) -> Mask:
        """Who passes; shape (experts,) or (experts, groups) where it depends on the group."""

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """Columns that must stay zero."""
        from solver.blocks import Block

        passes = self.passes(seats.problem)
        barred = ~(passes[seats.expert] if passes.ndim == 1 else passes[seats.expert, seats.group])
        yield Block.forbid(self, barred.nonzero()[0])
