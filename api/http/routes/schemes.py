"""Schemes of re-evaluation: which there are, what one says, whether a text is one, how two differ."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from api.http.accepting import Model
from api.http.access import allowed
from api.jobs.work.asks import Code
from expert_pool.accounts.rights import Principal, Right
from expert_pool.reevaluation.scheme import read_scheme, schemes
from expert_pool.reevaluation.scheme_told import (
    SchemeBrief,
    SchemeDifferences,
    SchemeTold,
    brief,
    differences,
    scheme_preset,
    told,
)

router = APIRouter(prefix="/schemes", tags=["schemes"])

Reader = Annotated[Principal, Depends(allowed(Right.POLICIES_READ))]
SchemeId = Annotated[str, Path(max_length=200, examples=["own-default"])]


class Schemes(Model):
    """The schemes that come with the package."""

    items: list[SchemeBrief]


class SchemeText(Model):
    """A scheme as its author writes it (YAML)."""

    text: str = Field(max_length=1_000_000, examples=["format: scheme/1\nid: ours\n"])


class SchemesNamed(Model):
    """Two schemes by name."""

    first: Code = Field(examples=["own-default"])
    second: Code = Field(examples=["sichuan-bid-grades"])


@router.get("", response_model=Schemes)
def list_schemes(asks: Reader) -> Schemes:
    """The schemes there are."""
    return Schemes(items=[brief(scheme_preset(name)) for name in schemes()])


@router.get("/{scheme}", response_model=SchemeTold)
def show_scheme(scheme: SchemeId, asks: Reader) -> SchemeTold:
    """Every event, count, grade and condition of a scheme with its basis."""
    return told(scheme_preset(scheme))


@router.post("/validations", response_model=SchemeTold)
def validate_scheme(sent: SchemeText, asks: Reader) -> SchemeTold:
    """What a text says, if it is a scheme; else the first mistake with its line."""
    return told(read_scheme(sent.text.encode("utf-8", "surrogatepass"), "scheme"))


@router.post("/comparisons", response_model=SchemeDifferences)
def compare_schemes(sent: SchemesNamed, asks: Reader) -> SchemeDifferences:
    """What two schemes say differently. What they would do to the same people: `POST /pools/{pool}/scheme-comparisons`."""
    return differences(scheme_preset(sent.first), scheme_preset(sent.second))
