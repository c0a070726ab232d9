"""What-if, re-evaluation and pool health in a real browser: text looked at as one types, points that appear while they are
settled, charts under a policy that compiles nothing, a map; both languages, axe. Skipped, and said so, without Chromium."""

from __future__ import annotations

from pathlib import Path

from in_a_browser import Open, found_by_axe, kept_out, needs_chromium
from scenarios_stored import text

pytestmark = needs_chromium

SIMULATE = """async (text) => {
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf};
  const post = (path, sent) => fetch("/api/v1" + path, {method: "POST", headers, body: JSON.stringify(sent)}).then((a) => a.json());
  const scenario = (await post("/scenarios", {text})).code;
  return (await post("/simulations", {scenario})).code;
}"""


def test_a_scenario_is_looked_at_as_one_types_then_settled_and_a_mark_opens_its_panel(
    signed: Open, tmp_path: Path
) -> None:
    page = signed("office", "/what-if/new")
    page.fill("#scenario-text", text("[1/3, 1/2]").replace("quorum.least", "quorum.last"))
    page.wait_for_selector("#scenario-said.bad >> text=第 11 行")
    assert "rules.quorum.least" in page.inner_text("#scenario-said")
    page.click("#scenario-said")
    assert "quorum.last" in page.evaluate("window.getSelection().toString()")
    page.fill("#scenario-text", text("[1/3, 1/2]"))
    page.wait_for_selector("#scenario-said.good >> text=2 个点")
    page.click("form[data-api='POST /api/v1/scenarios'] button")
    page.wait_for_url("**/what-if/scenarios/S*")
    page.click("form[data-start] button")
    page.wait_for_url("**/what-if/simulations/R*")
    page.wait_for_selector("#simulation .badge.good")
    page.wait_for_selector("figure.vega[data-drawn] svg")
    assert found_by_axe(page) == []
    with page.expect_download() as fetched:
        page.click("figure.vega >> text=CSV")
    assert b"optimal" in Path(fetched.value.path()).read_bytes()
    page.locator("figure.vega .mark-symbol path").first.click()
    page.wait_for_url("**/points/0")
    assert page.locator(".seat:not(.waits)").count() == 3
    page.click("header a[rel=alternate]")
    page.wait_for_selector("text=The panel behind it")
    assert found_by_axe(page) == []


def test_points_appear_while_they_are_settled(signed: Open) -> None:
    page = signed("office", "/what-if")
    many = ", ".join(f"{n}%" for n in range(20, 40))
    code = page.evaluate(SIMULATE, text(f"[{many}]"))
    page.goto(f"/what-if/simulations/{code}")
    page.wait_for_selector("#simulation tbody tr.link a")
    page.wait_for_selector("#simulation .badge.good")
    assert "20 / 20" in page.inner_text("#simulation")


def test_a_pool_is_looked_at_and_its_map_says_in_words_what_its_colours_say(signed: Open) -> None:
    page = signed("manager", "/pool-health")
    page.click("form[data-api='POST /api/v1/pools/P1/health'] button")
    page.wait_for_url("**/pool-health/runs/R*")
    page.wait_for_selector("table.map")
    assert (
        page.locator("table.map td.thin").count()
        == page.locator("table.map td.thin >> text=薄弱").count()
        > 0
    )
    assert found_by_axe(page) == []


PAGES = (
    "/what-if",
    "/what-if/new",
    "/reevaluation",
    "/pool-health",
    "/schemes",
    "/schemes/own-default",
    "/schemes/comparison",
)


def test_no_page_of_what_if_and_re_evaluation_keeps_anybody_out(signed: Open) -> None:
    assert kept_out(signed("manager"), PAGES) == []
