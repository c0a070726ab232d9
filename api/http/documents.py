"""Bodies that hold documents (problems, panels): read and judged away from the loop that serves everybody.

JSON is parsed, judged and written in single calls of native code, and while one runs no other thread of its process does. So a
small body is read in a thread, and a large one in a process of its own, which hands back bytes.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Annotated, Any

import orjson
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from solver.errors import Fault

NAMES = ("problem", "panel", "was", "now", "proof", "invitations")
"""The fields that hold documents."""
LARGE = 1_000_000
"""Bytes of a body that is read in a process of its own (one of 1 MB takes a thread about 30 ms)."""
_AT_ONCE = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Taken:
    """A document of a body: its JSON, and what is wrong with it."""

    content: bytes
    fault: Fault | None

    def checked(self) -> bytes:
        """The JSON of a document that is one. Raises its Fault."""
        if self.fault is not None:
            raise self.fault
        return self.content


def _document(value: Any) -> Taken:
    if not isinstance(value, Taken):
        raise PydanticCustomError("dict_type", "Input should be an object")
    return value


Document = Annotated[
    Taken,
    PlainValidator(_document),
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]
"""A field that holds a document, on routes of `DocumentsRoute`."""


class DocumentsRoute(APIRoute):
    """A route whose body may hold documents."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await plain(_Sent(request.scope, request.receive))

        return handler


class _Sent(Request):
    async def json(self) -> Any:
        """The body, its documents taken out as `Taken`. Raises json.JSONDecodeError."""
        if not hasattr(self, "_json"):
            raw = await self.body()
            self._json = await run_in_threadpool(_apart if len(raw) > LARGE else taken_apart, raw)
        return self._json


def taken_apart(raw: bytes) -> Any:
    """A body with its documents taken out and judged. Raises json.JSONDecodeError."""
    said = orjson.loads(raw)
    if isinstance(said, dict):
        for name in NAMES:
            if isinstance(said.get(name), dict):
                written = orjson.dumps(said[name])
                said[name] = Taken(written, _fault_of(name, said[name], written))
    return said


def _fault_of(name: str, document: dict[str, Any], written: bytes) -> Fault | None:
    from solver.check import read_answer
    from solver.document import from_plain
    from solver.invitations import read_invitations

    try:
        if name == "problem":
            from_plain(document)
        elif name == "invitations":
            read_invitations(written, name)
        elif name != "proof":  # what a proof is worth is what its route is asked
            read_answer(written, name)
    except Fault as fault:
        return fault
    return None


def _apart(raw: bytes) -> Any:
    """The same in a process of its own."""
    with _AT_ONCE:
        done = subprocess.run([sys.executable, "-m", __name__], input=raw, capture_output=True)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"the reader of a large body ended with {done.returncode}")
    said, trouble = pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it
    if trouble is not None:
        raise json.JSONDecodeError(trouble[0], "", trouble[1])
    return said


def _main() -> None:
    """The process: a body at its standard input, what came of it at its standard output."""
    from api.http import documents  # by the name under which the other process knows it

    said = trouble = None
    try:
        said = documents.taken_apart(sys.stdin.buffer.read())
    except json.JSONDecodeError as error:
        trouble = (error.msg, error.pos)
    sys.stdout.buffer.write(pickle.dumps((said, trouble), pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    _main()
