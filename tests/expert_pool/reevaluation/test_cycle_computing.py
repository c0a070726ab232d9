"""A cycle is computed while others write; what it should have known makes it computed anew, everything else does not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from cycle_office import AS_OF, misbehave, on, person, sizes, sound
from tiny_registry import Tiny

from expert_pool import records
from expert_pool.reevaluation import cycle, evaluating
from expert_pool.reevaluation.evaluating import compute_cycle
from expert_pool.reevaluation.scheme import load_scheme
from expert_pool.registry import Credit, CycleState, Expert

EARLIER = [("E07", "缺席", date(2026, 5, 9))]


@pytest.fixture
def opened(tiny: Tiny) -> str:
    misbehave(tiny)
    with on(0), tiny.store.session() as session:
        return cycle.open_(session, person(tiny, "clerk"), "P1", load_scheme("own-default"), AS_OF)


def added(tiny: Tiny) -> None:
    """A record that somebody writes now."""
    with tiny.store.session() as session:
        row = Credit(
            expert_id=tiny.ids["expert"]["E06"], organiser_id=tiny.organiser_id, event="泄露评审信息", points=0,
            holds_on=date(2026, 5, 9),
        )  # fmt: skip
        records.record(session, person(tiny, "other"), row)


def test_what_is_written_meanwhile_is_not_known_and_does_not_hold_anything_up(
    tiny: Tiny, opened: str
) -> None:
    clerk = person(tiny, "clerk")
    with on(0), tiny.store.reading() as reading:
        found = cycle.computed(reading, clerk, opened)
        assert found is not None
        with on(1):
            added(tiny)  # goes through while the cycle is read
    with on(1), tiny.store.session() as session:
        assert cycle.keep(session, clerk, opened, found)
        view = cycle.show(session, clerk, opened)
        assert (view.state, view.counts["ban"], view.known_at) == (CycleState.COMPUTED, 1, found.known_at)
    with on(1), tiny.store.session() as session:
        assert cycle.same(session, clerk, opened)
        before = sizes(session)
        assert cycle.keep(session, clerk, opened, found)
        assert cycle.computed(session, clerk, opened) is None
        assert sizes(session) == before
        sound(session)


@pytest.mark.parametrize("change", ["backdated", "in_place"])
def test_what_should_have_been_known_makes_it_computed_anew(tiny: Tiny, opened: str, change: str) -> None:
    clerk = person(tiny, "clerk")
    with on(0), tiny.store.reading() as reading:
        found = cycle.computed(reading, clerk, opened)
    assert found is not None
    if change == "backdated":
        misbehave(tiny, EARLIER)  # recorded long before the cycle's moment, written only now
    else:
        from expert_pool import ledger

        with on(1), tiny.store.session() as session:
            expert = session.get_one(Expert, tiny.ids["expert"]["E08"])
            expert.born = date(1930, 1, 1)
            session.flush()
            ledger.append(
                session, organiser_id=tiny.organiser_id, actor="office", action="change", subject="E08",
                payload={}, rows=[expert],
            )  # fmt: skip
    with on(1), tiny.store.session() as session:
        before = sizes(session)
        assert not cycle.keep(session, clerk, opened, found)
        assert sizes(session) == before
        assert cycle.show(session, clerk, opened).state is CycleState.OPEN


@pytest.mark.parametrize("times", [1, 99])
def test_it_ends_however_much_others_write(
    sqlite_tiny: Tiny, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Overtaken once it is computed again; overtaken again and again it makes the others wait."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk = person(tiny, "clerk")
    with on(0), tiny.store.session() as session:
        code = cycle.open_(session, clerk, "P1", load_scheme("own-default"), AS_OF)
    done: list[int] = []
    truly: Any = cycle.keep

    def keep(*asked: Any) -> bool:
        done.append(1)
        return len(done) > times and truly(*asked)

    monkeypatch.setattr(cycle, "keep", keep)
    with on(0):
        compute_cycle(tiny.store, clerk, code)
    assert len(done) == min(times + 1, evaluating.TRIES)
    with on(0), tiny.store.reading() as session:
        assert cycle.show(session, clerk, code).state is CycleState.COMPUTED
        assert cycle.same(session, clerk, code)
