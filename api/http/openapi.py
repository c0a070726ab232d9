"""The API's description: readable operation ids, every answer documented. `python -m api.http.openapi` writes it to
docs/openapi.json."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi import Path as InPath
from fastapi.routing import APIRoute

from api.http.problems import MEDIA_TYPE, Problem

PLACE = Path("docs/openapi.json")
_MODULES = ("api__", "expert_pool__", "solver__")


def _told(description: str) -> dict[str, Any]:
    """An answer that is a problem. It names no model: `_mended` does, and FastAPI would build one anew for each answer of
    each operation, which takes longer than everything else when a process starts."""
    return {"description": description}


ALWAYS: dict[int | str, dict[str, Any]] = {
    401: _told("Nobody is signed in, or the token does not hold."),
    403: _told("Signed in, without the right, or for another organiser."),
    404: _told("There is no such thing, or it is not the caller's to see."),
    422: _told("The request says something that cannot be."),
    "default": _told("Anything else that went wrong."),
}
"""The answers that every operation may give."""

CHANGES: dict[int | str, dict[str, Any]] = {
    409: _told("It was done already, or somebody else is just doing it."),
    412: _told("It was changed since it was read (If-Match)."),
    428: _told("The change needs If-Match."),
}
"""Further answers of operations that change something."""


NUMBER: Any = InPath(ge=1, le=2**31 - 1, description="The record's own number.")
"""The parameter of a path that names a record."""


def operation_id(route: APIRoute) -> str:
    """The function's name: short, stable, and unique over all routes (a test asks for it)."""
    return route.name


def install(app: FastAPI) -> None:
    """Let the application describe its problems with their own media type."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _mended(plain())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _mended(document: dict[str, Any]) -> dict[str, Any]:
    """Problems have a media type of their own, and validation faults are problems too."""
    reference = {"$ref": "#/components/schemas/Problem"}
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status == "default" or int(status) >= 400:
                    answer["content"] = {MEDIA_TYPE: {"schema": reference}}
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.setdefault("Problem", Problem.model_json_schema())
    names = _readable(schemas)
    document["components"]["schemas"] = {
        names[name]: {**schema, **({"title": names[name]} if "title" in schema else {})}
        for name, schema in sorted(schemas.items())
    }
    _rename(
        document, {f"#/components/schemas/{old}": f"#/components/schemas/{new}" for old, new in names.items()}
    )
    return document


_NAMED = {
    "expert_pool__accounts__rights__Role": "AccountRole",
    "expert_pool__registry__experts__Role": "SeatRole",
    "expert_pool__reevaluation__health__document__Invitations": "PoolInvitations",
    "solver__invitations__Invitations": "PanelInvitations",
    "solver__events__Decision": "EventDecision",
    "solver__explanation__document__Decision": "ExplainedDecision",
    "solver__explanation__document__Change": "ExplainedChange",
    "solver__replace__Change": "SeatChange",
}
"""What models are called in the description that share a name in the code."""


def _readable(schemas: Iterable[str]) -> dict[str, str]:
    """A name for every schema that programs can bear: `Page_Run_` becomes `PageRun`. Two models of one name, which FastAPI
    tells apart by their modules, have names of their own in `_NAMED`."""
    alike = [name for name in schemas if name.startswith(_MODULES) and name not in _NAMED]
    assert not alike, f"models of one name: {alike}"
    names = {name: _NAMED.get(name) or (_pascal(name) if "_" in name else name) for name in schemas}
    taken = Counter(names.values())
    twice = {name: new for name, new in names.items() if taken[new] > 1}
    assert not twice, f"schemas of one name: {twice}"
    return names


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _rename(node: Any, references: dict[str, str]) -> None:
    """Let every reference follow its schema, in place."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            node["$ref"] = references.get(node["$ref"], node["$ref"])
        for value in node.values():
            _rename(value, references)
    elif isinstance(node, list):
        for value in node:
            _rename(value, references)


def text_of(app: FastAPI) -> str:
    """The description as it stands in docs/openapi.json."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the description to the place given (docs/openapi.json)."""
    from api.http.app import create_app
    from api.http.service import Service
    from api.settings import Settings

    app = create_app(Service(None, None, Settings()))  # type: ignore[arg-type]
    place = Path(arguments[0]) if arguments else PLACE
    place.write_text(text_of(app), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
