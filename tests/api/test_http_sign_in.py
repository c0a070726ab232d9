"""Signing in over HTTP: cookies, CSRF, sessions, the own password and second factor, API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from signed_in_people import PASSWORD, account, bearer, browser, signed_in
from sqlalchemy import select

from api.http.app import create_app
from api.http.service import Service
from api.settings import Settings
from expert_pool import ledger
from expert_pool.accounts import Right, Role, first_administrator
from expert_pool.registry import LedgerEntry

SESSIONS = "/api/v1/sessions"


@pytest.fixture
def office(http: Any) -> Any:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    return signed_in(http.app, "office")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_first_sign_in_asks_for_a_password_and_for_nothing_else(http: Any) -> None:
    name, one_time = first_administrator(http.store) or ("", "")
    first = browser(http.app)
    answer = first.sign_in(name, one_time)
    assert (answer.status_code, answer.json()["due"], answer.json()["rights"]) == (
        201,
        "password",
        ["own.account"],
    )
    assert code_of(first.get("/accounts")) == (403, "access.password_due")
    assert code_of(first.post("/tokens", json={"name": "t"})) == (403, "access.password_due")
    before = first.client.cookies["ep_session"]
    changed = first.ask("PUT", "/own/password", json={"old": one_time, "new": PASSWORD})
    assert changed.status_code == 200
    first.csrf = changed.json()["csrf_token"]
    assert first.client.cookies["ep_session"] != before
    assert first.get("/accounts").status_code == 200
    stale = browser(http.app)
    stale.client.cookies.set("ep_session", before)
    assert code_of(stale.get("/sessions/current")) == (401, "access.unknown")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(http: Any) -> None:
    account(http.store, "office")
    plain, tls = browser(http.app), browser(http.app, base_url="https://testserver")
    said = plain.sign_in("office").headers.get_list("set-cookie")
    assert said[0].startswith("ep_session=")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=43200"} == set(said[0].split("; ")[1:])
    said = tls.sign_in("office").headers.get_list("set-cookie")
    assert said[0].startswith("__Host-ep_session=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} < set(said[0].split("; "))
    assert all("Secure" in cookie for cookie in said)
    assert tls.get("/sessions/current").status_code == 200
    plain_name = browser(http.app, base_url="https://testserver")
    plain_name.client.cookies.set("ep_session", tls.client.cookies["__Host-ep_session"])
    assert code_of(plain_name.get("/sessions/current")) == (401, "access.unknown")


def test_sign_in_always_begins_another_session(http: Any) -> None:
    """A token that somebody planted before (session fixation) is worth nothing after it."""
    account(http.store, "office")
    victim, attacker = browser(http.app), browser(http.app)
    victim.client.cookies.set("ep_session", "planted", path="/")
    assert victim.sign_in("office").status_code == 201
    attacker.client.cookies.set("ep_session", "planted", path="/")
    assert code_of(attacker.get("/sessions/current")) == (401, "access.unknown")
    tokens = {signed_in(http.app, "office").client.cookies["ep_session"] for _ in range(3)}
    assert len(tokens) == 3
    again = signed_in(http.app, "office")
    before = again.client.cookies["ep_session"]
    assert again.sign_in("office").status_code == 201
    attacker.client.cookies.set("ep_session", before, path="/")
    assert code_of(attacker.get("/sessions/current")) == (401, "access.unknown")


def test_what_changes_something_needs_the_csrf_token(http: Any, office: Any) -> None:
    other = signed_in(http.app, "office")
    for token in ("", "x", other.csrf, office.csrf.upper(), office.csrf + "0", "é"):
        office_csrf, office.csrf = office.csrf, token.encode("utf-8")
        answer = office.post("/tokens", json={"name": "t"})
        office.csrf = office_csrf
        assert code_of(answer) == (403, "access.csrf"), token
    bare = office.client.post("/api/v1/tokens", json={"name": "t"})
    assert code_of(bare) == (403, "access.csrf")
    assert office.get("/tokens").json() == {"items": []}
    assert office.post("/tokens", json={"name": "t"}).status_code == 201


def test_a_form_of_another_site_cannot_sign_anybody_in(http: Any) -> None:
    """Login CSRF: a form cannot send JSON without asking first, and nothing else is read."""
    account(http.store, "office")
    text = f'{{"name": "office", "password": "{PASSWORD}"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = browser(http.app).client.post(SESSIONS, content=text, headers={"Content-Type": kind})
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers


def test_sessions_are_listed_and_ended_one_by_one_and_all(http: Any, office: Any) -> None:
    other, third = signed_in(http.app, "office"), signed_in(http.app, "office")
    found = office.get("/sessions").json()["items"]
    assert [line["current"] for line in found] == [False, False, True]
    assert office.delete(f"/sessions/{found[1]['code']}").status_code == 204
    assert code_of(other.get("/sessions/current")) == (401, "access.unknown")
    assert code_of(office.delete(f"/sessions/{found[1]['code']}")) == (404, "session.unknown")
    ended = third.delete("/sessions")
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    for gone in (office, third):
        assert code_of(gone.get("/sessions/current")) == (401, "access.unknown")


def test_nobody_ends_the_session_of_another_account(http: Any, office: Any) -> None:
    account(http.store, "second")
    second = signed_in(http.app, "second")
    code = second.get("/sessions").json()["items"][0]["code"]
    assert code_of(office.delete(f"/sessions/{code}")) == (404, "session.unknown")
    assert second.get("/sessions/current").status_code == 200


def test_signing_out_ends_the_session_on_the_server(http: Any, office: Any) -> None:
    token = office.client.cookies["ep_session"]
    assert office.delete("/sessions/current").status_code == 204
    replay = browser(http.app)
    replay.client.cookies.set("ep_session", token)
    assert code_of(replay.get("/sessions/current")) == (401, "access.unknown")


def test_a_session_ends_unused(http: Any, office: Any) -> None:
    with time_machine.travel(0, tick=False) as clock:
        late = signed_in(http.app, "office")
        clock.shift(timedelta(minutes=29))
        assert late.get("/sessions/current").status_code == 200
        clock.shift(timedelta(minutes=29))
        assert late.get("/sessions/current").status_code == 200
        clock.shift(timedelta(minutes=31))
        assert code_of(late.get("/sessions/current")) == (401, "access.unknown")


def test_a_new_password_ends_the_other_browsers(http: Any, office: Any) -> None:
    other = signed_in(http.app, "office")
    new = "another river 17 lamp"
    for body, code, where in (
        ({"old": "no no no no no", "new": new}, (403, "access.password_wrong"), "old"),
        ({"old": PASSWORD, "new": "short"}, (422, "password.short"), "new"),
        ({"old": PASSWORD, "new": "office-office-1"}, (422, "password.named"), "new"),
        ({"old": PASSWORD, "new": new, "account": "admin"}, (422, "http.invalid"), "body.account"),
    ):
        told = office.ask("PUT", "/own/password", json=body)
        assert (*code_of(told), told.json()["where"]) == (*code, where)
    changed = office.ask("PUT", "/own/password", json={"old": PASSWORD, "new": new})
    office.csrf = changed.json()["csrf_token"]
    assert code_of(other.get("/sessions/current")) == (401, "access.unknown")
    assert office.get("/own").json()["account"] == "office"
    assert code_of(browser(http.app).sign_in("office")) == (401, "access.sign_in_failed")
    assert browser(http.app).sign_in("office", new).status_code == 201


def test_a_second_factor_from_set_up_to_removal(http: Any, office: Any) -> None:
    made = office.post("/own/second-factor", json={"password": PASSWORD})
    assert made.status_code == 201
    assert made.json()["qr_svg"].startswith("<svg")
    totp = pyotp.parse_uri(made.json()["uri"])
    assert isinstance(totp, pyotp.TOTP)
    assert browser(http.app).sign_in("office").status_code == 201  # not yet confirmed
    assert code_of(office.ask("PUT", "/own/second-factor", json={"code": "000000"})) == (
        422,
        "access.code_wrong",
    )
    confirmed = office.ask("PUT", "/own/second-factor", json={"code": totp.now()})
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert code_of(browser(http.app).sign_in("office")) == (401, "access.second_factor")
    assert code_of(browser(http.app).sign_in("office", code="000000")) == (401, "access.sign_in_failed")
    assert browser(http.app).sign_in("office", code=codes[0]).status_code == 201
    assert office.get("/own").json()["recovery_codes_left"] == 9
    renewed = office.post("/own/recovery-codes", json={"password": PASSWORD}).json()["recovery_codes"]
    assert not set(renewed) & set(codes)
    assert office.post("/own/second-factor/removal", json={"password": PASSWORD}).status_code == 204
    assert browser(http.app).sign_in("office").status_code == 201


def test_an_installation_may_require_a_second_factor(http: Any) -> None:
    account(http.store, "office", (Role.COMMITTEE_OFFICE, "HR"))
    app = create_app(Service(http.store, http.jobs, Settings(second_factor="required")))
    office = browser(app)
    assert office.sign_in("office").json()["due"] == "second_factor"
    assert code_of(office.post("/tokens", json={"name": "t", "scopes": ["panels.read"]})) == (
        403,
        "access.second_factor_due",
    )
    uri = office.post("/own/second-factor", json={"password": PASSWORD}).json()["uri"]
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    assert office.ask("PUT", "/own/second-factor", json={"code": totp.now()}).status_code == 200
    assert office.get("/sessions/current").json()["due"] is None


def test_too_many_failures_say_when_to_come_again(http: Any) -> None:
    account(http.store, "office")
    for _ in range(10):
        assert browser(http.app).sign_in("office", "wrong wrong wrong").status_code == 401
    answer = browser(http.app).sign_in("office")
    assert code_of(answer) == (429, "access.wait")
    assert 0 < int(answer.headers["Retry-After"]) <= 30


def test_a_token_asks_as_its_owner_within_its_scopes(http: Any, office: Any) -> None:
    account(http.store, "admin2", Role.ADMINISTRATOR)
    admin = signed_in(http.app, "admin2")
    made = admin.post("/tokens", json={"name": "nightly", "scopes": ["runs.read"], "days": 1}).json()
    wide = admin.post("/tokens", json={"name": "wide"}).json()
    assert made["token"].startswith("ep_")
    program = browser(http.app).client
    assert program.get("/api/v1/accounts", headers=bearer(wide["token"])).status_code == 200
    narrow = program.get("/api/v1/accounts", headers=bearer(made["token"]))
    assert code_of(narrow) == (403, "access.denied")
    for method, path in (("GET", "/tokens"), ("POST", "/tokens"), ("GET", "/sessions"), ("GET", "/own")):
        answer = program.request(method, f"/api/v1{path}", headers=bearer(wide["token"]))
        assert code_of(answer) == (403, "access.denied")
    listed = admin.get("/tokens").text
    assert made["code"] in listed
    assert made["token"] not in listed
    assert admin.delete(f"/tokens/{wide['code']}").status_code == 204
    assert code_of(program.get("/api/v1/accounts", headers=bearer(wide["token"]))) == (401, "access.unknown")
    with time_machine.travel(timedelta(days=2), tick=False):
        expired = program.get("/api/v1/accounts", headers=bearer(made["token"]))
    assert code_of(expired) == (401, "access.unknown")
    assert code_of(office.delete(f"/tokens/{made['code']}")) == (404, "token.unknown")


def test_what_happens_to_accounts_is_on_the_ledger(http: Any, office: Any) -> None:
    token = office.post("/tokens", json={"name": "t"}).json()
    office.delete(f"/tokens/{token['code']}")
    with http.store.reading() as session:
        said = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)).all()
        assert ledger.verify(session) == []
    assert said[-3:] == ["account.granted", "account.token_made", "account.token_revoked"]


def test_every_right_of_a_session_is_told(http: Any, office: Any) -> None:
    told = office.get("/sessions/current").json()
    assert told["roles"] == [{"role": "committee_office", "organisers": 1, "committees": 0}]
    assert Right.PANELS_REQUEST in told["rights"]
    assert Right.EXPERTS_READ not in told["rights"]
