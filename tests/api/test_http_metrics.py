"""Metrics and probes: for whom they are, and what they count."""

from __future__ import annotations

from typing import Any

from guarded_app import IDENTITY, NAME
from sqlalchemy import text

from expert_pool.store import Store, downgrade, upgrade


def test_metrics_count_by_template_and_are_for_this_machine(make: Any) -> None:
    client = make(client=("127.0.0.1", 1))
    client.get(f"/api/v1/people/{NAME}")
    client.get("/api/v1/people/x?q=y")
    client.get(f"/{IDENTITY}")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'expert_pool_requests_total{method="GET",route="/api/v1/people/{name}",status="200"} 1.0',
        'expert_pool_requests_total{method="GET",route="/api/v1/people/{name}",status="422"} 1.0',
        'expert_pool_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'expert_pool_request_seconds_count{method="GET",route="/api/v1/people/{name}"} 2.0',
        "expert_pool_database_up 1.0",
        "expert_pool_ledger_entries_total 0.0",
        "expert_pool_workers_alive 0.0",
        'expert_pool_database_connections{state="used"}',
        "expert_pool_requests_under_way 1.0",
    ):
        assert line in answer.text
    assert IDENTITY not in answer.text
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert make().get("/metrics").status_code == 404


def test_metrics_for_whoever_has_the_token(make: Any) -> None:
    client = make(metrics_token="tell-me")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer tell"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer tell-me"}).status_code == 200


def test_ready_says_what_is_missing(make: Any, sqlite_store: Store) -> None:
    client = make()
    assert client.get("/readyz").json() == {
        "ready": True,
        "database": True,
        "migrations": True,
        "key": True,
        "stopping": False,
        "workers": 0,
    }
    client.app.state.traffic.stopping = True
    stopping = client.get("/readyz")
    assert (stopping.status_code, stopping.json()["stopping"]) == (503, True)
    client.app.state.traffic.stopping = False
    with sqlite_store.session() as session:
        session.execute(text("update installation set key_check = 'another'"))
    rotated = client.get("/readyz")
    assert (rotated.status_code, rotated.json()["key"]) == (503, False)
    with sqlite_store.engine.begin() as connection:
        connection.execute(
            text("update installation set key_check = :own"), {"own": sqlite_store.key.check()}
        )
    downgrade(sqlite_store, "0002")
    behind = client.get("/readyz")
    assert (behind.status_code, behind.json()["migrations"]) == (503, False)
    upgrade(sqlite_store)
    assert client.get("/readyz").status_code == 200
