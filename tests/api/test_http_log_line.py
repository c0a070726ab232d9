"""The log line of a request: what it tells, and that nothing anybody typed is in it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from guarded_app import IDENTITY, NAME, PHONE


def test_personal_data_sent_by_every_way_is_in_no_line_of_the_log(make: Any, lines: Any) -> None:
    client = make()
    for name in (NAME, IDENTITY, "li\nsi", 'x\r\n{"event": "forged"}', "\u2028\x1b[31m", "%0aforged"):
        client.get(f"/api/v1/people/{quote(name)}", params={"q": name, "name": NAME})
        client.get("/api/v1/people/x", params={"q": "1", "phone": PHONE}, headers={"X-Name": IDENTITY})
        client.post("/api/v1/people", json={"name": name, "identity": NAME})
        client.post("/api/v1/people", json={"name": NAME, "identity": 1, IDENTITY: 2})
        client.post("/api/v1/people", content=NAME.encode(), headers={"Content-Type": "text/plain"})
        client.get(f"/api/v1/broken/{IDENTITY}")
        client.get(f"/api/v1/raises/{IDENTITY}")
        client.get(f"/{quote(name)}/{IDENTITY}?phone={PHONE}")
        client.get("/healthz", headers={"User-Agent": f"{IDENTITY}", "Referer": f"http://x/?q={PHONE}"})
        client.get("/healthz", headers={"Cookie": f"session={IDENTITY}"})
    text = lines.text()
    escaped = json.dumps(NAME).strip('"')
    for secret in (NAME, escaped, IDENTITY, PHONE, "forged", "li\nsi", "\x1b", "li.ming"):
        assert secret not in text
    read = lines()
    assert len(read) >= 60
    assert {line["route"] for line in read if "route" in line} == {
        "/api/v1/people/{name}",
        "/api/v1/people",
        "/api/v1/broken/{name}",
        "/api/v1/raises/{name}",
        "/healthz",
        "unmatched",
    }


def test_an_error_nobody_foresaw_is_logged_by_its_places(make: Any, lines: Any) -> None:
    answer = make().get(f"/api/v1/raises/{NAME}")
    assert answer.status_code == 500
    assert NAME not in answer.text
    text = lines.text()
    assert "ValueError" in text
    assert "in raises" in text or " raises" in text
    (library,) = [line for line in lines() if line["event"] == "library"]
    assert library["logger"] == "somebody.else"
    assert "said" not in library


def test_an_account_is_logged_as_the_same_stand_in(make: Any, lines: Any) -> None:
    client = make()
    for _ in range(2):
        client.get("/api/v1/mine", headers={"Authorization": "Bearer good"})
    first, second = (line["account"] for line in lines())
    assert first == second
    assert re.fullmatch("[0-9a-f]{12}", first)
