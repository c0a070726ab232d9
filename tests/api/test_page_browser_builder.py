"""The builder's stories in a real browser: rules turned with the keyboard, what follows at once, an exact cost that streams, a
panel begun, changed by hand, compared, replaced; both languages, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from in_a_browser import Open, found_by_axe, made_by_script, needs_chromium
from signed_in_people import PASSWORD
from working_office import ASKED, SMALL

pytestmark = needs_chromium

NEW = "/panels/new?meeting=M1&policy=cn-title-jilin-2013"
SET = NEW + "".join(f"&set.{name}={value}" for name, value in SMALL.items())
QUIET = "#preview[aria-busy=false] #followed"


def made(page: Any, **more: Any) -> str:
    """The code of a panel of the small registry's meeting, asked for by script."""
    return made_by_script(page, {**ASKED, **more})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rules_are_turned_with_the_keyboard_and_what_follows_moves_with_them(signed: Open, lang: str) -> None:
    page = signed("office")
    page.goto(f"{SET}&lang={lang}")
    page.wait_for_selector(QUIET)
    eligible = "[data-figure=eligible]"
    before = int(page.get_attribute(eligible, "data-value"))
    page.focus("#p-age_max")
    page.keyboard.type("52")
    page.wait_for_selector(f"{eligible}:not([data-value='{before}'])")
    assert int(page.get_attribute(eligible, "data-value")) < before
    assert page.locator(f"{eligible} .by").inner_text().strip().startswith("−")
    page.wait_for_url("**set.age_max=52**")
    page.focus("[data-slides=p-age_max]")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#p-age_max") == "53"
    page.wait_for_selector(QUIET)
    page.focus("[data-undo]")
    while page.locator("[data-undo]").is_enabled():
        page.keyboard.press("Enter")
    page.wait_for_selector(f"{eligible}[data-value='{before}']")
    page.wait_for_function("!location.href.includes('age_max')")
    page.reload()
    page.wait_for_selector(QUIET)
    assert page.input_value("#p-panel_low") == "3"


def test_an_exact_cost_streams_in_and_a_panel_is_begun_with_its_reason(signed: Open) -> None:
    page = signed("office")
    page.goto(SET)
    page.wait_for_selector(QUIET)
    page.click("#cost button")
    page.wait_for_selector("#costs .badge.good:has-text('最优')")
    floor = int(page.get_attribute("[data-figure=floor-3]", "data-value"))
    cell = page.locator("#costs tr", has_text="同行匹配").locator("td.number").first
    assert int(cell.inner_text().replace(",", "")) >= floor
    page.click("#start button")
    assert page.evaluate("document.getElementById('why').validity.valueMissing")
    page.fill("#why", "小范围试点")
    page.context.clear_cookies()
    page.click("#start button")
    page.wait_for_selector("#again[open]")
    page.fill("#again [name=password]", PASSWORD)
    page.click("#again button")
    page.wait_for_url("**/runs/*")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    assert "小范围试点" in page.inner_text("main")
    assert page.locator(".heat tbody tr").count() == 4


def test_a_person_is_excluded_with_a_reason_and_the_way_back_keeps_what_was_set(signed: Open) -> None:
    page = signed("office")
    page.goto(SET)
    page.wait_for_selector(QUIET)
    page.click("summary:has-text('对个人的决定')")
    page.click("[data-add]")
    page.select_option("#decisions [data-kind]", "exclude")
    page.fill("#decisions [data-code]", "E01")
    page.wait_for_selector(QUIET)
    page.wait_for_url("**exclude=E01**")
    page.wait_for_selector("[data-figure=group-010][data-value='10']")
    page.fill("#why", "试点")
    page.click("#start button")
    assert page.evaluate("document.activeElement.matches('[data-reason]')")
    page.click("#preview a[href*='gate=in_pool']")
    page.wait_for_selector("h1:has-text('在库')")
    page.go_back()
    page.wait_for_selector(QUIET)
    assert page.input_value("#decisions [data-code]") == "E01"
    assert page.input_value("#p-quorum") == "33.33"


