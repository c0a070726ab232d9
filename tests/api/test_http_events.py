"""Streams of a run's events: whole, resumed, alive while nothing happens, cheap."""

from __future__ import annotations

import asyncio
import threading

import pytest
from patience import until

from api.http import events
from expert_pool import runs
from expert_pool.accounts.rights import Grant, Principal, Role

API = "/api/v1"
ASKS = Principal(1, "clerk", (Grant(Role.POOL_MANAGER, None, None),))


@pytest.fixture
def run(both_http):
    """A run of the clerk's that waits."""
    with both_http.store.session() as session:
        return runs.begin(session, ASKS, key=both_http.store.key, kind="tables.export", params={}).code


def _read(text):
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in fields:
            found.append((int(fields["id"]), fields["event"]))
    return found


def test_a_stream_gives_every_event_and_ends_with_the_run(both_http, run):
    client = both_http.sign_in(Role.POOL_MANAGER)

    def end():
        until(lambda: events._open)
        with both_http.store.session() as session:
            runs.cancel(session, ASKS, run)

    ending = threading.Thread(target=end)
    ending.start()
    answer = client.get(f"{API}/runs/{run}/events")
    ending.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert _read(answer.text) == [(1, "queued"), (2, "cancelled")]


def test_a_stream_goes_on_where_its_reader_was(both_http, run):
    client = both_http.sign_in(Role.POOL_MANAGER)
    with both_http.store.session() as session:
        runs.cancel(session, ASKS, run)
    resumed = client.get(f"{API}/runs/{run}/events", headers={"Last-Event-ID": "1"})
    assert _read(resumed.text) == [(2, "cancelled")]
    assert client.get(f"{API}/runs/{run}/events", headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_stream_is_for_who_may_see_the_run(both_http, run):
    other = both_http.sign_in(Role.POOL_MANAGER, account_id=2, actor="other")
    assert other.get(f"{API}/runs/{run}/events").status_code == 404
    assert other.get(f"{API}/runs/RNONE/events").json()["code"] == "runs.run_unknown"
    assert both_http.stranger().get(f"{API}/runs/{run}/events").status_code == 401


class Skipping(asyncio.SelectorEventLoop):
    """A loop whose time passes when everybody sleeps, and then at once."""

    now = 0.0

    def time(self):
        return self.now

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0].when())
        super()._run_once()


def test_a_silent_stream_beats_and_many_streams_look_seldom(monkeypatch):
    """A hundred streams for as long as one lasts, on a clock of their own."""
    monkeypatch.setattr(events, "LONGEST_SECONDS", 10 * events.BEAT_SECONDS)
    looks = 0

    def look(after):
        nonlocal looks
        looks += 1
        return [], False

    async def at_once(do, *given, **_):
        return do(*given)

    async def one():
        return [piece async for piece in events._stream(look, 0)]

    async def many():
        return await asyncio.gather(*(one() for _ in range(100)))

    with asyncio.Runner(loop_factory=Skipping) as runner:
        monkeypatch.setattr(events, "monotonic", runner.get_loop().time)
        monkeypatch.setattr(events.anyio.to_thread, "run_sync", at_once)
        streams = runner.run(many())
        lasted = runner.get_loop().time()
    beats = [pieces.count(b": still here\n\n") for pieces in streams]
    assert set(beats) <= {9, 10}
    assert looks <= 101 + events.LOOKS_PER_SECOND * lasted
