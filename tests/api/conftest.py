"""Fixtures of the service: an application over the small registry, and clients signed in as whoever a test needs."""

from __future__ import annotations

import io
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import APIRouter, FastAPI
from guarded_app import application
from in_a_browser import chromium, served, sessions, signed  # noqa: F401 -- fixtures
from starlette.types import ASGIApp, Receive, Scope, Send
from tiny_registry import Tiny

from api import logs
from api.http.app import create_app
from api.http.service import Service
from api.settings import Settings
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.keys import Key
from expert_pool.store import Store, open_store

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have a successor of httpx
    from starlette.testclient import TestClient

KEY = Key(bytes(range(32)))


class SignedIn:
    """The application as one principal meets it: sets `request.state.principal`, as signing in does."""

    def __init__(self, app: ASGIApp, principal: Principal | None) -> None:
        self.app, self.principal = app, principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.principal is not None:
            scope = {**scope, "state": {**scope.get("state", {}), "principal": self.principal}}
        await self.app(scope, receive, send)


class Listed:
    """A job engine that writes down what it was asked to do."""

    def __init__(self) -> None:
        self.submitted: list[tuple[str, str]] = []
        self.cancelled: list[str] = []

    def submit(self, run: str, queue: str) -> None:
        self.submitted.append((run, queue))

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Http:
    """A service over the small registry. `sign_in` gives a client for a principal with roles; `stranger` one for
    nobody."""

    tiny: Tiny
    app: FastAPI
    jobs: Any
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def store(self) -> Store:
        return self.tiny.store

    def sign_in(
        self,
        *roles: Role,
        organisers: frozenset[int] | None = None,
        actor: str = "clerk",
        account_id: int = 1,
        expert_id: int | None = None,
        employer_id: int | None = None,
        language: str = "zh",
    ) -> TestClient:
        """A client signed in with roles for some organisers (None: for all)."""
        grants = tuple(Grant(role, None, organisers) for role in roles)
        principal = Principal(
            account_id, actor, grants, expert_id=expert_id, employer_id=employer_id, language=language
        )
        return self.client(principal)

    def client(self, principal: Principal | None) -> TestClient:
        """A client for a principal."""
        made = TestClient(SignedIn(self.app, principal), raise_server_exceptions=False)
        return self.open.enter_context(made)

    def stranger(self) -> TestClient:
        """A client that is nobody."""
        return self.client(None)


def _over(tiny: Tiny) -> Iterator[Http]:
    jobs = Listed()
    app = create_app(Service(tiny.store, jobs, Settings(database=tiny.store.url)))
    with ExitStack() as stack:
        yield Http(tiny, app, jobs, stack)


@pytest.fixture(scope="session", autouse=True)
def _routes_are_built_once() -> Iterator[None]:
    """FastAPI builds the routes of a router when one is first looked for, anew for each application, which takes longer
    than most tests. They know nothing of their application, so all applications of this process share them."""
    plain, built = APIRouter.include_router, dict[Any, Any]()

    def include(self: APIRouter, router: APIRouter, **more: Any) -> None:
        plain(self, router, **more)
        _, self.routes[-1] = built.setdefault((id(router), repr(more)), (router, self.routes[-1]))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(APIRouter, "include_router", include)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_loop_for_all_clients() -> Iterator[None]:
    """A client that nobody entered would start a thread and an event loop for every request."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patched:
        patched.setattr(TestClient, "portal", portal)
        yield


@pytest.fixture(scope="session")
def bare_app() -> FastAPI:
    """The application over no service, for what it says of itself."""
    return create_app(Service(None, None, Settings()))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def described(bare_app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of the service, made once: it takes seconds. Nobody changes it."""
    return bare_app.openapi()


@pytest.fixture
def http(tiny_template: tuple[Path, Tiny], tmp_path: Path) -> Iterator[Http]:
    """The service over the small registry on SQLite."""
    path, tiny = tiny_template
    shutil.copy(path, tmp_path / "registry.db")
    with open_store(f"sqlite:///{tmp_path / 'registry.db'}", key=KEY) as store:
        yield from _over(replace(tiny, store=store))


@pytest.fixture
def both_http(tiny: Tiny) -> Iterator[Http]:
    """The service over the small registry, once on each database."""
    yield from _over(tiny)


@pytest.fixture
def manager(http: Http) -> TestClient:
    """A pool manager of all organisers."""
    return http.sign_in(Role.POOL_MANAGER)


@pytest.fixture
def make(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TestClient]:
    """Makes a client of the service of `guarded_app` with settings."""
    monkeypatch.setattr("api.http.app.ROUTERS", ())  # they take their time to be made

    def made(**given: Any) -> TestClient:
        client = given.pop("client", ("198.51.100.7", 4711))
        return TestClient(application(sqlite_store, **given), client=client)

    return made


@pytest.fixture
def lines() -> Callable[[], list[dict[str, Any]]]:
    """What is logged, as written and read back; and no line is anything but one JSON object in ASCII."""
    stream = io.StringIO()
    logs.configure("info", stream)

    def read() -> list[dict[str, Any]]:
        assert stream.getvalue().isascii()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    read.text = stream.getvalue  # type: ignore[attr-defined]
    return read
