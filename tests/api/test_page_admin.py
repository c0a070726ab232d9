"""Administration, policies, graphs, the auditor's and the expert's pages without a browser; schedules over HTTP."""

from __future__ import annotations

from datetime import date
from html import unescape
from typing import Any

import orjson
import pytest
from signed_in_people import account, signed_in

from api.page.policy_words import demand
from api.page.routes.policies import setting
from api.page.sheet_forms import fields
from api.page.time_line import time_line
from expert_pool.accounts import Role
from expert_pool.imports.sheets import SHEETS
from expert_pool.policies.load import preset, presets
from expert_pool.words import languages


@pytest.fixture
def opened(http: Any) -> Any:
    """Opens a page as somebody with a role of HR; gives the answer."""
    made: dict[Role, Any] = {}

    def page(role: Role, path: str, **headers: str) -> Any:
        if role not in made:
            name = str(role).replace("_", "-")
            more: dict[str, Any] = {"expert": "E01"} if role is Role.EXPERT else {}
            alone = role in (Role.EXPERT, Role.ADMINISTRATOR)
            account(http.store, name, role if alone else (role, "HR"), **more)
            made[role] = signed_in(http.app, name).client
        return made[role].get(path, headers={"Accept": "text/html", **headers})

    return page


def test_accounts_are_listed_and_one_shows_its_roles(opened: Any) -> None:
    opened(Role.AUDITOR, "/")
    listed = opened(Role.ADMINISTRATOR, "/administration").text
    assert 'href="/administration/accounts/auditor"' in listed
    part = opened(Role.ADMINISTRATOR, "/administration?search=aud", **{"HX-Request": "true"}).text
    assert "<html" not in part
    shown = opened(Role.ADMINISTRATOR, "/administration/accounts/auditor").text
    assert "撤销角色：审计" in shown
    own = opened(Role.ADMINISTRATOR, "/administration/accounts/administrator").text
    assert "/grants" not in own
    assert opened(Role.ADMINISTRATOR, "/administration/accounts/nobody").status_code == 404


def test_schedules_say_when_they_ran_and_run_now(http: Any, opened: Any) -> None:
    operator = http.sign_in(Role.ADMINISTRATOR)
    listed = {one["name"]: one for one in operator.get("/api/v1/schedules").json()["items"]}
    assert listed["privacy.retention"]["at"] == "02:10"
    assert listed["notices.deliver"]["every"] == 60
    begun = operator.post("/api/v1/schedules/expiries.training/runs")
    assert (begun.status_code, begun.json()["kind"]) == (202, "notices.expiries")
    assert operator.post("/api/v1/schedules/nothing/runs").status_code == 404
    page = opened(Role.ADMINISTRATOR, "/schedules").text
    assert "培训到期提醒" in page
    assert "page.schedules" not in page


def test_organisers_are_changed_with_what_may_change(opened: Any) -> None:
    page = opened(Role.POOL_MANAGER, "/organisers").text
    assert 'data-api="POST /api/v1/committees"' in page
    one = opened(Role.POOL_MANAGER, "/organisers/committees/C1").text
    assert 'data-api="PATCH /api/v1/committees/C1"' in one
    assert "PATCH" not in opened(Role.AUDITOR, "/organisers/committees/C1").text
    assert opened(Role.AUDITOR, "/organisers/experts/E01").status_code == 404


def test_a_form_has_a_field_for_every_column_of_its_sheet() -> None:
    for name, sheet in SHEETS.items():
        made = {field.name: field for field in fields(name, "zh")}
        assert made.keys() == {column.name for column in sheet.columns} - {"recorded_at"}
        assert all(field.options for field in made.values() if field.form == "choice")


def test_every_rule_of_every_preset_says_what_it_demands() -> None:
    for name in presets():
        for rule in preset(name).rules("senior"):
            for lang in languages():
                said = demand(rule.model_dump(mode="json"), lang)
                assert "page." not in said
                assert "None" not in said
    assert setting("none") is None
    assert [setting(text) for text in ("17", "-1", "true", "2/3")] == [17, -1, True, "2/3"]


