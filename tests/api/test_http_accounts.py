"""Administrators look after accounts over HTTP: within their tenant, never themselves, each change known to them."""

from __future__ import annotations

from typing import Any

import pytest
from signed_in_people import PASSWORD, account, bearer, browser, signed_in

from expert_pool import ledger
from expert_pool.accounts import Role, first_administrator
from expert_pool.registry import Organiser


@pytest.fixture
def admin(http: Any) -> Any:
    account(http.store, "chief", Role.ADMINISTRATOR)
    return signed_in(http.app, "chief")


@pytest.fixture
def cities(http: Any) -> Any:
    with http.store.session() as session:
        for code in ("CITY", "TOWN"):
            session.add(Organiser(code=code, name=code, parent_id=http.tiny.organiser_id))
    return http


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_account_from_making_to_disabling(http: Any, admin: Any) -> None:
    made = admin.post("/accounts", json={"name": "Office", "organiser": "HR", "language": "en"})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/accounts/office")
    password = made.json()["password"]
    assert code_of(admin.post("/accounts", json={"name": "office"})) == (409, "account.name_taken")
    granted = admin.post("/accounts/office/grants", json={"role": "committee_office", "organiser": "HR"})
    assert granted.status_code == 201
    office = browser(http.app)
    assert office.sign_in("office", password).json()["due"] == "password"
    office.csrf = office.ask("PUT", "/own/password", json={"old": password, "new": PASSWORD}).json()[
        "csrf_token"
    ]
    token = office.post("/tokens", json={"name": "t"}).json()
    shown = admin.get("/accounts/office")
    assert shown.json()["grants"][0]["code"] == granted.json()["code"]
    assert "password" not in shown.json()
    assert admin.get("/accounts/office/tokens").json()["items"][0]["code"] == token["code"]
    change = {"disabled": True}
    assert code_of(admin.ask("PATCH", "/accounts/office", json=change)) == (428, "version.needed")
    stale = admin.ask("PATCH", "/accounts/office", json=change, headers={"If-Match": '"old"'})
    assert code_of(stale) == (412, "version.stale")
    etag = {"If-Match": shown.headers["ETag"]}
    assert admin.ask("PATCH", "/accounts/office", json=change, headers=etag).json()["disabled"] is True
    assert code_of(office.get("/sessions/current")) == (401, "access.unknown")
    refused = browser(http.app).client.get("/api/v1/roles", headers=bearer(token["token"]))
    assert code_of(refused) == (401, "access.unknown")
    assert code_of(browser(http.app).sign_in("office")) == (401, "access.sign_in_failed")
    with http.store.reading() as session:
        assert ledger.verify(session) == []


def test_a_revoked_role_is_gone_at_the_next_request(http: Any, admin: Any) -> None:
    account(http.store, "second", Role.ADMINISTRATOR)
    second = signed_in(http.app, "second")
    assert second.get("/accounts").status_code == 200
    code = admin.get("/accounts/second").json()["grants"][0]["code"]
    assert admin.delete(f"/accounts/second/grants/{code}").status_code == 204
    assert code_of(second.get("/accounts")) == (403, "access.denied")
    assert code_of(admin.delete(f"/accounts/second/grants/{code}")) == (404, "account.grant_unknown")


def test_duties_are_kept_apart(http: Any, admin: Any) -> None:
    admin.post("/accounts", json={"name": "office"})
    assert admin.post("/accounts/office/grants", json={"role": "committee_office"}).status_code == 201
    for role in ("pool_manager", "draw_supervisor", "auditor", "administrator"):
        answer = admin.post("/accounts/office/grants", json={"role": role, "organiser": "HR"})
        assert code_of(answer) == (409, "access.duties_joined")
    assert {"auditor", "pool_manager"} < set(
        next(r for r in admin.get("/roles").json()["items"] if r["role"] == "committee_office")["apart"]
    )


def test_administrators_do_not_act_on_themselves(http: Any, admin: Any) -> None:
    own = "/accounts/chief"
    assert code_of(admin.post(f"{own}/grants", json={"role": "policy_editor"})) == (403, "account.own")
    assert code_of(admin.post(f"{own}/password")) == (403, "account.own")
    assert code_of(admin.delete(f"{own}/second-factor")) == (403, "account.own")
    code = admin.get(own).json()["grants"][0]["code"]
    assert code_of(admin.delete(f"{own}/grants/{code}")) == (403, "account.own")
    etag = {"If-Match": admin.get(own).headers["ETag"]}
    answer = admin.ask("PATCH", own, json={"disabled": True}, headers=etag)
    assert code_of(answer) == (403, "account.own")


