"""Manners of the page in a real browser: the keyboard alone, a slow line, a service that is gone and comes back, a file too large.
What is asked for once is asked for once, and what was typed or chosen stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from in_a_browser import Open, needs_chromium, posted
from signed_in_people import PASSWORD
from working_office import SMALL

from expert_pool.words import languages, say, term

pytestmark = needs_chromium

NEW = "/panels/new?meeting=M1&policy=cn-title-jilin-2013"
SET = NEW + "".join(f"&set.{name}={value}" for name, value in SMALL.items())
SETTLED = "#preview[aria-busy=false] #followed"
WHERE = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const name = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent ?? "";
  const inside = box.bottom > 0 && box.top < innerHeight && box.width > 0;
  return { name: name.trim(), tag: one.tagName, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 && inside };
}"""
"""What has the focus, and whether one can see that it has."""
WATCH = """() => {
  window.happened = new Set();
  const look = () => {
    if (document.querySelector("form button[aria-busy=true]")) window.happened.add("busy");
    if (document.querySelector("form progress")) window.happened.add("progress");
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
"""Notes what a form showed while it was at work, however short that was."""


def tab_to(page: Any, name: str, tag: str = "") -> None:
    """Press Tab until what has this name has the focus, which was always to be seen on the way."""
    for _ in range(150):
        page.keyboard.press("Tab")
        at = page.evaluate(WHERE)
        if at["tag"] == "BODY":
            continue  # from the end to the address bar
        assert at["seen"], at
        if at["name"].startswith(name) and tag in ("", at["tag"]):
            return
    raise AssertionError(name)


def has_focus(page: Any, name: str) -> None:
    """Wait until what has this name has the focus."""
    page.wait_for_function(f"name => ({WHERE})().name.startsWith(name)", arg=name)


def asked(page: Any, path: str) -> list[str]:
    """The requests that change something below a path, from now on."""
    found: list[str] = []
    page.on("request", lambda r: found.append(r.url) if r.method == "POST" and path in r.url else None)
    return found


@pytest.mark.parametrize("lang", languages())
def test_the_builder_is_walked_with_the_keyboard_alone(signed: Open, lang: str) -> None:
    def said(code: str) -> str:
        return say(f"page.{code}", lang)

    page = signed("office")
    page.goto(f"{SET}&lang={lang}")
    page.wait_for_selector(SETTLED)
    tab_to(page, said("skip"))
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")
    tab_to(page, term("parameter", "panel_low", lang), "INPUT")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.getElementById('p-panel_low').value === '4'")
    tab_to(page, term("parameter", "panel_high", lang), "INPUT")
    tab_to(page, term("parameter", "panel_high", lang), "INPUT")
    page.keyboard.type("5")
    tab_to(page, term("parameter", "reviewed_rank", lang), "SELECT")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("location.href.includes('set.reviewed_rank=4')")
    shown = page.locator("#p-reviewed_rank option:checked").inner_text()
    assert shown.lower() == term("rank", 4, lang).lower()
    page.wait_for_selector(SETTLED)
    tab_to(page, said("builder.persons"), "SUMMARY")
    page.keyboard.press("Enter")
    tab_to(page, said("builder.add"))
    page.keyboard.press("Space")
    has_focus(page, said("builder.expert"))
    page.keyboard.type("E02")
    tab_to(page, said("builder.remove"))
    page.keyboard.press("Enter")
    has_focus(page, said("builder.add"))
    page.wait_for_selector(SETTLED)
    tab_to(page, said("builder.list"))
    link = page.evaluate("document.activeElement.href")
    page.evaluate("document.querySelector('[data-all-own]').click()")
    page.wait_for_function(
        "link => document.activeElement.dataset.same === 'list' && document.activeElement.href !== link",
        arg=link,
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/barred?**")


def test_a_dialog_takes_the_focus_and_gives_it_back(signed: Open) -> None:
    page = signed("office")
    page.goto(SET)
    page.wait_for_selector(SETTLED)
    page.fill("#why", "小范围试点")
    page.context.clear_cookies()
    refused_once(page)
    page.wait_for_function("document.activeElement.type === 'password'")
    page.keyboard.press("Escape")
    page.wait_for_selector("#again:not([open])", state="attached")
    page.wait_for_function("document.activeElement.matches('#start button')")
    page.wait_for_selector("#start:not([data-sending])")
    assert page.input_value("#why") == "小范围试点"
    refused_once(page)
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")


def refused_once(page: Any) -> None:
    """Ask by the keyboard for what nobody is signed in for."""
    with page.expect_response("**/api/v1/panels") as answer:
        page.locator("#start button").press("Enter")
    assert answer.value.status == 401
    page.wait_for_selector("#again[open]")


def test_a_service_that_comes_back_takes_what_stayed_in_the_form(signed: Open) -> None:
    page = signed("office")
    page.goto(SET)
    page.wait_for_selector(SETTLED)
    page.fill("#why", "小范围试点")
    page.context.set_offline(True)
    page.click("#start button")
    page.wait_for_selector("#start .fault:not([hidden])")
    assert say("page.offline", "zh") in page.inner_text("#start")
    page.fill("#p-age_max", "60")
    page.wait_for_selector("#preview .notice.bad")
    page.context.set_offline(False)
    page.fill("#p-age_max", "61")
    page.wait_for_selector(SETTLED)
    assert page.input_value("#why") == "小范围试点"
    page.click("#start button")
    page.wait_for_url("**/runs/*")


def test_on_a_slow_line_a_form_shows_that_it_is_at_work_and_asks_once(signed: Open, tmp_path: Path) -> None:
    page = signed("office")
    page.goto(SET)
    page.wait_for_selector(SETTLED)
    slow(page)
    page.fill("#p-age_max", "64")
    page.fill("#p-age_max", "65")
    page.wait_for_selector(SETTLED)
    page.fill("#why", "小范围试点")
    sent = asked(page, "/api/v1/panels")
    page.evaluate(WATCH)
    page.locator("#start button").evaluate("button => { button.click(); button.click(); button.focus(); }")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    assert len(sent) == 1
    manager = signed("manager", "/tables")
    table = tmp_path / "employers.csv"
    rows = "".join(f"SLOW{n},yes,220000\n" for n in range(3000))
    table.write_text("code,legal_person,region\n" + rows, encoding="utf-8")
    manager.set_input_files("[name=file]", table)
    slow(manager)
    manager.evaluate(WATCH)
    sent = asked(manager, "/api/v1/tables/imports")
    manager.locator("button[value=true]").dblclick(no_wait_after=True)
    manager.wait_for_selector("#watched .notice.good")
    assert len(sent) == 1
    assert set(manager.evaluate("[...window.happened]")) == {"busy", "progress"}
    assert manager.locator("form progress").count() == 0


def test_a_form_sent_before_the_scripts_are_there_waits_for_them(signed: Open, tmp_path: Path) -> None:
    page = signed("manager")
    table = tmp_path / "employers.csv"
    table.write_text("code,legal_person,region\nEARLY,yes,220000\n", encoding="utf-8")
    held: list[Any] = []
    page.route("**/page.js*", lambda route: held.append(route))
    sent = asked(page, "/api/v1/tables/imports")
    with page.expect_request("**/page.js*"):
        page.goto("/tables", wait_until="commit")
    page.set_input_files("[name=file]", table)
    page.click("button[value=true]")
    assert sent == []
    held[0].continue_()
    page.wait_for_selector("#watched .notice.good")
    assert len(sent) == 1


def slow(page: Any) -> None:
    """A line of 50 kB a second, 400 ms away."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    speed = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    line.send("Network.emulateNetworkConditions", speed)


