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
        "main canvas",
    ),
    Picture("expert", "manager", "/experts/E001114"),
)


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
            page.goto(picture.path)
            page.wait_for_selector(picture.awaits)
            page.screenshot(path=out / f"{picture.name}.png")
            page.context.close()
            print(out / f"{picture.name}.png", flush=True)
        browser.close()


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
