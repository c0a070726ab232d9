"""The page without a browser: who is shown what, faults as pages, what may be loaded from where."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from signed_in_people import account, browser, signed_in

from api.http.access import OPEN
from api.http.access_table import gates
from api.jobs.kinds import KINDS
from api.page import vendor
from api.page.charts import convergence
from api.page.navigation import PLACES
from api.page.rendering import STATIC
from expert_pool import clock
from expert_pool.accounts import Right, Role
from expert_pool.accounts.rights import RIGHTS
from expert_pool.registry import Expert
from expert_pool.words import languages, say, term
from expert_pool.words.catalogue import entries

TEMPLATES = Path(vendor.__file__).parent / "templates"
FILLED = {
    "panel": "M1-P1",
    "other": "M1-P2",
    "run": "R0",
    "code": "E01",
    "name": "auditor-x",
    "policy": "cn-title-national",
    "sheet": "pools",
    "scenario": "S0",
    "simulation": "R0",
    "number": "0",
    "chart": "coverage",
    "table": "quorum",
    "cycle": "P1-20260901",
    "expert": "E01",
    "scheme": "own-default",
}


def page(app: Any, name: str, path: str, **headers: str) -> Any:
    return signed_in(app, name).client.get(path, headers={"Accept": "text/html", **headers})


def addresses(app: Any) -> list[tuple[str, Right]]:
    return [
        (re.sub(r"\{(\w+)(:\w+)?\}", lambda found: FILLED[found[1]], gate.path), gate.rights[0])
        for gate in gates(app)
        if gate.page and not gate.open
    ]


def test_whoever_is_not_signed_in_is_sent_to_the_form_and_back_again(http: Any) -> None:
    client = browser(http.app).client
    answer = client.get("/experts?q=%E6%9D%8E", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?then=%2Fexperts%3Fq%3D%25E6%259D%258E",
    )
    form = client.get(answer.headers["location"])
    assert form.status_code == 200
    assert 'data-api="POST /api/v1/sessions"' in form.text


def test_a_part_of_a_page_asked_for_without_a_session_says_so_in_place(http: Any) -> None:
    answer = browser(http.app).client.get("/experts", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text) == (401, "")


def test_every_page_asks_for_one_right_and_shows_itself_to_nobody_else(http: Any) -> None:
    found = addresses(http.app)
    assert {right for _, right in found} >= {place.right for place in PLACES}
    for role in Role:
        tie = {Role.EXPERT: {"expert": "E01"}, Role.SUBMITTING_UNIT: {"employer": "U"}}.get(role, {})
        account(http.store, f"{role}-x".replace("_", "-"), role, **tie)
        client = signed_in(http.app, f"{role}-x".replace("_", "-")).client
        for path, right in found:
            answer = client.get(path, headers={"Accept": "text/html"})
            may = right is Right.OWN_ACCOUNT or right in RIGHTS[role]
            assert (answer.status_code == 403) != may, (role, path, answer.status_code)
            assert answer.status_code < 500
            assert answer.headers["content-type"].startswith("text/html")


def test_the_navigation_offers_what_may_be_read_and_nothing_dead(http: Any) -> None:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    desk = page(http.app, "office", "/").text
    offered = re.findall(r'<li><a href="([^"]+)"', desk)
    assert offered == ["/", "/panels", "/what-if", "/runs", "/audits", "/policies", "/organisers", "/own"]
    client = signed_in(http.app, "office").client
    assert {client.get(path).status_code for path in offered} == {200}


def test_a_one_time_password_is_changed_before_anything_else(http: Any) -> None:
    made = account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    with http.store.session() as session:
        session.merge(made).password_until = clock.now() + timedelta(days=7)
    asked = page(http.app, "office", "/panels")
    assert (asked.status_code, asked.headers["location"]) == (303, "/own")
    own = page(http.app, "office", "/own").text
    assert "一次性密码须先更换" in own
    assert '<nav class="places"' not in own


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nowhere", 404, "没有 /nowhere 这一页"),
        ("/experts/E999", 404, "E999"),
        ("/experts?sector=x", 404, "/experts"),
    ],
)
def test_what_is_not_there_is_told_as_a_page(http: Any, path: str, status: int, said: str) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    answer = page(http.app, "pm", path)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert "<html" in answer.text


def test_programs_still_get_problem_documents(http: Any) -> None:
    answer = browser(http.app).client.get("/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"


def test_fields_left_empty_ask_for_nothing(http: Any) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    answer = page(http.app, "pm", "/experts?q=&employer=&specialty=&sector=")
    assert (
        answer.text.count('<tr class="link"')
        == page(http.app, "pm", "/experts").text.count('<tr class="link"')
        > 0
    )


def test_typing_gets_the_list_alone(http: Any) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    answer = page(http.app, "pm", "/experts?q=E0", **{"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "E01" in answer.text


def test_an_expert_is_shown_with_records_standing_and_nothing_in_clear(http: Any) -> None:
    account(http.store, "pm", (Role.POOL_MANAGER, "HR"))
    for lang, words in (("zh", ("记录", "状态")), ("en", ("Records", "Standing"))):
        shown = page(http.app, "pm", f"/experts/E01?lang={lang}").text
        assert all(word in shown for word in words)
        assert not re.search(r"\d{17}[\dX]", shown)


def test_a_script_in_a_name_stays_text(http: Any) -> None:
    with http.store.session() as session:
        session.query(Expert).filter(Expert.code == "E01").one().name = "<script>alert(1)</script>"
    account(http.store, "pm", Role.POOL_MANAGER)
    for path in ("/experts", "/experts/E01", "/conflicts?about=experts&code=E01"):
        assert "<script>alert" not in page(http.app, "pm", path).text


def test_a_language_chosen_by_a_click_stays(http: Any) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    client = signed_in(http.app, "pm").client
    assert 'lang="zh-CN"' in client.get("/experts").text
    assert '<html lang="en"' in client.get("/experts?lang=en").text
    assert '<html lang="en"' in client.get("/").text
    assert '<html lang="zh-CN"' in client.get("/?lang=zh").text


def test_a_page_and_what_it_asks_of_the_api_speak_one_language(http: Any) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    client = signed_in(http.app, "pm").client
    for lang in languages():
        client.get(f"/experts?lang={lang}")
        refused = client.get("/api/v1/experts/nobody")
        assert refused.headers["Content-Language"] == lang
        assert refused.json()["title"] == say("http.title.404", lang)


def test_every_kind_of_run_has_a_name() -> None:
    for lang in languages():
        assert [kind for kind in KINDS if term("run_kind", kind, lang) == kind] == []


def test_scripts_come_from_this_host_only_and_nothing_is_evaluated(http: Any) -> None:
    policy = browser(http.app).client.get("/sign-in").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    for file in TEMPLATES.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|javascript:|hx-on", text), file.name
        assert "://" not in text, file.name


def test_static_files_are_kept_for_good_and_change_their_address_with_their_content(http: Any) -> None:
    client = browser(http.app).client
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/sign-in").text):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        name, _, mark = address.removeprefix("/static/").partition("?")
        assert vendor.sha256(STATIC / name).startswith(mark)
    assert client.get("/static/../rendering.py").status_code == 404


def test_what_is_vendored_is_what_the_manifest_says() -> None:
    rows = vendor.vendored()
    files = {file.name for file in vendor.VENDOR.iterdir()} - {"manifest.json"}
    assert {row["file"] for row in rows} == {name for name in files if not name.endswith(".LICENSE.txt")}
    for row in rows:
        assert vendor.sha256(vendor.VENDOR / row["file"]) == row["sha256"]
        assert (vendor.VENDOR / f"{row['package'].strip('@').replace('/', '-')}.LICENSE.txt").is_file()
    root = Path(__file__).parents[2]
    lock = yaml.safe_load((root / "package-lock.json").read_text(encoding="utf-8"))
    for row in rows:
        assert lock["packages"][f"node_modules/{row['package']}"]["version"] == row["version"]
    assert "://" not in (root / "package-lock.json").read_text(encoding="utf-8")
    loaded = [
        word
        for row in rows
        for word in re.findall(r"https?://[\w.]+", (vendor.VENDOR / row["file"]).read_text())
    ]
    names = {"http://www.w3.org", "https://picocss.com"}
    names |= {"http://en.wikipedia.org", "http://engelschall.com", "http://opensource.org"}
    assert set(loaded) <= names, "of standards and authors only"


def test_the_desk_stays_small() -> None:
    files = (
        "vendor/pico.min.css",
        "page.css",
        "admin.css",
        "vendor/htmx.min.js",
        "vendor/hx-sse.min.js",
        "page.js",
        "mark.svg",
    )
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in files) < 60_000


def test_every_sentence_of_the_page_is_said_in_every_language() -> None:
    used = set()
    for file in [*TEMPLATES.iterdir(), *TEMPLATES.parent.glob("**/*.py")]:
        if file.is_file():
            used |= set(re.findall(r"\bt\(\s*[\"']([a-z_.]+)[\"']\s*[,)]", file.read_text(encoding="utf-8")))
    for lang in languages():
        assert [code for code in sorted(used) if f"page.{code}" not in entries(lang)] == []
    assert len(used) > 100


def test_the_open_pages_are_on_the_short_list(http: Any) -> None:
    assert {(gate.method, gate.path) for gate in gates(http.app) if gate.page and gate.open} <= OPEN


def test_a_chart_keeps_its_height_until_the_next_value_is_known() -> None:
    (chart,) = convergence([("g", 0.0, 10, 0), ("g", 1.0, 6, 0), ("g", 2.0, 5, 5)])
    assert chart.incumbents == "0.0,0.0 320.0,0.0 320.0,60.0 640.0,60.0 640.0,75.0 640.0,75.0"
    assert chart.bounds == "0.0,150.0 320.0,150.0 320.0,150.0 640.0,150.0 640.0,75.0 640.0,75.0"
    assert (chart.last, chart.bound, chart.gap) == (5, 5, 0)
    assert convergence([("g", 0.0, 10, None)]) == []
