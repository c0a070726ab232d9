"""Everything measured in one call: bad raters are seen, good ones are left alone, and what cannot be known is not said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from expert_pool.formats import schema_of
from expert_pool.reevaluation.measurement import replications
from expert_pool.reevaluation.measurement.curves import Curves
from expert_pool.reevaluation.measurement.measured import Measured, measure
from expert_pool.reevaluation.measurement.ratings import Rating, Ratings, ratings_of
from expert_pool.reevaluation.measurement.replications import chances
from expert_pool.reevaluation.measurement.testing import KINDS
from expert_pool.words import known, languages, say
from solver.errors import Fault
from solver.facts import Ints
from solver.progress import Progress


@cache
def made(
    cases: int = 700, raters: int = 60, criteria: int = 3, spread: float = 0.5, seed: int = 1
) -> Ratings:
    """Good raters on a scale of 1..5, three a case, in two years."""
    random = np.random.default_rng(seed)
    severity, ability = random.normal(0, spread, raters), random.normal(0.3, 1.2, cases)
    chosen = np.array([np.sort(random.choice(raters, 3, replace=False)) for _ in range(cases)])
    case = np.repeat(np.arange(cases), 3 * criteria)
    criterion = np.tile(np.repeat(np.arange(criteria), 3), cases)
    rater = np.repeat(chosen, criteria, axis=0).ravel()
    place = ability[case] - severity[rater] - np.linspace(-0.4, 0.4, criteria)[criterion]
    level = Curves.of(np.array([-1.6, -0.5, 0.5, 1.6])).scores(place, random)
    return Ratings(
        tuple(f"C{n:04d}" for n in range(cases)),
        tuple(f"R{n:03d}" for n in range(raters)),
        tuple(f"K{n}" for n in range(criteria)),
        1,
        5,
        case,
        rater,
        criterion,
        level,
        2025 + (case % 2),
    )


def spoilt(ratings: Ratings) -> Ratings:
    """R000 scores at random, R001 keeps to the middle, R002 gives a case one mark, R003 is much severer than all, R004
    grows milder by the year."""
    random = np.random.default_rng(7)
    level = ratings.level.copy()

    def of(rater: int) -> Ints:
        return np.flatnonzero(ratings.rater == rater)

    level[of(0)] = random.integers(0, 5, len(of(0)))
    level[of(1)] = np.clip(level[of(1)], 2, 2)
    for case in np.unique(ratings.case[of(2)]):
        here = of(2)[ratings.case[of(2)] == case]
        level[here] = level[here[0]]
    level[of(3)] = np.maximum(level[of(3)] - 2, 0)
    later = of(4)[ratings.period[of(4)] == 2026]
    level[later] = np.minimum(level[later] + 2, 4)
    return ratings.scored(level)


@cache
def found_in_spoilt() -> Measured:
    return measure(spoilt(made()), replications=60, seed=3)


def test_bad_raters_are_seen_each_for_what_they_do() -> None:
    """And hardly anybody else."""
    found = found_in_spoilt()
    by_rater = {rater: {flag.kind for flag in found.flags_of(rater)} for rater in ("R000", "R001", "R002")}
    assert {"erratic", "apart"} <= by_rater["R000"]
    assert {"even", "central"} & by_rater["R001"]
    assert "halo" in by_rater["R002"]
    assert "severe" in {flag.kind for flag in found.flags_of("R003")}
    assert "drift" in {flag.kind for flag in found.flags_of("R004")}
    good = {flag.rater for flag in found.flags} - {f"R00{n}" for n in range(5)}
    assert len(good) <= 2
    drift = next(flag for flag in found.flags if flag.kind == "drift")
    assert drift.figures["period"] == 2026
    assert float(drift.figures["severer"]) < -1
    assert float(drift.figures["points"]) > 0.5
    assert all(0 <= flag.p <= flag.q <= found.rate / 100 for flag in found.flags)


def test_the_document_keeps_to_its_schema_and_can_be_said() -> None:
    """Every kind of flag and every reason has a sentence in both languages."""
    found = found_in_spoilt()
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    Draft202012Validator(schema_of("measurement")).validate(document)
    assert document["comparable"] == "all"
    assert document["interval"] == "bootstrap"
    assert document["replications"] == 60
    for lang in languages():
        assert all(known(f"flag.{kind}", lang) for kind in KINDS)
        for flag in found.flags:
            said = say(f"measurement.flag.{flag.kind}", lang, **flag.figures)
            assert "—" not in said
            assert said != f"measurement.flag.{flag.kind}"
        assert all(known(f"measurement.{why}", lang) for why in ("alone", "few", "alike"))


def test_labels_permuted_give_no_flags_beyond_the_rate() -> None:
    """When score sheets are handed to raters by chance, nobody is anything any more."""
    ratings = spoilt(made())
    random = np.random.default_rng(5)
    chosen = np.array([np.sort(random.choice(60, 3, replace=False)) for _ in range(700)])
    rater = np.repeat(chosen, 3, axis=0).ravel()
    sheet = np.array([random.permutation(3) for _ in range(700)])
    place = np.arange(len(ratings)).reshape(-1, 3)
    mixed = place[np.arange(len(place))[:, None], np.repeat(sheet, 3, axis=0)].ravel()
    permuted = replace(ratings, rater=rater, level=ratings.level[mixed])
    own = {"employer": random.random(len(ratings.cases))[ratings.case] < 0.4}
    assert measure(replace(permuted, own=own), replications=40).flags == ()


def test_without_bad_raters_flags_come_at_the_rate_stated() -> None:
    """Of all tests of good raters some 5 % lie below 0.05, whatever is tested; after the correction hardly any is left."""
    found = measure(made(1000, 100, seed=21), replications=60, seed=1)
    for name in ("infit", "outfit", "spread", "halo", "agreement"):
        p = np.array([one.chances[name] for one in found.raters if one.chances])
        assert (p <= 0.05).mean() < 0.12, name
        assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.2), name
    p = np.array([change.p for one in found.raters for change in (one.drift or {}).values()])
    assert len(p) > 50
    assert (p <= 0.05).mean() < 0.12
    assert len(found.flags) <= 1


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of the severities behind the scores about 95 %."""
    ratings = made(1000, 100, seed=21)
    true = np.random.default_rng(21).normal(0, 0.5, 100)
    found = measure(ratings, replications=60)
    inside = [
        one.low <= t - true.mean() <= one.high
        for one, t in zip(found.raters, true, strict=True)
        if one.low is not None and one.high is not None
    ]
    assert np.mean(inside) > 0.86
    errors = [one.error for one in found.raters if one.error is not None]
    pulled = [abs(one.shrunk) <= abs(one.severity) + 0.05 for one in found.raters if one.severity is not None]
    assert 0.1 < float(np.mean(errors)) < 0.4
    assert np.mean(pulled) > 0.95


