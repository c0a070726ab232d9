"""The formats of documents, as JSON Schemas."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from api.http.accepting import Model
from api.http.access import allowed
from expert_pool.accounts.rights import Principal, Right
from expert_pool.formats import SCHEMAS, schema_of

router = APIRouter(prefix="/schemas", tags=["schemas"])

Reader = Annotated[Principal, Depends(allowed(Right.POLICIES_READ))]


class SchemaNames(Model):
    """The formats there are."""

    items: list[str]


@router.get("", response_model=SchemaNames)
def list_schemas(asks: Reader) -> SchemaNames:
    """The names of the formats."""
    return SchemaNames(items=list(SCHEMAS))


@router.get("/{name}", response_model=dict[str, Any])
def show_schema(
    name: Annotated[str, Path(max_length=100, examples=["panel-problem"])], asks: Reader
) -> dict[str, Any]:
    """The JSON Schema of a format."""
    return schema_of(name)
