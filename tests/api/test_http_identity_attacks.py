"""Attacks on identity: forged and misplaced credentials, injected headers and names, escalation by every handle."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher
from signed_in_people import PASSWORD, account, bearer, browser, signed_in
from sqlalchemy import select

from expert_pool.accounts import Role
from expert_pool.accounts.credentials import TOKEN_PREFIX
from expert_pool.registry import Account, LedgerEntry

ROLES = "/api/v1/roles"


@pytest.fixture
def admin(http: Any) -> Any:
    account(http.store, "chief", Role.ADMINISTRATOR)
    return signed_in(http.app, "chief")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_forged_or_misplaced_credential_is_nobody(http: Any, admin: Any) -> None:
    token = admin.post("/tokens", json={"name": "t"}).json()["token"]
    session = admin.client.cookies["ep_session"]
    fresh = browser(http.app).client
    assert fresh.get(ROLES, headers=bearer(token)).status_code == 200
    for said in (
        f"Basic {token}",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token.upper()}",
        f"Bearer {TOKEN_PREFIX}",
        f"Bearer {TOKEN_PREFIX}{session}",
        f"Bearer {session}",
        "Bearer",
        "Bearer  ",
        "Bearer null",
        "Bearer ' or '1'='1",
        "Bearer ep_\xe9\xff".encode("latin-1"),
        f"Bearer {TOKEN_PREFIX}{'a' * 8000}",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    ):
        assert code_of(fresh.get(ROLES, headers={"Authorization": said})) == (401, "access.unknown"), said
    for cookie in (token, session[:-1], session + "x", "", "x" * 5000, '"', "\xe9"):
        asked = {"Cookie": f"ep_session={cookie}".encode("latin-1")}
        assert code_of(browser(http.app).client.get(ROLES, headers=asked)) == (401, "access.unknown"), cookie
    # a bad token is not helped by a good cookie
    assert code_of(admin.get("/roles", headers=bearer("ep_forged"))) == (401, "access.unknown")
    for place in (f"{ROLES}?token={token}", f"{ROLES}?access_token={token}"):
        assert code_of(fresh.get(place)) == (401, "access.unknown")


def test_headers_that_claim_who_one_is_are_not_believed(http: Any) -> None:
    claims = {
        "X-User": "chief",
        "X-Forwarded-User": "chief",
        "X-Remote-User": "chief",
        "X-Original-URL": ROLES,
        "X-HTTP-Method-Override": "GET",
        "Forwarded": "for=127.0.0.1;by=chief",
    }
    assert code_of(browser(http.app).client.get(ROLES, headers=claims)) == (401, "access.unknown")


def test_forwarded_addresses_do_not_spread_the_count(http: Any, admin: Any) -> None:
    """Whoever guesses cannot pretend to come from many places."""
    wrong = [{"name": f"n{n}", "password": "wrong wrong wrong"} for n in range(3)]
    for n, body in enumerate(wrong):
        forged = {"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}"}
        browser(http.app).client.post("/api/v1/sessions", json=body, headers=forged)
    with http.store.reading() as session:
        from expert_pool.registry import SignInTrouble

        kept = session.scalars(select(SignInTrouble).where(SignInTrouble.source.startswith("address:"))).all()
    assert [row.failures for row in kept] == [3]


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nSet-Cookie: ep_session=x",
        "a\nLocation: https://evil.example.org",
        "../../admin",
        "<img src=x onerror=alert(1)>",
        "=cmd|' /C calc'!A0",
        "{{7*7}}",
        "{name.__class__}",
        "admin\u0000",
        "\u202enimda",
        "chief\u200b",
        "'; drop table account; --",
        "\ud800",
    ],
)
def test_no_name_makes_a_header_a_markup_or_a_second_account(http: Any, admin: Any, name: str) -> None:
    import json

    text = json.dumps({"name": name})
    answer = admin.ask("POST", "/accounts", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert "Location" not in answer.headers
    assert "set-cookie" not in answer.headers
    tried = json.dumps({"name": name, "password": PASSWORD})
    sign_in = browser(http.app).client.post(
        "/api/v1/sessions", content=tried, headers={"Content-Type": "application/json"}
    )
    assert sign_in.status_code in (400, 401, 422)
    assert "set-cookie" not in sign_in.headers
    with http.store.reading() as session:
        assert session.scalars(select(Account.name)).all() == ["chief"]


def test_names_that_look_alike_are_one(http: Any, admin: Any) -> None:
    assert code_of(admin.post("/accounts", json={"name": "ＣＨＩＥＦ"})) == (409, "account.name_taken")
    assert code_of(admin.post("/accounts", json={"name": " Chief "})) == (409, "account.name_taken")


@pytest.mark.usefixtures("strong_passwords")
def test_unknown_and_known_names_are_answered_alike_with_as_much_work(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer, one amount of work: a verification with today's parameters, which takes nearly all of the time."""
    account(http.store, "clerk")
    verify, worked, answers = PasswordHasher.verify, [], []

    def counting(self: Any, stored: str, password: str) -> bool:
        worked.append(stored.split("$")[1:4])
        return bool(verify(self, stored, password))

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    client = browser(http.app).client
    for name in ["clerk", "nobody"] * 2:
        answer = client.post("/api/v1/sessions", json={"name": name, "password": "wrong wrong wrong"})
        answers.append((answer.status_code, answer.content, sorted(answer.headers.keys())))
    assert len({(status, body) for status, body, _ in answers}) == 1
    assert len({tuple(headers) for *_, headers in answers}) == 1
    assert worked == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * 4


