"""Names, national IDs and phones of the made region."""

from __future__ import annotations

import numpy as np

from expert_pool.imports.cells import national_id_holds
from expert_pool.region.names import (
    IMPOSSIBLE_AREA,
    IMPOSSIBLE_PREFIX,
    MARK,
    iso_days,
    name_people,
    national_ids,
    phones,
)


def test_every_name_is_marked_as_made() -> None:
    """Nobody can take a made person for a real one."""
    women = np.arange(500) % 2 == 0
    names = name_people(np.random.default_rng(1), women)
    assert all(name.endswith(MARK) for name in names)
    assert all(2 <= len(name.removesuffix(MARK)) <= 3 for name in names)
    assert len(set(names)) > 400


def test_national_ids_are_valid_distinct_and_of_nobody() -> None:
    """The check digit and the birth date are right, the area does not exist, and no two are alike."""
    born = np.array([0, 0, 0, 5000, 5000, 9999] * 50)
    women = np.arange(len(born)) % 3 == 0
    ids = national_ids(born, women)
    assert len(set(ids)) == len(ids)
    assert all(national_id_holds(i) and i.startswith(IMPOSSIBLE_AREA) for i in ids)
    assert [int(i[16]) % 2 == 0 for i in ids] == women.tolist()
    assert {i[6:14] for i in ids} == {"19700101", "19830910", "19970518"}


def test_phones_have_an_impossible_prefix() -> None:
    """No phone number of mainland China begins with the prefix."""
    numbers = phones(np.random.default_rng(1), 100)
    assert all(len(n) == 11 and n.isdigit() and n.startswith(IMPOSSIBLE_PREFIX) for n in numbers)


def test_days_are_written_as_iso_dates() -> None:
    """Unknown days are written as nothing."""
    days = np.array([0, 20_543])
    assert iso_days(days) == ["1970-01-01", "2026-03-31"]
    assert iso_days(days, np.array([True, False])) == ["", "2026-03-31"]
