"""One request and its one answer, kept within limits: how large, how slow, how long, and what every answer carries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

import anyio
from starlette.types import Message, Receive, Scope, Send

from api.settings import Settings
from solver.errors import Fault

_LINGER_SECONDS = 2.0


class Answer(Protocol):
    """An ASGI response."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]: ...


class Exchange:
    """Stands between server and application. Whatever comes first answers: the application, or a limit that was hit;
    what the application says after that is not sent.

    `scope_of_work` is cancelled when there is nothing left to work for.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        settings: Settings,
        most_bytes: int,
        headers: list[tuple[bytes, bytes]],
        problem: Callable[[Fault, dict[str, str]], Answer],
        streaming: Callable[[Exchange], None],
    ) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.settings, self.most_bytes = settings, most_bytes
        self.status = 0
        self.stream = False
        """Whether the answer is a stream of events, which ends when the service does."""
        self.ended = False
        self.scope_of_work = anyio.CancelScope()
        self._headers, self._problem, self._streaming = headers, problem, streaming
        self._refused = False
        self._body_ended = False
        self._received = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None
        self._wait()

    @property
    def begun(self) -> bool:
        """Whether the head of the answer is sent."""
        return self.status != 0

    async def receive(self) -> Message:
        """The next piece of the body, as long as it is neither too large nor too slow in coming."""
        if self._body_ended:
            return await self._receive()
        until = self._began + self.settings.body_seconds + self._received / self.settings.body_pace
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            return await self._give_up(Fault("http.slow"))
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self.most_bytes:
                return await self._give_up(Fault("http.too_large", bytes=self.most_bytes))
            self._body_ended = not message.get("more_body", False)
            self._wait()
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the application answers, unless somebody answered for it."""
        if not self._refused:
            await self._pass_on(message)

    async def refuse(
        self, fault: Fault, *, close: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        """Answer with a fault, if no answer has begun. `close`: what else comes on the connection is of no use."""
        if self.begun or self._refused:
            return
        self._refused = True
        await self._refuse(fault, close=close, headers=headers)

    async def finish(self) -> None:
        """End a stream that was cut off, so that its reader sees an end and not an error."""
        self._stop_waiting()
        if self._telling is not None:
            await self._telling
        if self.begun and not self.ended and self.stream:
            await self._pass_on({"type": "http.response.body", "body": b"", "more_body": False})

    async def _refuse(
        self, fault: Fault, *, close: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        self._stop_waiting()
        sent = dict(headers or {})
        if close:
            sent["Connection"] = "close"
            await self._read_on()
        await self._problem(fault, sent)(self.scope, self._receive, self._pass_on)

    async def _read_on(self) -> None:
        """Let go of what is still coming, for a moment: who is cut off while sending may never read the answer."""
        with anyio.CancelScope(shield=True), suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._body_ended:
                    message = await self._receive()
                    self._body_ended = not message.get("more_body", False)

    async def _pass_on(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._stop_waiting()
            self.status = message["status"]
            message = {**message, "headers": self._dressed(message.get("headers", []))}
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.ended = True
        try:
            async with asyncio.timeout(self.settings.request_seconds):
                await self._send(message)
        except TimeoutError:  # nobody reads the answer
            self._refused = True
            self.scope_of_work.cancel()

    def _dressed(self, headers: Any) -> list[tuple[bytes, bytes]]:
        given = [(bytes(name).lower(), value) for name, value in headers]
        names = {name for name, _ in given}
        kind = next((value for name, value in given if name == b"content-type"), b"")
        if kind.startswith(b"text/event-stream"):
            self.stream = True
            self._streaming(self)
        return given + [(name, value) for name, value in self._headers if name not in names]

    async def _give_up(self, fault: Fault) -> Message:
        await self.refuse(fault, close=True)
        self.scope_of_work.cancel()
        return {"type": "http.disconnect"}

    def _wait(self) -> None:
        """Start (anew) the time the answer may take to begin."""
        self._stop_waiting()
        if not self.begun:
            self._timer = self._loop.call_later(self.settings.request_seconds, self._too_long)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_long(self) -> None:
        """Answer in time though a thread still works: it cannot be stopped, its answer will be dropped."""
        if self.begun or self._refused:
            return
        self._refused = True
        fault = Fault("http.took_too_long", seconds=self.settings.request_seconds)
        self._telling = self._loop.create_task(self._refuse(fault))
        self.scope_of_work.cancel()
