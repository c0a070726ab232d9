"""`serve` and `worker` as processes: from an empty folder to a working service, through every kind of end."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from patience import PATIENCE, until
from sqlalchemy import select

from api.cli.main import run
from api.jobs.supervisor import FIRST_PAUSE, Supervisor
from expert_pool import ledger
from expert_pool.keys import Key
from expert_pool.registry import Account, AccountSession
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))
PASSWORD = "a long new passphrase of the first day"


class Served:
    """`expert-pool serve` in a folder."""

    def __init__(self, folder: Path, *words: str, **variables: str) -> None:
        self.log = folder / "log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("EXPERT_POOL_")} | variables
        command = [sys.executable, "-m", "api.cli.main", "serve", "--port", "0", "--json", *words]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("}\n") or text.count("{") > text.count("}"):
            line = self.process.stdout.readline()
            assert line, self.log.read_text()
            text += line
        self.said: dict[str, Any] = json.loads(text)
        self.client = httpx.Client(base_url=self.said["api"], timeout=PATIENCE)

    def workers(self) -> list[psutil.Process]:
        """The worker processes beside it that live."""
        found = []
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if "worker" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def ready(self, workers: int) -> None:
        """Wait until so many workers carry runs."""
        until(lambda: self.client.get(f"{self.said['url']}/readyz").json()["workers"] == workers)

    def sign_in(self, password: str) -> dict[str, Any]:
        answer = self.client.post("/sessions", json={"name": "admin", "password": password})
        assert answer.status_code == 201, answer.text
        self.client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return answer.json()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()  # type: ignore[union-attr]
        self.client.close()
        return code


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts services, and leaves no process behind."""
    running: list[Served] = []

    def start(*words: str, **variables: str) -> Served:
        running.append(Served(tmp_path, *words, **variables))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            family = [*psutil.Process(each.process.pid).children(recursive=True)]
            each.end(signal.SIGKILL)
            for process in family:
                process.kill()


def test_an_empty_folder_becomes_a_service_that_outlives_kill_9(served: Any, tmp_path: Path) -> None:
    """From the first administrator to an end with grace, by way of a worker's death and the service's own."""
    service = served()
    first = service.said["first_administrator"]
    assert first["name"] == "admin"
    signed = service.sign_in(first["password"])
    assert signed["account"] == "admin"
    refused = service.client.get("/accounts")
    assert refused.status_code == 403  # the one-time password is for changing it
    changed = service.client.put("/own/password", json={"old": first["password"], "new": PASSWORD})
    assert changed.status_code == 200, changed.text
    service.client.headers["X-CSRF-Token"] = changed.json()["csrf_token"]
    accounts = service.client.get("/accounts")
    assert [account["name"] for account in accounts.json()["items"]] == ["admin"]
    made = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir() if path.name != "log"}
    assert {"expert-pool.db", "expert-pool.db.key"} <= made.keys()
    assert not any(made.values())  # nobody else may read them
    service.ready(1)
    (worker,) = service.workers()
    worker.kill()  # a worker that dies is started anew
    until(lambda: [p.pid for p in service.workers() if p.pid != worker.pid] != [])
    service.ready(1)
    (orphan,) = service.workers()
    service.end(signal.SIGKILL)
    again = served()
    assert again.said["first_administrator"] is None
    assert again.sign_in(PASSWORD)["due"] is None
    again.ready(1)
    until(lambda: not orphan.is_running())  # its parent is gone
    (last,) = again.workers()
    assert again.end() == 0
    assert not last.is_running()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["route"] for line in lines if line["event"] == "request"} >= {
        "/api/v1/sessions",
        "/api/v1/own/password",
        "/api/v1/accounts",
        "/readyz",
    }
    text = (tmp_path / "log").read_text()
    assert not any(secret in text for secret in (first["password"], PASSWORD, '"admin"'))
    with open_store(f"sqlite:///{tmp_path / 'expert-pool.db'}") as store, store.reading() as session:
        assert ledger.verify(session) == []


