"""Names of what records name by codes: as far as a viewer may know them."""

from __future__ import annotations

from tiny_registry import Tiny

from expert_pool.called import called
from expert_pool.viewer import Viewer
from expert_pool.words import say

WANTED = {
    "experts": ["E01", "nobody"],
    "pools": ["P1"],
    "committees": ["C1"],
    "employers": ["U"],
    "panels": ["D1"],
}


def test_names_are_said_of_what_is_there_and_may_be_known(sqlite_tiny: Tiny, system: Viewer) -> None:
    with sqlite_tiny.store.reading() as session:
        found = called(session, system, WANTED, sqlite_tiny.meets_on)
        elsewhere = called(session, Viewer("x", organisers=frozenset()), WANTED, sqlite_tiny.meets_on)
    assert {("experts", "E01"), ("pools", "P1"), ("committees", "C1"), ("employers", "U")} == found.keys()
    assert all(found.values())
    assert not {("experts", "E01"), ("pools", "P1"), ("committees", "C1")} & elsewhere.keys()


def test_a_day_among_words_of_ours_is_written_as_the_language_writes_days() -> None:
    told = {"fact": "last_served", "op": "lt", "than": "2026-03-05"}
    assert "2026年3月5日" in say("test.other", "zh", **told)
    assert "5 March 2026" in say("test.other", "en", **told)
