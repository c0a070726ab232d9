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
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from signed_in_people import PASSWORD, account

from expert_pool.accounts import Role
from expert_pool.keys import Key
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))
PATIENCE = 90_000
"""Milliseconds, for a machine that is busy with something else."""
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
        until = time.monotonic() + PATIENCE / 1000
        while httpx.get(f"{url}/readyz", timeout=PATIENCE).json().get("workers") != 1:
            assert time.monotonic() < until
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE / 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One a file: as long as it is there, its event loop runs in this thread, and nobody else's could."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


Open = Callable[..., Any]


@pytest.fixture
def signed(served: str, chromium: Any) -> Iterator[Open]:
    """Opens a page signed in as somebody. At the end: no script failed, nothing was asked of another host."""
    contexts, wrong = [], []

    def opened(name: str, path: str = "/", **more: Any) -> Any:
        context = chromium.new_context(
            base_url=served, viewport={"width": 1280, "height": 900}, locale="zh-CN", **more
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if "Content Security" in m.text else None)
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith(served) else None)
        page.goto(path)
        page.fill("main [name=name]", name)
        page.fill("main [name=password]", PASSWORD)
        page.click("main form button")
        page.wait_for_url(f"**{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def found_by_axe(page: Any) -> list[Any]:
    """What axe finds serious or critical on a page as it is now (WCAG 2.2 AA), with the elements."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