def test_one_database_url_makes_a_cluster(
    served: Any, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERT_POOL_KEY", KEY.to_text())
    service = served("--workers", "0", EXPERT_POOL_DATABASE=postgres_url, EXPERT_POOL_KEY=KEY.to_text())
    command = [sys.executable, "-m", "api.cli.main", "worker", "--json", "--database", postgres_url]
    worker = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        service.ready(1)
        first = service.said["first_administrator"]
        service.sign_in(first["password"])
        assert run(["backup", str(tmp_path / "a.backup"), "--database", postgres_url, "--json"]) == 0
        restored = f"sqlite:///{tmp_path / 'restored.db'}"
        assert run(["restore", str(tmp_path / "a.backup"), "--database", restored, "--json"]) == 0
        with open_store(restored) as store, store.reading() as session:
            assert [account.name for account in session.scalars(select(Account))] == ["admin"]
            assert session.scalars(select(AccountSession)).all() == []  # nobody is signed in over there
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
        assert worker.stdout is not None
        assert "postgresql" in worker.stdout.read()
        service.ready(0)
    finally:
        worker.kill()
        worker.communicate()
    assert service.end(signal.SIGINT) == 130


@pytest.mark.parametrize(
    ("words", "variables", "code"),
    [
        (["serve", "--port", "{taken}"], {}, "serve.port_taken"),
        (["serve", "--port", "0", "--host", "203.0.113.5"], {}, "serve.host_unknown"),
        (
            ["serve", "--port", "0", "--database", "postgresql://nobody@127.0.0.1:{free}/none"],
            {"EXPERT_POOL_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
            "store.unusable",
        ),
        (["serve", "--port", "0", "--database", "postgresql://nobody@127.0.0.1:{free}/none"], {}, None),
        (["serve", "--port", "0"], {"EXPERT_POOL_BODY_BYTES": "much"}, "settings.bad"),
        (["worker", "--database", "sqlite:///nowhere.db"], {}, "cli.database_missing"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_keeps_a_service_from_starting_is_said(
    words: list[str],
    variables: dict[str, str],
    code: str | None,
    lang: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    os.umask(before)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "5")
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ports = {"taken": taken.getsockname()[1], "free": free.getsockname()[1]}
        assert run([*(word.format(**ports) for word in words), "--json", "--lang", lang]) == 2
    os.umask(before)
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    if code is not None:
        assert json.loads(out)["error"]["code"] == code


def test_a_worker_that_keeps_dying_is_started_less_and_less_often() -> None:
    """On a clock that stands still but for the pauses: every look is one further pause later."""
    command = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
    now, begun = 0.0, []
    supervisor = Supervisor(command, 1, database="sqlite:///x.db", grace=1)
    (slot,) = supervisor._slots
    while len(begun) < 5:
        before = slot.process
        slot.look(now)
        if slot.process is not before:
            begun.append(now)
            slot.process.wait()
        else:
            now += FIRST_PAUSE
    pauses = [(later - earlier) / FIRST_PAUSE for earlier, later in itertools.pairwise(begun)]
    assert pauses == [1, 2, 4, 8]


def test_a_worker_that_does_not_drain_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.jobs.supervisor._MARGIN", 0.2)
    deaf = (
        "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "open(os.path.join(sys.argv[1], str(os.getpid())), 'w').close();"
        "signal.sigwait([signal.SIGUSR1])"
    )
    command = [sys.executable, "-S", "-c", deaf, str(tmp_path)]
    with Supervisor(command, 2, database="sqlite:///x.db", grace=0.1) as supervisor:
        until(lambda: len(list(tmp_path.iterdir())) == 2)
        pids = supervisor.pids
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(map(str, pids))
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_backup_and_restore_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store(f"sqlite:///{tmp_path / 'office.db'}") as store:
        key = store.key
    for lang in ("zh", "en"):
        made = [f"{lang}.backup", "--with-key", f"{lang}.key", "--database", "sqlite:///office.db"]
        assert run(["backup", *made, "--lang", lang]) == 0
        assert run(["backup", *made, "--lang", lang]) == 2
        assert run(["restore", f"{lang}.backup", "--database", f"sqlite:///{lang}.db", "--lang", lang]) == 2
        given = ["--key", f"{lang}.key", "--database", f"sqlite:///{lang}.db", "--lang", lang]
        capsys.readouterr()
        assert run(["restore", f"{lang}.backup", *given, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["holds"] is True
        with open_store(f"sqlite:///{tmp_path / lang}.db") as restored:
            assert restored.key == key
        assert run(["restore", f"{lang}.backup", *given]) == 2
    assert run(["restore", "nothing.backup", "--key", "zh.key", "--database", "sqlite:///n.db"]) == 2
    assert run(["backup", "no/such/folder/a.backup", "--database", "sqlite:///office.db"]) == 2
    assert run(["backup", "a.backup", "--database", "sqlite:///nowhere.db"]) == 2
