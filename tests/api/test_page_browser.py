"""The page in a real browser (headless Chromium) over a service that really runs: clicks, live work, both languages,
accessibility. Skipped, and said so, where there is no Chromium (README: how to get it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from in_a_browser import PATIENCE, Open, kept_out, needs_chromium, posted
from signed_in_people import PASSWORD
from working_office import ASKED

pytestmark = needs_chromium


def test_a_wrong_password_is_told_beside_the_form_and_what_was_typed_stays(
    served: str, chromium: Any
) -> None:
    page = chromium.new_page(base_url=served, locale="en-GB")
    page.set_default_timeout(PATIENCE)
    assert page.goto("/sign-in").ok
    page.fill("main [name=name]", "office")
    page.fill("main [name=password]", "not this one")
    page.keyboard.press("Enter")
    page.wait_for_selector("main .fault:not([hidden])")
    assert "Not signed in" in page.inner_text("main .fault")
    assert page.input_value("main [name=name]") == "office"
    page.context.close()


def test_an_office_asks_for_a_panel_watches_it_and_looks_at_who_sits(signed: Open) -> None:
    page = signed("office")
    page.goto(f"/runs/{posted(page, '/panels', ASKED)['code']}")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    assert "最优（已证明）" in page.inner_text("dl.facts")
    seats = page.locator(".seat:not(.waits)")
    assert seats.count() == 3
    seats.first.locator("summary").click()
    assert seats.first.locator("li").count() > 0
    second = signed("second", page.url.removeprefix(page.url.split("/panels")[0]))
    second.on("dialog", lambda dialog: dialog.accept())
    second.click("form[data-api$=approval] button")
    second.wait_for_selector("h1 .badge.good")
    page.click("header a[rel=alternate]")
    page.wait_for_selector("text=Rules and their margins")
    page.goto("/panels")
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("tbody tr").count() >= 1


def test_a_service_that_is_gone_is_told_in_words_and_what_was_typed_stays(signed: Open) -> None:
    page = signed("office", "/panels/new?meeting=M1")
    page.click("#start summary")
    page.fill("[name=seed]", "5")
    page.context.set_offline(True)
    page.click("#start button")
    page.wait_for_selector("text=连不上服务")
    assert page.input_value("[name=seed]") == "5"


def test_documents_are_asked_for_with_a_purpose_and_can_be_fetched(signed: Open) -> None:
    page = signed("office")
    page.goto("/panels/new?meeting=M1")
    page.click("#start button")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    page.fill("[name=purpose]", "报省职称办备案")
    page.click("text=制作文件")
    page.wait_for_url("**/runs/*")
    page.wait_for_selector("text=panel.zh.docx")
    with page.expect_download() as fetched:
        page.click("text=panel.zh.docx")
    assert Path(fetched.value.path()).read_bytes()[:2] == b"PK"


def test_experts_are_found_as_one_types_and_the_address_keeps_the_filter(signed: Open) -> None:
    page = signed("manager", "/experts")
    everybody = page.locator("#found tbody tr").count()
    page.locator("[name=q]").press_sequentially("E01")
    page.wait_for_url("**q=E01**")
    page.wait_for_function("document.querySelectorAll('#found tbody tr').length === 1")
    assert everybody > 1
    page.reload()
    assert page.input_value("[name=q]") == "E01"
    page.click("#found tbody tr a")
    page.wait_for_url("**/experts/E01")
    assert page.locator("ol.line > li").count() > 0
    page.go_back()
    page.wait_for_url("**q=E01**")


def test_an_import_is_looked_at_first_and_every_wrong_row_is_told_in_place(
    signed: Open, tmp_path: Path
) -> None:
    page = signed("manager", "/tables")
    wrong, right = tmp_path / "employers.csv", tmp_path / "new" / "employers.csv"
    wrong.write_text("code,legal_person,region\nN1,perhaps,220000\n", encoding="utf-8")
    right.parent.mkdir()
    right.write_text("code,legal_person,region\nN1,yes,220000\n", encoding="utf-8")
    page.set_input_files("[name=file]", wrong)
    page.click("button[value=true]")
    page.wait_for_selector("#watched .notice.bad")
    assert page.inner_text("#watched tbody td.number") == "2"
    page.set_input_files("[name=file]", right)
    page.click("button[value=true]")
    page.wait_for_selector("#watched .notice.good")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("button[value=false]")
    page.wait_for_selector("text=已导入")


def test_a_session_that_ends_in_the_middle_of_a_form_costs_nothing_typed(signed: Open) -> None:
    page = signed("office", "/panels/new?meeting=M1")
    page.click("#start summary")
    page.fill("[name=seed]", "77")
    page.context.clear_cookies()
    page.click("#start button")
    page.wait_for_selector("#again[open]")
    page.fill("#again [name=password]", PASSWORD)
    page.click("#again button")
    page.wait_for_url("**/runs/*")
    page.click("text=查看结果")
    page.wait_for_url("**/panels/M1-P*")
    assert "77" in page.inner_text("dl.facts")


PAGES = {
    "office": ("/", "/panels", "/panels/new?meeting=M1", "/runs", "/own"),
    "manager": ("/experts", "/experts/E01", "/tables"),
    "auditor": ("/ledger", "/panels/M1-P1"),
}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_keeps_anybody_out(signed: Open, name: str) -> None:
    """axe finds nothing serious (WCAG 2.2 AA), and on a tablet nothing is cut off."""
    page = signed(name)
    assert kept_out(page, PAGES[name]) == []


def test_everything_can_be_reached_with_the_keyboard(signed: Open) -> None:
    page = signed("office")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")
