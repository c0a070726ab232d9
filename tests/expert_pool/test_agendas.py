"""Review groups: cases of one specialty together, tiny ones merged, seats by the number of cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_registry import Tiny

from expert_pool.agendas import Application, Fields, Grouping, fields_on, form_groups, seats_by_cases
from expert_pool.policies.load import load
from expert_pool.policies.policy import Override, Policy
from expert_pool.words import known
from solver.errors import Fault
from solver.problem import Specialties

POLICY = load("cn-title-jilin-2013")
# Two series: 07 with specialties 0701, 0702; 08 with 0801..0805. Each specialty has two sub-specialties.
FIELDS = ("0701", "0702", "0801", "0802", "0803", "0804", "0805")
CATALOGUE = Specialties(
    tuple(f + n for f in FIELDS for n in ("01", "02")),
    tuple(f"sub {f}{n}" for f in FIELDS for n in ("01", "02")),
    tuple(f for f in FIELDS for _ in range(2)),
)
TREE = Fields({f: f"field {f}" for f in FIELDS}, {f: f[:2] for f in FIELDS})


def cases(directed: int = 0, **counts: int) -> list[Application]:
    """So many cases of each specialty (`f0801=10`), alternately of its two sub-specialties; `directed` more of 0801."""
    found = []
    for name, count in counts.items():
        first = CATALOGUE.code.index(name[1:] + "01")
        found += [Application(f"{name}-{i}", first + i % 2) for i in range(count)]
    first = CATALOGUE.code.index("080101")
    return found + [Application(f"d-{i}", first, directed=True) for i in range(directed)]


def formed(applications: list[Application], policy: Policy = POLICY) -> Grouping:
    return form_groups(policy, applications, CATALOGUE, TREE)


def with_parameters(**values: Any) -> Policy:
    day = date(2026, 1, 1)
    return load(
        "cn-title-jilin-2013",
        [Override(name, value, "office", day, "test") for name, value in values.items()],
    )


UP_TO = {high: with_parameters(panel_high=high) for high in (25, 30, 35)}


def test_seats_follow_the_cases() -> None:
    """Three specialties of 100, 60 and 40 cases share 25 seats 13, 7, 5 (largest remainder) and 8 alternates."""
    grouping = formed(cases(f0801=100, f0802=60, f0803=40))
    groups = grouping.groups
    assert [(g.id, g.low, g.high) for g in groups] == [("0801", 13, 13), ("0802", 7, 7), ("0803", 5, 5)]
    assert [g.alternates for g in groups] == [4, 2, 2]
    assert groups[0].name == "field 0801"
    assert [CATALOGUE.code[s] for s in groups[0].specialties] == ["080101", "080102"]
    assert Counter(grouping.of_case.tolist()) == {0: 100, 1: 60, 2: 40}


def test_a_tiny_specialty_joins_the_nearest_of_its_series() -> None:
    """Ten cases are too few for three seats; they join the smallest neighbour of the same series, and it is said."""
    grouping = formed(cases(f0701=60, f0801=100, f0802=60, f0803=10))
    assert [g.id for g in grouping.groups] == ["0701", "0801", "0802"]
    assert grouping.groups[2].name == "field 0802、field 0803"
    merged = [note.params for note in grouping.notes if note.code == "agenda.merged"]
    assert merged == [{"specialty": "field 0803", "cases": 10, "group": "field 0802、field 0803"}]


def test_a_tiny_specialty_alone_in_its_series_keeps_the_minimum() -> None:
    """Nothing of its series to join: it stays apart with the smallest group, and it is said."""
    grouping = formed(cases(f0701=5, f0801=100, f0802=95))
    assert [(g.id, g.low) for g in grouping.groups] == [("0701", 3), ("0801", 11), ("0802", 11)]
    assert [note.params["least"] for note in grouping.notes if note.code == "agenda.raised"] == [3]


def test_directed_cases_have_a_group_of_their_own() -> None:
    """However few they are; and not where the policy does not ask for it."""
    grouping = formed(cases(directed=4, f0801=196))
    assert [(g.id, g.low) for g in grouping.groups] == [("0801", 22), ("directed", 3)]
    assert grouping.of_case[-1] == 1
    size = {"panel_low": 9, "panel_high": 9}
    day = date(2026, 1, 1)
    nsfc = load("cn-nsfc", [Override(n, v, "office", day, "test") for n, v in size.items()])
    assert [g.id for g in formed(cases(directed=4, f0801=196), nsfc).groups] == ["0801"]


def test_a_range_of_sizes_gives_each_group_a_range() -> None:
    """The smallest and the largest panel are both shared out, and no group has less room than seats."""
    groups = formed(cases(f0801=100, f0802=60, f0803=40), with_parameters(panel_high=35)).groups
    assert (sum(g.low for g in groups), sum(g.high for g in groups)) == (25, 35)
    assert all(g.low <= g.high for g in groups)


def test_fewer_alternates_than_groups_go_to_the_largest() -> None:
    """One alternate for three groups stands by the group with the most seats."""
    grouping = formed(cases(f0801=100, f0802=60, f0803=40), with_parameters(alternates=1))
    assert [g.alternates for g in grouping.groups] == [1, 0, 0]


@pytest.mark.parametrize(
    ("applications", "policy", "code"),
    [
        ([], POLICY, "agenda.empty"),
        ([Application("K1", -1)], POLICY, "agenda.specialty_missing"),
        (
            cases(directed=1, f0701=9, f0801=9),
            with_parameters(panel_low=7, panel_high=7),
            "agenda.too_many_groups",
        ),
        (cases(f0801=9), load("cn-nsfc"), "policy.number_needed"),
    ],
)
def test_an_agenda_that_cannot_be_grouped_is_refused(
    applications: list[Application], policy: Policy, code: str
) -> None:
    """No cases, a case without a specialty, more groups than the panel can hold, no size: one fault each."""
    with pytest.raises(Fault) as caught:
        formed(applications, policy)
    assert caught.value.code == code


counts = st.dictionaries(st.sampled_from([f"f{f}" for f in FIELDS]), st.integers(1, 120), min_size=1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=counts, directed=st.integers(0, 30), high=st.sampled_from([25, 30, 35]), data=st.data())
def test_every_agenda_is_grouped_soundly(
    counts: dict[str, int], directed: int, high: int, data: st.DataObject
) -> None:
    """Every case has a group of its own series that judges its sub-specialty; seats add up; the order does not matter."""
    applications = cases(directed=directed, **counts)
    policy = UP_TO[high]
    grouping = formed(applications, policy)
    groups = grouping.groups
    assert sum(g.low for g in groups) == 25
    assert sum(g.high for g in groups) >= high
    assert sum(g.alternates for g in groups) == 8
    assert all(g.low >= 3 and g.alternates >= 1 and g.low <= g.high for g in groups)
    assert len({g.id for g in groups}) == len(groups)
    for application, at in zip(applications, grouping.of_case.tolist(), strict=True):
        group = groups[at]
        assert application.specialty in group.specialties
        assert (group.id == "directed") == application.directed
        if not application.directed:
            assert {CATALOGUE.broad[s][:2] for s in group.specialties} == {group.id[:2]}
    shuffled = data.draw(st.permutations(applications))
    again = formed(list(shuffled), policy)
    assert again.groups == groups
    assert again.notes == grouping.notes
    by_code = {c.code: groups[g].id for c, g in zip(applications, grouping.of_case.tolist(), strict=True)}
    assert by_code == {c.code: groups[g].id for c, g in zip(shuffled, again.of_case.tolist(), strict=True)}
    for note in grouping.notes:
        assert known(note.code, "zh")
        assert known(note.code, "en")


@given(
    weights=st.lists(st.integers(1, 500), min_size=1, max_size=8),
    least=st.integers(0, 4),
    extra=st.integers(0, 60),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_seats_keep_the_minimum_and_the_order(weights: list[int], least: int, extra: int) -> None:
    """Seats add up, nobody is below the minimum, and who has more cases never has fewer seats."""
    total = least * len(weights) + extra
    parts = seats_by_cases(total, weights, least)
    assert sum(parts) == total
    assert min(parts) >= least
    assert all(
        parts[i] >= parts[j] for i in range(len(parts)) for j in range(len(parts)) if weights[i] > weights[j]
    )


def test_the_tree_of_the_registry_is_read(sqlite_tiny: Tiny) -> None:
    """Names and series come from the catalogue, for specialties and below."""
    with sqlite_tiny.store.session() as session:
        tree = fields_on(session, sqlite_tiny.meets_on)
    assert (tree.name["010"], tree.series["010"], tree.series["0102"]) == ("机械", "01", "01")


def test_groups_by_sub_specialty_or_none() -> None:
    """A policy may also group by sub-specialty, or not at all."""
    settled = POLICY.by_level["senior"]
    assert settled.seating is not None
    for by, expected in (("none", ["all"]), ("sub_specialty", ["080101", "080102"])):
        seating = replace(settled.seating, group_by=by)  # type: ignore[arg-type]
        policy = replace(POLICY, by_level={"senior": replace(settled, seating=seating)})
        groups = formed(cases(f0801=60), policy).groups
        assert [g.id for g in groups] == expected
        assert np.array([g.low for g in groups]).sum() == 25