def test_a_number_tried_is_judged_and_changes_nothing(opened: Any) -> None:
    path = "/policies/cn-title-jilin-2013?set.panel_low=17"
    tried = opened(Role.POLICY_EDITOR, path, **{"HX-Request": "true"})
    assert "<html" not in tried.text
    assert "value: 17" in unescape(tried.text)
    wrong = opened(Role.POLICY_EDITOR, "/policies/cn-title-jilin-2013?set.panel_low=x&lang=en").text
    assert 'href="#p-panel_low"' in wrong
    nothing = opened(Role.POLICY_EDITOR, "/policies/cn-title-jilin-2013?set.nothing=1").text
    assert "nothing" in nothing
    assert opened(Role.POLICY_EDITOR, "/policies/none").status_code == 404
    compared = opened(Role.POLICY_EDITOR, "/policies/comparison?first=cn-nsfc&lang=zh")
    assert compared.status_code == 200
    assert "合作者回避期" in compared.text
    assert "co_author_window" not in compared.text


def test_a_graph_stands_in_the_page_and_in_its_table(opened: Any) -> None:
    page = opened(Role.POOL_MANAGER, "/conflicts?code=E01&lang=en").text
    drawn = orjson.loads(unescape(page.split('data-graph="')[1].split('"')[0]))
    assert page.count("<tr>") - 1 == len(drawn["edges"]) > 0
    assert {node[1] for node in drawn["nodes"]} >= {"expert", "employer"}
    assert "page.graph" not in page
    assert opened(Role.POOL_MANAGER, "/conflicts?code=E999").status_code == 404


def test_an_auditor_finds_entries_and_looks(opened: Any) -> None:
    assert 'data-api="POST /api/v1/ledger/verification"' in opened(Role.AUDITOR, "/ledger").text
    assert opened(Role.AUDITOR, "/ledger?organiser=HR&actor=office").text.count("<tr>") >= 1
    assert opened(Role.AUDITOR, "/looks?expert=E01&actor=x").status_code == 200
    assert opened(Role.AUDITOR, "/looks/exports").status_code == 200


def test_an_expert_meets_their_own_record_with_standing_and_reply(opened: Any) -> None:
    for lang in languages():
        page = opened(Role.EXPERT, f"/record?on=2026-09-01&lang={lang}").text
        assert 'data-api="POST /api/v1/own-record/replies"' in page
        assert 'class="chart time-line"' in page
        assert "page." not in page.replace("page.css", "").replace("page.js", "")


def test_bulk_records_are_offered_to_writers_only(opened: Any) -> None:
    together = opened(Role.POOL_MANAGER, "/experts-together?code=E01&code=E02&sheet=credits").text
    assert 'data-columns="' in together
    assert "E01\nE02" in together
    assert "/experts-together" not in opened(Role.AUDITOR, "/experts").text
    assert opened(Role.AUDITOR, "/experts-together").status_code == 403
    assert opened(Role.POOL_MANAGER, "/experts-together?sheet=experts").status_code == 404


def test_experts_are_found_by_initials(http: Any) -> None:
    client = http.sign_in(Role.POOL_MANAGER)
    found = client.get("/api/v1/experts", params={"q": "ZJ"}).json()["items"]
    assert found
    assert all(one["name"].startswith("专家") for one in found)
    assert client.get("/api/v1/experts", params={"q": "zx"}).json()["items"] == []


def test_a_time_line_reaches_from_the_first_day_to_the_last() -> None:
    class One:
        def __init__(self, table: str, on: date, **fields: Any) -> None:
            self.table, self.holds_on, self.stands, self.fields = table, on, True, fields

    assert time_line([], date(2026, 1, 1), "zh") is None
    line = time_line(
        [
            One("employment", date(2010, 1, 1), until=None),
            One("training", date(2024, 1, 1), until="2026-01-01"),
            One("credit", date(2025, 6, 1)),
        ],
        date(2026, 1, 1),
        "zh",
    )
    assert line is not None
    bars = [bar for lane in line.lanes for bar in lane.bars]
    assert [bar.open for bar in bars] == [True, False, False]
    assert all(bar.x >= 130 and bar.x + bar.wide <= 897 for bar in bars)
    assert line.years
