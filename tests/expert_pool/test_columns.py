"""Rows as arrays: the same as plain rows, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tiny_registry import Tiny

from expert_pool import records
from expert_pool.columns import (
    Scope,
    add_years,
    as_date,
    best_row,
    distinct,
    fetch,
    full_years,
    mapped,
    place,
    rows_where_standing,
    take,
    truth,
    years_after,
)
from expert_pool.registry import Credit, Employment, Expert, Gender, Membership
from expert_pool.viewer import Viewer
from solver.facts import MISSING, day

DATES = st.dates(date(1800, 1, 1), date(2200, 12, 31))


def test_fetch_gives_what_plain_rows_say(tiny: Tiny) -> None:
    """Numbers, dates, truths, words and texts, with nothing where there is nothing."""
    with tiny.store.session() as session:
        session.get_one(Expert, tiny.ids["expert"]["E05"]).born = None
        session.get_one(Expert, tiny.ids["expert"]["E06"]).gender = None
        session.get_one(Expert, tiny.ids["expert"]["E07"]).name = "王，小,明"
    columns = {
        "id": Expert.id,
        "born": Expert.born,
        "gender": place(Expert.gender, tuple(Gender)),
        "late": func.coalesce(Expert.born, date(1950, 2, 28)),
        "woman": truth(Expert.gender == Gender.FEMALE),
    }
    with tiny.store.reading() as session:
        arrays, words = fetch(session, columns, [Expert.id > 3], {"name": Expert.name})
        plain = session.scalars(select(Expert).where(Expert.id > 3)).all()
    found = sorted(zip(*(arrays[name].tolist() for name in columns), words["name"], strict=True))
    genders = list(Gender)
    assert found == sorted(
        (
            e.id,
            day(e.born) if e.born else MISSING,
            genders.index(e.gender) if e.gender else MISSING,
            day(e.born or date(1950, 2, 28)),
            int(e.gender == Gender.FEMALE),
            e.name,
        )
        for e in plain
    )


def test_fetch_of_no_rows_is_empty(tiny: Tiny) -> None:
    with tiny.store.reading() as session:
        arrays, words = fetch(session, {"born": Expert.born}, [Expert.id < 0], {"name": Expert.name})
    assert arrays["born"].tolist() == []
    assert words["name"] == []


def test_standing_rows_are_those_of_records(tiny: Tiny, system: Viewer) -> None:
    """Void rows, corrected rows and rows recorded later drop out, at any moment, as `records.standing` says."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with tiny.store.session() as session:
        ids = [_credit(session, tiny, start, None, -1)]
        ids.append(_credit(session, tiny, start + timedelta(days=1), ids[0], -2))
        ids.append(_credit(session, tiny, start + timedelta(days=2), ids[1], -2, void=True))
        ids.append(_credit(session, tiny, start + timedelta(days=3), None, -7))
    scope = Scope(np.array(sorted(tiny.ids["expert"].values())), whole=True)
    with tiny.store.reading() as session:
        for moment in (start + timedelta(hours=h) for h in (-1, 0, 23, 24, 47, 48, 72)):
            rows = scope.fetch(session, Credit, {"points": Credit.points}, known_at=moment)
            plain = session.execute(select(Credit.id, Credit.points).where(records.standing(Credit, moment)))
            found = zip(rows["row"].tolist(), rows["points"].tolist(), strict=True)
            assert sorted(found) == sorted(plain)


def test_scopes_by_pool_and_by_name_agree(tiny: Tiny) -> None:
    """Reading everything, the pool's rows, or those of named experts gives the same rows."""
    ids = np.array(sorted(tiny.ids["expert"].values())[::-1])
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    found = []
    with tiny.store.reading() as session:
        for scope in (Scope(ids), Scope(ids, tiny.pool_id), Scope(ids, whole=True)):
            rows = scope.fetch(session, Employment, {"employer": Employment.employer_id}, known_at=moment)
            found.append(sorted(zip(rows["expert"].tolist(), rows["employer"].tolist(), strict=True)))
        some = Scope(ids[2:5], whole=True).fetch(session, Membership, {}, known_at=moment)
    assert found[0] == found[1] == found[2]
    assert sorted(set(some["expert"].tolist())) == [0, 1, 2]


