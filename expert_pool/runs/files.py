"""What goes into a run and comes out of it, sealed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from expert_pool.keys import Key


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a request or is part of a result."""

    name: str
    content: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


def seal_json(key: Key, document: Any) -> bytes:
    """A JSON document, sealed. Raises TypeError for what JSON cannot say: a fault of the calling program."""
    return key.seal(written(document))


def open_json(key: Key, sealed: bytes) -> Any:
    """What `seal_json` sealed. Raises Fault `key.cannot_open`."""
    return json.loads(key.open(sealed))


def seal_bytes(key: Key, content: bytes) -> bytes:
    """A file's content, sealed."""
    return key.seal(base64.b64encode(content).decode("ascii"))


def open_bytes(key: Key, sealed: bytes) -> bytes:
    """What `seal_bytes` sealed. Raises Fault `key.cannot_open`."""
    return base64.b64decode(key.open(sealed))


def written(document: Any) -> str:
    """A JSON document in one way of writing, so that equal documents are equal texts."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
