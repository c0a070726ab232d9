"""The block `years` of a scenario: how the pool and the demand go on, season after season."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from solver.rules.base import Share

Year = Annotated[int, Field(ge=1990, le=2200)]
Code = Annotated[str, Field(min_length=1, max_length=100)]
Span = Annotated[int, Field(ge=1, le=60)]


class Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetireDoc(Block):
    """Who reaches `age` leaves the pool; of the others `leave` go every year for reasons of their own."""

    age: int = Field(default=66, ge=40, le=120)
    leave: Share = Field(default="1%", validate_default=True)


class TermsDoc(Block):
    """A term lasts so many years; of those whose term ends, `renewed` begin another. Where nothing is known of terms, the
    ends of those in the pool are spread over one term."""

    years: Span = 3
    renewed: Share = Field(default="4/5", validate_default=True)


class TrainingDoc(Block):
    """A training counts so many years; of those whose training ends in a year, `renewed` take it again in time; the others
    may do so in a later year, as likely."""

    years: Span = 2
    renewed: Share = Field(default="9/10", validate_default=True)


class SanctionsDoc(Block):
    """Each year `share` are barred for so many seasons."""

    share: Share = Field(default="1/500", validate_default=True)
    seasons: Span = 1


class DeclinesDoc(Block):
    """Who is asked says no with probability `share`, and `per_seat` more for every seat held earlier in the season. No is
    said before the panel is made: it is made of the others."""

    share: Share = Field(default="1/20", validate_default=True)
    per_seat: Share = Field(default="0", validate_default=True)


class PromotionDoc(Block):
    """Each year `share` of those who have been of the second rank (3) for `after` years reach the first (4)."""

    share: Share = Field(default="0", validate_default=True)
    after: int = Field(default=5, ge=0, le=60)


class AgesDoc(Block):
    """Ages at entry, evenly spread."""

    low: int = Field(default=38, ge=20, le=100)
    high: int = Field(default=50, ge=20, le=100)


class RecruitsDoc(Block):
    """`count` people enter at the beginning of each of the years `from`..`to`, every so many years. `specialty`: code of a
    sub-specialty, or of a specialty (then that of the person they are like); none: anything. Each is like somebody drawn
    from those of that specialty who may sit today (on `committee`, where one is named), but for `facts`, age, employer and
    history."""

    model_config = ConfigDict(serialize_by_alias=True)

    count: int = Field(ge=1, le=100_000)
    from_: Year | None = Field(default=None, alias="from")
    to: Year | None = None
    every: Span = 1
    specialty: Code | None = None
    committee: Code | None = None
    proficiency: int = Field(default=2, ge=1, le=3)
    facts: dict[str, bool | int | str | None] = {}
    ages: AgesDoc = AgesDoc()


class NewSpecialtyDoc(Block):
    """A sub-specialty that appears in a year beside `like`: `share` of the cases of the same specialty are in it from then on;
    each year `learned` of those who hold any of that specialty learn it (proficiency 1)."""

    code: Code
    name: Code
    like: Code
    year: Year
    share: Share
    learned: Share = Field(default="0", validate_default=True)


class PlanDoc(Block):
    """Look for the smallest recruitment with which no season runs dry: at most so many people, in so many rounds."""

    most: int = Field(default=60, ge=1, le=2_000)
    rounds: int = Field(default=30, ge=1, le=500)


class YearsDoc(Block):
    """So many seasons, the first as it is today, each `replications` times. `sample`: of the committees only so many, drawn
    anew in each replication. `ahead`: panels are made so many days before they meet, knowing who sat until then. `growth`: of
    the cases, a year. Shares are of a year, exact (`5%`, `1/20`, `0.05`)."""

    seasons: int = Field(ge=1, le=40)
    replications: int = Field(default=10, ge=1, le=2_000)
    sample: int | None = Field(default=None, ge=1, le=100_000)
    retire: RetireDoc = RetireDoc()
    terms: TermsDoc = TermsDoc()
    training: TrainingDoc = TrainingDoc()
    sanctions: SanctionsDoc = SanctionsDoc()
    declines: DeclinesDoc = DeclinesDoc()
    promotion: PromotionDoc = PromotionDoc()
    ahead: int = Field(default=14, ge=0, le=120)
    away: Share = Field(default="1/20", validate_default=True)
    growth: float = Field(default=0.0, ge=-0.5, le=1.0)
    specialties: tuple[NewSpecialtyDoc, ...] = ()
    recruits: tuple[RecruitsDoc, ...] = ()
    plan: PlanDoc | None = None