def test_a_seat_is_changed_by_hand_with_the_keyboard_judged_at_once_and_undone(signed: Open) -> None:
    page = signed("office")
    code = made(page)
    page.goto(f"/panels/{code}")
    page.locator(".seat .acts a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".choices")
    page.locator(".choices tbody tr:not(:has(.badge)) a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status].notice")
    assert page.locator(".seat.changed").count() == 1
    page.locator("text=撤销一步").press("Enter")
    page.wait_for_url(f"**/panels/{code}/by-hand")
    page.go_back()
    page.wait_for_selector("[role=status].notice.good")
    page.on("dialog", lambda dialog: dialog.accept())
    page.fill("#why", "行业代表性")
    page.press("#why", "Enter")
    page.wait_for_url("**/runs/*")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    after = page.url.rsplit("/", 1)[1]
    assert after != code
    page.select_option("[name=compare]", code)
    page.click("form:has([name=compare]) button")
    page.wait_for_url(f"**/panels/{code}/differences/{after}")
    assert page.locator("text=新入").count() >= 1


def test_two_clerks_on_one_panel_and_the_way_back_after_an_approval(signed: Open) -> None:
    first, second = signed("office"), signed("second")
    code = made(first)
    for page in (first, second):
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"/panels/{code}")
    second.click("form[data-api$=approval] button")
    second.wait_for_selector("h1 .badge.good")
    first.click("summary:has-text('不能到会')")
    first.select_option("[name='absent.0.expert']", index=1)
    first.fill("[name='absent.0.why']", "因病请假")
    first.click("form[data-api$=replacements] button")
    first.wait_for_selector("form[data-api$=replacements] .fault:not([hidden])")
    assert first.input_value("[name='absent.0.why']") == "因病请假"
    second.goto("/panels")
    second.go_back()
    second.wait_for_selector("h1 .badge.good")
    assert second.locator("form[data-api$=approval]").count() == 0
    first.reload()
    first.click("summary:has-text('不能到会')")
    first.select_option("[name='absent.0.expert']", index=1)
    first.fill("[name='absent.0.why']", "因病请假")
    first.click("form[data-api$=replacements] button")
    first.wait_for_url("**/runs/*")
    first.click("text=查看结果")
    first.wait_for_url("**/panels/M1-P*")
    assert not first.url.endswith(code)


def test_rules_that_clash_are_told_with_ways_out_and_one_of_them_is_taken(signed: Open) -> None:
    page = signed("office")
    narrow = {"parameter": "employer_cap", "value": 1, "why": "每单位一人"}
    code = made(page, overrides=[*ASKED["overrides"], narrow])
    page.goto(f"/panels/{code}")
    page.click("form[data-api$=diagnoses] button")
    page.wait_for_selector("#diagnosed article form")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#diagnosed article input[id]").first.fill("会商同意")
    page.locator("#diagnosed article form button").first.click()
    page.wait_for_url("**/runs/*")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    assert page.locator(".seat").count() > 0
    assert "会商同意" in page.inner_text("main")


def test_no_page_of_the_builder_keeps_anybody_out(signed: Open) -> None:
    page = signed("office")
    code = made(page)
    page.goto(f"/panels/{code}")
    seat = page.locator(".seat .acts a").first.get_attribute("href")
    for path in (SET, f"/panels/{code}", f"/panels/{code}/story", seat, "/panels/new"):
        page.goto(path)
        if path == SET:
            page.wait_for_selector(QUIET)
        assert found_by_axe(page) == [], path
        page.set_viewport_size({"width": 768, "height": 1024})
        assert page.evaluate("document.documentElement.scrollWidth") <= 768, path
        page.set_viewport_size({"width": 1280, "height": 900})


def test_a_candidate_dragged_onto_the_seat_is_taken(signed: Open) -> None:
    page = signed("office")
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.goto(f"/panels/{made(page)}")
    page.locator(".seat .acts a").first.click()
    row = page.locator("tr[draggable=true]").first
    row.wait_for()
    seat = page.locator(f".seat[data-seat='{page.get_attribute('.choices', 'data-seat')}']")
    row.locator("td").first.drag_to(seat)
    page.wait_for_url("**swap=**")
    page.wait_for_selector("#verdict")