def test_who_favours_the_own_employer_is_seen() -> None:
    """By the contrast with the other cases of the same rater; others with as many own cases are not."""
    ratings = made(seed=2)
    random = np.random.default_rng(3)
    own_case = random.random((len(ratings.cases), len(ratings.raters))) < 0.35
    own = own_case[ratings.case, ratings.rater]
    level = ratings.level.copy()
    favoured = own & (ratings.rater == 5)
    level[favoured] = np.minimum(level[favoured] + 2, 4)
    found = measure(replace(ratings.scored(level), own={"employer": own}))
    assert [(flag.rater, flag.kind) for flag in found.flags] == [("R005", "own_employer")]
    change = found.raters[5].own
    assert change is not None
    assert change["employer"].severer < -1
    assert change["employer"].points > 0.5
    (common,) = found.common
    assert common.kind == "employer"
    assert common.severer is not None
    assert abs(common.severer) < 0.3


def rows(cases: Iterable[int], raters: str, scores: str) -> list[Rating]:
    return [
        Rating(f"C{case:03d}", rater, "K", int(scores[(case * 3 + at) % len(scores)]))
        for case in cases
        for at, rater in enumerate(raters)
    ]


def test_a_disconnected_design_is_told_and_mended() -> None:
    """Two offices that share nobody: no comparison between them, and the cases that would allow one."""
    ratings = ratings_of(
        rows(range(40), "ABC", "1234253124") + rows(range(50, 90), "PQR", "2314542"), low=1, high=5
    )
    found = measure(ratings, at_least=10)
    assert not found.connected
    assert found.document()["comparable"] == "within_components"
    assert [component.raters for component in found.components] == [3, 3]
    for raters in ("ABC", "PQR"):
        values = [one.severity for one in found.raters if one.rater in raters]
        assert sum(value for value in values if value is not None) == pytest.approx(0, abs=1e-3)
    (overlap,) = found.overlaps
    assert len({*overlap[0]} & {*"ABC"}) == 1
    assert len({*overlap[0]} & {*"PQR"}) == 1
    assert overlap[1] >= 1


def test_what_cannot_be_known_is_a_reason_and_no_number() -> None:
    """A rater with one case, one who sat alone, scores all at one end, a scale all equal."""
    many = rows(range(40), "ABC", "1234253124")
    lonely = [Rating(f"L{n:03d}", "Z", "K", 3) for n in range(20)]
    few = [Rating("C000", "N", "K", 4)]
    found = measure(ratings_of(many + lonely + few, low=1, high=5), at_least=10, replications=20)
    assert {one.rater: one.why for one in found.raters} == {
        "A": None, "B": None, "C": None, "N": "measurement.few", "Z": "measurement.alone",
    }  # fmt: skip
    for one in found.raters:
        if one.why is not None:
            assert (one.severity, one.error, one.low, one.shrunk, one.fair_average, one.infit) == (None,) * 6
    alike = measure(ratings_of(rows(range(20), "ABC", "4"), low=1, high=5), at_least=5, replications=20)
    assert {one.why for one in alike.raters} == {"measurement.alike"}
    assert alike.agreement["interval"].pairable == 60
    assert alike.document()["agreement"]["interval"]["value"] is None
    assert alike.flags == ()


