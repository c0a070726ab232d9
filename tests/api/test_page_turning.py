"""From one page to the next in a real browser: within one document where nothing would be lost by it, anew where something would."""

from __future__ import annotations

from typing import Any

from in_a_browser import Open, needs_chromium

pytestmark = needs_chromium

MARK = "window.mark = true"
SAME = "window.mark === true"
"""Whether the document is still the one that was marked."""


def follow(page: Any, path: str) -> None:
    """Click the place of the navigation with this address and wait until it is there."""
    page.click(f".places a[href='{path}']")
    page.wait_for_selector(f".places a[href='{path}'][aria-current]")
    page.wait_for_selector("html:not(.turning)")


def test_a_page_takes_the_place_of_another_with_its_title_and_styles_and_the_way_back(signed: Open) -> None:
    page = signed("manager", "/organisers")
    before = page.title(), page.inner_text("h1")
    page.evaluate(MARK)
    follow(page, "/reevaluation")
    assert page.url.endswith("/reevaluation")
    assert page.title().startswith(page.inner_text("h1"))
    assert page.inner_text("#where") == page.title()
    assert page.locator("head link[href*='whatif.css']").count() == 1
    page.go_back()
    page.wait_for_selector(".places a[href='/organisers'][aria-current]")
    assert (page.title(), page.inner_text("h1")) == before
    assert page.locator("head link[href*='whatif.css'][media='not all']").count() == 1
    page.click("header a[rel=alternate]")
    page.wait_for_selector("html[lang=en]")
    assert page.get_attribute("body", "data-language") == "en"
    assert page.inner_text("h1") != before[1]
    assert page.evaluate(SAME)


def test_the_way_back_from_an_expert_leads_to_the_whole_list_as_it_was_filtered(signed: Open) -> None:
    page = signed("manager", "/experts")
    page.locator("[name=q]").press_sequentially("E01")
    page.wait_for_url("**q=E01**")
    page.evaluate(MARK)
    page.click("#found tbody tr.link td:nth-child(3)")  # a row leads where its link does
    page.wait_for_url("**/experts/E01")
    assert page.locator("ol.line > li").count() > 0
    page.go_back()
    page.wait_for_url("**q=E01**")
    page.wait_for_selector("#found tbody tr")
    assert page.input_value("[name=q]") == "E01"
    assert page.locator("nav.places").count() == 1
    page.go_back()
    page.wait_for_selector("[name=q]:not([value]), [name=q][value='']")
    assert page.locator("#found tbody tr").count() > 1
    assert page.evaluate(SAME)


def test_a_page_with_scripts_of_its_own_starts_them_and_is_left_anew(signed: Open) -> None:
    page = signed("root", "/runs")
    page.evaluate(MARK)
    follow(page, "/administration")
    assert page.evaluate(SAME)
    assert page.locator("head script[src*='once.js']").count() == 1
    follow(page, "/runs")
    assert not page.evaluate(SAME)
    page.go_back()
    page.wait_for_selector(".places a[href='/administration'][aria-current]")


def test_a_session_that_ended_leads_to_the_sign_in_and_from_there_on(signed: Open) -> None:
    page = signed("manager", "/organisers")
    page.context.clear_cookies(name="__Host-ep_session")
    page.context.clear_cookies()
    page.click(".places a[href='/runs']")
    page.wait_for_url("**/sign-in?then=%2Fruns*")


def test_a_page_that_does_not_come_leaves_this_one_as_it_is(signed: Open) -> None:
    page = signed("manager", "/organisers")
    page.context.set_offline(True)
    page.click(".places a[href='/runs']")
    page.wait_for_selector("#told p")
    assert page.url.endswith("/organisers")
    assert page.locator(".places a[href='/organisers'][aria-current]").count() == 1
    page.context.set_offline(False)
    follow(page, "/runs")
    assert page.locator("#told p").count() == 0


def test_of_two_places_asked_for_the_last_is_shown(signed: Open) -> None:
    page = signed("manager", "/organisers")
    page.evaluate(MARK)
    held: list[Any] = []
    page.route("**/runs", lambda route: held.append(route))
    page.click(".places a[href='/runs']")
    page.wait_for_selector("html.turning")
    follow(page, "/reevaluation")
    for route in held:
        route.continue_()
    assert page.url.endswith("/reevaluation")
    assert page.evaluate(SAME)


def test_a_service_with_other_scripts_than_ours_is_loaded_anew(signed: Open) -> None:
    def newer(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(
            response=answer, body=answer.text().replace("/static/page.js?", "/static/page.js?newer&")
        )

    page = signed("manager", "/organisers")
    page.evaluate(MARK)
    page.route("**/runs", newer)
    follow(page, "/runs")
    assert not page.evaluate(SAME)
    assert page.locator("script[src*='page.js']").count() == 1


def test_what_was_typed_is_there_again_on_the_way_back(signed: Open) -> None:
    page = signed("e01", "/record")
    page.fill("form[data-api$=relations] [name=code]", "N1")
    page.click(".places a[href='/']")
    page.wait_for_selector(".places a[href='/'][aria-current]")
    page.go_back()
    page.wait_for_selector(".places a[href='/record'][aria-current]")
    assert page.input_value("form[data-api$=relations] [name=code]") == "N1"


def test_a_place_that_leads_elsewhere_is_asked_for_once(signed: Open) -> None:
    page = signed("manager", "/organisers")
    page.evaluate(MARK)
    page.evaluate("""() => {
      const link = Object.assign(document.createElement("a"), { href: "/elsewhere", textContent: "elsewhere", id: "elsewhere" });
      document.querySelector("main").prepend(link);
    }""")
    page.route("**/elsewhere", lambda route: route.fulfill(status=303, headers={"location": "/runs"}))
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.resource_type in ("fetch", "document") else None)
    page.click("#elsewhere")
    page.wait_for_selector(".places a[href='/runs'][aria-current]")
    assert page.url.endswith("/runs")
    assert [url.rpartition("/")[2] for url in asked] == ["elsewhere", "runs"]
    assert page.evaluate(SAME)
