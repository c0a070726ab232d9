"""Documents out of located data: what does not fit becomes a fault that names the line and the nearest known name."""

from __future__ import annotations

import json
import re
import types
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from expert_pool.policies.located import Located, Path, nearest
from solver.errors import Fault, reason

Document = TypeVar("Document", bound=BaseModel)


def parsed(model: type[Document], located: Located, path: Path, data: Any) -> Document:
    """`data`, which stands at `path`, as a document; raises Fault for the first thing that does not fit."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise misfit(model, located, path, error) from None


def misfit(
    model: type[BaseModel], located: Located, path: Path, error: ValidationError, skip: int = 0
) -> Fault:
    """What pydantic found, as a fault of ours that names the line and the nearest known name."""
    found = error.errors(include_url=False)[skip]
    steps = tuple(found["loc"])
    where, field = located.at((*path, *steps)), str(steps[-1]) if steps else ""
    if found["type"] == "extra_forbidden":
        known = fields_at(model, steps[:-1])
        near = nearest(field, known)
        return Fault("policy.field_unknown", where, field=field, nearest=near, known=", ".join(known))
    if found["type"] == "missing":
        return Fault("policy.field_missing", where, field=field)
    if not steps and found["input"] is None and model.model_fields:
        return Fault("policy.field_missing", where, field=next(iter(model.model_fields)))
    value = json.dumps(found["input"], ensure_ascii=False, default=str)
    why: Any = reason(found)
    if found["type"] in ("enum", "literal_error"):
        expected = found["ctx"]["expected"]
        why = " / ".join(re.findall(r"'([^']+)'", expected) or [expected.lower()])
    return Fault("policy.field_wrong", where, field=field, value=value[:80], why=why)


def fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The names that are allowed where `path` leads into a document of type `model`; () where any are."""
    kind: Any = model
    for step in path:
        if isinstance(step, int):
            kind = _inner(kind, None)
        elif (holder := _model(kind)) is not None:
            entry = holder.model_fields.get(step)
            kind = entry.annotation if entry else None
        else:
            kind = _inner(kind, step)
    found = _model(kind)
    return tuple(found.model_fields) if found else ()


def _model(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and not isinstance(kind, types.GenericAlias) and issubclass(kind, BaseModel):
        return kind
    return None


def _inner(kind: Any, key: str | None) -> Any:
    arguments = [a for a in get_args(kind) if a is not Ellipsis]
    return arguments[-1] if arguments else None