def relabelled(ratings: Ratings, seed: int) -> tuple[Ratings, dict[str, str]]:
    """The same scores, rows shuffled, everybody and everything called otherwise; and what raters and criteria were called."""
    random = np.random.default_rng(seed)
    new = {
        kind: {name: f"{kind}{n:05d}" for name, n in zip(names, random.permutation(len(names)), strict=True)}
        for kind, names in (("X", ratings.cases), ("Y", ratings.raters), ("Z", ratings.criteria))
    }
    told = [
        Rating(
            new["X"][ratings.cases[c]], new["Y"][ratings.raters[r]], new["Z"][ratings.criteria[k]],
            int(level) + ratings.low, int(period),
        )
        for c, r, k, level, period in zip(
            ratings.case, ratings.rater, ratings.criterion, ratings.level, ratings.period, strict=True
        )
    ]  # fmt: skip
    shuffled = [told[n] for n in random.permutation(len(told))]
    again = ratings_of(shuffled, low=ratings.low, high=ratings.high)
    return again, {now: was for kind in "YZ" for was, now in new[kind].items()}


@pytest.mark.parametrize("raters", [30, 110])
def test_other_names_and_another_order_of_rows_change_no_figure(raters: int) -> None:
    """Replications and, from 100 raters on, halves of the data included: to the last digit."""
    ratings = spoilt(made(300, raters))
    first = measure(ratings, at_least=15, replications=20, seed=4)
    again, before = relabelled(ratings, 8)
    second = measure(again, at_least=15, replications=20, seed=4)
    assert sum(one.why is None for one in first.raters) > 20
    assert {before[one.rater]: replace(one, rater="") for one in second.raters} == {
        one.rater: replace(one, rater="") for one in first.raters
    }
    assert {before[name]: value for name, value in second.criteria.items()} == dict(first.criteria)
    assert (second.thresholds, second.agreement) == (first.thresholds, first.agreement)
    assert (second.components, second.common) == (first.components, first.common)
    assert {(before[f.rater], f.kind, f.p, f.q) for f in second.flags} == {
        (f.rater, f.kind, f.p, f.q) for f in first.flags
    }


def test_where_nobody_can_be_measured_the_scale_has_no_figures_either() -> None:
    found = measure(ratings_of(rows(range(8), "ABC", "1234253124"), low=1, high=5), at_least=30)
    assert {one.why for one in found.raters} == {"measurement.few"}
    assert (found.thresholds, dict(found.criteria)) == ((), {})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 5),
            st.integers(0, 1),
            st.integers(0, 3),
            st.integers(2025, 2026),
        ),
        min_size=1,
        max_size=40,
        unique_by=lambda row: row[:3],
    )
)
def test_whatever_the_design_a_document_comes_out(told: list[tuple[int, int, int, int, int]]) -> None:
    """No warning, no number that is not finite, nobody lost."""
    ratings = ratings_of((Rating(f"C{c}", f"R{r}", f"K{k}", s, y) for c, r, k, s, y in told), low=0, high=3)
    own = {"region": ratings.case % 2 == ratings.rater % 2}
    found = measure(replace(ratings, own=own), at_least=2, replications=20)
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    Draft202012Validator(schema_of("measurement")).validate(document)
    assert len(found.raters) == len({row[1] for row in told})


def test_the_same_arguments_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many replications run at once."""
    ratings = made(200, 30)
    first = measure(ratings, replications=20, seed=9)
    monkeypatch.setattr(replications, "AT_ONCE", 1)
    assert measure(ratings, replications=20, seed=9).document() == first.document()
    assert measure(ratings, replications=20, seed=10).document() != first.document()


def test_it_can_be_stopped_and_says_how_far_it_came() -> None:
    """What was done counts; too few replications give no p."""
    told: list[Progress] = []

    def stop() -> bool:
        return len(told) > 30

    found = measure(made(200, 30), replications=200, cancelled=stop, report=told.append)
    assert found.stopped
    assert found.replications < 20
    assert all(not one.chances for one in found.raters)
    assert {event.phase for event in told} <= {"measurement", "resampling", "fit"}


def test_chances_are_those_of_ranks_where_there_are_enough() -> None:
    """Of values drawn alike, each p is as likely as any other, also far out."""
    random = np.random.default_rng(6)
    real, again = random.gamma(4, size=5000), random.gamma(4, size=(100, 5000))
    number = random.integers(30, 90, 5000)
    for side in (-1, 0, 1):
        p = chances(real, again, number, side=side)
        for level in (0.5, 0.05, 0.01):
            assert (p <= level).mean() == pytest.approx(level, abs=4 * (level / 5000) ** 0.5)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"at_least": 1}, "measurement.at_least"),
        ({"rate": 0}, "measurement.rate"),
        ({"replications": 5}, "measurement.replications"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, int], code: str) -> None:
    """Before anything is computed."""
    with pytest.raises(Fault) as fault:
        measure(made(200, 30), **asked)  # type: ignore[arg-type]
    assert fault.value.code == code
