"""Events as they happen: server-sent events that resume where the reader was (HTML standard, section 9.2).

An open stream holds neither a thread nor a connection: it sleeps in the event loop and looks into the table for a moment
every fraction of a second, the more streams the seldomer. Nothing is kept in memory, so any process can serve any
stream, and one that was cut off goes on with `Last-Event-ID`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Annotated

import anyio
import orjson
from fastapi import Header
from starlette.responses import StreamingResponse

LOOK_SECONDS = 0.15
"""How often a stream looks for something new while something happens."""
IDLE_SECONDS = 0.6
"""How often it looks when nothing has happened for a while."""
LOOKS_PER_SECOND = 150
"""What all streams of one process together may look at most."""
BEAT_SECONDS = 15.0
"""After so long a silence a comment keeps proxies and readers sure that the stream lives."""
LONGEST_SECONDS = 900.0
"""A stream ends after so long; its reader comes again, and is asked anew who it is."""

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern="^[0-9]{1,18}$",
        description="The id of the last event received: the stream goes on with the next one.",
    ),
]
"""The parameter of a route that streams events."""

_open = 0
_threads: anyio.CapacityLimiter | None = None


Looked = tuple[Sequence[tuple[int, str, bytes]], bool]
"""Events as (number, kind, text), and whether these are the last there will ever be. No kind: a plain message."""


def event_stream(look: Callable[[int], Looked], *, after: int = 0) -> StreamingResponse:
    """A stream of events. `look(after)` is called in a thread, must be quick, and gives what came after a number."""
    return StreamingResponse(
        _stream(look, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def as_event(number: int, kind: str, data: bytes) -> bytes:
    """One event in the form of the stream, a line of it for each line of `data`."""
    named = b"event: %s\n" % kind.encode() if kind else b""
    return b"id: %d\n%sdata: %s\n\n" % (number, named, b"\ndata: ".join(data.splitlines() or [b""]))


def json_line(document: object) -> bytes:
    """A document as JSON without line breaks."""
    return orjson.dumps(document, default=str)


async def _stream(look: Callable[[int], Looked], after: int) -> AsyncIterator[bytes]:
    global _open
    began = spoken = monotonic()
    pause = LOOK_SECONDS
    _open += 1
    try:
        yield b"retry: 1000\n\n"
        while True:
            found, over = await anyio.to_thread.run_sync(look, after, limiter=_limiter())
            for number, kind, data in found:
                after = number
                yield as_event(number, kind, data)
            now = monotonic()
            if over or now - began > LONGEST_SECONDS:
                return
            if found:
                spoken, pause = now, LOOK_SECONDS
            elif now - spoken > BEAT_SECONDS:
                spoken = now
                yield b": still here\n\n"
            await asyncio.sleep(max(pause, _open / LOOKS_PER_SECOND))
            pause = min(pause * 1.2, IDLE_SECONDS)
    finally:
        _open -= 1


def _limiter() -> anyio.CapacityLimiter:
    """Few threads of its own, so that streams never take those of requests."""
    global _threads
    if _threads is None:
        _threads = anyio.CapacityLimiter(4)
    return _threads
