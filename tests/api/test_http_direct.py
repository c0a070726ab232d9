"""The short way for plain questions: it answers what the framework would answer, and leaves to it what is not plain."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from api.http import direct
from expert_pool.accounts import Role
from expert_pool.registry import Expert
from expert_pool.store import open_store

API = "/api/v1"
PLAIN = (
    f"{API}/experts/E04",
    f"{API}/experts/E01/standing?committee=C1",
    f"{API}/experts/E12/standing?committee=C1&on=2026-08-01&policy=cn-title-jilin-2013",
    f"{API}/experts?limit=3",
    f"{API}/experts?limit=2&sort=-name&region=220000",
    f"{API}/experts?q=E0&employer=F",
)
LEFT = (
    f"{API}/experts/E99",
    f"{API}/experts/E99/standing?committee=C1",
    f"{API}/experts?limit=0",
    f"{API}/experts?limit=3&limit=4",
    f"{API}/experts?sort=age",
    f"{API}/experts?q=%E4%B8%93",
    f"{API}/experts?cursor=nonsense",
    f"{API}/experts/E01/standing?committee=C1&on=2026-02-30",
    f"{API}/experts/E01/standing?committee=C1&lang=en",
    f"{API}/experts/E01?unknown=1",
)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was answered the short way, by template."""
    taken: list[str] = []
    real = direct.Direct._answer

    async def answer(self: Any, scope: Any) -> Any:
        written = await real(self, scope)
        if written is not None:
            taken.append(scope["route"].path)
        return written

    monkeypatch.setattr(direct.Direct, "_answer", answer)
    return taken


def _told(answer: Any) -> Any:
    document = answer.json()
    document.pop("known_at", None)  # the moment of asking
    headers = {n: v for n, v in answer.headers.items() if n not in ("x-request-id", "content-length", "date")}
    return answer.status_code, document, headers


@pytest.mark.parametrize("path", [*PLAIN, *LEFT])
def test_both_ways_answer_the_same(
    both_http: Any, ways: list[str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    manager = both_http.sign_in(Role.POOL_MANAGER)
    short = [_told(manager.get(path)) for _ in range(2)]
    assert len(ways) == (2 if path in PLAIN else 0)
    monkeypatch.setattr(direct, "_question", lambda path: None)
    long = _told(manager.get(path))
    assert short == [long, long]
    assert len(ways) == (2 if path in PLAIN else 0)


def test_who_may_not_ask_is_refused_the_usual_way(both_http: Any, ways: list[str]) -> None:
    for role in (Role.POLICY_EDITOR, Role.COMMITTEE_OFFICE):
        assert both_http.sign_in(role).get(f"{API}/experts/E01").status_code == 403
    assert both_http.stranger().get(f"{API}/experts/E01").status_code == 401
    assert ways == []


def test_pages_follow_one_another_the_short_way(http: Any, ways: list[str]) -> None:
    manager, seen, cursor = http.sign_in(Role.POOL_MANAGER), [], ""
    while cursor is not None:
        page = manager.get(f"{API}/experts?limit=5" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [item["code"] for item in page["items"]]
        cursor = page["next"]
    assert seen == sorted(set(seen))
    assert set(ways) == {f"{API}/experts"}


def test_what_another_process_has_committed_is_answered_at_once(both_http: Any, ways: list[str]) -> None:
    manager = both_http.sign_in(Role.POOL_MANAGER)
    before = manager.get(f"{API}/experts/E01")
    with open_store(both_http.store.url, key=both_http.store.key) as other, other.session() as session:
        session.scalars(select(Expert).where(Expert.code == "E01")).one().name = "别处改名"
    after = manager.get(f"{API}/experts/E01")
    assert after.json()["name"] == "别处改名"
    assert after.headers["etag"] != before.headers["etag"]
    assert len(ways) == 2


def test_questions_are_counted_by_their_template(http: Any) -> None:
    manager = http.sign_in(Role.POOL_MANAGER)
    manager.get(f"{API}/experts/E01")
    text = http.app.state.metrics.text().decode()
    assert 'route="/api/v1/experts/{code}"' in text
    assert "E01" not in text
