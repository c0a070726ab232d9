"""Administration, the own account, the auditor's pages, the conflict graph, the audit desk and bulk records in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pyotp
import pytest
from in_a_browser import Open, kept_out, needs_chromium
from signed_in_people import PASSWORD

from expert_pool.audits.asking import template_bytes

pytestmark = needs_chromium


def test_an_account_is_made_with_a_password_shown_once_and_given_a_role(signed: Open) -> None:
    page = signed("root", "/administration")
    page.click("details summary")
    page.fill("[name=name]", "fresh")
    page.click("details form button")
    page.wait_for_selector("#made:not([hidden])")
    assert len(page.inner_text("#made code")) >= 12
    page.click("#made a")
    page.wait_for_url("**/administration/accounts/fresh")
    assert page.locator("#made").count() == 0
    page.select_option("[name=role]", "committee_office")
    page.select_option("[name=organiser]", "HR")
    page.click("form[data-api$='/grants'] button")
    page.wait_for_selector("td:has-text('评委会办事机构')")
    page.select_option("[name=role]", "draw_supervisor")
    page.select_option("[name=organiser]", "HR")
    page.click("form[data-api='POST /api/v1/accounts/fresh/grants'] button")
    page.wait_for_selector(".fault:not([hidden])")
    assert "不得由一人担任" in page.inner_text(".fault:not([hidden])")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("form[data-api='PATCH /api/v1/accounts/fresh'] button")
    page.wait_for_selector("h1 .badge.bad")


def test_a_second_factor_is_set_up_with_a_picture_and_recovery_codes(signed: Open) -> None:
    page = signed("editor", "/own")
    page.fill("form[data-api='POST /api/v1/own/second-factor'] [name=password]", PASSWORD)
    page.click("form[data-api='POST /api/v1/own/second-factor'] button")
    page.wait_for_selector("#enrolment:not([hidden])")
    assert page.evaluate("document.querySelector('img.qr').decode().then(() => true)")
    uri = page.text_content("[data-field=uri]")
    page.fill("[name=code]", pyotp.parse_uri(uri).now())  # type: ignore[union-attr]
    page.click("form[data-api='PUT /api/v1/own/second-factor'] button")
    page.wait_for_selector("#codes:not([hidden]) li")
    assert page.locator("#codes li").count() == 10
    page.click("#codes a")
    page.wait_for_selector("text=剩余恢复码 10 个")


def test_a_token_is_shown_once_and_ended(signed: Open) -> None:
    page = signed("auditor", "/own")
    page.click("text=新令牌")
    page.fill("form[data-api='POST /api/v1/tokens'] [name=name]", "夜间核对")
    page.check("[value='ledger.read']")
    page.click("form[data-api='POST /api/v1/tokens'] button")
    page.wait_for_selector("#token:not([hidden])")
    assert page.inner_text("#token code").startswith("ep_")
    page.reload()
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("form[data-api*='/tokens/'] button")
    page.wait_for_selector("text=没有有效的令牌")


def test_a_number_of_a_policy_is_tried_as_one_types(signed: Open) -> None:
    page = signed("manager", "/policies/cn-title-jilin-2013")
    page.fill("[name='set.panel_low']", "x")
    page.wait_for_selector("#tried .notice.bad")
    page.fill("[name='set.panel_low']", "17")
    page.wait_for_selector("#tried .notice.good")
    assert "panel_low" in page.inner_text("#policy-text")
    page.wait_for_url("**set.panel_low=17**")
    page.reload()
    assert page.input_value("[name='set.panel_low']") == "17"
    page.goto("/policies/comparison")
    assert page.locator("tbody tr").count() > 3


def test_an_auditor_verifies_the_ledger_and_sees_the_verdict_in_place(signed: Open) -> None:
    page = signed("auditor", "/ledger")
    page.click("form[data-api='POST /api/v1/ledger/verification'] button")
    page.wait_for_selector("#watched .notice.good")
    page.click("tbody tr:first-child td:nth-child(4) a")
    page.wait_for_url("**actor=**")


def test_a_conflict_graph_is_drawn_and_says_the_same_as_its_table(signed: Open) -> None:
    page = signed("manager", "/conflicts")
    page.fill("[name=code]", "E01")
    page.press("[name=code]", "Enter")
    page.wait_for_selector("#graph[data-moves]")
    drawn = re.findall(r"\d+", page.get_attribute("#graph", "aria-label"))
    assert page.locator("#table + .wide tbody tr").count() == int(drawn[1])
    box = page.locator("#graph").bounding_box()
    page.click("[data-graph-act=fit]")
    assert box["height"] > 300
    page.goto("/conflicts?code=E01&kind=employed")
    assert set(page.locator("tbody td:nth-child(2)").all_inner_texts()) == {"任职"}


def test_a_roster_is_audited_in_place_and_its_papers_can_be_fetched(signed: Open, tmp_path: Path) -> None:
    page = signed("manager", "/conflicts")
    roster = tmp_path / "roster.xlsx"
    roster.write_bytes(template_bytes("zh"))
    page = signed("office", "/audits")
    page.set_input_files("[name=roster]", roster)
    page.fill("[name=purpose]", "备案前核查")
    page.click("#audit button")
    page.wait_for_selector("#watched .notice:not([data-lost])")


def test_a_record_for_several_experts_is_tried_first_then_written(signed: Open) -> None:
    page = signed("manager", "/experts")
    for code in ("E02", "E03"):
        page.check(f"[name=code][value={code}]")
    page.click("text=为选中的专家成批登记")
    page.wait_for_url("**/experts-together?code=E02&code=E03")
    page.fill("[name=course]", "2026 年度培训，第一期")
    page.select_option("[name=passed]", "true")
    page.fill("[name=holds_on]", "2026-01-10")
    page.fill("[name=until]", "2028-01-09")
    page.click("button[value=true]")
    page.wait_for_selector("#watched .notice.good")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("button[value=false]")
    page.wait_for_selector("text=已导入")
    page.goto("/experts/E02")
    assert "2026 年度培训，第一期" in page.inner_text("ol.line")
    assert page.locator("svg.time-line rect").count() > 3


def test_an_expert_answers_a_record_and_declares_a_relation(signed: Open) -> None:
    page = signed("e01", "/record")
    page.locator("ol.line summary").first.click()
    page.locator("ol.line textarea").first.fill("情况属实")
    page.locator("ol.line form button").first.click()
    page.wait_for_selector("blockquote:has-text('情况属实')")
    page.select_option("form[data-api$='/relations'] [name=party]", "applicant")
    page.fill("form[data-api$='/relations'] [name=code]", "AP2")
    page.click("form[data-api$='/relations'] button")
    page.wait_for_selector("ol.line :text('利害关系')")


PAGES = {
    "root": ("/administration", "/administration/accounts/office", "/schedules"),
    "manager": (
        "/organisers",
        "/organisers/committees/C1",
        "/policies",
        "/policies/cn-title-jilin-2013",
        "/policies/comparison",
        "/conflicts?code=E01",
        "/experts-together",
    ),
    "office": ("/audits",),
    "auditor": ("/looks", "/looks/exports"),
    "e01": ("/record",),
}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_of_administration_keeps_anybody_out(signed: Open, name: str) -> None:
    """axe finds nothing serious, and on a tablet nothing is cut off."""
    assert kept_out(signed(name), PAGES[name]) == []