def test_a_later_correction_is_not_known_before(tiny: Tiny) -> None:
    """`rows_where_standing` alone looks at corrections only."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with tiny.store.session() as session:
        old = _credit(session, tiny, start, None, -1)
        new = _credit(session, tiny, start + timedelta(days=1), old, -2)
    rows = {"row": np.array([old, new])}
    with tiny.store.reading() as session:
        before = rows_where_standing(session, Credit, rows, start)
        after = rows_where_standing(session, Credit, rows, start + timedelta(days=1))
    assert before["row"].tolist() == [old, new]
    assert after["row"].tolist() == [new]


def test_best_row_takes_the_greatest_by_the_first_key_first() -> None:
    owner, first, second = np.array([0, 0, 0, 2]), np.array([5, 7, 7, -3]), np.array([9, 1, 2, 0])
    assert best_row(4, owner, first, second).tolist() == [2, -1, 3, -1]
    assert take(np.array([10, 20, 30, 40]), np.array([2, -1])).tolist() == [30, MISSING]
    assert take(np.empty(0, dtype=np.int64), np.array([-1])).tolist() == [MISSING]


def test_mapped_and_distinct_pass_over_what_is_missing() -> None:
    ids = np.array([4, MISSING, 2, 4])
    assert distinct(ids) == [2, 4]
    assert mapped(ids, {4: 1}).tolist() == [1, MISSING, MISSING, 1]
    assert mapped(ids, {}).tolist() == [MISSING] * 4


@given(st.lists(DATES, min_size=1, max_size=20), DATES)
def test_full_years_are_birthdays(born: list[date], on: date) -> None:
    """A year is full on the same day of the year, or on 1 March for those born on 29 February."""
    years = full_years(np.array([day(b) for b in born]), on).tolist()
    assert years == [on.year - b.year - ((on.month, on.day) < (b.month, b.day)) for b in born]
    assert full_years(np.array([MISSING]), on).tolist() == [MISSING]


@given(DATES, st.integers(0, 50))
def test_so_many_years_are_full_on_the_day_after_their_last(since: date, years: int) -> None:
    later = as_date(int(add_years(np.array([day(since)]), years)[0]))
    assert full_years(np.array([day(since)]), later)[0] == years
    assert years == 0 or full_years(np.array([day(since)]), years_after(since, years))[0] == years - 1


@given(st.lists(st.none() | DATES, max_size=30))
def test_days_are_read_from_text(dates: list[date | None]) -> None:
    """Fixed-width dates and gaps become day numbers and MISSING."""
    from expert_pool.columns import _days

    text = ",".join(d.isoformat() if d else "0000-00-00" for d in dates)
    assert _days(text, len(dates)).tolist() == [day(d) if d else MISSING for d in dates]


@pytest.mark.parametrize("ids", [[], [3]])
def test_an_empty_or_small_scope_knows_its_indices(ids: list[int]) -> None:
    scope = Scope(np.array(ids, dtype=np.int64))
    assert scope.index(np.array([3, 9])).tolist() == ([0, -1] if ids else [-1, -1])


def _credit(
    session: Session, tiny: Tiny, at: datetime, corrects: int | None, points: int, void: bool = False
) -> int:
    row = Credit(
        expert_id=tiny.ids["expert"]["E01"],
        event="迟到",
        points=points,
        holds_on=date(2025, 12, 1),
        recorded_at=at,
        recorded_by="office",
        void=void,
        organiser_id=tiny.organiser_id,
        corrects_id=corrects,
    )
    session.add(row)
    session.flush()
    return row.id
