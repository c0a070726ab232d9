"""The three filings: in force or not, and which is lacking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tiny_registry import Tiny

from expert_pool.filings import FilingGap, filings_missing, unfiled
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import Committee, Filing, FilingKind, Form, Level, Outcome, Role, Service
from expert_pool.viewer import Viewer
from expert_pool.words import say

KNOWN = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """Three years of force, all three kinds due."""
    loaded = load("cn-title-jilin-2013")
    return replace(loaded, terms=replace(loaded.terms, filing_years=3))


def gaps(tiny: Tiny, policy: Policy, on: date = date(2026, 9, 20), **more: Any) -> list[FilingGap]:
    with tiny.store.reading() as session:
        given = {"committee_id": tiny.committee_id, "known_at": KNOWN, **more}
        return filings_missing(session, Viewer.system("office"), on=on, policy=policy, **given)


def add(tiny: Tiny, row: Any) -> int:
    with tiny.store.session() as session:
        if not isinstance(row, Committee):
            row.recorded_at, row.recorded_by = KNOWN, "office"
        row.organiser_id = tiny.organiser_id
        session.add(row)
        session.flush()
        identity: int = row.id
        return identity


def brief(found: list[FilingGap]) -> list[tuple[str, str, bool]]:
    return [(gap.kind.value, gap.lack, gap.bars) for gap in found]


def test_all_in_force(tiny: Tiny, policy: Policy) -> None:
    """The small registry filed everything on 10 January 2025, until the end of 2027."""
    assert gaps(tiny, policy) == []


def test_before_after_and_never(tiny: Tiny, policy: Policy) -> None:
    """Not yet in force, over after the last day, over when the policy's years are, not on record."""
    both = ["pool", "committee"]
    assert brief(gaps(tiny, policy, date(2025, 1, 9))) == [(kind, "not_yet", True) for kind in both]
    assert gaps(tiny, policy, date(2027, 12, 31)) == []
    late = gaps(tiny, policy, date(2028, 1, 1))
    assert [(gap.lack, gap.until) for gap in late] == [("expired", date(2027, 12, 31))] * 2
    short = replace(policy, terms=replace(policy.terms, filing_years=1))
    assert [gap.until for gap in gaps(tiny, short)] == [date(2026, 1, 9)] * 2
    never = gaps(tiny, policy, known_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert brief(never) == [(kind, "absent", True) for kind in both]
    assert all(gap.basis for gap in never)


def test_a_pools_filing_serves_every_committee_of_the_pool(sqlite_tiny: Tiny, policy: Policy) -> None:
    """The committee's own does not."""
    second = Committee(
        code="C2", name="二", pool_id=sqlite_tiny.pool_id, level=Level.MID, form=Form.SOCIAL, series="x"
    )
    found = gaps(sqlite_tiny, policy, committee_id=add(sqlite_tiny, second))
    assert brief(found) == [("committee", "absent", True)]


def test_only_what_the_policy_asks_for_is_missed(sqlite_tiny: Tiny, policy: Policy) -> None:
    nothing = replace(policy, filings={})
    assert gaps(sqlite_tiny, nothing, date(2030, 1, 1)) == []


def test_results_of_earlier_seasons_are_reported_and_bar_nobody(tiny: Tiny, policy: Policy) -> None:
    """Seasons 2023 and 2024 sat in autumn; the one results filing of January 2025 serves 2024."""
    for season in (2023, 2024, 2026):
        seat = {"season": season, "panel": f"C1-{season}", "role": Role.MEMBER, "outcome": Outcome.ATTENDED}
        person = {"expert_id": tiny.ids["expert"]["E01"], "committee_id": tiny.committee_id}
        add(tiny, Service(**person, **seat, holds_on=date(season, 8, 20)))
    found = gaps(tiny, policy, season=2026)
    assert [(gap.kind, gap.season, gap.bars) for gap in found] == [(FilingKind.RESULTS, 2023, False)]
    assert "2023" in say(found[0].says().code, "zh", **found[0].says().params)
    late = {"kind": FilingKind.RESULTS, "reference": "补", "holds_on": date(2026, 5, 1)}
    add(tiny, Filing(committee_id=tiny.committee_id, **late, until=date(2029, 5, 1)))
    assert gaps(tiny, policy, season=2026) == []


@pytest.mark.parametrize(
    ("filed", "missing"),
    [
        ([], [2021, 2022, 2023]),
        ([date(2022, 2, 1), date(2023, 2, 1), date(2024, 2, 1)], []),
        ([date(2024, 2, 1)], [2021, 2022]),
        ([date(2023, 2, 1), date(2024, 2, 1)], [2021]),
        ([date(2024, 2, 1), date(2024, 3, 1)], [2021]),
        ([date(2021, 10, 1)], [2021, 2022, 2023]),
        ([date(2021, 11, 1)], [2022, 2023]),
    ],
)
def test_which_seasons_a_results_filing_serves(filed: list[date], missing: list[int]) -> None:
    """Each season ended on 1 November; a filing serves the season just over, a second one the latest without."""
    ends = [(season, date(season, 11, 1)) for season in (2023, 2021, 2022)]
    assert unfiled(ends, filed) == missing


def test_gaps_have_words(sqlite_tiny: Tiny, policy: Policy) -> None:
    for on in (date(2025, 1, 9), date(2028, 1, 1)):
        for gap in gaps(sqlite_tiny, policy, on):
            said = gap.says()
            assert all(
                say(said.code, lang, **said.params).startswith(said.code) is False for lang in ("zh", "en")
            )
