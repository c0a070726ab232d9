"""The pictures of docs/page.md, taken in a real browser over the demo's region: `python -m bench.screenshots -o docs/pages`.

Every picture is of made people. Chromium must be installed (README)."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.quantised import quantised
from bench.service import serving

PASSWORD = "pictures of 4 made people"
PATIENCE = 120_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as somebody sees it: the file's name, the account, the address, what to wait for."""

    name: str
    account: str
    path: str
    awaits: str = "main"
    lang: str = "zh"
    dark: bool = False


PICTURES = (
    Picture(
        "builder", "office", "/panels/new?meeting=M001-2026&policy=cn-title-jilin-2013", "#preview table"
    ),
    Picture("panel", "office", "/panels/M001-2026-P1"),
    Picture("panel-en-dark", "office", "/panels/M001-2026-P1", lang="en", dark=True),
    Picture("story", "office", "/panels/M001-2026-P1/story"),
    Picture(
        "conflicts",
        "manager",
        "/conflicts?about=experts&code=E001114&hops=2&policy=cn-title-jilin-2013",
        "#graph[data-moves]",
    ),
    Picture("expert", "manager", "/experts/E001114"),
    Picture("whatif", "office", "{shares}", "figure.vega[data-drawn]"),
    Picture("robustness", "office", "{robustness}", "figure.vega[data-drawn]"),
    Picture("years", "office", "{years}", "figure.vega[data-drawn]", lang="en"),
    Picture("reevaluation", "manager", "{cycle}", ".bars"),
    Picture("health", "manager", "{health}", "table.map"),
)
BASE = """format: scenario/1
base: {committee: C001, meeting: M001-2026, policy: cn-title-jilin-2013}
seconds: 20
"""
QUESTIONS = {
    "shares": """title: {zh: 小同行人数与出席比例, en: Close peers and quorum}
sweep:
  axes:
    - {parameter: rules.case_peers.least, values: [2, 3, 4, 5]}
    - {parameter: rules.quorum.least, values: [1/2, 2/3, 4/5, 9/10, 19/20]}
""",
    "robustness": """title: {zh: 有人缺席时会还开得成吗, en: Whether the meeting stands when people stay away}
robustness: {}
""",
    "years": """title: {zh: 无人入库的六年, en: Six years without recruits}
years: {seasons: 6, replications: 3, retire: {age: 60, leave: 10%}, terms: {years: 3, renewed: 1/2}}
""",
}
"""What is asked before the pictures of the what-if are taken."""
MOST_HIGH = 1500
"""Pixels of a page that are shown, where it is longer."""


def take(out: Path, only: list[str]) -> None:
    """Write every picture (or those named) below `out`, 1280 pixels wide."""
    from playwright.sync_api import sync_playwright

    out.mkdir(parents=True, exist_ok=True)
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as place, _office(Path(place)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            if only and picture.name not in only:
                continue
            page = _signed_in(browser, url, picture)
            page.goto(_address(page, picture.path))
            page.wait_for_selector(picture.awaits)
            _shot(page, out / f"{picture.name}.png", tall="{" in picture.path)
            page.context.close()
            print(out / f"{picture.name}.png", flush=True)
        browser.close()


def _address(page: Any, path: str) -> str:
    """The address of a picture; `{name}` stands for something that is made first."""
    if not path.startswith("{"):
        return path
    name = path.strip("{}")
    if name in QUESTIONS:
        code = _asked(page, "/scenarios", {"text": BASE + QUESTIONS[name]})["code"]
        simulation = _asked(page, "/simulations", {"scenario": code, "accept_cost": True})["code"]
        return _ended(page, simulation, f"/what-if/simulations/{simulation}")
    if name == "health":
        run = _asked(page, "/pools/P001/health", {})["code"]
        return _ended(page, run, f"/pool-health/runs/{run}")
    cycle = _asked(page, "/cycles", {"pool": "P001", "scheme": "own-default"})["code"]
    return _ended(page, _asked(page, f"/cycles/{cycle}/computation", {})["code"], f"/reevaluation/{cycle}")


def _asked(page: Any, path: str, sent: dict[str, Any]) -> Any:
    csrf = page.evaluate("document.body.dataset.csrf")
    answer = page.request.post(f"/api/v1{path}", data=sent, headers={"X-CSRF-Token": csrf})
    if not answer.ok:
        raise RuntimeError(f"{path}: {answer.text()}")
    return answer.json()


def _ended(page: Any, run: str, there: str) -> str:
    """`there`, once a run has ended."""
    while page.request.get(f"/api/v1/runs/{run}").json()["state"] in ("queued", "running"):
        page.wait_for_timeout(500)
    return there


def _shot(page: Any, path: Path, *, tall: bool) -> None:
    """The page as it is seen, or from top to bottom (at most MOST_HIGH), with few colours: a small file."""
    high = min(MOST_HIGH, page.evaluate("document.documentElement.scrollHeight")) if tall else 900
    page.screenshot(path=path, full_page=tall, clip={"x": 0, "y": 0, "width": 1280, "height": max(900, high)})
    quantised(page.context.browser, path)


@contextmanager
def _office(place: Path) -> Iterator[str]:
    """A service over the demo's registry, with accounts of an office and of a pool manager."""
    subprocess.run(
        [sys.executable, "-m", "api.cli.main", "demo", "--out", str(place / "out")],
        check=True,
        stdout=sys.stderr,
    )
    database = f"sqlite:///{place / 'out' / 'registry.db'}"
    _accounts(database)
    os.environ.pop("EXPERT_POOL_DATABASE", None)
    with serving(database, 1, place) as running:
        yield running.url


def _accounts(database: str) -> None:
    from expert_pool.accounts import Role, granting, managing, passwords
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    viewer = Viewer.system("screenshots")
    with open_store(database) as store, store.session() as session:
        for name, role in {
            "office": Role.COMMITTEE_OFFICE,
            "manager": Role.POOL_MANAGER,
        }.items():
            account = managing.create(session, viewer, name).account
            account.password, account.password_until = passwords.hash_of(PASSWORD), None
            granting.grant(session, viewer, account, role)


def _signed_in(browser: Any, url: str, picture: Picture) -> Any:
    context = browser.new_context(
        base_url=url,
        viewport={"width": 1280, "height": 900},
        locale="zh-CN" if picture.lang == "zh" else "en-GB",
        color_scheme="dark" if picture.dark else "light",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"/sign-in?lang={picture.lang}")
    page.fill("main [name=name]", picture.account)
    page.fill("main [name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{url}/")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/pages"))
    parser.add_argument("only", nargs="*", help="names of pictures")
    asked = parser.parse_args()
    take(asked.out, asked.only)


if __name__ == "__main__":
    main()
