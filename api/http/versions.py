"""Two clerks never overwrite each other: a strong ETag on what can change, If-Match to change it (RFC 9110)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any

import orjson
from fastapi import Header
from sqlalchemy import inspect
from starlette.responses import Response

from solver.errors import Fault

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of what is to be changed, as last read. Without it 428; when it is stale, 412.",
        max_length=2000,
    ),
]
"""The parameter of a route that changes something."""


def etag_of(*parts: Any) -> str:
    """A strong ETag over parts: rows of tables (all their columns), models, and plain values."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_bytes(part))
        digest.update(b"\x1e")
    return f'"{digest.hexdigest()[:32]}"'


def require_match(given: str | None, current: str) -> None:
    """Let a change go ahead only when the caller knows what it changes. Call it inside the writing transaction, on a
    row that is held for update.

    Raises Fault `version.needed` (428) without If-Match, `version.stale` (412) when it names another version.
    """
    if given is None:
        raise Fault("version.needed")
    tags = [tag.strip() for tag in given.split(",")]
    if "*" not in tags and current not in tags:
        raise Fault("version.stale")


def put_etag(response: Response, *parts: Any) -> None:
    """Set the ETag of an answer."""
    response.headers["ETag"] = etag_of(*parts)


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as it goes out: JSON, and its ETag where it has one."""

    body: bytes
    etag: str | None = None

    def response(self) -> Response:
        """The answer of a route; nothing in it is validated or written again."""
        headers = {} if self.etag is None else {"ETag": self.etag}
        return Response(self.body, 200, headers, "application/json")


def written(document: Any) -> Written:
    """A document of plain values, days, moments and enumerations as an answer."""
    return Written(orjson.dumps(document, option=orjson.OPT_UTC_Z))


def _bytes(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return part.encode("utf-8", "surrogatepass")
    if hasattr(part, "model_dump_json"):
        return str(part.model_dump_json()).encode()
    if hasattr(type(part), "__table__"):
        columns = sorted(inspect(type(part)).column_attrs.keys())
        return repr([(name, _plain(getattr(part, name))) for name in columns]).encode()
    return repr(_plain(part)).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
