"""A service that really runs over the small registry, and headless Chromium looking at it: what every story in a browser
shares. One service serves all files of a test process, so a story makes what it changes. Skipped, and said so, where there is no
Chromium (README: how to get it)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import patience
import pytest
from patience import until
from signed_in_people import PASSWORD, account

from expert_pool.accounts import Role
from expert_pool.keys import Key
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))
PATIENCE = 1000 * patience.PATIENCE
"""Milliseconds."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-quic"]

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium (README)"
)
"""`pytestmark` of a file with stories in a browser."""


@pytest.fixture(scope="session")
def served(tiny_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service over the small registry, with a worker; accounts `office` and `manager`."""
    folder = tmp_path_factory.mktemp("page")
    database = f"sqlite:///{folder / 'registry.db'}"
    shutil.copy(tiny_template[0], folder / "registry.db")
    with open_store(database, key=KEY) as store:
        account(store, "office", (Role.COMMITTEE_OFFICE, "HR"))
        account(store, "second", (Role.COMMITTEE_OFFICE, "HR"))
        account(store, "manager", (Role.POOL_MANAGER, "HR"))
        account(store, "auditor", (Role.AUDITOR, "HR"))
        account(store, "root", Role.ADMINISTRATOR)
        account(store, "editor", (Role.POLICY_EDITOR, "HR"))
        account(store, "e01", Role.EXPERT, expert="E01")
    ours = {k: v for k, v in os.environ.items() if not k.startswith("EXPERT_POOL_")}
    ours |= {"EXPERT_POOL_KEY": KEY.to_text(), "EXPERT_POOL_DATABASE": database}
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", "0", "--json"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=ours, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        text = ""
        while not text.endswith("}\n"):
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "log").read_text()
            text += line
        url = str(json.loads(text)["url"])

        def staffed() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            return bool(httpx.get(f"{url}/readyz", timeout=patience.PATIENCE).json().get("workers") == 1)

        until(staffed)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=patience.PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One a file: as long as it is there, its event loop runs in this thread, and nobody else's could."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


Open = Callable[..., Any]
_POST = """async ([path, sent]) => {
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf};
  const answer = await fetch("/api/v1" + path, {method: "POST", headers, body: JSON.stringify(sent)});
  return await answer.json();
}"""
_RESULT = "place => fetch(place).then(answer => answer.json()).then(said => said.result)"


def posted(page: Any, path: str, sent: Any) -> Any:
    """The answer to something asked of the API from a page, as its scripts ask."""
    return page.evaluate(_POST, [path, sent])


def made_by_script(page: Any, asked: Any) -> str:
    """The code of a panel that was asked for with this document."""
    run = posted(page, "/panels", asked)["code"]
    done = until(lambda: page.evaluate(_RESULT, f"/api/v1/runs/{run}/result"))
    return str(done["panel"])


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """The cookies of everybody who signed in, by name: typing a name and a password takes longer than most pages."""
    return {}


@pytest.fixture
def signed(served: str, chromium: Any, sessions: dict[str, Any]) -> Iterator[Open]:
    """Opens a page signed in as somebody, through the form where their session of before has ended. At the end: no script
    failed, nothing was asked of another host."""
    contexts, wrong = [], []

    def opened(name: str, path: str = "/", **more: Any) -> Any:
        context = chromium.new_context(
            base_url=served,
            viewport={"width": 1280, "height": 900},
            locale="zh-CN",
            reduced_motion="reduce",  # what fades is drawn again and again
            storage_state=sessions.get(name),
            **more,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if "Content Security" in m.text else None)
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith(served) else None)
        page.goto(path)
        if urlsplit(page.url).path == "/sign-in":
            page.fill("main [name=name]", name)
            page.fill("main [name=password]", PASSWORD)
            page.click("main form button")
            page.wait_for_url(f"**{path}")
            sessions[name] = context.storage_state()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


_AT_REST = """() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  .then(() => Promise.allSettled(document.getAnimations().map(one => one.finished)))
  .then(() => null)"""
"""Until then fields and links of a page that was told of another colour scheme still fade from one into the other."""
_SERIOUS = """asked => axe.run({resultTypes: ["violations"], ...asked}).then(said => said.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))]))"""


def found_by_axe(page: Any) -> list[Any]:
    """What axe finds serious or critical on a page as it is now (WCAG 2.2 AA), with the elements: everything in the
    light, and in the dark, where nothing but colours is another, the contrasts."""
    from axe_playwright_python.base import AXE_SCRIPT

    found = []
    page.evaluate(AXE_SCRIPT)
    for scheme, asked in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(_AT_REST)
        found += [(scheme, *one) for one in page.evaluate(_SERIOUS, asked)]
    page.emulate_media(color_scheme="light")
    return found


def kept_out(page: Any, paths: Iterable[str]) -> list[Any]:
    """Of some pages, what axe finds, and which are wider than a tablet."""
    wrong: list[Any] = []
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        wrong += [(path, *one) for one in found_by_axe(page)]
        page.set_viewport_size({"width": 768, "height": 1024})
        if page.evaluate("document.documentElement.scrollWidth") > 768:
            wrong.append((path, "wider than a tablet"))
    return wrong
