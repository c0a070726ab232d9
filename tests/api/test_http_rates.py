"""How often an address, an account and a sign-in may ask."""

from __future__ import annotations

from typing import Any

import pytest

from api.http.guard import network
from api.http.limits import Bucket, Remembered


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = Bucket(2, 3)
    assert [bucket.take(10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take(10.0) == pytest.approx(0.5)
    assert bucket.take(10.5) == 0.0
    assert bucket.take(10.5) > 0
    assert [bucket.take(1000.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_only_so_many_keys_are_remembered() -> None:
    kept: Remembered[int] = Remembered(2)
    for key in "aba":
        kept.of(key, lambda: 0)
    kept.put("c", 1)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (0, None, 1)


def test_who_is_unknown_may_ask_so_often_and_is_told_when_to_come_again(make: Any) -> None:
    client = make(address_rate=0.0001, address_burst=3)
    assert [client.get("/api/v1/mine").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    refused = client.get("/api/v1/mine")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "http.too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 10_000
    assert client.get("/healthz").status_code == 200


def test_forged_tokens_cost_the_address_and_a_good_one_goes_by_its_account(make: Any) -> None:
    client = make(address_rate=0.0001, address_burst=3, account_rate=0.0001, account_burst=4)
    good = {"Authorization": "Bearer good"}
    assert client.get("/api/v1/mine", headers=good).status_code == 200
    forged = [
        client.get("/api/v1/mine", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(4)
    ]
    assert forged == [401, 401, 429, 429]
    assert [client.get("/api/v1/mine", headers=good).status_code for _ in range(5)] == [200] * 4 + [429]


def test_attempts_to_sign_in_have_a_limit_of_their_own(make: Any) -> None:
    client = make(sign_in_rate=0.0001, sign_in_burst=2)
    assert [client.post("/api/v1/sessions").status_code == 429 for _ in range(3)] == [False, False, True]
    assert client.get("/api/v1/people/x").status_code == 200


def test_addresses_are_apart_behind_a_believed_proxy_only(make: Any) -> None:
    believed = make(address_rate=0.0001, address_burst=1, proxies=("198.51.100.7",))
    alone = make(address_rate=0.0001, address_burst=1)
    asked = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(3)]
    assert [believed.get("/api/v1/people/x", headers=each).status_code for each in asked] == [200] * 3
    assert [alone.get("/api/v1/people/x", headers=each).status_code for each in asked] == [200, 429, 429]


def test_a_customer_with_many_ipv6_addresses_is_one() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")
    assert network("fe80::1%eth0") == "fe80::/64"
    assert [network(other) for other in ("198.51.100.7", "testclient", "a:b")] == [
        "198.51.100.7",
        "testclient",
        "a:b",
    ]
