"""Statements that are kept: what the driver is given straight finds what SQLAlchemy's way finds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, select
from tiny_registry import Tiny

from expert_pool.registry import Expert, Gender, Membership, Step
from expert_pool.statements import kept, select_rows
from expert_pool.viewer import Viewer

NOW = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
STEPS = (
    select(
        Membership.id,
        Membership.step,
        Membership.holds_on,
        Membership.recorded_at.label("known"),
        Expert.gender,
    )
    .join(Expert, Expert.id == Membership.expert_id)
    .where(
        Expert.code.in_(bindparam("codes", expanding=True)),
        Membership.holds_on <= bindparam("on"),
        Membership.recorded_at <= bindparam("known_at"),
        Membership.step.in_((Step.ADMITTED, Step.CANDIDATE)),
        Expert.gender.in_(tuple(Gender)) | Expert.gender.is_(None),
    )
    .order_by(Membership.id)
)


@pytest.mark.parametrize("codes", [[], ["E01"], ["E01", "E02", "E05"], [f"E{n:02}" for n in range(1, 13)]])
def test_both_ways_find_the_same_of_lists_of_any_length(tiny: Tiny, codes: list[str]) -> None:
    given = {"codes": codes, "on": date(2026, 9, 1), "known_at": NOW}
    with tiny.store.reading() as session:
        plain = session.execute(STEPS, given).all()
        first, second, third = (select_rows(session, STEPS, given) for _ in range(3))
    assert [tuple(row) for row in plain] == [tuple(row) for row in first]
    assert second == third == [tuple(row) for row in plain]
    assert bool(plain) == bool(codes)
    for fast, row in zip(second, plain, strict=True):
        assert (fast.known, fast.step, fast.gender) == (row.known, row.step, row.gender)
        assert type(fast.step) is type(row.step)


def test_a_list_that_is_long_goes_the_plain_way(tiny: Tiny) -> None:
    given = {"codes": [f"E{n:02}" for n in range(1, 13)] * 60, "on": date(2026, 9, 1), "known_at": NOW}
    with tiny.store.reading() as session:
        found = [select_rows(session, STEPS, given) for _ in range(3)]
        plain = session.execute(STEPS, given).all()
    assert all([tuple(row) for row in rows] == [tuple(row) for row in plain] for rows in found)


def test_a_viewers_name_makes_no_other_statement() -> None:
    @kept
    def built(viewer: Viewer, more: str) -> Any:
        return object()

    one, other = Viewer("li", frozenset({1})), Viewer("wang", frozenset({1}))
    assert built(one, "a") is built(other, "a")
    assert built(one, "a") is not built(one, "b")
    assert built(one, "a") is not built(Viewer("li", frozenset({2})), "a")
