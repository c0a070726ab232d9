"""The page's figures in real Chromium: first views, interactions, the builder's preview, a large graph, weights.

`python -m bench page` uses the databases of `service` (made once under --home): a registry of 100,000 experts and the made
region with 10,000. Every first view begins with an empty cache, signed in. Beside the clock stands what the server computed
(CPU of its process), which tells more on a machine that is busy.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.service import POLICY, Running, prepare, region, serving
from expert_pool.keys import Key

PASSWORD = "figures of the page, made"
PATIENCE = 120_000
NODES, EDGES = 500, 3_000
FIRST, PLAIN, PREVIEW, GRAPH = (1_000, 400), (100, 50), (300, 150), (1_000, 400)
"""What must be reached, and what we stretch for, in ms."""
CHARTS = ("vendor/vega.min.js", "vendor/vega-interpreter.js", "charts.js", "scenario.js", "whatif.css")
PAINTED = """() => new Promise((done) => {
  const found = performance.getEntriesByName("first-contentful-paint")[0];
  if (found) done(found.startTime);
  else new PerformanceObserver((list, watch) => {
    const one = list.getEntriesByName("first-contentful-paint")[0];
    if (one) { watch.disconnect(); done(one.startTime); }
  }).observe({ type: "paint", buffered: true });
})"""
TURNS = """() => { window.turned = new Promise((done) => {
  let began;
  document.addEventListener("click", (event) => { began = event.timeStamp; }, { capture: true, once: true });
  document.addEventListener("turned", () => requestAnimationFrame(() => {
    const line = new MessageChannel();
    line.port1.onmessage = () => done(performance.now() - began);
    line.port2.postMessage(null);
  }), { once: true });
}); }"""
"""From a click on a link until the frame with the page it leads to is made, where a page follows within the document."""
FOLLOWED = (
    *(f".places a[href='{path}']" for path in ("/what-if", "/experts")),
    "#found tr.link a",
    *(f".places a[href='{path}']" for path in ("/reevaluation", "/runs", "/organisers", "/")),
)
REPLACED = """([place, act]) => new Promise((done) => {
  const began = performance.now();
  let sent = 0;
  const plain = window.fetch;
  window.fetch = (...given) => { sent ||= performance.now(); return plain(...given); };
  new MutationObserver((_, watch) => { if (!sent) return; watch.disconnect(); window.fetch = plain; requestAnimationFrame(() => done([performance.now() - began, performance.now() - sent])); })
    .observe(document.querySelector(place), { childList: true, subtree: true });
  const field = document.querySelector(act.field);
  field.focus();
  field.value = act.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


@dataclass(frozen=True, slots=True)
class View:
    """A page: who opens it, its address, what must be there for it to be of use."""

    account: str
    path: str
    awaits: str = "main h1"


VIEWS = (
    View("manager", "/"),
    View("office", "/panels"),
    View("manager", "/experts", "#found table"),
    View("manager", "/experts?sort=name&region=220100", "#found"),
    View("manager", "/experts/X0000001"),
    View("manager", "/tables"),
    View("manager", "/reevaluation"),
    View("manager", "/schemes"),
    View("manager", "/pool-health"),
    View("office", "/what-if"),
    View("office", "/what-if/new"),
    View("manager", "/runs"),
    View("manager", "/conflicts"),
    View("manager", "/conflicts?about=experts&code=X0000001", "main"),
    View("office", "/audits"),
    View("office", "/policies"),
    View("office", f"/policies/{POLICY}"),
    View("manager", "/organisers"),
    View("root", "/administration"),
    View("root", "/schedules"),
    View("auditor", "/ledger", "main table"),
    View("auditor", "/looks"),
    View("manager", "/own"),
)
ROLES = {
    "manager": "POOL_MANAGER",
    "office": "COMMITTEE_OFFICE",
    "auditor": "AUDITOR",
    "root": "ADMINISTRATOR",
}


class Looker:
    """Chromium before a running service, with everybody signed in once."""

    def __init__(self, browser: Any, running: Running, names: dict[str, str]) -> None:
        self.browser, self.running = browser, running
        self.states = {role: self._signed_in(name) for role, name in names.items()}

    def _signed_in(self, name: str) -> Any:
        context = self.browser.new_context(base_url=self.running.url)
        answer = context.request.post("/api/v1/sessions", data={"name": name, "password": PASSWORD})
        assert answer.ok, answer.text()
        state = context.storage_state()
        context.close()
        return state

    @contextmanager
    def page(self, account: str) -> Iterator[Any]:
        """A page with an empty cache, nothing opened yet."""
        context = self.browser.new_context(
            base_url=self.running.url,
            viewport={"width": 1280, "height": 900},
            locale="zh-CN",
            storage_state=self.states[account],
        )
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        context.close()


@contextmanager
def _looking(database: str, home: Path) -> Iterator[Looker]:
    from playwright.sync_api import sync_playwright

    names = _accounts(database)
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with serving(database, 0, home) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        yield Looker(browser, running, names)
        browser.close()


def _accounts(database: str) -> dict[str, str]:
    """Fresh accounts with a password, by role."""
    from expert_pool.accounts import Role, granting, managing, passwords
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    viewer, mark = Viewer.system("bench"), time.time_ns()
    with open_store(database) as store, store.session() as session:
        for name, role in ROLES.items():
            account = managing.create(session, viewer, f"page-{name}-{mark}").account
            account.password, account.password_until = passwords.hash_of(PASSWORD), None
            granting.grant(session, viewer, account, Role[role])
    return {name: f"page-{name}-{mark}" for name in ROLES}


def _cpu(pid: int) -> float:
    """Milliseconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _first(looker: Looker, view: View) -> tuple[float, float, float]:
    """First paint and use in ms, ms of CPU of the server, kB gzipped of all that came."""
    with looker.page(view.account) as page:
        bodies: list[Any] = []
        page.on("response", lambda one: bodies.append(one))
        before = _cpu(looker.running.pid)
        answer = page.goto(view.path)
        if answer is None or not answer.ok:
            raise RuntimeError(f"not shown: {answer and answer.status}")
        page.wait_for_selector(view.awaits)
        painted = page.evaluate(PAINTED)
        spent = _cpu(looker.running.pid) - before
        weight = sum(len(gzip.compress(one.body())) for one in bodies if one.ok) / 1000
    return painted, spent, weight


def first_views(looker: Looker, rounds: int) -> None:
    """Every page with an empty cache."""
    print("| page | first view ms | CPU of the server ms | gzipped kB |")
    print("|---|---|---|---|", flush=True)
    worst, wait = "", 0.0
    for view in VIEWS:
        try:
            _first(looker, view)  # the server has made its templates and plans
        except RuntimeError as refused:
            print(f"| {view.path} | {refused} | | |", flush=True)
            continue
        seen = [_first(looker, view) for _ in range(rounds)]
        shown = median(one[0] for one in seen)
        if shown > wait:
            worst, wait = view.path, shown
        print(
            f"| {view.path} | {_spread([one[0] for one in seen])} | {_spread([one[1] for one in seen])} | "
            f"{seen[0][2]:.0f} |",
            flush=True,
        )
    print(f"slowest first view: {wait:.0f} ms ({worst})   must {FIRST[0]}, stretch {FIRST[1]}")


def interactions(looker: Looker, experts: int, times: int) -> None:
    """Typing in the search, and following links between pages once their parts are cached."""
    chance = random.Random(7)
    searched, whole, spent = [], [], []
    with looker.page("manager") as page:
        page.goto("/experts")
        page.wait_for_selector("#found table")
        for turn in range(times):
            value = (f"X{chance.randrange(experts):07}", "wang", "张", f"X{chance.randrange(100):04}")[
                turn % 4
            ]
            before = _cpu(looker.running.pid)
            taken = page.evaluate(REPLACED, ["#found", {"field": "[name=q]", "value": value[: 1 + turn % 8]}])
            spent.append(_cpu(looker.running.pid) - before)
            whole.append(taken[0])
            searched.append(taken[1])
        moved, computed = [], []
        for turn in range(times):
            before = _cpu(looker.running.pid)
            page.evaluate(TURNS)
            page.click(FOLLOWED[turn % len(FOLLOWED)])
            moved.append(page.evaluate("window.turned"))
            computed.append(_cpu(looker.running.pid) - before)
    asked = f"must {PLAIN[0]}, stretch {PLAIN[1]}"
    print(
        f"search as one types, {experts:,} experts, asked to shown: p50 {median(searched):.0f} ms, p95 {_p95(searched):.0f} ms, "
        f"server CPU {median(spent):.0f} ms (with the pause of 200 ms: p95 {_p95(whole):.0f} ms)   {asked}"
    )
    print(
        f"a link to another page: p50 {median(moved):.0f} ms, p95 {_p95(moved):.0f} ms, "
        f"server CPU {median(computed):.0f} ms   {asked}",
        flush=True,
    )


def previews(looker: Looker, meeting: str, times: int) -> None:
    """A slider of the builder turned, until the preview says what follows; the pause before asking is ours."""
    taken, spent = [], []
    with looker.page("office") as page:
        page.goto(f"/panels/new?meeting={meeting}&policy={POLICY}")
        page.wait_for_selector("#preview table")
        field = "#settings [data-control] input[type=number]"
        page.wait_for_selector(field)
        own = int(float(page.locator(field).first.input_value() or "1"))
        for turn in range(times + 1):
            before = _cpu(looker.running.pid)
            value = str(own + 1 + turn % 2)
            one = page.evaluate(REPLACED, ["#preview", {"field": field, "value": value}])
            page.wait_for_selector("#preview[aria-busy=false]")
            if turn:  # the first takes the meeting
                taken.append(one[1])
                spent.append(_cpu(looker.running.pid) - before)
    print(
        f"preview of the builder, asked to shown: p50 {median(taken):.0f} ms, p95 {_p95(taken):.0f} ms, "
        f"server CPU {median(spent):.0f} ms   must {PREVIEW[0]}, stretch {PREVIEW[1]}",
        flush=True,
    )


def graph(looker: Looker, rounds: int) -> None:
    """A conflict graph whose positions are known: the page with its drawing put in place of another's. First the still
    picture, then the library that lets it be moved."""
    drawn = json.dumps(made_graph())
    shown, moves, painted = [], [], []
    for _ in range(rounds):
        with looker.page("manager") as page:
            code = _connected(page)
            page.route("**/conflicts?**", lambda route: _with(route, drawn))
            page.goto(f"/conflicts?about=experts&code={code}")
            for sign, seen in (("shown", shown), ("moves", moves)):
                page.wait_for_selector(f"#graph[data-{sign}]")
                began = page.evaluate("document.getElementById('graph').dataset.began")
                seen.append(float(began) + float(page.get_attribute("#graph", f"data-{sign}") or 0))
            painted.append(page.evaluate(PAINTED))
    print(
        f"a conflict graph of {NODES} nodes and {EDGES:,} edges, opened to drawn: {_spread(shown)} ms, to movable "
        f"{_spread(moves)} (first paint {_spread(painted)})   must {GRAPH[0]}, stretch {GRAPH[1]}",
        flush=True,
    )


def made_graph() -> dict[str, list[list[Any]]]:
    """Nodes in ten communities on circles of their own, edges mostly within; as `static/graph.js` reads them."""
    chance = random.Random(1)
    nodes: list[list[Any]] = []
    for n in range(NODES):
        community, turn = n % 10, 2 * math.pi * (n // 10) / (NODES / 10)
        x, y = 900 * math.cos(community * math.pi / 5), 900 * math.sin(community * math.pi / 5)
        nodes.append(
            [
                f"expert:{n}",
                "expert",
                f"E{n:06}",
                community,
                x + 220 * math.cos(turn),
                y + 220 * math.sin(turn),
                min(n, 2),
                None,
            ]
        )
    edges = []
    for n in range(EDGES):
        one = chance.randrange(NODES)
        other = (one + 10 * (1 + chance.randrange(20))) % NODES if n % 5 else (one + 1) % NODES
        edges.append([one, other, n % 3 - 1, "coauthor", "2024-01-01", f"R{n}"])
    return {"nodes": nodes, "edges": edges}


def _connected(page: Any) -> str:
    """The code of an expert who has a graph at all."""
    answer = page.context.request.get("/api/v1/experts?limit=50")
    for one in answer.json()["items"]:
        found = page.context.request.get(f"/conflicts?about=experts&code={one['code']}")
        if found.ok and 'id="graph"' in found.text():
            return str(one["code"])
    raise RuntimeError("nobody here has a relation")


def _with(route: Any, drawn: str) -> None:
    """The page as the service made it, with another graph in it."""
    import html
    import re

    answer = route.fetch()
    given = html.escape(drawn, quote=True)
    body = re.sub(
        r"data-graph=(\"[^\"]*\"|'[^']*')", lambda _: f'data-graph="{given}"', answer.text(), count=1
    )
    route.fulfill(response=answer, body=body)


def weights(looker: Looker) -> None:
    """The desk, a page of charts with all its parts, a page of a graph; gzipped, cache empty."""
    from api.page.rendering import STATIC

    desk = _first(looker, View("manager", "/"))[2]
    plain = _first(looker, View("office", "/audits"))[2]
    parts = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in CHARTS) / 1000
    graphs = _first(looker, View("manager", "/conflicts"))[2]
    library = sum(
        len(gzip.compress((STATIC / name).read_bytes()))
        for name in ("vendor/cytoscape.esm.min.mjs", "graph.js")
    )
    print(f"the desk: {desk:.0f} kB gzipped   must 150")
    print(
        f"a page of charts: {plain + parts:.0f} kB, of a graph: {graphs + library / 1000:.0f} kB   must 600"
    )


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.0f} [{min(values):.0f} .. {max(values):.0f}]"


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def main(home: Path, experts: int, rounds: int) -> None:
    """All figures of the page, with what the issue asks."""
    os.environ.setdefault("EXPERT_POOL_KEY", Key(bytes(range(32))).to_text())
    steps: list[Callable[[Looker], None]] = [
        lambda looker: first_views(looker, rounds),
        lambda looker: interactions(looker, experts, 12 * rounds),
        weights,
    ]
    with _looking(prepare(home, experts), home) as looker:
        print(f"\n## The page over {experts:,} experts, Chromium, cache empty, medians of {rounds}")
        for step in steps:
            step(looker)
    made = region(home, 10_000)
    with _looking(made, home) as looker:
        print("\n## The page over the made region, 10,000 experts")
        previews(looker, _meeting(made), 6 * rounds)
        graph(looker, rounds)


def _meeting(database: str) -> str:
    from sqlalchemy import select

    from expert_pool.registry import Meeting
    from expert_pool.store import open_store

    with open_store(database) as store, store.reading() as session:
        found = session.scalar(select(Meeting.code).order_by(Meeting.code))
    assert found is not None
    return found
