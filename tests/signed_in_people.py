"""People with real accounts, who really sign in."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI

from expert_pool.accounts import Role, granting, managing, passwords
from expert_pool.accounts.home import tell_changed
from expert_pool.registry import Account
from expert_pool.store import Store
from expert_pool.viewer import Viewer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have a successor of httpx
    from starlette.testclient import TestClient

PASSWORD = "zebra lamp 42 river"
OWNER = Viewer.system("owner")


def account(store: Store, name: str, *roles: tuple[Role, str | None] | Role, **more: Any) -> Account:
    """An account whose password is PASSWORD and needs no change; roles for all, or for (role, organiser)."""
    with store.session() as session:
        made = managing.create(session, OWNER, name, **more).account
        made.password, made.password_until = _hash_by(passwords._HASHER), None
        tell_changed(session, made, name, "account.password_changed")
        for role in roles:
            given, organiser = role if isinstance(role, tuple) else (role, None)
            granting.grant(session, OWNER, made, given, organiser=organiser)
        return made


@cache
def _hash_by(_: object) -> str:
    """The hash of PASSWORD by the hasher that is in use."""
    return passwords.hash_of(PASSWORD)


@dataclass
class Browser:
    """A browser with its cookies; `csrf` is what the session told it."""

    client: TestClient
    csrf: str = ""

    def sign_in(self, name: str, password: str = PASSWORD, **more: Any) -> Any:
        answer = self.client.post("/api/v1/sessions", json={"name": name, "password": password, **more})
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """A request below /api/v1 as the page makes it."""
        headers = {"X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.ask("POST", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.ask("DELETE", path, **more)


def browser(app: FastAPI, **more: Any) -> Browser:
    """A browser that nobody has used yet."""
    return Browser(TestClient(app, raise_server_exceptions=False, follow_redirects=False, **more))


def signed_in(app: FastAPI, name: str) -> Browser:
    """A browser somebody signed in with."""
    made = browser(app)
    assert made.sign_in(name).status_code == 201
    return made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Told:
    """An answer, as far as the sweeps need it."""

    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def sweep(app: Any, requests: Iterable[tuple[str, str, dict[str, str], Any]]) -> list[Told]:
    """Many requests (method, path, headers, JSON body) straight at the application: a client would cost more than
    the answers."""

    async def one(method: str, path: str, headers: dict[str, str], body: Any) -> Told:
        sent = b"" if body is None else json.dumps(body).encode()
        raw = {"host": "testserver", "content-type": "application/json", "content-length": str(len(sent))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(n.lower().encode(), v.encode()) for n, v in (raw | headers).items()],
            "client": ("192.0.2.1", 1),
            "server": ("testserver", 80),
            "state": {},
        }
        messages: list[Any] = [{"type": "http.request", "body": sent, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        await app(scope, receive, send)
        return Told(
            told[0]["status"], b"".join(m.get("body", b"") for m in told[1:]).decode("utf-8", "replace")
        )

    async def all_of_them() -> list[Told]:
        return [await one(*request) for request in requests]

    return asyncio.run(all_of_them())
