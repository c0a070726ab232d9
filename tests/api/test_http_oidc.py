"""Signing in at an identity provider: the whole way, against a provider that is a server process of its own."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from refused import refused
from signed_in_people import OWNER, Browser, account, browser

from api.http.app import create_app
from api.http.oidc import CALLBACK, Provider
from api.http.service import Service
from api.settings import Settings
from expert_pool.accounts import Role, linking, managing

PROVIDER = """
import sys
from oidc_provider_mock import run_server_in_thread
with run_server_in_thread() as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider, as a process; its issuer."""
    command = [sys.executable, "-W", "ignore", "-c", PROVIDER]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://localhost:{int(process.stdout.readline())}"
    finally:
        process.communicate()  # the end of its input ends it


@pytest.fixture
def settings(issuer: str) -> Settings:
    return Settings(
        public_url="http://testserver", oidc_issuer=issuer, oidc_client_id="pool", oidc_client_secret="s3cret"
    )


@pytest.fixture
def app(http: Any, settings: Settings) -> Any:
    return create_app(Service(http.store, http.jobs, settings))


def at_provider(url: str, subject: str) -> str:
    """Sign in at the provider as its form does; where it sends the browser back to."""
    with httpx.Client(follow_redirects=False) as person:
        answer = person.post(url, data={"sub": subject})
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"]


def whole_way(someone: Browser, subject: str, invitation: str | None = None) -> Any:
    asked = {} if invitation is None else {"invitation": invitation}
    leaving = someone.client.get("/api/v1/sign-in/oidc", params=asked)
    assert leaving.status_code == 303
    return someone.client.get(at_provider(leaving.headers["location"], subject))


def invited(http: Any, issuer: str, name: str = "clerk") -> str:
    with http.store.session() as session:
        return linking.invite(session, OWNER, managing.find(session, OWNER, name), issuer)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_somebody_invited_signs_in_and_ever_after_without(http: Any, app: Any, issuer: str) -> None:
    account(http.store, "clerk", (Role.COMMITTEE_OFFICE, "HR"))
    code = invited(http, issuer)
    first = browser(app)
    back = whole_way(first, "alice", code)
    assert (back.status_code, "url=/" in back.text) == (200, True)  # no redirect: see `_COME_BACK`
    assert "SameSite=strict" in back.headers["set-cookie"]
    assert first.get("/sessions/current").json()["account"] == "clerk"
    assert first.get("/sessions").json()["items"][0]["method"] == "oidc"
    again = browser(app)
    assert whole_way(again, "alice").status_code == 200
    assert again.get("/sessions/current").json()["account"] == "clerk"
    assert code_of(whole_way(browser(app), "alice", code)) == (401, "access.invitation_bad")


def test_nobody_is_linked_by_what_the_provider_calls_them(http: Any, app: Any, issuer: str) -> None:
    account(http.store, "clerk", (Role.COMMITTEE_OFFICE, "HR"))
    answer = whole_way(browser(app), "clerk")
    assert code_of(answer) == (401, "access.not_linked")
    assert "ep_session" not in answer.headers.get("set-cookie", "")
    person = browser(app)
    person.client.headers["accept"] = "text/html"
    page = whole_way(person, "clerk")
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert code_of(whole_way(browser(app), "mallory", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa")) == (
        401,
        "access.invitation_bad",
    )


def test_what_is_sent_to_the_provider(app: Any, issuer: str) -> None:
    leaving = browser(app).client.get("/api/v1/sign-in/oidc")
    asked = {
        name: values[0] for name, values in parse_qs(urlsplit(leaving.headers["location"]).query).items()
    }
    assert leaving.headers["location"].startswith(issuer)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert (asked["scope"], asked["response_type"]) == ("openid", "code")
    cookie = leaving.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", f"Path={CALLBACK}"} < set(cookie.split("; "))
    for secret in (asked["state"], asked["nonce"]):
        assert secret not in cookie
    again = browser(app).client.get("/api/v1/sign-in/oidc").headers["location"]
    assert parse_qs(urlsplit(again).query)["state"] != [asked["state"]]


def test_another_browsers_answer_is_refused(http: Any, app: Any, issuer: str) -> None:
    """An attacker's own answer, given to a victim (login CSRF), or a victim's stolen one."""
    account(http.store, "clerk")
    attacker, victim = browser(app), browser(app)
    leaving = attacker.client.get("/api/v1/sign-in/oidc", params={"invitation": invited(http, issuer)})
    back = at_provider(leaving.headers["location"], "alice")
    assert code_of(victim.client.get(back)) == (401, "access.oidc_state")
    victim.client.get("/api/v1/sign-in/oidc")
    assert code_of(victim.client.get(back)) == (401, "access.oidc_state")
    assert code_of(attacker.client.get(back.replace("state=", "state=x"))) == (401, "access.oidc_state")
    assert attacker.client.get(back).status_code == 200
    assert code_of(attacker.client.get(back)) == (401, "access.oidc_state")  # a replay


def test_an_answer_that_comes_too_late_is_refused(app: Any) -> None:
    late = browser(app)
    with time_machine.travel(-timedelta(minutes=11), tick=True):
        back = at_provider(late.client.get("/api/v1/sign-in/oidc").headers["location"], "alice")
        cookie = late.client.cookies["ep_oidc"]
    late.client.cookies.set("ep_oidc", cookie, path=CALLBACK)
    assert code_of(late.client.get(back)) == (401, "access.oidc_state")


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "e30=", "é"])
def test_a_forged_memory_is_refused(app: Any, cookie: str) -> None:
    answer = browser(app).client.get(
        f"{CALLBACK}?state=s&code=c", headers={"Cookie": f"ep_oidc={cookie}".encode()}
    )
    assert code_of(answer) == (401, "access.oidc_state")


def test_a_code_the_provider_does_not_know_is_refused(app: Any) -> None:
    forging = browser(app)
    back = at_provider(forging.client.get("/api/v1/sign-in/oidc").headers["location"], "alice")
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert code_of(forging.client.get(f"{CALLBACK}?state={state}&code=forged")) == (
        401,
        "access.oidc_refused",
    )
    other = f"{back}&iss=https://evil.example.org"
    assert code_of(forging.client.get(other)) == (401, "access.oidc_refused")


def test_a_provider_that_is_not_the_one_set_up_is_refused(http: Any, settings: Settings, issuer: str) -> None:
    """Another issuer in the metadata, another client's token, plain http beyond this machine, nobody there."""
    key = http.store.key
    host = issuer.replace("127.0.0.1", "localhost")
    for changed in (
        {"oidc_issuer": issuer + "/"},
        {"oidc_issuer": "http://198.51.100.1"},
        {"oidc_issuer": "http://127.0.0.1:9"},
    ):
        with refused("access.oidc_unreachable"):
            Provider(settings.model_copy(update=changed), key).leave(None)
    assert Provider(settings.model_copy(update={"oidc_issuer": host}), key).leave(None)
    with refused("access.oidc_off"):
        Provider(settings.model_copy(update={"public_url": ""}), key)