def test_a_file_too_large_is_told_before_it_is_sent_and_the_form_stays(signed: Open, tmp_path: Path) -> None:
    page = signed("manager", "/tables")
    large, right = tmp_path / "large.csv", tmp_path / "employers.csv"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    right.write_text("code,legal_person,region\nN1,yes,220000\n", encoding="utf-8")
    sent = asked(page, "/imports")
    page.check("[name=correct]")
    page.set_input_files("[name=file]", large)
    page.wait_for_selector(".fault:not([hidden])")
    told = page.inner_text(".fault:not([hidden])")
    assert all(word in told for word in ("large.csv", "50 MB", "csv", "zip", "expert-pool import"))
    page.click("button[value=true]")
    page.wait_for_function("document.activeElement.name === 'file'")
    assert page.evaluate("document.querySelector('[name=file]').files[0].name") == "large.csv"
    assert page.is_checked("[name=correct]")
    assert sent == []
    page.set_input_files("[name=file]", right)
    page.wait_for_selector(".fault", state="hidden")
    page.route("**/imports", lambda route: route.fulfill(status=413, body="too large"), times=1)
    page.click("button[value=true]")
    page.wait_for_selector(".fault:not([hidden])")
    assert say("page.tables.refused_large", "zh") in page.inner_text(".fault:not([hidden])")
    page.click("button[value=true]")
    page.wait_for_selector("#watched .notice.good")


def test_a_broken_line_is_told_and_a_watched_run_is_followed_again(signed: Open) -> None:
    page = signed("manager", "/experts")
    run = posted(page, "/tables/exports", {"purpose": "yearly check", "form": "csv"})["code"]
    page.route("**/live", lambda route: route.abort())
    page.evaluate(
        """path => {
          document.querySelector("main").insertAdjacentHTML("beforeend",
            `<p data-lost hidden>lost</p><div id="run" hx-sse:connect="${path}" hx-swap="innerHTML"></div>`);
          htmx.process(document.querySelector("main"));
        }""",
        f"/runs/{run}/live",
    )
    page.wait_for_selector("[data-lost]:not([hidden])")
    page.unroute("**/live")
    page.wait_for_selector("#run dl.facts")
    assert page.locator("[data-lost]").is_hidden()
    page.context.set_offline(True)
    page.fill("[name=q]", "E01")
    page.wait_for_selector("#told >> text=连不上服务")
    page.context.set_offline(False)
    page.fill("[name=q]", "E02")
    page.wait_for_selector("#told .broken-line", state="detached")
    page.wait_for_selector("#found >> text=E02")


def test_the_list_of_kinds_does_not_keep_its_filter_from_being_pressed(signed: Open) -> None:
    page = signed("manager", "/conflicts?about=experts&code=E01")
    page.click("details.dropdown summary")
    page.locator("details.dropdown input").first.check()
    page.click("form.filters button")
    page.wait_for_url("**kind=**")


def test_a_code_that_is_nobody_s_is_told_beside_the_form_that_asked(signed: Open) -> None:
    page = signed("manager", "/conflicts?about=experts&code=NOBODY")
    assert "NOBODY" in page.inner_text(".notice.bad")
    assert page.input_value("[name=code]") == "NOBODY"