def test_nobody_raises_themselves_by_any_handle(http: Any) -> None:
    """Every route that changes accounts, asked by accounts without the right, by session and by token."""
    account(http.store, "victim", (Role.AUDITOR, "HR"))
    for role in (Role.COMMITTEE_OFFICE, Role.POOL_MANAGER, Role.DRAW_SUPERVISOR, Role.POLICY_EDITOR):
        name = f"{role}-x"
        account(http.store, name, (role, "HR"))
        person = signed_in(http.app, name)
        token = person.post("/tokens", json={"name": "t"}).json()["token"]
        for method, path, body in (
            ("POST", f"/accounts/{name}/grants", {"role": "administrator"}),
            ("POST", "/accounts", {"name": "mine"}),
            ("POST", "/accounts/victim/password", None),
            ("PATCH", "/accounts/victim", {"disabled": True}),
            ("DELETE", "/accounts/victim/sessions", None),
            ("POST", "/accounts/victim/invitations", None),
        ):
            assert code_of(person.ask(method, path, json=body)) == (403, "access.denied")
            asked = browser(http.app).client.request(
                method, f"/api/v1{path}", json=body, headers=bearer(token)
            )
            assert code_of(asked) == (403, "access.denied")
        wide = person.post("/tokens", json={"name": "t", "scopes": ["accounts.manage"]})
        assert code_of(wide) == (422, "token.scope_beyond")
        unknown = person.post("/tokens", json={"name": "t", "scopes": ["*"]})
        assert code_of(unknown) == (422, "http.invalid")


def test_a_token_outlives_no_role(http: Any, admin: Any) -> None:
    account(http.store, "second", Role.ADMINISTRATOR)
    token = signed_in(http.app, "second").post("/tokens", json={"name": "t"}).json()["token"]
    client = browser(http.app).client
    assert client.get(ROLES, headers=bearer(token)).status_code == 200
    code = admin.get("/accounts/second").json()["grants"][0]["code"]
    admin.delete(f"/accounts/second/grants/{code}")
    assert code_of(client.get(ROLES, headers=bearer(token))) == (403, "access.denied")


def test_the_ledger_and_the_answers_hold_no_secret(http: Any, admin: Any) -> None:
    made = admin.post("/accounts", json={"name": "clerk"}).json()
    token = admin.post("/tokens", json={"name": "t"}).json()["token"]
    with http.store.reading() as session:
        rows = [
            [str(getattr(row, column.key)) for column in row.__table__.columns]
            for table in (LedgerEntry, Account)
            for row in session.scalars(select(table))
        ]
    kept = " ".join(cell for row in rows for cell in row)
    for secret in (made["password"], token, admin.client.cookies["ep_session"], PASSWORD):
        assert secret not in kept
    for path in ("/accounts", "/accounts/clerk", "/tokens", "/own", "/sessions"):
        text = admin.get(path).text
        assert "argon2" not in text
        assert made["password"] not in text
        assert token not in text
