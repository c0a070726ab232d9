"""A request may be sent twice and is carried out once: Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).

The answer is kept in the transaction of what it tells of, so there is never one without the other, whatever dies when.
A second request with the same key waits for the first where another process carries it out, and is refused at once
where this one does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.service import Service
from expert_pool import clock
from expert_pool.accounts.rights import Principal
from expert_pool.keys import Key
from expert_pool.registry import AnsweredRequest
from solver.errors import Fault

KEPT = timedelta(days=1)
"""How long an answer is kept."""
_LONGEST = 255

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
"""Bodies that were read into fields before they can be compared."""
_under_way: set[tuple[str, int, str]] = set()
_guard = Lock()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request that changes something is answered with: a model or nothing, a status, headers."""

    body: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Once:
    """A request that may have been sent before. `key` is None where the caller does not care."""

    key: str | None
    request_sha256: str

    def write(self, service: Service, asks: Principal, work: Callable[[Session], Answer]) -> Response:
        """Carry out `work` in one writing transaction, or give the answer of the time it was carried out.

        Raises Fault `once.under_way`, `once.other_request`, and whatever `work` raises: then nothing is kept.
        """
        store = service.store
        if self.key is None:
            with store.session() as session:
                answer = work(session)
            return _response(*_plain(answer))
        place = (store.url, asks.account_id, self.key)
        with _guard:
            if place in _under_way:
                raise Fault("once.under_way", "Idempotency-Key")
            _under_way.add(place)
        try:
            return self._once(service, asks, work)
        finally:
            with _guard:
                _under_way.discard(place)

    def _once(self, service: Service, asks: Principal, work: Callable[[Session], Answer]) -> Response:
        store = service.store
        try:
            with store.session() as session:
                if (kept := self._kept(session, asks, store.key)) is not None:
                    return kept
                session.execute(delete(AnsweredRequest).where(AnsweredRequest.at < clock.now() - KEPT))
                row = AnsweredRequest(
                    account_id=asks.account_id,
                    key=self.key,
                    request_sha256=self.request_sha256,
                    at=clock.now(),
                    answer_sealed=b"",
                )
                session.add(row)
                try:
                    session.flush()  # waits for another process that has the key, and fails when it is done
                except IntegrityError as error:
                    raise _Taken from error
                said = _plain(work(session))
                row.answer_sealed = store.key.seal(orjson.dumps(said).decode())
        except _Taken:
            with store.reading() as session:
                kept = self._kept(session, asks, store.key)
            if kept is None:
                raise Fault("once.under_way", "Idempotency-Key") from None
            return kept
        return _response(*said)

    def _kept(self, session: Session, asks: Principal, key: Key) -> Response | None:
        found = session.scalar(
            select(AnsweredRequest).where(
                AnsweredRequest.account_id == asks.account_id,
                AnsweredRequest.key == self.key,
                AnsweredRequest.at >= clock.now() - KEPT,
            )
        )
        if found is None:
            return None
        if found.request_sha256 != self.request_sha256:
            raise Fault("once.other_request", "Idempotency-Key")
        status, headers, body = orjson.loads(key.open(found.answer_sealed))
        return _response(status, headers | {"Idempotency-Replayed": "true"}, body)


class _Taken(Exception):
    """Another process carried the request out meanwhile."""


async def once_of(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=_LONGEST,
            description="A name of the caller's own for this request: sent again with the same body within a day, the "
            "request is not carried out again and gets the same answer.",
        ),
    ] = None,
) -> Once:
    """The dependency of a route that changes something. Raises Fault `once.malformed`."""
    if key is None:
        return Once(None, "")
    if not key or not key.isascii() or not key.isprintable():
        raise Fault("once.malformed", "Idempotency-Key")
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Once(key, hashlib.sha256(said + await _sent(request)).hexdigest())


async def _sent(request: Request) -> bytes:
    """The body, or of a form its fields and a hash of each file: a form's boundary differs each time it is sent."""
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return await request.body()
    fields: list[tuple[str, str, str]] = []
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            fields.append((name, "", value))
            continue
        digest = hashlib.sha256()
        while piece := await value.read(1 << 20):
            digest.update(piece)
        await value.seek(0)
        fields.append((name, value.filename or "", digest.hexdigest()))
    return orjson.dumps(sorted(fields))


Repeatable = Annotated[Once, Depends(once_of)]
"""The parameter of a route that changes something."""


def _plain(answer: Answer) -> tuple[int, dict[str, str], str | None]:
    body = None
    if answer.body is not None:
        body = base64.b64encode(answer.body.model_dump_json().encode()).decode()
    return answer.status, dict(answer.headers), body


def _response(status: int, headers: Mapping[str, Any], body: str | None) -> Response:
    if body is None:
        return Response(status_code=status, headers=dict(headers))
    return Response(base64.b64decode(body), status, dict(headers), "application/json")
