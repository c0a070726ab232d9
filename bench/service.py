"""The service's figures, over real sockets: reads, writes with ledger, a panel's first incumbent, reads while solves run.

`python -m bench service` makes what it needs once, under --home, and uses it again: a registry of 100,000 experts on
SQLite, and the made region with a pool of 10,000. The server is a
process of its own (`expert-pool serve`), and so is the client: `connections` keep-alive connections, each of which
sends its next request when its answer has come.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.made_registry import make
from expert_pool import clock
from expert_pool.keys import Key

POLICY = "cn-title-jilin-2013"
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a client saw: answers of each status, their times in ms, and seconds on the clock."""

    times: list[float]
    seconds: float
    wrong: dict[int, int]

    def __str__(self) -> str:
        if not self.times:
            return f"no answer, {self.wrong}"
        ordered = sorted(self.times)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        said = f"{len(ordered) / self.seconds:.0f}/s, p50 {median(ordered):.1f} ms, p99 {p99:.1f} ms"
        return said + (f", other answers {self.wrong}" if self.wrong else "")


@dataclass(frozen=True, slots=True)
class Running:
    """A server: its address, the token of an account that manages the pool, one of a committee's office, its process."""

    url: str
    token: str
    office: str = ""
    pid: int = 0

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)


@contextmanager
def serving(database: str, workers: int, home: Path) -> Iterator[Running]:
    """The service over a database, with so many workers, until the end of the block."""
    token, office = tokens_for(database)
    environment = {**os.environ, "EXPERT_POOL_ACCOUNT_RATE": "100000", "EXPERT_POOL_ACCOUNT_BURST": "100000"}
    environment["EXPERT_POOL_LOG_LEVEL"] = "warning"
    command = [
        sys.executable,
        "-c",
        "from api.cli.main import main; main()",
        "serve",
        "--port",
        "0",
        "--json",
    ]
    command += ["--workers", str(workers), "--database", database]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=home)
        try:
            assert process.stdout is not None
            said = b""
            while not said.rstrip().endswith(b"}"):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"the server ended: see {home / 'serve.log'}")
                said += line
            yield Running(json.loads(said)["url"], token, office, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def tokens_for(database: str) -> tuple[str, str]:
    """Tokens of two fresh accounts, for all organisers: one manages the pools, one asks for panels."""
    from expert_pool.accounts import granting, managing, principal_of, tokens
    from expert_pool.accounts.rights import Role
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    found = []
    with open_store(database) as store, store.session() as session:
        viewer = Viewer.system("bench")
        for role in (Role.POOL_MANAGER, Role.COMMITTEE_OFFICE):
            name = f"bench-{role.value.replace('_', '-')}-{time.time_ns()}"
            account = managing.create(session, viewer, name, with_password=False).account
            granting.grant(session, viewer, account, role)
            found.append(
                tokens.make(session, store.key, principal_of(session, account.id), "bench", None, 1)[1]
            )
    return found[0], found[1]


def drive(running: Running, plan: str, experts: int, seconds: float, connections: int) -> Figures:
    """The figures of a client process that sends a plan's requests for so long."""
    asked = [running.url, running.token, plan, str(experts), str(seconds), str(connections)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.service", *asked], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    return Figures(said["times"], said["seconds"], {int(k): n for k, n in said["wrong"].items()})


def _requests(plan: str, experts: int, mark: int) -> Iterator[tuple[str, str, bytes]]:
    """Method, path and body of one request after the other, for ever."""
    chance = random.Random(mark)
    today = clock.today()
    pools = max(1, round(experts / 28_000))
    kinds = {
        "expert": ["expert"],
        "standing": ["standing"],
        "list": ["list"],
        "reads": ["expert", "standing", "list"],
    }
    for number, kind in enumerate(cycle(kinds.get(plan, [plan]))):
        code = f"X{chance.randrange(experts):07}"
        match kind:
            case "expert":
                yield "GET", f"{API}/experts/{code}", b""
            case "standing":
                pool = chance.randrange(2 * pools)
                yield "GET", f"{API}/experts/{code}/standing?committee=C{pool:04}&policy={POLICY}", b""
            case "list":
                yield (
                    "GET",
                    f"{API}/experts?limit=50&region={220000 + chance.randrange(60) * 10}&sort={chance.choice(('code', 'name'))}",
                    b"",
                )
            case "agendas":
                yield "GET", f"{API}/{chance.choice(('agendas', 'experts', 'committees'))}?limit=50", b""
            case "search":
                yield "GET", f"{API}/experts?limit=50&q=X{chance.randrange(10**4):04}", b""
            case _:
                on = today - timedelta(days=chance.randrange(1, 600))
                course = {
                    "course": f"培训 {mark}-{number}",
                    "passed": True,
                    "holds_on": on.isoformat(),
                    "until": (on + timedelta(days=730)).isoformat(),
                    "organiser": f"ORG{chance.randrange(pools):03}",
                }
                yield "POST", f"{API}/experts/{code}/trainings", json.dumps(course).encode()


async def _one(
    place: tuple[str, int],
    token: str,
    requests: Iterator[tuple[str, str, bytes]],
    until: float,
    times: list[float],
    wrong: dict[int, int],
) -> None:
    reader, writer = await asyncio.open_connection(*place)
    head = f"Host: {place[0]}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    for method, path, body in requests:
        began = time.perf_counter()
        if began > until:
            break
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        status = int(answer.split()[1])
        if status in (200, 201):
            times.append((time.perf_counter() - began) * 1000)
        else:
            wrong[status] = wrong.get(status, 0) + 1
    writer.close()


async def _client(
    url: str, token: str, plan: str, experts: int, seconds: float, connections: int
) -> dict[str, Any]:
    place = Running(url, token).place
    times: list[float] = []
    wrong: dict[int, int] = {}
    mark = time.time_ns() % 10**9
    for phase in (min(2.0, seconds / 4), seconds):  # the first is for warming up
        times.clear()
        wrong.clear()
        began = time.perf_counter()
        until = began + phase
        await asyncio.gather(
            *(
                _one(
                    place, token, _requests(plan, experts, mark + n + int(phase) * 1000), until, times, wrong
                )
                for n in range(connections)
            )
        )
    return {"times": times, "seconds": time.perf_counter() - began, "wrong": wrong}


def _ask(running: Running, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One request on a connection of its own."""
    from http.client import HTTPConnection

    connection = HTTPConnection(*running.place, timeout=120)
    headers = {"Authorization": f"Bearer {running.office}", "Content-Type": "application/json"}
    connection.request(method, API + path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def first_incumbent(running: Running, asked: dict[str, Any]) -> tuple[float, float, float]:
    """Seconds of a panel request until it is accepted, until its stream names a first panel, and until its end."""
    from http.client import HTTPConnection

    began = time.perf_counter()
    status, run = _ask(running, "POST", "/panels", asked)
    accepted = time.perf_counter() - began
    if status != 202:
        raise RuntimeError(f"{status}: {run}")
    connection = HTTPConnection(*running.place, timeout=300)
    headers = {"Authorization": f"Bearer {running.office}"}
    connection.request("GET", f"{API}/runs/{run['code']}/events", headers=headers)
    answer = connection.getresponse()
    first = 0.0
    while line := answer.readline():
        if line.startswith(b"event:"):
            kind = line.split(b":", 1)[1].strip()
            if kind == b"incumbent" and not first:
                first = time.perf_counter() - began
            if kind in (b"done", b"failed", b"cancelled"):
                if kind != b"done":
                    raise RuntimeError(f"the run {run['code']} ended: {answer.readline()!r}")
                break
    connection.close()
    return accepted, first, time.perf_counter() - began


def prepare(home: Path, experts: int) -> str:
    """The URL of the registry of so many experts, made if it is not there."""
    home.mkdir(parents=True, exist_ok=True)
    place = home / f"registry-{experts}.db"
    url = f"sqlite:///{place}"
    if not place.exists():
        for left in home.glob(f"{place.name}*"):
            left.unlink()
        make(url, experts=experts, entries=experts)
    return url


def region(home: Path, experts: int) -> str:
    """The URL of the made region with so many experts, generated and imported if it is not there."""
    from bench.measure import run

    place = home / f"region-{experts}.db"
    if not place.exists():
        files = home / f"region-{experts}"
        shutil.rmtree(files, ignore_errors=True)
        run("generate", str(experts), "1", str(files))
        run("load", str(files), str(place))
    return f"sqlite:///{place}"


def _meeting(database: str) -> tuple[str, str]:
    from sqlalchemy import select

    from expert_pool.registry import Agenda, Committee, Meeting
    from expert_pool.store import open_store

    with open_store(database) as store, store.reading() as session:
        found = session.execute(
            select(Committee.code, Meeting.code)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Meeting, Meeting.agenda_id == Agenda.id)
            .order_by(Meeting.code)
        ).first()
    assert found is not None
    return found[0], found[1]


def main(home: Path, experts: int, seconds: float, connections: int) -> None:
    """All figures of the service, with what the issue asks."""
    os.environ.setdefault("EXPERT_POOL_KEY", Key(bytes(range(32))).to_text())
    url = prepare(home, experts)
    print(f"\n## The service over {experts:,} experts on {url.partition(':')[0]}, one process")
    with serving(url, 0, home) as running:
        for plan in ("expert", "standing", "list", "search"):
            print(f"{plan}: {drive(running, plan, experts, seconds / 2, connections)}", flush=True)
        print(
            f"reads (expert, standing, list in turn), {connections} connections: "
            f"{drive(running, 'reads', experts, seconds, connections)}   must 300/s and p99 100 ms, stretch 800/s",
            flush=True,
        )
        print(
            f"writes with ledger, {connections} connections: "
            f"{drive(running, 'writes', experts, seconds, connections)}   must 100/s, stretch 300/s",
            flush=True,
        )
    print("\n## A panel from a pool of 10,000, and reads meanwhile")
    made = region(home, 10_000)
    committee, meeting = _meeting(made)
    asked = {"committee": committee, "meeting": meeting, "policy": POLICY}
    with serving(made, 1, home) as running:
        first_incumbent(running, asked)  # the worker warms up
        seen = [first_incumbent(running, {**asked, "seed": n}) for n in range(5)]
        print(f"enqueue ms: {_ms(seen, 0)}   must 50")
        print(f"request to first incumbent, s: {_s(seen, 1)}   must 3, stretch 1.5; to the end {_s(seen, 2)}")
        calm = drive(running, "agendas", experts, seconds / 2, 4)
        for n in range(100, 100 + int(seconds)):
            _ask(running, "POST", "/panels", {**asked, "seed": n})
        busy = drive(running, "agendas", experts, seconds / 2, 4)
        print(f"lists with 4 connections, calm: {calm}; while panels are solved: {busy}")
        print(f"p50 while solves run: {median(busy.times) / median(calm.times):.2f} times   must 2")


def _ms(seen: list[tuple[float, float, float]], at: int) -> str:
    return f"{median(one[at] for one in seen) * 1000:.0f} (most {max(one[at] for one in seen) * 1000:.0f})"


def _s(seen: list[tuple[float, float, float]], at: int) -> str:
    return f"{median(one[at] for one in seen):.2f} (most {max(one[at] for one in seen):.2f})"


if __name__ == "__main__":
    _url, _token, _plan, _experts, _seconds, _connections = sys.argv[1:]
    result = asyncio.run(_client(_url, _token, _plan, int(_experts), float(_seconds), int(_connections)))
    print(json.dumps(result))