def test_an_id_token_must_be_meant_for_us_and_answer_our_question(
    settings: Settings, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from joserfc import jwk, jwt

    key, other = jwk.RSAKey.generate_key(2048, {"kid": "k"}), jwk.RSAKey.generate_key(2048, {"kid": "k"})
    provider, said = Provider(settings, http.store.key), {"id_token": "", "access_token": "a"}
    provider.leave(None)
    provider._keys = jwk.KeySet([key])
    monkeypatch.setattr(provider, "_token", lambda code, verifier: said)
    now = int(time.time())
    good = {
        "iss": settings.oidc_issuer,
        "aud": "pool",
        "sub": "alice",
        "nonce": "n",
        "iat": now,
        "exp": now + 3600,
    }
    kept = {"n": "n", "v": "v", "i": None}

    def says(claims: dict[str, Any], signing: Any = key, alg: str = "RS256") -> Any:
        said["id_token"] = jwt.encode({"alg": alg, "kid": "k"}, claims, signing, algorithms=[alg])
        return provider._claims("code", kept)

    assert says(good)["sub"] == "alice"
    bad = [
        {**good, "iss": "https://evil.example.org"},
        {**good, "aud": "another"},
        {**good, "aud": ["pool", "another"]},
        {**good, "nonce": "other"},
        {name: value for name, value in good.items() if name != "nonce"},
        {**good, "exp": now - 120},
        {name: value for name, value in good.items() if name != "exp"},
        {name: value for name, value in good.items() if name != "sub"},
    ]
    for claims in bad:
        with refused("access.oidc_refused"):
            says(claims)
    with refused("access.oidc_refused"):
        says(good, signing=other)
    with refused("access.oidc_refused"):  # the public key taken for a shared secret
        head, body = (_part({"alg": "HS256", "kid": "k"}), _part(good))
        seal = hmac.digest(key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
        said["id_token"] = f"{head}.{body}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"
        provider._claims("code", kept)
    with refused("access.oidc_refused"):
        said["id_token"] = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
        provider._claims("code", kept)


def test_a_provider_that_changed_its_keys_is_asked_for_the_new_ones(
    settings: Settings, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from joserfc import jwk, jwt

    provider = Provider(settings, http.store.key)
    provider.leave(None)
    old, new = (jwk.RSAKey.generate_key(2048, {"kid": name}) for name in ("old", "new"))
    provider._keys = jwk.KeySet([old])
    claims = {"iss": settings.oidc_issuer, "aud": "pool", "sub": "alice", "nonce": "n"}
    now = int(time.time())
    signed = jwt.encode({"alg": "RS256", "kid": "new"}, {**claims, "iat": now, "exp": now + 60}, new)
    monkeypatch.setattr(provider, "_token", lambda code, verifier: {"id_token": signed})
    kept = {"n": "n", "v": "v", "i": None}
    with refused("access.oidc_refused"):  # nor does the provider know it
        provider._claims("code", kept)
    monkeypatch.setattr(jwk.KeySet, "import_key_set", lambda said: jwk.KeySet([old, new]))
    assert provider._claims("code", kept)["sub"] == "alice"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_without_a_provider_nobody_is_sent_anywhere(http: Any) -> None:
    alone = browser(http.app)
    assert alone.client.get("/api/v1/sign-in").json() == {"password": True, "oidc": False}
    assert code_of(alone.client.get("/api/v1/sign-in/oidc")) == (404, "access.oidc_off")
