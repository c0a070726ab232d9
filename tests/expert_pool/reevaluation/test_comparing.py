"""Two schemes on the same people and day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.reevaluation.comparing import SMALL, Comparison, compare
from expert_pool.reevaluation.scheme import MEASURES, load_scheme
from expert_pool.reevaluation.scheme_told import brief, differences, scheme_preset
from expert_pool.registry import Credit
from expert_pool.viewer import Viewer
from solver.errors import Fault

NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)
ON = date(2026, 9, 1)
OFFICE = Viewer.system("office")


@pytest.fixture
def deducted(sqlite_tiny: Tiny) -> Tiny:
    """E04 absent three times, E05 a leak, E06 late three times, E07 once."""
    with clock.fixed(NOW), sqlite_tiny.store.session() as session:
        rows = [("E04", "缺席", -20, m) for m in (2, 4, 6)] + [("E06", "迟到", -10, m) for m in (2, 4, 6)]
        rows += [("E05", "泄露评审信息", -100, 5), ("E07", "迟到", -10, 3)]
        for expert, event, points, month in rows:
            session.add(
                Credit(
                    expert_id=sqlite_tiny.ids["expert"][expert],
                    organiser_id=sqlite_tiny.organiser_id,
                    event=event,
                    points=points,
                    holds_on=date(2026, month, 1),
                    recorded_at=NOW,
                    recorded_by="office",
                )
            )
    return sqlite_tiny


def compared(tiny: Tiny, first: str, second: str) -> Comparison:
    with tiny.store.reading() as session:
        return compare(session, OFFICE, "P1", load_scheme(first), load_scheme(second), ON)


@pytest.fixture
def found(deducted: Tiny) -> Comparison:
    return compared(deducted, "own-default", "sichuan-bid-grades")


@pytest.fixture(autouse=True)
def _held() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


def test_the_matrix_counts_everybody_once_where_the_two_appraisals_put_them(found: Comparison) -> None:
    naive: dict[tuple[str, str], int] = {}
    for number, code in enumerate(found.first.experts):
        other = found.second.experts.index(code)
        pair = (str(found.first.proposal(number).measure), str(found.second.proposal(other).measure))
        naive[pair] = naive.get(pair, 0) + 1
    told = {
        (str(MEASURES[a]), str(MEASURES[b])): int(found.matrix[a, b])
        for a in range(len(MEASURES))
        for b in range(len(MEASURES))
        if found.matrix[a, b]
    }
    assert told == naive
    assert found.moved == sum(number for (a, b), number in naive.items() if a != b)


def test_everybody_whose_measure_changes_is_named_with_the_reasons_of_both(found: Comparison) -> None:
    moves = {one.first.expert: one for one in found.moves()}
    assert len(moves) == found.moved
    absent = moves["E04"]
    assert (str(absent.first.measure), str(absent.second.measure)) == ("exit", "ban")
    assert next(reason.id for reason in absent.first.reasons) == "E"
    gaps = [abs(MEASURES.index(m.first.measure) - MEASURES.index(m.second.measure)) for m in found.moves()]
    assert gaps == sorted(gaps, reverse=True)


def test_groups_hold_everybody_and_small_ones_give_no_share(found: Comparison) -> None:
    document: Any = json.loads(json.dumps(found.document()))
    for by in ("sector", "region", "age"):
        mine = [group for group in document["groups"] if group["by"] == by]
        assert sum(group["size"] for group in mine) == document["experts"]
        assert all((group["first_share"] is None) == (group["size"] < SMALL) for group in mine)
    assert len(found.document(most=1)["moves"]) == 1
    assert found.document(most=1)["moved"] == found.moved


def test_a_scheme_against_itself_moves_nobody(deducted: Tiny) -> None:
    same = compared(deducted, "own-default", "own-default")
    assert (same.moved, list(same.moves())) == (0, [])


def test_two_schemes_differ_in_named_parts_and_a_basis_is_no_difference() -> None:
    first, second = scheme_preset("own-default"), scheme_preset("sichuan-bid-grades")
    found = differences(first, second)
    parts = {(one.part, one.name) for one in found.differences}
    assert {("period", "period"), ("counts", "leaked"), ("grades", "E")} <= parts
    assert differences(first, first).differences == []
    assert brief(first).measures[0] == "keep"


def test_a_name_from_elsewhere_never_opens_a_file() -> None:
    for name in ("/etc/passwd", "../own-default", "own-default.yaml", "owndefault"):
        with pytest.raises(Fault) as refused:
            scheme_preset(name)
        assert refused.value.code == "scheme.unknown"
    assert refused.value.params["nearest"] == "own-default"