def test_a_tenants_administrator_never_reaches_beyond_it(cities: Any) -> None:
    account(cities.store, "city-admin", (Role.ADMINISTRATOR, "CITY"), organiser="CITY")
    account(cities.store, "town-office", (Role.COMMITTEE_OFFICE, "TOWN"), organiser="TOWN")
    account(cities.store, "chief", Role.ADMINISTRATOR)
    city = signed_in(cities.app, "city-admin")
    assert [a["name"] for a in city.get("/accounts").json()["items"]] == ["city-admin"]
    for method, path, body in (
        ("GET", "/accounts/town-office", None),
        ("POST", "/accounts/town-office/password", None),
        ("POST", "/accounts/chief/password", None),
        ("DELETE", "/accounts/chief/second-factor", None),
        ("DELETE", "/accounts/chief/sessions", None),
        ("POST", "/accounts/town-office/grants", {"role": "auditor", "organiser": "CITY"}),
        ("GET", "/accounts/town-office/tokens", None),
        ("PATCH", "/accounts/town-office", {"disabled": True}),
    ):
        assert code_of(city.ask(method, path, json=body)) == (404, "account.unknown"), path
    for body, code in (
        ({"name": "new"}, "account.organiser_needed"),
        ({"name": "new", "organiser": "TOWN"}, "account.organiser_unknown"),
        ({"name": "new", "organiser": "HR"}, "account.organiser_unknown"),
    ):
        assert city.post("/accounts", json=body).json()["code"] == code
    assert city.post("/accounts", json={"name": "new", "organiser": "CITY"}).status_code == 201
    for body in ({"role": "administrator"}, {"role": "auditor", "organiser": "HR"}):
        assert city.post("/accounts/new/grants", json=body).status_code in (404, 422)
    assert city.post("/accounts/new/grants", json={"role": "auditor", "organiser": "CITY"}).status_code == 201


@pytest.mark.parametrize(
    "extra",
    [
        {"grants": [{"role": "administrator"}]},
        {"role": "administrator"},
        {"id": 1},
        {"disabled_at": None},
        {"created_by": "somebody"},
        {"organiser_id": 1},
        {"password_until": None},
    ],
)
def test_fields_nobody_offered_are_refused(admin: Any, extra: dict[str, Any]) -> None:
    """Mass assignment."""
    answer = admin.post("/accounts", json={"name": "new", **extra})
    assert code_of(answer) == (422, "http.invalid")


def test_lists_go_page_by_page(http: Any, admin: Any) -> None:
    for n in range(5):
        account(http.store, f"clerk-{n}")
    found, cursor = [], None
    while True:
        asked = {"limit": 2, "search": "CLERK"} | ({"cursor": cursor} if cursor else {})
        page = admin.get("/accounts", params=asked).json()
        found += [a["name"] for a in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == [f"clerk-{n}" for n in range(5)]
    assert admin.get("/accounts", params={"search": "%"}).json()["items"] == []


def test_the_last_administrator_stays(http: Any) -> None:
    first_administrator(http.store)
    account(http.store, "chief", Role.ADMINISTRATOR)
    chief = signed_in(http.app, "chief")
    assert chief.delete("/accounts/admin/sessions").status_code == 204
    code = chief.get("/accounts/admin").json()["grants"][0]["code"]
    assert chief.delete(f"/accounts/admin/grants/{code}").status_code == 204
    assert code_of(chief.post("/accounts/chief/password")) == (403, "account.own")


def test_a_reset_gives_a_new_one_time_password_and_cuts_off_everything(http: Any, admin: Any) -> None:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    office = signed_in(http.app, "office")
    token = office.post("/tokens", json={"name": "t"}).json()["token"]
    password = admin.post("/accounts/office/password").json()["password"]
    assert code_of(office.get("/sessions/current")) == (401, "access.unknown")
    assert browser(http.app).client.get("/api/v1/roles", headers=bearer(token)).status_code == 401
    assert browser(http.app).sign_in("office", password).json()["due"] == "password"
