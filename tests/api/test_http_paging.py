"""Walking a list sees every row once, whatever is added meanwhile."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.http.paging import mark_of, read, write
from expert_pool.accounts.rights import Role
from solver.errors import Fault

API = "/api/v1"


def _enter(client, code, name):
    new = {"code": code, "name": name, "organiser": "HR"}
    assert client.post(f"{API}/pools", json=new).status_code == 201


POOL = st.tuples(st.text("abXY09", min_size=1, max_size=4), st.sampled_from("甲乙丙"))
_turn = itertools.count()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sort=st.sampled_from(["code", "-code", "name", "-name"]),
    limit=st.integers(1, 4),
    before=st.lists(POOL, unique_by=lambda pool: pool[0], max_size=4),
    during=st.lists(POOL, unique_by=lambda pool: pool[0], max_size=4),
)
def test_a_walk_sees_every_row_once_while_others_are_added(http, sort, limit, before, during):
    client, turn = http.sign_in(Role.POOL_MANAGER), next(_turn)
    for code, name in before:
        _enter(client, f"{code}-{turn}", name)
    there = {item["code"] for item in client.get(f"{API}/pools?limit=500").json()["items"]}
    coming = [(f"{code}.{turn}", name) for code, name in during]
    seen, cursor = [], None
    while True:
        asked = {"limit": limit, "sort": sort} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"{API}/pools", params=asked).json()
        seen += [item["code"] for item in page["items"]]
        cursor = page["next"]
        if coming:
            _enter(client, *coming.pop())
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_experts_of_one_name_are_all_seen_on_both_databases(both_http):
    client = both_http.sign_in(Role.POOL_MANAGER)
    for n in range(5):
        new = {"code": f"Z{n}", "name": "重名（虚构）", "region": "220000", "pool": "P1"}
        assert client.post(f"{API}/experts", json=new).status_code == 201
    for sort in ("name", "-name", "code", "-code"):
        seen, cursor = [], None
        while True:
            asked = {"limit": 2, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = client.get(f"{API}/experts", params=asked).json()
            seen += [item["code"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == sorted([f"E{n:02}" for n in range(1, 13)] + [f"Z{n}" for n in range(5)])


def test_states_are_walked_a_short_page_at_a_time(http, monkeypatch):
    from expert_pool import directory

    monkeypatch.setattr(directory, "_CHUNK", 2)
    monkeypatch.setattr(directory, "MOST_WALKED", 4)
    client = http.sign_in(Role.POOL_MANAGER)
    seen, cursor, pages = [], None, 0
    while True:
        asked = {"limit": 3, "pool": "P1", "state": "exited"} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"{API}/experts", params=asked).json()
        seen += [item["code"] for item in page["items"]]
        cursor, pages = page["next"], pages + 1
        if cursor is None:
            break
    assert seen == ["E12"]
    assert pages > 1


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WyJ4Il0", "é", "AAAA", "WzFd" * 100])
def test_a_cursor_that_does_not_hold_is_refused(http, cursor):
    answer = http.sign_in(Role.POOL_MANAGER).get(f"{API}/pools?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "paging.cursor")


def test_a_cursor_belongs_to_its_filters(http):
    client = http.sign_in(Role.POOL_MANAGER)
    cursor = client.get(f"{API}/experts?limit=1").json()["next"]
    assert client.get(f"{API}/experts?limit=5&cursor={cursor}").status_code == 200
    assert client.get(f"{API}/experts?limit=1&sort=name&cursor={cursor}").status_code == 422
    assert client.get(f"{API}/experts?limit=1&q=E&cursor={cursor}").status_code == 422


@given(st.lists(st.one_of(st.integers(), st.text(), st.none()), min_size=1))
def test_a_cursor_says_what_was_put_into_it_or_nothing(values):
    mark = mark_of({"q": "x"})
    try:
        written = write(mark, values)
    except (TypeError, UnicodeEncodeError):
        return  # orjson takes 64 bits and no lone surrogates, as databases do
    assert read(written, mark) == values
    with pytest.raises(Fault):
        read(written, mark_of({"q": "y"}))
